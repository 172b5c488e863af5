//! Verification of SigV4A signatures.

use super::Verifier;

impl Verifier {
    /// Also accepts SigV4A signatures (`AWS4-ECDSA-P256-SHA256`) whose region set includes a region of this verifier.
    /// By default they are refused with
    /// [`VerifyError::UnsupportedAlgorithm`](crate::VerifyError::UnsupportedAlgorithm).
    ///
    /// The entries of a region set are separated by commas and compared as a whole, ignoring ASCII case; `*` in an
    /// entry matches any number of characters. As at S3, an entry that begins with a space matches no region.
    pub fn with_sigv4a(mut self) -> Self {
        self.sigv4a = true;
        self
    }
}
