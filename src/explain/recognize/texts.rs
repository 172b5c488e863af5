//! What AWS's words mean, where they need no value of the response.

use crate::explain::cause::Cause;

/// Texts that need no value of the response, in lower case. A text of AWS's is found by what it always holds.
pub(super) const TEXTS: &[(&str, &[Cause])] = &[
    ("found both 'x-amz-algorithm'", &[Cause::TwoCredentials]),
    ("only one auth mechanism allowed", &[Cause::TwoCredentials]),
    ("authorization mechanism you have provided is not supported", &[Cause::SignatureVersion2]),
    ("require aws signature version 4", &[Cause::SignatureVersion2]),
    ("unsupported aws 'algorithm'", &[Cause::MalformedAuthorization]),
    ("x-amz-algorithm only supports", &[Cause::MalformedAuthorization]),
    ("query-string parameters must include", &[Cause::MalformedAuthorization]),
    ("query-string authentication version 4 requires", &[Cause::MalformedAuthorization]),
    ("one and only one ' '", &[Cause::MalformedAuthorization, Cause::WhitespaceInCredentials]),
    ("unsupported authorization type", &[Cause::OtherAuthorization]),
    ("iso-8601 'basic format'", &[Cause::DateMalformed]),
    ("must be in the iso8601 long format", &[Cause::DateMalformed]),
    ("requires a valid date or x-amz-date header", &[Cause::DateMalformed]),
    ("exactly 5 slash-delimited elements", &[Cause::MalformedAuthorization]),
    ("exactly 4 slash-delimited elements", &[Cause::MalformedAuthorization]),
    ("missing required header for this request: x-amz-region-set", &[Cause::MalformedAuthorization]),
    ("requires a non empty x-amz-region-set", &[Cause::MalformedAuthorization]),
    ("requires 'x-amz-region-set'", &[Cause::MalformedAuthorization]),
    ("credential is mal-formed", &[Cause::MalformedAuthorization]),
    ("malformed; missing ", &[Cause::MalformedAuthorization]),
    ("the authorization component", &[Cause::MalformedAuthorization]),
    ("requires three components", &[Cause::MalformedAuthorization]),
    ("x-amz-expires must be", &[Cause::PresignLifetime]),
    ("x-amz-expires should be", &[Cause::PresignLifetime]),
    ("anonymous requests don't support this x-amz-content-sha256", &[Cause::NotSigned, Cause::SignatureLost]),
    ("missing required header for this request: x-amz-content-sha256", &[Cause::ContentSha256]),
    ("value of x-amz-content-sha256 header is invalid", &[Cause::ContentSha256]),
    ("x-amz-content-sha256 must be", &[Cause::ContentSha256]),
    ("provided token is malformed", &[Cause::TokenInvalid]),
    ("only the last chunk is allowed", &[Cause::BodyFraming]),
    ("the request was not signed", &[Cause::NotSigned, Cause::SignatureLost]),
    ("does not support aws signature version 2", &[Cause::SignatureVersion2]),
    ("explicit deny", &[Cause::PolicyDenies]),
    ("no permissions for [", &[Cause::PolicyDenies]),
    // Of a token authorizer.
    ("the incoming token has expired", &[Cause::OtherAuthorizationExpected]),
    ("the request could not be satisfied", &[Cause::RefusedOnTheWay]),
];

/// Codes, where no text said more. Without `Exception` at the end, which JSON services add.
pub(super) const CODES: &[(&str, &[Cause])] = &[
    ("MalformedQueryString", &[Cause::MalformedRequest]),
    ("InvalidURI", &[Cause::MalformedRequest]),
    ("IncompleteSignature", &[Cause::MalformedAuthorization]),
    ("AuthorizationHeaderMalformed", &[Cause::MalformedAuthorization]),
    ("AuthorizationQueryParametersError", &[Cause::MalformedAuthorization]),
    ("InvalidSignature", &[Cause::Mismatch]),
    ("SignatureDoesNotMatch", &[Cause::Mismatch]),
    ("InvalidAccessKeyId", &[Cause::UnknownAccessKey, Cause::TokenMissing]),
    ("TokenRefreshRequired", &[Cause::TokenExpired]),
    ("InvalidToken", &[Cause::TokenInvalid]),
    ("MissingSecurityElement", &[Cause::NotSigned]),
    ("InvalidSecurity", &[Cause::UnknownAccessKey, Cause::WrongSecret]),
    ("UnsupportedSignature", &[Cause::SignatureVersion2]),
    ("CredentialsNotSupported", &[Cause::TwoCredentials]),
    ("XAmzContentSHA256Mismatch", &[Cause::BodyChanged]),
    ("BadDigest", &[Cause::BodyChanged]),
    ("IncompleteBody", &[Cause::BodyFraming]),
    ("InvalidChunkSizeError", &[Cause::BodyFraming]),
    ("MalformedTrailerError", &[Cause::BodyFraming]),
    ("NotSignedUp", &[Cause::NotAboutSignature]),
    ("WAFFiltered", &[Cause::ForbiddenWithoutReason]),
    ("InvalidApiKey", &[Cause::ForbiddenWithoutReason]),
    ("AccessDenied", &[Cause::PolicyDenies]),
    ("AuthorizerFailure", &[Cause::OtherAuthorizationExpected]),
    ("AuthorizerConfiguration", &[Cause::OtherAuthorizationExpected]),
    ("Unauthorized", &[Cause::OtherAuthorizationExpected]),
];

/// Texts of a mismatch, in lower case.
pub(super) const MISMATCH: &str = "the request signature we calculated does not match";
