//! The token of a user, which is refreshed before it ends if it belongs to an SSO session.
//!
//! AWS: [Understand IAM Identity Center authentication](https://docs.aws.amazon.com/sdkref/latest/guide/understanding-sso.html)

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use http::Method;
use http::header::CONTENT_TYPE;
use sha1::{Digest, Sha1};
use zeroize::Zeroizing;

use crate::json::read::Json;
use crate::sigv4::timestamp::Timestamp;
use crate::sources::context::Context;
use crate::sources::endpoint::check_region;
use crate::sources::error::SourceError;
use crate::sources::exchange::{Exchange, json, member, unusable};
use crate::sources::profile::SsoProfile;
use crate::sources::refreshes::NotRefreshed;
use crate::sources::refusal::Refusal;
use crate::sources::token_file::{Login, REFRESH_BEFORE_SECONDS, TokenFile, end, file_name};

const TIMEOUT: Duration = Duration::from_secs(10);

/// The token of a user.
pub(super) struct Token {
    pub(super) access_token: Zeroizing<String>,
    pub(super) expires_at: Timestamp,
}

impl Token {
    fn of(file: &TokenFile, login: &Login) -> Result<Self, SourceError> {
        let access_token = file.text("accessToken").ok_or_else(|| file.damaged(login, "accessToken"))?;
        let expires_at = time(file, "expiresAt").ok_or_else(|| file.damaged(login, "expiresAt"))?;
        Ok(Self { access_token: Zeroizing::new(access_token.into()), expires_at })
    }

    fn seconds_left(&self, now: Timestamp) -> i64 {
        self.expires_at.unix_seconds().saturating_sub(now.unix_seconds())
    }
}

fn time(file: &TokenFile, name: &str) -> Option<Timestamp> {
    Timestamp::parse_rfc3339(file.text(name)?)
}

/// Returns a token that has not expired.
pub(super) async fn find(context: &Context, sso: &SsoProfile, login: &Login) -> Result<Token, SourceError> {
    let file = TokenFile::read(context, path(context, sso), login).await?;
    let token = Token::of(&file, login)?;
    if token.seconds_left(context.now()) > REFRESH_BEFORE_SECONDS {
        return Ok(token);
    }
    let reason = match refreshed(context, sso, login, file).await {
        Ok(file) => match Token::of(&file, login)? {
            token if token.seconds_left(context.now()) > 0 => return Ok(token),
            token => return Err(login.expired(token.expires_at, reason_of_refreshed())),
        },
        Err(reason) => reason,
    };
    if token.seconds_left(context.now()) <= 0 {
        return Err(login.expired(token.expires_at, reason));
    }
    login.warn_of_end(context, token.expires_at, &reason);
    Ok(token)
}

fn reason_of_refreshed() -> NotRefreshed {
    NotRefreshed::NeedsLogin("it had already expired when it was refreshed; check the clock".into())
}

/// The AWS CLI names the file after the session, or after the start URL if there is no session.
fn path(context: &Context, sso: &SsoProfile) -> String {
    let name = sso.session.as_ref().unwrap_or(&sso.start_url);
    let file = file_name(&Sha1::digest(name.as_bytes()));
    context.locations.in_home(&[".aws", "sso", "cache", &file])
}

async fn refreshed(
    context: &Context,
    sso: &SsoProfile,
    login: &Login,
    mut file: TokenFile,
) -> Result<TokenFile, NotRefreshed> {
    if sso.session.is_none() {
        let reason = "only the token of an [sso-session] can be";
        return Err(NotRefreshed::NeedsLogin(reason.into()));
    }
    file.recent_failure(context)?;
    match refresh(context, sso, &mut file).await {
        Ok(()) => {
            file.save(context, login, "").await;
            Ok(file)
        }
        Err(reason) => file.after_failure(context, login, reason).await,
    }
}

/// Asks for a new token and changes the members of the file that it replaces.
async fn refresh(context: &Context, sso: &SsoProfile, file: &mut TokenFile) -> Result<(), NotRefreshed> {
    let asked_at = context.now();
    let body = request_body(file, asked_at)?;
    let place = format!("sso_region of profile {}", sso.profile);
    check_region(&sso.region, || place)?;
    let url = format!("{}/token", context.endpoint("sso_oidc", "oidc", &sso.region)?);
    let request = Exchange::new(Method::POST, &url, TIMEOUT)?.header(CONTENT_TYPE, "application/json");
    let reply = request.body(body.to_bytes().to_vec()).send_or_fail(context).await?;
    if reply.status() != 200 {
        let secrets = ["refreshToken", "clientSecret", "accessToken"].map(|name| file.text(name).unwrap_or_default());
        let refusal = Refusal::of(&reply, &secrets);
        let is_final = refusal.is_final();
        let error = refusal.into_error(&url);
        return Err(if is_final { NotRefreshed::NeedsLogin(format!("{error}")) } else { error.into() });
    }
    let answer = json(&url, reply.body())?;
    let access_token = Json::of_text(member(&url, &answer, "accessToken")?);
    let expires_at = end(&answer, asked_at).ok_or_else(|| unusable(&url, "expiresIn is not a number of seconds"))?;
    file.json.set("accessToken", access_token);
    file.json.set("expiresAt", Json::of_text(&expires_at.extended()));
    if let Ok(refresh_token) = member(&url, &answer, "refreshToken") {
        file.json.set("refreshToken", Json::of_text(refresh_token));
    }
    Ok(())
}

fn request_body(file: &TokenFile, now: Timestamp) -> Result<Json, NotRefreshed> {
    let refresh_token = Json::of_text(file.needed("refreshToken")?);
    let client_id = Json::of_text(file.needed("clientId")?);
    let client_secret = Json::of_text(file.needed("clientSecret")?);
    file.needed("registrationExpiresAt")?;
    let Some(end) = time(file, "registrationExpiresAt") else {
        return Err(NotRefreshed::NeedsLogin(format!("{} has no valid registrationExpiresAt", file.path)));
    };
    if end.unix_seconds() <= now.unix_seconds() {
        return Err(NotRefreshed::NeedsLogin(format!("the registration of the client ended at {}", end.extended())));
    }
    let grant_type = Json::of_text("refresh_token");
    let members = [
        ("clientId", client_id),
        ("clientSecret", client_secret),
        ("grantType", grant_type),
        ("refreshToken", refresh_token),
    ];
    Ok(Json::Object(members.into_iter().map(|(name, value)| (name.into(), value)).collect()))
}
