//! How a refusal is worded for the client, in each format.

mod generic;
mod s3;
mod times;
pub(crate) mod wrong_scope;

use super::error::VerifyError;
use crate::aws_error::{ErrorFormat, Refusal};

impl VerifyError {
    /// The answer to the client, as the services of a format word it.
    pub fn refusal(&self, format: ErrorFormat) -> Refusal {
        match format {
            ErrorFormat::S3Xml => s3::refusal(self),
            ErrorFormat::RestJson | ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 | ErrorFormat::QueryXml => {
                generic::refusal(self, format)
            }
        }
    }
}
