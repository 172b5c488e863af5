//! The headers and query parameters whose values are secret: one list for `Display`, `http` and explanations.

#[cfg(any(feature = "credentials", feature = "explain"))]
pub(crate) mod text;

use crate::text::percent::decoded;

const SECRET_HEADERS: [&str; 11] = [
    "authorization",
    "cookie",
    "proxy-authorization",
    "set-cookie",
    "x-amz-copy-source-server-side-encryption-customer-key",
    "x-amz-copy-source-server-side-encryption-customer-key-md5",
    "x-amz-s3session-token",
    "x-amz-security-token",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-server-side-encryption-customer-key-md5",
    "x-api-key",
];
const SECRET_PARAMETERS: [&str; 3] = ["X-Amz-S3session-Token", "X-Amz-Security-Token", "X-Amz-Signature"];

pub(crate) const REDACTED: &str = "[redacted]";

/// Returns `true` if the value of a header is a secret, or lets its holder act as the sender: keep it out of logs. Covers
/// credentials, cookies, session tokens and customer-provided encryption keys. Names are compared ignoring case.
///
/// ```
/// use countersign::is_secret_header;
///
/// assert!(is_secret_header("Authorization") && is_secret_header("x-amz-security-token"));
/// assert!(!is_secret_header("x-amz-date"));
/// ```
pub fn is_secret_header(name: &str) -> bool {
    SECRET_HEADERS.iter().any(|secret| name.eq_ignore_ascii_case(secret))
}

/// Like [`is_secret_header`], for a query parameter, which may stand for an `x-amz-*` header. The name may be
/// percent-encoded, since the query need not be canonical.
///
/// ```
/// use countersign::is_secret_parameter;
///
/// assert!(is_secret_parameter("X-Amz-Signature") && is_secret_parameter("X%2DAmz%2DSecurity%2DToken"));
/// assert!(!is_secret_parameter("X-Amz-Date"));
/// ```
pub fn is_secret_parameter(name: &str) -> bool {
    let decoded = decoded(name.as_bytes());
    let headers = SECRET_HEADERS.iter().filter(|header| header.starts_with("x-amz-"));
    SECRET_PARAMETERS.iter().chain(headers).any(|secret| decoded.eq_ignore_ascii_case(secret.as_bytes()))
}
