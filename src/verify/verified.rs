use alloc::string::String;
use core::fmt;

use super::body::{BodyCheck, SignedBody};
use super::error::VerifyError;
use super::unverified::Presented;
use crate::sigv4::chain::Chain;
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::scope::Scope;
use crate::sigv4::signing_key::VerifyingKey;
use crate::sigv4::timestamp::Timestamp;

/// A request whose signature is right. Only [`Verifier::verify`](crate::Verifier::verify) makes one.
///
/// The body is part of the proof only where it was given before verifying, or is checked with
/// [`Verified::check_body`] or [`Verified::body_check`].
///
/// ```
/// # use countersign::{Credentials, Payload, Presented, Request, Signer, Verifier};
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// # let now = "20150830T123600Z".parse()?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// # let signed = signer.sign(&request, Payload::Bytes(b"hello"), now)?;
/// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// # let presented = Presented::parse(Request::new("PUT", "/key", &headers).with_host("bucket.example"))?;
/// # let key = presented.derive_key(Some(&credentials));
/// let verified = Verifier::new("us-east-1", "s3")?.verify(presented, &key, now)?;
/// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
/// assert!(verified.signed_headers().eq(["host", "x-amz-content-sha256", "x-amz-date"]));
/// assert!(verified.check_body(b"hello").is_ok());
/// assert!(verified.check_body(b"Hello").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Verified<'a> {
    pub(super) presented: Presented<'a>,
    pub(super) body: SignedBody,
    pub(super) external_host: Option<String>,
    /// Of a body in frames, which carry signatures of their own.
    pub(super) key: Option<VerifyingKey<'static>>,
    pub(super) rules: Rules,
    pub(super) limits: Limits,
}

impl Verified<'_> {
    /// Whether the body is the one that was signed. An unsigned body is any body.
    ///
    /// # Errors
    /// [`VerifyError::BodyMismatch`] if it is another, [`VerifyError::BodyIsStreamed`] if it comes in frames.
    pub fn check_body(&self, body: &[u8]) -> Result<(), VerifyError> {
        let mut check = self.body_check()?;
        check.update(body);
        check.finish()
    }

    /// The same for a body that arrives in pieces.
    ///
    /// # Errors
    /// [`VerifyError::BodyIsStreamed`] if it comes in frames.
    pub fn body_check(&self) -> Result<BodyCheck, VerifyError> {
        match self.body {
            SignedBody::Streaming(streaming) => Err(VerifyError::BodyIsStreamed { streaming }),
            body => Ok(BodyCheck::new(body)),
        }
    }

    /// How the body comes in frames, and the chain of signatures that begins with the request's.
    pub(crate) fn streaming(&self) -> Option<(StreamingPayload, Chain<VerifyingKey<'static>>)> {
        match (self.body, &self.key) {
            (SignedBody::Streaming(streaming), Some(key)) => {
                let seed = *self.presented.claims.signature();
                Some((streaming, Chain::new(key.clone(), self.timestamp(), &self.scope(), seed)))
            }
            _ => None,
        }
    }

    /// The values of a header of the request, which is signed if it is an `x-amz-*`.
    pub(crate) fn header_values(&self, wanted: &'static str) -> impl Iterator<Item = &[u8]> {
        self.presented.request.headers.values(wanted)
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the signature says nothing about the body: `UNSIGNED-PAYLOAD` and `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
    pub fn body_is_unsigned(&self) -> bool {
        self.body.is_unsigned()
    }

    /// The host that was signed: of several external hosts, the one that this request is for.
    pub fn host(&self) -> &str {
        match &self.external_host {
            Some(host) => host,
            None => self.presented.host().unwrap_or_default(),
        }
    }

    /// Who signed.
    pub fn access_key_id(&self) -> &str {
        self.presented.access_key_id()
    }

    /// The session token that came with it. Compared with the key's own if the key came from
    /// [`Presented::derive_key`].
    pub fn session_token(&self) -> Option<&str> {
        self.presented.session_token()
    }

    /// The scope it was signed for.
    pub fn scope(&self) -> Scope<'_> {
        self.presented.scope()
    }

    /// The regions that it was signed for with SigV4A, this verifier's among them; `None` for a signature of SigV4.
    pub fn region_set(&self) -> Option<&str> {
        self.presented.region_set()
    }

    /// When it was signed.
    pub fn timestamp(&self) -> Timestamp {
        self.presented.timestamp()
    }

    /// Whether the signature stands in the query.
    pub fn is_presigned(&self) -> bool {
        self.presented.is_presigned()
    }

    /// The headers that are signed, in lower case and in order. Nothing is proven about any other.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.presented.signed_headers()
    }
}

impl fmt::Debug for Verified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Verified").field(&self.presented).finish()
    }
}
