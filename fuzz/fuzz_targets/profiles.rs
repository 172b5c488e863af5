#![no_main]

use countersign::sources::{ProfileError, Profiles, Section};
use countersign_fuzz::{SECRET, assert_printable};
use libfuzzer_sys::fuzz_target;

fn parse(config: &str, credentials: &str) -> Result<Profiles, ProfileError> {
    Profiles::parse(("config", config), ("credentials", credentials))
}

fn values(profiles: &Profiles) -> Vec<(String, Vec<(String, String)>)> {
    let values = |section: &Section| {
        let pairs = section.keys().map(|key| (key.into(), section.get(key).unwrap().into())).collect();
        (section.name().into(), pairs)
    };
    profiles.profiles().chain(profiles.sso_sessions()).chain(profiles.all_services()).map(values).collect()
}

const SOURCES: [&str; 14] = [
    "role_arn",
    "source_profile",
    "credential_source",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "sso_region",
    "sso_account_id",
    "sso_role_name",
    "login_session",
    "credential_process",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
];

// The config file, a line with three hyphens, and the credentials file.
fuzz_target!(|text: &str| {
    let (config, credentials) = text.split_once("\n---\n").unwrap_or((text, ""));
    let result = parse(config, credentials);
    // Whether the secret is only where secrets belong.
    let hides = text.lines().all(|line| !line.contains(SECRET) || line.starts_with("aws_secret_access_key="));
    let mut said = format!("{result:?}");
    if !text.contains('\r') {
        let crlf = parse(&config.replace('\n', "\r\n"), &credentials.replace('\n', "\r\n"));
        assert_eq!(result.as_ref().map(values), crlf.as_ref().map(values));
    }
    let profiles = match result {
        Ok(profiles) => profiles,
        Err(error) => {
            assert_printable(&error.to_string());
            assert!(!hides || !said.contains(SECRET), "{said}");
            return;
        }
    };
    let twice = |text: &str| format!("{text}\n[x y]\n{}", text.trim_start_matches('\u{feff}'));
    if !text.contains("x y") {
        assert_eq!(values(&parse(&twice(config), &twice(credentials)).unwrap()), values(&profiles));
    }
    assert!(profiles.warnings().len() <= Profiles::MAX_WARNINGS);
    for warning in profiles.warnings() {
        let text = if warning.path == "config" { config } else { credentials };
        assert!((1..=text.lines().count()).contains(&warning.line));
        assert_printable(&warning.to_string());
        said.push_str(&format!("{warning:?}"));
    }
    for profile in profiles.profiles() {
        let leads = SOURCES.iter().any(|key| profile.get(key).is_some_and(|value| !value.trim().is_empty()));
        match profiles.chain(profile.name()) {
            Ok(chain) => {
                assert!(leads && chain.roles.len() <= 32);
                said.push_str(&format!("{chain:?}"));
            }
            Err(error) => {
                assert_eq!(!leads, matches!(error, ProfileError::NoCredentials { .. }), "{error}");
                assert_printable(&error.to_string());
                said.push_str(&format!("{error:?}"));
            }
        }
    }
    assert!(!hides || !said.contains(SECRET), "{said}");
});
