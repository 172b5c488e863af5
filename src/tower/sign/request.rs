//! Signs one request.

use http::request;
use http_body::Body;

use super::layer::{PayloadPolicy, Settings};
use super::source::IdentitySource;
use crate::sign::{Signed, Signer};
use crate::sigv4::payload::Payload;
use crate::sigv4::request::Request;
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

/// Returns the request to send, and what was signed.
pub(super) async fn signed<I, B>(
    settings: &Settings<I>,
    request: http::Request<B>,
) -> Result<(http::Request<SignedBody<B>>, Signed), BoxError>
where
    I: IdentitySource,
    B: Body<Error: Into<BoxError>>,
{
    let (mut parts, body) = request.into_parts();
    if parts.uri.host().is_none() && !parts.headers.contains_key(http::header::HOST) {
        return Err(SignLayerError::RelativeUri { uri: parts.uri.path().into() }.into());
    }
    let signer = settings.signer.clone().with_identity(settings.source.identity().await?);
    let (signed, body) = match settings.payload {
        PayloadPolicy::Buffered { max_bytes } => {
            let bytes = buffered(body, max_bytes).await.map_err(|error| match error {
                NotBuffered::TooLarge => SignLayerError::BodyTooLarge { max_bytes }.into(),
                NotBuffered::Broken(error) => error,
            })?;
            (sign(settings, &signer, &mut parts, Payload::Bytes(&bytes))?, SignedBody::whole(bytes))
        }
        PayloadPolicy::Unsigned => {
            (sign(settings, &signer, &mut parts, Payload::Unsigned)?, SignedBody::unsigned(body))
        }
        PayloadPolicy::Chunked(checksum) => {
            let chunked = Chunked::signed(length(&parts, &body)?).with_checksum(checksum);
            encoded(settings, &signer, &mut parts, &chunked, body)?
        }
        PayloadPolicy::UnsignedChunked(checksum) => {
            let chunked = Chunked::unsigned(length(&parts, &body)?).with_checksum(checksum);
            encoded(settings, &signer, &mut parts, &chunked, body)?
        }
    };
    Ok((http::Request::from_parts(parts, body), signed))
}

fn sign<I>(
    settings: &Settings<I>,
    signer: &Signer,
    parts: &mut request::Parts,
    payload: Payload<'_>,
) -> Result<Signed, BoxError> {
    let signed = signer.sign(Request::from(&*parts), payload, settings.now())?;
    signed.apply_to(&mut parts.headers)?;
    Ok(signed)
}

fn encoded<I, B: Body>(
    settings: &Settings<I>,
    signer: &Signer,
    parts: &mut request::Parts,
    chunked: &Chunked,
    body: B,
) -> Result<(Signed, SignedBody<B>), BoxError> {
    let signed = signer.sign_chunked(Request::from(&*parts), chunked, settings.now())?;
    signed.apply_to(&mut parts.headers)?;
    // The length is known now; S3 refuses a body with both.
    parts.headers.remove(http::header::TRANSFER_ENCODING);
    Ok((signed.signed().clone(), SignedBody::chunked(EncodedBody::new(&signed, body))))
}

/// The exact length of the body before it is encoded.
fn length<B: Body>(parts: &request::Parts, body: &B) -> Result<u64, SignLayerError> {
    let header = parts.headers.get(http::header::CONTENT_LENGTH);
    let announced = header.and_then(|length| length.to_str().ok()?.parse().ok());
    body.size_hint().exact().or(announced).ok_or(SignLayerError::UnknownLength)
}
