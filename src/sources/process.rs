//! `credential_process`: a command that prints credentials.

use super::context::{Context, Found};
use super::error::SourceError;

pub(super) async fn credentials(
    context: &Context,
    command: &str,
    account_id: Option<&str>,
) -> Result<Found, SourceError> {
    let _ = (context, command, account_id);
    Err(SourceError::NotConfigured { config: alloc::string::String::new() })
}
