//! Tests of connection tokens: expected values of the official helpers, verification by a server, and errors.

mod errors;
mod figures;
mod server;

use std::time::Duration;

use countersign::tokens::{self, Token, TokenError};
use countersign::{Credentials, Timestamp};

use crate::support::fixtures::{at, credentials, now};

const SESSION_TOKEN: &str = "FwoGZXIvYXdz+EXAMPLE/TOKEN==";

fn temporary() -> Credentials {
    credentials().with_session_token(SESSION_TOKEN).unwrap()
}

pub type Made = Result<Token, TokenError>;

/// A token of every function with valid input, and its lifetime in seconds.
pub fn every_kind(credentials: &Credentials, region: &str, now: Timestamp) -> Vec<(&'static str, i64, Made)> {
    let dsql_host = "abc.dsql.us-east-1.on.aws";
    let a_week = Duration::from_secs(604_800);
    let audio = [("language-code", "en-US"), ("media-encoding", "pcm"), ("sample-rate", "16000")];
    vec![
        ("rds", 900, tokens::rds(credentials, region, "db.example.com", 5432, "app", now)),
        ("dsql", 604_800, tokens::dsql(credentials, region, dsql_host, a_week, now)),
        ("dsql_admin", 900, tokens::dsql_admin(credentials, region, dsql_host, Duration::from_secs(900), now)),
        ("elasticache", 900, tokens::elasticache(credentials, region, "my-cache", "app", now)),
        ("elasticache_serverless", 900, tokens::elasticache_serverless(credentials, region, "my-cache", "app", now)),
        ("memorydb", 900, tokens::memorydb(credentials, region, "my-cluster", "app", now)),
        ("msk", 900, tokens::msk(credentials, region, "my-service/1.4", now)),
        ("eks", 900, tokens::eks(credentials, region, "prod", now)),
        ("iot_mqtt", 300, tokens::iot_mqtt(credentials, region, "a1-ats.iot.us-east-1.amazonaws.com", now)),
        ("transcribe", 300, tokens::transcribe(credentials, region, &audio, now)),
        ("vault", 900, tokens::vault(credentials, region, Some("dev"), Some("vault.example.com"), now)),
        (
            "codecommit",
            900,
            tokens::codecommit(credentials, region, "git-codecommit.us-east-1.amazonaws.com", "v1/repos/MyRepo", now),
        ),
        ("bedrock", 43_200, tokens::bedrock(credentials, region, Duration::from_secs(43_200), now)),
    ]
}

#[test]
fn a_token_expires_after_its_lifetime_or_with_the_credentials() {
    for (kind, seconds, token) in every_kind(&temporary(), "us-east-1", now()) {
        let (token, end) = (token.unwrap(), now().saturating_add(seconds));
        assert_eq!(token.expires_at(), end, "{kind}");
        assert_eq!(token.expires_at_millis(), end.unix_seconds() * 1000, "{kind}");
    }
    for expiry in [1, 59, 299, 300, 301, 899, 900, 901, 604_799, 604_800, 604_801] {
        let expiry = now().saturating_add(expiry);
        for (kind, seconds, token) in every_kind(&temporary().with_expires_at(expiry), "us-east-1", now()) {
            assert_eq!(token.unwrap().expires_at(), expiry.min(now().saturating_add(seconds)), "{kind} {expiry}");
        }
    }
}

#[test]
fn display_shows_the_token_and_debug_hides_it() {
    for (kind, _, token) in every_kind(&temporary(), "us-east-1", now()) {
        let token = token.unwrap();
        assert_eq!(format!("{token}"), token.as_str(), "{kind}");
        let debug = format!("{token:?} {token:#?}");
        assert!(debug.starts_with("Token { expires_at: 20150"), "{debug}");
        assert!(debug.len() < 120 && !debug.contains("EXAMPLE"), "{debug}");
        let copy = token.clone();
        assert_eq!((copy.as_str(), copy.user()), (token.as_str(), token.user()));
    }
}

#[test]
fn only_codecommit_returns_a_user_name() {
    for (kind, _, token) in every_kind(&temporary(), "us-east-1", now()) {
        let user = format!("AKIDEXAMPLE%{SESSION_TOKEN}");
        assert_eq!(token.unwrap().user(), (kind == "codecommit").then_some(user.as_str()), "{kind}");
    }
    let host = "git-codecommit.us-east-1.amazonaws.com";
    let token = tokens::codecommit(&credentials(), "us-east-1", host, "v1/repos/MyRepo", now()).unwrap();
    assert_eq!(token.user(), Some("AKIDEXAMPLE"));
}

#[test]
fn the_exec_credential_is_what_kubectl_reads() {
    let json = |token: &Token| serde_json::from_str::<serde_json::Value>(&tokens::exec_credential(token)).unwrap();
    let token = tokens::eks(&temporary(), "us-east-1", "prod", now()).unwrap();
    assert_eq!(
        json(&token),
        serde_json::json!({
            "kind": "ExecCredential",
            "apiVersion": "client.authentication.k8s.io/v1beta1",
            "spec": {},
            "status": { "expirationTimestamp": "2015-08-30T12:50:00Z", "token": token.as_str() },
        })
    );
    let short = temporary().with_expires_at(at("20150830T124000Z"));
    let token = tokens::eks(&short, "us-east-1", "prod", now()).unwrap();
    assert_eq!(json(&token)["status"]["expirationTimestamp"], "2015-08-30T12:39:00Z");
}

#[test]
fn the_first_and_last_timestamps_do_not_overflow() {
    for time in ["00000101T000000Z", "99991231T235959Z"] {
        for (kind, _, token) in every_kind(&temporary(), "us-east-1", at(time)) {
            assert!(token.unwrap().expires_at() >= at(time), "{kind} {time}");
        }
    }
}
