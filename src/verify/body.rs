use alloc::string::String;
use core::fmt;

use ctutils::CtEq;
use sha2::{Digest, Sha256};

use super::error::VerifyError;
use super::verified::{VerifiedHead, VerifiedRequest};
use crate::hash::{from_hex, hex_of};
use crate::sigv4::payload::{StreamingPayload, UNSIGNED_PAYLOAD};

/// What a signature covers of the body; returned by [`VerifiedHead::payload`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SignedPayload {
    /// The whole body, which has this SHA-256 hash.
    Sha256([u8; 32]),
    /// Nothing: the payload hash is `UNSIGNED-PAYLOAD`.
    Unsigned,
    /// A body that is sent in chunks or messages.
    Streaming(StreamingPayload),
}

impl SignedPayload {
    /// Accepts hexadecimal digits in either case; the canonical request contains the value as it was sent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == UNSIGNED_PAYLOAD {
            Some(Self::Unsigned)
        } else if let Some(hash) = from_hex(text) {
            Some(Self::Sha256(hash))
        } else {
            StreamingPayload::parse(text).map(Self::Streaming)
        }
    }

    /// Returns `true` if the signature does not cover the body: for `UNSIGNED-PAYLOAD`, and for
    /// `STREAMING-UNSIGNED-PAYLOAD-TRAILER`, whose checksum is not signed either.
    pub fn is_unsigned(self) -> bool {
        matches!(self, Self::Unsigned | Self::Streaming(StreamingPayload::UnsignedTrailer))
    }

    pub(super) fn is_streaming(self) -> bool {
        matches!(self, Self::Streaming(_))
    }

    pub(super) fn check(self, body_sha256: &[u8; 32]) -> Result<(), VerifyError> {
        match self {
            Self::Sha256(signed) if bool::from(signed.ct_eq(body_sha256)) => Ok(()),
            Self::Sha256(signed) => {
                let hex = |hash: [u8; 32]| String::from_utf8_lossy(&hex_of(hash)).into_owned();
                Err(VerifyError::BodyMismatch { signed: hex(signed), computed: hex(*body_sha256) })
            }
            Self::Unsigned => Ok(()),
            Self::Streaming(streaming) => Err(VerifyError::BodyIsStreamed { streaming }),
        }
    }
}

/// Compares a body that arrives in parts with the signed hash. Nothing about the body is proven until
/// [`BodyCheck::finish`] returns the verified request.
///
/// ```
/// # use countersign::{Credentials, Payload, Request, Signer, Verifier};
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// # let now = "20150830T123600Z".parse()?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// # let signed = signer.sign(&request, Payload::Bytes(b"hello world"), now)?;
/// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// # let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
/// # let verifier = Verifier::new("us-east-1", "s3")?;
/// let head = verifier.parse(&request, now)?.verify_head(Some(&credentials))?;
/// let mut check = head.body_check()?;
/// for piece in ["hello ", "world"] {
///     check.update(piece.as_bytes());
/// }
/// let verified = check.finish()?;
/// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "the body is checked only when `finish` is called"]
pub struct BodyCheck<'a> {
    head: VerifiedHead<'a>,
    sha256: Sha256,
}

impl<'a> BodyCheck<'a> {
    pub(super) fn new(head: VerifiedHead<'a>) -> Self {
        Self { head, sha256: Sha256::new() }
    }

    /// Adds the next part of the body.
    pub fn update(&mut self, piece: &[u8]) {
        // An unsigned body is not compared with anything, so it is not hashed.
        if self.head.payload() != SignedPayload::Unsigned {
            self.sha256.update(piece);
        }
    }

    /// Finishes the body, and returns the request if the body matches the signed hash. An unsigned body always matches.
    ///
    /// # Errors
    /// [`VerifyError::BodyMismatch`] if the body has a different hash than the one that was signed.
    pub fn finish(self) -> Result<VerifiedRequest<'a>, VerifyError> {
        self.head.payload().check(&self.sha256.finalize().into())?;
        Ok(VerifiedRequest::of_proven(self.head))
    }
}

impl fmt::Debug for BodyCheck<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyCheck").field("head", &self.head).finish_non_exhaustive()
    }
}
