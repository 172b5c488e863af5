//! The credentials to sign with: flags, standard input, or AWS's sources.

use std::io::Read;

use countersign::Credentials;
use countersign::sources::{AskError, AskErrorKind, Environment, HttpAsk, ResolveError, Resolved, Resolver};

use crate::args::time::timestamp;
use crate::args::{CredentialArgs, TransportArgs};
use crate::failure::{Failure, Kind};
use crate::http::{Client, Outgoing};
use crate::url::Url;

/// No credentials on standard input are longer.
const MAX_STDIN: u64 = 64 * 1024;
/// No answer of a source of credentials is longer.
const MAX_ANSWER: usize = countersign::sources::Ask::MAX_RESPONSE_BYTES;

/// Credentials, and where they came from.
#[derive(Clone, Debug)]
pub struct Found {
    pub credentials: Credentials,
    /// The region of the environment or of the profile.
    pub region: Option<String>,
    /// Where the credentials came from, for `-v`. One or more lines.
    pub origin: String,
}

/// Finds the credentials. Sources that send requests use the client of this program.
pub fn find(args: &CredentialArgs, transport: &TransportArgs) -> Result<Found, Failure> {
    match given(args)? {
        Some((credentials, origin)) => Ok(Found { credentials, region: configured_region(), origin: origin.into() }),
        None if args.session_token.is_some() => {
            Err(Failure::usage("--session-token needs --user, or --access-key and --secret-key"))
        }
        None => {
            let resolved = resolve(args, transport)?;
            let origin = resolved.report.to_string();
            Ok(Found { credentials: resolved.credentials, region: resolved.region, origin })
        }
    }
}

/// Asks AWS's sources in AWS's order. The report of the result lists what was tried.
pub fn resolve(args: &CredentialArgs, transport: &TransportArgs) -> Result<Resolved, Failure> {
    resolver(args.profile.as_deref())
        .with_mfa_code(mfa_code)
        .resolve(|ask| send(ask, transport))
        .map_err(|error| Failure::sign(format!("no credentials: {error}\n{}", indented(&error.report().to_string()))))
}

/// AWS's sources, or only this profile.
pub fn resolver(profile: Option<&str>) -> Resolver {
    let resolver = Resolver::new(Environment::of_process());
    match profile {
        Some(profile) => resolver.with_profile(profile),
        None => resolver,
    }
}

/// Asks the sources of a program that runs without a person. Blocks the thread.
pub fn ask(resolver: &Resolver) -> Result<Resolved, ResolveError> {
    resolver.resolve(|ask| send(ask, &TransportArgs::default()))
}

/// Credentials that don't come from AWS's sources.
pub fn given(args: &CredentialArgs) -> Result<Option<(Credentials, &'static str)>, Failure> {
    let (credentials, origin) = if args.credentials_stdin {
        (from_stdin()?, "standard input")
    } else if let Some(user) = &args.user {
        let Some((id, secret)) = user.expose().split_once(':') else {
            return Err(Failure::usage("--user must be ID:SECRET"));
        };
        (new_credentials(id, secret, None)?, "--user")
    } else if let (Some(id), Some(secret)) = (&args.access_key, &args.secret_key) {
        (new_credentials(id, secret.expose(), None)?, "--access-key and --secret-key")
    } else {
        return Ok(None);
    };
    let credentials = match &args.session_token {
        Some(token) => credentials.with_session_token(token.expose()).map_err(Failure::usage)?,
        None => credentials,
    };
    Ok(Some((credentials, origin)))
}

fn new_credentials(id: &str, secret: &str, token: Option<&str>) -> Result<Credentials, Failure> {
    let credentials = Credentials::new(id, secret).map_err(Failure::usage)?;
    match token {
        Some(token) => credentials.with_session_token(token).map_err(Failure::usage),
        None => Ok(credentials),
    }
}

pub fn configured_region() -> Option<String> {
    let read = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    read("AWS_REGION").or_else(|| read("AWS_DEFAULT_REGION"))
}

fn from_stdin() -> Result<Credentials, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_STDIN)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(Kind::Read, format!("standard input can't be read: {error}")))?;
    parse(text.trim())
}

/// Parses credentials as `credential_process`, `aws configure export-credentials --format env` or `--user` write them.
fn parse(text: &str) -> Result<Credentials, Failure> {
    const FORMS: &str = "standard input must contain ID:SECRET, ID:SECRET:TOKEN, the JSON of a credential_process, or lines \
                         such as AWS_ACCESS_KEY_ID=…";
    if text.starts_with('{') {
        // The message of the JSON parser could quote a secret.
        let json: serde_json::Value = serde_json::from_str(text).map_err(|_| Failure::usage(FORMS))?;
        let field = |name: &str| json.get(name).and_then(serde_json::Value::as_str);
        let (Some(id), Some(secret)) = (field("AccessKeyId"), field("SecretAccessKey")) else {
            return Err(Failure::usage("the JSON on standard input must have AccessKeyId and SecretAccessKey"));
        };
        return expiring(new_credentials(id, secret, field("SessionToken"))?, field("Expiration"));
    }
    if text.contains("AWS_ACCESS_KEY_ID=") {
        let value = |name: &str| {
            text.lines().find_map(|line| {
                let line = line.trim();
                let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
                let value = line.strip_prefix(name)?.strip_prefix('=')?.trim();
                Some(value.trim_matches(['"', '\'']))
            })
        };
        let (Some(id), Some(secret)) = (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY")) else {
            return Err(Failure::usage("standard input has AWS_ACCESS_KEY_ID but no AWS_SECRET_ACCESS_KEY"));
        };
        let credentials = new_credentials(id, secret, value("AWS_SESSION_TOKEN"))?;
        return expiring(credentials, value("AWS_CREDENTIAL_EXPIRATION"));
    }
    let mut parts = text.splitn(3, ':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(id), Some(secret), token) => new_credentials(id, secret, token),
        _ => Err(Failure::usage(FORMS)),
    }
}

/// With the time that the writer of the credentials said they expire.
fn expiring(credentials: Credentials, time: Option<&str>) -> Result<Credentials, Failure> {
    let Some(time) = time.filter(|time| !time.is_empty()) else { return Ok(credentials) };
    let time = timestamp(&time.replace("+00:00", "Z"));
    let time = time.map_err(|form| Failure::usage(format!("the expiration on standard input {form}")))?;
    Ok(credentials.with_expires_at(time))
}

/// Sends one request of a source, within its time and without following redirects. Of the flags, only the limits of time
/// apply: --insecure is about the server that gets the request, and must not reveal the credentials to another.
pub fn send(ask: HttpAsk, flags: &TransportArgs) -> Result<::http::Response<Vec<u8>>, AskError> {
    // Shorter, so that a service that can't be reached is told apart from one that doesn't answer.
    let limit = ask.timeout.min(flags.max_time.unwrap_or(ask.timeout));
    let transport = TransportArgs { connect_timeout: limit / 2, max_time: Some(limit), ..TransportArgs::default() };
    let (parts, body) = ask.request.into_parts();
    let send = || -> Result<::http::Response<Vec<u8>>, Failure> {
        let url = Url::parse(&parts.uri.to_string())?;
        let client = Client::new(&transport)?;
        let mut answer =
            client.send(&url, Outgoing { method: parts.method, headers: parts.headers, body: body.into() })?;
        let body = answer.read_all(MAX_ANSWER)?;
        let mut response = ::http::Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = answer.headers().clone();
        Ok(response)
    };
    send().map_err(|failure| {
        let kind = match failure.kind() {
            Kind::Resolve | Kind::Connect => AskErrorKind::NotConnected,
            Kind::Timeout => AskErrorKind::TimedOut,
            _ => AskErrorKind::Other,
        };
        AskError::new(kind, failure.to_string())
    })
}

/// Asks on the terminal.
fn mfa_code(serial: &str) -> Result<String, AskError> {
    eprint!("MFA code of {serial}: ");
    let mut code = String::new();
    std::io::stdin().read_line(&mut code)?;
    Ok(code.trim().into())
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}
