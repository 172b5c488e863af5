//! What SigV4A adds to a verifier.

use super::{UnverifiedRequest, VerifiedRequest, Verifier, VerifyError};
use crate::sigv4::signing_key::VerifyingKey;
use crate::sigv4::sigv4a::PublicKey;
use crate::sigv4::timestamp::Timestamp;

impl Verifier {
    /// Takes signatures of SigV4A, too (`AWS4-ECDSA-P256-SHA256`), if their region set names this verifier's region.
    /// Otherwise they are refused, as [`VerifyError::UnsupportedAlgorithm`].
    ///
    /// Entries of a region set are separated by commas and compared whole and without case; `*` in an entry stands for
    /// any characters. An entry with a space before it names no region: S3 takes it so, too.
    pub fn with_sigv4a(mut self) -> Self {
        self.sigv4a = true;
        self
    }

    /// Verifies a signature of SigV4A with the public half of the key. What [`UnverifiedRequest::derive_key`] does besides, this
    /// leaves to the caller: comparing the session token and its expiry, and, for an unknown access key, doing the same
    /// work as for a known one.
    ///
    /// # Errors
    /// [`VerifyError`]; [`VerifyError::SignatureMismatch`] for a signature of SigV4.
    pub fn verify_with_public_key<'a>(
        &self,
        presented: UnverifiedRequest<'a>,
        key: &PublicKey,
        now: Timestamp,
    ) -> Result<VerifiedRequest<'a>, VerifyError> {
        self.verify_by(presented, &VerifyingKey::Public(*key), now)
    }
}
