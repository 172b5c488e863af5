//! S3 browser uploads: HTML forms with a signed policy that limits what may be uploaded.
//!
//! [`Policy`] defines when the permission expires and the conditions for each field of the form;
//! [`Signer::sign_post_policy`] returns the form fields. A server verifies a form in the same three steps as a request:
//! [`Verifier::parse_form`] does the checks that need no key, the caller looks up the credentials, and
//! [`UnverifiedForm::verify`] returns a [`VerifiedForm`]. That exists only if the signature matches, the policy has not
//! expired, every condition is met, and every field is covered by a condition.
//!
//! ```
//! use countersign::post_policy::Policy;
//! use countersign::{Credentials, ErrorFormat, Signer, Timestamp, Verifier};
//!
//! let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
//! let signer = Signer::new(credentials.clone(), "us-east-1", "s3")?;
//! let now: Timestamp = "20151229T000000Z".parse()?;
//!
//! let policy = Policy::new("examplebucket", now.saturating_add(3600))
//!     .with_field("key", "user/eric/${filename}")
//!     .with_field("acl", "private")
//!     .with_starts_with("Content-Type", "image/") // the page sets it, once it knows the file
//!     .with_content_length(1..=10 << 20);
//! let form = signer.sign_post_policy(&policy, now)?;
//! let page = format!(
//!     "<form action=\"https://examplebucket.s3.amazonaws.com/\" method=\"post\" enctype=\"multipart/form-data\">\n\
//!      {}<input name=\"Content-Type\"><input type=\"file\" name=\"file\"></form>",
//!     form.hidden_inputs(),
//! );
//! assert!(page.contains("<input type=\"hidden\" name=\"key\" value=\"user/eric/${filename}\">"));
//!
//! // On the server: all fields before the file, and the file name from the form data.
//! let mut fields: Vec<(&str, &str)> = form.fields().collect();
//! fields.push(("Content-Type", "image/jpeg"));
//! let verifier = Verifier::new("us-east-1", "s3")?;
//! let unverified = verifier.parse_form("examplebucket", fields, now)?.with_file_name("C:\\photos\\a.jpg")?;
//! let verified = unverified.verify(Some(&credentials))?; // looked up by unverified.access_key_id()
//! assert_eq!(verified.field("key"), Some("user/eric/a.jpg"));
//!
//! // The length of the file is known once it has been read.
//! verified.check_file_length(123_456)?;
//! let error = verified.check_file_length(0).unwrap_err();
//! assert_eq!(error.refusal(ErrorFormat::S3Xml).code(), "EntityTooSmall");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! AWS documents these uploads for general purpose buckets. With the rules of S3 Express, the session token's field is
//! named like its header, `x-amz-s3session-token`.
//!
//! AWS: [Browser-based uploads using POST](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-UsingHTTPPOST.html)

mod condition;
mod document;
mod error;
mod policy;
mod refusal;
mod sign;
mod unverified;
mod verify;

pub use error::PolicyError;
pub use policy::Policy;
pub use sign::SignedForm;
pub use unverified::UnverifiedForm;
pub use verify::VerifiedForm;

use crate::sigv4::rules::SessionTokenName;
#[allow(unused_imports, reason = "for the links above")]
use crate::{Signer, Verifier};

/// The maximum total length of names and values before the file, in bytes; this is S3's limit.
const MAX_FIELD_BYTES: usize = 20_480;
const MAX_FIELDS: usize = 256;
const MAX_CONDITIONS: usize = 1024;

const SESSION_TOKEN_FIELDS: [&str; 2] =
    [SessionTokenName::SecurityToken.header(), SessionTokenName::S3SessionToken.header()];
const FILENAME: &str = "${filename}";

/// Browsers don't send control characters as is, and a store might write them into a header: CR, LF and NUL among them.
fn check_sendable(name: &str, value: &str) -> Result<(), PolicyError> {
    if name.is_empty() || name.chars().chain(value.chars()).any(char::is_control) {
        return Err(PolicyError::Unsendable { name: crate::text::excerpt(name.as_bytes()) });
    }
    Ok(())
}

/// "Each form field that you specify in a form (except x-amz-signature, file, policy, and field names that have an
/// x-ignore- prefix) must appear in the list of conditions."
fn is_exempt(field: &str) -> bool {
    ["x-amz-signature", "file", "policy"].iter().any(|exempt| field.eq_ignore_ascii_case(exempt))
        || crate::text::starts_with_ignoring_case(field, "x-ignore-")
}
