use core::fmt;

use alloc::string::String;
use ctutils::CtEq;

use super::algorithm::Algorithm;
use super::sigv4a::Der;
use crate::hash::{from_lowercase_hex, hex_of};

/// A signature: 32 bytes or, for SigV4A, two integers in DER, at most 72 bytes.
///
/// It does not implement `PartialEq`: [`Signature::matches`] compares in constant time. It does not implement `Display`
/// either, and `Debug` does not show it: use [`Signature::to_hex`] to print it.
///
/// ```
/// use countersign::Signature;
///
/// let hex = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
/// let signature = Signature::from_hex(hex).unwrap();
/// assert_eq!(signature.as_bytes()[..4], [0x5d, 0x67, 0x2d, 0x79]);
/// assert_eq!(signature.to_hex(), hex);
/// assert_eq!(format!("{signature:?}"), "Signature([redacted])");
/// ```
///
/// ```compile_fail,E0277
/// # let signature = countersign::Signature::from_bytes([0; 32]);
/// let header = format!("Signature={signature}");
/// ```
#[derive(Clone, Copy)]
pub struct Signature(Bytes);

#[derive(Clone, Copy)]
enum Bytes {
    Hmac([u8; 32]),
    Ecdsa(Der),
}

impl Signature {
    /// Creates a SigV4 signature from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Bytes::Hmac(bytes))
    }

    /// Parses 64 lowercase hexadecimal digits, the only form that AWS sends and accepts.
    pub fn from_hex(text: &str) -> Option<Self> {
        from_lowercase_hex(text).map(Self::from_bytes)
    }

    /// Parses the value after `Signature=`.
    pub(crate) fn read(algorithm: Algorithm, text: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::HmacSha256 => from_lowercase_hex(text).map(Self::from_bytes),
            Algorithm::EcdsaP256Sha256 => Der::from_hex(core::str::from_utf8(text).ok()?).map(Self::of_ecdsa),
        }
    }

    pub(crate) fn of_ecdsa(der: Der) -> Self {
        Self(Bytes::Ecdsa(der))
    }

    pub(crate) fn der(&self) -> Option<&Der> {
        match &self.0 {
            Bytes::Ecdsa(der) => Some(der),
            Bytes::Hmac(_) => None,
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Bytes::Hmac(_) => Algorithm::HmacSha256,
            Bytes::Ecdsa(_) => Algorithm::EcdsaP256Sha256,
        }
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Hmac(bytes) => bytes,
            Bytes::Ecdsa(der) => der.as_bytes(),
        }
    }

    /// Returns the bytes as lowercase hexadecimal digits: 64, or at most 144 for SigV4A.
    pub fn to_hex(&self) -> String {
        let mut text = String::with_capacity(2 * self.as_bytes().len());
        self.write_hex(|digits| text.push_str(core::str::from_utf8(digits).unwrap_or_default()));
        text
    }

    /// Compares two signatures in a time that does not depend on their contents. Different SigV4A signatures may be
    /// valid for the same text, so these have to be verified, not compared.
    pub fn matches(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Bytes::Hmac(one), Bytes::Hmac(other)) => one.ct_eq(other).into(),
            (Bytes::Ecdsa(one), Bytes::Ecdsa(other)) => one.as_bytes().ct_eq(other.as_bytes()).into(),
            (Bytes::Hmac(_), Bytes::Ecdsa(_)) | (Bytes::Ecdsa(_), Bytes::Hmac(_)) => false,
        }
    }

    /// Calls `write` with the hexadecimal digits. This is the only formatter, for both text and chained signatures.
    pub(crate) fn write_hex(&self, mut write: impl FnMut(&[u8])) {
        match &self.0 {
            Bytes::Hmac(bytes) => write(&hex_of(*bytes)),
            Bytes::Ecdsa(der) => {
                let (digits, count) = der.hex();
                write(digits.get(..count).unwrap_or_default());
            }
        }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature([redacted])")
    }
}
