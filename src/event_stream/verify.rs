use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::error::EventStreamError;
use super::frame::{Frames, MAX_PAYLOAD};
use super::message::{HeaderValue, read_headers};
use super::{CHUNK_SIGNATURE, DATE, date_header};
use crate::hash::sha256;
use crate::sigv4::authorization::Claims;
use crate::sigv4::chain::{Chain, Linked};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::AnyKey;
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;
use crate::verify::{Found, VerifiedHead, VerifyError, VerifyingKey};

impl VerifiedHead<'_> {
    /// Returns a verifier for the messages of this request's body, an event stream.
    ///
    /// # Errors
    /// [`EventStreamError::NotEvents`] if the request doesn't announce an event stream.
    pub fn events(&self) -> Result<EventVerifier, EventStreamError> {
        match self.streaming() {
            Some((StreamingPayload::Events, chain)) => Ok(EventVerifier {
                frames: Frames::new(),
                chain,
                claims: self.claims().clone().into_owned(),
                credentials_expire_at: self.credentials_expire_at(),
                max_skew: self.rules().max_skew,
                number: 1,
                needed: None,
                state: State::Open,
            }),
            _ => Err(EventStreamError::NotEvents),
        }
    }
}

/// Verifies the messages of an event stream, whose bytes may arrive split at any position.
///
/// The checks of each message, in the order in which they run:
///
/// 1. The lengths match the checksum that follows them, are consistent, and are within the limits: 128 KiB of headers,
///    16 MiB of payload or [`EventVerifier::with_max_payload`]. Memory use grows with the bytes that have arrived, not
///    with the announced lengths.
/// 2. The message matches the checksum at its end.
/// 3. Its headers are `:date`, a timestamp, and `:chunk-signature`, 32 bytes, each exactly once. It has no others,
///    since the signature would not cover them.
/// 4. `:date` is within the rules' `max_skew` of `now`.
/// 5. The current signing key is for that day; otherwise, [`EventStreamError::KeyNeeded`] asks for the right one.
/// 6. The credentials of the signer have not expired.
/// 7. The signature matches `:date`, the payload and the previous signature, compared in constant time.
///
/// Only then is the payload released. After an error other than [`EventStreamError::KeyNeeded`], nothing more is
/// released. A stream that ends without its closing message is truncated: [`EventVerifier::finish`] reports it.
///
/// Created by [`VerifiedHead::events`]; see the [module](super) for an example.
#[derive(Clone)]
pub struct EventVerifier {
    frames: Frames,
    chain: Chain<AnyKey>,
    /// The signer, as claimed by the request.
    claims: Claims<'static>,
    credentials_expire_at: Option<Timestamp>,
    max_skew: Duration,
    /// The number of the next message, from 1.
    number: u64,
    /// The date of a message that needs another key.
    needed: Option<Timestamp>,
    state: State,
}

#[derive(Clone)]
enum State {
    Open,
    Closed,
    Failed(EventStreamError),
}

impl EventVerifier {
    /// Sets the maximum payload of a message, in bytes. The default, which can't be exceeded, is 16 MiB.
    pub fn with_max_payload(mut self, bytes: usize) -> Self {
        self.frames.max_payload = bytes.min(MAX_PAYLOAD);
        self
    }

    /// Consumes `input` up to the end of the next message, verifies it, and returns the message inside, for
    /// [`Message::decode`](super::Message::decode). Returns `None` if all of `input` is consumed and the message is
    /// incomplete, or the stream is closed.
    ///
    /// # Errors
    /// [`EventStreamError`], which every further call returns again. The exception is [`EventStreamError::KeyNeeded`]:
    /// call [`EventVerifier::continue_with`], then repeat this call with the rest of `input`.
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
            self.needed = Some(signed);
            return Err(EventStreamError::KeyNeeded { signed });
        }
        self.chain.set_time(signed);
        let matches = self.chain.verify(Linked::Payload(sha256(&date_header(millis)), sha256(payload)), &presented);
        if let Some(expires_at) = self.credentials_expire_at.filter(|expires_at| *expires_at <= now) {
            return Err(EventStreamError::ExpiredSessionToken { expires_at });
        }
        if !matches {
            return Err(EventStreamError::SignatureMismatch { number: self.number });
        }
        let message = payload.to_vec();
        self.number = self.number.saturating_add(1);
        self.frames.next_frame();
        Ok(Some(message))
    }

    /// Continues after [`EventStreamError::KeyNeeded`] with the current credentials of the request's signer. A later
    /// expiration of these credentials doesn't extend the stream. Does nothing if no key is needed.
    ///
    /// # Errors
    /// [`EventStreamError::Key`] if `found` is `None`, has another access key or session token, or has expired.
    pub fn continue_with(&mut self, found: Option<&Credentials>, now: Timestamp) -> Result<(), EventStreamError> {
        let Some(signed) = self.needed.take() else { return Ok(()) };
        self.chain.set_time(signed);
        let accepted =
            Found::with_credentials(found, &self.claims, &self.chain.scope(), |found| self.accept(found, now));
        self.set_key(accepted)
    }

    /// Like [`EventVerifier::continue_with`], with the signing key of that day instead of credentials.
    ///
    /// # Errors
    /// The same as for [`EventVerifier::continue_with`].
    pub fn continue_with_key(&mut self, found: Option<&VerifyingKey>, now: Timestamp) -> Result<(), EventStreamError> {
        let Some(signed) = self.needed.take() else { return Ok(()) };
        self.chain.set_time(signed);
        let accepted = Found::with_key(found, &self.claims, |found| self.accept(found, now));
        self.set_key(accepted)
    }

    /// Returns the key that was found and when its credentials expire.
    fn accept(&self, found: &Found<'_>, now: Timestamp) -> Result<(AnyKey, Option<Timestamp>), VerifyError> {
        Ok((found.compare(&self.claims, now, AnyKey::clone)?, found.expires_at))
    }

    fn set_key(&mut self, accepted: Result<(AnyKey, Option<Timestamp>), VerifyError>) -> Result<(), EventStreamError> {
        let (key, expires_at) = accepted.inspect_err(|error| self.state = State::Failed(error.clone().into()))?;
        self.credentials_expire_at = match (self.credentials_expire_at, expires_at) {
            (Some(before), Some(after)) => Some(before.min(after)),
            (before, after) => before.or(after),
        };
        self.chain.set_key(key);
        Ok(())
    }

    /// Returns `true` if the closing message has arrived and is verified. Bytes after it are an error of
    /// [`EventVerifier::verify`].
    pub fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed)
    }

    /// Checks at the end of the body that the stream is complete.
    ///
    /// # Errors
    /// [`EventStreamError::Truncated`] if the closing message has not arrived, or the error that an earlier call
    /// returned.
    pub fn finish(self) -> Result<(), EventStreamError> {
        match self.state {
            State::Closed => Ok(()),
            State::Open => Err(EventStreamError::Truncated),
            State::Failed(error) => Err(error),
        }
    }
}

/// Returns the milliseconds of `:date` and the signature of `:chunk-signature`.
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
