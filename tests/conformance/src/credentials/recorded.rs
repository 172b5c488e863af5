//! A recorded resolution: a folder with the environment, the files, and the requests with their responses.
//!
//! In AWS's recordings, much is free: the order of requests, signatures, what is sent before an error. A folder whose
//! `test-case.json` has the member `exact` leaves nothing open: each request has to be sent as it was recorded, in that
//! order, also before an error; an error has to have its text; credentials have to have the account, the source and the
//! region that are recorded. `exact` holds what else the resolution depends on:
//!
//! ```text
//! now         the time, in seconds since 1970
//! profile     the profile that the program chose, if it did
//! region      the region that the program chose, if it did
//! mfa_code    what the user enters when a code is asked for
//! written     the JSON files that are written: {path: contents}
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use countersign::Timestamp;
use countersign::sources::{
    Answer, Ask, AskError, AskErrorKind, CommandAsk, CommandOutput, Environment, HttpAsk, Progress, ResolveError,
    Resolved, Resolver,
};
use serde_json::Value;

use super::exchange::Exchange;
use super::{Failure, as_expected, known, read, texts};

pub fn run(folder: &Path) -> Result<(), Failure> {
    let (environment, case) = (read(&folder.join("env.json"))?, read(&folder.join("test-case.json"))?);
    let traffic = folder.join("http-traffic.json");
    let traffic = if traffic.exists() { read(&traffic)? } else { serde_json::json!({"events": []}) };
    let (result, exact) = (&case["result"], case.get("exact"));
    let expected = &result["Ok"];
    if expected.is_object() == result["ErrorContains"].is_string() {
        return Err("the result is neither Ok nor ErrorContains".into());
    }
    let mut world = World {
        root: folder.join("fs"),
        exchanges: Exchange::all(&traffic)?,
        configured: configured(folder, &environment),
        exact: exact.is_some(),
        mfa_code: exact.and_then(|exact| exact["mfa_code"].as_str()).map(String::from),
        now: match exact {
            Some(exact) => seconds(exact["now"].as_i64().ok_or("exact has no time")?)?,
            None => time(&traffic, expected)?,
        },
        written: BTreeMap::new(),
        failures: Vec::new(),
    };
    let result = world.resolve(&resolver(&environment, exact, expected))?;
    if let Some(failure) = world.failures.first() {
        return Err(failure.clone());
    }
    as_expected(&result, expected.is_null())?;
    if let Some(left) = world.exchanges.first().filter(|_| result.is_ok() || exact.is_some()) {
        return Err(format!("was never sent: {} {}", left.method, left.uri));
    }
    if let Some(exact) = exact {
        compare_exactly(&case, exact, &result, &world.written)?;
    }
    result.map_or(Ok(()), |resolved| compare(&resolved, expected))
}

fn resolver(environment: &Value, exact: Option<&Value>, expected: &Value) -> Resolver {
    let mut resolver = Resolver::new(Environment::new(texts(environment)));
    let Some(exact) = exact else {
        // A recording of AWS doesn't say whether it was made with the default order or with a profile alone. If the
        // environment has keys and they aren't the result, it was the latter.
        let own_key = environment["AWS_ACCESS_KEY_ID"].as_str();
        if own_key.is_some() && own_key != expected["access_key_id"].as_str() {
            resolver = resolver.with_profile(environment["AWS_PROFILE"].as_str().unwrap_or("default"));
        }
        return resolver;
    };
    if let Some(profile) = exact["profile"].as_str() {
        resolver = resolver.with_profile(profile);
    }
    if let Some(region) = exact["region"].as_str() {
        resolver = resolver.with_region(region);
    }
    resolver
}

/// The values of the environment and the text of the configuration files.
fn configured(folder: &Path, environment: &Value) -> String {
    let home = environment["HOME"].as_str().unwrap_or("/home").trim_start_matches('/');
    let files = ["config", "credentials"].map(|name| folder.join("fs").join(home).join(".aws").join(name));
    let variables = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"].map(|name| {
        let path = environment[name].as_str().unwrap_or_default().trim_start_matches('/');
        folder.join("fs").join(path)
    });
    let files = files.iter().chain(&variables).filter_map(|path| std::fs::read_to_string(path).ok());
    files.chain([environment.to_string()]).collect()
}

fn seconds(seconds: i64) -> Result<Timestamp, Failure> {
    Timestamp::from_unix_seconds(seconds).map_err(|error| error.to_string())
}

/// A time at which nothing had expired: that of the first response, or an hour before the credentials expire.
fn time(traffic: &Value, expected: &Value) -> Result<Timestamp, Failure> {
    let Some(expiry) = expected["expiry"].as_i64() else { return Ok(Timestamp::now()) };
    let sent = traffic["events"].as_array().into_iter().flatten().find_map(|event| {
        event["action"]["Request"]["request"]["headers"]["x-amz-date"][0].as_str()?.parse::<Timestamp>().ok()
    });
    match sent {
        Some(sent) if sent.unix_seconds() < expiry => Ok(sent),
        _ => seconds(expiry - 3600),
    }
}

fn compare(resolved: &Resolved, expected: &Value) -> Result<(), Failure> {
    let credentials = &resolved.credentials;
    let expiry = credentials.expires_at().map(|time| time.unix_seconds());
    let mut differences = Vec::new();
    if expected["access_key_id"] != credentials.access_key_id() {
        differences.push(format!("the access key id is {}", credentials.access_key_id()));
    }
    if expected["session_token"] != Value::from(credentials.session_token()) {
        differences.push("the session token differs".into());
    }
    if expected["expiry"] != Value::from(expiry) {
        differences.push(format!("it expires at {expiry:?}"));
    }
    if let (Some(ours), Some(theirs)) = (resolved.account_id.as_deref(), expected["account_id"].as_str())
        && ours != theirs
    {
        differences.push(format!("the account is {ours}"));
    }
    if expected["secret_access_key"] != credentials.expose_secret_access_key() {
        differences.push("the secret differs".into());
    }
    if differences.is_empty() { Ok(()) } else { Err(differences.join("; ")) }
}

/// What isn't compared with recordings of AWS.
fn compare_exactly(
    case: &Value,
    exact: &Value,
    result: &Result<Resolved, ResolveError>,
    written: &BTreeMap<String, Value>,
) -> Result<(), Failure> {
    known(case, &["name", "docs", "exact", "result"])?;
    known(exact, &["now", "profile", "region", "mfa_code", "written"])?;
    let expected: BTreeMap<_, _> = exact["written"].as_object().cloned().into_iter().flatten().collect();
    if *written != expected {
        return Err(format!("writes {written:?}, not {expected:?}"));
    }
    let resolved = match result {
        Ok(resolved) => resolved,
        Err(error) => {
            let (error, text) = (error.to_string(), case["result"]["ErrorContains"].as_str().unwrap_or_default());
            let is_same = !text.is_empty() && error.contains(text);
            return if is_same { Ok(()) } else { Err(format!("the error is {error:?}, without {text:?}")) };
        }
    };
    let expected = &case["result"]["Ok"];
    known(
        expected,
        &["access_key_id", "secret_access_key", "session_token", "expiry", "account_id", "region", "source"],
    )?;
    for (name, ours) in [
        ("account_id", resolved.account_id.as_deref()),
        ("region", resolved.region.as_deref()),
        ("source", Some(resolved.source.name())),
    ] {
        if expected[name] != Value::from(ours) {
            return Err(format!("{name} is {ours:?}, not {}", expected[name]));
        }
    }
    Ok(())
}

struct World {
    root: PathBuf,
    exchanges: Vec<Exchange>,
    configured: String,
    exact: bool,
    mfa_code: Option<String>,
    now: Timestamp,
    written: BTreeMap<String, Value>,
    failures: Vec<Failure>,
}

impl World {
    fn resolve(&mut self, resolver: &Resolver) -> Result<Result<Resolved, ResolveError>, Failure> {
        let mut progress = resolver.start(self.now);
        for _ in 0..1000 {
            match progress {
                Progress::Done(result) => return Ok(*result),
                Progress::Ask(pending) => {
                    let answer = self.answer(pending.ask());
                    progress = pending.answer(answer, self.now);
                }
            }
        }
        Err("never ends".into())
    }

    fn answer(&mut self, ask: &Ask) -> Answer {
        match ask {
            Ask::ReadFile { path } => {
                let path = self.root.join(path.trim_start_matches('/'));
                Answer::File(std::fs::read(path).ok().map(Into::into))
            }
            Ask::Send(ask) => self.send(ask),
            Ask::Run(ask) => match run_command(ask) {
                Ok(output) => Answer::Output(output),
                Err(error) => Answer::Failed(error.into()),
            },
            Ask::WriteFile { path, contents } => {
                let contents = serde_json::from_slice(contents).unwrap_or_default();
                self.written.insert(path.clone(), contents);
                Answer::Done
            }
            Ask::MfaCode { .. } if self.mfa_code.is_some() => {
                Answer::MfaCode(self.mfa_code.clone().unwrap_or_default())
            }
            Ask::Wait(duration) => {
                self.now = self.now.saturating_add(duration.as_secs() as i64);
                Answer::Done
            }
            _ => Answer::Failed(AskError::new(AskErrorKind::Unsupported, "nobody is there to ask")),
        }
    }

    /// The first recorded exchange with this request, which is then used up.
    fn send(&mut self, ask: &HttpAsk) -> Answer {
        let found = match self.exact {
            true => {
                let difference = self.exchanges.first().and_then(|next| next.difference(ask));
                self.failures.extend(difference.clone());
                (difference.is_none() && !self.exchanges.is_empty()).then_some(0)
            }
            false => self.exchanges.iter().position(|exchange| exchange.is_of(ask, &self.configured)),
        };
        let Some(index) = found else {
            let request = &ask.request;
            self.failures.push(format!("was not recorded: {} {}", request.method(), request.uri()));
            return Answer::Failed(AskError::new(AskErrorKind::NotConnected, "it was not recorded"));
        };
        self.exchanges.remove(index).response.map_or_else(Answer::Failed, Answer::Response)
    }
}

fn run_command(ask: &CommandAsk) -> std::io::Result<CommandOutput> {
    let output = Command::new(&ask.program).args(&ask.arguments).stdin(Stdio::null()).output()?;
    Ok(CommandOutput {
        success: output.status.success(),
        code: output.status.code(),
        stdout: output.stdout.into(),
        stderr: output.stderr.into(),
    })
}
