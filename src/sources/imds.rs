//! The instance metadata service of EC2, version 2 only.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::time::Duration;
use std::sync::PoisonError;

use http::header::HeaderName;
use http::{Method, StatusCode};
use zeroize::Zeroizing;

use super::ask::AskErrorKind;
use super::attempts::{self, Most};
use super::context::{Context, Found, Setting};
use super::endpoint::{base_url, check_region};
use super::error::{SourceError, clock};
use super::exchange::{Exchange, Reply, date, json, no_redirect, refused, role_credentials, unusable, with_advice};
use super::report::{Outcome, SourceKind};
use crate::hash::sha256;
use crate::sigv4::timestamp::Timestamp;
use crate::text::{excerpt, is_digits};

const DISABLED: &str = "AWS_EC2_METADATA_DISABLED";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const REGION: &str = "/latest/meta-data/placement/region";

/// How often a service is asked by default that answers that it is busy, e.g. while an instance with many programs
/// starts. One that doesn't answer is asked once: there is probably none.
const WHILE_BUSY: u32 = 3;

/// The longest session token and role name that are accepted, in bytes.
const LONGEST_TOKEN: usize = 4096;
const LONGEST_ROLE: usize = 128;

const HOP_LIMIT: &str = "from a container, the hop limit of the instance has to be 2: \
                         aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2; \
                         elsewhere, set AWS_EC2_METADATA_DISABLED=true";
const SWITCHED_OFF: &str = "the instance metadata service is switched off for this instance; switch it on with \
                            aws ec2 modify-instance-metadata-options --instance-id ID --http-endpoint enabled, \
                            or set AWS_EC2_METADATA_DISABLED=true";
const NO_VERSION_2: &str = "version 2 of the instance metadata service is not offered here; if this is not an EC2 \
                            instance, set AWS_EC2_METADATA_DISABLED=true";

const SLOW: &str = "AWS_METADATA_SERVICE_TIMEOUT and AWS_METADATA_SERVICE_NUM_ATTEMPTS set how long and how often it is \
                    asked";
const NOT_HERE: &str = "if this is not an EC2 instance, set AWS_EC2_METADATA_DISABLED=true";

/// Why there are no credentials.
enum Failure {
    /// There is no service or no role, which is not an error.
    Absent(String),
    Error(SourceError),
}

impl From<SourceError> for Failure {
    fn from(error: SourceError) -> Self {
        Self::Error(error)
    }
}

/// Asks for the credentials of the instance's role. `None` if the service is disabled, can't be reached, or the
/// instance has no role; the reason is in the report.
pub(super) async fn credentials(context: &Context) -> Result<Option<Found>, SourceError> {
    match of_role(context).await {
        Ok(found) => Ok(Some(found)),
        Err(Failure::Absent(reason)) => {
            context.io.report(SourceKind::InstanceMetadata, Outcome::Skipped(reason));
            Ok(None)
        }
        Err(Failure::Error(error)) => Err(error),
    }
}

/// Asks for the region of the instance, after its credentials. `None` if it can't be found out; the reason is in the
/// report.
pub(super) async fn region(context: &Context) -> Option<String> {
    let reason = match placement(context).await {
        Ok(region) => return Some(region),
        Err(Failure::Absent(reason)) => reason,
        Err(Failure::Error(error)) => format!("{error}"),
    };
    let text = format!("the region of the instance is not known: {reason}");
    context.io.report(SourceKind::InstanceMetadata, Outcome::Warning(text));
    None
}

async fn placement(context: &Context) -> Result<String, Failure> {
    let service = Service::configured(context)?;
    let reply = service.get(REGION).await?;
    let origin = service.url(REGION);
    if !reply.status().is_success() {
        return Err(refusal(&origin, &reply, advice(&reply)).into());
    }
    let region = text(&origin, &reply)?.trim();
    check_region(region, String::new).map_err(|_| unusable(&origin, "it is not the name of a region"))?;
    Ok(region.into())
}

async fn of_role(context: &Context) -> Result<Found, Failure> {
    if context.switch(DISABLED, "disable_ec2_metadata")? {
        return Err(Failure::Absent(format!("{DISABLED} or disable_ec2_metadata is true")));
    }
    let service = Service::configured(context)?;
    let role = service.role().await?;
    let path = [ROLES, &role].concat();
    let (origin, reply) = (service.url(&path), service.get(&path).await?);
    if !reply.status().is_success() {
        return Err(refusal(&origin, &reply, advice(&reply)).into());
    }
    let json = json(&origin, reply.body())?;
    let found = role_credentials(&origin, reply.status().as_u16(), &json, &[&service.token().await?])?;
    let (id, secret, token) = found.keys;
    let expires_at = usable_until(context, id, found.expires_at, date(&reply));
    let credentials = context.credentials(&origin, (id, secret, Some(token)), Some(expires_at), date(&reply))?;
    Ok(Found { credentials, account_id: found.account_id })
}

/// When the service can't renew the credentials, AWS asks its SDKs to use those that it gives even if they have expired,
/// and to ask again after 10 to 15 minutes, not all at the same time.
fn usable_until(context: &Context, id: &str, expires_at: Timestamp, server_time: Option<Timestamp>) -> Timestamp {
    let now = context.now();
    if expires_at > now {
        return expires_at;
    }
    let [first, second, ..] = sha256(format!("{id} {now}").as_bytes());
    let again_at = now.saturating_add(600 + i64::from(u16::from_be_bytes([first, second]) % 301));
    let clock = server_time.map_or_else(String::new, |server_time| clock(Some(server_time), now));
    let text = format!(
        "{id} expired at {}, and is used until {}, when it is asked for again{clock}",
        expires_at.extended(),
        again_at.extended()
    );
    context.io.report(SourceKind::InstanceMetadata, Outcome::Warning(text));
    again_at
}

/// The service, as it is configured.
struct Service<'a> {
    context: &'a Context,
    /// Without a slash at the end.
    endpoint: String,
    timeout: Duration,
    attempts: Most,
}

impl<'a> Service<'a> {
    fn configured(context: &'a Context) -> Result<Self, SourceError> {
        let (endpoint, timeout, attempts) = (endpoint(context)?, timeout(context)?, most_attempts(context)?);
        Ok(Self { context, endpoint, timeout, attempts })
    }

    fn url(&self, path: &str) -> String {
        [&self.endpoint, path].concat()
    }

    /// The name of the instance's role.
    async fn role(&self) -> Result<String, Failure> {
        let origin = self.url(ROLES);
        let reply = self.get(ROLES).await?;
        let absent = || Failure::Absent("the instance has no role; attach an instance profile to it".into());
        if reply.status() == StatusCode::NOT_FOUND {
            return Err(absent());
        }
        if !reply.status().is_success() {
            return Err(refusal(&origin, &reply, advice(&reply)).into());
        }
        let role = text(&origin, &reply)?.trim().lines().next().unwrap_or_default().trim();
        // It becomes part of the next path. Source: IAM's pattern of role names.
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
        match role {
            "" => Err(absent()),
            "." | ".." => Err(unusable(&origin, "it is not the name of a role").into()),
            role if role.len() <= LONGEST_ROLE && role.bytes().all(is_name) => Ok(role.into()),
            _ => Err(unusable(&origin, "it is not the name of a role").into()),
        }
    }

    /// Asks for a path. When the session token isn't accepted, it is renewed once.
    async fn get(&self, path: &str) -> Result<Reply, Failure> {
        let origin = self.url(path);
        let reply = self.get_with(&self.token().await?, &origin).await?;
        if reply.status() != StatusCode::UNAUTHORIZED {
            return Ok(reply);
        }
        *self.context.imds_token.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.get_with(&self.token().await?, &origin).await
    }

    async fn get_with(&self, token: &str, url: &str) -> Result<Reply, Failure> {
        let name = HeaderName::from_static("x-aws-ec2-metadata-token");
        let build = || self.exchange(Method::GET, url)?.secret_header(name.clone(), token, url);
        let reply = attempts::send(self.context, self.attempts, build, attempts::is_passing_status).await?;
        let reply = reply.map_err(|error| {
            let hint = attempts::hint(&error, SLOW);
            SourceError::NoResponse { url: url.into(), error, hint }
        })?;
        no_redirect(url, &reply)?;
        Ok(reply)
    }

    fn exchange(&self, method: Method, url: &str) -> Result<Exchange, SourceError> {
        Ok(Exchange::new(method, url, self.timeout)?.without_proxy())
    }

    /// The session token, which is asked for once in a resolution.
    async fn token(&self) -> Result<Zeroizing<String>, Failure> {
        let kept = || self.context.imds_token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(token) = kept().clone() {
            return Ok(token);
        }
        let token = self.new_token().await?;
        *kept() = Some(token.clone());
        Ok(token)
    }

    async fn new_token(&self) -> Result<Zeroizing<String>, Failure> {
        let url = self.url("/latest/api/token");
        let ttl = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
        let build = || Ok(self.exchange(Method::PUT, &url)?.header(ttl.clone(), "21600"));
        let reply = match attempts::send(self.context, self.attempts, build, attempts::is_passing_status).await? {
            Ok(reply) => reply,
            Err(error) if error.kind() == AskErrorKind::NotConnected => {
                return Err(Failure::Absent(format!("nothing answers at {}: {error}", self.endpoint)));
            }
            Err(error) => {
                let is_timeout = error.kind() == AskErrorKind::TimedOut;
                let hint = if is_timeout { Some(HOP_LIMIT) } else { attempts::hint(&error, NOT_HERE) };
                return Err(SourceError::NoResponse { url, error, hint }.into());
            }
        };
        no_redirect(&url, &reply)?;
        match reply.status() {
            status if status.is_success() => Ok(session_token(&url, &reply)?),
            StatusCode::FORBIDDEN => Err(refusal(&url, &reply, SWITCHED_OFF).into()),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Err(refusal(&url, &reply, NO_VERSION_2).into()),
            _ => Err(refusal(&url, &reply, advice(&reply)).into()),
        }
    }
}

fn session_token(url: &str, reply: &Reply) -> Result<Zeroizing<String>, SourceError> {
    let token = text(url, reply)?.trim();
    let problem = match token {
        "" => "the session token is empty",
        token if token.len() > LONGEST_TOKEN => "the session token is longer than 4 KiB",
        token if token.starts_with(['<', '{', '[', '"']) => "it is not a session token",
        token if token.bytes().all(|byte| byte.is_ascii_graphic()) => return Ok(Zeroizing::new(token.into())),
        _ => "the session token holds characters that a header can't have",
    };
    Err(unusable(url, problem))
}

fn text<'r>(origin: &str, reply: &'r Reply) -> Result<&'r str, SourceError> {
    core::str::from_utf8(reply.body()).map_err(|_| unusable(origin, "it is not text"))
}

/// The bodies of refusals are HTML pages, which say no more than the status.
fn refusal(origin: &str, reply: &Reply, advice: &str) -> SourceError {
    with_advice(refused(origin, reply.status().as_u16(), None, None), advice)
}

/// What to do about a status that has no meaning of its own here.
fn advice(reply: &Reply) -> &'static str {
    if attempts::is_passing_status(reply) {
        "the service is overloaded or fails; AWS_METADATA_SERVICE_NUM_ATTEMPTS sets how often it is asked"
    } else {
        "check AWS_EC2_METADATA_SERVICE_ENDPOINT; if this is not an EC2 instance, set AWS_EC2_METADATA_DISABLED=true"
    }
}

/// A URL that is configured takes precedence over the mode, as in the SDKs.
fn endpoint(context: &Context) -> Result<String, SourceError> {
    if let Some(url) = &context.imds_endpoint {
        return base_url(url, "the URL of the instance metadata service that the program was given");
    }
    let variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT";
    if let Some(Setting { value, place }) = context.setting(variable, "ec2_metadata_service_endpoint") {
        return base_url(value, &place);
    }
    let ipv6 = match context.imds_ipv6 {
        Some(ipv6) => ipv6,
        None => is_ipv6(context)?,
    };
    Ok((if ipv6 { "http://[fd00:ec2::254]" } else { "http://169.254.169.254" }).to_owned())
}

fn is_ipv6(context: &Context) -> Result<bool, SourceError> {
    let variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE";
    let Some(mode) = context.setting(variable, "ec2_metadata_service_endpoint_mode") else { return Ok(false) };
    match mode.value {
        value if value.eq_ignore_ascii_case("IPv4") => Ok(false),
        value if value.eq_ignore_ascii_case("IPv6") => Ok(true),
        _ => Err(wrong(mode, "IPv4 or IPv6")),
    }
}

fn timeout(context: &Context) -> Result<Duration, SourceError> {
    let setting = context.setting("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout");
    let Some(setting) = setting else { return Ok(Duration::from_secs(1)) };
    let is_decimal = setting.value.split('.').count() <= 2 && setting.value.split('.').all(is_digits);
    let seconds = setting.value.parse::<f64>().ok().filter(|seconds| is_decimal && *seconds > 0.0 && *seconds <= 600.0);
    match seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).filter(|timeout| !timeout.is_zero()) {
        Some(timeout) => Ok(timeout),
        None => Err(wrong(setting, "a number of seconds above 0 and up to 600")),
    }
}

fn most_attempts(context: &Context) -> Result<Most, SourceError> {
    let setting = context.setting("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "metadata_service_num_attempts");
    let Some(setting) = setting else { return Ok(Most { without_response: 1, while_busy: WHILE_BUSY }) };
    let attempts = Some(setting.value).filter(|value| is_digits(value)).and_then(|value| value.parse::<u32>().ok());
    match attempts.filter(|attempts| (1..=100).contains(attempts)) {
        Some(attempts) => Ok(attempts.into()),
        None => Err(wrong(
            setting,
            "a number from 1 to 100; to skip the instance metadata service, set AWS_EC2_METADATA_DISABLED=true",
        )),
    }
}

fn wrong(setting: Setting<'_>, expected: &str) -> SourceError {
    let Setting { value, place } = setting;
    SourceError::Setting { place, value: excerpt(value.as_bytes()), expected: expected.into() }
}
