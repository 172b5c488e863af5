use alloc::string::String;
use core::time::Duration;

use crate::sign::SignError;
use crate::sigv4::timestamp::Timestamp;
use crate::verify::VerifyError;

/// Why an event stream or a message of it was not signed, or is refused.
///
/// It holds no signature and nothing of a payload.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EventStreamError {
    /// The request of the stream can't be signed, or the signer can't sign any more: its credentials have expired.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The lengths at the start of a message don't match the checksum that follows them.
    #[error("the checksum of a message's lengths is wrong: the stream is out of step, or not an event stream")]
    PreludeChecksum,
    /// The message doesn't match the checksum at its end.
    #[error("the checksum of a message is wrong")]
    FrameChecksum,
    /// The lengths at the start of a message contradict each other or the bytes that arrived.
    #[error("a message of {total} bytes can't have {headers} bytes of headers, or more or fewer bytes arrived")]
    Lengths {
        /// Bytes of the whole message, as announced.
        total: u32,
        /// Bytes of its headers, as announced.
        headers: u32,
    },
    /// The headers are longer than is taken.
    #[error("{length} bytes of headers, at most {limit} are taken")]
    HeadersTooLong {
        /// Bytes.
        length: usize,
        /// Bytes.
        limit: usize,
    },
    /// The payload is longer than is taken.
    #[error("{length} bytes of payload, at most {limit} are taken")]
    PayloadTooLong {
        /// Bytes.
        length: usize,
        /// Bytes.
        limit: usize,
    },
    /// There are more headers than are taken.
    #[error("more than {limit} headers")]
    TooManyHeaders {
        /// How many are taken.
        limit: usize,
    },
    /// A header is cut short, its name is empty, longer than 255 bytes or no UTF-8, its type is none of the ten, or its
    /// value is longer than 32767 bytes or, if it is a text, no UTF-8.
    #[error("the header {name:?} is malformed")]
    MalformedHeader {
        /// Its name as far as it is known, shortened if it is long.
        name: String,
    },
    /// A header appears twice.
    #[error("the header {name:?} appears twice")]
    RepeatedHeader {
        /// Its name, shortened if it is long.
        name: String,
    },
    /// A signed message lacks `:date` or `:chunk-signature`, or one of them has another type than it has to have, or
    /// the date lies outside the years 0 to 9999.
    #[error("a signed message has to have the header {name}")]
    MissingHeader {
        /// Its name.
        name: &'static str,
    },
    /// A signed message has a header that its signature doesn't cover.
    #[error("a signed message has the header {name:?}, which its signature doesn't cover")]
    UnsignedHeader {
        /// Its name, shortened if it is long.
        name: String,
    },
    /// A message to be signed is empty, which would close the stream.
    #[error("an empty message closes the stream: use EventSigner::finish for it")]
    EmptyMessage,
    /// The body of the request is not an event stream.
    #[error("the request doesn't announce an event stream (STREAMING-AWS4-HMAC-SHA256-EVENTS)")]
    NotEvents,
    /// A message is dated too long ago, or for a time that has not come.
    #[error("a message is dated {signed}, server time {now}, allowed clock skew {} seconds", allowed.as_secs())]
    Skewed {
        /// The message's own time.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// The allowed skew.
        allowed: Duration,
    },
    /// A message is of another day than the key at hand. Nothing is lost: with the key of that day
    /// ([`EventVerifier::continue_with`](super::EventVerifier::continue_with)) the stream goes on.
    #[error("a message is dated {signed}, and needs the signing key of that day")]
    KeyNeeded {
        /// The message's own time.
        signed: Timestamp,
    },
    /// What was found for a later day is no key of the signer.
    #[error(transparent)]
    Key(#[from] VerifyError),
    /// The temporary credentials of the signer have ended.
    #[error("the session of the signer ended at {expires_at}")]
    ExpiredSessionToken {
        /// When they ended.
        expires_at: Timestamp,
    },
    /// The signature is not the one of this message behind the one before it.
    #[error("the signature of message {number} does not match")]
    SignatureMismatch {
        /// Which, from 1.
        number: u64,
    },
    /// The stream ends without the signed empty message.
    #[error("the stream ends without its closing message")]
    Truncated,
    /// There are bytes behind the closing message.
    #[error("there are bytes behind the closing message")]
    BytesAfterEnd,
}
