use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::scope::Scope;
use crate::text::excerpt;

/// The parts of a credential scope without validation: those of a request, or those that a verifier expects.
///
/// ```
/// use countersign::{Request, Verifier, VerifyError};
///
/// let headers = [
///     ("authorization", b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-west-1/iam/aws4_request, \
///       SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7".as_slice()),
///     ("x-amz-date", b"20150830T123600Z".as_slice()),
/// ];
/// let request = Request::new("GET", "/", &headers).with_host("iam.amazonaws.com");
/// let verifier = Verifier::new("us-east-1", "iam")?;
/// let error = verifier.parse(request, "20150830T123600Z".parse()?).unwrap_err();
/// let VerifyError::WrongScope { got, expected, .. } = error else { panic!("{error}") };
/// assert_eq!((got.region(), expected.region()), (Some("eu-west-1"), Some("us-east-1")));
/// assert_eq!(got.to_string(), "20150830/eu-west-1/iam/aws4_request");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeParts(
    /// Boxed because an error contains two of them, and every verifying function returns errors by value.
    Box<Parts>,
);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Parts {
    date: String,
    region: Option<String>,
    service: String,
    terminator: String,
}

impl ScopeParts {
    /// Creates a scope from its parts, each shortened if it is long. A SigV4A scope has no region.
    pub fn new(date: &str, region: Option<&str>, service: &str, terminator: &str) -> Self {
        let part = |text: &str| excerpt(text.as_bytes());
        Self(Box::new(Parts {
            date: part(date),
            region: region.map(part),
            service: part(service),
            terminator: part(terminator),
        }))
    }

    pub(crate) fn of(scope: &Scope<'_>, terminator: &str) -> Self {
        let region = (scope.algorithm() == Algorithm::HmacSha256).then(|| scope.region());
        Self::new(scope.date(), region, scope.service(), terminator)
    }

    /// Returns the date, `YYYYMMDD` in a valid scope.
    pub fn date(&self) -> &str {
        &self.0.date
    }

    /// Returns the region; `None` in a SigV4A scope.
    pub fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// Returns the service.
    pub fn service(&self) -> &str {
        &self.0.service
    }

    /// Returns the last part, `aws4_request` in a valid scope.
    pub fn terminator(&self) -> &str {
        &self.0.terminator
    }
}

impl fmt::Display for ScopeParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { date, region, service, terminator } = &*self.0;
        match region {
            Some(region) => write!(f, "{date}/{region}/{service}/{terminator}"),
            None => write!(f, "{date}/{service}/{terminator}"),
        }
    }
}
