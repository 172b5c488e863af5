//! `credential_process`.

use countersign::sources::{
    AskError, AskErrorKind, CommandOutput, ResolveError, Resolved, Resolver, SourceError, SourceKind,
};
use serde_json::{Value, json};

use super::faults;
use super::world::World;

const CONFIG: &str = "[default]
credential_process = \"/opt/my tools/helper\" --user 'argument secret' --json
aws_account_id = 111122223333
";
const SECRETS: [&str; 4] = ["argument secret", "theSecret", "theToken", "--user"];

fn printed() -> Value {
    json!({
        "Version": 1, "AccessKeyId": "ASIAPROCESS", "SecretAccessKey": "theSecret", "SessionToken": "theToken",
        "Expiration": "2026-01-01T01:00:00Z",
    })
}

fn output(code: Option<i32>, stdout: impl Into<Vec<u8>>, stderr: &str) -> CommandOutput {
    let stdout = stdout.into().into();
    CommandOutput { success: code == Some(0), code, stdout, stderr: stderr.as_bytes().to_vec().into() }
}

fn world(code: Option<i32>, stdout: impl Into<Vec<u8>>, stderr: &str) -> World {
    let (stdout, stderr) = (stdout.into(), stderr.to_owned());
    World::new(&[]).config(CONFIG).commands(move |_| Ok(output(code, stdout.clone(), &stderr)))
}

#[track_caller]
fn fails(world: &mut World) -> SourceError {
    faults::fails(world, SourceKind::Process, &SECRETS).error().clone()
}

#[track_caller]
fn shows_no_secret(result: &Result<Resolved, ResolveError>) {
    faults::assert_shows_none_of(&SECRETS, result);
}

#[test]
fn the_command_is_run_without_a_shell_and_its_output_read() {
    let mut world = World::new(&[]).config(CONFIG).commands(|ask| {
        assert_eq!(ask.program, "/opt/my tools/helper");
        assert_eq!(ask.arguments, ["--user", "argument secret", "--json"]);
        assert_eq!(ask.timeout.as_secs(), 60);
        Ok(output(Some(0), printed().to_string() + "\n", "a warning"))
    });
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.source, SourceKind::Process);
    assert_eq!(resolved.credentials.access_key_id(), "ASIAPROCESS");
    assert_eq!(resolved.credentials.session_token(), Some("theToken"));
    assert_eq!(resolved.credentials.expires_at().unwrap().as_str(), "20260101T010000Z");
    assert_eq!(resolved.account_id.as_deref(), Some("111122223333"));
    shows_no_secret(&Ok(resolved));
}

#[test]
fn optional_members_may_be_missing() {
    for absent in [None, Some(Value::Null), Some(json!(""))] {
        let mut printed = printed();
        for name in ["SessionToken", "Expiration"] {
            match &absent {
                None => drop(printed.as_object_mut().unwrap().remove(name)),
                Some(value) => printed[name] = value.clone(),
            }
        }
        let resolved = world(Some(0), "\u{feff}".to_owned() + &printed.to_string(), "").resolve().unwrap();
        assert_eq!((resolved.credentials.session_token(), resolved.credentials.expires_at()), (None, None));
    }
    let mut printed = printed();
    printed["AccountId"] = "444455556666".into();
    printed["More"] = json!([1]);
    let resolved = world(Some(0), printed.to_string(), "").resolve().unwrap();
    assert_eq!(resolved.account_id.as_deref(), Some("444455556666"));
}

#[test]
fn the_expiration_may_have_an_offset_and_a_fraction() {
    for time in ["2026-01-01T01:00:00+00:00", "2026-01-01T06:30:00.123456+05:30", "2025-12-31 17:00:00-08:00"] {
        let mut printed = printed();
        printed["Expiration"] = time.into();
        let resolved = world(Some(0), printed.to_string(), "").resolve().unwrap();
        assert_eq!(resolved.credentials.expires_at().unwrap().as_str(), "20260101T010000Z", "{time}");
    }
}

#[test]
fn output_of_another_form_is_an_error_that_names_the_member() {
    for (name, value, expected) in [
        ("Version", Value::Null, "Version is not the number 1"),
        ("Version", json!(2), "Version is 2; only version 1 is supported"),
        ("Version", json!("1"), "Version is not the number 1"),
        ("Version", json!(1.0), "Version is not the number 1"),
        ("AccessKeyId", Value::Null, "AccessKeyId is not a string"),
        ("SecretAccessKey", json!(""), "SecretAccessKey is empty"),
        ("SecretAccessKey", json!(["theSecret"]), "SecretAccessKey is not a string"),
        ("SessionToken", json!(5), "SessionToken is not a text"),
        ("Expiration", json!(1_767_229_200), "Expiration is not a text"),
        ("Expiration", json!("theSecret"), "Expiration is not a time in the form 2026-01-01T00:00:00Z"),
        ("Expiration", json!("2026-01-01T01:00:00"), "Expiration is not a time in the form 2026-01-01T00:00:00Z"),
    ] {
        let mut printed = printed();
        printed[name] = value;
        let error = fails(&mut world(Some(0), printed.to_string(), ""));
        assert_eq!(error.to_string(), format!("/opt/my tools/helper gave an answer that can't be used: {expected}"));
    }
    let mut printed = printed();
    printed.as_object_mut().unwrap().remove("Version");
    let error = fails(&mut world(Some(0), printed.to_string(), ""));
    assert!(error.to_string().ends_with("Version is missing; it has to be 1"), "{error}");
}

#[test]
fn output_that_is_cut_or_not_json_is_an_error_that_does_not_show_it() {
    let whole = printed().to_string();
    for length in 0..whole.len() {
        assert!(matches!(fails(&mut world(Some(0), &whole[..length], "")), SourceError::Unusable { .. }));
    }
    for stdout in [" \n", "theSecret", "[]", "{} {}", "\u{0}", &format!("{whole}{whole}")] {
        assert!(matches!(fails(&mut world(Some(0), stdout, "")), SourceError::Unusable { .. }));
    }
    assert!(matches!(fails(&mut world(Some(0), b"\xff\xfe{\0}\0".to_vec(), "")), SourceError::Unusable { .. }));
    let too_long = " ".repeat((64 << 10) + 1) + &whole;
    let error = fails(&mut world(Some(0), too_long, ""));
    assert!(error.to_string().contains("64 KiB"), "{error}");
}

#[test]
fn credentials_that_have_expired_are_an_error() {
    let mut printed = printed();
    printed["Expiration"] = "2026-01-01T00:00:00Z".into();
    assert!(matches!(fails(&mut world(Some(0), printed.to_string(), "")), SourceError::Expired { .. }));
    let mut invalid = self::printed();
    invalid["SecretAccessKey"] = "theSecret\n".into();
    assert!(matches!(fails(&mut world(Some(0), invalid.to_string(), "")), SourceError::Invalid { .. }));
}

#[test]
fn a_failing_command_is_named_with_its_message_and_without_secrets() {
    for (code, stderr, expected) in [
        (Some(3), "login expired\nrun `helper login`\n", "failed with exit code 3: login expired; run `helper login`"),
        (Some(1), "", "failed with exit code 1 and printed no message"),
        (None, "", "was ended by a signal and printed no message"),
        (Some(1), "SecretAccessKey: theSecret", "failed with exit code 1: SecretAccessKey:[redacted]"),
        (Some(1), "got {\"SessionToken\":\"theToken\"}", "failed with exit code 1: got; [redacted]"),
        (Some(1), "helper --password=theSecret", "failed with exit code 1: helper --password=[redacted]"),
    ] {
        let error = fails(&mut world(code, printed().to_string(), stderr));
        assert_eq!(error.to_string(), format!("/opt/my tools/helper {expected}"));
    }
    let error = fails(&mut world(Some(1), "", &"x ".repeat(1 << 20)));
    assert!(error.to_string().len() < 400, "{error}");
}

#[test]
fn a_command_that_hangs_floods_or_does_not_exist_is_an_error() {
    for (kind, expected) in [
        (AskErrorKind::TimedOut, "did not end within 60 seconds"),
        (AskErrorKind::TooLarge, "printed more than credentials: no luck"),
        (AskErrorKind::Unsupported, "can't be run: no luck"),
        (AskErrorKind::Other, "can't be run: no luck"),
    ] {
        let mut world = World::new(&[]).config(CONFIG);
        world.commands = Box::new(move |_| Err(AskError::new(kind, "no luck")));
        let error = fails(&mut world);
        assert_eq!(error.to_string(), format!("/opt/my tools/helper {expected}"));
        assert_eq!(world.log.len(), 3);
    }
}

#[test]
fn what_needs_a_shell_is_explained() {
    for (command, expected) in [
        ("~/bin/helper", "no shell replaces ~ here"),
        ("$HOME/bin/helper", "no shell replaces variables here"),
        ("TOKEN=theSecret helper", "no shell sets variables here"),
    ] {
        let mut world = World::new(&[]).config(&format!("[default]\ncredential_process = {command}\n"));
        let error = fails(&mut world);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_command_that_cannot_be_split_is_not_shown_and_not_run() {
    for command in ["helper \"theSecret", "helper 'theSecret", "helper theSecret\\", "\"\" theSecret", "''"] {
        let mut world = World::new(&[]).config(&format!("[default]\ncredential_process = {command}\n"));
        let error = fails(&mut world);
        assert!(
            matches!(&error, SourceError::Setting { place, .. } if place == "credential_process of profile default")
        );
        assert_eq!(world.log.len(), 2, "{:?}", world.log);
    }
}

#[test]
fn on_windows_backslashes_belong_to_the_path() {
    let mut world = World::new(&[]).config("[default]\ncredential_process = \"C:\\my tools\\helper.exe\" C:\\a 'b'\n");
    world.files.insert("/home/u\\.aws\\config".into(), world.files["/home/u/.aws/config"].clone());
    world.commands = Box::new(|ask| {
        assert_eq!(
            (ask.program.as_str(), &ask.arguments[..]),
            ("C:\\my tools\\helper.exe", &["C:\\a".into(), "'b'".into()][..])
        );
        Ok(output(Some(0), printed().to_string(), ""))
    });
    world.resolve_with(&Resolver::new(world.environment().for_windows())).unwrap();
}

/// Each command is told which profiles are being resolved, so that one that asks for its own profile ends.
#[test]
fn a_command_that_asks_for_its_own_profile_is_not_run_again() {
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let run = |variables: &[(&str, &str)]| {
        let asked = asked.clone();
        let mut world = World::new(variables).config(CONFIG).commands(move |ask| {
            asked.lock().unwrap().extend(ask.variables.clone());
            Ok(output(Some(0), printed().to_string(), ""))
        });
        world.resolve().map(drop).map_err(|error| error.to_string())
    };
    run(&[]).unwrap();
    let (name, first) = asked.lock().unwrap().pop().unwrap();
    assert_eq!(name, "COUNTERSIGN_RUNNING_PROFILES");
    assert!(first.ends_with("\tdefault"), "{first}");

    let error = run(&[(&name, &first)]).unwrap_err();
    assert!(error.contains("/opt/my tools/helper was started for profile default and needs"), "{error}");
    assert_eq!(asked.lock().unwrap().len(), 0, "the command was run");

    // The same name in other files, and another profile, are no recursion.
    for other in ["/other/config\t/other/credentials\tdefault", &first.replace("default", "dev")] {
        run(&[(&name, other)]).unwrap();
        assert_eq!(asked.lock().unwrap().pop().unwrap().1, format!("{other}\n{first}"));
    }
}
