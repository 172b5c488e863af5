use super::sigv4a;

/// The signing algorithm, which is passed through every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    /// SigV4: one symmetric key per date, region and service, known to both sides.
    HmacSha256,
    /// SigV4A: one key pair per access key, for all dates, regions and services. The scope has no region; a region set
    /// is signed instead.
    EcdsaP256Sha256,
}

impl Algorithm {
    /// Returns the name used in the string to sign, the `Authorization` header and `X-Amz-Algorithm`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "AWS4-HMAC-SHA256",
            Self::EcdsaP256Sha256 => "AWS4-ECDSA-P256-SHA256",
        }
    }

    /// Returns the algorithm with this name, if this build supports it.
    pub(crate) fn parse(name: &[u8]) -> Option<Self> {
        match name {
            b"AWS4-HMAC-SHA256" => Some(Self::HmacSha256),
            b"AWS4-ECDSA-P256-SHA256" if sigv4a::IS_BUILT_IN => Some(Self::EcdsaP256Sha256),
            _ => None,
        }
    }

    /// Returns the maximum number of hexadecimal digits of a signature.
    pub(crate) const fn signature_digits(self) -> usize {
        match self {
            Self::HmacSha256 => 64,
            Self::EcdsaP256Sha256 => 144,
        }
    }
}
