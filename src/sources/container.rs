//! The endpoint of a container: ECS, EKS Pod Identity, Greengrass.

use alloc::format;
use alloc::string::String;
use core::net::{Ipv4Addr, Ipv6Addr};
use core::time::Duration;

use http::header::AUTHORIZATION;
use http::{Method, Uri};
use zeroize::Zeroizing;

use super::attempts;
use super::context::{Context, Found};
use super::endpoint::{is_web, not_a_url};
use super::error::SourceError;
use super::exchange::{Exchange, Reply, date, json, no_redirect, refused_hiding, role_credentials, with_advice};
use crate::json::read::{Json, parse};

const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

const TIMEOUT: Duration = Duration::from_secs(2);
const MOST_ATTEMPTS: u32 = 3;

/// Where ECS and EKS answer; the only addresses besides this machine to which a token goes unencrypted.
const ECS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 2);
const EKS: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 23);
const EKS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23);

/// Whether a variable names an endpoint.
pub(super) fn is_configured(context: &Context) -> bool {
    [RELATIVE, FULL].iter().any(|name| context.environment.get(name).is_some())
}

/// Asks the endpoint that the environment names.
pub(super) async fn credentials(context: &Context) -> Result<Found, SourceError> {
    let url = url(context)?;
    let token = token(context).await?;
    let build = || {
        let exchange = Exchange::new(Method::GET, &url, TIMEOUT)?.without_proxy();
        match &token {
            Some((token, place)) => exchange.secret_header(AUTHORIZATION, token, place),
            None => Ok(exchange),
        }
    };
    let origin = build()?.origin;
    let reply = attempts::send(context, MOST_ATTEMPTS, build, attempts::is_passing_status).await?;
    let hint = "check that the agent of the container platform runs, and that AWS_CONTAINER_CREDENTIALS_* name it";
    let reply = reply.map_err(|error| {
        let hint = attempts::hint(&error, hint);
        SourceError::NoResponse { url: origin.clone(), error, hint }
    })?;
    no_redirect(&origin, &reply)?;
    let secrets = token.as_ref().map(|(token, _)| token.as_str());
    if !reply.status().is_success() {
        return Err(refusal(&origin, &reply, secrets));
    }
    let json = json(&origin, reply.body())?;
    let found = role_credentials(&origin, reply.status().as_u16(), &json, secrets.as_slice())?;
    let (id, secret, session_token) = found.keys;
    let keys = (id, secret, Some(session_token));
    let credentials = context.credentials(&origin, keys, Some(found.expires_at), date(&reply))?;
    Ok(Found { credentials, account_id: found.account_id })
}

fn url(context: &Context) -> Result<String, SourceError> {
    if let Some(path) = context.environment.get(RELATIVE) {
        let url = format!("http://{ECS}{path}");
        if path.starts_with('/') && url.parse::<Uri>().is_ok() {
            return Ok(url);
        }
        return Err(not_a_url(path, RELATIVE, "a path that begins with /, e.g. /v2/credentials/ID"));
    }
    let Some(url) = context.environment.get(FULL) else {
        let expected = format!("set, or {FULL} has to be, since the profile asks for the credentials of a container");
        return Err(SourceError::Setting { place: RELATIVE.into(), value: String::new(), expected });
    };
    let uri = url.parse::<Uri>().ok().filter(is_web);
    let Some(uri) = uri else {
        return Err(not_a_url(
            url,
            FULL,
            "an absolute URL with a host and without a user, e.g. http://localhost:8080/",
        ));
    };
    if uri.scheme_str() == Some("https") || uri.host().is_some_and(may_be_plain) {
        return Ok(url.into());
    }
    Err(not_a_url(
        url,
        FULL,
        "an https URL: http is accepted only for localhost, 127.0.0.0/8, [::1], 169.254.170.2, 169.254.170.23 and \
         [fd00:ec2::23]",
    ))
}

/// Whether a host is this machine or an agent of ECS or EKS. Other notations of the same addresses (decimal, mapped to
/// IPv6) are refused, since only tricks use them.
fn may_be_plain(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse().is_ok_and(|address: Ipv6Addr| address == EKS_V6 || address.is_loopback()),
        None => match host.parse::<Ipv4Addr>() {
            Ok(address) => address.is_loopback() || address == ECS || address == EKS,
            Err(_) => host.eq_ignore_ascii_case("localhost"),
        },
    }
}

/// The value of `Authorization`, exactly as it is written, and where that is.
async fn token(context: &Context) -> Result<Option<(Zeroizing<String>, String)>, SourceError> {
    let (token, place) = match (context.environment.get(TOKEN_FILE), context.environment.verbatim(TOKEN)) {
        (Some(path), _) => (file(context, path).await?, format!("{path} ({TOKEN_FILE})")),
        (None, Some(token)) => (Zeroizing::new(token.into()), TOKEN.into()),
        (None, None) => return Ok(None),
    };
    // It would end the header, and what follows would be headers of its own.
    let problem = match token.trim_end_matches(['\r', '\n']) {
        token if token.contains(['\r', '\n']) => "holds a line feed (CR or LF) in the middle of the token; remove it",
        "" => "is empty, and should hold an authorization token",
        trimmed if trimmed.len() < token.len() => {
            "ends with a line feed (CR or LF), which is part of the token; remove it"
        }
        _ => return Ok(Some((token, place))),
    };
    Err(SourceError::File { path: place, problem: problem.into() })
}

async fn file(context: &Context, path: &str) -> Result<Zeroizing<String>, SourceError> {
    let unreadable = |error| SourceError::Unreadable { path: path.into(), error };
    let wrong = |problem: String| SourceError::File { path: path.into(), problem };
    let contents = context.io.read_file(path).await.map_err(unreadable)?;
    let contents = contents.ok_or_else(|| wrong(format!("does not exist, and {TOKEN_FILE} names it")))?;
    match core::str::from_utf8(&contents) {
        Ok(token) => Ok(Zeroizing::new(token.into())),
        Err(_) => Err(wrong("is not text, so it holds no authorization token".into())),
    }
}

fn refusal(origin: &str, reply: &Reply, token: Option<&str>) -> SourceError {
    let json = parse(reply.body());
    let text = |names: [&str; 2]| names.iter().find_map(|name| json.as_ref()?.member(name).and_then(Json::text));
    let said = (text(["code", "Code"]), text(["message", "Message"]));
    let error = refused_hiding(origin, reply.status().as_u16(), said, token.as_slice());
    match reply.status().as_u16() {
        401 | 403 => {
            with_advice(error, "check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN")
        }
        404 => with_advice(error, "check AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        429 | 500.. => with_advice(error, "the agent of the container platform fails or is overloaded; see its log"),
        _ => error,
    }
}
