use sha2::{Digest, Sha256};

use crate::algorithm::Algorithm;

/// What stands for the body in the last line of the canonical request.
///
/// There is no default: whoever signs says which it is.
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
    /// The body follows in frames that carry their own proof.
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

/// The values of `x-amz-content-sha256` for a body that is sent in frames.
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

    /// Whether frames of this kind can follow a request that is signed so.
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

/// SHA-256 of no bytes.
pub(crate) const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

const EMPTY_SHA256_HEX: &[u8; 64] = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    if bytes.is_empty() { EMPTY_SHA256 } else { Sha256::digest(bytes).into() }
}

/// 64 lower-case hexadecimal digits, without a table: the compiler makes many at a time, and a cache learns nothing.
pub(crate) fn hex_of(hash: [u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    // 64 is twice 32, the one thing that it can fail on.
    let _ = hex::encode_to_slice(hash, &mut text);
    text
}

/// Reads 64 hexadecimal digits in either case.
pub(crate) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_constant_is_the_hash_of_nothing() {
        assert_eq!(EMPTY_SHA256, <[u8; 32]>::from(Sha256::digest(b"")));
        assert_eq!(*EMPTY_SHA256_HEX, hex_of(EMPTY_SHA256));
    }
}
