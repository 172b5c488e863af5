//! The server's side: tokens are verified by the crate's own verifier.

use std::time::Duration;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use countersign::tokens::{self, Token};
use countersign::{Credentials, Request, Timestamp, VerifyError};
use serde_json::Value;

use super::{every_kind, temporary};
use crate::support::fixtures::{credentials, now, verifier, verify};
use crate::support::random::Random;

/// Returns the presigned request inside a token.
#[derive(Clone)]
struct Arrived {
    method: &'static str,
    host: String,
    target: String,
    headers: Vec<(&'static str, String)>,
}

impl Arrived {
    fn of(kind: &str, token: &Token) -> Self {
        let decode = |text: &str| String::from_utf8(Base64UrlUnpadded::decode_vec(text).unwrap()).unwrap();
        let url = match kind {
            "eks" => decode(token.as_str().strip_prefix("k8s-aws-v1.").unwrap()),
            "bedrock" => {
                let encoded = token.as_str().strip_prefix("bedrock-api-key-").unwrap();
                let url = String::from_utf8(Base64::decode_vec(encoded).unwrap()).unwrap();
                url.strip_suffix("&Version=1").unwrap().to_owned()
            }
            "msk" => decode(token.as_str()).split_once("&User-Agent=").unwrap().0.to_owned(),
            _ => token.as_str().to_owned(),
        };
        let url = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let slash = url.find('/').unwrap();
        let headers = if kind == "eks" { vec![("x-k8s-aws-id", "prod".to_owned())] } else { Vec::new() };
        let method = if kind == "bedrock" { "POST" } else { "GET" };
        Self { method, host: url[..slash].to_owned(), target: url[slash..].to_owned(), headers }
    }

    fn verify(&self, service: &str, known: &Credentials, now: Timestamp) -> Result<(), VerifyError> {
        let mut headers: Vec<_> = self.headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        headers.push(("host", self.host.as_bytes()));
        verify(&verifier(service), Request::new(self.method, &self.target, &headers), b"", known, now).map(|_| ())
    }
}

fn service(kind: &str) -> Option<&'static str> {
    match kind {
        "rds" => Some("rds-db"),
        "dsql" | "dsql_admin" => Some("dsql"),
        "elasticache" | "elasticache_serverless" => Some("elasticache"),
        "memorydb" => Some("memorydb"),
        "msk" => Some("kafka-cluster"),
        "eks" => Some("sts"),
        "bedrock" => Some("bedrock"),
        "transcribe" => Some("transcribe"),
        // Tested separately below: no expiration in the URL, signed in a header, signed for git.
        "iot_mqtt" | "vault" | "codecommit" => None,
        other => panic!("{other}"),
    }
}

#[test]
fn a_token_is_accepted_until_it_expires_and_refused_after_a_change() {
    let mut kinds = 0;
    for credentials in [credentials(), temporary()] {
        for (kind, lifetime, token) in every_kind(&credentials, "us-east-1", now()) {
            let Some(service) = service(kind) else { continue };
            kinds += 1;
            let arrived = Arrived::of(kind, &token.unwrap());
            // The presigned URL is valid for 60 seconds; the cluster itself decides how long it accepts the token.
            let lifetime = if kind == "eks" { 60 } else { lifetime };
            for seconds in [0, 1, lifetime - 1, lifetime] {
                arrived.verify(service, &credentials, now().saturating_add(seconds)).expect(kind);
            }
            let late = arrived.verify(service, &credentials, now().saturating_add(lifetime + 1));
            assert!(matches!(late, Err(VerifyError::PresignExpired { .. })), "{kind}: {late:?}");

            let other_secret = Credentials::new("AKIDEXAMPLE", "another").unwrap();
            assert!(arrived.verify(service, &other_secret, now()).is_err(), "{kind}");
            assert!(arrived.verify("iam", &credentials, now()).is_err(), "{kind}");
            let refused = |arrived: Arrived| {
                assert!(arrived.verify(service, &credentials, now()).is_err(), "{kind}: {}", arrived.target);
            };
            refused(Arrived { host: format!("{}x", arrived.host), ..arrived.clone() });
            refused(Arrived { target: format!("{}&x=1", arrived.target), ..arrived.clone() });
            for position in 1..arrived.target.len() {
                let mut target = arrived.target.clone().into_bytes();
                target[position] ^= 1;
                refused(Arrived { target: String::from_utf8(target).unwrap(), ..arrived.clone() });
            }
            if kind == "eks" {
                refused(Arrived { headers: vec![("x-k8s-aws-id", "test".into())], ..arrived.clone() });
                refused(Arrived { headers: Vec::new(), ..arrived });
            }
        }
    }
    assert_eq!(kinds, 20);
}

#[test]
fn iot_adds_the_session_token_after_signing() {
    let endpoint = "a1b2c3d4e5f6g7-ats.iot.us-east-1.amazonaws.com";
    let url = |credentials: &Credentials| tokens::iot_mqtt(credentials, "us-east-1", endpoint, now()).unwrap();
    let (without, with) = (url(&credentials()), url(&temporary()));
    let token = "&X-Amz-Security-Token=FwoGZXIvYXdz%2BEXAMPLE%2FTOKEN%3D%3D";
    assert_eq!(with.as_str(), format!("{without}{token}"));
    assert!(!with.as_str().contains("X-Amz-Expires"));
}

fn verify_vault(login: &str, known: &Credentials, now: Timestamp) -> Result<(), VerifyError> {
    let login: Value = serde_json::from_str(login).unwrap();
    let decoded = |name: &str| Base64::decode_vec(login[name].as_str().unwrap()).unwrap();
    let headers: Value = serde_json::from_slice(&decoded("iam_request_headers")).unwrap();
    let headers: Vec<(&str, &[u8])> = headers
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, values)| (name.as_str(), values[0].as_str().unwrap().as_bytes()))
        .collect();
    let body = decoded("iam_request_body");
    verify(&verifier("sts"), Request::new("POST", "/", &headers), &body, known, now).map(|_| ())
}

#[test]
fn vault_sends_a_request_that_is_accepted_for_fifteen_minutes() {
    for server_id in [None, Some("vault.example.com"), Some("a \"quoted\" \\ id, ü")] {
        let login = tokens::vault(&temporary(), "us-east-1", None, server_id, now()).unwrap();
        let json: Value = serde_json::from_str(login.as_str()).unwrap();
        assert!(json.get("role").is_none());
        for seconds in [0, 900] {
            verify_vault(login.as_str(), &temporary(), now().saturating_add(seconds)).unwrap();
        }
        assert!(verify_vault(login.as_str(), &temporary(), now().saturating_add(901)).is_err());
        assert!(verify_vault(login.as_str(), &credentials().with_session_token("x").unwrap(), now()).is_err());

        let headers = json["iam_request_headers"].as_str().unwrap();
        let decoded = String::from_utf8(Base64::decode_vec(headers).unwrap()).unwrap();
        assert_eq!(decoded.contains("X-Vault-AWS-IAM-Server-ID"), server_id.is_some());
        for (from, to) in [("vault.example.com", "other.example.com"), ("charset=utf-8", "charset=utf-7")] {
            if decoded.contains(from) {
                let changed = Base64::encode_string(decoded.replace(from, to).as_bytes());
                let changed = login.as_str().replace(headers, &changed);
                assert!(verify_vault(&changed, &temporary(), now()).is_err(), "{from}");
            }
        }
    }
}

#[test]
fn any_user_name_round_trips() {
    let pieces = [
        "a", "Z", "0", "-", "_", ".", "~", "+", " ", "%", "%2B", "&", "=", "/", "?", "#", "ü", "日", "'", "\"", "\\",
        "\n",
    ];
    let mut random = Random(7);
    for _ in 0..500 {
        let user = format!("u{}", random.text(&pieces, 12));
        let credentials = temporary();
        for (kind, name, token) in [
            ("rds", "DBUser", tokens::rds(&credentials, "us-east-1", "db.example.com", 5432, &user, now())),
            ("memorydb", "User", tokens::memorydb(&credentials, "us-east-1", "my-cluster", &user, now())),
        ] {
            let arrived = Arrived::of(kind, &token.unwrap());
            let parameter = arrived.target.split('&').find_map(|piece| piece.strip_prefix(&format!("{name}=")));
            let decoded: Vec<u8> = percent_encoding::percent_decode_str(parameter.unwrap()).collect();
            assert_eq!(String::from_utf8(decoded).unwrap(), user);
            assert!(parameter.unwrap().bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~%".contains(&b)), "{user}");
            arrived.verify(service(kind).unwrap(), &credentials, now()).unwrap();
        }
    }
}

#[test]
fn long_session_tokens_and_users_are_accepted() {
    let token: String = "abc+/=".repeat(700);
    let credentials = credentials().with_session_token(token).unwrap();
    for (kind, _, token) in every_kind(&credentials, "us-east-1", now()) {
        let token = token.unwrap();
        if let Some(service) = service(kind) {
            Arrived::of(kind, &token).verify(service, &credentials, now()).expect(kind);
        }
    }
    let user = "ü".repeat(1000);
    let token = tokens::rds(&credentials, "us-east-1", "db.example.com", 5432, &user, now()).unwrap();
    Arrived::of("rds", &token).verify("rds-db", &credentials, now()).unwrap();
}

#[test]
fn dsql_accepts_lifetimes_up_to_a_week() {
    let host = "abc.dsql.us-east-1.on.aws";
    for seconds in [1, 900, 86_400, 604_799, 604_800] {
        let token = tokens::dsql(&temporary(), "us-east-1", host, Duration::from_secs(seconds), now()).unwrap();
        let arrived = Arrived::of("dsql", &token);
        let end = now().saturating_add(i64::try_from(seconds).unwrap());
        assert_eq!(token.expires_at(), end);
        arrived.verify("dsql", &temporary(), end).unwrap();
        arrived.verify("dsql", &temporary(), end.saturating_add(1)).unwrap_err();
    }
}
