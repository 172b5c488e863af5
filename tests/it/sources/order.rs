//! The order of the sources, and the report of what was tried.

use countersign::sources::{Outcome, Report, Resolver, SourceError, SourceKind};

use super::world::{World, response};

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "theSecret")];
const OF_PROFILE: &str = "[default]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = theSecret\n";
const WEB_IDENTITY: [(&str, &str); 2] =
    [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/r")];
const CONTAINER: (&str, &str) = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/r");

fn outcomes(report: &Report) -> Vec<(SourceKind, &'static str)> {
    let name = |outcome: &Outcome| match outcome {
        Outcome::Skipped(_) => "skipped",
        Outcome::Warning(_) => "warning",
        Outcome::Used(_) => "used",
        Outcome::Failed(_) => "failed",
        _ => "another",
    };
    report.entries().map(|(source, outcome)| (source, name(outcome))).collect()
}

/// A world in which every source would give credentials.
fn everything(variables: &[(&str, &str)]) -> World {
    let mut all = vec![("AWS_REGION", "eu-west-1")];
    all.extend(variables);
    World::new(&all).file("/token", "aToken").network(|ask| {
        let uri = ask.request.uri().to_string();
        let keys = r#""SecretAccessKey":"theSecret","Token":"aToken","Expiration":"2026-01-01T06:00:00Z"}"#;
        Ok(match uri.as_str() {
            "https://sts.eu-west-1.amazonaws.com/" => response(
                200,
                "<R><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIAWEB</AccessKeyId>\
                 <SecretAccessKey>theSecret</SecretAccessKey><SessionToken>aToken</SessionToken>\
                 <Expiration>2026-01-01T01:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult></R>",
            ),
            "http://169.254.170.2/r" => response(200, &format!(r#"{{"AccessKeyId":"ASIACONTAINER",{keys}"#)),
            "http://169.254.169.254/latest/api/token" => response(200, "instanceToken"),
            uri if uri.ends_with("/security-credentials/") => response(200, "role"),
            uri if uri.ends_with("/role") => {
                response(200, &format!(r#"{{"Code":"Success","AccessKeyId":"ASIAINSTANCE",{keys}"#))
            }
            _ => response(404, ""),
        })
    })
}

#[test]
fn the_first_source_that_is_configured_is_used() {
    let all: Vec<(&str, &str)> = [&KEYS[..], &WEB_IDENTITY, &[CONTAINER]].concat();
    for (variables, config, id, source) in [
        (&all[..], OF_PROFILE, "AKIDENV", SourceKind::Environment),
        (&all[2..], OF_PROFILE, "AKIDPROFILE", SourceKind::StaticKeys),
        (&all[2..], "", "ASIAWEB", SourceKind::WebIdentity),
        (&all[4..], "[default]\nregion = eu-west-1", "ASIACONTAINER", SourceKind::Container),
        (&[], "", "ASIAINSTANCE", SourceKind::InstanceMetadata),
    ] {
        let mut world = everything(variables).config(config);
        let resolved = world.resolve().unwrap();
        assert_eq!((resolved.credentials.access_key_id(), resolved.source), (id, source));
        assert_eq!(resolved.region.as_deref(), Some("eu-west-1"));
        let outcomes = outcomes(&resolved.report);
        assert_eq!(outcomes.last(), Some(&(source, "used")));
        assert!(outcomes[..outcomes.len() - 1].iter().all(|(_, outcome)| *outcome == "skipped"), "{outcomes:?}");
    }
}

#[test]
fn the_environment_needs_no_network_and_no_readable_files() {
    let mut world = World::new(&KEYS);
    assert_eq!(world.resolve().unwrap().source, SourceKind::Environment);
    assert_eq!(world.log, ["read /home/u/.aws/config", "read /home/u/.aws/credentials"]);

    let resolved = World::new(&KEYS).config("no section").resolve().unwrap();
    assert_eq!(outcomes(&resolved.report), [(SourceKind::Profile, "warning"), (SourceKind::Environment, "used")]);
}

#[test]
fn a_source_that_is_configured_and_broken_is_an_error_that_names_it() {
    let broken_profile =
        "[default]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n[profile base]\n";
    for (variables, config, source, text) in [
        (&KEYS[..1], OF_PROFILE, SourceKind::Environment, "AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not"),
        (&KEYS[1..], OF_PROFILE, SourceKind::Environment, "AWS_SECRET_ACCESS_KEY is set, AWS_ACCESS_KEY_ID is not"),
        (&WEB_IDENTITY[..], broken_profile, SourceKind::Profile, "source_profile base has no keys"),
        (&WEB_IDENTITY[..1], "", SourceKind::WebIdentity, "AWS_ROLE_ARN is not"),
        (&[("AWS_PROFILE", "missing")], OF_PROFILE, SourceKind::Profile, "profile missing does not exist"),
        (&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://evil.example/")], "", SourceKind::Container, "evil.example"),
        (&[], "no section", SourceKind::Profile, "/home/u/.aws/config:1: "),
    ] {
        let error = everything(variables).config(config).resolve().unwrap_err();
        assert_eq!(error.kind(), Some(source), "{error}");
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(outcomes(error.report()).last(), Some(&(source, "failed")));
        assert!(!format!("{error}{error:?}").contains("theSecret"));
    }
}

#[test]
fn blank_variables_are_not_set_and_the_report_says_so() {
    let blank = [("AWS_ACCESS_KEY_ID", " "), ("AWS_SECRET_ACCESS_KEY", "")];
    let resolved = World::new(&blank).config(OF_PROFILE).resolve().unwrap();
    assert_eq!(
        resolved.report.to_string(),
        "environment: skipped, AWS_ACCESS_KEY_ID is blank\nstatic keys: gave AKIDPROFILE"
    );
    let error = World::new(&[KEYS[0], ("AWS_SECRET_ACCESS_KEY", "\t")]).resolve().unwrap_err();
    assert_eq!(
        error.to_string(),
        "environment: AWS_ACCESS_KEY_ID is set, AWS_SECRET_ACCESS_KEY is not (it is blank); set both or neither"
    );
    let token = ("AWS_SESSION_TOKEN", "");
    assert_eq!(World::new(&[KEYS[0], KEYS[1], token]).resolve().unwrap().credentials.session_token(), None);
}

#[test]
fn a_profile_that_the_program_chooses_is_the_only_source() {
    let config = &format!("{OF_PROFILE}[profile empty]\nregion = us-east-1\n");
    let resolver = |profile: &str| Resolver::new(everything(&KEYS).environment()).with_profile(profile);
    let resolved = everything(&KEYS).config(config).resolve_with(&resolver("default")).unwrap();
    assert_eq!(resolved.credentials.access_key_id(), "AKIDPROFILE");
    for (profile, text) in
        [("empty", "profile empty has no credentials"), ("missing", "profile missing does not exist")]
    {
        let error = everything(&KEYS).config(config).resolve_with(&resolver(profile)).unwrap_err();
        assert!(error.to_string().contains(text), "{error}");
        assert_eq!(outcomes(error.report()), [(SourceKind::Profile, "failed")]);
    }
    // `AWS_PROFILE` only chooses the profile; the environment still comes first, and what is empty is skipped.
    let named = [KEYS[0], KEYS[1], ("AWS_PROFILE", "missing")];
    assert_eq!(everything(&named).config(config).resolve().unwrap().source, SourceKind::Environment);
    let empty = [("AWS_PROFILE", "empty"), CONTAINER];
    assert_eq!(everything(&empty).config(config).resolve().unwrap().source, SourceKind::Container);
}

#[test]
fn without_any_source_the_error_says_what_to_do() {
    let error = World::new(&[]).resolve().unwrap_err();
    assert_eq!(error.kind(), None);
    let config = "/home/u/.aws/config".to_owned();
    assert_eq!(*error.error(), SourceError::NotConfigured { config });
    assert_eq!(
        error.to_string(),
        "no credentials are configured; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add a profile to \
         /home/u/.aws/config"
    );
    assert_eq!(error.report().entries().count(), 5);
}

#[test]
fn credential_sources_of_a_profile_are_those_of_the_default_order() {
    let profile = |source: &str| {
        format!("[profile p]\nrole_arn = arn:aws:iam::123456789012:role/r\ncredential_source = {source}\n")
    };
    for (source, variables, kind) in [
        ("Environment", &KEYS[..], SourceKind::Environment),
        ("EcsContainer", &[CONTAINER], SourceKind::Container),
        ("Ec2InstanceMetadata", &[], SourceKind::InstanceMetadata),
    ] {
        let mut world = everything(variables).config(&profile(source));
        let resolver = Resolver::new(world.environment()).with_profile("p");
        let resolved = world.resolve_with(&resolver).unwrap();
        assert_eq!(resolved.source, SourceKind::AssumeRole);
        assert_eq!(outcomes(&resolved.report), [(kind, "used"), (SourceKind::AssumeRole, "used")]);
    }
    let mut world = everything(&[]).config(&profile("Environment"));
    let resolver = Resolver::new(world.environment()).with_profile("p");
    let error = world.resolve_with(&resolver).unwrap_err();
    assert!(error.to_string().contains("credential_source of profile p is \"Environment\""), "{error}");
}
