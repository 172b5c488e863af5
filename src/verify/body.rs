use alloc::string::String;
use core::fmt;

use ctutils::CtEq;
use sha2::{Digest, Sha256};

use super::error::VerifyError;
use crate::hash::{from_hex, hex_of};
use crate::sigv4::payload::{StreamingPayload, UNSIGNED_PAYLOAD};

/// What a value of `x-amz-content-sha256` says about the body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SignedBody {
    Sha256([u8; 32]),
    Unsigned,
    Streaming(StreamingPayload),
}

impl SignedBody {
    /// Hexadecimal in either case: what goes into the canonical request is the value as it was sent.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text == UNSIGNED_PAYLOAD {
            Some(Self::Unsigned)
        } else if let Some(hash) = from_hex(text) {
            Some(Self::Sha256(hash))
        } else {
            StreamingPayload::parse(text).map(Self::Streaming)
        }
    }

    /// Whether nothing that is signed says what the body is; the checksum behind such chunks isn't signed.
    pub(super) fn is_unsigned(self) -> bool {
        matches!(self, Self::Unsigned | Self::Streaming(StreamingPayload::UnsignedTrailer))
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

/// Checks a body that arrives in pieces against the hash that was signed. Until [`BodyCheck::finish`] says so, nothing
/// of the body is proven.
///
/// ```
/// # use countersign::{Credentials, Payload, UnverifiedRequest, Request, Signer, Verifier};
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// # let now = "20150830T123600Z".parse()?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// # let signed = signer.sign(&request, Payload::Bytes(b"hello world"), now)?;
/// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// # let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
/// # let presented = UnverifiedRequest::parse(&request)?;
/// # let key = presented.derive_key(Some(&credentials));
/// let verified = Verifier::new("us-east-1", "s3")?.verify(presented, &key, now)?;
/// let mut check = verified.body_check()?;
/// for piece in ["hello ", "world"] {
///     check.update(piece.as_bytes());
/// }
/// assert!(check.finish().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct BodyCheck {
    signed: SignedBody,
    sha256: Sha256,
}

impl BodyCheck {
    pub(super) fn new(signed: SignedBody) -> Self {
        Self { signed, sha256: Sha256::new() }
    }

    /// Takes the next piece of the body.
    pub fn update(&mut self, piece: &[u8]) {
        // Of an unsigned body nothing is compared.
        if self.signed != SignedBody::Unsigned {
            self.sha256.update(piece);
        }
    }

    /// Whether that was the body.
    ///
    /// # Errors
    /// [`VerifyError::BodyMismatch`] if it has another hash than the one signed.
    pub fn finish(self) -> Result<(), VerifyError> {
        self.signed.check(&self.sha256.finalize().into())
    }
}

impl fmt::Debug for BodyCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyCheck").finish_non_exhaustive()
    }
}
