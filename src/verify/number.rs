//! The number of the check that an error belongs to, in the list in the documentation of [`Verifier`](super::Verifier).

use super::error::VerifyError;
use super::presented::{AuthHeaders, Presented};
use crate::sigv4::authorization::X_AMZ_REGION_SET;
use crate::sigv4::request::{Request, RequestError};
use crate::sigv4::rules::SessionTokenName;

impl VerifyError {
    /// Returns the number of the check that failed, from 1 to 22, as listed in the documentation of
    /// [`Verifier`](crate::Verifier). `request` is the request that was refused with this error: two checks can return
    /// the same error, and the request shows which of them did.
    ///
    /// ```
    /// use countersign::{Request, Verifier};
    ///
    /// let verifier = Verifier::new("us-east-1", "execute-api")?;
    /// let request = Request::new("GET", "/dev/get-list", &[]).with_host("example.com");
    /// let error = verifier.parse(request, "20150830T123600Z".parse()?).unwrap_err();
    /// assert_eq!(error.check_number(request), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check_number<'a>(&self, request: impl Into<Request<'a>>) -> u8 {
        let request = request.into();
        // Checks 1 to 8 depend on nothing but the request.
        let is_early = || Presented::parse(request).is_err_and(|error| error == *self);
        let early_or = |early, late| if is_early() { early } else { late };
        match self {
            Self::Request(RequestError::HeaderValue { .. }) => early_or(1, 12),
            Self::Request(_) => early_or(1, 19),
            Self::Repeated { name } => number_of_repeated(name, &request),
            Self::MissingAuthentication => 3,
            Self::BothMechanisms => early_or(3, 9),
            Self::UnsupportedScheme { .. } | Self::UnsupportedAlgorithm { .. } | Self::MissingRegionSet { .. } => 4,
            Self::AuthorizationTooLong { .. } | Self::NotKeyValue | Self::UnknownParameter { .. } => 5,
            Self::MissingParameters { .. } => early_or(5, 17),
            Self::MalformedCredential { .. }
            | Self::MalformedSigV4aCredential { .. }
            | Self::MalformedSignedHeaders { .. }
            | Self::TooManySignedHeaders { .. }
            | Self::MalformedSignature
            | Self::MalformedSigV4aSignature => 6,
            Self::MissingDate | Self::MalformedDate { .. } | Self::MalformedExpires { .. } => 7,
            Self::InvalidContentSha256 { .. } => early_or(8, 19),
            Self::HostsDiffer { .. } => 10,
            Self::HeadersNotSigned { .. } => 11,
            Self::SignedHeaderAbsent { .. } | Self::HeaderAndQueryDiffer { .. } => 12,
            Self::HopByHopHeader { .. } => 13,
            Self::RepeatedHeader { .. } => 14,
            Self::DotSegments { .. } => 15,
            Self::RepeatedParameter { name } => number_of_parameter(name, request),
            Self::ExpiresOutOfRange { .. }
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::PresignExpired { .. } => 17,
            Self::WrongScope { .. } | Self::WrongRegionSet { .. } => 18,
            Self::MissingContentSha256 => 19,
            Self::UnknownAccessKey { .. } | Self::InvalidSessionToken { .. } | Self::ExpiredSessionToken { .. } => 20,
            Self::SignatureMismatch { .. } => 21,
            Self::BodyMismatch { .. } | Self::BodyNeeded | Self::BodyIsStreamed { .. } => 22,
        }
    }
}

/// A repeated header fails check 2, a repeated parameter of the signature check 5.
fn number_of_repeated(name: &str, request: &Request<'_>) -> u8 {
    let token_in_header = || request.headers.iter().any(|(name, _)| SessionTokenName::of_header(name).is_some());
    if name == X_AMZ_REGION_SET {
        4
    } else if AuthHeaders::find(request).is_err()
        || name == SessionTokenName::SecurityToken.query() && token_in_header()
    {
        2
    } else {
        5
    }
}

/// A repeated parameter that carries a signed header fails check 12.
fn number_of_parameter(name: &str, request: Request<'_>) -> u8 {
    let is_signed_header = Presented::parse(request).is_ok_and(|presented| {
        presented.is_presigned() && presented.claims.signed_header_names().any(|signed| signed == name)
    });
    if is_signed_header { 12 } else { 16 }
}
