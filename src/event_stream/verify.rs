use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::error::EventStreamError;
use super::frame::{Frames, MAX_PAYLOAD};
use super::message::{HeaderValue, read_headers};
use super::{CHUNK_SIGNATURE, DATE, date_header};
use crate::hash::sha256;
use crate::sigv4::chain::{Chain, Linked};
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::{KeyStanding, SigningKey, VerifyingKey};
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;
use crate::verify::VerifiedRequest;

impl VerifiedRequest<'_> {
    /// What verifies the messages of this request's body, an event stream.
    ///
    /// # Errors
    /// [`EventStreamError::NotEvents`] if the request doesn't announce one.
    pub fn events(&self) -> Result<EventVerifier, EventStreamError> {
        match self.streaming() {
            Some((StreamingPayload::Events, chain)) => Ok(EventVerifier {
                frames: Frames::new(),
                chain,
                max_skew: self.rules().max_skew,
                number: 1,
                state: State::Open,
            }),
            _ => Err(EventStreamError::NotEvents),
        }
    }
}

/// Verifies the messages of an event stream, whose bytes may arrive in pieces of any size.
///
/// These are its checks of each message, in the order in which they run:
///
/// 1. The lengths have the checksum that follows them, fit each other, and are within the limits: 128 KiB of headers,
///    16 MiB of payload or [`EventVerifier::with_max_payload`]. Memory grows with what has arrived, not with what they
///    announce.
/// 2. The message matches the checksum at its end.
/// 3. Its headers are `:date`, a timestamp, and `:chunk-signature`, 32 bytes, each once, and no others: the signature
///    covers none.
/// 4. `:date` is within the rules' `max_skew` of now.
/// 5. The key at hand is of that day; if not, [`EventStreamError::KeyNeeded`] asks for it.
/// 6. The session of the signer has not ended, if the key of the request came from
///    [`UnverifiedRequest::derive_key`](crate::UnverifiedRequest::derive_key).
/// 7. The signature is the one of `:date`, of the payload and of the signature before it, compared in constant time.
///
/// Only then the payload comes out. After an error nothing does any more. A stream that ends without its closing
/// message was cut: [`EventVerifier::finish`] tells.
///
/// It is made by [`VerifiedRequest::events`]; the module has an example.
#[derive(Clone)]
pub struct EventVerifier {
    frames: Frames,
    chain: Chain<VerifyingKey<'static>>,
    max_skew: Duration,
    /// Of the next message, from 1.
    number: u64,
    state: State,
}

#[derive(Clone)]
enum State {
    Open,
    Closed,
    Failed(EventStreamError),
}

impl EventVerifier {
    /// Takes no message that is longer, in bytes.
    pub fn with_max_payload(mut self, bytes: usize) -> Self {
        self.frames.max_payload = bytes.min(MAX_PAYLOAD);
        self
    }

    /// Takes from `input` up to the end of one message, verifies it, and gives the message inside, for
    /// [`Message::decode`](super::Message::decode); `None` once `input` is empty and more is needed, or the stream has
    /// closed.
    ///
    /// # Errors
    /// [`EventStreamError`], the same at each further call; but for [`EventStreamError::KeyNeeded`], after which the call is
    /// repeated with what is left of `input`.
    pub fn verify(&mut self, input: &mut &[u8], now: Timestamp) -> Result<Option<Vec<u8>>, EventStreamError> {
        match &self.state {
            State::Open => {}
            State::Closed if input.is_empty() => return Ok(None),
            State::Closed => self.state = State::Failed(EventStreamError::BytesAfterEnd),
            State::Failed(_) => {}
        }
        if let State::Failed(error) = &self.state {
            return Err(error.clone());
        }
        match self.next_message(input, now) {
            Ok(Some(message)) if message.is_empty() => {
                self.state = State::Closed;
                self.verify(input, now)
            }
            Err(error) if !matches!(error, EventStreamError::KeyNeeded { .. }) => {
                self.state = State::Failed(error.clone());
                Err(error)
            }
            other => other,
        }
    }

    fn next_message(&mut self, input: &mut &[u8], now: Timestamp) -> Result<Option<Vec<u8>>, EventStreamError> {
        let Some((headers, payload)) = self.frames.fill(input)? else { return Ok(None) };
        let (millis, presented) = read_signature(headers)?;
        let signed = Timestamp::from_unix_seconds(millis.div_euclid(1000))
            .map_err(|_| EventStreamError::MissingHeader { name: DATE })?;
        let distance = signed.unix_seconds().abs_diff(now.unix_seconds());
        if distance > self.max_skew.as_secs() {
            return Err(EventStreamError::Skewed { signed, now, allowed: self.max_skew });
        }
        if signed.date() != self.chain.date() {
            return Err(EventStreamError::KeyNeeded { signed });
        }
        self.chain.set_time(signed);
        let matches = self.chain.verify(Linked::Payload(sha256(&date_header(millis)), sha256(payload)), &presented);
        match self.chain.standing() {
            KeyStanding::ExpiresAt(expires_at) if expires_at <= now => {
                return Err(EventStreamError::ExpiredSessionToken { expires_at });
            }
            KeyStanding::Good | KeyStanding::ExpiresAt(_) if matches => {}
            _ => return Err(EventStreamError::SignatureMismatch { number: self.number }),
        }
        let message = payload.to_vec();
        self.number = self.number.saturating_add(1);
        self.frames.next_frame();
        Ok(Some(message))
    }

    /// Goes on with the key of the day that [`EventStreamError::KeyNeeded`] names: that of
    /// [`Timestamp::date`] of it, and of the same region and service. It doesn't prolong the session of the signer.
    pub fn set_key(&mut self, signed: Timestamp, mut key: SigningKey) {
        key.standing = match (key.standing, self.chain.standing()) {
            (KeyStanding::Good, before) => before,
            (KeyStanding::ExpiresAt(expiry), KeyStanding::ExpiresAt(before)) => {
                KeyStanding::ExpiresAt(expiry.min(before))
            }
            (standing, _) => standing,
        };
        self.chain.set_time(signed);
        self.chain.set_key(VerifyingKey::Signing(Cow::Owned(key)));
    }

    /// Whether the closing message has come, and was right. Bytes behind it are an error of [`EventVerifier::verify`].
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// To be asked at the end of the body.
    ///
    /// # Errors
    /// [`EventStreamError::Truncated`] if the closing message has not come; the error that there was before.
    pub fn finish(self) -> Result<(), EventStreamError> {
        match self.state {
            State::Closed => Ok(()),
            State::Open => Err(EventStreamError::Truncated),
            State::Failed(error) => Err(error),
        }
    }
}

/// The milliseconds of `:date`, and `:chunk-signature`.
fn read_signature(headers: &[u8]) -> Result<(i64, Signature), EventStreamError> {
    let (mut date, mut signature) = (None, None);
    for (name, value) in read_headers(headers)? {
        match (name.as_str(), value) {
            (DATE, HeaderValue::Timestamp(millis)) => date = Some(millis),
            (CHUNK_SIGNATURE, HeaderValue::Bytes(bytes)) => {
                signature = bytes.as_slice().try_into().ok().map(Signature::from_bytes);
            }
            (DATE | CHUNK_SIGNATURE, _) => {}
            _ => return Err(EventStreamError::UnsignedHeader { name: excerpt(name.as_bytes()) }),
        }
    }
    let date = date.ok_or(EventStreamError::MissingHeader { name: DATE })?;
    Ok((date, signature.ok_or(EventStreamError::MissingHeader { name: CHUNK_SIGNATURE })?))
}

impl fmt::Debug for EventVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventVerifier")
            .field("number", &self.number)
            .field("is_closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
