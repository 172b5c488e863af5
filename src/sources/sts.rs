//! STS: `AssumeRole` and `AssumeRoleWithWebIdentity`, by the query API of 2011-06-15.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use http::Method;
use http::header::CONTENT_TYPE;
use zeroize::Zeroizing;

use super::ask::{AskError, AskErrorKind};
use super::attempts;
use super::context::{Context, Found};
use super::endpoint::{account_of, partition_of};
use super::error::{SourceError, clock};
use super::exchange::{Exchange, Reply, date, no_redirect, refused_hiding, unusable, with_advice};
use super::profile::AssumeRole;
use super::report::{Outcome, SourceKind};
use crate::endpoint::partition::AWS;
use crate::sign::Signer;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::write_encoded;
use crate::xml::read as xml;

const TIMEOUT: Duration = Duration::from_secs(10);
const MOST_ATTEMPTS: u32 = 3;

/// The longest web identity token that STS accepts, in characters.
const LONGEST_TOKEN: usize = 20_000;

/// The codes of failures that pass. `IDPCommunicationError`: STS could not reach the identity provider.
const PASSING: [&str; 8] = [
    "IDPCommunicationError",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];

/// Assumes a role with the credentials of the step before.
pub(super) async fn assume_role(
    context: &Context,
    credentials: &Credentials,
    role: &AssumeRole,
) -> Result<Found, SourceError> {
    let endpoint = endpoint(context, SourceKind::AssumeRole, &role.role_arn, role.region.as_deref())?;
    let session_name = session_name(context, role.session_name.as_deref());
    let duration = role.duration_seconds.map(|seconds| format!("{seconds}"));
    let code = match &role.mfa_serial {
        Some(serial) => Some(mfa_code(context, serial).await?),
        None => None,
    };
    let mut parameters = Parameters::new("AssumeRole", &role.role_arn, &session_name);
    parameters.add("ExternalId", role.external_id.as_deref());
    parameters.add("DurationSeconds", duration.as_deref());
    parameters.add("SerialNumber", role.mfa_serial.as_deref());
    parameters.add("TokenCode", code.as_ref().map(|code| code.as_str()));
    let signer = Signer::new(credentials.clone(), endpoint.region.as_str(), "sts")
        .map_err(|error| unsigned(&endpoint.url, &error))?;
    let secret = core::str::from_utf8(credentials.aws4_secret()).ok().and_then(|secret| secret.strip_prefix("AWS4"));
    let secrets = [credentials.session_token(), secret, role.external_id.as_deref()];
    ask(context, &endpoint, &parameters, Some(&signer), &secrets.map(Option::unwrap_or_default)).await
}

/// Exchanges the token in a file, which is read each time, for credentials of a role.
pub(super) async fn assume_role_with_web_identity(
    context: &Context,
    token_file: &str,
    role_arn: &str,
    session_name: Option<&str>,
    region: Option<&str>,
) -> Result<Found, SourceError> {
    let endpoint = endpoint(context, SourceKind::WebIdentity, role_arn, region)?;
    let token = token(context, token_file).await?;
    let session_name = self::session_name(context, session_name);
    let mut parameters = Parameters::new("AssumeRoleWithWebIdentity", role_arn, &session_name);
    parameters.add("WebIdentityToken", Some(&token));
    ask(context, &endpoint, &parameters, None, &[&token]).await
}

struct Endpoint {
    /// With a slash at the end.
    url: String,
    region: String,
}

/// Without a configured region, the SDKs differ: some fail, some ask us-east-1. The role says at least in which
/// partition STS has to be asked.
fn endpoint(
    context: &Context,
    source: SourceKind,
    role_arn: &str,
    of_profile: Option<&str>,
) -> Result<Endpoint, SourceError> {
    let region = match context.region().or(of_profile.filter(|region| !region.is_empty())) {
        Some(region) => region,
        None => {
            let region = partition_of(role_arn).unwrap_or(&AWS).global_region;
            let text = format!("no region is configured, so STS in {region} is asked; set AWS_REGION for another one");
            context.io.report(source, Outcome::Warning(text));
            region
        }
    };
    // Where SDKs know the name of the global endpoint, it means STS in us-east-1.
    let region = if region == "aws-global" { AWS.global_region } else { region };
    Ok(Endpoint { url: context.endpoint("sts", "sts", region)? + "/", region: region.into() })
}

fn session_name(context: &Context, configured: Option<&str>) -> String {
    configured.map_or_else(|| format!("countersign-{}", context.now().unix_seconds()), ToOwned::to_owned)
}

async fn mfa_code(context: &Context, serial: &str) -> Result<Zeroizing<String>, SourceError> {
    let failed = |error| SourceError::Mfa { serial: serial.into(), error };
    let code = context.io.mfa_code(serial).await.map_err(failed)?;
    let trimmed = code.trim();
    if trimmed.len() == 6 && crate::text::is_digits(trimmed) {
        return Ok(Zeroizing::new(trimmed.into()));
    }
    Err(failed(AskError::new(AskErrorKind::Other, "what was entered is not a code of 6 digits")))
}

/// The token of a file, without the line feed at its end that editors and `echo` add.
async fn token(context: &Context, path: &str) -> Result<Zeroizing<String>, SourceError> {
    let unreadable = |error| SourceError::Unreadable { path: path.into(), error };
    let wrong = |problem: &str| SourceError::File { path: path.into(), problem: problem.into() };
    let contents = context.io.read_file(path).await.map_err(unreadable)?;
    let contents =
        contents.ok_or_else(|| wrong("does not exist, and is named as the file of the web identity token"))?;
    let text = core::str::from_utf8(&contents).map_err(|_| wrong("is not text, so it holds no web identity token"))?;
    let token = text.trim();
    if token.is_empty() {
        return Err(wrong("is empty, and should hold a web identity token"));
    }
    if token.contains(['\n', '\r']) {
        return Err(wrong("holds a line feed in the middle of the web identity token"));
    }
    if token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(wrong("holds a space or a control character in the middle of the web identity token"));
    }
    if token.len() > LONGEST_TOKEN {
        return Err(wrong("holds more than 20000 characters, the longest web identity token that STS accepts"));
    }
    Ok(Zeroizing::new(token.into()))
}

/// The parameters of a form, in order.
struct Parameters<'a>(Vec<(&'static str, &'a str)>);

impl<'a> Parameters<'a> {
    fn new(action: &'static str, role_arn: &'a str, session_name: &'a str) -> Self {
        Self(Vec::from([
            ("Action", action),
            ("Version", "2011-06-15"),
            ("RoleArn", role_arn),
            ("RoleSessionName", session_name),
        ]))
    }

    fn add(&mut self, name: &'static str, value: Option<&'a str>) {
        self.0.extend(value.map(|value| (name, value)));
    }

    /// The body, with room for all of it from the beginning, so that no copy of a token stays in freed memory.
    fn form(&self) -> Vec<u8> {
        let longest = self.0.iter().map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
        let mut form = Vec::with_capacity(longest);
        for (index, (name, value)) in self.0.iter().enumerate() {
            if index > 0 {
                form.push(b'&');
            }
            form.extend_from_slice(name.as_bytes());
            form.push(b'=');
            write_encoded(&mut form, value.as_bytes());
        }
        form
    }
}

async fn ask(
    context: &Context,
    endpoint: &Endpoint,
    parameters: &Parameters<'_>,
    signer: Option<&Signer>,
    secrets: &[&str],
) -> Result<Found, SourceError> {
    let url = &endpoint.url;
    let build = || {
        let mut exchange = Exchange::new(Method::POST, url, TIMEOUT)?
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded; charset=utf-8")
            .body(parameters.form());
        if let Some(signer) = signer {
            let signed = signer.sign_http(exchange.request(), context.now());
            signed.map_err(|error| unsigned(url, &error))?;
        }
        Ok(exchange)
    };
    let is_passing = |reply: &Reply| {
        let code =
            || Answer::read(reply).is_ok_and(|answer| answer.leaf("Code").is_some_and(|code| PASSING.contains(&code)));
        attempts::is_passing_status(reply) || reply.status().is_client_error() && code()
    };
    let reply = attempts::send(context, MOST_ATTEMPTS, build, is_passing).await?;
    let hint = "check the network and the proxy, or set AWS_ENDPOINT_URL_STS if STS is at another URL";
    let reply = reply.map_err(|error| {
        let hint = attempts::hint(&error, hint);
        SourceError::NoResponse { url: url.clone(), error, hint }
    })?;
    no_redirect(url, &reply)?;
    if reply.status().is_success() { found(context, url, &reply) } else { Err(refusal(context, url, &reply, secrets)) }
}

fn unsigned(url: &str, problem: &dyn core::fmt::Display) -> SourceError {
    SourceError::Unsigned { url: url.into(), problem: format!("{problem}") }
}

/// The XML of a response.
struct Answer(xml::Document);

impl Answer {
    fn read(reply: &Reply) -> Result<Self, &'static str> {
        let text = core::str::from_utf8(reply.body()).map_err(|_| "it is not text")?;
        let text = text.trim_start_matches('\u{feff}').trim();
        let document = xml::parse(text);
        match document {
            _ if text.is_empty() => Err("it is empty"),
            document if document.is_html => Err("it is an HTML page, possibly of a proxy"),
            // A cut element would be taken for a shorter token.
            document if !document.is_complete => Err("it is not XML or was cut short"),
            document => Ok(Self(document)),
        }
    }

    fn leaf(&self, name: &str) -> Option<&str> {
        self.0.leaves.get(name).map(|text| text.trim())
    }
}

fn found(context: &Context, url: &str, reply: &Reply) -> Result<Found, SourceError> {
    let answer = Answer::read(reply).map_err(|problem| unusable(url, problem))?;
    let leaf = |name: &str| answer.leaf(name).ok_or_else(|| unusable(url, &format!("{name} is missing")));
    let (id, secret, token) = (leaf("AccessKeyId")?, leaf("SecretAccessKey")?, leaf("SessionToken")?);
    let expires_at = Timestamp::parse_rfc3339(leaf("Expiration")?)
        .ok_or_else(|| unusable(url, "Expiration is not a time such as 2026-01-31T12:00:00Z"))?;
    let credentials = context.credentials(url, (id, secret, Some(token)), Some(expires_at), date(reply))?;
    Ok(Found { credentials, account_id: answer.leaf("Arn").and_then(account_of) })
}

fn refusal(context: &Context, url: &str, reply: &Reply, secrets: &[&str]) -> SourceError {
    let status = reply.status().as_u16();
    let answer = match Answer::read(reply) {
        Ok(answer) => answer,
        Err(problem) => {
            let error = refused_hiding(url, status, (None, None), &[]);
            return with_advice(error, &format!("the reason can't be read, since {problem}"));
        }
    };
    let code = answer.leaf("Code");
    let error = refused_hiding(url, status, (code, answer.leaf("Message")), secrets);
    if matches!(code, Some("ExpiredTokenException" | "InvalidIdentityToken")) {
        return with_advice(
            error,
            "check that the file of the web identity token is renewed, and that the role trusts its issuer",
        );
    }
    // Codes of signatures whose time STS does not accept.
    let is_about_time = matches!(
        code,
        Some("RequestExpired" | "SignatureDoesNotMatch" | "InvalidSignatureException" | "RequestTimeTooSkewed")
    );
    match date(reply).filter(|_| is_about_time).map(|server_time| clock(Some(server_time), context.now())) {
        Some(clock) if !clock.is_empty() => with_advice(error, clock.trim_start_matches("; ")),
        _ => error,
    }
}
