use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::body::SignedPayload;
use super::checked::Checked;
use super::error::VerifyError;
use super::key::VerifyingKey;
use super::payload::PayloadMode;
use super::verified::{VerifiedHead, VerifiedRequest};
use crate::hash::sha256;
use crate::redact::REDACTED;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::Scope;
use crate::text::wiped::Wiped;

/// A request that passed every check that needs no key. Nothing is verified yet: everything here may be forged.
/// Returned by [`Verifier::parse`](crate::Verifier::parse).
///
/// The caller looks up the credentials by access key id and session token, and passes on the result even if there are
/// none: the response then takes as long as for a wrong signature. How to proceed depends on the body:
///
/// - If the whole body is available, or there is none: [`UnverifiedRequest::with_body`], then
///   [`UnverifiedWithBody::verify`].
/// - If the body is still to arrive: [`UnverifiedRequest::verify_head`], which returns a [`VerifiedHead`] that can
///   check it.
///
/// ```
/// use countersign::{Credentials, Payload, Request, Signer, Verifier};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// let now = "20150830T123600Z".parse()?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "execute-api")?;
/// # let request = Request::new("POST", "/dev/items", &[]).with_host("example.com");
/// # let signed = signer.sign(request, Payload::Bytes(b"{}"), now)?;
/// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// # let (request, body) = (Request::new("POST", "/dev/items", &headers).with_host("example.com"), b"{}");
/// let verifier = Verifier::new("us-east-1", "execute-api")?;
/// let unverified = verifier.parse(&request, now)?;
/// assert_eq!((unverified.access_key_id(), unverified.session_token()), ("AKIDEXAMPLE", None));
/// let found = Some(&credentials); // from a database, by access key id and session token
/// let verified = unverified.with_body(body).verify(found)?;
/// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing is verified yet: call `with_body` or `verify_head`"]
pub struct UnverifiedRequest<'a> {
    pub(super) checked: Checked<'a>,
    /// The canonical request with the first host, up to the payload line. It is far smaller than what it is written from.
    pub(super) start: Wiped<Vec<u8>>,
}

impl<'a> UnverifiedRequest<'a> {
    /// Adds the whole body, or `b""` if there is none. It is hashed here and compared when verifying.
    #[inline]
    pub fn with_body(self, body: &[u8]) -> UnverifiedWithBody<'a> {
        self.with_body_sha256(sha256(body))
    }

    /// Adds the SHA-256 hash that the caller computed from the body it received. Never pass a hash taken from the
    /// request itself.
    #[inline]
    pub fn with_body_sha256(mut self, body_sha256: [u8; 32]) -> UnverifiedWithBody<'a> {
        self.checked.body_sha256 = Some(body_sha256);
        UnverifiedWithBody(self)
    }

    /// Verifies the signature with the credentials that were found for the access key id and session token. The body
    /// remains to be checked when it arrives.
    ///
    /// # Errors
    /// [`VerifyError`]; [`VerifyError::BodyNeeded`] if the signature covers the body but no `x-amz-content-sha256`
    /// gives its hash. That is common for services other than S3: read the body first, and use
    /// [`UnverifiedRequest::with_body`].
    pub fn verify_head(self, found: Option<&Credentials>) -> Result<VerifiedHead<'a>, VerifyError> {
        let proven = self.checked.prove_with_credentials(self.start, found)?;
        Ok(self.checked.into_head(proven))
    }

    /// Like [`UnverifiedRequest::verify_head`], with a key instead of credentials.
    ///
    /// # Errors
    /// The same as for [`UnverifiedRequest::verify_head`].
    pub fn verify_head_with_key(self, found: Option<&VerifyingKey>) -> Result<VerifiedHead<'a>, VerifyError> {
        let proven = self.checked.prove_with_key(self.start, found)?;
        Ok(self.checked.into_head(proven))
    }

    /// Returns the claimed access key id. It may contain a `/`.
    pub fn access_key_id(&self) -> &str {
        self.checked.presented.claims.access_key_id()
    }

    /// Returns the session token from the header or query. Look up the key and the token together: a token that was
    /// issued for another key is invalid.
    pub fn session_token(&self) -> Option<&str> {
        self.checked.presented.claims.session_token()
    }

    /// Returns the claimed scope, which is one that the verifier accepts.
    pub fn scope(&self) -> Scope<'_> {
        self.checked.presented.claims.scope()
    }

    /// What the signature is claimed to cover of the body; `None` if it covers a body whose hash is not sent.
    pub(crate) fn claimed_payload(&self) -> Option<SignedPayload> {
        match self.checked.payload {
            PayloadMode::Sent { .. } => self.checked.presented.content_sha256().map(|(_, payload)| payload),
            PayloadMode::Unsigned => Some(SignedPayload::Unsigned),
            PayloadMode::OfBody => None,
        }
    }
}

impl fmt::Debug for UnverifiedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedRequest")
            .field("request", &self.checked.presented.request)
            .field("access_key_id", &self.access_key_id())
            .field("scope", &self.scope())
            .field("timestamp", &self.checked.presented.timestamp)
            .field("signed_headers", &String::from_utf8_lossy(self.checked.presented.claims.signed_headers()))
            .field("session_token", &self.session_token().map(|_| REDACTED))
            .finish_non_exhaustive()
    }
}

/// An [`UnverifiedRequest`] with its whole body, or the hash of the body.
#[derive(Debug, Clone)]
#[must_use = "nothing is verified yet: call `verify`"]
pub struct UnverifiedWithBody<'a>(UnverifiedRequest<'a>);

impl<'a> UnverifiedWithBody<'a> {
    /// Verifies the signature and body with the credentials that were found for the access key id and session token.
    ///
    /// `None`, credentials with another access key id or session token, and expired credentials are refused after the
    /// same work as a wrong signature, so that the response time does not reveal whether an access key exists. The
    /// error still does: to hide that too, replace [`VerifyError::UnknownAccessKey`] and
    /// [`VerifyError::InvalidSessionToken`] with [`VerifyError::SignatureMismatch`].
    ///
    /// For SigV4A, this derives a key pair, which takes about as long as verifying. To avoid that, cache a
    /// [`VerifyingKey`] for each access key.
    ///
    /// # Errors
    /// [`VerifyError`], with AWS's wording for the client and the reason for the operator;
    /// [`VerifyError::BodyIsStreamed`] if the body is sent in chunks or messages, which need
    /// [`UnverifiedRequest::verify_head`].
    pub fn verify(self, found: Option<&Credentials>) -> Result<VerifiedRequest<'a>, VerifyError> {
        let proven = self.0.checked.prove_with_credentials(self.0.start, found)?;
        Ok(VerifiedRequest::of_proven(self.0.checked.into_head(proven)))
    }

    /// Like [`UnverifiedWithBody::verify`], with a key instead of credentials.
    ///
    /// # Errors
    /// The same as for [`UnverifiedWithBody::verify`].
    pub fn verify_with_key(self, found: Option<&VerifyingKey>) -> Result<VerifiedRequest<'a>, VerifyError> {
        let proven = self.0.checked.prove_with_key(self.0.start, found)?;
        Ok(VerifiedRequest::of_proven(self.0.checked.into_head(proven)))
    }
}
