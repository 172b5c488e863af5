use core::fmt;

use alloc::string::String;

use crate::sigv4::algorithm::Algorithm;
use crate::text::{all, excerpt};

/// The credential scope: what a signing key is good for, written `20150830/us-east-1/iam/aws4_request`.
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

impl<'a> Scope<'a> {
    /// A scope from its parts: `date` as `YYYYMMDD`, region and service as AWS writes them (`us-east-1`,
    /// `execute-api`).
    ///
    /// # Errors
    /// [`ScopeError`] if the date is not eight digits, or region or service is empty or holds anything but visible
    /// ASCII without `/` and `,`.
    pub fn new(date: &'a str, region: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        if date.len() != 8 || !all(date.as_bytes(), |b| b.is_ascii_digit()) {
            return Err(ScopeError::Date { got: excerpt(date.as_bytes()) });
        }
        for (field, value) in [("region", region), ("service", service)] {
            if value.is_empty() {
                return Err(ScopeError::Empty { field });
            }
            if !all(value.as_bytes(), |b| b.is_ascii_graphic() & (b != b'/') & (b != b',')) {
                return Err(ScopeError::Character { field, got: excerpt(value.as_bytes()) });
            }
        }
        Ok(Self { algorithm: Algorithm::HmacSha256, date, region, service })
    }

    pub(crate) fn checked_without_region(date: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        let checked = Self::new(date, "*", service)?;
        Ok(Self { algorithm: Algorithm::EcdsaP256Sha256, region: "", ..checked })
    }

    /// Reads `DATE/REGION/SERVICE/aws4_request`.
    ///
    /// # Errors
    /// [`ScopeError`], as for [`Scope::new`], or if there are not four parts with that last one.
    pub fn parse(text: &'a str) -> Result<Self, ScopeError> {
        let form = || ScopeError::Form { got: excerpt(text.as_bytes()) };
        let (scope, terminator) = text.rsplit_once('/').ok_or_else(form)?;
        if terminator != TERMINATOR {
            return Err(form());
        }
        let (date_region, service) = scope.rsplit_once('/').ok_or_else(form)?;
        let (date, region) = date_region.rsplit_once('/').ok_or_else(form)?;
        Self::new(date, region, service)
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

    /// `us-east-1`; empty in the scope of SigV4A, which has none.
    pub fn region(&self) -> &'a str {
        self.region
    }

    /// `execute-api`.
    pub fn service(&self) -> &'a str {
        self.service
    }

    /// Hands over the printed scope in pieces: the one printer, for text and for the hash.
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
    /// Region or service is empty.
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
            "20150830//iam/aws4_request",
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
}
