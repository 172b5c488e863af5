//! Step 5: the `Authorization` header and the `X-Amz-*` query parameters: `write` formats them, `header` and `query` parse
//! them into `claims`.

mod claims;
mod credential;
mod header;
mod query;
#[cfg(test)]
mod tests;
mod write;

use alloc::string::String;
use alloc::vec::Vec;

pub(crate) use self::claims::{Claims, Place};
pub(crate) use self::header::parse_header;
pub(crate) use self::query::{
    has_algorithm, is_own_in_another_case, is_presign_parameter, is_presigned, parse_query, pinned_content_sha256,
};
pub(crate) use self::write::{
    PrintedScope, QueryParameters, header_length, header_start, query_start, write_header, write_parameter,
    write_parameter_name,
};
use super::algorithm::Algorithm;

pub(crate) const X_AMZ_ALGORITHM: &str = "X-Amz-Algorithm";
pub(crate) const X_AMZ_CREDENTIAL: &str = "X-Amz-Credential";
pub(crate) const X_AMZ_DATE: &str = "X-Amz-Date";
pub(crate) const X_AMZ_EXPIRES: &str = "X-Amz-Expires";
pub(crate) const X_AMZ_REGION_SET: &str = "X-Amz-Region-Set";
pub(crate) const X_AMZ_SIGNED_HEADERS: &str = "X-Amz-SignedHeaders";
pub(crate) const X_AMZ_SIGNATURE: &str = "X-Amz-Signature";
pub(crate) const X_AMZ_CONTENT_SHA256: &str = "X-Amz-Content-Sha256";

/// The maximum length of an `Authorization` header, in bytes.
pub(crate) const MAX_AUTHORIZATION: usize = 65_536;

/// Where a request carries its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// In the `Authorization` header.
    Header,
    /// In the query of a presigned URL.
    Query,
    /// In the fields of an HTML form.
    Form,
}

impl Location {
    /// Returns the name of the location for messages.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Header => "Authorization header",
            Self::Query => "presigned query",
            Self::Form => "form",
        }
    }
}

/// An error for an `Authorization` header or a presigned query that can't be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClaimError {
    Scheme { scheme: String },
    Algorithm { algorithm: String },
    NotKeyValue,
    UnknownParameter { name: String },
    Repeated { name: &'static str },
    Missing { names: Vec<&'static str> },
    Credential { algorithm: Algorithm, got: String },
    SignedHeaders,
    TooManySignedHeaders,
    Signature { algorithm: Algorithm },
}

impl ClaimError {
    fn missing(found: &[(&'static str, claims::Found)]) -> Self {
        let missing = found.iter().filter(|(_, found)| found.is_none());
        Self::Missing { names: missing.map(|(name, _)| *name).collect() }
    }
}
