//! `countersign post-form`

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use countersign::post_policy::{Policy, PolicyError, SignedForm};
use countersign::{Endpoint, Signer, Timestamp};
use serde_json::{Map, Value, json};

use crate::args::post_form::FormFormat;
use crate::args::time::extended;
use crate::args::{PostFormArgs, TransportArgs};
use crate::failure::Failure;
use crate::output::Output;
use crate::url::Url;

const SEVEN_DAYS: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The suffixes of S3's hosts, in the partitions that people have access to.
const SUFFIXES: [&str; 3] = ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu"];

pub fn run(args: &PostFormArgs) -> Result<ExitCode, Failure> {
    let output = Output::new();
    if args.expires.is_zero() || args.expires > SEVEN_DAYS {
        return Err(Failure::usage("--expires must be from 1s to 7d"));
    }
    let found = crate::credentials::find(&args.credentials, &TransportArgs::default())?;
    let (action, region) = place(args, found.region.as_deref())?;
    let now = args.date.now();
    let expires_at = now.saturating_add(i64::try_from(args.expires.as_secs()).unwrap_or(i64::MAX));
    let (policy, open) = policy(args, expires_at)?;
    let credentials_end = found.credentials.expires_at();
    let signer = Signer::new(found.credentials, &*region, "s3").map_err(Failure::usage)?;
    let form = signer.sign_post_policy(&policy, now).map_err(failure)?;
    if let (true, Some(end)) = (form.outlives_credentials(), credentials_end) {
        output.warning(&format!("the credentials expire at {}, and the form with them", extended(end)));
    }
    let text = match args.format {
        FormFormat::Json => as_json(&action, &form, expires_at),
        FormFormat::Html => as_page(&action, &form, &open),
    };
    output.print(&text).map(|()| ExitCode::SUCCESS)
}

/// Where the form is sent, and the region of the bucket.
fn place(args: &PostFormArgs, configured: Option<&str>) -> Result<(String, String), Failure> {
    let url = args.action.as_deref().map(Url::parse).transpose()?;
    let endpoint = url.as_ref().and_then(|url| Endpoint::parse(url.host()));
    let of_host = endpoint.as_ref().and_then(Endpoint::region);
    let Some(region) = args.region.as_deref().or(of_host).or(configured) else {
        return Err(Failure::usage(
            "the region of the bucket is not configured; name it, for example with --region us-east-1",
        ));
    };
    let action = url.map_or_else(|| action(&args.bucket, region), |url| Ok(url.to_string()))?;
    Ok((action, region.to_owned()))
}

fn failure(error: PolicyError) -> Failure {
    match error {
        PolicyError::Sign(_) => Failure::sign(error),
        _ => Failure::usage(error),
    }
}

/// The policy, and the fields that the page sets with what they begin with.
fn policy(args: &PostFormArgs, expires_at: Timestamp) -> Result<(Policy, Vec<(String, String)>), Failure> {
    let mut policy = Policy::new(&args.bucket, expires_at);
    let mut open = Vec::new();
    if let Some(key) = &args.key {
        policy = policy.with_field("key", key);
    } else if let Some(prefix) = &args.key_starts_with {
        policy = policy.with_field("key", format!("{prefix}${{filename}}"));
    }
    match args.content_type.as_deref().map(|given| (given, given.strip_suffix('*'))) {
        Some((_, Some(prefix))) => open.push(("Content-Type".to_owned(), prefix.to_owned())),
        Some((exact, None)) => policy = policy.with_field("Content-Type", exact),
        None => {}
    }
    if let Some(status) = &args.success_status {
        policy = policy.with_field("success_action_status", status);
    }
    if let Some(url) = &args.success_redirect {
        policy = policy.with_field("success_action_redirect", url);
    }
    for field in &args.fields {
        let (name, value) = pair(field, "--field")?;
        policy = policy.with_field(name, value);
    }
    for field in &args.starts_with {
        let (name, prefix) = pair(field, "--starts-with")?;
        open.push((name.to_owned(), prefix.to_owned()));
    }
    for (name, prefix) in &open {
        policy = policy.with_starts_with(name, prefix);
    }
    if let Some(range) = &args.content_length_range {
        policy = policy.with_content_length(range.clone());
    }
    Ok((policy, open))
}

/// The value isn't shown, as it may be a secret, such as a customer's key.
fn pair<'a>(text: &'a str, flag: &str) -> Result<(&'a str, &'a str), Failure> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.ok_or_else(|| Failure::usage(format!("{flag} must be NAME=VALUE")))
}

/// The host of the bucket. A name with dots doesn't match S3's certificate, and goes into the path.
fn action(bucket: &str, region: &str) -> Result<String, Failure> {
    let is_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
    if bucket.is_empty() || !bucket.bytes().all(is_name) {
        return Err(Failure::usage("--bucket must be the name of a bucket: lower-case letters, digits, `-` and `.`"));
    }
    let host = SUFFIXES
        .iter()
        .map(|suffix| format!("s3.{region}.{suffix}"))
        .find(|host| Endpoint::parse(host).is_some_and(|endpoint| endpoint.region() == Some(region)));
    match host {
        Some(host) if bucket.contains('.') => Ok(format!("https://{host}/{bucket}")),
        Some(host) => Ok(format!("https://{bucket}.{host}/")),
        None => Err(Failure::usage(format!(
            "S3's host in the region {region:?} is not known; name where the form is sent with --action URL"
        ))),
    }
}

fn as_json(action: &str, form: &SignedForm, expires_at: Timestamp) -> String {
    let fields: Map<String, Value> = form.fields().map(|(name, value)| (name.to_owned(), value.into())).collect();
    format!("{}\n", json!({ "url": action, "fields": fields, "expires_at": extended(expires_at) }))
}

fn as_page(action: &str, form: &SignedForm, open: &[(String, String)]) -> String {
    let mut page = format!(
        "<!DOCTYPE html>\n<meta charset=\"utf-8\">\n<title>Upload</title>\n<form action=\"{}\" method=\"post\" \
         enctype=\"multipart/form-data\">\n{}",
        escaped(action),
        form.hidden_inputs(),
    );
    for (name, prefix) in open {
        let (name, prefix) = (escaped(name), escaped(prefix));
        let _ = writeln!(page, "<p><label>{name} <input name=\"{name}\" value=\"{prefix}\"></label></p>");
    }
    // S3 ignores every field after the file.
    page.push_str("<p><input type=\"file\" name=\"file\" required></p>\n<p><button>Upload</button></p>\n</form>\n");
    page
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
