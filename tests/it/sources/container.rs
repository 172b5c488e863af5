//! Credentials of containers.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use countersign::sources::{AskError, AskErrorKind, SourceError, SourceKind};

use super::faults::{answers, assert_no_secret, header};
use super::world::{World, response};

const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const TOKEN: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
const TOKEN_FILE: &str = "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE";

const ANSWER: &str = r#"{"RoleArn":"arn:aws:iam::123456789012:role/task","AccessKeyId":"ASIATASK","SecretAccessKey":"SECRET-OF-TASK","Token":"TOKEN-OF-TASK","Expiration":"2026-01-01T01:00:00Z"}"#;

fn requests(world: &World) -> Vec<&str> {
    let is_network = |line: &&str| !["read", "wait"].iter().any(|word| line.starts_with(word));
    world.log.iter().map(String::as_str).filter(is_network).collect()
}

#[test]
fn a_task_role_is_asked_for_without_a_proxy_and_within_two_seconds() {
    let mut world = World::new(&[(RELATIVE, "/v2/credentials/id?a=1")]).network(|ask| {
        assert!(!ask.allow_proxy);
        assert_eq!(ask.timeout, Duration::from_secs(2));
        assert_eq!(header(ask, "authorization"), None);
        Ok(response(200, ANSWER))
    });
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.source, SourceKind::Container);
    assert_eq!(resolved.credentials.access_key_id(), "ASIATASK");
    assert_eq!(resolved.credentials.session_token(), Some("TOKEN-OF-TASK"));
    assert_eq!(resolved.credentials.expires_at().unwrap().as_str(), "20260101T010000Z");
    assert_eq!(resolved.account_id.as_deref(), Some("123456789012"));
    assert_eq!(resolved.region, None);
    assert_eq!(requests(&world), ["GET http://169.254.170.2/v2/credentials/id?a=1"]);
}

#[test]
fn expirations_have_fractions_and_offsets() {
    for (written, read) in [
        ("2026-01-01T01:00:00.123456Z", "20260101T010000Z"),
        ("2026-01-01T01:00:00+00:00", "20260101T010000Z"),
        ("2026-01-01T01:00:00.5-02:30", "20260101T033000Z"),
        ("2026-01-01t09:00:00z", "20260101T090000Z"),
        ("2026-01-01T06:00:00+05:30", "20260101T003000Z"),
    ] {
        let answer = ANSWER.replace("2026-01-01T01:00:00Z", written);
        let mut world = World::new(&[(RELATIVE, "/c")]).network(move |_| Ok(response(200, &answer)));
        assert_eq!(world.resolve().unwrap().credentials.expires_at().unwrap().as_str(), read, "{written}");
    }
    for written in
        ["tomorrow", "2026-01-01", "2026-01-01T01:00:00", "2026-01-01T01:00:00+1", "1767229200", "+01:00", "é:00"]
    {
        let answer = ANSWER.replace("2026-01-01T01:00:00Z", written);
        let mut world = World::new(&[(RELATIVE, "/c")]).network(move |_| Ok(response(200, &answer)));
        let error = world.resolve().unwrap_err();
        assert!(error.to_string().contains("Expiration is not a time such as"), "{written}: {error}");
    }
}

#[test]
fn the_relative_uri_takes_precedence_and_blank_variables_count_as_unset() {
    let mut world = World::new(&[(RELATIVE, "/relative"), (FULL, "https://full.example/")]);
    world.resolve().unwrap_err();
    assert_eq!(requests(&world)[0], "GET http://169.254.170.2/relative");
    let mut world = World::new(&[(RELATIVE, " "), (FULL, "https://full.example/")]);
    world.resolve().unwrap_err();
    assert_eq!(requests(&world)[0], "GET https://full.example/");
    let mut world = World::new(&[(RELATIVE, " "), (FULL, ""), ("AWS_EC2_METADATA_DISABLED", "true")]);
    assert!(matches!(world.resolve().unwrap_err().error(), SourceError::NotConfigured { .. }));
    assert!(requests(&world).is_empty());
}

#[test]
fn plain_http_is_only_for_this_machine_and_the_agents() {
    for url in [
        "https://any.example:8443/c",
        "http://localhost/c",
        "http://LOCALHOST:1/c",
        "http://127.0.0.1/c",
        "http://127.255.255.254:8080/c",
        "http://[::1]:8080/c",
        "http://169.254.170.2/c",
        "http://169.254.170.23/c",
        "http://[fd00:ec2::23]/c",
        "http://[FD00:EC2:0:0:0:0:0:23]/c",
    ] {
        let mut world = World::new(&[(FULL, url)]).network(|_| Ok(response(200, ANSWER)));
        world.resolve().unwrap();
        assert_eq!(requests(&world).len(), 1, "{url}");
    }
    for url in [
        "/credentials",
        "credentials",
        "//localhost/c",
        "http:///c",
        "http:localhost/c",
        "ftp://localhost/c",
        "file:///etc/passwd",
        "http://10.0.0.1/c",
        "http://evil.example/c",
        "http://127.0.0.1@evil.example/c",
        "http://user:SECRET-OF-USER@localhost/c",
        "https://user:SECRET-OF-USER@any.example/c",
        "http://169.254.170.2.evil.example/c",
        "http://127.0.0.1.evil.example/c",
        "http://localhost.evil.example/c",
        "http://localhost./c",
        "http://evil.example#@127.0.0.1/c",
        "http://evil.example\\@127.0.0.1/c",
        "http://evil.example/@127.0.0.1",
        "http://evil.example?@127.0.0.1",
        "http://[::ffff:169.254.170.2]/c",
        "http://[::ffff:127.0.0.1]/c",
        "http://[::]/c",
        "http://0.0.0.0/c",
        "http://2130706433/c",
        "http://0x7f000001/c",
        "http://0177.0.0.1/c",
        "http://127.1/c",
        "http://127.0.0.01/c",
        "http://169.254.169.254/c",
        "http://[fd00:ec2::254]/c",
        "http://[fd00:ec2::23%25eth0]/c",
        "http://localhost:/c",
        "http://localhost:0/c",
        "http://localhost:65536/c",
        "http://localhost:80:80/c",
        "http://localhost:-1/c",
        "http://loc%61lhost/c",
        "http://127.0.0.1%2eevil.example/c",
        "http://\u{ff11}27.0.0.1/c",
        "http://localhost\u{2024}/c",
        "http://local host/c",
        "http://localhost/c\r\nHost: evil.example",
    ] {
        let mut world = World::new(&[(FULL, url), (TOKEN, "basic-authorization-of-a-container")]);
        let result = world.resolve();
        assert_no_secret(&result);
        let error = result.unwrap_err();
        assert!(matches!(error.error(), SourceError::Setting { place, .. } if place == FULL), "{url}: {error}");
        assert!(requests(&world).is_empty(), "{url}");
    }
}

#[test]
fn a_relative_uri_can_not_name_another_host() {
    for path in
        ["credentials", "@evil.example/", ".evil.example/", ":80/", "?a", "#", "/a b", "\\evil.example", "/\u{e9}\r\nx"]
    {
        let mut world = World::new(&[(RELATIVE, path)]);
        match world.resolve().unwrap_err().error() {
            SourceError::Setting { place, .. } => assert_eq!(place, RELATIVE, "{path}"),
            // `http` accepts characters outside ASCII in a path; the host is the same.
            error => assert!(matches!(error, SourceError::NoResponse { .. }), "{path}: {error}"),
        }
        assert!(requests(&world).iter().all(|line| line.starts_with("GET http://169.254.170.2/")), "{path}");
    }
}

#[test]
fn the_authorization_token_is_sent_as_it_is_and_its_file_is_read_each_time() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let copy = Rc::clone(&seen);
    let mut world = World::new(&[(RELATIVE, "/c"), (TOKEN, "Basic of the variable "), (TOKEN_FILE, "/token")])
        .file("/token", "Bearer first")
        .network(move |ask| {
            assert!(ask.request.headers()["authorization"].is_sensitive());
            copy.borrow_mut().push(header(ask, "authorization").unwrap().to_owned());
            Ok(response(200, ANSWER))
        });
    world.resolve().unwrap();
    world.files.insert("/token".into(), b"Bearer second".to_vec());
    world.resolve().unwrap();
    world.variables.retain(|(name, _)| name != TOKEN_FILE);
    world.resolve().unwrap();
    assert_eq!(*seen.borrow(), ["Bearer first", "Bearer second", "Basic of the variable "]);
}

#[test]
fn a_token_that_would_end_its_header_is_an_error_that_says_so() {
    for (token, problem) in [
        ("TOKEN-OF-TASK\r\nHost: evil", "holds a line feed (CR or LF) in the middle"),
        ("TOKEN-OF-TASK\nx", "holds a line feed (CR or LF) in the middle"),
        ("TOKEN-OF-TASK\n", "ends with a line feed (CR or LF)"),
        ("TOKEN-OF-TASK\r", "ends with a line feed (CR or LF)"),
        ("TOKEN-OF-TASK\0", "characters that a header can't have"),
    ] {
        for file in [false, true] {
            let variable = if file { (TOKEN_FILE, "/token") } else { (TOKEN, token) };
            let mut world = World::new(&[(RELATIVE, "/c"), variable]).file("/token", token);
            let result = world.resolve();
            assert_no_secret(&result);
            let text = result.unwrap_err().to_string();
            assert!(text.contains(problem) && text.contains(variable.0), "{text}");
            assert!(requests(&world).is_empty());
        }
    }
}

#[test]
fn a_token_file_that_is_missing_or_empty_is_an_error_even_if_the_variable_is_set() {
    let mut world = World::new(&[(RELATIVE, "/c"), (TOKEN, "x"), (TOKEN_FILE, "/token")]);
    assert_eq!(
        world.resolve().unwrap_err().to_string(),
        "container: /token does not exist, and AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names it"
    );
    for contents in [b"".to_vec(), b"\n".to_vec(), vec![0xff], vec![b'a'; (1 << 20) + 1]] {
        world.files.insert("/token".into(), contents);
        let error = world.resolve().unwrap_err();
        assert!(error.to_string().contains("/token"), "{error}");
        assert!(matches!(error.error(), SourceError::File { .. } | SourceError::Unreadable { .. }), "{error}");
    }
    assert!(requests(&world).is_empty());
}

#[test]
fn failures_that_may_pass_are_tried_three_times() {
    for (answer, most) in [(500, 3), (503, 3), (429, 3), (0, 3), (400, 1), (403, 1), (404, 1), (302, 1), (200, 1)] {
        let mut world = World::new(&[(RELATIVE, "/c")]).network(move |_| match answer {
            0 => Err(AskError::new(AskErrorKind::TimedOut, "timed out")),
            status => Ok(response(status, "{}")),
        });
        world.resolve().unwrap_err();
        assert_eq!(requests(&world).len(), most, "{answer}");
        assert_eq!(world.log.iter().filter(|line| line.starts_with("wait")).count(), most - 1);
    }
    let mut left = 2;
    let mut world = World::new(&[(RELATIVE, "/c")]).network(move |_| {
        left -= 1;
        Ok(if left >= 0 { response(500, "") } else { response(200, ANSWER) })
    });
    world.resolve().unwrap();
}

#[test]
fn code_and_message_of_a_refusal_are_shown() {
    for body in
        [r#"{"code":"AccessDenied","message":"not this task"}"#, r#"{"Code":"AccessDenied","Message":"not this task"}"#]
    {
        let mut world = World::new(&[(RELATIVE, "/c?secret=1")]).network(move |_| Ok(response(403, body)));
        let text = world.resolve().unwrap_err().to_string();
        assert_eq!(
            text,
            "container: http://169.254.170.2/c answered 403: AccessDenied: not this task; check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN"
        );
    }
}

#[test]
fn an_authorization_token_that_is_repeated_is_not_shown() {
    let mut world = World::new(&[(RELATIVE, "/c"), (TOKEN, "basic-authorization-of-a-container")])
        .network(|_| Ok(response(401, r#"{"message":"'basic-authorization-of-a-container' is not known"}"#)));
    let result = world.resolve();
    assert_no_secret(&result);
    assert!(result.unwrap_err().to_string().ends_with("answered 401: '[redacted]' is not known; check AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE or AWS_CONTAINER_AUTHORIZATION_TOKEN"));
}

#[test]
fn an_answer_that_was_cut_short_or_lacks_a_member_is_an_error() {
    for length in 0..ANSWER.len() {
        let mut world = World::new(&[(RELATIVE, "/c")]).network(move |_| Ok(response(200, &ANSWER[..length])));
        let result = world.resolve();
        assert_no_secret(&result);
        assert!(matches!(result.unwrap_err().error(), SourceError::Unusable { .. }), "{length}");
        assert_eq!(requests(&world).len(), 1);
    }
    for member in ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"] {
        let answer = ANSWER.replace(&format!("\"{member}\""), "\"other\"");
        let mut world = World::new(&[(RELATIVE, "/c")]).network(move |_| Ok(response(200, &answer)));
        let error = world.resolve().unwrap_err();
        assert!(error.to_string().ends_with(&format!("{member} is missing")), "{error}");
    }
    let mut world = World::new(&[(RELATIVE, "/c")])
        .network(|_| Ok(response(200, &ANSWER.replace("\"TOKEN-OF-TASK\"", "[\"TOKEN-OF-TASK\"]"))));
    assert!(world.resolve().unwrap_err().to_string().ends_with("Token is not a string"));
    let mut world = World::new(&[(RELATIVE, "/c")])
        .network(|_| Ok(response(200, &ANSWER.replace("TOKEN-OF-TASK", "TOKEN-OF\\nTASK"))));
    let result = world.resolve();
    assert_no_secret(&result);
    assert!(matches!(result.unwrap_err().error(), SourceError::Invalid { .. }));
}

#[test]
fn expired_credentials_are_an_error_that_compares_the_clocks() {
    let mut world = World::new(&[(RELATIVE, "/c")]).network(|_| {
        let mut response = response(200, &ANSWER.replace("2026-01-01T01", "2025-12-31T23"));
        response.headers_mut().insert("date", "Wed, 31 Dec 2025 22:00:00 GMT".parse().unwrap());
        Ok(response)
    });
    let error = world.resolve().unwrap_err();
    assert!(matches!(error.error(), SourceError::Expired { .. }));
    assert!(error.to_string().ends_with("the clock is 120 minutes ahead of the server's"), "{error}");
}

#[test]
fn whatever_is_answered_ends_in_a_typed_error_without_secrets() {
    for (name, answer) in answers("basic-authorization-of-a-container") {
        let mut world = World::new(&[(RELATIVE, "/c"), (TOKEN, "basic-authorization-of-a-container")])
            .network(move |_| answer.clone());
        let result = world.resolve();
        assert_no_secret(&result);
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Some(SourceKind::Container), "{name}");
        let expected = match name {
            "timeout" | "no connection" | "too large" | "unsupported" | "other" | "huge" => {
                matches!(error.error(), SourceError::NoResponse { .. })
            }
            "empty" | "empty json" | "list" | "null" | "numbers" | "nested" | "nested xml" | "html" | "not text" => {
                matches!(error.error(), SourceError::Unusable { .. })
            }
            _ => matches!(error.error(), SourceError::Refused { .. }),
        };
        assert!(expected, "{name}: {error}");
        assert!(requests(&world).len() <= 3, "{name}");
    }
}
