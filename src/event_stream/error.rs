use alloc::string::String;
use core::time::Duration;

use crate::sign::SignError;
use crate::sigv4::timestamp::Timestamp;
use crate::verify::VerifyError;

/// The reason an event stream or one of its messages can't be signed, or is refused.
///
/// Contains no signatures and no payload data.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventStreamError {
    /// The request of the stream can't be signed, or the signer's credentials have expired.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The prelude of a message (its two lengths) doesn't match the checksum that follows it.
    #[error("the prelude checksum of a message is wrong: bytes are missing or added, or this is not an event stream")]
    PreludeChecksum,
    /// The message doesn't match the checksum at its end.
    #[error("the checksum of a message is wrong")]
    FrameChecksum,
    /// The lengths at the start of a message contradict each other.
    #[error("a message of {total} bytes can't have {headers} bytes of headers")]
    Lengths {
        /// The announced length of the whole message, in bytes.
        total: u32,
        /// The announced length of its headers, in bytes.
        headers: u32,
    },
    /// The headers are too long.
    #[error("a message has {length} bytes of headers; the limit is {limit}")]
    HeadersTooLong {
        /// The length of the headers, in bytes.
        length: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// The payload is too long.
    #[error("a message has {length} bytes of payload; the limit is {limit}")]
    PayloadTooLong {
        /// The length of the payload, in bytes.
        length: usize,
        /// The limit, in bytes.
        limit: usize,
    },
    /// There are too many headers.
    #[error("a message has more than {limit} headers")]
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// A header is truncated, its name is empty, longer than 255 bytes or not UTF-8, its type is unknown, or its value
    /// is longer than 32767 bytes or is a string that is not UTF-8.
    #[error("the header {name:?} is malformed")]
    MalformedHeader {
        /// The name of the header, shortened if it is long, or empty if it can't be read.
        name: String,
    },
    /// A header appears twice.
    #[error("the header {name:?} appears twice")]
    RepeatedHeader {
        /// The name of the header, shortened if it is long.
        name: String,
    },
    /// A signed message lacks `:date` or `:chunk-signature`, one of them has the wrong type or length, or the date is
    /// not within the years 0 to 9999.
    #[error("the header {name} of a signed message is missing or invalid")]
    MissingHeader {
        /// The name of the header.
        name: &'static str,
    },
    /// A signed message has a header that its signature doesn't cover.
    #[error("a signed message has the header {name:?}, which its signature doesn't cover")]
    UnsignedHeader {
        /// The name of the header, shortened if it is long.
        name: String,
    },
    /// A message to be signed is empty, which would close the stream.
    #[error("an empty message closes the stream; use EventSigner::finish instead")]
    EmptyMessage,
    /// The body of the request is not an event stream.
    #[error("the request doesn't announce an event stream (STREAMING-AWS4-HMAC-SHA256-EVENTS)")]
    NotEvents,
    /// The date of a message is too far in the past or in the future.
    #[error(
        "the date of a message is outside the allowed clock skew of {} seconds: message {signed}, server time {now}",
        allowed.as_secs()
    )]
    Skewed {
        /// The date of the message.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// The allowed clock skew.
        allowed: Duration,
    },
    /// A message was signed on a different day than the current signing key is for. The stream can continue with the
    /// key of that day: [`EventVerifier::continue_with`](super::EventVerifier::continue_with).
    #[error("a message is dated {signed}; pass the signing key of that day to EventVerifier::continue_with")]
    KeyNeeded {
        /// The date of the message.
        signed: Timestamp,
    },
    /// The credentials or the key for another day are missing, have expired, or belong to another signer.
    #[error(transparent)]
    Key(#[from] VerifyError),
    /// The temporary credentials of the signer have expired.
    #[error("the signer's session token expired at {expires_at}")]
    ExpiredSessionToken {
        /// When they expired.
        expires_at: Timestamp,
    },
    /// The signature of a message does not match the message and the previous signature.
    #[error("the signature of message {number} does not match")]
    SignatureMismatch {
        /// The number of the message, from 1.
        number: u64,
    },
    /// The stream ends without the signed empty message that closes it, or a message is incomplete.
    #[error("the stream ends within a message or without its closing message")]
    Truncated,
    /// More bytes follow the closing message of a stream, or the message passed to
    /// [`Message::decode`](super::Message::decode).
    #[error("more bytes follow the end of the message or stream")]
    BytesAfterEnd,
}
