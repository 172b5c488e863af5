//! Sentences of AWS's that the verifier never writes; explain recognises them by these parts.

pub(crate) const VERSION_4_REQUIRED: &str = "require AWS Signature Version 4";
pub(crate) const VERSION_2_UNSUPPORTED: &str = "does not support AWS Signature Version 2";
pub(crate) const ALGORITHM_PARAMETER: &str = "X-Amz-Algorithm only supports";
pub(crate) const ONE_SPACE: &str = "one and only one ' '";
pub(crate) const ANONYMOUS_CONTENT_SHA256: &str = "anonymous requests don't support this x-amz-content-sha256";
pub(crate) const NOT_SIGNED: &str = "The request was not signed";
pub(crate) const EXPLICIT_DENY: &str = "explicit deny";
pub(crate) const NO_PERMISSIONS: &str = "no permissions for [";
/// Of a caller without credentials.
pub(crate) const ANONYMOUS: &str = "anonymous";
pub(crate) const NOT_AUTHORIZED_TO_PERFORM: &str = "not authorized to perform";
pub(crate) const NOT_AUTHORIZED_TO_ACCESS: &str = "not authorized to access this resource";
/// Of a token authorizer.
pub(crate) const INCOMING_TOKEN_EXPIRED: &str = "The incoming token has expired";
pub(crate) const COULD_NOT_BE_SATISFIED: &str = "The request could not be satisfied";
pub(crate) const FORBIDDEN: &str = "Forbidden";
pub(crate) const NOT_FOUND: &str = "Not Found";
pub(crate) const NO_ROUTE: &str = "no Route matched";
