use alloc::string::{String, ToString};
use core::fmt;

use zeroize::Zeroizing;

use crate::redact::{REDACTED, is_secret_header};

/// What has to hold for one field of a form, or for its file.
///
/// AWS: [Conditions of a POST policy](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html#sigv4-PolicyConditions)
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Condition {
    /// The field has this value.
    Exact {
        /// Name of the field, compared without regard to case.
        field: String,
        /// Its value, compared letter for letter.
        value: Zeroizing<String>,
    },
    /// The field's value begins with this; with `""` the field only has to be there.
    StartsWith {
        /// Name of the field, compared without regard to case.
        field: String,
        /// How its value begins. Of a `Content-Type` with commas, each part has to.
        prefix: String,
    },
    /// The length of the file.
    ContentLengthRange {
        /// Bytes.
        min: u64,
        /// Bytes.
        max: u64,
    },
}

impl Condition {
    /// The field it is about.
    fn field(&self) -> Option<&str> {
        match self {
            Self::Exact { field, .. } | Self::StartsWith { field, .. } => Some(field),
            Self::ContentLengthRange { .. } => None,
        }
    }

    /// Whether it is about the field of that name.
    pub(super) fn is_about(&self, name: &str) -> bool {
        self.field().is_some_and(|field| field.eq_ignore_ascii_case(name))
    }

    /// Whether a value of its field meets it.
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
    /// As S3 prints a condition that failed; a session token or a customer's key is redacted.
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

/// A condition as S3 prints one, from its parts. `name` has its `$`.
pub(super) fn printed(operator: &str, name: &str, value: &str) -> String {
    let value = if is_secret_header(name.strip_prefix('$').unwrap_or(name)) { REDACTED } else { value };
    alloc::format!(r#"["{operator}", {}, {}]"#, json_string(name), json_string(value))
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
