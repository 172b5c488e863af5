//! Lists of cases for the parts: configuration files, their paths, and the addresses of containers and instances.

use std::collections::BTreeMap;

use countersign::sources::{
    Answer, Ask, AskError, AskErrorKind, Environment, Locations, Profiles, Progress, Resolver, Section,
};
use serde_json::Value;

use super::{Failure, as_expected, texts};

pub fn profiles(case: &Value) -> Result<(), Failure> {
    let text = |name: &str| case["input"][name].as_str().unwrap_or_default();
    let parsed = Profiles::parse(("config", text("configFile")), ("credentials", text("credentialsFile")));
    as_expected(&parsed, case["output"].get("errorContaining").is_some())?;
    let Ok(parsed) = parsed else { return Ok(()) };
    let expected = &case["output"]["config"];
    same("profiles", parsed.profiles(), &expected["profiles"])?;
    match &expected["sso_sessions"] {
        Value::Null => Ok(()),
        sessions => same("sso_sessions", parsed.sso_sessions(), sessions),
    }
}

type Sections<'a> = BTreeMap<&'a str, BTreeMap<&'a str, &'a str>>;

fn same<'a>(what: &str, ours: impl Iterator<Item = &'a Section>, expected: &Value) -> Result<(), Failure> {
    let ours: Sections = ours
        .map(|section| (section.name(), section.keys().filter_map(|key| Some((key, section.get(key)?))).collect()))
        .collect();
    let expected: Sections = expected
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, section)| (name.as_str(), texts(section).collect()))
        .collect();
    if ours == expected { Ok(()) } else { Err(format!("{what} are {ours:?}, not {expected:?}")) }
}

pub fn locations(case: &Value) -> Result<(), Failure> {
    let mut environment = Environment::new(texts(&case["environment"]));
    if case["platform"] == "windows" {
        environment = environment.for_windows();
    }
    let locations = Locations::of(&environment);
    for (ours, name) in [(locations.config(), "configLocation"), (locations.credentials(), "credentialsLocation")] {
        if case[name] != ours {
            return Err(format!("{name} is {ours}, not {}", case[name]));
        }
    }
    Ok(())
}

/// The first URL that is asked, or the error.
fn first_url(resolver: &Resolver, files: &Value) -> Result<String, String> {
    let now = countersign::Timestamp::now();
    let mut progress = resolver.start(now);
    loop {
        match progress {
            Progress::Done(result) => {
                return Err(result.map_or_else(|error| error.to_string(), |_| "no request".into()));
            }
            Progress::Ask(pending) => {
                let answer = match pending.ask() {
                    Ask::Send(ask) => return Ok(ask.request.uri().to_string()),
                    Ask::ReadFile { path } => {
                        Answer::File(files[path].as_str().map(|text| text.as_bytes().to_vec().into()))
                    }
                    _ => Answer::Failed(AskError::new(AskErrorKind::Unsupported, "only requests are expected")),
                };
                progress = pending.answer(answer, now);
            }
        }
    }
}

fn same_url(ours: &Result<String, String>, expected: &Value) -> Result<(), Failure> {
    as_expected(ours, expected.get("Ok").is_none())?;
    match ours {
        Ok(url) if expected["Ok"] != *url => Err(format!("asks {url}, not {}", expected["Ok"])),
        _ => Ok(()),
    }
}

/// A container that isn't configured is skipped: then it is the instance that is asked.
pub fn container(case: &Value) -> Result<(), Failure> {
    let resolver = Resolver::new(Environment::new(texts(&case["env"])));
    let url = first_url(&resolver, &Value::Null);
    let is_instance = url.as_ref().is_ok_and(|url| url.starts_with("http://169.254.169.254/"));
    same_url(&if is_instance { Err("is not configured".into()) } else { url }, &case["result"])
}

/// Neither a profile nor anything before the instance gives credentials, so that the instance is asked.
pub fn imds(case: &Value) -> Result<(), Failure> {
    let mut resolver = Resolver::new(Environment::new(texts(&case["env"])));
    let text = |name: &str, other: &str| case[name].as_str().or(case[other].as_str());
    if let Some(endpoint) = text("endpointOverride", "endpoint_override") {
        resolver = resolver.with_imds_endpoint(endpoint);
    }
    if let Some(mode) = text("modeOverride", "mode_override") {
        resolver = resolver.with_imds_ipv6(mode.eq_ignore_ascii_case("ipv6"));
    }
    same_url(&first_url(&resolver, &case["fs"]), &case["result"])
}
