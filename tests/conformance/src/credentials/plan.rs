//! The plan of a profile: where its chain of roles begins, and which roles follow.

use std::fmt::Write;

use countersign::sources::{AssumeRole, BaseSource, Profiles};
use serde_json::Value;

use super::{Failure, as_expected, texts};

pub fn run(case: &Value) -> Result<(), Failure> {
    let input = &case["input"];
    let profiles = Profiles::parse(("config", &config(input)), ("credentials", ""));
    let chain = profiles.and_then(|profiles| profiles.chain(input["selected_profile"].as_str().unwrap_or("default")));
    let expected = &case["output"]["ProfileChain"];
    if expected.is_array() == case["output"]["Error"].is_string() {
        return Err("the output is neither ProfileChain nor Error".into());
    }
    as_expected(&chain, expected.is_null())?;
    let Ok(chain) = chain else { return Ok(()) };
    let steps = expected.as_array().ok_or("the plan is no list")?;
    let [base, roles @ ..] = steps.as_slice() else { return Err("the plan is empty".into()) };
    if roles.len() != chain.roles.len() {
        return Err(format!("has {} roles, not {}", chain.roles.len(), roles.len()));
    }
    same_base(&chain.base, base)?;
    roles.iter().zip(&chain.roles).try_for_each(|(expected, role)| same_role(role, &expected["AssumeRole"]))
}

/// The input as a configuration file.
fn config(input: &Value) -> String {
    let mut text = String::new();
    for (kind, sections) in [("profile", &input["profiles"]), ("sso-session", &input["sso_sessions"])] {
        for (name, section) in sections.as_object().into_iter().flatten() {
            let _ = writeln!(text, "[{kind} {name}]");
            texts(section).for_each(|(key, value)| {
                let _ = writeln!(text, "{key} = {value}");
            });
        }
    }
    text
}

/// Compares the members that are expected with ours of the same names.
fn same(expected: &Value, ours: &[(&str, Option<&str>)]) -> Result<(), Failure> {
    if !expected.is_object() {
        return Err(format!("is not {expected}"));
    }
    for (name, value) in expected.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null()) {
        let value = value.as_str().ok_or_else(|| format!("{name} is not a text"))?;
        match ours.iter().find(|(own, _)| own == name) {
            Some((_, own)) if *own == Some(value) => {}
            Some((_, own)) => return Err(format!("{name} is {own:?}, not {value:?}")),
            None => return Err(format!("{name} is not compared")),
        }
    }
    let unexpected = ours.iter().find(|(name, own)| own.is_some() && expected[name].is_null());
    unexpected.map_or(Ok(()), |(name, own)| Err(format!("{name} is {own:?}, and is not expected")))
}

fn same_role(role: &AssumeRole, expected: &Value) -> Result<(), Failure> {
    let mut ours = vec![
        ("role_arn", Some(role.role_arn.as_str())),
        ("external_id", role.external_id.as_deref()),
        ("role_session_name", role.session_name.as_deref()),
    ];
    // AWS's plans don't have these.
    let duration = role.duration_seconds.map(|seconds| seconds.to_string());
    let more = [
        ("profile", Some(role.profile.as_str())),
        ("mfa_serial", role.mfa_serial.as_deref()),
        ("duration_seconds", duration.as_deref()),
        ("region", role.region.as_deref()),
    ];
    ours.extend(more.into_iter().filter(|(name, _)| expected.get(name).is_some()));
    same(expected, &ours)
}

fn same_base(base: &BaseSource, expected: &Value) -> Result<(), Failure> {
    match base {
        BaseSource::StaticKeys { credentials, account_id, .. } => {
            let keys = &expected["AccessKey"];
            if keys["secret_access_key"] != credentials.expose_secret_access_key() {
                return Err("the secret differs".into());
            }
            let ours = [
                ("access_key_id", Some(credentials.access_key_id())),
                ("secret_access_key", Some(credentials.expose_secret_access_key())),
                ("session_token", credentials.session_token()),
                ("account_id", account_id.as_deref()),
            ];
            same(keys, &ours)
        }
        BaseSource::Named { source, .. } => {
            let name = source.name();
            if expected["NamedSource"] == name { Ok(()) } else { Err(format!("is {name}, not {expected}")) }
        }
        BaseSource::WebIdentity { token_file, role_arn, session_name, .. } => {
            let ours = [
                ("role_arn", Some(role_arn.as_str())),
                ("web_identity_token_file", Some(token_file.as_str())),
                ("role_session_name", session_name.as_deref()),
            ];
            same(&expected["WebIdentityToken"], &ours)
        }
        BaseSource::Sso(sso) => {
            let ours = [
                ("sso_session_name", sso.session.as_deref()),
                ("sso_account_id", Some(sso.account_id.as_str())),
                ("sso_role_name", Some(sso.role_name.as_str())),
                ("sso_region", Some(sso.region.as_str())),
                ("sso_start_url", Some(sso.start_url.as_str())),
            ];
            same(&expected["Sso"], &ours)
        }
        BaseSource::SsoToken { session, start_url, region, .. } => {
            let ours = [
                ("sso_session_name", session.as_deref()),
                ("sso_region", Some(region.as_str())),
                ("sso_start_url", Some(start_url.as_str())),
            ];
            same(&expected["Sso"], &ours)
        }
        BaseSource::Process { command, .. } => {
            let process = &expected["CredentialProcess"];
            let command = command.as_str();
            let same = *process == command || process["command"] == command;
            if same { Ok(()) } else { Err(format!("is a command, not {expected}")) }
        }
        BaseSource::Login { session, .. } => {
            let login = &expected["LoginSession"];
            let same = login == session || login["login_session_arn"] == *session;
            if same { Ok(()) } else { Err(format!("is a login session, not {expected}")) }
        }
        _ => Err(format!("is of another kind, not {expected}")),
    }
}
