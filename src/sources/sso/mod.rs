//! IAM Identity Center: a token that `aws sso login` stored is exchanged for credentials of a role.

mod portal;
mod token;

use alloc::format;

use super::context::{Context, Found};
use super::error::SourceError;
use super::profile::SsoProfile;
use super::report::SourceKind;
use super::token_file::Login;

pub(super) async fn credentials(context: &Context, sso: &SsoProfile) -> Result<Found, SourceError> {
    let what = match &sso.session {
        Some(session) => format!("the token of SSO session {session}"),
        None => format!("the SSO token of {}", sso.start_url),
    };
    let login = Login::new(&context.environment, SourceKind::Sso, what, "aws sso login", &sso.profile);
    let token = token::find(context, sso, &login).await?;
    portal::role_credentials(context, sso, &login, &token).await
}
