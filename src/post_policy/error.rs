use alloc::string::String;
use alloc::vec::Vec;

use super::MAX_CONDITIONS;
use crate::sign::SignError;
use crate::sigv4::timestamp::Timestamp;
use crate::verify::{ScopeParts, VerifyError};

/// Why a POST policy was not signed, or a form under one is refused.
///
/// [`PolicyError::refusal`] words the answer as S3 does. It holds no secret, no session token and no signature.
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
    /// The signer can't sign now, or not at all: expired credentials, its region or service.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The signature of the form, its time, its key or its session token.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// There are more fields than are read.
    #[error("the form has more than {limit} fields before the file")]
    TooManyFields {
        /// How many are read.
        limit: usize,
    },
    /// Names and values of the fields together are longer than S3 reads.
    #[error("the fields before the file have {length} bytes, at most {limit} are read")]
    FieldsTooLong {
        /// Bytes, up to the field that was too much.
        length: usize,
        /// Bytes.
        limit: usize,
    },
    /// A field appears more than once; names are compared without regard to case.
    #[error("the form field {name:?} appears more than once")]
    RepeatedField {
        /// Its name, shortened if it is long.
        name: String,
    },
    /// A field that every signed form has is missing, or stands behind the file.
    #[error("the form has no field {name}; fields behind the file don't count")]
    MissingField {
        /// Its name.
        name: &'static str,
    },
    /// The form is signed with another algorithm than `AWS4-HMAC-SHA256`.
    #[error("the form is signed with {algorithm:?}, not with AWS4-HMAC-SHA256")]
    UnsupportedAlgorithm {
        /// What was given, shortened if it is long; `AWS` for Signature Version 2.
        algorithm: String,
    },
    /// `x-amz-credential` is not `ID/DATE/REGION/SERVICE/aws4_request`.
    #[error("x-amz-credential is {got:?}, not of the form ID/DATE/REGION/SERVICE/aws4_request")]
    MalformedCredential {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// `x-amz-date` is not `YYYYMMDDTHHMMSSZ`.
    #[error("x-amz-date is {got:?}, no time in UTC of the form YYYYMMDDTHHMMSSZ")]
    MalformedDate {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// The credential is not for this server: date, region, service, terminator.
    #[error("the scope {got} is not {expected}")]
    WrongScope {
        /// The whole credential, shortened if it is long.
        credential: String,
        /// The scope of the form.
        got: ScopeParts,
        /// What it has to be.
        expected: ScopeParts,
        /// `x-amz-date` of the form.
        signed: Timestamp,
    },
    /// The policy is not base64, with padding and without white space.
    #[error("the policy is not base64")]
    NotBase64,
    /// The policy is not JSON by [RFC 8259](https://www.rfc-editor.org/rfc/rfc8259).
    #[error("the policy is not JSON")]
    NotJson,
    /// The policy has a member besides `expiration` and `conditions`, or one of them twice.
    #[error("the policy has an unexpected member {name:?}")]
    UnexpectedMember {
        /// Its name, shortened if it is long.
        name: String,
    },
    /// The policy has no `expiration`.
    #[error("the policy has no expiration")]
    MissingExpiration,
    /// The `expiration` is not a UTC time of the form `YYYY-MM-DDTHH:MM:SSZ`, with or without a fraction.
    #[error("the expiration {got:?} is not a UTC time of the form YYYY-MM-DDTHH:MM:SSZ")]
    MalformedExpiration {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// The policy has no list of `conditions`.
    #[error("the policy has no list of conditions")]
    MissingConditions,
    /// The policy has too many conditions.
    #[error("the policy has more than {MAX_CONDITIONS} conditions")]
    TooManyConditions,
    /// A condition written as an object has not exactly one member, whose value is a string.
    #[error("a condition written as an object has to have one member, and a string for its value")]
    SimpleCondition {
        /// How many members it has.
        members: usize,
    },
    /// A condition is neither an object nor a list that begins with an operator.
    #[error("a condition is neither an object nor a list that begins with an operator")]
    NotACondition,
    /// An operator that is none of `eq`, `starts-with` and `content-length-range`.
    #[error("the operator {operator:?} is none of eq, starts-with and content-length-range")]
    UnknownOperator {
        /// What was given, shortened if it is long.
        operator: String,
    },
    /// An operator without its two arguments.
    #[error("the operator {operator} doesn't have its two arguments")]
    Arguments {
        /// The operator.
        operator: &'static str,
    },
    /// `starts-with` on a field that is only ever compared whole.
    #[error("{field:?} can only be compared whole, not by starts-with")]
    OnlyExact {
        /// The condition, as the policy has it.
        condition: String,
        /// The field, shortened if it is long.
        field: String,
    },
    /// A field has no name, or holds a control character: a browser would not send it as it is.
    #[error("the form field {name:?} has no name, or holds a control character")]
    Unsendable {
        /// Its name, shortened if it is long.
        name: String,
    },
    /// The policy has ended, or the signature is older than any may be.
    #[error("the policy ended at {expires_at}, now is {now}")]
    Expired {
        /// When it ended.
        expires_at: Timestamp,
        /// The verifier's time.
        now: Timestamp,
    },
    /// A condition is not met: the field has another value, or is not there.
    #[error("the condition {condition} is not met")]
    ConditionFailed {
        /// The condition, as S3 prints it.
        condition: String,
    },
    /// Fields, or the bucket, that no condition names.
    #[error("no condition of the policy names {}", names.join(", "))]
    ExtraFields {
        /// Which; at most 16 are named.
        names: Vec<String>,
    },
    /// The form's field `bucket` names another bucket than the one it was sent to.
    #[error("the form names the bucket {got:?}, and was sent to another")]
    OtherBucket {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// The file is longer than the policy allows.
    #[error("the file has {length} bytes, at most {limit} are allowed")]
    FileTooLong {
        /// Bytes.
        length: u64,
        /// Bytes.
        limit: u64,
    },
    /// The file is shorter than the policy allows.
    #[error("the file has {length} bytes, at least {limit} are needed")]
    FileTooShort {
        /// Bytes.
        length: u64,
        /// Bytes.
        limit: u64,
    },
}
