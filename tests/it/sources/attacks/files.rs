//! Configuration files that can't be read.

use countersign::sources::{
    Answer, Ask, AskError, AskErrorKind, Outcome, Progress, ResolveError, Resolved, Resolver, SourceKind,
};

use crate::sources::world::{World, response};

const CONFIG: &str = "/home/u/.aws/config";
const CREDENTIALS: &str = "/home/u/.aws/credentials";
const CONTAINER: (&str, &str) = ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/r");
const KEYS: &str =
    r#"{"AccessKeyId":"ASIACONTAINER","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-01T06:00:00Z"}"#;

/// Resolves in a container, where these files can't be read.
fn resolve(variables: &[(&str, &str)], unreadable: &[&str], profile: Option<&str>) -> Result<Resolved, ResolveError> {
    let world = World::new(variables);
    let mut resolver = Resolver::new(world.environment());
    if let Some(profile) = profile {
        resolver = resolver.with_profile(profile);
    }
    let mut progress = resolver.start(world.now);
    loop {
        let pending = match progress {
            Progress::Done(result) => return *result,
            Progress::Ask(pending) => pending,
        };
        let answer = match pending.ask() {
            Ask::ReadFile { path } if unreadable.contains(&path.as_str()) => {
                Answer::Failed(AskError::new(AskErrorKind::Other, "Permission denied (os error 13)"))
            }
            Ask::ReadFile { .. } => Answer::File(None),
            Ask::Send(ask) if ask.request.uri().host() == Some("169.254.170.2") => {
                Answer::Response(response(200, KEYS))
            }
            _ => Answer::Failed(AskError::new(AskErrorKind::NotConnected, "connection refused")),
        };
        progress = pending.answer(answer, world.now);
    }
}

// A container whose HOME is /root, and that runs as another user. The SDKs go on, too.
#[test]
fn a_home_directory_of_another_user_does_not_hide_the_container() {
    let resolved = resolve(&[CONTAINER], &[CONFIG, CREDENTIALS], None).unwrap();
    assert_eq!(resolved.source, SourceKind::Container);
    let first = resolved.report.entries().find(|(source, _)| *source == SourceKind::Profile);
    assert!(matches!(first, Some((_, Outcome::Warning(text))) if text.contains(CONFIG)), "{}", resolved.report);
}

#[test]
fn files_that_cannot_be_read_are_the_error_if_there_is_nothing_else() {
    let error = resolve(&[], &[CONFIG, CREDENTIALS], None).unwrap_err();
    assert_eq!(error.kind(), Some(SourceKind::Profile));
    assert!(error.to_string().contains("/home/u/.aws/config can't be read: Permission denied"), "{error}");
}

#[test]
fn a_file_or_profile_that_somebody_chose_has_to_be_readable() {
    let both = [CONFIG, CREDENTIALS];
    for (variables, unreadable, profile) in [
        (vec![CONTAINER], &both[..1], None),
        (vec![CONTAINER], &both[1..], None),
        (vec![CONTAINER], &both[..], Some("default")),
        (vec![CONTAINER, ("AWS_PROFILE", "default")], &both[..], None),
        (vec![CONTAINER, ("AWS_CONFIG_FILE", CONFIG)], &both[..], None),
        (vec![CONTAINER, ("AWS_SHARED_CREDENTIALS_FILE", CREDENTIALS)], &both[..], None),
    ] {
        let error = resolve(&variables, unreadable, profile).unwrap_err();
        assert_eq!(error.kind(), Some(SourceKind::Profile), "{error}");
    }
}
