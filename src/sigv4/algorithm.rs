/// How a request is signed: a value that goes through every stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// One key for each day, region and service, which both sides have.
    HmacSha256,
    /// SigV4A: one key pair for all days, regions and services; the scope has no region, a region set is signed instead.
    #[cfg(feature = "sigv4a")]
    EcdsaP256Sha256,
}

impl Algorithm {
    /// As the string to sign, the `Authorization` header and `X-Amz-Algorithm` have it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::HmacSha256 => "AWS4-HMAC-SHA256",
            #[cfg(feature = "sigv4a")]
            Self::EcdsaP256Sha256 => "AWS4-ECDSA-P256-SHA256",
        }
    }

    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "AWS4-HMAC-SHA256" => Some(Self::HmacSha256),
            #[cfg(feature = "sigv4a")]
            "AWS4-ECDSA-P256-SHA256" => Some(Self::EcdsaP256Sha256),
            _ => None,
        }
    }

    /// How many hexadecimal digits a signature has at most.
    pub(crate) const fn signature_digits(self) -> usize {
        match self {
            Self::HmacSha256 => 64,
            #[cfg(feature = "sigv4a")]
            Self::EcdsaP256Sha256 => 144,
        }
    }
}
