//! A form of a browser upload.

use alloc::string::{String, ToString};

use super::error::PolicyError;
use crate::aws_error::{Dialect, Refusal};
use crate::verify::wrong_scope;

impl PolicyError {
    /// The answer to the client, as S3 words it: no other service takes such forms. Texts that were never seen from S3
    /// follow the form of those that were.
    pub fn refusal(&self, dialect: Dialect) -> Refusal {
        refusal(self, dialect)
    }
}

fn refusal(error: &PolicyError, dialect: Dialect) -> Refusal {
    let invalid = |message: String| Refusal::new(dialect, 400, "InvalidPolicyDocument", message.into());
    let denied = |message: String| Refusal::new(dialect, 403, "AccessDenied", message.into());
    let argument = |message: String, name: &str, value: String| {
        Refusal::new(dialect, 400, "InvalidArgument", message.into())
            .with([("ArgumentName", String::from(name)), ("ArgumentValue", value)])
    };
    match error {
        // Nobody is refused for what the server signs itself.
        PolicyError::Sign(_) => Refusal::internal(dialect),
        PolicyError::Verify(error) => error.refusal(dialect),
        PolicyError::TooManyFields { .. } | PolicyError::FieldsTooLong { .. } => Refusal::new(
            dialect,
            400,
            "MaxPostPreDataLengthExceeded",
            "Your POST request fields preceeding the upload file was too large.".into(),
        )
        .with([("MaxPostPreDataLengthBytes", crate::post_policy::MAX_FIELD_BYTES.to_string())]),
        PolicyError::RepeatedField { name } => {
            argument(alloc::format!("{name} may be given only once"), name, String::new())
        }
        PolicyError::MissingField { name } => argument(
            alloc::format!(
                "Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the \
                 fields."
            ),
            name,
            String::new(),
        ),
        PolicyError::UnsupportedAlgorithm { .. } => Refusal::new(
            dialect,
            400,
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.".into(),
        ),
        PolicyError::MalformedCredential { got } => argument(
            "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".".into(),
            "X-Amz-Credential",
            got.clone(),
        ),
        PolicyError::MalformedDate { got } => {
            argument("X-Amz-Date must be formated via ISO8601 Long format".into(), "X-Amz-Date", got.clone())
        }
        PolicyError::WrongScope { credential, got, expected, signed } => {
            let (problem, _) = wrong_scope::s3(got, expected, *signed);
            argument(problem, "X-Amz-Credential", credential.clone()).with(wrong_scope::region_detail(got, expected))
        }
        PolicyError::NotBase64 => invalid("Invalid Policy: invalid Base64 encoding.".into()),
        PolicyError::NotJson => invalid("Invalid Policy: Invalid JSON.".into()),
        PolicyError::UnexpectedMember { name } => {
            invalid(alloc::format!("Invalid Policy: Unexpected: '{}'", name.to_lowercase()))
        }
        PolicyError::MissingExpiration => invalid("Invalid Policy: Policy missing expiration.".into()),
        PolicyError::MalformedExpiration { got } => {
            invalid(alloc::format!("Invalid Policy: Invalid 'expiration' value: '{got}'"))
        }
        PolicyError::MissingConditions => invalid("Invalid Policy: Policy missing conditions.".into()),
        PolicyError::TooManyConditions => invalid("Invalid Policy: Too many conditions.".into()),
        PolicyError::SimpleCondition { members: 1 } => {
            invalid("Invalid Policy: Invalid Simple-Condition: value must be a string.".into())
        }
        PolicyError::SimpleCondition { .. } => invalid(
            "Invalid Policy: Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
                .into(),
        ),
        PolicyError::NotACondition => {
            invalid("Invalid Policy: Invalid Condition: missing operation identifier.".into())
        }
        PolicyError::UnknownOperator { operator } => {
            invalid(alloc::format!("Invalid Policy: Invalid Condition: unknown operation '{operator}'."))
        }
        PolicyError::Arguments { operator } => {
            invalid(alloc::format!("Invalid Policy: Invalid {operator}: wrong number or type of arguments."))
        }
        PolicyError::Unsendable { name } => argument("The field can't be read".into(), name, String::new()),
        PolicyError::Expired { .. } => denied("Invalid according to Policy: Policy expired.".into()),
        PolicyError::OnlyExact { condition, .. } | PolicyError::ConditionFailed { condition } => {
            denied(alloc::format!("Invalid according to Policy: Policy Condition failed: {condition}"))
        }
        PolicyError::ExtraFields { names } => {
            denied(alloc::format!("Invalid according to Policy: Extra input fields: {}", names.join(", ")))
        }
        PolicyError::OtherBucket { got } => {
            let condition = super::condition::printed("eq", "$bucket", got);
            denied(alloc::format!("Invalid according to Policy: Policy Condition failed: {condition}"))
        }
        PolicyError::FileTooLong { length, limit } => {
            Refusal::new(dialect, 400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size".into())
                .with([("ProposedSize", length.to_string()), ("MaxSizeAllowed", limit.to_string())])
        }
        PolicyError::FileTooShort { length, limit } => Refusal::new(
            dialect,
            400,
            "EntityTooSmall",
            "Your proposed upload is smaller than the minimum allowed size".into(),
        )
        .with([("ProposedSize", length.to_string()), ("MinSizeAllowed", limit.to_string())]),
    }
}
