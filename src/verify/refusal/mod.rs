//! The wording of refusals for the client, in each format.

mod generic;
mod s3;
mod times;
pub(crate) mod wrong_scope;

use super::error::VerifyError;
use crate::aws_error::{ErrorFormat, Refusal};

impl VerifyError {
    /// Returns the response to the client, in the wording of the services that use `format`.
    pub fn refusal(&self, format: ErrorFormat) -> Refusal {
        match format {
            ErrorFormat::S3Xml => s3::refusal(self),
            ErrorFormat::RestJson | ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 | ErrorFormat::QueryXml => {
                generic::refusal(self, format)
            }
        }
    }
}
