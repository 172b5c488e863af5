//! The instance metadata service of EC2, version 2 only.

use alloc::string::String;

use super::context::{Context, Found};
use super::error::SourceError;

/// Asks for the credentials of the instance's role. `None` if the service is disabled, can't be reached, or the
/// instance has no role; the reason is in the report.
pub(super) async fn credentials(context: &Context) -> Result<Option<Found>, SourceError> {
    let _ = context;
    Ok(None)
}

/// Asks for the region of the instance.
pub(super) async fn region(context: &Context) -> Result<Option<String>, SourceError> {
    let _ = context;
    Ok(None)
}
