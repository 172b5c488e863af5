use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::scope::Scope;
use crate::text::excerpt;

/// The parts of a credential scope, not checked: what a request presents, or what a verifier expects of it.
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
    /// Two of them are in an error, which every verifying function returns by value.
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
    /// Takes the parts as they are given, each shortened if it is long. The scope of SigV4A has no region.
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

    /// The date, `YYYYMMDD` in a valid scope.
    pub fn date(&self) -> &str {
        &self.0.date
    }

    /// The region; `None` in the scope of SigV4A, which has none.
    pub fn region(&self) -> Option<&str> {
        self.0.region.as_deref()
    }

    /// The service.
    pub fn service(&self) -> &str {
        &self.0.service
    }

    /// The last part, `aws4_request` in a valid scope.
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
