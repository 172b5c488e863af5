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
use crate::text::excerpt;
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
    /// The `Host` header names another host than the URI. If it were signed, the server that the URI names could send the
    /// request on to the one that the header names, e.g. after a redirect.
    #[error(
        "the Host header {host:?} is not the host {uri_host:?} of the URI; remove it, or put both into the URI, and \
         connect elsewhere inside of this layer"
    )]
    HostsDiffer {
        /// The header, shortened if it is long.
        host: alloc::string::String,
        /// The host of the URI, shortened if it is long.
        uri_host: alloc::string::String,
    },
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
    check_host(&parts)?;
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
            sign(&signer, &mut parts, Payload::Unsigned, settings.now(offset, signer.credentials()))?;
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
    let body = encoded(&signer, &mut parts, &chunked, settings.now(offset, signer.credentials()), body)?;
    Ok((http::Request::from_parts(parts, body), None))
}

/// There has to be one host, which is connected to and signed.
fn check_host(parts: &request::Parts) -> Result<(), SignLayerError> {
    let host = parts.headers.get(http::header::HOST).map(|host| host.as_bytes().trim_ascii());
    match (host, parts.uri.authority()) {
        (None, None) => Err(SignLayerError::RelativeUri { uri: parts.uri.path().into() }),
        (Some(host), Some(authority)) if !Request::from(parts).is_same_host(host, authority.as_str()) => {
            // The authority may have a password.
            let uri_host = excerpt(authority.host().as_bytes());
            Err(SignLayerError::HostsDiffer { host: excerpt(host), uri_host })
        }
        _ => Ok(()),
    }
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
    let signer = signer(settings).await?;
    sign(&signer, &mut parts, Payload::Bytes(&bytes), settings.now(offset, signer.credentials()))?;
    Ok(http::Request::from_parts(parts, SignedBody::whole(bytes)))
}

async fn signer<I: IdentitySource>(settings: &Settings<I>) -> Result<Signer, BoxError> {
    Ok(settings.signer.clone().with_identity(settings.source.identity().await?))
}

fn sign(signer: &Signer, parts: &mut request::Parts, payload: Payload<'_>, now: Timestamp) -> Result<(), BoxError> {
    let signed = signer.sign(Request::from(&*parts), payload, now)?;
    signed.apply_to(&mut parts.headers)?;
    // The service moves it to the response.
    parts.extensions.insert(signed);
    Ok(())
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
    parts.extensions.insert(signed.signed().clone());
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
