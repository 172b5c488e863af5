//! A connection token: the presigned request that it is made of, in both directions, and the token itself.

use std::time::Duration;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign::tokens::{self, Token, TokenError};
use serde::Deserialize;
use serde_json::{Value, from_value};

use super::plain::{Plain, decoded};
use super::{Difference, Remark, same};

pub struct Tokens {
    /// The case as one of a request that is presigned.
    pub plain: Plain,
    kind: String,
    sources: Vec<String>,
    input: Input,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    hostname: Option<String>,
    port: Option<u16>,
    username: Option<String>,
    action: Option<String>,
    /// Seconds.
    expires: Option<u64>,
    cluster: Option<String>,
    user_agent: Option<String>,
    cache_name: Option<String>,
    user: Option<String>,
    serverless: Option<bool>,
    #[serde(default, rename = "note")]
    _note: Remark,
}

struct Expect {
    token: String,
    parameters: Vec<(String, String)>,
    expiry_ms: Option<i64>,
}

/// Those that make the whole token; all others sign a request.
const GENERATORS: [&str; 7] = [
    "botocore.generate_db_auth_token",
    "@aws-sdk/rds-signer",
    "botocore.dsql",
    "@aws-sdk/dsql-signer",
    "awscli eks get-token",
    "aws-msk-iam-sasl-signer-python",
    "aws-msk-iam-sasl-signer-js",
];

impl Tokens {
    /// Takes out what only tokens have; what is left is a plain case, and read as strictly.
    pub fn read(line: &str) -> Result<Self, serde_json::Error> {
        let mut case: Value = serde_json::from_str(line)?;
        let mut take = |pointer: &str, name: &str| {
            let object = case.pointer_mut(pointer).and_then(Value::as_object_mut);
            object.and_then(|object| object.remove(name)).unwrap_or_default()
        };
        let (kind, input) = (from_value(take("", "kind"))?, from_value(take("", "input"))?);
        let expect = Expect {
            token: from_value(take("/expect", "token"))?,
            parameters: from_value(take("/expect", "token_params"))?,
            expiry_ms: from_value(take("/expect", "expiry_ms"))?,
        };
        let url = take("/expect", "presigned_url");
        case["expect"]["query"] = url;
        let sources = from_value(case["source"].clone())?;
        Ok(Self { plain: from_value(case)?, kind, sources, input, expect })
    }

    pub fn run(&self) -> Result<(), Box<Difference>> {
        let id = &self.plain.id;
        self.plain.run()?;
        let token = self.token()?;
        if self.sources.iter().any(|source| GENERATORS.contains(&source.as_str())) {
            same(id, "token", &self.expect.token, token.as_str())?;
        }
        let (expected, got) = (self.presigned_url(&self.expect.token), self.presigned_url(token.as_str()));
        let (start, parameters) = parameters(got.as_deref().unwrap_or_default());
        let (expected_start, _) = self::parameters(expected.as_deref().unwrap_or_default());
        same(id, "the token before its parameters", expected_start, start)?;
        let mut expected = self.expect.parameters.clone();
        if let Some(user_agent) = &self.input.user_agent {
            expected.push(("User-Agent".into(), user_agent.clone()));
        }
        expected.sort();
        same(id, "parameters of the token", &format!("{expected:?}"), &format!("{parameters:?}"))?;
        let signature = ("X-Amz-Signature".to_owned(), self.plain.expect.signature.clone());
        if !parameters.contains(&signature) {
            return Err(Difference::new(id, "signature of the token", signature.1, got.unwrap_or_default()));
        }
        match self.expect.expiry_ms {
            Some(expected) => same(id, "expiry_ms", &expected.to_string(), &token.expires_at_millis().to_string()),
            None => Ok(()),
        }
    }

    fn token(&self) -> Result<Token, Box<Difference>> {
        let (id, input) = (&self.plain.id, &self.input);
        let missing = |field: &str| Difference::new(id, format!("input.{field}"), "a value", "none");
        let text = |field: &str, value: &'_ Option<String>| value.clone().ok_or_else(|| missing(field));
        let (credentials, now) = (self.plain.credentials()?, self.plain.now()?);
        let (_, _, region, _) = self.plain.signed_by();
        let expires = || input.expires.map(Duration::from_secs).ok_or_else(|| missing("expires"));
        let made: Result<Token, TokenError> = match self.kind.as_str() {
            "rds" => {
                let port = input.port.ok_or_else(|| missing("port"))?;
                let (host, user) = (text("hostname", &input.hostname)?, text("username", &input.username)?);
                tokens::rds(&credentials, region, &host, port, &user, now)
            }
            "dsql" => {
                let host = text("hostname", &input.hostname)?;
                match input.action.as_deref() {
                    Some("DbConnect") => tokens::dsql(&credentials, region, &host, expires()?, now),
                    Some("DbConnectAdmin") => tokens::dsql_admin(&credentials, region, &host, expires()?, now),
                    other => return Err(Difference::new(id, "input.action", "a known action", format!("{other:?}"))),
                }
            }
            "elasticache" | "memorydb" => {
                let (name, user) = (text("cache_name", &input.cache_name)?, text("user", &input.user)?);
                match (self.kind.as_str(), input.serverless.unwrap_or_default()) {
                    ("elasticache", false) => tokens::elasticache(&credentials, region, &name, &user, now),
                    ("elasticache", true) => tokens::elasticache_serverless(&credentials, region, &name, &user, now),
                    (_, false) => tokens::memorydb(&credentials, region, &name, &user, now),
                    (_, true) => return Err(Difference::new(id, "input.serverless", "false", "true")),
                }
            }
            "msk" => tokens::msk(&credentials, region, &text("user_agent", &input.user_agent)?, now),
            "eks" => tokens::eks(&credentials, region, &text("cluster", &input.cluster)?, now),
            "iot" => tokens::iot_mqtt(&credentials, region, &text("hostname", &input.hostname)?, now),
            "transcribe-websocket" => {
                let (_, parameters) = parameters(&self.plain.request.url);
                let parameters: Vec<_> =
                    parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                tokens::transcribe(&credentials, region, &parameters, now)
            }
            other => return Err(Difference::new(id, "kind", "a known kind of token", other)),
        };
        made.map_err(|error| Difference::new(id, "making the token", "a token", error.to_string()))
    }

    /// The URL, perhaps without its scheme, that is in a token.
    fn presigned_url(&self, token: &str) -> Option<String> {
        let encoded = match self.kind.as_str() {
            "eks" => token.strip_prefix("k8s-aws-v1.")?,
            "msk" => token,
            _ => return Some(token.into()),
        };
        String::from_utf8(Base64UrlUnpadded::decode_vec(encoded).ok()?).ok()
    }
}

/// What stands before the query, and the sorted parameters of it, decoded.
fn parameters(url: &str) -> (&str, Vec<(String, String)>) {
    let (start, query) = url.split_once('?').unwrap_or((url, ""));
    let pairs = query.split('&').filter(|piece| !piece.is_empty());
    let mut parameters: Vec<_> = pairs
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    parameters.sort();
    (start, parameters)
}
