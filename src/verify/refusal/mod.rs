//! How a refusal is worded for the client, in each dialect.

mod generic;
mod s3;
mod scope_parts;
mod times;

pub(crate) use scope_parts::ScopeParts;

use super::error::VerifyError;
use crate::aws_error::{Dialect, Refusal};

impl VerifyError {
    /// The answer to the client, as the services of a dialect word it.
    pub fn refusal(&self, dialect: Dialect) -> Refusal {
        match dialect {
            Dialect::S3Xml => s3::refusal(self),
            Dialect::RestJson | Dialect::QueryXml => generic::refusal(self, dialect),
        }
    }
}
