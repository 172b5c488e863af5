//! Signs one request.

use bytes::Bytes;
use http::request;
use http_body::Body;

use super::layer::{PayloadPolicy, Settings};
use super::source::IdentitySource;
use crate::sign::Signer;
use crate::sigv4::payload::Payload;
use crate::sigv4::request::Request;
use crate::sigv4::timestamp::Timestamp;
use crate::streaming::{Chunked, EncodedBody};
use crate::tower::BoxError;
use crate::tower::body::{NotBuffered, SignedBody, buffered};

/// Why a request was not signed, and not sent.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SignLayerError {
    /// The body is larger than [`PayloadPolicy::Buffered`] allows.
    #[error(
        "the body is larger than {max_bytes} bytes; raise the limit of PayloadPolicy::Buffered, or choose another policy"
    )]
    BodyTooLarge {
        /// The limit.
        max_bytes: usize,
    },
    /// The length of a body that is sent in chunks is not known.
    #[error("the length of the body is not known; set content-length, or choose another policy than chunks")]
    UnknownLength,
    /// The URI has no host.
    #[error("the URI {uri} is not absolute, so its host can't be signed")]
    RelativeUri {
        /// The URI without its query.
        uri: alloc::string::String,
    },
}

/// Signs a request. If its body is in memory, the unsigned request is returned as well, to be signed again.
pub(super) async fn signed<I, B>(
    settings: &Settings<I>,
    request: http::Request<B>,
    offset: i64,
) -> Result<(http::Request<SignedBody<B>>, Option<http::Request<Bytes>>), BoxError>
where
    I: IdentitySource,
    B: Body<Error: Into<BoxError>>,
{
    let (mut parts, body) = request.into_parts();
    if parts.uri.host().is_none() && !parts.headers.contains_key(http::header::HOST) {
        return Err(SignLayerError::RelativeUri { uri: parts.uri.path().into() }.into());
    }
    let chunked = match settings.payload {
        PayloadPolicy::Buffered { max_bytes } => {
            let bytes = buffered(body, max_bytes).await.map_err(|error| match error {
                NotBuffered::TooLarge => SignLayerError::BodyTooLarge { max_bytes }.into(),
                NotBuffered::Broken(error) => error,
            })?;
            return in_memory(settings, http::Request::from_parts(parts, bytes), offset).await;
        }
        PayloadPolicy::Unsigned => {
            let signer = signer(settings).await?;
            sign(&signer, &mut parts, Payload::Unsigned, settings.now(offset))?;
            return Ok((http::Request::from_parts(parts, SignedBody::unsigned(body)), None));
        }
        // A GET isn't sent in chunks.
        PayloadPolicy::Chunked(_) | PayloadPolicy::UnsignedChunked(_) if body.is_end_stream() => {
            return in_memory(settings, http::Request::from_parts(parts, Bytes::new()), offset).await;
        }
        PayloadPolicy::Chunked(checksum) => Chunked::signed(length(&parts, &body)?).with_checksum(checksum),
        PayloadPolicy::UnsignedChunked(checksum) => Chunked::unsigned(length(&parts, &body)?).with_checksum(checksum),
    };
    let signer = signer(settings).await?;
    let body = encoded(&signer, &mut parts, &chunked, settings.now(offset), body)?;
    Ok((http::Request::from_parts(parts, body), None))
}

async fn in_memory<I: IdentitySource, B: Body>(
    settings: &Settings<I>,
    request: http::Request<Bytes>,
    offset: i64,
) -> Result<(http::Request<SignedBody<B>>, Option<http::Request<Bytes>>), BoxError> {
    let again = settings.corrects_clock().then(|| request.clone());
    Ok((signed_again(settings, request, offset).await?, again))
}

pub(super) async fn signed_again<I: IdentitySource, B: Body>(
    settings: &Settings<I>,
    request: http::Request<Bytes>,
    offset: i64,
) -> Result<http::Request<SignedBody<B>>, BoxError> {
    let (mut parts, bytes) = request.into_parts();
    sign(&signer(settings).await?, &mut parts, Payload::Bytes(&bytes), settings.now(offset))?;
    Ok(http::Request::from_parts(parts, SignedBody::whole(bytes)))
}

async fn signer<I: IdentitySource>(settings: &Settings<I>) -> Result<Signer, BoxError> {
    Ok(settings.signer.clone().with_identity(settings.source.identity().await?))
}

fn sign(signer: &Signer, parts: &mut request::Parts, payload: Payload<'_>, now: Timestamp) -> Result<(), BoxError> {
    let signed = signer.sign(Request::from(&*parts), payload, now)?;
    Ok(signed.apply_to(&mut parts.headers)?)
}

fn encoded<B: Body>(
    signer: &Signer,
    parts: &mut request::Parts,
    chunked: &Chunked,
    now: Timestamp,
    body: B,
) -> Result<SignedBody<B>, BoxError> {
    let signed = signer.sign_chunked(Request::from(&*parts), chunked, now)?;
    signed.apply_to(&mut parts.headers)?;
    // The length is known now; S3 refuses a body with both.
    parts.headers.remove(http::header::TRANSFER_ENCODING);
    Ok(SignedBody::chunked(EncodedBody::new(&signed, body)))
}

/// The exact length of the body before it is encoded.
fn length<B: Body>(parts: &request::Parts, body: &B) -> Result<u64, SignLayerError> {
    let header = parts.headers.get(http::header::CONTENT_LENGTH);
    let announced = header.and_then(|length| length.to_str().ok()?.parse().ok());
    body.size_hint().exact().or(announced).ok_or(SignLayerError::UnknownLength)
}
