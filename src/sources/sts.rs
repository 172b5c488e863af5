//! STS: `AssumeRole` and `AssumeRoleWithWebIdentity`.

use alloc::string::String;

use super::context::{Context, Found};
use super::error::SourceError;
use super::profile::AssumeRole;
use crate::sigv4::credentials::Credentials;

/// Assumes a role with the credentials of the step before.
pub(super) async fn assume_role(
    context: &Context,
    credentials: &Credentials,
    role: &AssumeRole,
) -> Result<Found, SourceError> {
    let _ = (context, credentials, role);
    Err(unfinished())
}

/// Exchanges the token in a file, which is read each time, for credentials of a role.
pub(super) async fn assume_role_with_web_identity(
    context: &Context,
    token_file: &str,
    role_arn: &str,
    session_name: Option<&str>,
    region: Option<&str>,
) -> Result<Found, SourceError> {
    let _ = (context, token_file, role_arn, session_name, region);
    Err(unfinished())
}

fn unfinished() -> SourceError {
    SourceError::NotConfigured { config: String::new() }
}
