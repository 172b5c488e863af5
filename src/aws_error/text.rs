//! AWS's error messages. The verifier writes them and `explain` recognizes them; both use these definitions, so that
//! each message exists only once.
//!
//! A fixed message is a [`Sentence`]. A message with variable parts is a function, built around the constants by which
//! it is recognized. Messages that the verifier never writes are in `explain/recognize/`, next to their meaning.

use alloc::string::String;
use core::fmt::{Display, Write};

use crate::redact::REDACTED;

/// A message, and the part of it that does not vary between services and over time.
#[derive(Clone, Copy)]
pub(crate) struct Sentence {
    pub(crate) text: &'static str,
    pub(crate) known: &'static str,
}

/// Each message in up to three parts; the recognized part is in brackets.
macro_rules! sentences {
    ($($name:ident = $before:literal [$known:expr] $after:literal;)*) => {
        $(pub(crate) const $name: Sentence = Sentence { text: concat!($before, $known, $after), known: $known };)*
    };
}

/// The beginning of both versions of this message.
macro_rules! mismatch {
    () => {
        "The request signature we calculated does not match"
    };
}

// Missing authentication, or authentication of another kind.
sentences! {
    MISSING_TOKEN = "" ["Missing Authentication Token"] "";
    REQUEST_IS_MISSING_TOKEN = "Request is " ["missing Authentication Token"] "";
    ACCESS_DENIED = "" ["Access Denied"] "";
    TWO_MECHANISMS = ""
        ["Found both 'X-Amz-Algorithm'"] " as a query-string param and 'Authorization' as HTTP header.";
    S3_TWO_MECHANISMS = "" ["Only one auth mechanism allowed"]
        "; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should \
         be specified";
    UNSUPPORTED_MECHANISM = "The "
        ["authorization mechanism you have provided is not supported"] ". Please use AWS4-HMAC-SHA256.";
    UNSUPPORTED_TYPE = "" ["Unsupported Authorization Type"] "";
}

// Malformed authorization.
sentences! {
    THREE_COMPONENTS = "the authorization header "
        ["requires three components"] ": Credential, SignedHeaders, and Signature.";
    QUERY_PARAMETERS = "" ["Query-string authentication version 4 requires"]
        " the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires \
         parameters.";
    MALFORMED_CREDENTIAL = "the "
        ["Credential is mal-formed"] "; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
    MALFORMED_SIGV4A_CREDENTIAL = "the "
        ["Credential is mal-formed"] "; expecting \"<YOUR-AKID>/YYYYMMDD/SERVICE/aws4_request\".";
    REGION_SET_REQUIRED = "Authorization with AWS4-ECDSA-P256-SHA256 " ["requires 'X-Amz-Region-Set'"] ".";
    REGION_SET_HEADER_REQUIRED = "" ["Missing required header for this request: x-amz-region-set"] "";
    REGION_SET_PARAMETER_REQUIRED = "SigV4a query auth " ["requires a non empty x-amz-region-set"] " parameter.";
    REGION_SET_MISMATCH = "The provided " ["X-Amz-Region-Set doesn't match"] " against the requested S3 region.";
    DATE_REQUIRED = "AWS authentication " ["requires a valid Date or x-amz-date header"] "";
    DATE_FORMAT = "X-Amz-Date " ["must be in the ISO8601 Long Format"] " \"yyyyMMdd'T'HHmmss'Z'\"";
    EXPIRES_NUMBER = "" ["X-Amz-Expires should be"] " a number";
}

// The payload hash and headers.
sentences! {
    CONTENT_SHA256_REQUIRED = "" ["Missing required header for this request: x-amz-content-sha256"] "";
    CONTENT_SHA256_INVALID = "The " ["value of x-amz-content-sha256 header is invalid"] ".";
    S3_CONTENT_SHA256_INVALID = ""
        ["x-amz-content-sha256 must be"] " UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 value.";
    CONTENT_SHA256_MISMATCH = "The provided "
        ["'x-amz-content-sha256' header does not match"] " what was computed.";
    LAST_CHUNK = "" ["Only the last chunk is allowed"] " to have a size less than 8192 bytes";
    HEADERS_NOT_SIGNED = "There were " ["headers present in the request which were not signed"] "";
}

// Times, keys and signatures.
sentences! {
    EXPIRED = "" ["Request has expired"] "";
    NOT_YET_VALID = "" ["Request is not valid yet"] "";
    UNKNOWN_KEY = "The AWS Access Key Id you provided " ["does not exist in our records"] ".";
    TOKEN_MALFORMED = "The " ["provided token is malformed"] " or otherwise invalid.";
    // For an unknown access key; without the full stop, for a wrong token.
    SECURITY_TOKEN_INVALID = "" ["The security token included in the request is invalid"] ".";
    MISMATCH = "" [mismatch!()]
        " the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service \
         documentation for details.";
    S3_MISMATCH = "" [mismatch!()] " the signature you provided. Check your key and signing method.";
}

// The messages below are recognized by their code, or not at all.
pub(crate) const SKEWED: &str = "The difference between the request time and the current time is too large.";
pub(crate) const TOKEN_EXPIRED: &str = "The security token included in the request is expired";
pub(crate) const S3_TOKEN_EXPIRED: &str = "The provided token has expired.";
pub(crate) const TOO_LONG: &str = "it is too long.";
pub(crate) const SIGNED_HEADERS_ORDER: &str =
    "SignedHeaders must be lower-case header names in ascending order, each once.";
pub(crate) const SIGNED_HEADERS_PARAMETER_ORDER: &str =
    "X-Amz-SignedHeaders must be lower-case header names in ascending order, each once";
pub(crate) const INTERNAL_FAILURE: &str = "Internal failure";
pub(crate) const S3_INTERNAL_ERROR: &str = "We encountered an internal error. Please try again.";

pub(crate) fn given_twice(name: &str) -> String {
    alloc::format!("{name} may be given only once")
}

pub(crate) const NOT_KEY_VALUE: &str = "key=value pair (missing equal-sign)";
/// Followed by the header or its hash.
pub(crate) const ECHOED_HEADER: &str = "Authorization header: '";

/// AWS shows the header here; it is redacted because it may contain a token.
pub(crate) fn not_key_value() -> String {
    alloc::format!("'{REDACTED}' not a valid {NOT_KEY_VALUE} in {ECHOED_HEADER}{REDACTED}'.")
}

pub(crate) const UNSUPPORTED_ALGORITHM: &str = "Unsupported AWS 'algorithm'";

pub(crate) fn unsupported_algorithm(algorithm: &str) -> String {
    alloc::format!("{UNSUPPORTED_ALGORITHM}: '{algorithm}' (only AWS4-HMAC-SHA256 for now). ")
}

pub(crate) fn ambiguous(problem: impl Display) -> String {
    alloc::format!("Authorization is ambiguous or malformed: {problem}.")
}

pub(crate) const HEADER_REQUIRES: &str = "Authorization header requires";

pub(crate) fn header_requires_parameters(names: &[&str]) -> String {
    let mut text = String::new();
    for name in names {
        let _ = write!(text, "{HEADER_REQUIRES} '{name}' parameter. ");
    }
    text + "Authorization=" + REDACTED
}

pub(crate) fn header_requires_date() -> String {
    alloc::format!("{HEADER_REQUIRES} existence of either a 'X-Amz-Date' or a 'Date' header. Authorization={REDACTED}")
}

pub(crate) const QUERY_MUST_INCLUDE: &str = "query-string parameters must include";

pub(crate) fn query_requires_parameters(names: &[&str]) -> String {
    let mut text = String::new();
    for name in names {
        let _ = write!(text, "AWS {QUERY_MUST_INCLUDE} '{name}'. ");
    }
    text + "Re-examine the query-string parameters."
}

pub(crate) const FIVE_ELEMENTS: &str = "exactly 5 slash-delimited elements";
pub(crate) const FOUR_ELEMENTS: &str = "exactly 4 slash-delimited elements";

pub(crate) fn credential_elements(got: &str) -> String {
    alloc::format!("Credential must have {FIVE_ELEMENTS}, e.g. keyid/date/region/service/term, got '{got}'")
}

pub(crate) fn sigv4a_credential_elements(got: &str) -> String {
    alloc::format!("Credential must have {FOUR_ELEMENTS}, e.g. keyid/date/service/term, got '{got}'")
}

pub(crate) fn header_malformed(problem: &str) -> String {
    alloc::format!("The authorization header is malformed; {problem}")
}

pub(crate) const MALFORMED_MISSING: &str = "malformed; missing ";

pub(crate) fn header_lacks(name: &str) -> String {
    alloc::format!("The authorization header is {MALFORMED_MISSING}{name}.")
}

pub(crate) fn credential_parameter(problem: &str) -> String {
    alloc::format!("Error parsing the X-Amz-Credential parameter; {problem}")
}

pub(crate) const COMPONENT: &str = "the authorization component";

pub(crate) fn component_malformed(name: &str) -> String {
    alloc::format!("{COMPONENT} \"{name}\" is malformed.")
}

pub(crate) const BASIC_FORMAT: &str = "ISO-8601 'basic format'";

pub(crate) fn date_format(got: &str) -> String {
    alloc::format!("Date must be in {BASIC_FORMAT}. Got '{got}'. See http://en.wikipedia.org/wiki/ISO_8601")
}

pub(crate) const EXPIRES_MUST_BE: &str = "X-Amz-Expires must be";

pub(crate) fn expires_must_be(rest: impl Display) -> String {
    alloc::format!("{EXPIRES_MUST_BE} {rest}")
}

pub(crate) const MUST_BE_SIGNED: &str = "must be a 'SignedHeader'";
pub(crate) const IN_AUTHORIZATION: &str = " in the AWS Authorization.";

pub(crate) fn headers_must_be_signed(names: &[String]) -> String {
    let mut text = String::new();
    for (index, name) in names.iter().enumerate() {
        let separator = if index > 0 { " " } else { "" };
        let name = if name == "host" { "'Host' or ':authority'" } else { &alloc::format!("'{name}'") };
        let _ = write!(text, "{separator}{name} {MUST_BE_SIGNED}{IN_AUTHORIZATION}");
    }
    text
}

pub(crate) const SIGNED_HEADER_ABSENT: &str = "is named as a SignedHeader, but it does not exist";

pub(crate) fn signed_header_absent(name: &str) -> String {
    alloc::format!("'{name}' {SIGNED_HEADER_ABSENT} in the HTTP request.")
}

pub(crate) const PAYLOAD_HASH: &str = "does not match the computed payload hash";
pub(crate) const COMPUTED_DIGEST: &str = "Computed digest: ";
pub(crate) const EXPECTED_HASH: &str = "expected hash: ";

/// In the wording of Glacier.
pub(crate) fn payload_hash(signed: &str, computed: &str) -> String {
    alloc::format!(
        "The value passed in as x-amz-content-sha256 {PAYLOAD_HASH}. {COMPUTED_DIGEST}{computed} {EXPECTED_HASH}{signed}"
    )
}

/// Followed by the refused value.
pub(crate) const NOT: &str = ", not ";
pub(crate) const REGION_SET_REGION: &str = "X-Amz-Region-Set should name a valid region";
pub(crate) const VALID_REGION: &str = "Credential should be scoped to a valid region";
pub(crate) const CORRECT_SERVICE: &str = "scoped to correct service: ";
pub(crate) const VALID_TERMINATOR: &str = "scoped with a valid terminator";
pub(crate) const DATE_FROM_HTTP: &str = "ISO-8601 version of date from HTTP: ";
pub(crate) const DATES_DIFFER: &str = "' != ";

pub(crate) fn region_set_region(got: &str) -> String {
    alloc::format!("{REGION_SET_REGION}{NOT}'{got}'. ")
}

pub(crate) fn valid_region(got: &str) -> String {
    alloc::format!("{VALID_REGION}{NOT}'{got}'. ")
}

pub(crate) fn correct_service(expected: &str) -> String {
    alloc::format!("Credential should be {CORRECT_SERVICE}'{expected}'. ")
}

pub(crate) fn valid_terminator(got: &str) -> String {
    alloc::format!("Credential should be {VALID_TERMINATOR}: 'aws4_request'{NOT}'{got}'. ")
}

pub(crate) fn scope_date(got: &str, expected: &str, signed: impl Display) -> String {
    alloc::format!(
        "Date in Credential scope does not match YYYYMMDD from {DATE_FROM_HTTP}'{got}{DATES_DIFFER}'{expected}', from \
         '{signed}'."
    )
}

pub(crate) const REGION_IS_WRONG: &str = "is wrong; expecting ";
pub(crate) const INCORRECT_SERVICE: &str = "incorrect service ";
pub(crate) const BELONGS_TO: &str = "belongs to ";
pub(crate) const INCORRECT_TERMINAL: &str = "incorrect terminal ";
pub(crate) const INCORRECT_DATE_FORMAT: &str = "incorrect date format ";
pub(crate) const INVALID_DATE: &str = "Invalid credential date";
pub(crate) const SAME_AS_DATE: &str = "the same as X-Amz-Date: ";

pub(crate) fn s3_region(got: &str, expected: &str) -> String {
    alloc::format!("the region '{got}' {REGION_IS_WRONG}'{expected}'")
}

pub(crate) fn s3_service(got: &str, expected: &str) -> String {
    alloc::format!("{INCORRECT_SERVICE}\"{got}\". This endpoint {BELONGS_TO}\"{expected}\".")
}

pub(crate) fn s3_terminator(got: &str) -> String {
    alloc::format!("{INCORRECT_TERMINAL}\"{got}\". This endpoint uses \"aws4_request\".")
}

pub(crate) fn s3_date_format(got: &str) -> String {
    alloc::format!("{INCORRECT_DATE_FORMAT}\"{got}\". This date in the credential must be in the format \"yyyyMMdd\".")
}

pub(crate) fn s3_date() -> String {
    alloc::format!("{INVALID_DATE}. Date is not the same as X-Amz-Date.")
}

pub(crate) fn s3_date_parameter(got: &str, signed: impl Display) -> String {
    alloc::format!("{INVALID_DATE} \"{got}\". This date is not {SAME_AS_DATE}\"{signed}\".")
}

pub(crate) const SIGNATURE_EXPIRED: &str = "Signature expired:";
pub(crate) const SIGNATURE_NOT_YET_CURRENT: &str = "Signature not yet current:";
pub(crate) const MINUS: &str = " - ";
pub(crate) const MINUTES: &str = "min";
pub(crate) const SECONDS: &str = "sec";
pub(crate) const LENGTH_ENDS: &str = ".)";

pub(crate) fn signature_expired(
    signed: impl Display,
    earliest: impl Display,
    now: impl Display,
    seconds: u64,
) -> String {
    let length = length(seconds);
    alloc::format!("{SIGNATURE_EXPIRED} {signed} is now earlier than {earliest} ({now}{MINUS}{length}{LENGTH_ENDS}")
}

pub(crate) fn signature_not_yet_current(
    signed: impl Display,
    latest: impl Display,
    now: impl Display,
    seconds: u64,
) -> String {
    let length = length(seconds);
    alloc::format!("{SIGNATURE_NOT_YET_CURRENT} {signed} is still later than {latest} ({now} + {length}{LENGTH_ENDS}")
}

fn length(seconds: u64) -> String {
    match seconds {
        _ if seconds.is_multiple_of(60) => alloc::format!("{} {MINUTES}", seconds / 60),
        _ => alloc::format!("{seconds} {SECONDS}"),
    }
}

/// Followed by the canonical request and a quotation mark.
pub(crate) const CANONICAL_STRING: &str = "The Canonical String for this request should have been\n'";
/// Followed by the string to sign and a quotation mark.
pub(crate) const STRING_TO_SIGN: &str = "The String-to-Sign should have been\n'";

pub(crate) fn mismatch_with(canonical_request: &str, string_to_sign: &str) -> String {
    alloc::format!("{}\n\n{CANONICAL_STRING}{canonical_request}'\n\n{STRING_TO_SIGN}{string_to_sign}'\n", MISMATCH.text)
}
