//! Verifies one request.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::future::Future;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderValue, request};
use http_body::Body;

use super::body::VerifiedBody;
use super::caller::{Caller, CallerKey};
use super::layer::Settings;
use super::verified::Verified;
use crate::aws_error::Refusal;
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::request::Request;
use crate::streaming::{ChunkError, DecodedBody};
use crate::tower::BoxError;
use crate::tower::body::{NotBuffered, buffered, discard};
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

/// Why a request is refused, and the number of the check.
pub(super) struct Numbered {
    pub(super) refused: Refused,
    pub(super) check: Option<u8>,
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

/// The check of [`Verifier`](crate::Verifier) that chunks and other bodies belong to.
pub(super) const CHECK_OF_BODY: u8 = 22;

/// A request whose signature was verified, and its body as far as that is possible now.
enum Checked {
    Anonymous,
    /// The body had to be read to verify the signature.
    Request(Verified, Bytes),
    Head(Box<VerifiedHead<'static>>),
}

/// Verifies a request, and returns it with the body that the service may read.
pub(super) async fn verified<K, F, V, E, B>(
    settings: &Settings<K>,
    request: http::Request<B>,
) -> Result<http::Request<VerifiedBody<B>>, Numbered>
where
    K: Fn(Caller) -> F,
    F: Future<Output = Result<Option<V>, E>>,
    V: CallerKey,
    B: Body<Error: Into<BoxError>>,
{
    let (mut parts, body) = request.into_parts();
    let mut body = Some(body);
    match verified_body(settings, &mut parts, &mut body).await {
        Ok(body) => Ok(http::Request::from_parts(parts, body)),
        Err(refused) => {
            if let Some(rest) = body {
                discard(&parts, rest, settings.max_discarded_bytes.unwrap_or(settings.max_body_bytes)).await;
            }
            Err(refused.numbered(settings, &parts))
        }
    }
}

async fn verified_body<K, F, V, E, B>(
    settings: &Settings<K>,
    parts: &mut request::Parts,
    body: &mut Option<B>,
) -> Result<VerifiedBody<B>, Refused>
where
    K: Fn(Caller) -> F,
    F: Future<Output = Result<Option<V>, E>>,
    V: CallerKey,
    B: Body<Error: Into<BoxError>>,
{
    // Only this layer says who the caller is.
    parts.extensions.remove::<Verified>();
    let checked = match settings.original_uri.and_then(|find| find(&parts.extensions)) {
        Some(uri) => {
            let rewritten = core::mem::replace(&mut parts.uri, uri);
            let checked = head(settings, parts, body).await;
            parts.uri = rewritten;
            checked?
        }
        None => head(settings, parts, body).await?,
    };
    match checked {
        Checked::Request(verified, bytes) => {
            parts.extensions.insert(verified);
            Ok(VerifiedBody::whole(bytes))
        }
        Checked::Head(head) => with_body(settings, parts, *head, body).await,
        Checked::Anonymous => {
            Ok(body.take().map_or_else(|| VerifiedBody::whole(Bytes::new()), VerifiedBody::anonymous))
        }
    }
}

async fn head<K, F, V, E, B>(
    settings: &Settings<K>,
    parts: &request::Parts,
    body: &mut Option<B>,
) -> Result<Checked, Refused>
where
    K: Fn(Caller) -> F,
    F: Future<Output = Result<Option<V>, E>>,
    V: CallerKey,
    B: Body<Error: Into<BoxError>>,
{
    let unverified = match settings.verifier.parse(Request::from(parts), (settings.clock)()) {
        Err(VerifyError::MissingAuthentication) if settings.allows_anonymous => return Ok(Checked::Anonymous),
        unverified => unverified?,
    };
    if let Some(body) = body {
        check_announced(settings, &unverified, body)?;
    }
    let found = (settings.keys)(Caller::of(&unverified)).await.map_err(|_| Refused::Unavailable)?;
    if unverified.claimed_payload().is_some() {
        let head = V::found(found.as_ref()).verify_head(unverified)?;
        return Ok(Checked::Head(Box::new(head.into_owned())));
    }
    let bytes = match body.take() {
        Some(body) => buffered(body, settings.max_body_bytes).await?,
        None => Bytes::new(),
    };
    let verified = V::found(found.as_ref()).verify(unverified, &bytes)?;
    Ok(Checked::Request(Verified::of_request(verified.into_owned()), bytes))
}

/// Refuses without a look-up what would be refused with any key.
fn check_announced<K>(
    settings: &Settings<K>,
    unverified: &UnverifiedRequest<'_>,
    body: &impl Body,
) -> Result<(), Refused> {
    let is_buffered = match unverified.claimed_payload() {
        None => true,
        Some(SignedPayload::Sha256(_)) => !settings.streams,
        Some(payload) if payload.is_unsigned() && settings.refuses_unsigned_bodies => {
            return Err(Refused::UnsignedBody);
        }
        // Nothing here decodes messages, and undecoded they would pass for data that was verified.
        Some(SignedPayload::Streaming(StreamingPayload::Events)) => {
            return Err(VerifyError::InvalidContentSha256 { got: StreamingPayload::Events.as_str().into() }.into());
        }
        Some(SignedPayload::Unsigned | SignedPayload::Streaming(_)) => false,
    };
    match is_buffered && body.size_hint().lower() > settings.max_body_bytes as u64 {
        true => Err(Refused::BodyTooLarge),
        false => Ok(()),
    }
}

/// Checks the body, or prepares that it is checked while it is read. A refused body is left in place if it wasn't read.
async fn with_body<K, B: Body<Error: Into<BoxError>>>(
    settings: &Settings<K>,
    parts: &mut request::Parts,
    head: VerifiedHead<'static>,
    body: &mut Option<B>,
) -> Result<VerifiedBody<B>, Refused> {
    let payload = head.payload();
    // A presigned URL can claim a hash that turns out not to be signed.
    if payload.is_unsigned() && settings.refuses_unsigned_bodies {
        return Err(Refused::UnsignedBody);
    }
    let (verified, body) = match payload {
        // The decoder doesn't exist for event streams, which are refused before the look-up.
        SignedPayload::Streaming(_) => {
            let decoder = head.chunk_decoder().map_err(Refused::Chunks)?;
            decoded_headers(&mut parts.headers, head.header("x-amz-decoded-content-length"));
            let body = DecodedBody::new(decoder, taken(body)?);
            (Verified::of_head(head), VerifiedBody::chunked(body, settings.format))
        }
        // An empty body is checked now: the service may not read it.
        SignedPayload::Sha256(_) if settings.streams && !body.as_ref().is_none_or(is_empty) => {
            let check = head.clone().body_check()?;
            (Verified::of_head(head), VerifiedBody::checked(taken(body)?, check, settings.format))
        }
        SignedPayload::Sha256(_) => {
            let bytes = buffered(taken(body)?, settings.max_body_bytes).await?;
            (Verified::of_request(head.check_body(&bytes)?), VerifiedBody::whole(bytes))
        }
        SignedPayload::Unsigned => (Verified::of_head(head), VerifiedBody::unsigned(taken(body)?)),
    };
    parts.extensions.insert(verified);
    Ok(body)
}

fn taken<B>(body: &mut Option<B>) -> Result<B, Refused> {
    body.take().ok_or(Refused::BodyBroken)
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

    /// Returns the reason for the operator.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Verify(error) => error.to_string(),
            Self::Chunks(error) => error.to_string(),
            Self::BodyTooLarge => "the body is larger than what is buffered at most".into(),
            Self::BodyBroken => "the body ended early, or is malformed".into(),
            Self::UnsignedBody => "the signature does not cover the body".into(),
            Self::Unavailable => "the look-up of the access key failed".into(),
        }
    }

    /// Adds the number of the check that failed, for which the request is needed as the verifier saw it.
    fn numbered(self, settings: &Settings<impl Sized>, parts: &request::Parts) -> Numbered {
        let check = match &self {
            Self::Verify(error) => Some(match settings.original_uri.and_then(|find| find(&parts.extensions)) {
                Some(uri) => {
                    let mut parts = parts.clone();
                    parts.uri = uri;
                    error.check_number(Request::from(&parts))
                }
                None => error.check_number(Request::from(parts)),
            }),
            Self::Chunks(_) => Some(CHECK_OF_BODY),
            Self::BodyTooLarge | Self::BodyBroken | Self::UnsignedBody | Self::Unavailable => None,
        };
        Numbered { refused: self, check }
    }
}
