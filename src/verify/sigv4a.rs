//! What SigV4A adds to a verifier.

use super::Verifier;

impl Verifier {
    /// Takes signatures of SigV4A, too (`AWS4-ECDSA-P256-SHA256`), if their region set names a region of this verifier.
    /// Otherwise they are refused, as
    /// [`VerifyError::UnsupportedAlgorithm`](crate::VerifyError::UnsupportedAlgorithm).
    ///
    /// Entries of a region set are separated by commas and compared whole and without case; `*` in an entry stands for
    /// any characters. An entry with a space before it names no region: S3 takes it so, too.
    pub fn with_sigv4a(mut self) -> Self {
        self.sigv4a = true;
        self
    }
}
