use alloc::string::{String, ToString};
use core::fmt;

use zeroize::Zeroizing;

use crate::redact::{REDACTED, is_secret_header};

/// A requirement on one field of a form, or on its file.
///
/// AWS: [Conditions of a POST policy](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html#sigv4-PolicyConditions)
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// The field has exactly this value.
    Exact {
        /// The name of the field, compared ignoring case.
        field: String,
        /// The value, compared case-sensitively.
        value: Zeroizing<String>,
    },
    /// The value of the field begins with this prefix; with `""`, the field only has to be present.
    StartsWith {
        /// The name of the field, compared ignoring case.
        field: String,
        /// The prefix. If a `Content-Type` contains commas, each of its parts has to begin with it.
        prefix: String,
    },
    /// The length of the file is in this range.
    ContentLengthRange {
        /// The minimum in bytes.
        min: u64,
        /// The maximum in bytes.
        max: u64,
    },
}

impl Condition {
    /// Returns the field that the condition applies to.
    fn field(&self) -> Option<&str> {
        match self {
            Self::Exact { field, .. } | Self::StartsWith { field, .. } => Some(field),
            Self::ContentLengthRange { .. } => None,
        }
    }

    /// Returns `true` if the condition applies to the field with this name.
    pub(super) fn is_about(&self, name: &str) -> bool {
        self.field().is_some_and(|field| field.eq_ignore_ascii_case(name))
    }

    /// Returns `true` if this value of the field meets the condition.
    pub(super) fn is_met_by(&self, given: &str) -> bool {
        match self {
            Self::Exact { value, .. } => given == value.as_str(),
            // "Content-Types values for a starts-with condition that include commas are interpreted as lists."
            Self::StartsWith { field, prefix } if field.eq_ignore_ascii_case("content-type") => {
                given.split(',').all(|part| part.starts_with(prefix.as_str()))
            }
            Self::StartsWith { prefix, .. } => given.starts_with(prefix.as_str()),
            Self::ContentLengthRange { .. } => true,
        }
    }
}

impl fmt::Display for Condition {
    /// Prints the condition as S3 prints one that failed. Session tokens and customer keys are redacted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operator, field, value) = match self {
            Self::Exact { field, value } => ("eq", field, value.as_str()),
            Self::StartsWith { field, prefix } => ("starts-with", field, prefix.as_str()),
            Self::ContentLengthRange { min, max } => return write!(f, r#"["content-length-range", {min}, {max}]"#),
        };
        f.write_str(&printed(operator, &alloc::format!("${field}"), value))
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Prints a condition as S3 does, from its parts. `name` includes the `$`.
pub(super) fn printed(operator: &str, name: &str, value: &str) -> String {
    let value = if is_secret_header(name.strip_prefix('$').unwrap_or(name)) { REDACTED } else { value };
    alloc::format!(r#"["{operator}", {}, {}]"#, json_string(name), json_string(value))
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
