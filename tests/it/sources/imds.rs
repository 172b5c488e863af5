//! Credentials of instances.

use std::time::Duration;

use countersign::sources::{
    AskError, AskErrorKind, Outcome, ResolveError, Resolved, Resolver, SourceError, SourceKind,
};

use super::faults::{Answer, answers, assert_no_secret, header};
use super::world::{World, response};

const CREDENTIALS: &str = r#"{"Code":"Success","LastUpdated":"2025-12-31T23:00:00Z","Type":"AWS-HMAC","AccessKeyId":"ASIAROLE","SecretAccessKey":"SECRET-OF-ROLE","Token":"TOKEN-OF-ROLE","Expiration":"2026-01-01T06:00:00Z"}"#;

const PUT: &str = "PUT http://169.254.169.254/latest/api/token";
const ROLES: &str = "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/";
const ROLE: &str = "GET http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role";
const REGION: &str = "GET http://169.254.169.254/latest/meta-data/placement/region";

fn requests(world: &World) -> Vec<&str> {
    let is_network = |line: &&str| line.starts_with("PUT") || line.starts_with("GET");
    world.log.iter().map(String::as_str).filter(is_network).collect()
}

/// What an instance answers, by the last part of the path.
fn instance(path: &str) -> Answer {
    Ok(match path {
        "/latest/api/token" => response(200, "TOKEN-OF-SESSION"),
        "/latest/meta-data/iam/security-credentials/" => response(200, "my-role"),
        "/latest/meta-data/iam/security-credentials/my-role" => response(200, CREDENTIALS),
        "/latest/meta-data/placement/region" => response(200, "eu-north-1"),
        _ => response(404, ""),
    })
}

/// An instance that answers one request, counted from 0, in this way.
fn instance_but(variables: &[(&str, &str)], index: usize, answer: Answer) -> World {
    let mut count = 0;
    World::new(variables).network(move |ask| {
        count += 1;
        if count == index + 1 { answer.clone() } else { instance(ask.request.uri().path()) }
    })
}

fn error(kind: AskErrorKind) -> Answer {
    Err(AskError::new(kind, "it did not work"))
}

fn reason(result: &Result<Resolved, ResolveError>) -> String {
    let error = result.as_ref().unwrap_err();
    assert!(matches!(error.error(), SourceError::NotConfigured { .. }), "{error}");
    assert_eq!(error.kind(), None);
    match error.report().entries().last() {
        Some((SourceKind::InstanceMetadata, Outcome::Skipped(reason))) => reason.clone(),
        entry => panic!("{entry:?}"),
    }
}

#[test]
fn a_role_and_its_region_are_asked_for_with_a_session_token() {
    let mut world = World::new(&[]).network(|ask| {
        assert!(!ask.allow_proxy);
        assert_eq!(ask.timeout, Duration::from_secs(1));
        if ask.request.method() == "PUT" {
            assert_eq!(header(ask, "x-aws-ec2-metadata-token-ttl-seconds"), Some("21600"));
        } else {
            assert_eq!(header(ask, "x-aws-ec2-metadata-token"), Some("TOKEN-OF-SESSION"));
            assert!(ask.request.headers()["x-aws-ec2-metadata-token"].is_sensitive());
        }
        instance(ask.request.uri().path())
    });
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.source, SourceKind::InstanceMetadata);
    assert_eq!(resolved.credentials.access_key_id(), "ASIAROLE");
    assert_eq!(resolved.credentials.session_token(), Some("TOKEN-OF-ROLE"));
    assert_eq!(resolved.credentials.expires_at().unwrap().as_str(), "20260101T060000Z");
    assert_eq!(resolved.region.as_deref(), Some("eu-north-1"));
    assert_eq!(requests(&world), [PUT, ROLES, ROLE, REGION]);
}

#[test]
fn the_region_is_not_asked_for_if_one_is_configured() {
    for variable in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        let mut world = World::new(&[(variable, "sa-east-1")]).network(|ask| instance(ask.request.uri().path()));
        assert_eq!(world.resolve().unwrap().region.as_deref(), Some("sa-east-1"));
        assert_eq!(requests(&world), [PUT, ROLES, ROLE]);
    }
}

#[test]
fn credentials_are_found_even_if_the_region_is_not() {
    for answer in [
        Ok(response(404, "")),
        Ok(response(200, "evil.example/")),
        Ok(response(200, "")),
        error(AskErrorKind::TimedOut),
    ] {
        let mut world = instance_but(&[], 3, answer);
        let resolved = world.resolve().unwrap();
        assert_eq!(resolved.region, None);
        let text = resolved.report.to_string();
        assert!(text.contains("instance metadata: warning, the region of the instance is not known: "), "{text}");
    }
}

#[test]
fn a_session_token_that_is_refused_is_renewed_once() {
    let mut world = instance_but(&[("AWS_REGION", "a")], 1, Ok(response(401, "")));
    world.resolve().unwrap();
    assert_eq!(requests(&world), [PUT, ROLES, PUT, ROLES, ROLE]);
    let mut world = instance_but(&[("AWS_REGION", "a")], 2, Ok(response(401, "")));
    world.resolve().unwrap();
    assert_eq!(requests(&world), [PUT, ROLES, ROLE, PUT, ROLE]);
    let mut world = World::new(&[]).network(|ask| match ask.request.method().as_str() {
        "PUT" => instance("/latest/api/token"),
        _ => Ok(response(401, "")),
    });
    let error = world.resolve().unwrap_err();
    assert!(matches!(error.error(), SourceError::Refused { status: 401, .. }), "{error}");
    assert_eq!(requests(&world), [PUT, ROLES, PUT, ROLES]);
}

#[test]
fn nothing_there_is_not_an_error_and_version_1_is_never_asked() {
    let mut world = World::new(&[]);
    let result = world.resolve();
    assert_eq!(reason(&result), "nothing answers at http://169.254.169.254: connection refused");
    assert_eq!(requests(&world), [PUT]);
}

#[test]
fn an_instance_without_a_role_is_not_an_error() {
    for answer in [response(404, "Not Found"), response(200, ""), response(200, " \n")] {
        let mut world = instance_but(&[], 1, Ok(answer));
        assert_eq!(reason(&world.resolve()), "the instance has no role; attach an instance profile to it");
        assert_eq!(requests(&world), [PUT, ROLES]);
    }
}

#[test]
fn it_can_be_disabled() {
    for value in ["true", "TRUE", " true "] {
        let mut world = World::new(&[
            ("AWS_EC2_METADATA_DISABLED", value),
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "not a uri"),
            ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "0"),
        ]);
        assert!(reason(&world.resolve()).contains("AWS_EC2_METADATA_DISABLED"));
        assert!(requests(&world).is_empty());
    }
    for value in ["false", "False", " "] {
        let mut world = World::new(&[("AWS_EC2_METADATA_DISABLED", value)]);
        world.resolve().unwrap_err();
        assert_eq!(requests(&world), [PUT]);
    }
    let mut world = World::new(&[("AWS_EC2_METADATA_DISABLED", "1")]);
    assert_eq!(
        world.resolve().unwrap_err().to_string(),
        "instance metadata: AWS_EC2_METADATA_DISABLED is \"1\"; it has to be true or false"
    );
}

#[test]
fn a_timeout_hints_at_the_hop_limit() {
    let mut world = instance_but(&[], 0, error(AskErrorKind::TimedOut));
    let error = world.resolve().unwrap_err();
    assert!(matches!(error.error(), SourceError::NoResponse { .. }));
    assert!(error.to_string().contains("--http-put-response-hop-limit 2"), "{error}");
    assert_eq!(requests(&world), [PUT]);
}

#[test]
fn a_service_that_is_switched_off_or_is_not_version_2_says_so() {
    for (status, advice) in [(403, "--http-endpoint enabled"), (404, "version 2"), (405, "version 2")] {
        let mut world = instance_but(&[], 0, Ok(response(status, "<html>")));
        let error = world.resolve().unwrap_err();
        assert!(matches!(error.error(), SourceError::Refused { .. }));
        assert!(error.to_string().contains(advice), "{error}");
        assert_eq!(requests(&world), [PUT]);
    }
}

#[test]
fn a_code_other_than_success_is_an_error() {
    let body = r#"{"Code":"AssumeRoleUnauthorizedAccess","Message":"EC2 cannot assume the role my-role."}"#;
    let mut world = instance_but(&[], 2, Ok(response(200, body)));
    assert_eq!(
        world.resolve().unwrap_err().to_string(),
        "instance metadata: http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role answered 200: \
         AssumeRoleUnauthorizedAccess: EC2 cannot assume the role my-role."
    );
}

#[test]
fn expired_credentials_are_used_for_10_to_15_minutes_with_a_warning() {
    let mut ends = Vec::new();
    for (index, expiration) in
        ["2025-12-31T23:00:00Z", "2026-01-01T00:00:00Z", "2020-01-01T00:00:00Z"].iter().enumerate()
    {
        for id in ["ASIAA", "ASIAB", "ASIAC"] {
            let body = CREDENTIALS.replace("2026-01-01T06:00:00Z", expiration).replace("ASIAROLE", id);
            let mut world = instance_but(&[], 2, Ok(response(200, &body)));
            let resolved = world.resolve().unwrap();
            let seconds = resolved.credentials.expires_at().unwrap().unix_seconds() - world.now.unix_seconds();
            assert!((600..=900).contains(&seconds), "{seconds}");
            let text = resolved.report.to_string();
            assert!(text.contains(&format!("instance metadata: warning, {id} expired at {expiration}")), "{text}");
            if index == 0 {
                ends.push(seconds);
            }
        }
    }
    ends.dedup();
    assert!(ends.len() > 1, "{ends:?}");
    let mut world = instance_but(&[], 2, Ok(response(200, &CREDENTIALS.replace("T06:00:00Z", "T00:00:01Z"))));
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.credentials.expires_at().unwrap().as_str(), "20260101T000001Z");
    assert!(!resolved.report.to_string().contains("warning"));
}

#[test]
fn a_role_name_can_not_lead_to_another_path() {
    let names =
        ["a/b", "..", ".", "a?b", "a b", "a%2fb", "a#b", "http://evil.example", "\u{e9}", "a\0", &"a".repeat(129)];
    for name in names {
        let mut world = instance_but(&[], 1, Ok(response(200, name)));
        let error = world.resolve().unwrap_err();
        assert!(matches!(error.error(), SourceError::Unusable { .. }), "{name}: {error}");
        assert_eq!(requests(&world), [PUT, ROLES], "{name}");
    }
    let mut world = instance_but(&[], 1, Ok(response(200, "a+b=c,d.e@f-g_h\nsecond\n")));
    world.resolve().unwrap_err();
    assert_eq!(requests(&world).last(), Some(&format!("{ROLES}a+b=c,d.e@f-g_h").as_str()));
}

#[test]
fn the_endpoint_is_found_by_precedence() {
    let url = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://override:456/");
    let mode = ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "ipV6");
    let with = |variables: &[(&str, &str)], change: fn(Resolver) -> Resolver| {
        let mut world = World::new(variables);
        let resolver = change(Resolver::new(world.environment()));
        world.resolve_with(&resolver).unwrap_err();
        requests(&world).concat()
    };
    let same = |resolver| resolver;
    assert_eq!(with(&[mode], same), "PUT http://[fd00:ec2::254]/latest/api/token");
    assert_eq!(with(&[(mode.0, "IPv4")], same), PUT);
    assert_eq!(with(&[url, mode], same), "PUT http://override:456/latest/api/token");
    assert_eq!(with(&[mode], |resolver| resolver.with_imds_ipv6(false)), PUT);
    assert_eq!(with(&[], |resolver| resolver.with_imds_ipv6(true)), "PUT http://[fd00:ec2::254]/latest/api/token");
    assert_eq!(with(&[url], |resolver| resolver.with_imds_ipv6(true)), "PUT http://override:456/latest/api/token");
    assert_eq!(
        with(&[url, mode], |resolver| resolver.with_imds_endpoint("https://given/base")),
        "PUT https://given/base/latest/api/token"
    );
}

#[test]
fn malformed_settings_are_errors_that_name_them() {
    for (name, values) in [
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", ["error", "IPv5", "4", "IPv4,IPv6", "ipv", "6"]),
        (
            "AWS_EC2_METADATA_SERVICE_ENDPOINT",
            ["not a uri", "host", "/p", "ftp://h", "http://u:SECRET-OF-USER@h", "http://h?q"],
        ),
        ("AWS_METADATA_SERVICE_TIMEOUT", ["0", "-1", "1e3", "inf", "601", "1.2.3"]),
        ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", ["0", "-1", "+1", "1.5", "101", "99999999999"]),
    ] {
        for value in values {
            let mut world = World::new(&[(name, value)]);
            let result = world.resolve();
            assert_no_secret(&result);
            let error = result.unwrap_err();
            assert!(matches!(error.error(), SourceError::Setting { place, .. } if place == name), "{value}: {error}");
            assert!(requests(&world).is_empty());
        }
    }
    let mut world = World::new(&[]);
    let resolver = Resolver::new(world.environment()).with_imds_endpoint("nowhere");
    assert!(matches!(world.resolve_with(&resolver).unwrap_err().error(), SourceError::Setting { .. }));
}

#[test]
fn timeout_and_attempts_are_configurable() {
    let variables = [("AWS_METADATA_SERVICE_TIMEOUT", "2.5"), ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "3")];
    let mut world = World::new(&variables).network(|ask| {
        assert_eq!(ask.timeout, Duration::from_millis(2500));
        error(AskErrorKind::NotConnected)
    });
    reason(&world.resolve());
    assert_eq!(requests(&world), [PUT; 3]);
    for index in 0..3 {
        let mut world = instance_but(&variables, index, Ok(response(503, "")));
        let timeout = |_: &_| error(AskErrorKind::TimedOut);
        world.resolve().unwrap();
        assert_eq!(requests(&world).len(), 5);
        let mut world = World::new(&variables).network(timeout);
        world.resolve().unwrap_err();
        assert_eq!(requests(&world).len(), 3);
    }
}

#[test]
fn a_service_that_is_busy_is_asked_three_times_and_one_that_is_absent_once() {
    for status in [408, 429, 500, 502, 503] {
        for index in 0..3 {
            let mut world = instance_but(&[("AWS_REGION", "a")], index, Ok(response(status, "")));
            assert_eq!(world.resolve().unwrap().source, SourceKind::InstanceMetadata);
            assert_eq!(requests(&world).len(), 4);
        }
        for (attempts, expected) in [("", 3), ("1", 1), ("2", 2), ("5", 5)] {
            let variables = [("AWS_METADATA_SERVICE_NUM_ATTEMPTS", attempts)];
            let mut world = World::new(&variables).network(move |_| Ok(response(status, "")));
            let error = world.resolve().unwrap_err();
            assert!(matches!(error.error(), SourceError::Refused { .. }), "{error}");
            assert_eq!(requests(&world), vec![PUT; expected]);
        }
    }
    for kind in [AskErrorKind::NotConnected, AskErrorKind::TimedOut, AskErrorKind::Other] {
        let mut world = World::new(&[]).network(move |_| error(kind));
        world.resolve().unwrap_err();
        assert_eq!(requests(&world), [PUT]);
    }
}

#[test]
fn credentials_that_were_cut_short_or_lack_a_member_are_an_error() {
    for length in 0..CREDENTIALS.len() {
        let mut world = instance_but(&[], 2, Ok(response(200, &CREDENTIALS[..length])));
        let result = world.resolve();
        assert_no_secret(&result);
        assert!(matches!(result.unwrap_err().error(), SourceError::Unusable { .. }), "{length}");
        assert_eq!(requests(&world), [PUT, ROLES, ROLE]);
    }
    for member in ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"] {
        let body = CREDENTIALS.replace(&format!("\"{member}\""), "\"other\"");
        let error = instance_but(&[], 2, Ok(response(200, &body))).resolve().unwrap_err();
        assert!(error.to_string().ends_with(&format!("{member} is missing")), "{error}");
    }
}

#[test]
fn whatever_is_answered_to_any_request_ends_in_a_typed_error_without_secrets() {
    for index in 0..3 {
        for (name, answer) in answers("TOKEN-OF-SESSION") {
            let mut world = instance_but(&[], index, answer);
            let result = world.resolve();
            assert_no_secret(&result);
            assert!(requests(&world).len() <= 6, "{name}");
            let Err(error) = result else {
                // One new session token is asked for after 401, a service that is busy is asked again, and any word may be
                // a session token.
                let is_busy = ["429", "500", "503"].contains(&name);
                assert!(is_busy || name == "401" && index > 0 || name == "null" && index == 0, "{index} {name}");
                continue;
            };
            match error.error() {
                SourceError::NotConfigured { .. } => {
                    let expected = [(0, "no connection"), (1, "404"), (1, "empty")];
                    assert!(expected.contains(&(index, name)), "{index} {name}");
                }
                SourceError::NoResponse { .. } | SourceError::Refused { .. } | SourceError::Unusable { .. } => {
                    assert_eq!(error.kind(), Some(SourceKind::InstanceMetadata));
                }
                error => panic!("{index} {name}: {error}"),
            }
        }
    }
}
