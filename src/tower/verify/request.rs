//! Verifies one request.

use alloc::boxed::Box;
use core::future::Future;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, request};
use http_body::Body;
use zeroize::Zeroizing;

use super::body::VerifiedBody;
use super::layer::{Caller, Settings};
use super::verified::Verified;
use crate::aws_error::Refusal;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::request::Request;
use crate::streaming::{ChunkError, DecodedBody};
use crate::tower::BoxError;
use crate::tower::body::{NotBuffered, buffered};
use crate::verify::{SignedPayload, UnverifiedRequest, VerifiedHead, VerifyError};

/// Why a request is refused.
pub(super) enum Refused {
    Verify(VerifyError),
    Chunks(ChunkError),
    BodyTooLarge,
    /// The client ended the connection, or the body is malformed.
    BodyBroken,
    UnsignedBody,
    /// The look-up failed.
    Unavailable,
}

impl From<VerifyError> for Refused {
    fn from(error: VerifyError) -> Self {
        Self::Verify(error)
    }
}

impl From<NotBuffered> for Refused {
    fn from(error: NotBuffered) -> Self {
        match error {
            NotBuffered::TooLarge => Self::BodyTooLarge,
            NotBuffered::Broken(_) => Self::BodyBroken,
        }
    }
}

/// A request whose signature was verified, and its body as far as that is possible now.
enum Checked {
    Anonymous,
    /// The body had to be read to verify the signature.
    Request(Verified, Bytes),
    Head(Box<VerifiedHead<'static>>),
}

/// Verifies a request, and returns it with the body that the service may read.
pub(super) async fn verified<K, F, E, B>(
    settings: &Settings<K>,
    request: http::Request<B>,
) -> Result<http::Request<VerifiedBody<B>>, Refused>
where
    K: Fn(Caller) -> F,
    F: Future<Output = Result<Option<Credentials>, E>>,
    B: Body<Error: Into<BoxError>>,
{
    let (mut parts, body) = request.into_parts();
    // Only this layer says who the caller is.
    parts.extensions.remove::<Verified>();
    let mut body = Some(body);
    let checked = match settings.original_uri.and_then(|find| find(&parts.extensions)) {
        Some(uri) => {
            let rewritten = core::mem::replace(&mut parts.uri, uri);
            let checked = head(settings, &parts, &mut body).await;
            parts.uri = rewritten;
            checked?
        }
        None => head(settings, &parts, &mut body).await?,
    };
    let body = match (checked, body) {
        (Checked::Request(verified, bytes), _) => {
            parts.extensions.insert(verified);
            VerifiedBody::whole(bytes)
        }
        (Checked::Head(head), Some(body)) => with_body(settings, &mut parts, *head, body).await?,
        (Checked::Anonymous, Some(body)) => VerifiedBody::unsigned(body),
        (_, None) => VerifiedBody::whole(Bytes::new()),
    };
    Ok(http::Request::from_parts(parts, body))
}

async fn head<K, F, E, B>(
    settings: &Settings<K>,
    parts: &request::Parts,
    body: &mut Option<B>,
) -> Result<Checked, Refused>
where
    K: Fn(Caller) -> F,
    F: Future<Output = Result<Option<Credentials>, E>>,
    B: Body<Error: Into<BoxError>>,
{
    let unverified = match settings.verifier.parse(Request::from(parts), (settings.clock)()) {
        Err(VerifyError::MissingAuthentication) if settings.allows_anonymous => return Ok(Checked::Anonymous),
        unverified => unverified?,
    };
    if body.as_ref().is_some_and(|body| is_too_large(settings, &unverified, body)) {
        return Err(Refused::BodyTooLarge);
    }
    let found = (settings.keys)(caller(&unverified)).await.map_err(|_| Refused::Unavailable)?;
    match unverified.clone().verify_head(found.as_ref()) {
        Ok(head) => Ok(Checked::Head(Box::new(head.into_owned()))),
        Err(VerifyError::BodyNeeded) => {
            let bytes = match body.take() {
                Some(body) => buffered(body, settings.max_body_bytes).await?,
                None => Bytes::new(),
            };
            let verified = unverified.with_body(&bytes).verify(found.as_ref())?;
            Ok(Checked::Request(Verified::of_request(verified.into_owned()), bytes))
        }
        Err(error) => Err(error.into()),
    }
}

/// A body that is announced as too large is refused without a look-up.
fn is_too_large<K>(settings: &Settings<K>, unverified: &UnverifiedRequest<'_>, body: &impl Body) -> bool {
    let is_buffered = match unverified.claimed_payload() {
        None => true,
        Some(SignedPayload::Sha256(_)) => !settings.streams,
        Some(SignedPayload::Unsigned | SignedPayload::Streaming(_)) => false,
    };
    is_buffered && body.size_hint().lower() > settings.max_body_bytes as u64
}

fn caller(unverified: &UnverifiedRequest<'_>) -> Caller {
    Caller {
        access_key_id: unverified.access_key_id().into(),
        session_token: unverified.session_token().map(|token| Zeroizing::new(token.into())),
    }
}

/// Checks the body, or prepares that it is checked while it is read.
async fn with_body<K, B: Body<Error: Into<BoxError>>>(
    settings: &Settings<K>,
    parts: &mut request::Parts,
    head: VerifiedHead<'static>,
    body: B,
) -> Result<VerifiedBody<B>, Refused> {
    let payload = head.payload();
    if payload.is_unsigned() && settings.refuses_unsigned_bodies {
        return Err(Refused::UnsignedBody);
    }
    let (verified, body) = match payload {
        // An empty body is checked now: the service may not read it.
        SignedPayload::Sha256(_) if settings.streams && !is_empty(&body) => {
            let check = head.clone().body_check()?;
            (Verified::of_head(head), VerifiedBody::checked(body, check))
        }
        SignedPayload::Sha256(_) => {
            let bytes = buffered(body, settings.max_body_bytes).await?;
            (Verified::of_request(head.check_body(&bytes)?), VerifiedBody::whole(bytes))
        }
        SignedPayload::Unsigned => (Verified::of_head(head), VerifiedBody::unsigned(body)),
        // Nothing here decodes messages, and undecoded they would pass for data that was verified.
        SignedPayload::Streaming(StreamingPayload::Events) => {
            return Err(VerifyError::InvalidContentSha256 { got: StreamingPayload::Events.as_str().into() }.into());
        }
        SignedPayload::Streaming(_) => {
            let decoder = head.chunk_decoder().map_err(Refused::Chunks)?;
            decoded_headers(&mut parts.headers, head.header("x-amz-decoded-content-length"));
            (Verified::of_head(head), VerifiedBody::chunked(DecodedBody::new(decoder, body)))
        }
    };
    parts.extensions.insert(verified);
    Ok(body)
}

fn is_empty(body: &impl Body) -> bool {
    body.is_end_stream() || body.size_hint().exact() == Some(0)
}

/// The service gets the decoded body, so the headers describe that.
fn decoded_headers(headers: &mut HeaderMap, signed_length: Option<&[u8]>) {
    // Next to content-length, it would make two lengths of a request that is forwarded.
    headers.remove(TRANSFER_ENCODING);
    match signed_length.and_then(|length| HeaderValue::from_bytes(length).ok()) {
        Some(length) => headers.insert(CONTENT_LENGTH, length),
        None => headers.remove(CONTENT_LENGTH),
    };
    let encodings = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let others: alloc::vec::Vec<_> = encodings
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|encoding| !encoding.is_empty() && !encoding.eq_ignore_ascii_case("aws-chunked"))
        .collect();
    match HeaderValue::from_str(&others.join(", ")) {
        Ok(value) if !value.is_empty() => {
            headers.insert(CONTENT_ENCODING, value);
        }
        _ => {
            headers.remove(CONTENT_ENCODING);
        }
    }
}

impl Refused {
    pub(super) fn refusal<K>(&self, settings: &Settings<K>) -> Refusal {
        let format = settings.format;
        match self {
            Self::Verify(error) => error.refusal(format),
            Self::Chunks(error) => error.refusal(format),
            Self::BodyTooLarge => Refusal::body_too_large(format),
            Self::BodyBroken => Refusal::incomplete_body(format),
            Self::UnsignedBody => Refusal::unsigned_body(format),
            Self::Unavailable => Refusal::unavailable(format),
        }
    }
}
