//! A credential helper for git: <https://git-scm.com/docs/gitcredentials#_custom_helpers>

use std::io::Read;
use std::process::ExitCode;

use countersign::{Endpoint, tokens};

use super::Maker;
use crate::args::token::CodecommitArgs;
use crate::failure::{Failure, Kind};
use crate::output::Output;

/// Git sends less.
const MAX_REQUEST: u64 = 64 * 1024;

pub fn run(args: &CodecommitArgs) -> Result<ExitCode, Failure> {
    if args.signer.credentials.credentials_stdin {
        return Err(Failure::usage("--credentials-stdin can't be used here: git's request is on standard input"));
    }
    let request = read()?;
    // "If a helper receives any other operation, it should silently ignore the request."
    if args.action != "get" {
        return Ok(ExitCode::SUCCESS);
    }
    let (protocol, host) =
        (value(&request, "protocol").unwrap_or_default(), value(&request, "host").unwrap_or_default());
    let is_codecommit = Endpoint::parse(host).is_some_and(|endpoint| endpoint.service() == "codecommit");
    // A helper that is configured for all hosts is asked about all hosts. Another host must not get the session token,
    // and git goes on to the next helper.
    if protocol != "https" || !is_codecommit {
        return Ok(ExitCode::SUCCESS);
    }
    let Some(path) = value(&request, "path") else {
        return Err(Failure::usage(format!(
            "git doesn't say which repository is meant; run: git config --global credential.https://{host}.useHttpPath true"
        )));
    };
    let maker = Maker::new(&args.signer, Some(host))?;
    let token = maker.make(|maker| tokens::codecommit(&maker.credentials, &maker.region, host, path, maker.now))?;
    // With the time, git and its caches don't use a password again that has expired.
    Output::new().print(&format!(
        "username={}\npassword={token}\npassword_expiry_utc={}\n",
        token.user().unwrap_or_default(),
        token.expires_at().unix_seconds(),
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn read() -> Result<String, Failure> {
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_REQUEST)
        .read_to_string(&mut text)
        .map_err(|error| Failure::new(Kind::Read, format!("git's request can't be read: {error}")))?;
    Ok(text)
}

/// The last value counts, as in git. An empty line ends the request.
fn value<'r>(request: &'r str, name: &str) -> Option<&'r str> {
    let lines = request.lines().take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).last()
}
