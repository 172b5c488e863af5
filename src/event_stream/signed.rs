use alloc::vec::Vec;
use core::fmt;

use super::error::EventStreamError;
use super::message::{HeaderValue, write_header};
use super::{CHUNK_SIGNATURE, date_header};
use crate::chain::Chain;
use crate::payload::{StreamingPayload, sha256};
use crate::request::Request;
use crate::sign::{SignError, Signed, Signer};
use crate::signing_key::SigningKey;
use crate::string_to_sign::Linked;
use crate::timestamp::Timestamp;

impl Signer {
    /// Signs a request whose body is an event stream, and gives what signs its messages. The request's
    /// `content-type` is `application/vnd.amazon.eventstream`.
    ///
    /// # Errors
    /// [`SignError`]: nothing was signed.
    pub fn sign_events(&self, request: &Request<'_>, now: Timestamp) -> Result<(Signed, EventSigner), SignError> {
        let (signed, chain) = self.sign_seed(request, StreamingPayload::Events, now)?;
        Ok((signed, EventSigner { signer: self.clone(), chain }))
    }
}

/// Signs the messages of an event stream, each behind the one before it.
///
/// It is made by [`Signer::sign_events`]; the module has an example.
#[derive(Clone)]
pub struct EventSigner {
    signer: Signer,
    chain: Chain,
}

impl EventSigner {
    /// Signs a message, as [`Message::encode`](super::Message::encode) frames it or as another library does, and gives the
    /// frame to send. The time is the message's own; on another day another key signs.
    ///
    /// # Errors
    /// [`SignError`] if the credentials have ended, or the message is empty or longer than 16 MiB; the stream is as it
    /// was.
    pub fn sign(&mut self, message: &[u8], now: Timestamp) -> Result<Vec<u8>, SignError> {
        if message.is_empty() {
            return Err(EventStreamError::EmptyMessage.into());
        }
        self.sign_frame(message, now)
    }

    /// Gives the frame that closes the stream: an empty message, signed. Without it, the stream counts as cut.
    ///
    /// # Errors
    /// [`SignError`] if the credentials have ended.
    pub fn finish(mut self, now: Timestamp) -> Result<Vec<u8>, SignError> {
        self.sign_frame(b"", now)
    }

    fn sign_frame(&mut self, message: &[u8], now: Timestamp) -> Result<Vec<u8>, SignError> {
        super::frame::check_payload(message)?;
        let scope = self.signer.scope(&now)?;
        if now.date() != self.chain.date() {
            self.chain.set_key(self.signer.with_key(now, &scope, SigningKey::clone));
        }
        self.chain.set_time(now);
        let date = date_header(now.unix_seconds().saturating_mul(1000));
        let signature = self.chain.sign(Linked::Payload(sha256(&date), sha256(message)));
        let mut headers = Vec::with_capacity(67);
        write_header(&mut headers, CHUNK_SIGNATURE, &HeaderValue::Bytes(signature.as_bytes().into()))?;
        headers.extend_from_slice(&date);
        Ok(super::frame::write(&headers, message)?)
    }
}

impl fmt::Debug for EventSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSigner").field("signer", &self.signer).finish_non_exhaustive()
    }
}
