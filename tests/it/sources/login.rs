//! `aws login`.

use std::cell::RefCell;
use std::rc::Rc;

use base64ct::{Base64UrlUnpadded, Encoding};
use countersign::sources::{AskError, AskErrorKind, ResolveError, Resolved, Resolver, SourceError, SourceKind};
use serde_json::{Value, json};

use super::faults;
use super::world::{World, response};

const CONFIG: &str = "[profile dev]
login_session =  arn:aws:iam::123456789012:user/alice
region = eu-west-1
";
/// SHA-256 of the ARN.
const NAME: &str = "b7d71d383b9557a9bad4c3346c50365819226484c6824a0fdef66637be339db0.json";
const CACHE: &str = "/home/u/.aws/login/cache/b7d71d383b9557a9bad4c3346c50365819226484c6824a0fdef66637be339db0.json";
const TOKEN_URL: &str = "POST https://eu-west-1.signin.aws.amazon.com/v1/token";
/// Made with OpenSSL for this test.
const KEY: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEICyr++Z4ljd1WcpPGtjCuVSTFCmowBF+oUPbemzNppLGoAoGCCqGSM49
AwEHoUQDQgAEmxvMOMdWjseFHTvREBw+zaRQAZIA2I2wjPkgX04LaVTUZIB44j7D
t1ZSVQiodzJkZ1zkP6pily/5kpntMqbUGQ==
-----END EC PRIVATE KEY-----
";
const SECRETS: [&str; 6] = ["oldSecret", "oldToken", "oldRefresh", "newSecret", "newRefresh", "MHcCAQEE"];

/// The clock of the world says 00:00:00.
fn session(expires_at: &str) -> Value {
    json!({
        "accessToken": {
            "accessKeyId": "ASIAOLD", "secretAccessKey": "oldSecret", "sessionToken": "oldToken",
            "accountId": "123456789012", "expiresAt": expires_at, "inner": -0.5,
        },
        "clientId": "arn:aws:signin:::devtools/same-device", "refreshToken": "oldRefreshToken", "idToken": "eyJ.id",
        "tokenType": "aws_sigv4", "dpopKey": KEY, "unknown": [true, null, 1e30],
    })
}

fn answer() -> Value {
    json!({
        "accessToken": {"accessKeyId": "ASIANEW", "secretAccessKey": "newSecret", "sessionToken": "newToken"},
        "tokenType": "aws_sigv4", "expiresIn": 900, "refreshToken": "newRefreshToken",
    })
}

/// What was sent: the proof and the body.
type Sent = Rc<RefCell<Vec<(String, String)>>>;

fn world(session: &str, status: u16, body: &str) -> (World, Sent) {
    let sent = Sent::default();
    let (log, body) = (sent.clone(), body.to_owned());
    let world = World::new(&[("AWS_PROFILE", "dev")]).config(CONFIG).file(CACHE, session).network(move |ask| {
        let proof = ask.request.headers()["dpop"].to_str().unwrap().to_owned();
        assert_eq!(ask.request.headers()["content-type"], "application/json");
        log.borrow_mut().push((proof, String::from_utf8(ask.request.body().clone()).unwrap()));
        Ok(response(status, &body))
    });
    (world, sent)
}

#[track_caller]
fn needs_login(error: &SourceError) -> String {
    match error {
        SourceError::LoginNeeded { problem, command } if command == "aws login --profile dev" => problem.clone(),
        other => panic!("{other:?}"),
    }
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap()
}

#[track_caller]
fn fails(world: &mut World) -> SourceError {
    faults::fails(world, SourceKind::Login, &SECRETS).error().clone()
}

#[track_caller]
fn shows_no_secret(result: &Result<Resolved, ResolveError>) {
    faults::assert_shows_none_of(&SECRETS, result);
}

fn warnings(resolved: &Resolved) -> Vec<String> {
    faults::warnings(resolved, SourceKind::Login)
}

#[test]
fn stored_credentials_are_used_while_they_are_fresh() {
    let (mut world, sent) = world(&session("2026-01-01T00:05:01Z").to_string(), 500, "");
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.source, SourceKind::Login);
    assert_eq!(resolved.credentials.access_key_id(), "ASIAOLD");
    assert_eq!(resolved.credentials.session_token(), Some("oldToken"));
    assert_eq!(resolved.credentials.expires_at().unwrap().as_str(), "20260101T000501Z");
    assert_eq!(resolved.account_id.as_deref(), Some("123456789012"));
    assert_eq!(resolved.region.as_deref(), Some("eu-west-1"));
    assert_eq!(world.log[2..], [format!("read {CACHE}")]);
    assert!(sent.borrow().is_empty());
    shows_no_secret(&Ok(resolved));
}

#[test]
fn the_directory_can_be_set() {
    for (directory, path) in
        [("/var/cache/aws/", "/var/cache/aws/"), ("/c", "/c/"), ("~/sessions", "/home/u/sessions/"), ("~", "/home/u/")]
    {
        let mut world = World::new(&[("AWS_PROFILE", "dev"), ("AWS_LOGIN_CACHE_DIRECTORY", directory)]).config(CONFIG);
        world.files.insert(format!("{path}{NAME}"), session("2026-01-01T00:10:00Z").to_string().into());
        assert_eq!(world.resolve().unwrap().credentials.access_key_id(), "ASIAOLD", "{directory}");
    }
}

#[test]
fn credentials_that_end_soon_are_refreshed_with_a_proof_and_written_back() {
    for expires_at in ["2026-01-01T00:05:00Z", "2025-12-31T00:00:00Z"] {
        let (mut world, sent) = world(&session(expires_at).to_string(), 200, &answer().to_string());
        let resolved = world.resolve().unwrap();
        assert_eq!(resolved.credentials.access_key_id(), "ASIANEW");
        assert_eq!(resolved.credentials.expires_at().unwrap().as_str(), "20260101T001500Z");
        assert_eq!(resolved.account_id.as_deref(), Some("123456789012"));
        assert_eq!(warnings(&resolved), [""; 0]);
        assert_eq!(world.log[2..], [format!("read {CACHE}"), TOKEN_URL.to_owned(), format!("write {CACHE}")]);
        let (proof, body) = sent.borrow()[0].clone();
        let expected = json!({
            "clientId": "arn:aws:signin:::devtools/same-device", "grantType": "refresh_token",
            "refreshToken": "oldRefreshToken",
        });
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), expected);
        let parts: Vec<&str> = proof.split('.').collect();
        let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
        assert_eq!((&header["typ"], &header["alg"]), (&json!("dpop+jwt"), &json!("ES256")));
        assert_eq!(header["jwk"]["x"], "mxvMOMdWjseFHTvREBw-zaRQAZIA2I2wjPkgX04LaVQ");
        assert_eq!(claims["htm"], "POST");
        assert_eq!(claims["htu"], "https://eu-west-1.signin.aws.amazon.com/v1/token");
        assert_eq!(claims["iat"], 1_767_225_600);
        let mut expected = session("2026-01-01T00:15:00Z");
        for name in ["accessKeyId", "secretAccessKey", "sessionToken"] {
            expected["accessToken"][name] = answer()["accessToken"][name].clone();
        }
        expected["refreshToken"] = "newRefreshToken".into();
        assert_eq!(serde_json::from_slice::<Value>(&world.files[CACHE]).unwrap(), expected);
        shows_no_secret(&Ok(resolved));
    }
}

#[test]
fn the_region_is_that_of_the_profile_with_the_session() {
    let base = "[profile dev]\nregion = us-east-1\ncredential_process = x\n";
    for (variables, own, host) in [
        (vec![("AWS_REGION", "us-west-2")], "region = cn-north-1", "cn-north-1.signin.amazonaws.cn"),
        (vec![("AWS_REGION", "us-west-2")], "", "us-west-2.signin.aws.amazon.com"),
    ] {
        let config = CONFIG.replace("region = eu-west-1", own) + &base.replace("dev", "other");
        let (mut world, _) = world(&session("2026-01-01T00:00:01Z").to_string(), 200, &answer().to_string());
        world.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let mut world = world.config(&config);
        world.resolve().unwrap();
        assert_eq!(world.log[3], format!("POST https://{host}/v1/token"));
    }
    for (region, expected) in [("", "region is not set"), ("region = a.example/", "region of profile dev")] {
        let (world, sent) = world(&session("2026-01-01T00:00:00Z").to_string(), 200, &answer().to_string());
        let error = fails(&mut world.config(&CONFIG.replace("region = eu-west-1", region)));
        assert!(error.to_string().contains(expected), "{error}");
        assert!(sent.borrow().is_empty());
    }
}

#[test]
fn a_session_that_cannot_be_written_is_a_warning_and_the_resolver_keeps_it() {
    let (mut world, sent) = world(&session("2026-01-01T00:00:00Z").to_string(), 200, &answer().to_string());
    world.read_only = true;
    let before = world.files.clone();
    let resolver = Resolver::new(world.environment());
    let resolved = world.resolve_with(&resolver).unwrap();
    let [warning] = &warnings(&resolved)[..] else { panic!() };
    assert_eq!(
        *warning,
        format!(
            "the `aws login` session of arn:aws:iam::123456789012:user/alice was refreshed, but {CACHE} can't be written: \
             read-only file system, so the AWS CLI and other programs have lost it; make the file writable and run `aws \
             login --profile dev` before you use them"
        )
    );
    shows_no_secret(&Ok(resolved));
    assert_eq!(world.files, before);

    let resolved = world.resolve_with(&resolver).unwrap();
    assert_eq!(
        (resolved.credentials.access_key_id(), warnings(&resolved).len(), sent.borrow().len()),
        ("ASIANEW", 0, 1)
    );
    // The next refresh uses the refresh token that could not be written.
    world.now = world.now.saturating_add(10 * 60);
    world.read_only = false;
    world.resolve_with(&resolver).unwrap();
    assert!(sent.borrow()[1].1.contains("newRefreshToken"));
    assert_ne!(world.files, before);
}

#[test]
fn a_new_refresh_token_is_saved_even_if_the_rest_of_the_answer_is_broken() {
    for broken in [
        json!({"refreshToken": "newRefreshToken"}),
        json!({"refreshToken": "newRefreshToken", "accessToken": {"accessKeyId": "ASIANEW"}, "expiresIn": 900}),
        json!({"refreshToken": "newRefreshToken", "accessToken": answer()["accessToken"], "expiresIn": "900"}),
        json!({"refreshToken": "newRefreshToken", "accessToken": "newSecret", "expiresIn": 900}),
    ] {
        let (mut world, _) = world(&session("2026-01-01T00:01:00Z").to_string(), 200, &broken.to_string());
        let resolved = world.resolve().unwrap();
        assert_eq!(resolved.credentials.access_key_id(), "ASIAOLD");
        assert_eq!(warnings(&resolved).len(), 1);
        let mut expected = session("2026-01-01T00:01:00Z");
        expected["refreshToken"] = "newRefreshToken".into();
        assert_eq!(serde_json::from_slice::<Value>(&world.files[CACHE]).unwrap(), expected);
    }
}

#[test]
fn a_refusal_says_what_happened_and_what_to_run() {
    for (status, code, expected) in [
        (401, "TOKEN_EXPIRED", "the session has ended: https://eu-west-1.signin.aws.amazon.com/v1/token answered 401"),
        (403, "USER_CREDENTIALS_CHANGED", "the password was changed: "),
        (400, "INVALID_REQUEST", "answered 400: INVALID_REQUEST: no [redacted]"),
    ] {
        let body = json!({"error": code, "message": "no oldRefreshToken"}).to_string();
        let (mut expired, _) = world(&session("2025-12-31T23:59:00Z").to_string(), status, &body);
        let problem = needs_login(&fails(&mut expired));
        assert!(problem.contains("user/alice expired at 2025-12-31T23:59:00Z and can't be refreshed"), "{problem}");
        assert!(problem.contains(expected), "{problem}");

        let (mut valid, _) = world(&session("2026-01-01T00:00:01Z").to_string(), status, &body);
        let resolved = valid.resolve().unwrap();
        assert_eq!(resolved.credentials.access_key_id(), "ASIAOLD");
        let [warning] = &warnings(&resolved)[..] else { panic!() };
        assert!(warning.contains(expected), "{warning}");
        shows_no_secret(&Ok(resolved));
    }
    let body = json!({"error": "INSUFFICIENT_PERMISSIONS", "message": "denied"}).to_string();
    let (mut world, _) = world(&session("2025-12-31T23:59:00Z").to_string(), 403, &body);
    let error = fails(&mut world);
    assert!(error.to_string().contains("lacks the permission signin:CreateOAuth2Token (denied)"), "{error}");
}

#[test]
fn a_failure_of_the_service_does_not_cost_valid_credentials_and_is_no_logout() {
    for (status, body) in [(500, ""), (503, "<html>"), (429, "{}"), (302, ""), (200, "{"), (200, "[]")] {
        let valid = session("2026-01-01T00:00:01Z").to_string();
        let (mut world, sent) = world(&valid, status, body);
        let resolved = world.resolve().unwrap();
        assert_eq!((resolved.credentials.access_key_id(), warnings(&resolved).len()), ("ASIAOLD", 1));
        assert_eq!((sent.borrow().len(), &world.files[CACHE][..]), (1, valid.as_bytes()));
        world.files.insert(CACHE.into(), session("2026-01-01T00:00:00Z").to_string().into());
        let error = fails(&mut world);
        assert!(matches!(error, SourceError::Refused { .. } | SourceError::Unusable { .. }), "{error}");
    }
    for kind in [AskErrorKind::TimedOut, AskErrorKind::NotConnected, AskErrorKind::TooLarge] {
        let (mut world, _) = world(&session("2026-01-01T00:00:00Z").to_string(), 200, "");
        world.network = Box::new(move |_| Err(AskError::new(kind, "no luck")));
        assert!(matches!(fails(&mut world), SourceError::NoResponse { .. }));
        assert_eq!(world.log.len(), 4);
    }
}

#[test]
fn an_answer_that_is_cut_changes_nothing() {
    let (file, whole) = (session("2026-01-01T00:00:00Z").to_string(), answer().to_string());
    for length in 0..whole.len() {
        let (mut world, _) = world(&file, 200, &whole[..length]);
        assert!(matches!(fails(&mut world), SourceError::Unusable { .. }));
        assert_eq!(world.files[CACHE], file.as_bytes());
    }
}

#[test]
fn a_session_that_another_program_refreshed_at_the_same_time_is_used() {
    let body = json!({"error": "TOKEN_EXPIRED"}).to_string();
    let (mut world, sent) = world(&session("2025-12-31T00:00:00Z").to_string(), 401, &body);
    let mut other = session("2026-01-01T00:15:00Z");
    other["accessToken"]["accessKeyId"] = "ASIAOTHER".into();
    world.written_meanwhile = Some((CACHE.into(), other.to_string()));
    let resolved = world.resolve().unwrap();
    assert_eq!((resolved.credentials.access_key_id(), sent.borrow().len()), ("ASIAOTHER", 1));
    assert_eq!(world.files[CACHE], other.to_string().as_bytes());
}

#[test]
fn a_file_that_is_missing_or_damaged_needs_a_login() {
    let (mut world, sent) = world("", 200, &answer().to_string());
    world.files.remove(CACHE);
    let problem = needs_login(&fails(&mut world));
    assert!(problem.ends_with(&format!("user/alice is missing: {CACHE} does not exist")), "{problem}");
    let whole = session("2026-01-01T01:00:00Z").to_string();
    for length in 0..whole.len() {
        world.files.insert(CACHE.into(), whole[..length].into());
        needs_login(&fails(&mut world));
    }
    for (name, value) in [
        ("accessKeyId", Value::Null),
        ("secretAccessKey", json!("")),
        ("sessionToken", json!(["oldToken"])),
        ("expiresAt", json!(1_767_229_200)),
        ("expiresAt", json!("oldToken")),
    ] {
        let mut session = session("2026-01-01T01:00:00Z");
        session["accessToken"][name] = value;
        world.files.insert(CACHE.into(), session.to_string().into());
        let problem = needs_login(&fails(&mut world));
        assert!(problem.ends_with(&format!("{CACHE} has no valid accessToken.{name}")), "{problem}");
    }
    for (name, value, expected) in [
        ("refreshToken", Value::Null, "has no refreshToken"),
        ("clientId", json!(""), "has no clientId"),
        ("dpopKey", json!([]), "has no dpopKey"),
        ("dpopKey", json!(&KEY[..100]), "is not the private key of a P-256 key pair"),
    ] {
        let mut session = session("2026-01-01T00:00:00Z");
        session[name] = value;
        world.files.insert(CACHE.into(), session.to_string().into());
        let problem = needs_login(&fails(&mut world));
        assert!(problem.contains(expected), "{problem}");
    }
    assert!(sent.borrow().is_empty());
}

#[test]
fn a_profile_is_quoted_in_the_command_to_run() {
    let config = CONFIG.replace("profile dev", "profile \"my $(profile)\"");
    let mut world = World::new(&[("AWS_PROFILE", "my $(profile)")]).config(&config);
    let error = world.resolve().unwrap_err();
    let SourceError::LoginNeeded { command, .. } = error.error() else { panic!("{error}") };
    assert_eq!(command, "aws login --profile 'my $(profile)'");
}
