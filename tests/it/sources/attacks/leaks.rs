//! Secrets that a client, a command, a server or a mistake could show.

use std::cell::RefCell;
use std::rc::Rc;

use countersign::sources::{AskError, AskErrorKind, CommandOutput, ResolveError, Resolved};

use crate::sources::world::{World, response};

fn texts(result: &Result<Resolved, ResolveError>) -> String {
    match result {
        Ok(resolved) => format!("{} {:?}", resolved.report, resolved.report),
        Err(error) => format!("{error} {error:?} {} {:?}", error.report(), error.report()),
    }
}

// reqwest, for example, writes `error sending request for url (URL)`.
#[test]
fn a_client_that_repeats_the_url_in_its_message_shows_no_query() {
    let debug = Rc::new(RefCell::new(String::new()));
    let seen = Rc::clone(&debug);
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://localhost/creds?token=hunter2&a=b")];
    let mut world = World::new(&variables).network(move |ask| {
        seen.borrow_mut().push_str(&format!("{ask:?}"));
        let message = format!("error sending request for url ({})\n\u{1b}[2J{}", ask.request.uri(), "x ".repeat(5000));
        Err(AskError::new(AskErrorKind::Other, message))
    });
    let shown = texts(&world.resolve());
    assert!(shown.contains("error sending request for url (http://localhost/creds?[redacted])"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains('\u{1b}') && shown.len() < 5000, "{shown}");
    let debug = debug.borrow();
    assert!(debug.contains("http://localhost/creds") && !debug.contains("hunter2"), "{debug}");
}

#[test]
fn a_command_that_prints_its_command_line_or_a_url_shows_no_secret() {
    for stderr in [
        "subprocess.CalledProcessError: Command '['okta', '--password', 'hunter2']' returned non-zero exit status 1.",
        "Command \"okta -p hunter2\" failed",
        "exec: [\"--password\", \"hunter2\"]",
        "unknown argument 'argument hunter2'",
        "curl: (22) https://user:hunter2@idp.example/saml returned 403",
        "proxy http://hunter2@proxy.example is down",
        "usage: --user=hunter2",
        "GET https://a.example/x then https://user:hunter2@b.example",
    ] {
        let config = "[default]\ncredential_process = okta --user=hunter2 -p hunter2 'argument hunter2'\n";
        let output = move || CommandOutput {
            success: false,
            code: Some(1),
            stdout: Vec::new().into(),
            stderr: stderr.as_bytes().to_vec().into(),
        };
        let shown = texts(&World::new(&[]).config(config).commands(move |_| Ok(output())).resolve());
        assert!(shown.contains("[redacted]") && !shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn urls_with_users_are_hidden_even_if_the_command_has_no_such_argument() {
    for (stderr, expected) in [
        ("https://user:hunter2@idp.example/saml: 403", "https://[redacted]@idp.example/saml: 403"),
        ("see https://idp.example/a@b", "see https://idp.example/a@b"),
        ("['x', '--password', 'hunter2']", "['x', '--password'[redacted]"),
        ("://", "://"),
    ] {
        let output = move || CommandOutput {
            success: false,
            code: Some(1),
            stdout: Vec::new().into(),
            stderr: stderr.as_bytes().to_vec().into(),
        };
        let config = "[default]\ncredential_process = okta\n";
        let error = World::new(&[]).config(config).commands(move |_| Ok(output())).resolve().unwrap_err();
        assert!(error.to_string().ends_with(&format!("exit code 1: {expected}")), "{error}");
    }
}

#[test]
fn keys_that_were_exchanged_are_not_in_the_report() {
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    let variables = [("AWS_ACCESS_KEY_ID", SECRET), ("AWS_SECRET_ACCESS_KEY", "AKIAIOSFODNN7EXAMPLE")];
    let config = format!("[default]\naws_access_key_id = {SECRET}\naws_secret_access_key = AKIAIOSFODNN7EXAMPLE\n");
    for mut world in [World::new(&variables), World::new(&[]).config(&config)] {
        let shown = world.resolve().unwrap().report.to_string();
        assert!(shown.contains("gave [redacted]") && !shown.contains("wJalr"), "{shown}");
    }
}

#[test]
fn a_token_that_a_server_repeats_with_status_200_is_hidden() {
    let container =
        [("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/r"), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "short-token")];
    for variables in [&container[..], &[]] {
        let mut world = World::new(variables).network(|ask| {
            let path = ask.request.uri().path();
            Ok(match path {
                "/latest/api/token" => response(200, "short-token"),
                "/latest/meta-data/iam/security-credentials/" => response(200, "role"),
                _ => response(200, r#"{"Code":"Failed","Message":"short-token is bad"}"#),
            })
        });
        let shown = texts(&world.resolve());
        assert!(shown.contains("[redacted] is bad") && !shown.contains("short-token"), "{shown}");
    }
}

#[test]
fn a_long_name_of_a_section_is_shortened_in_warnings() {
    let long = "a".repeat(500_000);
    let config = format!("[{long}]\n");
    let world = World::new(&[]).config(&config).file("/home/u/.aws/credentials", &format!("[profile {long}]\n"));
    let shown = { world }.resolve().unwrap_err().report().to_string();
    assert!(shown.contains("is ignored") && shown.len() < 3000, "{}", shown.len());
}

#[test]
fn arguments_that_are_quoted_together_with_the_program_are_not_shown() {
    for (command, program) in [
        ("/opt/tool --password hunter2/x", "/opt/tool"),
        ("/opt/my tools/tool --password=hunter2", "/opt/my tools/tool"),
        ("tool hunter2", "tool"),
        ("/opt/tool https://user:hunter2@idp.example/x", "/opt/tool"),
        ("sh -c 'tool hunter2'", "sh"),
        ("PASSWORD=hunter2 tool", "PASSWORD"),
    ] {
        let debug = Rc::new(RefCell::new(String::new()));
        let seen = Rc::clone(&debug);
        let config = format!("[default]\ncredential_process = \"{command}\"\n");
        let mut world = World::new(&[]).config(&config).commands(move |ask| {
            seen.borrow_mut().push_str(&format!("{ask:?}"));
            Err(AskError::new(AskErrorKind::Other, "no such file"))
        });
        let result = world.resolve();
        let shown = texts(&result) + &debug.borrow();
        assert!(!shown.contains("hunter2"), "{shown}");
        let text = result.unwrap_err().to_string();
        assert!(text.starts_with(&format!("credential_process: {program} can't be run: no such file; ")), "{text}");
        assert!(text.contains("quotation marks") || text.contains("no shell"), "{text}");
    }
}
