//! `--auth-request`: the headers of a subrequest describe the request that is to be verified.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign::tower::Verified;
use countersign::{SignedPayload, VerifyError};
use http::header::WWW_AUTHENTICATE;
use http::{HeaderMap, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};

use super::Settings;
use crate::serve::{Answer, AnswerBody, BoxError, Decision, Exchange, Request, full};

const METHOD: &str = "x-original-method";
const TARGET: &str = "x-original-uri";

/// Headers that a request with a body has. nginx can't always tell: a body over HTTP/2 needs none of them.
const LENGTHS: [&str; 4] =
    ["content-length", "transfer-encoding", "x-original-content-length", "x-original-transfer-encoding"];

fn has_body(headers: &HeaderMap) -> bool {
    let values = LENGTHS.iter().flat_map(|name| headers.get_all(*name));
    values.map(HeaderValue::as_bytes).any(|value| !matches!(value, b"" | b"0"))
}

/// Returns the request that is described.
pub fn described(
    settings: &Settings,
    request: Request,
    exchange: &Exchange,
) -> Result<http::Request<AnswerBody>, &'static str> {
    let (mut head, _) = request.into_parts();
    let mut take = |name| {
        let values = head.headers.get_all(name).iter().count();
        head.headers.remove(name).filter(|_| values == 1)
    };
    let (method, target) = (take(METHOD), take(TARGET));
    let method = method.and_then(|method| http::Method::from_bytes(method.as_bytes()).ok());
    head.method = method.ok_or("there must be one X-Original-Method header")?;
    // The upstream gets what follows a `#`, but it would be dropped here.
    let target = target
        .filter(|target| !target.as_bytes().contains(&b'#'))
        .and_then(|target| http::uri::PathAndQuery::from_maybe_shared(Bytes::copy_from_slice(target.as_bytes())).ok());
    let mut uri = head.uri.into_parts();
    uri.path_and_query = Some(target.ok_or("there must be one X-Original-URI header")?);
    head.uri = http::Uri::from_parts(uri).map_err(|_| "X-Original-URI is not a path and query")?;
    if !head.uri.path().starts_with('/') {
        return Err("X-Original-URI is not a path and query");
    }
    exchange.update(|record| {
        record.method = head.method.to_string();
        record.path = head.uri.path().to_owned();
    });
    // The subrequest has no body, so these describe the one that is sent elsewhere.
    if has_body(&head.headers) && !settings.allow_unchecked_bodies {
        return Err("the request has a body, which doesn't arrive here; see --allow-unchecked-bodies");
    }
    LENGTHS.iter().for_each(|name| drop(head.headers.remove(*name)));
    let body = if settings.allow_unchecked_bodies { Absent.boxed_unsync() } else { full(Bytes::new()) };
    Ok(http::Request::from_parts(head, body))
}

/// The answer to a verified request, with the caller in a header.
pub fn admitted(settings: &Settings, verified: &Verified, exchange: &Exchange) -> Answer {
    if matches!(verified.payload(), SignedPayload::Streaming(_)) && !settings.allow_unchecked_bodies {
        exchange.refused(
            "body",
            "the body is sent in signed chunks, which don't arrive here; see --allow-unchecked-bodies",
        );
        return settings.denied();
    }
    let mut answer = Answer::new(full(Bytes::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(caller) = HeaderValue::from_str(verified.access_key_id()) {
        answer.headers_mut().insert(&settings.caller_header, caller);
    }
    answer
}

/// Leaves only the statuses that `auth_request` knows: 204, 401 for a request without a signature, and 403.
pub fn answer(mut answer: Answer, exchange: &Exchange) -> Answer {
    let record = exchange.record();
    let is_server_error = answer.status().is_server_error();
    if record.decision == Decision::Refused && !is_server_error {
        let is_unsigned = record.reason.as_deref() == Some(&*VerifyError::MissingAuthentication.to_string());
        *answer.status_mut() = if is_unsigned { StatusCode::UNAUTHORIZED } else { StatusCode::FORBIDDEN };
        if is_unsigned {
            answer.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("AWS4-HMAC-SHA256"));
        }
    }
    answer
}

/// A body of unknown length that is not read.
struct Absent;

impl Body for Absent {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(None)
    }
}

/// For routes without authorization.
pub fn anonymous() -> Answer {
    let mut answer = Answer::new(full(Bytes::new()));
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer
}
