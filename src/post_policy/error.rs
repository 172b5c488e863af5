use alloc::string::String;
use alloc::vec::Vec;

use super::MAX_CONDITIONS;
use crate::sign::SignError;
use crate::sigv4::timestamp::Timestamp;
use crate::verify::{ScopeParts, VerifyError};

/// The reason why a POST policy was not signed, or why a form is refused.
///
/// [`PolicyError::refusal`] is the response to the client in S3's wording. It contains no secret, no session token and
/// no signature.
///
/// ```
/// use countersign::post_policy::PolicyError;
/// use countersign::{ErrorFormat, Verifier, VerifyError};
///
/// let verifier = Verifier::new("us-east-1", "s3")?;
/// let now = "20151229T000000Z".parse()?;
/// let error = verifier.parse_form("examplebucket", [("key", "a.txt")], now).unwrap_err();
/// assert_eq!(error, PolicyError::Verify(VerifyError::MissingAuthentication));
/// assert_eq!(error.refusal(ErrorFormat::S3Xml).code(), "AccessDenied");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The signer can't sign: its credentials have expired, or its region or service is not suitable.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The form's signature, time, access key or session token is not accepted.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// The form has too many fields.
    #[error("the form has more than {limit} fields before the file")]
    TooManyFields {
        /// The maximum number of fields.
        limit: usize,
    },
    /// The names and values of the fields together are longer than S3 accepts.
    #[error("the form fields before the file are too long: {length} bytes or more, the limit is {limit}")]
    FieldsTooLong {
        /// The length in bytes up to and including the field that exceeded the limit.
        length: usize,
        /// The maximum length in bytes.
        limit: usize,
    },
    /// A field appears more than once; names are compared ignoring case.
    #[error("the form field {name:?} appears more than once")]
    RepeatedField {
        /// The name of the field, shortened if it is long.
        name: String,
    },
    /// A required field is missing, or comes after the file.
    #[error("the form has no field {name} before the file")]
    MissingField {
        /// The name of the field.
        name: &'static str,
    },
    /// The form is signed with an algorithm other than `AWS4-HMAC-SHA256`.
    #[error("the form is signed with {algorithm:?}; only AWS4-HMAC-SHA256 is supported")]
    UnsupportedAlgorithm {
        /// The algorithm of the form, shortened if it is long; `AWS` for Signature Version 2.
        algorithm: String,
    },
    /// `x-amz-credential` is not `ID/DATE/REGION/SERVICE/aws4_request`.
    #[error("x-amz-credential is {got:?}, which is not of the form ID/DATE/REGION/SERVICE/aws4_request")]
    MalformedCredential {
        /// The value from the form, shortened if it is long.
        got: String,
    },
    /// `x-amz-date` is not `YYYYMMDDTHHMMSSZ`.
    #[error("x-amz-date is {got:?}, which is not a UTC time of the form YYYYMMDDTHHMMSSZ")]
    MalformedDate {
        /// The value from the form, shortened if it is long.
        got: String,
    },
    /// The date, region, service or terminator of the credential scope is not what this server expects.
    #[error("the credential scope is {got}, but must be {expected}")]
    WrongScope {
        /// The whole credential, shortened if it is long.
        credential: String,
        /// The scope of the form.
        got: ScopeParts,
        /// The scope that the verifier expects.
        expected: ScopeParts,
        /// The `x-amz-date` of the form.
        signed: Timestamp,
    },
    /// The policy is not base64 with padding and without white space.
    #[error("the policy is not valid base64")]
    NotBase64,
    /// The policy is not a JSON object as defined by [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259).
    #[error("the policy is not a valid JSON object")]
    NotJson,
    /// The policy has a member other than `expiration` and `conditions`, or has one of them twice.
    #[error("the policy has the unexpected or repeated member {name:?}")]
    UnexpectedMember {
        /// The name of the member, shortened if it is long.
        name: String,
    },
    /// The policy has no `expiration`.
    #[error("the policy has no expiration")]
    MissingExpiration,
    /// The `expiration` is not a UTC time of the form `YYYY-MM-DDTHH:MM:SSZ`, with or without a fraction.
    #[error("the expiration {got:?} is not a UTC time of the form YYYY-MM-DDTHH:MM:SSZ")]
    MalformedExpiration {
        /// The value from the policy, shortened if it is long; empty if it is not a string.
        got: String,
    },
    /// The policy has no list of `conditions`.
    #[error("the policy has no list of conditions")]
    MissingConditions,
    /// The policy has too many conditions.
    #[error("the policy has more than {MAX_CONDITIONS} conditions")]
    TooManyConditions,
    /// A condition written as an object must have exactly one member, whose value is a string.
    #[error("a condition written as an object must have exactly one member, whose value is a string")]
    SimpleCondition {
        /// The number of members.
        members: usize,
    },
    /// A condition is neither an object nor a list that begins with an operator.
    #[error("a condition must be an object, or a list that begins with an operator")]
    NotACondition,
    /// A condition has an operator other than `eq`, `starts-with` and `content-length-range`.
    #[error("the operator {operator:?} is unknown; use eq, starts-with or content-length-range")]
    UnknownOperator {
        /// The operator, shortened if it is long.
        operator: String,
    },
    /// An operator does not have exactly two arguments of the right type.
    #[error("the operator {operator} needs exactly two arguments of the right type")]
    Arguments {
        /// The operator.
        operator: &'static str,
    },
    /// A condition uses `starts-with` for a field that requires an exact match.
    #[error("the field {field:?} requires an exact match; use eq instead of starts-with")]
    OnlyExact {
        /// The condition as S3 prints it.
        condition: String,
        /// The name of the field.
        field: String,
    },
    /// A field has an empty name, or its name or value contains a control character, which a browser would not send as
    /// is.
    #[error("the form field {name:?} has an empty name or contains a control character")]
    Unsendable {
        /// The name of the field, shortened if it is long.
        name: String,
    },
    /// The policy has expired, or its signature is older than [`Limits::max_presign`](crate::Limits::max_presign).
    #[error("the policy expired at {expires_at}, the current time is {now}")]
    Expired {
        /// When it expired.
        expires_at: Timestamp,
        /// The time of signing or verifying.
        now: Timestamp,
    },
    /// A condition is not met: the field has another value, or is missing.
    #[error("the condition {condition} is not met")]
    ConditionFailed {
        /// The condition as S3 prints it.
        condition: String,
    },
    /// Fields, or the bucket, are not covered by any condition.
    #[error("no condition of the policy names {}", names.join(", "))]
    ExtraFields {
        /// The names of these fields, at most 16.
        names: Vec<String>,
    },
    /// The form has a field `bucket` that differs from the bucket it was sent to.
    #[error("the form names the bucket {got:?}, but was sent to another bucket")]
    OtherBucket {
        /// The value from the form, shortened if it is long.
        got: String,
    },
    /// The file is longer than the policy allows.
    #[error("the file is {length} bytes long; the policy allows at most {limit}")]
    FileTooLong {
        /// The length in bytes.
        length: u64,
        /// The maximum in bytes.
        limit: u64,
    },
    /// The file is shorter than the policy allows.
    #[error("the file is {length} bytes long; the policy requires at least {limit}")]
    FileTooShort {
        /// The length in bytes.
        length: u64,
        /// The minimum in bytes.
        limit: u64,
    },
}
