use crate::hash::{EMPTY_SHA256_HEX, hex_of, sha256};
use crate::sigv4::algorithm::Algorithm;

/// The payload line, the last line of the canonical request.
///
/// There is no default: the caller says which it is.
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
    /// The whole body, hashed here.
    Bytes(&'a [u8]),
    /// The SHA-256 of the body, computed elsewhere.
    Sha256([u8; 32]),
    /// `UNSIGNED-PAYLOAD`: the body is not part of the signature. `x-amz-content-sha256` is sent, to say so.
    Unsigned,
    /// The body is sent in individually signed chunks or messages.
    Streaming(StreamingPayload),
}

impl Payload<'_> {
    /// No body.
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
    /// The value as it is sent and signed.
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

    /// Whether chunks or messages of this kind can follow a request with this algorithm.
    pub(crate) fn is_for(self, algorithm: Algorithm) -> bool {
        match self {
            Self::UnsignedTrailer => true,
            Self::Signed | Self::SignedTrailer | Self::Events => algorithm == Algorithm::HmacSha256,
            Self::EcdsaSigned | Self::EcdsaSignedTrailer => algorithm != Algorithm::HmacSha256,
        }
    }

    /// Reads one of those values, letter for letter.
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

/// The payload as the canonical request and `x-amz-content-sha256` write it.
#[derive(Clone, Copy)]
pub(crate) enum PayloadLine<'a> {
    Sha256([u8; 64]),
    /// As a literal, or as it arrived.
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
