//! The wording of refusals of browser upload forms.

use alloc::string::{String, ToString};

use super::MAX_FIELD_BYTES;
use super::condition::printed;
use super::error::PolicyError;
use crate::aws_error::form::{AGAINST_POLICY, INVALID_POLICY, MISSING_FIELD};
use crate::aws_error::{ErrorFormat, Refusal, text};
use crate::verify::wrong_scope;

impl PolicyError {
    /// Returns the response to the client in S3's wording, since no other service accepts such forms. Messages that
    /// have not been observed from S3 follow the style of those that have.
    pub fn refusal(&self, format: ErrorFormat) -> Refusal {
        let answer = |status, code, message: &str| Refusal::new(format, status, code, String::from(message));
        let invalid =
            |problem: String| answer(400, "InvalidPolicyDocument", &alloc::format!("{INVALID_POLICY}{problem}"));
        let denied = |problem: String| answer(403, "AccessDenied", &alloc::format!("{AGAINST_POLICY}: {problem}"));
        let argument = |message: &str, name: &str, value: String| {
            answer(400, "InvalidArgument", message)
                .with("ArgumentName", String::from(name))
                .with("ArgumentValue", value)
        };
        match self {
            // Signing failed on the server; the client is not at fault.
            PolicyError::Sign(_) => Refusal::internal(format),
            PolicyError::Verify(error) => error.refusal(format),
            PolicyError::TooManyFields { .. } | PolicyError::FieldsTooLong { .. } => {
                let message = "Your POST request fields preceeding the upload file was too large.";
                answer(400, "MaxPostPreDataLengthExceeded", message)
                    .with("MaxPostPreDataLengthBytes", MAX_FIELD_BYTES.to_string())
            }
            PolicyError::RepeatedField { name } => argument(&text::given_twice(name), name, String::new()),
            PolicyError::MissingField { name } => {
                let message = alloc::format!(
                    "{MISSING_FIELD} named '{name}'.  If it is specified, please check the order of the fields."
                );
                argument(&message, name, String::new())
            }
            PolicyError::UnsupportedAlgorithm { .. } => answer(400, "InvalidRequest", text::UNSUPPORTED_MECHANISM.text),
            PolicyError::MalformedCredential { got } => {
                argument(text::MALFORMED_CREDENTIAL.text, "X-Amz-Credential", got.clone())
            }
            PolicyError::MalformedDate { got } => {
                argument("X-Amz-Date must be formated via ISO8601 Long format", "X-Amz-Date", got.clone())
            }
            PolicyError::WrongScope { credential, got, expected, signed } => {
                let (problem, _) = wrong_scope::s3(got, expected, *signed);
                let refusal = argument(&problem, "X-Amz-Credential", credential.clone());
                match wrong_scope::expected_region(got, expected) {
                    Some(region) => refusal.with("Region", region),
                    None => refusal,
                }
            }
            PolicyError::NotBase64 => invalid("invalid Base64 encoding.".into()),
            PolicyError::NotJson => invalid("Invalid JSON.".into()),
            PolicyError::UnexpectedMember { name } => invalid(alloc::format!("Unexpected: '{}'", name.to_lowercase())),
            PolicyError::MissingExpiration => invalid("Policy missing expiration.".into()),
            PolicyError::MalformedExpiration { got } => invalid(alloc::format!("Invalid 'expiration' value: '{got}'")),
            PolicyError::MissingConditions => invalid("Policy missing conditions.".into()),
            PolicyError::TooManyConditions => invalid("Too many conditions.".into()),
            PolicyError::SimpleCondition { members: 1 } => {
                invalid("Invalid Simple-Condition: value must be a string.".into())
            }
            PolicyError::SimpleCondition { .. } => {
                invalid("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.".into())
            }
            PolicyError::NotACondition => invalid("Invalid Condition: missing operation identifier.".into()),
            PolicyError::UnknownOperator { operator } => {
                invalid(alloc::format!("Invalid Condition: unknown operation '{operator}'."))
            }
            PolicyError::Arguments { operator } => {
                invalid(alloc::format!("Invalid {operator}: wrong number or type of arguments."))
            }
            PolicyError::Unsendable { name } => argument("The field can't be read", name, String::new()),
            PolicyError::Expired { .. } => denied("Policy expired.".into()),
            PolicyError::OnlyExact { condition, .. } | PolicyError::ConditionFailed { condition } => {
                denied(condition_failed(condition))
            }
            PolicyError::ExtraFields { names } => denied(alloc::format!("Extra input fields: {}", names.join(", "))),
            PolicyError::OtherBucket { got } => denied(condition_failed(&printed("eq", "$bucket", got))),
            PolicyError::FileTooLong { length, limit } => {
                answer(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
                    .with("ProposedSize", length.to_string())
                    .with("MaxSizeAllowed", limit.to_string())
            }
            PolicyError::FileTooShort { length, limit } => {
                answer(400, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
                    .with("ProposedSize", length.to_string())
                    .with("MinSizeAllowed", limit.to_string())
            }
        }
    }
}

fn condition_failed(condition: &str) -> String {
    alloc::format!("Policy Condition failed: {condition}")
}
