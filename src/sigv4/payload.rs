use crate::hash::{EMPTY_SHA256_HEX, hex_of, sha256};
use crate::sigv4::algorithm::Algorithm;

/// What is signed for the body: the payload hash, which is the last line of the canonical request.
///
/// There is no default: the caller always chooses.
///
/// ```
/// use countersign::{Payload, StreamingPayload};
///
/// let of_the_body = Payload::Bytes(b"{}");
/// let nothing = Payload::EMPTY;
/// let known_before = Payload::Sha256([0x5a; 32]);
/// let s3_over_tls = Payload::Unsigned;
/// let in_signed_chunks = Payload::Streaming(StreamingPayload::Signed);
/// assert_eq!(StreamingPayload::Signed.as_str(), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
/// # let _ = (of_the_body, nothing, known_before, s3_over_tls, in_signed_chunks);
/// ```
///
/// AWS: [Signature calculations, payload options](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Payload<'a> {
    /// The complete body, which is hashed when signing.
    Bytes(&'a [u8]),
    /// The SHA-256 of the body, computed by the caller.
    Sha256([u8; 32]),
    /// `UNSIGNED-PAYLOAD`: the signature does not cover the body. [`Signer::sign`](crate::Signer::sign) adds an
    /// `x-amz-content-sha256` header with this value.
    Unsigned,
    /// The body is sent in chunks or messages, which are signed individually unless the value says they are unsigned.
    Streaming(StreamingPayload),
}

impl Payload<'_> {
    /// An empty body.
    pub const EMPTY: Payload<'static> = Payload::Bytes(b"");

    pub(crate) fn line(self) -> PayloadLine<'static> {
        match self {
            Payload::Bytes(b"") => PayloadLine::Sha256(*EMPTY_SHA256_HEX),
            Payload::Bytes(bytes) => PayloadLine::Sha256(hex_of(sha256(bytes))),
            Payload::Sha256(hash) => PayloadLine::Sha256(hex_of(hash)),
            Payload::Unsigned => PayloadLine::Text(UNSIGNED_PAYLOAD),
            Payload::Streaming(streaming) => PayloadLine::Text(streaming.as_str()),
        }
    }
}

/// The values of `x-amz-content-sha256` for a body that is sent in chunks or messages.
///
/// AWS: [Chunked upload](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html),
/// [event streams](https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamingPayload {
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`
    Signed,
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER`
    SignedTrailer,
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`
    UnsignedTrailer,
    /// `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD`
    EcdsaSigned,
    /// `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER`
    EcdsaSignedTrailer,
    /// `STREAMING-AWS4-HMAC-SHA256-EVENTS`
    Events,
}

impl StreamingPayload {
    /// Returns the value as sent and signed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signed => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
            Self::SignedTrailer => "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
            Self::UnsignedTrailer => "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
            Self::EcdsaSigned => "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD",
            Self::EcdsaSignedTrailer => "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER",
            Self::Events => "STREAMING-AWS4-HMAC-SHA256-EVENTS",
        }
    }

    /// Returns `true` if chunks or messages of this kind can follow a request that is signed with this algorithm.
    pub(crate) fn is_for(self, algorithm: Algorithm) -> bool {
        match self {
            Self::UnsignedTrailer => true,
            Self::Signed | Self::SignedTrailer | Self::Events => algorithm == Algorithm::HmacSha256,
            Self::EcdsaSigned | Self::EcdsaSignedTrailer => algorithm != Algorithm::HmacSha256,
        }
    }

    /// Parses one of these values, which must match exactly, including case.
    pub fn parse(text: &str) -> Option<Self> {
        [
            Self::Signed,
            Self::SignedTrailer,
            Self::UnsignedTrailer,
            Self::EcdsaSigned,
            Self::EcdsaSignedTrailer,
            Self::Events,
        ]
        .into_iter()
        .find(|streaming| streaming.as_str() == text)
    }
}

pub(crate) const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// The payload hash as written in the canonical request and in `x-amz-content-sha256`.
#[derive(Clone, Copy)]
pub(crate) enum PayloadLine<'a> {
    Sha256([u8; 64]),
    /// A literal, or the value as received.
    Text(&'a str),
}

impl PayloadLine<'_> {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Sha256(text) => text,
            Self::Text(text) => text.as_bytes(),
        }
    }
}
