//! The endpoint of a container: ECS, EKS Pod Identity, Greengrass.

use super::context::{Context, Found};
use super::error::SourceError;

/// Whether a variable names an endpoint.
pub(super) fn is_configured(context: &Context) -> bool {
    let _ = context;
    false
}

/// Asks the endpoint that the environment names.
pub(super) async fn credentials(context: &Context) -> Result<Found, SourceError> {
    let _ = context;
    Err(SourceError::NotConfigured { config: alloc::string::String::new() })
}
