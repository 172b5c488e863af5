use super::sigv4a;

/// How a request is signed: a value that goes through every stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Algorithm {
    /// One key for each day, region and service, which both sides have.
    HmacSha256,
    /// SigV4A: one key pair for all days, regions and services; the scope has no region, a region set is signed instead.
    EcdsaP256Sha256,
}

impl Algorithm {
    /// As written in the string to sign, the `Authorization` header and `X-Amz-Algorithm`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "AWS4-HMAC-SHA256",
            Self::EcdsaP256Sha256 => "AWS4-ECDSA-P256-SHA256",
        }
    }

    /// The algorithm of that name, if this build has it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "AWS4-HMAC-SHA256" => Some(Self::HmacSha256),
            "AWS4-ECDSA-P256-SHA256" if sigv4a::IS_BUILT_IN => Some(Self::EcdsaP256Sha256),
            _ => None,
        }
    }

    /// How many hexadecimal digits a signature has at most.
    pub(crate) const fn signature_digits(self) -> usize {
        match self {
            Self::HmacSha256 => 64,
            Self::EcdsaP256Sha256 => 144,
        }
    }
}
