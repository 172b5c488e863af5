use alloc::vec::Vec;
use core::fmt;

use super::error::EventStreamError;
use super::message::{HeaderValue, write_header};
use super::{CHUNK_SIGNATURE, date_header};
use crate::hash::sha256;
use crate::sign::{Signed, Signer};
use crate::sigv4::chain::{Chain, Linked};
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::request::Request;
use crate::sigv4::signing_key::SigningKey;
use crate::sigv4::timestamp::Timestamp;

impl Signer {
    /// Signs a request whose body is an event stream, and returns a signer for its messages. The request's
    /// `content-type` must be `application/vnd.amazon.eventstream`.
    ///
    /// ```
    /// use countersign::{Credentials, Signer, Timestamp};
    ///
    /// let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "bedrock")?;
    /// let url = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke-with-bidirectional-stream";
    /// let mut request =
    ///     http::Request::post(url).header("content-type", "application/vnd.amazon.eventstream").body(())?;
    /// let (signed, events) = signer.sign_events(&request, Timestamp::now())?;
    /// signed.apply_to(request.headers_mut())?;
    /// assert_eq!(request.headers()["x-amz-content-sha256"], "STREAMING-AWS4-HMAC-SHA256-EVENTS");
    /// # let _ = events;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`EventStreamError::Sign`] if the request can't be signed.
    pub fn sign_events<'r>(
        &self,
        request: impl Into<Request<'r>>,
        now: Timestamp,
    ) -> Result<(Signed, EventSigner), EventStreamError> {
        let (signed, chain) = self.sign_seed(&request.into(), StreamingPayload::Events, now)?;
        Ok((signed, EventSigner { signer: self.clone(), chain }))
    }
}

/// Signs the messages of an event stream, each together with the previous signature.
///
/// Created by [`Signer::sign_events`]; see the [module](super) for an example.
#[derive(Clone)]
pub struct EventSigner {
    signer: Signer,
    chain: Chain,
}

impl EventSigner {
    /// Signs a message that was encoded with [`Message::encode`](super::Message::encode) or by another library, and
    /// returns the message to send. `now` is the time of the message; the signing key changes with the day.
    ///
    /// # Errors
    /// [`EventStreamError`] if the credentials have expired, or the message is empty or longer than 16 MiB. The stream
    /// can continue.
    pub fn sign(&mut self, message: &[u8], now: Timestamp) -> Result<Vec<u8>, EventStreamError> {
        if message.is_empty() {
            return Err(EventStreamError::EmptyMessage);
        }
        self.sign_frame(message, now)
    }

    /// Returns the signed empty message that closes the stream. A stream that ends without it is truncated.
    ///
    /// # Errors
    /// [`EventStreamError::Sign`] if the credentials have expired.
    pub fn finish(mut self, now: Timestamp) -> Result<Vec<u8>, EventStreamError> {
        self.sign_frame(b"", now)
    }

    fn sign_frame(&mut self, message: &[u8], now: Timestamp) -> Result<Vec<u8>, EventStreamError> {
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
        super::frame::write(&headers, message)
    }
}

impl fmt::Debug for EventSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSigner").field("signer", &self.signer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event_stream::Message;
    use crate::hash::hex_of;
    use crate::sigv4::credentials::Credentials;
    use crate::sigv4::scope::Scope;
    use crate::sigv4::signature::Signature;

    /// Values from a test of the AWS SDK for Rust (aws-sigv4, `event_stream`).
    #[test]
    fn hashes_of_the_string_to_sign_match_the_aws_sdk() {
        let hex = |hash| alloc::string::String::from_utf8(hex_of(hash).into()).unwrap();
        assert_eq!(
            hex(sha256(&date_header(123_456_789_000))),
            "0c0e3b3bf66b59b976181bd7d401927bbd624107303c713fd1e5f3d3c8dd1b1e"
        );
        let message = Message::new(b"test payload".as_slice()).with_header("some-header", "value").encode().unwrap();
        assert_eq!(hex(sha256(&message)), "f2eba0f2e95967ee9fbc6db5e678d2fd599229c0d04b11e4fc8e0f2a02a806c6");
    }

    /// Values from aws-sigv4 1.6.4, which `tests/peers` computes.
    #[test]
    fn messages_and_signatures_match_the_aws_sdk() {
        let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap();
        let scope = Scope::new("20150830", "us-east-1", "transcribe").unwrap();
        let key = SigningKey::derive(&credentials, &scope);
        let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let chain = Chain::new(key, at("20150830T000000Z"), &scope, Signature::from_hex(seed).unwrap());
        let mut events = EventSigner { signer: Signer::new(credentials, "us-east-1", "transcribe").unwrap(), chain };
        let message = Message::new(b"audio".as_slice())
            .with_header(":message-type", "event")
            .with_header(":event-type", "AudioEvent")
            .with_header(":content-type", "application/octet-stream")
            .encode()
            .unwrap();
        assert_eq!(
            hex::encode(events.sign(&message, at("20150830T123600Z")).unwrap()),
            "000000c00000004363e22798103a6368756e6b2d7369676e61747572650600205897aeea95f18fb94102a8393623fb4d\
             7d64de4b93d2d44fccc71f1455038e6e053a64617465080000014f7e9b6f800000006d000000586130b5530d3a6d6573\
             736167652d747970650700056576656e740b3a6576656e742d7479706507000a417564696f4576656e740d3a636f6e74\
             656e742d747970650700186170706c69636174696f6e2f6f637465742d73747265616d617564696ff4c18287c7f2bb7f"
        );
        let second = hex::encode(events.sign(&message, at("20150831T000000Z")).unwrap());
        assert!(second.contains("8db0dbfd198355ca52ef02bad02c8ab6868715fa76a757b551fc8a647ee8121a"));
        assert_eq!(
            hex::encode(events.finish(at("20150831T000001Z")).unwrap()),
            "0000005300000043f5447a58103a6368756e6b2d7369676e61747572650600204650fd695b3c997ea49ff839e8f5aea1\
             d8034d6647f60507f93f54e4346942d1053a64617465080000014f810dabe80fadf12b"
        );
    }
}
