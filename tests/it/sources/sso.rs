//! IAM Identity Center.

use std::cell::RefCell;
use std::rc::Rc;

use countersign::sources::{AskError, AskErrorKind, ResolveError, Resolved, Resolver, SourceError, SourceKind};
use serde_json::{Value, json};

use super::faults;
use super::world::{World, response};

const CONFIG: &str = "[default]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = Dev Ops+1
[profile old]
sso_start_url = https://corp.awsapps.com/start
sso_region = cn-north-1
sso_account_id = 123456789012
sso_role_name = Admin
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
";
/// SHA-1 of `corp`, and of the start URL.
const CACHE: &str = "/home/u/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
const LEGACY: &str = "/home/u/.aws/sso/cache/a51746d4aa793ae07b25e90c3a5db96fc7832bd7.json";
const PORTAL: &str = "GET https://portal.sso.eu-west-1.amazonaws.com/federation/credentials?account_id=123456789012&role_name=Dev%20Ops%2B1";
const OIDC: &str = "POST https://oidc.eu-west-1.amazonaws.com/token";
const SECRETS: [&str; 6] = ["aToken", "aRefresh", "clientSecret1", "newToken", "newRefresh", "roleSecret"];

/// The clock of the world says 00:00:00.
fn token(expires_at: &str) -> Value {
    json!({
        "startUrl": "https://corp.awsapps.com/start", "region": "eu-west-1", "accessToken": "aTokenOfTheUser",
        "expiresAt": expires_at, "clientId": "client", "clientSecret": "clientSecret1",
        "registrationExpiresAt": "2026-02-01T00:00:00Z", "refreshToken": "aRefreshToken",
        "unknown": {"list": [1, -2, 1.5, true, null]},
    })
}

fn role() -> String {
    json!({"roleCredentials": {
        "accessKeyId": "ASIAROLE", "secretAccessKey": "roleSecret", "sessionToken": "roleToken",
        "expiration": 1_767_229_200_000_u64,
    }})
    .to_string()
}

fn refreshed() -> String {
    json!({"accessToken": "newToken", "expiresIn": 28800, "refreshToken": "newRefresh", "tokenType": "Bearer"})
        .to_string()
}

/// What was sent: method, bearer token, body.
type Sent = Rc<RefCell<Vec<(String, String, String)>>>;

/// Answers with `oidc` to a refresh and with `portal` otherwise.
fn world(token: &str, oidc: (u16, String), portal: (u16, String)) -> (World, Sent) {
    let sent = Sent::default();
    let log = sent.clone();
    let world = World::new(&[]).config(CONFIG).file(CACHE, token).network(move |ask| {
        let request = &ask.request;
        let bearer = request.headers().get("x-amz-sso_bearer_token").map_or("", |value| value.to_str().unwrap());
        let body = String::from_utf8(request.body().clone()).unwrap();
        log.borrow_mut().push((request.method().to_string(), bearer.to_owned(), body));
        let (status, body) = if request.method() == "POST" { &oidc } else { &portal };
        Ok(response(*status, body))
    });
    (world, sent)
}

fn file(world: &World) -> Value {
    serde_json::from_slice(&world.files[CACHE]).unwrap()
}

#[track_caller]
fn needs_login(error: &ResolveError) -> String {
    match error.error() {
        SourceError::LoginNeeded { problem, command } => {
            assert_eq!(command, "aws sso login --profile default");
            problem.clone()
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn fails(world: &mut World) -> ResolveError {
    faults::fails(world, SourceKind::Sso, &SECRETS)
}

#[track_caller]
fn shows_no_secret(result: &Result<Resolved, ResolveError>) {
    faults::assert_shows_none_of(&SECRETS, result);
}

fn warnings(resolved: &Resolved) -> Vec<String> {
    faults::warnings(resolved, SourceKind::Sso)
}

#[test]
fn a_valid_token_is_exchanged_for_credentials_of_the_role() {
    for expires_at in ["2026-01-01T00:05:01Z", "2026-01-01T01:05:01.5+01:00", "2026-01-01T08:00:00UTC"] {
        let (mut world, sent) = world(&token(expires_at).to_string(), (500, String::new()), (200, role()));
        let resolved = world.resolve().unwrap();
        assert_eq!(resolved.source, SourceKind::Sso);
        assert_eq!(resolved.credentials.access_key_id(), "ASIAROLE");
        assert_eq!(resolved.credentials.session_token(), Some("roleToken"));
        assert_eq!(resolved.credentials.expires_at().unwrap().as_str(), "20260101T010000Z");
        assert_eq!(resolved.account_id.as_deref(), Some("123456789012"));
        assert_eq!(warnings(&resolved), [""; 0]);
        assert_eq!(world.log[2..], [format!("read {CACHE}"), PORTAL.to_owned()]);
        assert_eq!(*sent.borrow(), [("GET".into(), "aTokenOfTheUser".into(), String::new())]);
        shows_no_secret(&Ok(resolved));
    }
}

#[test]
fn the_legacy_form_is_named_after_its_start_url_and_never_refreshed() {
    let (mut world, _) = world("", (500, String::new()), (200, role()));
    world.variables.push(("AWS_PROFILE".into(), "old".into()));
    world.files.insert(LEGACY.into(), token("2026-01-01T00:00:01Z").to_string().into());
    let resolved = world.resolve().unwrap();
    let portal = "GET https://portal.sso.cn-north-1.amazonaws.com.cn/federation/credentials?account_id=123456789012&role_name=Admin";
    assert_eq!(world.log[2..], [format!("read {LEGACY}"), portal.to_owned()]);
    let [warning] = &warnings(&resolved)[..] else { panic!() };
    assert!(warning.contains("expires at 2026-01-01T00:00:01Z") && warning.contains("sso-session"), "{warning}");

    world.files.insert(LEGACY.into(), token("2026-01-01T00:00:00Z").to_string().into());
    let error = fails(&mut world);
    assert_eq!(
        error.to_string(),
        "IAM Identity Center: the SSO token of https://corp.awsapps.com/start expired at 2026-01-01T00:00:00Z and can't be \
         refreshed: only the token of an [sso-session] can be; run `aws sso login --profile old`"
    );
}

#[test]
fn a_token_that_ends_soon_is_refreshed_and_written_back() {
    for expires_at in ["2026-01-01T00:05:00Z", "2025-12-31T00:00:00Z"] {
        let (mut world, sent) = world(&token(expires_at).to_string(), (200, refreshed()), (200, role()));
        let resolved = world.resolve().unwrap();
        assert_eq!(warnings(&resolved), [""; 0]);
        assert_eq!(
            world.log[2..],
            [format!("read {CACHE}"), OIDC.to_owned(), format!("write {CACHE}"), PORTAL.to_owned()]
        );
        let sent = sent.borrow();
        let body: Value = serde_json::from_str(&sent[0].2).unwrap();
        let expected = json!({
            "grantType": "refresh_token", "clientId": "client", "clientSecret": "clientSecret1",
            "refreshToken": "aRefreshToken",
        });
        assert_eq!(body, expected);
        assert_eq!(sent[1].1, "newToken");
        let mut expected = token("2026-01-01T08:00:00Z");
        expected["accessToken"] = "newToken".into();
        expected["refreshToken"] = "newRefresh".into();
        assert_eq!(file(&world), expected);
        shows_no_secret(&Ok(resolved));
    }
}

#[test]
fn a_refresh_token_that_is_not_replaced_is_kept() {
    let answer = json!({"accessToken": "newToken", "expiresIn": 60}).to_string();
    let (mut world, _) = world(&token("2026-01-01T00:00:00Z").to_string(), (200, answer), (200, role()));
    world.resolve().unwrap();
    assert_eq!(file(&world)["refreshToken"], "aRefreshToken");
    assert_eq!(file(&world)["expiresAt"], "2026-01-01T00:01:00Z");
}

#[test]
fn a_file_that_cannot_be_written_is_a_warning_and_the_resolver_keeps_the_token() {
    let (mut world, sent) = world(&token("2026-01-01T00:00:00Z").to_string(), (200, refreshed()), (200, role()));
    world.read_only = true;
    let before = world.files.clone();
    let resolver = Resolver::new(world.environment());
    let resolved = world.resolve_with(&resolver).unwrap();
    let [warning] = &warnings(&resolved)[..] else { panic!() };
    assert!(warning.contains(CACHE) && warning.contains("read-only file system"), "{warning}");
    shows_no_secret(&Ok(resolved));
    assert_eq!(world.files, before);

    // The refresh token was used up, so that the new one has to be.
    let resolved = world.resolve_with(&resolver.clone()).unwrap();
    assert_eq!(warnings(&resolved), [""; 0]);
    let methods: Vec<String> = sent.borrow().iter().map(|(method, bearer, _)| format!("{method} {bearer}")).collect();
    assert_eq!(methods, ["POST ", "GET newToken", "GET newToken"]);

    // A new login is more recent than what the resolver keeps.
    world.files.insert(CACHE.into(), token("2026-01-01T09:00:00Z").to_string().into());
    world.resolve_with(&resolver).unwrap();
    assert_eq!(sent.borrow().last().unwrap().1, "aTokenOfTheUser");
}

#[test]
fn a_failed_refresh_does_not_cost_a_valid_token() {
    let refused =
        json!({"error": "invalid_grant", "error_description": "Invalid refresh token aRefreshToken"}).to_string();
    for (status, body) in [(400, refused.as_str()), (500, ""), (302, ""), (200, "{"), (200, "{}"), (429, "x")] {
        let (mut world, _) = world(&token("2026-01-01T00:00:01Z").to_string(), (status, body.into()), (200, role()));
        let before = world.files.clone();
        let result = world.resolve();
        shows_no_secret(&result);
        let [warning] = &warnings(&result.unwrap())[..] else { panic!() };
        assert!(warning.contains("expires at 2026-01-01T00:00:01Z and was not refreshed"), "{warning}");
        assert_eq!(world.files, before);
    }
}

#[test]
fn an_expired_token_that_cannot_be_refreshed_needs_a_login() {
    let expired = token("2025-12-31T23:59:59Z");
    for (name, value, reason) in [
        ("refreshToken", Value::Null, "has no refreshToken"),
        ("clientId", Value::Null, "has no clientId"),
        ("clientSecret", json!(""), "has no clientSecret"),
        ("registrationExpiresAt", Value::Null, "has no registrationExpiresAt"),
        ("registrationExpiresAt", json!("soon"), "has no valid registrationExpiresAt"),
        (
            "registrationExpiresAt",
            json!("2026-01-01T00:00:00Z"),
            "registration of the client ended at 2026-01-01T00:00:00Z",
        ),
    ] {
        let mut token = expired.clone();
        token[name] = value;
        let (mut world, sent) = world(&token.to_string(), (200, refreshed()), (200, role()));
        let problem = needs_login(&fails(&mut world));
        assert!(problem.starts_with("the token of SSO session corp expired at 2025-12-31T23:59:59Z"), "{problem}");
        assert!(problem.contains(reason), "{problem}");
        assert!(sent.borrow().is_empty());
    }
    let refused = json!({"error": "invalid_grant", "error_description": "Invalid aRefreshToken or clientSecret1"});
    let (mut world, _) = world(&expired.to_string(), (400, refused.to_string()), (200, role()));
    let problem = needs_login(&fails(&mut world));
    assert!(problem.contains("answered 400: invalid_grant: Invalid [redacted] or [redacted]"), "{problem}");
}

#[test]
fn an_expired_token_is_not_called_logged_out_when_the_service_is_down() {
    let expired = token("2025-12-31T23:59:59Z").to_string();
    for status in [500, 503, 429, 302] {
        let (mut world, _) = world(&expired, (status, String::new()), (200, role()));
        let error = fails(&mut world);
        assert!(matches!(error.error(), SourceError::Refused { status: found, .. } if *found == status), "{error}");
    }
    for kind in [AskErrorKind::TimedOut, AskErrorKind::NotConnected, AskErrorKind::TooLarge] {
        let mut world = World::new(&[]).config(CONFIG).file(CACHE, &expired);
        world.network = Box::new(move |_| Err(AskError::new(kind, "no luck")));
        let error = fails(&mut world);
        assert!(matches!(error.error(), SourceError::NoResponse { .. }), "{error}");
        assert_eq!(world.log.last().unwrap(), OIDC);
    }
}

#[test]
fn a_refresh_is_tried_at_most_once_in_30_seconds() {
    let (mut world, sent) = world(&token("2026-01-01T00:01:00Z").to_string(), (503, String::new()), (200, role()));
    let resolver = Resolver::new(world.environment());
    let posts = |sent: &Sent| sent.borrow().iter().filter(|(method, _, _)| method == "POST").count();
    for (seconds, expected) in [(0, 1), (1, 1), (29, 1), (30, 2), (59, 2)] {
        world.now = "20260101T000000Z".parse::<countersign::Timestamp>().unwrap().saturating_add(seconds);
        world.resolve_with(&resolver).unwrap();
        assert_eq!(posts(&sent), expected, "{seconds}");
    }
    // Expired by now: the reason is that of the last attempt.
    world.now = "20260101T000100Z".parse::<countersign::Timestamp>().unwrap().saturating_add(-1);
    world.resolve_with(&resolver).unwrap();
    world.files.insert(CACHE.into(), token("2025-12-31T00:00:00Z").to_string().into());
    for _ in 0..3 {
        let error = world.resolve_with(&resolver).unwrap_err();
        assert!(matches!(error.error(), SourceError::Refused { status: 503, .. }), "{error}");
    }
    assert_eq!(posts(&sent), 3);
}

#[test]
fn a_token_that_another_program_refreshed_at_the_same_time_is_used() {
    let refused = json!({"error": "invalid_grant"}).to_string();
    let (mut world, sent) = world(&token("2025-12-31T00:00:00Z").to_string(), (400, refused), (200, role()));
    let mut other = token("2026-01-01T08:00:00Z");
    other["accessToken"] = "tokenOfAnother".into();
    world.written_meanwhile = Some((CACHE.into(), other.to_string()));
    let resolved = world.resolve().unwrap();
    assert_eq!(warnings(&resolved), [""; 0]);
    assert_eq!(sent.borrow().last().unwrap().1, "tokenOfAnother");
    assert_eq!(file(&world), other);
}

#[test]
fn a_file_that_is_missing_or_damaged_needs_a_login() {
    let (mut world, _) = world("", (200, refreshed()), (200, role()));
    world.files.remove(CACHE);
    let problem = needs_login(&fails(&mut world));
    assert_eq!(problem, format!("the token of SSO session corp is missing: {CACHE} does not exist"));

    let whole = token("2026-01-01T08:00:00Z").to_string();
    for length in 0..whole.len() {
        world.files.insert(CACHE.into(), whole[..length].into());
        let problem = needs_login(&fails(&mut world));
        assert!(problem.contains(CACHE), "{problem}");
    }
    for text in
        ["[]", "null", "\"aTokenOfTheUser\"", "{}", "\u{0}", r#"{"accessToken":"aTokenOfTheUser","expiresAt":1}"#]
    {
        world.files.insert(CACHE.into(), text.into());
        needs_login(&fails(&mut world));
    }
    for (name, value) in [
        ("accessToken", Value::Null),
        ("accessToken", json!("")),
        ("accessToken", json!(7)),
        ("accessToken", json!({})),
        ("expiresAt", Value::Null),
        ("expiresAt", json!("never")),
        ("expiresAt", json!(["2026-01-01T08:00:00Z"])),
    ] {
        let mut token = token("2026-01-01T08:00:00Z");
        token[name] = value;
        world.files.insert(CACHE.into(), token.to_string().into());
        let problem = needs_login(&fails(&mut world));
        assert!(problem.ends_with(&format!("{CACHE} has no valid {name}")), "{problem}");
    }
    world.files.insert(CACHE.into(), vec![b' '; (1 << 20) + 1]);
    assert!(matches!(fails(&mut world).error(), SourceError::Unreadable { .. }));
    let mut token = token("2026-01-01T08:00:00Z");
    token["accessToken"] = "aToken\n".into();
    world.files.insert(CACHE.into(), token.to_string().into());
    assert!(matches!(fails(&mut world).error(), SourceError::File { .. }));
}

#[test]
fn a_token_that_the_portal_refuses_needs_a_login() {
    let body = json!({"message": "Session token aTokenOfTheUser not found or invalid", "__type": "com.amazonaws#UnauthorizedException"});
    let (mut world, _) =
        world(&token("2026-01-01T08:00:00Z").to_string(), (500, String::new()), (401, body.to_string()));
    let problem = needs_login(&fails(&mut world));
    assert_eq!(
        problem,
        "the token of SSO session corp would expire at 2026-01-01T08:00:00Z, but is no longer accepted: \
         https://portal.sso.eu-west-1.amazonaws.com/federation/credentials answered 401: UnauthorizedException: Session \
         token [redacted] not found or invalid"
    );
}

#[test]
fn a_role_that_is_not_assigned_is_named_with_its_account() {
    for (status, code) in [(403, "ForbiddenException"), (404, "ResourceNotFoundException")] {
        let body = json!({"message": "No access", "__type": code}).to_string();
        let (mut world, sent) = world(&token("2026-01-01T08:00:00Z").to_string(), (500, String::new()), (status, body));
        let error = fails(&mut world);
        let SourceError::Refused { status: found, code: found_code, message: Some(message), .. } = error.error() else {
            panic!("{error}")
        };
        assert_eq!((*found, found_code.as_deref()), (status, Some(code)));
        for part in ["role Dev Ops+1 in account 123456789012", "(No access)", "profile default"] {
            assert!(message.contains(part), "{message}");
        }
        assert_eq!(sent.borrow().len(), 1);
    }
}

#[test]
fn a_portal_that_is_busy_is_asked_three_times() {
    for (status, requests) in [(429, 3), (500, 3), (503, 3), (302, 1), (400, 1), (204, 1)] {
        let (mut world, sent) =
            world(&token("2026-01-01T08:00:00Z").to_string(), (500, String::new()), (status, "aTokenOfTheUser".into()));
        let error = fails(&mut world);
        assert!(matches!(error.error(), SourceError::Refused { status: found, .. } if *found == status), "{error}");
        assert_eq!(sent.borrow().len(), requests, "{status}");
    }
    for kind in [AskErrorKind::TimedOut, AskErrorKind::NotConnected, AskErrorKind::Other] {
        let token = token("2026-01-01T08:00:00Z").to_string();
        let mut world = World::new(&[]).config(CONFIG).file(CACHE, &token);
        world.network = Box::new(move |_| Err(AskError::new(kind, "no luck")));
        assert!(matches!(fails(&mut world).error(), SourceError::NoResponse { .. }));
        let requests = world.log.iter().filter(|line| line.starts_with("GET ")).count();
        assert_eq!(requests, 3, "{:?}", world.log);
    }
}

#[test]
fn an_answer_of_the_portal_that_is_cut_or_of_another_form_is_an_error() {
    let token = token("2026-01-01T08:00:00Z").to_string();
    let whole = role();
    let mut bodies: Vec<String> = (0..whole.len()).map(|length| whole[..length].into()).collect();
    bodies.extend([r#"{"roleCredentials":[]}"#, r#"{"roleCredentials":null}"#, "[]", "roleSecret"].map(String::from));
    for (name, value) in [
        ("accessKeyId", json!("")),
        ("secretAccessKey", json!(1)),
        ("sessionToken", Value::Null),
        ("expiration", Value::Null),
        ("expiration", json!("1767229200000")),
        ("expiration", json!(1.5)),
        ("expiration", json!(-1)),
        ("expiration", json!(u64::MAX)),
    ] {
        let mut role: Value = serde_json::from_str(&whole).unwrap();
        role["roleCredentials"][name] = value;
        bodies.push(role.to_string());
    }
    bodies.push(" ".repeat((256 << 10) + 1));
    for body in bodies {
        let (mut world, _) = world(&token, (500, String::new()), (200, body.clone()));
        let error = fails(&mut world);
        let expected = matches!(error.error(), SourceError::Unusable { .. } | SourceError::NoResponse { .. });
        assert!(expected, "{body}: {error}");
    }
    let (mut world, _) = world(&token, (500, String::new()), (200, whole.replace("1767229200000", "1767225600999")));
    assert!(matches!(fails(&mut world).error(), SourceError::Expired { .. }));
}

#[test]
fn a_refresh_that_is_cut_changes_nothing() {
    let whole = refreshed();
    for length in 0..whole.len() {
        let token = token("2026-01-01T00:00:00Z").to_string();
        let (mut world, _) = world(&token, (200, whole[..length].into()), (200, role()));
        assert!(matches!(fails(&mut world).error(), SourceError::Unusable { .. }));
        assert_eq!(world.files[CACHE], token.as_bytes());
    }
}

#[test]
fn a_region_cannot_lead_a_token_to_another_host() {
    let token = token("2026-01-01T08:00:00Z").to_string();
    let (mut world, sent) = world(&token, (500, String::new()), (200, role()));
    world = world.config(&CONFIG.replace("eu-west-1", "evil.example/"));
    let error = fails(&mut world);
    assert!(error.to_string().contains("sso_region of profile default"), "{error}");
    assert!(sent.borrow().is_empty());
}
