//! What every source that sends requests has to survive.

use countersign::sources::{AskError, AskErrorKind, HttpAsk, Outcome, ResolveError, Resolved, SourceKind};

use super::world::World;

pub type Answer = Result<http::Response<Vec<u8>>, AskError>;

/// Answers that aren't credentials, whatever the source is. Some repeat [`SECRETS`] and the secret that was sent.
pub fn answers(sent: &str) -> Vec<(&'static str, Answer)> {
    let response = |status: u16, body: &[u8]| Ok(http::Response::builder().status(status).body(body.to_vec()).unwrap());
    let failed = |kind| Err(AskError::new(kind, "it did not work"));
    let echo = format!("<Message>{sent} {}</Message>", SECRETS.join(" "));
    let echo_json = format!("{{\"message\":\"{sent} {}\",\"code\":\"{}\"}}", SECRETS.join(" "), SECRETS[0]);
    let redirect = http::Response::builder()
        .status(302)
        .header("location", "https://evil.example/?token=SECRET-OF-A-REDIRECT")
        .body(Vec::new());
    vec![
        ("empty", response(200, b"")),
        ("empty json", response(200, b"{}")),
        ("list", response(200, b"[]")),
        ("null", response(200, b"null")),
        ("numbers", response(200, br#"{"AccessKeyId":1,"SecretAccessKey":2,"Token":3,"Expiration":4}"#)),
        ("nested", response(200, &[b'['; 100_000])),
        ("nested xml", response(200, "<a>".repeat(50_000).as_bytes())),
        ("html", response(200, b"<!DOCTYPE html><html><body>Please log in</body></html>")),
        ("not text", response(200, &[0xff, 0xfe, 0])),
        ("huge", response(200, &vec![b'a'; (256 << 10) + 1])),
        ("huge message", response(400, format!("{{\"message\":\"{}\"}}", "a b".repeat(80_000)).as_bytes())),
        ("terminal", response(400, b"{\"message\":\"\\u001b[2Jx\"}")),
        ("echo", response(400, format!("<ErrorResponse><Error>{echo}</Error></ErrorResponse>").as_bytes())),
        ("echo json", response(400, echo_json.as_bytes())),
        ("400", response(400, b"")),
        ("401", response(401, b"")),
        ("403", response(403, b"no")),
        ("404", response(404, b"no")),
        ("418", response(418, b"no")),
        ("429", response(429, b"")),
        ("500", response(500, b"<html>")),
        ("503", response(503, b"{")),
        ("302", Ok(redirect.unwrap())),
        ("timeout", failed(AskErrorKind::TimedOut)),
        ("no connection", failed(AskErrorKind::NotConnected)),
        ("too large", failed(AskErrorKind::TooLarge)),
        ("unsupported", failed(AskErrorKind::Unsupported)),
        ("other", failed(AskErrorKind::Other)),
    ]
}

/// What must never be shown: long and short tokens and keys.
pub const SECRETS: [&str; 3] = [
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "IQoJb3JpZ2luX2VjEGEaCXVzLWVhc3QtMSJHMEUCIQDexamplesessiontokenexampletoken",
];

/// Text that appears in secrets of answers and of requests of these tests.
const PARTS: [&str; 6] = ["eyJ", "wJalr", "IQoJ", "basic-auth", "SECRET-OF", "TOKEN-OF"];

#[track_caller]
pub fn assert_no_secret(result: &Result<Resolved, ResolveError>) {
    assert_shows_none_of(&PARTS, result);
}

/// Neither the result nor its report shows one of these, a character that a terminal obeys, or a long text.
#[track_caller]
pub fn assert_shows_none_of(secrets: &[&str], result: &Result<Resolved, ResolveError>) {
    let texts = match result {
        Ok(resolved) => vec![format!("{resolved:?}"), format!("{}", resolved.report)],
        Err(error) => vec![
            format!("{error}"),
            format!("{error:?}"),
            format!("{}", error.error()),
            format!("{}", error.report()),
            format!("{:?}", error.report()),
        ],
    };
    for text in texts {
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(text.len() < 4000, "{} bytes", text.len());
    }
}

/// Resolves, which fails at this source and shows none of these secrets.
#[track_caller]
pub fn fails(world: &mut World, source: SourceKind, secrets: &[&str]) -> ResolveError {
    let result = world.resolve();
    assert_shows_none_of(secrets, &result);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), Some(source), "{error}");
    error
}

/// The warnings of a source.
pub fn warnings(resolved: &Resolved, source: SourceKind) -> Vec<String> {
    let warning = |(found, outcome): (SourceKind, &Outcome)| match outcome {
        Outcome::Warning(text) if found == source => Some(text.clone()),
        _ => None,
    };
    resolved.report.entries().filter_map(warning).collect()
}

/// The body of a request, as text.
pub fn body(ask: &HttpAsk) -> &str {
    std::str::from_utf8(ask.request.body()).unwrap()
}

pub fn header<'a>(ask: &'a HttpAsk, name: &str) -> Option<&'a str> {
    ask.request.headers().get(name).map(|value| value.to_str().unwrap())
}
