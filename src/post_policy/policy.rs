use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use zeroize::Zeroizing;

use super::FILENAME;
use super::condition::Condition;
use crate::sigv4::timestamp::Timestamp;

/// Defines what a form may upload, and until when.
///
/// ```
/// use countersign::post_policy::Policy;
/// # use countersign::{Credentials, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
///
/// let policy = Policy::new("examplebucket", "20151230T120000Z".parse()?)
///     .with_field("key", "user/eric/${filename}")
///     .with_field("success_action_status", "201")
///     .with_starts_with("x-amz-meta-tag", "")
///     .with_content_length(0..=1_048_576);
/// let form = signer.sign_post_policy(&policy, "20151229T120000Z".parse()?)?;
/// assert_eq!(form.fields().nth(1), Some(("success_action_status", "201")));
///
/// let error = signer.sign_post_policy(&policy, "20151230T120000Z".parse()?).unwrap_err();
/// assert_eq!(error.to_string(), "the policy expired at 20151230T120000Z, the current time is 20151230T120000Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [POST policy](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html)
#[derive(Clone)]
pub struct Policy {
    pub(super) expires_at: Timestamp,
    pub(super) fields: Vec<(String, String)>,
    pub(super) conditions: Vec<Condition>,
}

impl Policy {
    /// Creates a policy for a bucket. It expires at `expires_at`, or seven days after signing if that is earlier.
    pub fn new(bucket: impl Into<String>, expires_at: Timestamp) -> Self {
        let bucket = Condition::Exact { field: "bucket".into(), value: Zeroizing::new(bucket.into()) };
        Self { expires_at, fields: Vec::new(), conditions: alloc::vec![bucket] }
    }

    /// Adds a form field, and the condition that it has this value. If the value contains `${filename}`, which S3
    /// replaces with the name of the file, the condition is that the field begins with the text before it.
    pub fn with_field(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let (name, value) = (name.into(), value.into());
        let field = name.clone();
        self.conditions.push(match value.split_once(FILENAME) {
            Some((prefix, _)) => Condition::StartsWith { field, prefix: prefix.into() },
            None => Condition::Exact { field, value: Zeroizing::new(value.clone()) },
        });
        self.fields.push((name, value));
        self
    }

    /// Adds the condition that a field, which the page sets itself, begins with `prefix`; with `""`, only that it is
    /// present.
    pub fn with_starts_with(mut self, field: impl Into<String>, prefix: impl Into<String>) -> Self {
        self.conditions.push(Condition::StartsWith { field: field.into(), prefix: prefix.into() });
        self
    }

    /// Adds the condition that the length of the file, in bytes, is in this range.
    pub fn with_content_length(mut self, bytes: RangeInclusive<u64>) -> Self {
        let (min, max) = bytes.into_inner();
        self.conditions.push(Condition::ContentLengthRange { min, max });
        self
    }
}

impl fmt::Debug for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Policy")
            .field("expires_at", &self.expires_at)
            .field("conditions", &self.conditions)
            .finish_non_exhaustive()
    }
}
