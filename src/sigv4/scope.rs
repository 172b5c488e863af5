use core::fmt;

use alloc::string::String;

use crate::sigv4::algorithm::Algorithm;
use crate::text::{all, any, excerpt};

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
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Scope<'a> {
    /// Tells a scope without a region (SigV4A) from one whose region is empty.
    algorithm: Algorithm,
    date: &'a str,
    region: &'a str,
    service: &'a str,
}

pub(crate) const TERMINATOR: &str = "aws4_request";

/// The signing names with capitals, all that botocore 1.43 has and one of a service that has ended.
const WITH_CAPITALS: [&str; 3] = ["AWSMobileHubService", "IngestionService", "IoTSecuredTunneling"];

impl<'a> Scope<'a> {
    /// A scope from its parts: `date` as `YYYYMMDD`, region and service as AWS writes them (`us-east-1`,
    /// `execute-api`).
    ///
    /// The region may be empty, as some S3-compatible stores have it: `20150830//s3/aws4_request`.
    ///
    /// # Errors
    /// [`ScopeError`] if the date is not eight digits, if the service is empty, if either name holds anything but visible
    /// ASCII without `/` and `,`, or if it is a likely mistake: a service with capitals or a dot (`S3`,
    /// `execute-api.amazonaws.com`), a region with a dot (`us-east-1.amazonaws.com`).
    pub fn new(date: &'a str, region: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        let scope = Self::well_formed(date, region, service)?;
        if region.contains('.') {
            return Err(ScopeError::RegionName { got: excerpt(region.as_bytes()) });
        }
        let is_unusual = any(service.as_bytes(), |byte| byte.is_ascii_uppercase() | (byte == b'.'));
        if is_unusual && !WITH_CAPITALS.contains(&service) {
            return Err(ScopeError::ServiceName { got: excerpt(service.as_bytes()) });
        }
        Ok(scope)
    }

    fn well_formed(date: &'a str, region: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        if date.len() != 8 || !all(date.as_bytes(), |b| b.is_ascii_digit()) {
            return Err(ScopeError::Date { got: excerpt(date.as_bytes()) });
        }
        if service.is_empty() {
            return Err(ScopeError::Empty { field: "service" });
        }
        for (field, value) in [("region", region), ("service", service)] {
            if !all(value.as_bytes(), |b| b.is_ascii_graphic() & (b != b'/') & (b != b',')) {
                return Err(ScopeError::Character { field, got: excerpt(value.as_bytes()) });
            }
        }
        Ok(Self { algorithm: Algorithm::HmacSha256, date, region, service })
    }

    pub(crate) fn checked_without_region(date: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        let checked = Self::new(date, "", service)?;
        Ok(Self { algorithm: Algorithm::EcdsaP256Sha256, ..checked })
    }

    /// Reads `DATE/REGION/SERVICE/aws4_request`, with names of any form: a scope that arrived is compared, not judged.
    ///
    /// # Errors
    /// [`ScopeError`] if there are not four parts with that last one, if the date is not eight digits, if the service is
    /// empty, or if a name holds anything but visible ASCII without `,`.
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

    /// Parts that were checked elsewhere, or that are about to be compared with what is expected.
    pub(crate) fn unchecked(algorithm: Algorithm, date: &'a str, region: &'a str, service: &'a str) -> Self {
        Self { algorithm, date, region, service }
    }

    /// `20150830`.
    pub fn date(&self) -> &'a str {
        self.date
    }

    /// The algorithm whose scope has this form.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// `us-east-1`. It may be empty, and is in the scope of SigV4A, which has no region.
    pub fn region(&self) -> &'a str {
        self.region
    }

    /// `execute-api`.
    pub fn service(&self) -> &'a str {
        self.service
    }

    /// Passes on the printed scope in pieces: the one printer, for text and for the hash.
    #[inline]
    pub(crate) fn write_to(&self, mut write: impl FnMut(&'a str)) {
        write(self.date);
        if self.algorithm == Algorithm::HmacSha256 {
            write("/");
        }
        write(self.region);
        write("/");
        write(self.service);
        write("/");
        write(TERMINATOR);
    }

    /// Bytes of the printed scope.
    pub(crate) fn printed_length(&self) -> usize {
        let mut length = 0;
        self.write_to(|piece| length += piece.len());
        length
    }
}

impl fmt::Display for Scope<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        self.write_to(|piece| {
            if result.is_ok() {
                result = f.write_str(piece);
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

/// Why something is not a [`Scope`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopeError {
    /// Not four parts that end in `aws4_request`.
    #[error("{got:?} is not a scope of the form DATE/REGION/SERVICE/aws4_request")]
    Form {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The date is not eight digits.
    #[error("the scope's date has to be YYYYMMDD, not {got:?}")]
    Date {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The service is empty; or the region, where there has to be one: a form is not signed with SigV4A.
    #[error("the {field} is empty; give it as AWS writes it, e.g. us-east-1 or execute-api")]
    Empty {
        /// `region` or `service`.
        field: &'static str,
    },
    /// Region or service holds white space, `/`, `,` or anything outside visible ASCII.
    #[error("the {field} {got:?} may hold only visible ASCII without '/' and ','")]
    Character {
        /// `region` or `service`.
        field: &'static str,
        /// The text, shortened if it is long.
        got: String,
    },
    /// The service holds capitals or a dot, which signing names don't: a display name, or a host.
    #[error(
        "the service {got:?} is not a signing name: write it in lower case and without a domain, e.g. s3 or execute-api"
    )]
    ServiceName {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The region holds a dot, so it is a host.
    #[error("the region {got:?} is not the name of a region: write it without a domain, e.g. us-east-1")]
    RegionName {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The region set of SigV4A is empty, or something in it can't be the name of a region.
    #[error("the region set {got:?} has to name regions with commas between them, e.g. us-east-1,us-west-2, us-* or *")]
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
    fn broken_scopes_are_refused() {
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
    fn names_that_no_service_has() {
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
