//! `countersign credentials`

use std::process::ExitCode;

use countersign::sources::{Outcome, Resolved};
use countersign::{Credentials, Timestamp};
use serde_json::{Map, Value, json};

use crate::args::CredentialsArgs;
use crate::args::credentials::CredentialsFormat;
use crate::args::time::extended;
use crate::credentials;
use crate::failure::Failure;
use crate::output::{Output, Style, printable};
use crate::request::curl::quoted;

pub fn run(args: &CredentialsArgs) -> Result<ExitCode, Failure> {
    let output = Output::new();
    let (resolved, origin) = if args.credentials.are_given() {
        let found = credentials::find(&args.credentials, &args.transport)?;
        let mut resolved = Resolved::from(found.credentials);
        resolved.region = found.region;
        (resolved, found.origin)
    } else {
        let resolved = credentials::resolve(&args.credentials, &args.transport)?;
        let origin = resolved.source.to_string();
        (resolved, origin)
    };
    let now = Timestamp::now();
    if resolved.credentials.expires_at().is_some_and(|end| end <= now) {
        output.warning("these credentials have expired; servers refuse them");
    }
    let text = match args.format {
        CredentialsFormat::Text => report(output, &resolved, &origin, now),
        CredentialsFormat::Process => format!("{}\n", process(&resolved)),
        CredentialsFormat::Env => env(&resolved),
        CredentialsFormat::Json => format!("{}\n", all(&resolved, &origin)),
    };
    output.print(&text).map(|()| ExitCode::SUCCESS)
}

/// What people want to know. Nothing in it is secret.
fn report(output: Output, resolved: &Resolved, origin: &str, now: Timestamp) -> String {
    let credentials = &resolved.credentials;
    let kind = if credentials.session_token().is_some() { "temporary" } else { "long-term" };
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let name = output.style_out(Style::Bold, &format!("{name:<13}"));
        text.push_str(&format!("{name} {}\n", printable(value)));
    };
    line("Access key id", &format!("{} ({kind})", credentials.access_key_id()));
    line("Source", origin);
    line("Account", resolved.account_id.as_deref().unwrap_or("not known"));
    line("Expires", &expiry(credentials, now));
    line("Region", resolved.region.as_deref().unwrap_or("not configured"));
    for (index, tried) in resolved.report.to_string().lines().enumerate() {
        line(if index == 0 { "Tried" } else { "" }, tried);
    }
    text
}

fn expiry(credentials: &Credentials, now: Timestamp) -> String {
    let Some(end) = credentials.expires_at() else {
        let unknown = credentials.session_token().is_some();
        return if unknown { "not known: the source doesn't say it" } else { "never" }.to_owned();
    };
    let minutes = (end.unix_seconds() - now.unix_seconds()) / 60;
    let left = match minutes {
        ..0 => "expired".to_owned(),
        0..120 => format!("in {minutes} minutes"),
        _ => format!("in {} hours", minutes / 60),
    };
    format!("{} ({left})", extended(end))
}

/// AWS: [Process credential provider](https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html)
fn process(resolved: &Resolved) -> Value {
    let credentials = &resolved.credentials;
    let mut json = Map::new();
    json.insert("Version".into(), 1.into());
    json.insert("AccessKeyId".into(), credentials.access_key_id().into());
    json.insert("SecretAccessKey".into(), credentials.expose_secret_access_key().into());
    let optional = [
        ("SessionToken", credentials.session_token().map(Into::into)),
        ("Expiration", credentials.expires_at().map(extended)),
        ("AccountId", resolved.account_id.clone()),
    ];
    json.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.into()))));
    json.into()
}

/// Variables that don't belong to these credentials are unset: with the token of others, every request is refused.
fn env(resolved: &Resolved) -> String {
    let credentials = &resolved.credentials;
    let variables = [
        ("AWS_ACCESS_KEY_ID", Some(credentials.access_key_id().to_owned())),
        ("AWS_SECRET_ACCESS_KEY", Some(credentials.expose_secret_access_key().to_owned())),
        ("AWS_SESSION_TOKEN", credentials.session_token().map(Into::into)),
        ("AWS_CREDENTIAL_EXPIRATION", credentials.expires_at().map(extended)),
    ];
    let line = |(name, value): (&str, Option<String>)| match value {
        Some(value) => format!("export {name}={}\n", quoted(&value)),
        None => format!("unset {name}\n"),
    };
    variables.into_iter().map(line).collect()
}

fn all(resolved: &Resolved, origin: &str) -> Value {
    let credentials = &resolved.credentials;
    let tried: Vec<Value> = resolved
        .report
        .entries()
        .map(|(source, outcome)| {
            let (outcome, text) = match outcome {
                Outcome::Skipped(text) => ("skipped", text.as_str()),
                Outcome::Warning(text) => ("warning", text.as_str()),
                Outcome::Used(text) => ("used", text.as_str()),
                Outcome::Failed(text) => ("failed", text.as_str()),
                _ => ("other", ""),
            };
            json!({ "source": source.name(), "outcome": outcome, "text": text })
        })
        .collect();
    json!({
        "access_key_id": credentials.access_key_id(),
        "secret_access_key": credentials.expose_secret_access_key(),
        "session_token": credentials.session_token(),
        "expires_at": credentials.expires_at().map(extended),
        "account_id": resolved.account_id,
        "region": resolved.region,
        "source": resolved.source.name(),
        "origin": origin,
        "tried": tried,
    })
}
