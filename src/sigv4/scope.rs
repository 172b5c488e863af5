use core::fmt;
use core::hash::{Hash, Hasher};

use alloc::string::String;

use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::timestamp::Timestamp;
use crate::text::{excerpt, is_digits};

/// The credential scope that a signing key is valid for, written `20150830/us-east-1/iam/aws4_request`.
///
/// ```
/// use countersign::Scope;
///
/// let scope = Scope::parse("20150830/us-east-1/iam/aws4_request")?;
/// assert_eq!((scope.date(), scope.region(), scope.service()), ("20150830", "us-east-1", "iam"));
/// assert_eq!(scope, Scope::new("20150830", "us-east-1", "iam")?);
/// assert_eq!(scope.to_string(), "20150830/us-east-1/iam/aws4_request");
/// # Ok::<(), countersign::ScopeError>(())
/// ```
///
/// AWS: [Credential scope](https://docs.aws.amazon.com/IAM/latest/UserGuide/signing-elements.html)
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Distinguishes a scope without a region (SigV4A) from one whose region is empty.
    algorithm: Algorithm,
    /// Digits, as bytes: a timestamp's text is never checked to be UTF-8 for signing.
    date: &'a [u8],
    region: &'a str,
    service: &'a str,
    /// What follows the date in the formatted scope, if it exists as one text that can be copied whole.
    after_date: Option<&'a [u8]>,
}

pub(crate) const TERMINATOR: &str = "aws4_request";

/// Signing names with capital letters: all of those in botocore 1.43, and one of a discontinued service.
const WITH_CAPITALS: [&str; 3] = ["AWSMobileHubService", "IngestionService", "IoTSecuredTunneling"];

impl<'a> Scope<'a> {
    /// Creates a scope from its parts: the date as `YYYYMMDD`, and the region and service as AWS writes them
    /// (`us-east-1`, `execute-api`).
    ///
    /// The region may be empty, as with some S3-compatible stores: `20150830//s3/aws4_request`.
    ///
    /// # Errors
    /// Returns a [`ScopeError`] if the date is not eight digits, if the service is empty, if a name contains `/`, `,`
    /// or anything other than visible ASCII, or if a name is likely a mistake: a service with capitals or a dot (`S3`,
    /// `execute-api.amazonaws.com`), or a region with a dot (`us-east-1.amazonaws.com`).
    pub fn new(date: &'a str, region: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        let scope = Self::well_formed(date, region, service)?;
        if region.contains('.') {
            return Err(ScopeError::RegionName { got: excerpt(region.as_bytes()) });
        }
        let is_unusual = service.bytes().any(|byte| byte.is_ascii_uppercase() || byte == b'.');
        if is_unusual && !WITH_CAPITALS.contains(&service) {
            return Err(ScopeError::ServiceName { got: excerpt(service.as_bytes()) });
        }
        Ok(scope)
    }

    fn well_formed(date: &'a str, region: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        if date.len() != 8 || !is_digits(date) {
            return Err(ScopeError::Date { got: excerpt(date.as_bytes()) });
        }
        if service.is_empty() {
            return Err(ScopeError::Empty { field: "service" });
        }
        for (field, value) in [("region", region), ("service", service)] {
            if !value.bytes().all(|b| b.is_ascii_graphic() && b != b'/' && b != b',') {
                return Err(ScopeError::Character { field, got: excerpt(value.as_bytes()) });
            }
        }
        Ok(Self::unchecked(Algorithm::HmacSha256, date, region, service))
    }

    pub(crate) fn checked_without_region(date: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        let checked = Self::new(date, "", service)?;
        Ok(Self { algorithm: Algorithm::EcdsaP256Sha256, ..checked })
    }

    /// Parses `DATE/REGION/SERVICE/aws4_request`. Unlike [`Scope::new`], it accepts unusual names, since a received
    /// scope is only compared with the expected one.
    ///
    /// # Errors
    /// Returns a [`ScopeError`] if the text does not consist of four parts ending in `aws4_request`, if the date is not
    /// eight digits, if the service is empty, or if a name contains `,` or anything other than visible ASCII.
    pub fn parse(text: &'a str) -> Result<Self, ScopeError> {
        let form = || ScopeError::Form { got: excerpt(text.as_bytes()) };
        let (scope, terminator) = text.rsplit_once('/').ok_or_else(form)?;
        if terminator != TERMINATOR {
            return Err(form());
        }
        let (date_region, service) = scope.rsplit_once('/').ok_or_else(form)?;
        let (date, region) = date_region.rsplit_once('/').ok_or_else(form)?;
        Self::well_formed(date, region, service)
    }

    /// Creates a scope from parts that were checked elsewhere, or that are about to be compared with the expected ones.
    pub(crate) fn unchecked(algorithm: Algorithm, date: &'a str, region: &'a str, service: &'a str) -> Self {
        Self { algorithm, date: date.as_bytes(), region, service, after_date: None }
    }

    /// Like [`Scope::unchecked`], for the date of a timestamp.
    pub(crate) fn at(algorithm: Algorithm, time: &'a Timestamp, region: &'a str, service: &'a str) -> Self {
        Self { algorithm, date: time.date_bytes(), region, service, after_date: None }
    }

    /// `after_date`, if known, must be what [`Scope::write_to`] writes after the date: `/us-east-1/s3/aws4_request`.
    pub(crate) fn with_after_date(self, after_date: Option<&'a [u8]>) -> Self {
        Self { after_date, ..self }
    }

    /// Returns the date, e.g. `20150830`.
    pub fn date(&self) -> &'a str {
        core::str::from_utf8(self.date).unwrap_or_default()
    }

    pub(crate) fn date_bytes(&self) -> &'a [u8] {
        self.date
    }

    /// Returns the algorithm that uses this form of scope.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Returns the region, e.g. `us-east-1`. It may be empty, and always is in a SigV4A scope, which has no region.
    pub fn region(&self) -> &'a str {
        self.region
    }

    /// Returns the service, e.g. `execute-api`.
    pub fn service(&self) -> &'a str {
        self.service
    }

    /// Calls `write` with each part of the formatted scope. This is the only formatter, for both `Display` and the
    /// HMAC.
    #[inline]
    pub(crate) fn write_to(&self, mut write: impl FnMut(&'a [u8])) {
        write(self.date);
        if let Some(after_date) = self.after_date {
            return write(after_date);
        }
        if self.algorithm == Algorithm::HmacSha256 {
            write(b"/");
        }
        write(self.region.as_bytes());
        write(b"/");
        write(self.service.as_bytes());
        write(b"/");
        write(TERMINATOR.as_bytes());
    }

    fn parts(&self) -> (Algorithm, &'a [u8], &'a str, &'a str) {
        (self.algorithm, self.date, self.region, self.service)
    }

    /// Returns the length of the formatted scope in bytes.
    pub(crate) fn printed_length(&self) -> usize {
        let mut length = 0;
        self.write_to(|piece| length += piece.len());
        length
    }
}

impl PartialEq for Scope<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.parts() == other.parts()
    }
}

impl Eq for Scope<'_> {}

impl Hash for Scope<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.parts().hash(state);
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        self.write_to(|piece| {
            if result.is_ok() {
                result = f.write_str(&String::from_utf8_lossy(piece));
            }
        });
        result
    }
}

impl fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({self})")
    }
}

/// An error for an invalid [`Scope`] or region set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// The text does not consist of four parts ending in `aws4_request`.
    #[error("{got:?} is not a credential scope of the form DATE/REGION/SERVICE/aws4_request")]
    Form {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The date is not eight digits.
    #[error("the date of the scope must have the form YYYYMMDD, not {got:?}")]
    Date {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The service is empty, or the region is empty where one is required: a POST policy can't be signed with SigV4A.
    #[error("the {field} is empty; pass the name that AWS uses, e.g. us-east-1 or execute-api")]
    Empty {
        /// `region` or `service`.
        field: &'static str,
    },
    /// The region or service contains `/`, `,` or anything other than visible ASCII.
    #[error("the {field} {got:?} may contain only visible ASCII other than '/' and ','")]
    Character {
        /// `region` or `service`.
        field: &'static str,
        /// The text, shortened if it is long.
        got: String,
    },
    /// The service contains capitals or a dot, which signing names don't: it is likely a display name or a host name.
    #[error(
        "the service {got:?} is not a signing name: write it in lower case and without a domain, e.g. s3 or execute-api"
    )]
    ServiceName {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The region contains a dot, so it is likely a host name.
    #[error("the region {got:?} is not a region name: write it without a domain, e.g. us-east-1")]
    RegionName {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The SigV4A region set is empty or contains an entry that can't be a region name.
    #[error("the region set {got:?} must be regions separated by commas, e.g. us-east-1,us-west-2, or us-*, or *")]
    RegionSet {
        /// The text, shortened if it is long.
        got: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn invalid_scopes_are_refused() {
        for text in [
            "",
            "/",
            "aws4_request",
            "iam/aws4_request",
            "us-east-1/iam/aws4_request",
            "/us-east-1/iam/aws4_request",
            "2015083/us-east-1/iam/aws4_request",
            "2015083x/us-east-1/iam/aws4_request",
            "20150830//aws4_request",
            "20150830///aws4_request",
            "/20150830//iam/aws4_request",
            "20150830//iam/",
            "//iam/aws4_request",
            "20150830/us-east-1//aws4_request",
            "20150830/us-east-1/iam/AWS4_REQUEST",
            "20150830/us-east-1/iam/aws4_request/",
            "20150830/us-east-1/iam/aws4_request ",
            "x/20150830/us-east-1/iam/aws4_request",
            "20150830/us east/iam/aws4_request",
            "20150830/us-east-1/i\nm/aws4_request",
            "20150830/us-east-1/í/aws4_request",
        ] {
            assert!(Scope::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_region_may_be_empty() {
        let scope = Scope::parse("20150830//s3/aws4_request").unwrap();
        assert_eq!((scope.date(), scope.region(), scope.service()), ("20150830", "", "s3"));
        assert_eq!(scope, Scope::new("20150830", "", "s3").unwrap());
        assert_eq!(scope.to_string(), "20150830//s3/aws4_request");
        let without = Scope::checked_without_region("20150830", "s3").unwrap();
        assert_ne!(scope, without);
        assert_eq!(without.to_string(), "20150830/s3/aws4_request");
    }

    #[test]
    fn likely_mistakes_in_names_are_refused() {
        for service in ["S3", "Execute-Api", "execute-api.amazonaws.com", "s3.", ".", "IotSecuredTunneling"] {
            let error = ScopeError::ServiceName { got: service.into() };
            assert_eq!(Scope::new("20150830", "us-east-1", service), Err(error.clone()));
            assert_eq!(Scope::checked_without_region("20150830", service), Err(error));
            let text = alloc::format!("20150830/us-east-1/{service}/aws4_request");
            assert_eq!(Scope::parse(&text).unwrap().service(), service);
        }
        for region in ["us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com", "."] {
            let error = ScopeError::RegionName { got: region.into() };
            assert_eq!(Scope::new("20150830", region, "s3"), Err(error));
        }
        for service in WITH_CAPITALS.into_iter().chain(["s3", "execute-api", "a4b", "rds-db", "x_y"]) {
            assert!(Scope::new("20150830", "us-east-1", service).is_ok(), "{service}");
        }
    }
}
