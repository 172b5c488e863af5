//! `aws login`: credentials that it stored, and their refresh with a proof of possession (DPoP, RFC 9449).
//!
//! AWS: [Login for AWS local development](https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-sign-in.html)

mod dpop;
mod host;
mod refresh;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;

use super::context::{Context, Found};
use super::error::SourceError;
use super::refreshes::NotRefreshed;
use super::report::SourceKind;
use super::token_file::{Login, REFRESH_BEFORE_SECONDS, TokenFile, file_name, text};
use crate::hash::sha256;
use crate::json::read::Json;
use crate::sigv4::timestamp::Timestamp;

pub(super) async fn credentials(context: &Context, profile: &str, session: &str) -> Result<Found, SourceError> {
    let session = session.trim();
    let what = format!("the `aws login` session of {session}");
    let login = Login::new(&context.environment, SourceKind::Login, what, "aws login", profile);
    let file = TokenFile::read(context, path(context, session), &login).await?;
    let expires_at = end(&file, &login)?;
    if seconds_left(context, expires_at) > REFRESH_BEFORE_SECONDS {
        return found(context, &file, &login);
    }
    // Read before the refresh, since a failure must not cost credentials that are still valid.
    let valid = found(context, &file, &login);
    match refreshed(context, profile, &login, file).await {
        Ok(file) => {
            let expires_at = end(&file, &login)?;
            if seconds_left(context, expires_at) > 0 {
                return found(context, &file, &login);
            }
            let reason = "it had already expired when it was refreshed; check the clock";
            Err(login.expired(expires_at, NotRefreshed::NeedsLogin(reason.into())))
        }
        Err(reason) if seconds_left(context, expires_at) > 0 => {
            login.warn_of_end(context, expires_at, &reason);
            valid
        }
        Err(reason) => Err(login.expired(expires_at, reason)),
    }
}

fn seconds_left(context: &Context, expires_at: Timestamp) -> i64 {
    expires_at.unix_seconds().saturating_sub(context.now().unix_seconds())
}

fn path(context: &Context, session: &str) -> String {
    let file = file_name(&sha256(session.as_bytes()));
    let Some(directory) = context.environment.get("AWS_LOGIN_CACHE_DIRECTORY") else {
        return context.locations.in_home(&[".aws", "login", "cache", &file]);
    };
    let separator = if context.environment.is_windows() { '\\' } else { '/' };
    let directory = context.locations.expand(directory);
    format!("{}{separator}{file}", directory.trim_end_matches(['/', separator]))
}

fn end(file: &TokenFile, login: &Login) -> Result<Timestamp, SourceError> {
    let expires_at = file.json.member("accessToken").and_then(|token| text(token, "expiresAt"));
    expires_at.and_then(Timestamp::parse_rfc3339).ok_or_else(|| file.damaged(login, "accessToken.expiresAt"))
}

/// The credentials in a file.
fn found(context: &Context, file: &TokenFile, login: &Login) -> Result<Found, SourceError> {
    let token = file.json.member("accessToken").unwrap_or(&Json::Other);
    let member = |name: &str| text(token, name).ok_or_else(|| file.damaged(login, &format!("accessToken.{name}")));
    let values = (member("accessKeyId")?, member("secretAccessKey")?, Some(member("sessionToken")?));
    let credentials = context.credentials(&file.path, values, Some(end(file, login)?), None)?;
    Ok(Found { credentials, account_id: text(token, "accountId").map(ToOwned::to_owned) })
}

async fn refreshed(
    context: &Context,
    profile: &str,
    login: &Login,
    mut file: TokenFile,
) -> Result<TokenFile, NotRefreshed> {
    file.recent_failure(context)?;
    let refreshed = refresh::refresh(context, profile, &mut file).await;
    if refreshed.changed {
        let command = login.command();
        let consequence = format!(
            ", so the AWS CLI and other programs have lost it; make the file writable and run `{command}` before you use them"
        );
        file.save(context, login, &consequence).await;
    }
    match refreshed.result {
        Ok(()) => Ok(file),
        Err(reason) => file.after_failure(context, login, reason).await,
    }
}
