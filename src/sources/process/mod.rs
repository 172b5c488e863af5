//! `credential_process`: a command that prints credentials.
//!
//! Its arguments are in no error, since they may hold secrets. What it prints to standard error is shown when it fails,
//! after everything that may be a secret was removed: see [`stderr`].
//!
//! AWS: [Process credential provider](https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html)

mod running;
mod split;
mod stderr;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::ask::{AskError, AskErrorKind, CommandAsk, CommandOutput};
use super::context::{Context, Found};
use super::error::SourceError;
use super::exchange::{json, member, unusable};
use super::token_file::text;
use crate::json::read::Json;
use crate::sigv4::timestamp::Timestamp;

const TIMEOUT: Duration = Duration::from_secs(60);

/// Runs the command of a profile.
pub(super) async fn credentials(
    context: &Context,
    profile: &str,
    command: &str,
    account_id: Option<&str>,
) -> Result<Found, SourceError> {
    let malformed = |problem: &str| SourceError::Setting {
        place: format!("credential_process of profile {profile}"),
        value: "[not shown]".to_owned(),
        expected: problem.to_owned(),
    };
    let words = split::words(command, context.environment.is_windows());
    let mut words = words.ok_or_else(|| malformed("a command whose quotation marks are all closed"))?.into_iter();
    let Some(program) = words.next().filter(|program| !program.is_empty()) else {
        return Err(malformed("a command that begins with the name of a program"));
    };
    let name = shown(&program).to_owned();
    let failed = |problem: String| SourceError::Command { program: name.clone(), problem };
    let hint = hint(&program);
    let arguments: Vec<String> = words.collect();
    let variables = Vec::from([running::variable(context, profile).map_err(failed)?]);
    let ask = CommandAsk { program, arguments: arguments.clone(), variables, timeout: TIMEOUT };
    let output = context.io.run(ask).await.map_err(|error| failed(not_run(&error, hint)))?;
    if !output.success {
        return Err(failed(failure(&output, &arguments)));
    }
    read(context, &name, &output.stdout, account_id)
}

/// The program, as far as it is one. A variable that is set before it, which only a shell understands, may be secret, as
/// may be arguments within the same quotation marks.
pub(super) fn shown(program: &str) -> &str {
    const SEPARATORS: [char; 2] = ['/', '\\'];
    let program = match program.split_once('=') {
        Some((name, _)) if !name.contains(SEPARATORS) => name,
        _ => program,
    };
    // Options and URLs may hold separators.
    let end = [" -", "://"].iter().filter_map(|mark| program.find(mark)).min().unwrap_or(program.len());
    let path = program.get(..end).unwrap_or(program);
    let name = path.rfind(SEPARATORS).unwrap_or(0);
    let space = path.get(name..).and_then(|name| name.find(char::is_whitespace));
    space.and_then(|space| path.get(..name + space)).unwrap_or(path)
}

/// What a shell would do, which is a common reason why a program isn't found.
fn hint(program: &str) -> &'static str {
    match program {
        _ if program.starts_with('~') => "; write the whole path: no shell replaces ~ here",
        _ if program.contains(['$', '%', '`']) => "; write the whole path: no shell replaces variables here",
        _ if shown(program).len() < program.len() && program.contains(char::is_whitespace) => {
            "; the quotation marks enclose more than the program: write them around its path only"
        }
        _ if program.contains('=') => "; no shell sets variables here: use `env NAME=value program`",
        _ => "",
    }
}

fn not_run(error: &AskError, hint: &str) -> String {
    match error.kind() {
        AskErrorKind::TimedOut => format!("did not end within {} seconds", TIMEOUT.as_secs()),
        AskErrorKind::TooLarge => format!("printed more than credentials: {error}"),
        _ => format!("can't be run: {error}{hint}"),
    }
}

fn failure(output: &CommandOutput, arguments: &[String]) -> String {
    let how = match output.code {
        Some(code) => format!("failed with exit code {code}"),
        None => "was ended by a signal".to_owned(),
    };
    match stderr::shown(&output.stderr, arguments) {
        said if said.is_empty() => format!("{how} and printed no message"),
        said => format!("{how}: {said}"),
    }
}

fn read(context: &Context, program: &str, stdout: &[u8], account_id: Option<&str>) -> Result<Found, SourceError> {
    let stdout = stdout.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stdout);
    if stdout.trim_ascii().is_empty() {
        return Err(unusable(program, "it printed nothing to standard output"));
    }
    let output = json(program, stdout)?;
    match output.member("Version") {
        Some(Json::Whole(1)) => {}
        None => return Err(unusable(program, "Version is missing; it has to be 1")),
        Some(Json::Whole(version)) => {
            return Err(unusable(program, &format!("Version is {version}; only version 1 is supported")));
        }
        Some(_) => return Err(unusable(program, "Version is not the number 1")),
    }
    let (id, secret) = (member(program, &output, "AccessKeyId")?, member(program, &output, "SecretAccessKey")?);
    let token = optional(program, &output, "SessionToken")?;
    let expires_at = match optional(program, &output, "Expiration")? {
        None => None,
        Some(time) => Some(
            Timestamp::parse_rfc3339(time)
                .ok_or_else(|| unusable(program, "Expiration is not a time in the form 2026-01-01T00:00:00Z"))?,
        ),
    };
    let credentials = context.credentials(program, (id, secret, token), expires_at, None)?;
    let account_id = text(&output, "AccountId").or(account_id).map(ToOwned::to_owned);
    Ok(Found { credentials, account_id })
}

/// A member that may be missing, `null` or empty.
fn optional<'j>(program: &str, output: &'j Json, name: &str) -> Result<Option<&'j str>, SourceError> {
    match output.member(name) {
        None => Ok(None),
        Some(Json::Literal(literal)) if literal == "null" => Ok(None),
        Some(Json::Text(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(unusable(program, &format!("{name} is not a text"))),
    }
}
