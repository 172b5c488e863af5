//! Signed event streams, `application/vnd.amazon.eventstream`, in both directions: how audio and events go to Transcribe,
//! Lex and Bedrock within one request.
//!
//! The request is signed with `x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-EVENTS`. Each message of its body, a
//! [`Message`] framed, is wrapped in another frame, whose headers `:date` and `:chunk-signature` sign it behind the one
//! before it; an empty message, signed likewise, closes the stream. Nothing here owns a socket or a runtime: messages go
//! in, frames come out, and memory is bounded by one message.
//!
//! - Sending: [`Signer::sign_events`](crate::Signer::sign_events) signs the request, and gives an [`EventSigner`] for the
//!   messages. What the service answers is not signed: [`MessageReader`].
//! - Receiving: [`VerifiedHead::events`](crate::VerifiedHead::events) of a request whose own signature is right gives an
//!   [`EventVerifier`]. Not one byte of a message comes out before its signature is checked.
//!
//! ```
//! use countersign::event_stream::{EventStreamError, Message};
//! use countersign::{Credentials, Request, Signer, Timestamp, Verifier};
//!
//! let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
//! let now: Timestamp = "20150830T235959Z".parse()?;
//!
//! let signer = Signer::new(credentials.clone(), "us-east-1", "transcribe")?;
//! let headers = [("content-type", b"application/vnd.amazon.eventstream".as_slice())];
//! let request = Request::new("POST", "/stream-transcription", &headers)
//!     .with_host("transcribestreaming.us-east-1.amazonaws.com");
//! let (signed, mut events) = signer.sign_events(&request, now)?;
//! let audio = Message::new(b"audio".as_slice()).with_header(":event-type", "AudioEvent").encode()?;
//! let mut body = events.sign(&audio, now)?;
//! body.extend(events.sign(&audio, now.saturating_add(1))?); // it is midnight, and another key signs
//! body.extend(events.finish(now.saturating_add(1))?);
//!
//! // The server.
//! let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).chain(headers).collect();
//! let request = Request::new("POST", "/stream-transcription", &headers)
//!     .with_host("transcribestreaming.us-east-1.amazonaws.com");
//! let verifier = Verifier::new("us-east-1", "transcribe")?;
//! let head = verifier.parse(&request, now)?.verify_head(Some(&credentials))?;
//! let (mut events, mut received) = (head.events()?, Vec::new());
//! for mut piece in body.chunks(100) {
//!     loop {
//!         match events.verify(&mut piece, now) {
//!             Ok(Some(message)) => received.push(Message::decode(&message)?),
//!             Ok(None) => break,
//!             Err(EventStreamError::KeyNeeded { .. }) => events.continue_with(Some(&credentials), now)?,
//!             Err(error) => return Err(error.into()),
//!         }
//!     }
//! }
//! events.finish()?;
//! assert_eq!(received.len(), 2);
//! assert_eq!(received[1].payload(), b"audio");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! AWS: [Setting up a streaming transcription](https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html)

mod error;
mod frame;
mod message;
mod sign;
mod verify;

pub use error::EventStreamError;
pub use message::{HeaderValue, Message, MessageReader};
pub use sign::EventSigner;
pub use verify::EventVerifier;

const DATE: &str = ":date";
const CHUNK_SIGNATURE: &str = ":chunk-signature";

/// The header `:date` as it is framed, which is what is signed of it.
fn date_header(millis: i64) -> [u8; 15] {
    let mut header = *b"\x05:date\x08--------";
    if let Some(value) = header.last_chunk_mut() {
        *value = millis.to_be_bytes();
    }
    header
}
