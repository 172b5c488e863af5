//! What the upstream gets, and what the client gets if it doesn't answer.

use std::borrow::Cow;

use countersign::VerifyError;
use countersign::streaming::ChunkError;
use countersign::tower::Verified;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::bucket::InvalidBucket;
use super::{Settings, query};
use crate::serve::forward::websocket::Handshake;
use crate::serve::forward::{Failed, Outgoing, causes, headers};
use crate::serve::path::{decoded_once, sendable};
use crate::serve::signing_names::{is_of_signature_or_body, is_presigned_parameter};
use crate::serve::{Answer, AnswerBody, BoxError, Decision, Exchange, refusal};

/// Headers with what the gate knows of the client.
const FORWARDED: [&str; 3] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

/// Forwards a request of a route without authorization. `resource` is the path that the route applies to, which has
/// only one reading.
pub async fn anonymous(
    settings: &Settings,
    request: http::Request<AnswerBody>,
    resource: &str,
    exchange: &Exchange,
) -> Answer {
    let (mut head, body) = request.into_parts();
    let handshake = Handshake::take(&mut head);
    let path = without_stage(settings, if settings.preserve_host { head.uri.path() } else { resource });
    let target = head.uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let host = HeaderValue::from_str(&host(&head.headers, &head.uri)).ok();
    let headers = common(settings, head.headers, host, exchange, |_| false);
    send(settings, Outgoing { method: head.method, target, headers, body, handshake }, exchange).await
}

/// The host that the client names, as it sent it.
pub fn host<'r>(headers: &'r HeaderMap, uri: &'r http::Uri) -> Cow<'r, str> {
    match headers.get(HOST) {
        Some(host) => String::from_utf8_lossy(host.as_bytes()),
        None => uri.authority().map_or("", |authority| authority.as_str()).into(),
    }
}

/// Forwards a verified request: the path and query that were signed, and who signed them.
pub async fn verified(
    settings: &Settings,
    mut head: Parts,
    body: AnswerBody,
    (verified, paths): (&Verified, &SignedPaths),
    exchange: &Exchange,
) -> Answer {
    let handshake = Handshake::take(&mut head);
    let target = match settings.keep_signature {
        true => {
            let query = head.uri.query().map_or_else(String::new, |query| format!("?{query}"));
            // The bucket is in the host, unless that is replaced.
            let bucket = settings.virtual_hosts.bucket(verified.host()).ok().flatten();
            let bucket = bucket.filter(|_| !settings.preserve_host).map(|bucket| format!("/{bucket}"));
            format!("{}{}{query}", bucket.unwrap_or_default(), without_stage(settings, head.uri.path()))
        }
        false => {
            let path = if settings.preserve_host { &paths.signed } else { paths.resource() };
            format!("{}{}", without_stage(settings, path), query(settings, &head, verified))
        }
    };
    let is_signed = |name: &str| verified.signed_headers().any(|signed| signed == name);
    let host = HeaderValue::from_str(verified.host()).ok();
    let mut headers = common(settings, head.headers, host, exchange, is_signed);
    if !settings.keep_signature {
        remove_signature(settings, &mut headers);
        add_headers_of_query(verified, &mut headers);
    }
    if let Ok(caller) = HeaderValue::from_str(verified.access_key_id()) {
        headers.insert(&settings.caller_header, caller);
    }
    send(settings, Outgoing { method: head.method, target, headers, body, handshake }, exchange).await
}

/// The headers without those that only the gate may set, and with those that it sets.
fn common(
    settings: &Settings,
    mut headers: HeaderMap,
    host: Option<HeaderValue>,
    exchange: &Exchange,
    is_signed: impl Fn(&str) -> bool,
) -> HeaderMap {
    headers::remove_hop_by_hop(&mut headers);
    headers::remove_claims(&mut headers, is_signed);
    headers::remove_alike(&mut headers, &settings.caller_header);
    // These are replaced even if the client signed them.
    FORWARDED.iter().for_each(|name| headers::remove_alike(&mut headers, &HeaderName::from_static(name)));
    headers::remove_disguised(&mut headers);
    headers::join_lengths(&mut headers);
    headers.remove(HOST);
    headers::set(&mut headers, "x-forwarded-for", &exchange.peer().ip().to_string());
    headers::set(&mut headers, "x-forwarded-proto", if settings.is_tls { "https" } else { "http" });
    if let Some(host) = host {
        if settings.preserve_host {
            headers.insert(HOST, host.clone());
        }
        headers.insert("x-forwarded-host", host);
    }
    headers
}

fn remove_signature(settings: &Settings, headers: &mut HeaderMap) {
    headers::remove_where(headers, |name| {
        // Stores that know them answer a range with the checksum of the whole object.
        let is_checksum = || name == "x-amz-sdk-checksum-algorithm" || name.starts_with("x-amz-checksum-");
        is_of_signature_or_body(name) || settings.is_s3() && is_checksum()
    });
}

/// S3 reads headers from the query of a presigned URL; a plain store may not.
fn add_headers_of_query(verified: &Verified, headers: &mut HeaderMap) {
    if !verified.is_presigned() {
        return;
    }
    for (name, value) in verified.headers() {
        let is_own = is_presigned_parameter(name) || name.starts_with("x-amz-checksum-");
        if let (false, Ok(name), Ok(value)) = (is_own, name.parse::<HeaderName>(), HeaderValue::from_bytes(value))
            && name.as_str().starts_with("x-amz-")
            && !headers.contains_key(&name)
        {
            headers.insert(name, value);
        }
    }
}

/// The path of a verified request.
pub struct SignedPaths {
    /// As it was signed, percent-encoded once.
    signed: String,
    /// With the bucket, if that is in the host.
    with_bucket: Option<String>,
}

impl SignedPaths {
    pub fn new(settings: &Settings, verified: &Verified) -> Result<Self, InvalidBucket> {
        let canonical = verified.canonical_path();
        let signed = if settings.rules.double_encode_path { sendable(&decoded_once(&canonical)) } else { canonical };
        let with_bucket = match settings.virtual_hosts.path_style(verified.host(), &signed)? {
            Cow::Borrowed(_) => None,
            Cow::Owned(path) => Some(path),
        };
        Ok(Self { signed, with_bucket })
    }

    /// The path that rules apply to.
    pub fn resource(&self) -> &str {
        self.with_bucket.as_deref().unwrap_or(&self.signed)
    }
}

fn without_stage<'p>(settings: &Settings, path: &'p str) -> &'p str {
    match path.strip_prefix(&settings.stage) {
        Some(rest) if rest.starts_with('/') => rest,
        Some("") => "/",
        _ => path,
    }
}

/// The query that was signed, without the parameters of the signature.
fn query(settings: &Settings, head: &Parts, verified: &Verified) -> String {
    query::forwarded(head.uri.query().unwrap_or_default(), |name| {
        let is_of_s3 = || settings.is_s3() && name.get(..6).is_some_and(|start| start.eq_ignore_ascii_case(b"x-amz-"));
        verified.is_presigned() && (is_presigned_parameter(name) || is_of_s3())
    })
}

pub async fn send(settings: &Settings, outgoing: Outgoing, exchange: &Exchange) -> Answer {
    let Some(upstream) = &settings.upstream else { return settings.denied() };
    match upstream.send(outgoing).await {
        Ok(answer) => answer,
        Err(Failed::Body(error)) => refused_body(settings, &error, exchange),
        Err(Failed::TimedOut) => {
            failed(exchange, "upstream_timeout", "the upstream did not answer in time".into());
            let message = if settings.is_s3() { "Gateway Timeout" } else { "Endpoint request timed out" };
            settings.answer(StatusCode::GATEWAY_TIMEOUT, code(settings), message)
        }
        Err(Failed::Unreachable { reason, .. }) => {
            failed(exchange, "upstream", reason);
            let message = if settings.is_s3() { "Bad Gateway" } else { "Internal server error" };
            settings.answer(StatusCode::BAD_GATEWAY, code(settings), message)
        }
    }
}

fn failed(exchange: &Exchange, check: &str, reason: String) {
    exchange.update(|record| {
        record.decision = Decision::UpstreamFailed;
        record.check = Some(check.into());
        record.reason = Some(reason);
    });
}

fn code(settings: &Settings) -> &'static str {
    if settings.is_s3() { "InternalError" } else { "InternalServerErrorException" }
}

/// A body that turned out not to be the signed one while it was forwarded. The upstream got an incomplete request.
fn refused_body(settings: &Settings, error: &BoxError, exchange: &Exchange) -> Answer {
    for cause in causes(&**error) {
        let verify =
            cause.downcast_ref::<VerifyError>().map(|error| (error.refusal(settings.format), error.to_string()));
        let chunk =
            || cause.downcast_ref::<ChunkError>().map(|error| (error.refusal(settings.format), error.to_string()));
        if let Some((refusal, reason)) = verify.or_else(chunk) {
            exchange.refused(CHECK_OF_BODY, reason);
            return refusal::of_library(settings.format, &refusal);
        }
    }
    exchange.refused("body", "the body ended early, or is malformed");
    let code = if settings.is_s3() { "IncompleteBody" } else { "BadRequestException" };
    settings.answer(StatusCode::BAD_REQUEST, code, "Bad Request")
}

/// The check of the verifier that bodies belong to.
const CHECK_OF_BODY: &str = "22";
