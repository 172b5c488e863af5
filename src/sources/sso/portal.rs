//! The portal, which gives credentials of a role.
//!
//! AWS: [GetRoleCredentials](https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html)

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use http::Method;
use http::header::{ACCEPT, HeaderName};

use super::token::Token;
use crate::json::read::Json;
use crate::sigv4::timestamp::Timestamp;
use crate::sources::attempts::{self, is_passing_status};
use crate::sources::context::{Context, Found};
use crate::sources::endpoint::check_region;
use crate::sources::error::SourceError;
use crate::sources::exchange::{Exchange, Reply, date, json, member, unusable};
use crate::sources::profile::SsoProfile;
use crate::sources::refusal::Refusal;
use crate::sources::token_file::Login;
use crate::text::percent::encode_segment;

const TIMEOUT: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 3;
const BEARER_TOKEN: HeaderName = HeaderName::from_static("x-amz-sso_bearer_token");

/// Exchanges a token for credentials of the role.
pub(super) async fn role_credentials(
    context: &Context,
    sso: &SsoProfile,
    login: &Login,
    token: &Token,
) -> Result<Found, SourceError> {
    let place = format!("sso_region of profile {}", sso.profile);
    check_region(&sso.region, || place)?;
    let origin = format!("{}/federation/credentials", context.endpoint("sso", "portal.sso", &sso.region)?);
    let reply = ask(context, sso, &origin, token).await?;
    if reply.status() != 200 {
        return Err(refused(sso, login, &origin, token, &reply));
    }
    let answer = json(&origin, reply.body())?;
    let Some(role) = answer.member("roleCredentials").filter(|role| matches!(role, Json::Object(_))) else {
        return Err(unusable(&origin, "roleCredentials is missing"));
    };
    let [id, secret, session_token] = ["accessKeyId", "secretAccessKey", "sessionToken"];
    let values =
        (member(&origin, role, id)?, member(&origin, role, secret)?, Some(member(&origin, role, session_token)?));
    let expires_at = milliseconds(role.member("expiration"))
        .ok_or_else(|| unusable(&origin, "expiration is not a number of milliseconds since 1970"))?;
    let credentials = context.credentials(&origin, values, Some(expires_at), date(&reply))?;
    Ok(Found { credentials, account_id: Some(sso.account_id.clone()) })
}

fn milliseconds(json: Option<&Json>) -> Option<Timestamp> {
    let Some(Json::Whole(milliseconds)) = json else { return None };
    Timestamp::from_unix_seconds(i64::try_from(milliseconds / 1000).ok()?).ok()
}

/// Asks again when the portal is throttling, which it does when many programs start at the same time, or is broken.
async fn ask(context: &Context, sso: &SsoProfile, origin: &str, token: &Token) -> Result<Reply, SourceError> {
    let (account_id, role_name) = (encode_segment(&sso.account_id), encode_segment(&sso.role_name));
    let url = format!("{origin}?account_id={account_id}&role_name={role_name}");
    let build = || {
        let request = Exchange::new(Method::GET, &url, TIMEOUT)?.header(ACCEPT, "application/json");
        request.secret_header(BEARER_TOKEN, &token.access_token, "accessToken of the SSO cache file")
    };
    let reply = attempts::send(context, ATTEMPTS, build, is_passing_status).await?;
    reply.map_err(|error| SourceError::NoResponse { url: origin.into(), error, hint: None })
}

fn refused(sso: &SsoProfile, login: &Login, origin: &str, token: &Token, reply: &Reply) -> SourceError {
    let mut refusal = Refusal::of(reply, &[&token.access_token]);
    match refusal.status {
        401 => {
            let expires_at = token.expires_at.extended();
            let error = refusal.into_error(origin);
            login.needed(&format!("would expire at {expires_at}, but is no longer accepted: {error}"))
        }
        403 | 404 => {
            let said = refusal.message.as_ref().map_or_else(String::new, |message| format!(" ({message})"));
            refusal.message = Some(format!(
                "role {} in account {} doesn't exist, or is not assigned to this user{said}; compare sso_role_name and \
                 sso_account_id of profile {} with the AWS access portal at {}",
                sso.role_name, sso.account_id, sso.profile, sso.start_url
            ));
            refusal.into_error(origin)
        }
        _ => refusal.into_error(origin),
    }
}
