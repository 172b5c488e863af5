//! Signed event streams (`application/vnd.amazon.eventstream`), in both directions. Transcribe, Lex and Bedrock accept
//! audio and events in this form within one request.
//!
//! The request is signed with `x-amz-content-sha256: STREAMING-AWS4-HMAC-SHA256-EVENTS`. Each [`Message`] of its body
//! is encoded and wrapped in another message, whose headers `:date` and `:chunk-signature` sign it together with the
//! previous signature. A signed empty message closes the stream. The signer and the verifier do no I/O of their own,
//! and memory use is bounded by one message.
//!
//! - Sending: [`Signer::sign_events`](crate::Signer::sign_events) signs the request and returns an [`EventSigner`] for
//!   the messages. The service's response is not signed; read it with a [`MessageReader`].
//! - Receiving: [`VerifiedHead::events`](crate::VerifiedHead::events) returns an [`EventVerifier`] once the request's
//!   own signature is verified. A message is released only after its signature is verified.
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
//! body.extend(events.sign(&audio, now.saturating_add(1))?); // after midnight, with the next day's key
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

/// Returns the encoded header `:date`, which is what the signature covers.
fn date_header(millis: i64) -> [u8; 15] {
    let mut header = *b"\x05:date\x08--------";
    if let Some(value) = header.last_chunk_mut() {
        *value = millis.to_be_bytes();
    }
    header
}
