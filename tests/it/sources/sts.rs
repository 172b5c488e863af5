//! Roles that STS gives, as far as the environment can ask for them. `sts_profiles` has those of profiles.

use countersign::sources::{AskError, AskErrorKind, Outcome, Resolver, SourceError, SourceKind};

use super::faults::{SECRETS, answers, assert_no_secret, body, header};
use super::world::{World, response};

const ROLE: &str = "arn:aws:iam::123456789012:role/web role+";
const VARIABLES: [(&str, &str); 3] =
    [("AWS_WEB_IDENTITY_TOKEN_FILE", "/token"), ("AWS_ROLE_ARN", ROLE), ("AWS_REGION", "eu-west-1")];
const TOKEN: &str = SECRETS[0];

const ANSWER: &str = "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">
<AssumeRoleWithWebIdentityResult><SubjectFromWebIdentityToken>me</SubjectFromWebIdentityToken>
<AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/web/me</Arn><AssumedRoleId>AROA:me</AssumedRoleId></AssumedRoleUser>
<Credentials><SessionToken>TOKEN-OF-WEB&#43;&amp;=</SessionToken><SecretAccessKey>SECRET-OF-WEB</SecretAccessKey>
<Expiration>2026-01-01T01:00:00Z</Expiration><AccessKeyId>ASIAWEB</AccessKeyId></Credentials>
</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>";

fn world(variables: &[(&str, &str)]) -> World {
    World::new(&[&VARIABLES, variables].concat()).file("/token", TOKEN).network(|_| Ok(response(200, ANSWER)))
}

fn requests(world: &World) -> Vec<&str> {
    world.log.iter().map(String::as_str).filter(|line| line.starts_with("POST")).collect()
}

/// The URL that is asked, or the error.
fn url(variables: &[(&str, &str)]) -> String {
    let mut world =
        World::new(&[&VARIABLES[..2], variables].concat()).file("/token", TOKEN).network(|_| Ok(response(200, ANSWER)));
    match world.resolve() {
        Ok(_) => requests(&world).concat().replace("POST ", ""),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_web_identity_is_exchanged_without_a_signature() {
    let mut world = world(&[("AWS_ROLE_SESSION_NAME", "me@home")]).network(|ask| {
        assert_eq!(
            body(ask),
            "Action=AssumeRoleWithWebIdentity&Version=2011-06-15\
             &RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fweb%20role%2B&RoleSessionName=me%40home\
             &WebIdentityToken=eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
        );
        assert_eq!(header(ask, "content-type"), Some("application/x-www-form-urlencoded; charset=utf-8"));
        assert_eq!(header(ask, "authorization"), None);
        assert!(ask.allow_proxy);
        assert!(!format!("{ask:?}").contains("eyJ"));
        Ok(response(200, ANSWER))
    });
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.source, SourceKind::WebIdentity);
    assert_eq!(resolved.credentials.access_key_id(), "ASIAWEB");
    assert_eq!(resolved.credentials.session_token(), Some("TOKEN-OF-WEB+&="));
    assert_eq!(resolved.credentials.expires_at().unwrap().as_str(), "20260101T010000Z");
    assert_eq!(resolved.account_id.as_deref(), Some("123456789012"));
    assert_eq!(resolved.region.as_deref(), Some("eu-west-1"));
    assert_eq!(requests(&world), ["POST https://sts.eu-west-1.amazonaws.com/"]);
}

#[test]
fn a_session_without_a_name_is_named_by_the_time() {
    let mut world = world(&[]).network(|ask| {
        assert!(body(ask).contains("&RoleSessionName=countersign-1767225600&"), "{}", body(ask));
        Ok(response(200, ANSWER))
    });
    world.resolve().unwrap();
}

#[test]
fn the_token_file_is_read_each_time_and_trimmed() {
    let mut world = world(&[]).network(|ask| {
        assert!(body(ask).ends_with(".c2lnbmF0dXJl"));
        Ok(response(200, ANSWER))
    });
    for text in [TOKEN.to_owned(), format!("{TOKEN}\n"), format!(" {TOKEN}\r\n\n")] {
        world.files.insert("/token".into(), text.into());
        world.resolve().unwrap();
    }
    assert_eq!(world.log.iter().filter(|line| *line == "read /token").count(), 3);
}

#[test]
fn a_token_file_that_is_unusable_is_an_error_of_its_own() {
    let cases: [(Option<Vec<u8>>, &str); 8] = [
        (None, "/token does not exist, and is named as the file of the web identity token"),
        (Some(b"".to_vec()), "/token is empty, and should hold a web identity token"),
        (Some(b" \r\n".to_vec()), "/token is empty, and should hold a web identity token"),
        (Some(b"eyJa\nb".to_vec()), "/token holds a line feed in the middle of the web identity token"),
        (Some(b"eyJa\rb".to_vec()), "/token holds a line feed in the middle of the web identity token"),
        (
            Some(b"eyJa b".to_vec()),
            "/token holds a space or a control character in the middle of the web identity token",
        ),
        (Some(vec![0xff]), "/token is not text, so it holds no web identity token"),
        (
            Some(vec![b'a'; 20_001]),
            "/token holds more than 20000 characters, the longest web identity token that STS accepts",
        ),
    ];
    for (contents, text) in cases {
        let mut world = world(&[]);
        world.files.remove("/token");
        world.files.extend(contents.map(|contents| ("/token".to_owned(), contents)));
        let result = world.resolve();
        assert_no_secret(&result);
        assert_eq!(result.unwrap_err().to_string(), format!("web identity: {text}"));
        assert!(requests(&world).is_empty());
    }
}

#[test]
fn the_host_follows_region_partition_fips_and_dual_stack() {
    let fips = ("AWS_USE_FIPS_ENDPOINT", "true");
    let dual = ("AWS_USE_DUALSTACK_ENDPOINT", "TRUE");
    let region = |name| ("AWS_REGION", name);
    for (variables, host) in [
        (vec![region("us-east-1")], "sts.us-east-1.amazonaws.com"),
        (vec![region("us-east-1"), fips], "sts-fips.us-east-1.amazonaws.com"),
        (vec![region("us-east-1"), dual], "sts.us-east-1.api.aws"),
        (vec![region("us-east-1"), dual, fips], "sts-fips.us-east-1.api.aws"),
        (vec![region("us-gov-west-1")], "sts.us-gov-west-1.amazonaws.com"),
        (vec![region("us-gov-west-1"), fips], "sts.us-gov-west-1.amazonaws.com"),
        (vec![region("cn-north-1")], "sts.cn-north-1.amazonaws.com.cn"),
        (vec![region("cn-north-1"), dual], "sts.cn-north-1.api.amazonwebservices.com.cn"),
        (vec![region("eusc-de-east-1")], "sts.eusc-de-east-1.amazonaws.eu"),
        (vec![region("us-iso-east-1")], "sts.us-iso-east-1.c2s.ic.gov"),
        (vec![region("aws-global")], "sts.us-east-1.amazonaws.com"),
        (vec![("AWS_DEFAULT_REGION", "eu-central-2")], "sts.eu-central-2.amazonaws.com"),
        (vec![("AWS_DEFAULT_REGION", "eu-central-2"), region("sa-east-1")], "sts.sa-east-1.amazonaws.com"),
        (vec![], "sts.us-east-1.amazonaws.com"),
        (vec![("AWS_ROLE_ARN", "arn:aws-cn:iam::1:role/a")], "sts.cn-northwest-1.amazonaws.com.cn"),
        (vec![("AWS_ROLE_ARN", "arn:aws-us-gov:iam::1:role/a")], "sts.us-gov-west-1.amazonaws.com"),
        (vec![("AWS_ROLE_ARN", "arn:moon:iam::1:role/a")], "sts.us-east-1.amazonaws.com"),
    ] {
        assert_eq!(url(&variables), format!("https://{host}/"), "{variables:?}");
    }
}

#[test]
fn a_region_that_is_not_configured_is_a_warning() {
    let mut world = world(&[]);
    world.variables.retain(|(name, _)| name != "AWS_REGION");
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.region, None);
    let warning = resolved.report.entries().find(|(_, outcome)| matches!(outcome, Outcome::Warning(_))).unwrap();
    assert_eq!(
        warning,
        (
            SourceKind::WebIdentity,
            &Outcome::Warning(
                "no region is configured, so STS in us-east-1 is asked; set AWS_REGION for another one".into()
            )
        )
    );
}

#[test]
fn the_region_of_the_program_comes_first() {
    let mut world = world(&[]);
    let resolver = Resolver::new(world.environment()).with_region("ap-south-1");
    assert_eq!(world.resolve_with(&resolver).unwrap().region.as_deref(), Some("ap-south-1"));
    assert_eq!(requests(&world), ["POST https://sts.ap-south-1.amazonaws.com/"]);
}

#[test]
fn configured_urls_are_used_by_precedence() {
    let own = ("AWS_ENDPOINT_URL_STS", "http://localhost:4566/");
    let all = ("AWS_ENDPOINT_URL", "https://proxy.example/aws");
    let ignore = ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true");
    let region = ("AWS_REGION", "eu-west-1");
    assert_eq!(url(&[own, all, region]), "http://localhost:4566/");
    assert_eq!(url(&[all, region]), "https://proxy.example/aws/");
    assert_eq!(url(&[own, all, ignore, region]), "https://sts.eu-west-1.amazonaws.com/");
    assert_eq!(url(&[own, (ignore.0, "false"), region]), "http://localhost:4566/");
    assert_eq!(url(&[("AWS_ENDPOINT_URL_STS", " "), all]), "https://proxy.example/aws/");
    for (name, kind) in [("AWS_USE_FIPS_ENDPOINT", "FIPS"), ("AWS_USE_DUALSTACK_ENDPOINT", "dual-stack")] {
        let text = url(&[own, (name, "true")]);
        assert!(text.contains("AWS_ENDPOINT_URL_STS") && text.contains(kind), "{text}");
    }
}

#[test]
fn malformed_settings_are_errors_that_name_them() {
    for (name, values) in [
        ("AWS_REGION", ["evil.example/", "a@b", "-a", "a_b", "us-east-1.evil", "\u{e9}"]),
        (
            "AWS_ENDPOINT_URL_STS",
            ["localhost:4566", "ftp://h", "https://u:SECRET-OF-USER@h", "https://h?q=1", "https://h#f", "https://h:0"],
        ),
        ("AWS_ENDPOINT_URL", ["h", "/", "https://", "https:///p", "https://a b", "://"]),
        ("AWS_USE_FIPS_ENDPOINT", ["yes", "1", "0", "on", "tru", "true;"]),
        ("AWS_USE_DUALSTACK_ENDPOINT", ["yes", "1", "0", "on", "tru", "true;"]),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", ["yes", "1", "0", "on", "tru", "true;"]),
    ] {
        for value in values {
            let mut world = world(&[(name, value)]);
            let result = world.resolve();
            assert_no_secret(&result);
            let error = result.unwrap_err();
            assert!(matches!(error.error(), SourceError::Setting { place, .. } if place == name), "{value}: {error}");
            assert!(requests(&world).is_empty());
        }
    }
}

fn refusal(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
    )
}

#[test]
fn code_and_message_of_a_refusal_are_shown_without_secrets() {
    let message =
        format!("Not authorized to perform sts:AssumeRoleWithWebIdentity: {TOKEN} {} {}", SECRETS[1], SECRETS[2]);
    let mut world = world(&[]).network(move |_| Ok(response(403, &refusal("AccessDenied", &message))));
    let result = world.resolve();
    assert_no_secret(&result);
    assert_eq!(
        result.unwrap_err().to_string(),
        "web identity: https://sts.eu-west-1.amazonaws.com/ answered 403: AccessDenied: Not authorized to perform \
         sts:AssumeRoleWithWebIdentity: [redacted] [redacted] [redacted]"
    );
}

#[test]
fn a_token_that_is_not_accepted_is_traced_to_its_file() {
    for code in ["ExpiredTokenException", "InvalidIdentityToken"] {
        let mut world = world(&[]).network(move |_| Ok(response(400, &refusal(code, "Token expired"))));
        let text = world.resolve().unwrap_err().to_string();
        assert!(
            text.contains(&format!("{code}: Token expired; check that the file of the web identity token")),
            "{text}"
        );
    }
}

#[test]
fn a_token_is_hidden_even_if_the_message_ends_within_it() {
    for padding in 200..300 {
        let message = format!("{}{}", "x ".repeat(padding / 2), SECRETS[2]);
        let mut world = world(&[]).network(move |_| Ok(response(400, &refusal("a", &message))));
        assert_no_secret(&world.resolve());
    }
}

#[test]
fn failures_that_may_pass_are_tried_three_times() {
    for (status, code, most) in [
        (500, "InternalFailure", 3),
        (503, "ServiceUnavailable", 3),
        (429, "", 3),
        (400, "Throttling", 3),
        (400, "ThrottlingException", 3),
        (400, "RequestLimitExceeded", 3),
        (400, "IDPCommunicationError", 3),
        (400, "InvalidIdentityToken", 1),
        (400, "ExpiredTokenException", 1),
        (403, "AccessDenied", 1),
        (200, "", 1),
    ] {
        let mut world = world(&[]).network(move |_| Ok(response(status, &refusal(code, "m"))));
        world.resolve().unwrap_err();
        assert_eq!(requests(&world).len(), most, "{code}");
    }
    for kind in [AskErrorKind::NotConnected, AskErrorKind::TimedOut] {
        let mut left = 2;
        let mut world = world(&[]).network(move |_| {
            left -= 1;
            if left >= 0 { Err(AskError::new(kind, "no")) } else { Ok(response(200, ANSWER)) }
        });
        world.resolve().unwrap();
        assert_eq!(requests(&world).len(), 3);
        assert_eq!(
            world.log.iter().filter(|line| line.starts_with("wait")).collect::<Vec<_>>(),
            ["wait 500ms", "wait 1s"]
        );
    }
}

#[test]
fn a_clock_that_is_wrong_is_named() {
    for (code, date, advice) in [
        ("RequestExpired", "Thu, 01 Jan 2026 00:20:00 GMT", "; the clock is 20 minutes behind the server's"),
        ("SignatureDoesNotMatch", "Wed, 31 Dec 2025 23:00:00 GMT", "; the clock is 60 minutes ahead of the server's"),
        ("SignatureDoesNotMatch", "Thu, 01 Jan 2026 00:04:00 GMT", ""),
        ("AccessDenied", "Thu, 01 Jan 2026 00:20:00 GMT", ""),
        ("RequestExpired", "yesterday", ""),
    ] {
        let mut world = world(&[]).network(move |_| {
            let mut response = response(400, &refusal(code, "m"));
            response.headers_mut().insert("date", date.parse().unwrap());
            Ok(response)
        });
        let text = world.resolve().unwrap_err().to_string();
        assert!(text.ends_with(&format!("answered 400: {code}: m{advice}")), "{text}");
    }
}

#[test]
fn redirects_are_refused() {
    for status in [301, 302, 303, 307, 308] {
        let mut world = world(&[]).network(move |_| {
            let mut response = response(status, "");
            response
                .headers_mut()
                .insert("location", "https://u:SECRET-OF-USER@evil.example/?SECRET-OF-QUERY".parse().unwrap());
            Ok(response)
        });
        let result = world.resolve();
        assert_no_secret(&result);
        let text = result.unwrap_err().to_string();
        assert!(text.contains(&format!("{status}: a redirect to evil.example, which is not followed")), "{text}");
        assert_eq!(requests(&world).len(), 1);
    }
}

#[test]
fn an_answer_that_was_cut_short_or_lacks_an_element_is_an_error() {
    for length in 0..ANSWER.len() {
        let mut world = world(&[]).network(move |_| Ok(response(200, &ANSWER[..length])));
        let result = world.resolve();
        assert_no_secret(&result);
        assert!(matches!(result.unwrap_err().error(), SourceError::Unusable { .. }), "{length}");
        assert_eq!(requests(&world).len(), 1);
    }
    for element in ["AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"] {
        let answer = ANSWER.replace(&format!("{element}>"), "Other>");
        let mut world = world(&[]).network(move |_| Ok(response(200, &answer)));
        let error = world.resolve().unwrap_err();
        assert!(error.to_string().ends_with(&format!("{element} is missing")), "{error}");
    }
    let mut world = world(&[]).network(|_| Ok(response(200, &ANSWER.replace("2026-01-01T01", "2025-12-31T01"))));
    assert!(matches!(world.resolve().unwrap_err().error(), SourceError::Expired { .. }));
    let full = refusal("AccessDenied", SECRETS[1]);
    for length in 0..full.len() {
        let cut = full[..length].to_owned();
        let mut world = self::world(&[]).network(move |_| Ok(response(403, &cut)));
        let result = world.resolve();
        assert_no_secret(&result);
        assert!(matches!(result.unwrap_err().error(), SourceError::Refused { status: 403, .. }));
    }
}

#[test]
fn whatever_is_answered_ends_in_a_typed_error_without_secrets() {
    for (name, answer) in answers(TOKEN) {
        let mut world = world(&[]).network(move |_| answer.clone());
        let result = world.resolve();
        assert_no_secret(&result);
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Some(SourceKind::WebIdentity), "{name}");
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
