//! Sends a signed request, and passes the answer on without the credentials.
//!
//! Servers that refuse a signature quote it: S3 answers with the access key id, the string to sign and the signature. The
//! client must not see them, and could not do anything about it.

use countersign::explain::Explanation;
use countersign::streaming::ChunkError;
use countersign::{Credentials, Signed, VerifyError};
use http::header::CONTENT_ENCODING;
use http::response::Parts;
use http::{HeaderMap, HeaderName, StatusCode};

use super::credentials::Found;
use super::sign::Outgoing;
use super::{Unread, Words, read};
use crate::serve::forward::{Failed, Upstream, causes};
use crate::serve::{Answer, BoxError, Decision, Exchange, full, refusal};

/// A refusal of the upstream is not longer, in bytes. AWS quotes the canonical request three times.
const LONGEST: usize = 512 << 10;

/// Codes that say that the signature or the credentials are wrong: those of the proxy, since the client's were right.
const OF_SIGNATURE: [&str; 8] = [
    "AuthFailure",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "InvalidSecurity",
];
const OF_CREDENTIALS: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidToken",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

/// Headers in which services name the code.
const CODE_HEADERS: [&str; 4] = ["x-amzn-errortype", "x-amzn-error-type", "x-amz-error-code", "x-minio-error-code"];

/// The check of the verifier that bodies belong to.
const CHECK_OF_BODY: &str = "22";

/// Sends the request, and returns what the client may see.
pub async fn of(words: Words, upstream: &Upstream, outgoing: Outgoing, found: &Found, exchange: &Exchange) -> Answer {
    let secrets = Secrets { credentials: found.credentials(), signature: outgoing.signature.to_hex().to_string() };
    let request = http::Request::from_parts(outgoing.parts, outgoing.body);
    match upstream.send_to_uri(request, None).await {
        Ok(answer) => {
            exchange.update(|record| record.decision = Decision::Signed);
            searched(words, answer, &secrets, found, exchange).await
        }
        Err(Failed::Body(error)) => refused_body(words, &error, exchange),
        Err(Failed::TimedOut) => {
            failed(exchange, "upstream_timeout", "the upstream did not answer in time".into());
            words.failed(StatusCode::GATEWAY_TIMEOUT, "Endpoint request timed out")
        }
        Err(Failed::Unreachable { reason, .. }) => {
            failed(exchange, "upstream", reason);
            words.failed(StatusCode::BAD_GATEWAY, "The upstream can't be reached")
        }
    }
}

/// What must not reach the client.
struct Secrets<'f> {
    credentials: &'f Credentials,
    signature: String,
}

impl Secrets<'_> {
    fn are_in(&self, bytes: &[u8]) -> bool {
        let token = self.credentials.session_token().map(longest_word);
        let all = [Some(self.credentials.access_key_id()), token, Some(self.signature.as_str())];
        all.into_iter().flatten().any(|secret| contains(bytes, secret.as_bytes()))
    }
}

/// The part of a token that JSON, XML and percent-encoding leave as it is.
fn longest_word(token: &str) -> &str {
    token.split(|c: char| !c.is_ascii_alphanumeric()).max_by_key(|word| word.len()).unwrap_or(token)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len().max(1)).any(|window| window == wanted)
}

async fn searched(words: Words, answer: Answer, secrets: &Secrets<'_>, found: &Found, exchange: &Exchange) -> Answer {
    let (mut parts, body) = answer.into_parts();
    let quoting: Vec<HeaderName> = parts
        .headers
        .iter()
        .filter(|(_, value)| secrets.are_in(value.as_bytes()))
        .map(|(name, _)| name.clone())
        .collect();
    quoting.iter().for_each(|name| drop(parts.headers.remove(name)));
    if parts.status.is_success() || parts.status.is_informational() {
        return Answer::from_parts(parts, body);
    }
    let is_encoded = parts.headers.get(CONTENT_ENCODING).is_some_and(|value| value != "identity");
    let bytes = match read(body, LONGEST).await {
        Ok(bytes) if !is_encoded || bytes.is_empty() => bytes,
        Ok(_) => return hidden(words, exchange, "it is compressed, and can't be searched for the real key".into()),
        Err(Unread::TooLong) => return hidden(words, exchange, format!("it is longer than {LONGEST} bytes")),
        Err(Unread::Broken) => return hidden(words, exchange, "it broke off".into()),
    };
    if let Some(code) = code(&parts, &bytes) {
        if OF_CREDENTIALS.contains(&code) {
            found.refused();
        }
        return hidden(
            words,
            exchange,
            format!("it refuses the signature of the proxy: {code}{}", fix(&parts, &bytes)),
        );
    }
    if secrets.are_in(&bytes) {
        return hidden(words, exchange, "it contains the real key".into());
    }
    // The answer to HEAD keeps its length.
    Answer::from_parts(parts, full(bytes))
}

/// The code, if it is about the signature or the credentials.
fn code(parts: &Parts, body: &[u8]) -> Option<&'static str> {
    let is_named = |code: &str| {
        let in_header = |name: &str| {
            let value = parts.headers.get(name).map(|value| value.as_bytes()).unwrap_or_default();
            value.split(|byte| matches!(byte, b':' | b'#')).any(|part| part.trim_ascii() == code.as_bytes())
        };
        CODE_HEADERS.iter().any(|name| in_header(name))
            || [format!(">{code}<"), format!("\"{code}\""), format!("#{code}\""), format!("\"{code}:")]
                .iter()
                .any(|text| contains(body, text.as_bytes()))
    };
    OF_CREDENTIALS.into_iter().chain(OF_SIGNATURE).find(|code| is_named(code))
}

/// What the operator can do. These are fixed sentences: nothing of what the upstream quotes gets into the log.
fn fix(parts: &Parts, body: &[u8]) -> String {
    let headers: Vec<_> = pairs(&parts.headers);
    let explanation = Explanation::from_response(parts.status.as_u16(), &headers, body, None::<&Signed>);
    explanation.findings().next().map(|finding| format!(". {}", finding.fix())).unwrap_or_default()
}

fn pairs(headers: &HeaderMap) -> Vec<(&str, &[u8])> {
    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
}

/// The answer of the upstream is kept from the client.
fn hidden(words: Words, exchange: &Exchange, reason: String) -> Answer {
    failed(exchange, "upstream_refused", format!("the answer of the upstream is not passed on: {reason}"));
    words.failed(StatusCode::BAD_GATEWAY, "The upstream refused the signature of the proxy")
}

fn failed(exchange: &Exchange, check: &str, reason: String) {
    exchange.update(|record| {
        record.decision = Decision::UpstreamFailed;
        record.check = Some(check.into());
        record.reason = Some(reason);
    });
}

/// A body that turned out not to be the signed one while it was forwarded. The upstream got an incomplete request.
fn refused_body(words: Words, error: &BoxError, exchange: &Exchange) -> Answer {
    for cause in causes(&**error) {
        let verify = cause.downcast_ref::<VerifyError>().map(|error| (error.refusal(words.format), error.to_string()));
        let chunk = || cause.downcast_ref::<ChunkError>().map(|error| (error.refusal(words.format), error.to_string()));
        if let Some((refusal, reason)) = verify.or_else(chunk) {
            exchange.refused(CHECK_OF_BODY, reason);
            return refusal::of_library(words.format, &refusal);
        }
    }
    exchange.refused("body", "the body ended early, or is malformed");
    let code = if words.is_s3 { "IncompleteBody" } else { "BadRequestException" };
    words.answer(StatusCode::BAD_REQUEST, code, "Bad Request")
}
