use core::fmt;

use alloc::string::String;
use ctutils::CtEq;

use crate::algorithm::Algorithm;

/// 32 bytes that prove knowledge of the signing key.
///
/// There is no `==`: comparing has a name and takes constant time. `Debug` and `Display` don't show it.
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
#[derive(Clone, Copy)]
pub struct Signature(Bytes);

#[derive(Clone, Copy)]
enum Bytes {
    Hmac([u8; 32]),
}

impl Signature {
    /// A signature from its bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Bytes::Hmac(bytes))
    }

    /// Reads 64 lower-case hexadecimal digits, the only form AWS writes and takes.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return None;
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self::from_bytes(bytes))
    }

    /// Reads what stands behind `Signature=`.
    pub(crate) fn read(algorithm: Algorithm, text: &str) -> Option<Self> {
        match algorithm {
            Algorithm::HmacSha256 => Self::from_hex(text),
            #[cfg(feature = "sigv4a")]
            Algorithm::EcdsaP256Sha256 => None,
        }
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Hmac(bytes) => bytes,
        }
    }

    /// 64 lower-case hexadecimal digits.
    pub fn to_hex(&self) -> String {
        let mut text = String::with_capacity(2 * self.as_bytes().len());
        self.write_hex(|digits| text.push_str(core::str::from_utf8(digits).unwrap_or_default()));
        text
    }

    /// Compares in a time that depends on nothing in either signature.
    pub fn matches(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Bytes::Hmac(one), Bytes::Hmac(other)) => one.ct_eq(other).into(),
        }
    }

    /// Hands over the hexadecimal digits: the one printer, for text and for the next signature of a chain.
    pub(crate) fn write_hex(&self, mut write: impl FnMut(&[u8])) {
        match self.0 {
            Bytes::Hmac(bytes) => write(&crate::payload::hex_of(bytes)),
        }
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature([redacted])")
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
