//! The refresh of a session.

use alloc::format;
use core::time::Duration;

use http::Method;
use http::header::{CONTENT_TYPE, HeaderName};

use super::{dpop, host};
use crate::json::read::Json;
use crate::sigv4::timestamp::Timestamp;
use crate::sources::context::{Context, Setting};
use crate::sources::error::SourceError;
use crate::sources::exchange::{Exchange, Reply, json, member, unusable};
use crate::sources::profile::ProfileError;
use crate::sources::refreshes::NotRefreshed;
use crate::sources::refusal::Refusal;
use crate::sources::token_file::{TokenFile, end};

const TIMEOUT: Duration = Duration::from_secs(10);
const DPOP: HeaderName = HeaderName::from_static("dpop");

/// What became of a refresh.
pub(super) struct Refreshed {
    /// Whether members of the file were replaced. If the refresh token was, it has to be saved even if the rest of the
    /// answer can't be used: the old one is no longer valid.
    pub(super) changed: bool,
    pub(super) result: Result<(), NotRefreshed>,
}

/// Asks for new credentials and changes the members of the file that they replace.
pub(super) async fn refresh(context: &Context, profile: &str, file: &mut TokenFile) -> Refreshed {
    let asked_at = context.now();
    match ask(context, profile, file).await {
        Ok((url, reply)) => match json(&url, reply.body()) {
            Ok(answer) => take_over(file, &url, &answer, asked_at),
            Err(error) => Refreshed { changed: false, result: Err(error.into()) },
        },
        Err(reason) => Refreshed { changed: false, result: Err(reason) },
    }
}

async fn ask(
    context: &Context,
    profile: &str,
    file: &TokenFile,
) -> Result<(alloc::string::String, Reply), NotRefreshed> {
    let (client_id, refresh_token) = (file.needed("clientId")?, file.needed("refreshToken")?);
    let key = file.needed("dpopKey")?;
    let region = region(context, profile)?;
    let url = format!("{}/v1/token", host::url(context, &region)?);
    let proof = dpop::proof(key, &url, context.now(), refresh_token).ok_or_else(|| {
        NotRefreshed::NeedsLogin(format!("dpopKey in {} is not the private key of a P-256 key pair", file.path))
    })?;
    let members = [("clientId", client_id), ("grantType", "refresh_token"), ("refreshToken", refresh_token)];
    let body = Json::Object(members.into_iter().map(|(name, value)| (name.into(), Json::of_text(value))).collect());
    let request = Exchange::new(Method::POST, &url, TIMEOUT)?.header(CONTENT_TYPE, "application/json");
    let request = request.secret_header(DPOP, &proof, "dpopKey")?.body(body.to_bytes().to_vec());
    let reply = request.send_or_fail(context).await?;
    match reply.status().as_u16() {
        200 => Ok((url, reply)),
        _ => Err(refused(&url, Refusal::of(&reply, &[refresh_token, &proof]))),
    }
}

/// The region in which the user logged in is that of the profile.
fn region<'c>(context: &'c Context, profile: &str) -> Result<Setting<'c>, SourceError> {
    let own = context.profiles.profile(profile).and_then(|section| section.get("region"));
    if let Some(value) = own.filter(|region| !region.is_empty()) {
        return Ok(Setting { value, place: format!("region of profile {profile}") });
    }
    let missing = || ProfileError::Profile {
        profile: profile.into(),
        problem: "region is not set, and the session can't be refreshed without it; set it to the region that you \
                  chose in `aws login`"
            .into(),
    };
    let value = context.region().ok_or_else(missing)?;
    Ok(Setting { value, place: "the region".into() })
}

/// AWS: [CreateOAuth2Token](https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html)
fn refused(url: &str, mut refusal: Refusal) -> NotRefreshed {
    if refusal.has_code(&["INSUFFICIENT_PERMISSIONS"]) {
        let said = refusal.message.map_or_else(Default::default, |message| format!(" ({message})"));
        refusal.message = Some(format!("the user lacks the permission signin:CreateOAuth2Token{said}"));
        return refusal.into_error(url).into();
    }
    let why = if refusal.has_code(&["TOKEN_EXPIRED", "AUTHCODE_EXPIRED"]) {
        "the session has ended: "
    } else if refusal.has_code(&["USER_CREDENTIALS_CHANGED"]) {
        "the password was changed: "
    } else {
        ""
    };
    let is_final = refusal.is_final();
    let error = refusal.into_error(url);
    if is_final { NotRefreshed::NeedsLogin(format!("{why}{error}")) } else { error.into() }
}

/// The refresh token comes first, since it can be used once only.
fn take_over(file: &mut TokenFile, url: &str, answer: &Json, asked_at: Timestamp) -> Refreshed {
    let refresh_token = member(url, answer, "refreshToken");
    let mut changed = false;
    if let Ok(refresh_token) = &refresh_token {
        file.json.set("refreshToken", Json::of_text(refresh_token));
        changed = true;
    }
    let result = credentials(file, url, answer, asked_at);
    changed |= result.is_ok();
    Refreshed { changed, result: result.map_err(NotRefreshed::from) }
}

fn credentials(file: &mut TokenFile, url: &str, answer: &Json, asked_at: Timestamp) -> Result<(), SourceError> {
    const NAMES: [&str; 3] = ["accessKeyId", "secretAccessKey", "sessionToken"];
    let token = answer.member("accessToken").ok_or_else(|| unusable(url, "accessToken is missing"))?;
    let [id, secret, session_token] = NAMES.map(|name| member(url, token, name));
    let values = [id?, secret?, session_token?];
    let expires_at = end(answer, asked_at).ok_or_else(|| unusable(url, "expiresIn is not a number of seconds"))?;
    let Some(stored) = file.json.member_mut("accessToken") else { return Ok(()) };
    for (name, value) in NAMES.into_iter().zip(values) {
        stored.set(name, Json::of_text(value));
    }
    stored.set("expiresAt", Json::of_text(&expires_at.extended()));
    Ok(())
}
