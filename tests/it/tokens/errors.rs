//! Invalid input returns a typed error that says what to do and contains no secrets.

use std::time::Duration;

use countersign::tokens::{self, TokenError};
use countersign::{ScopeError, SignError};

use super::{every_kind, temporary};
use crate::support::fixtures::{at, credentials, now};

fn rds(region: &str, host: &str, port: u16, user: &str) -> TokenError {
    tokens::rds(&credentials(), region, host, port, user, now()).unwrap_err()
}

#[test]
fn each_error_says_what_to_do() {
    let credentials = credentials();
    let region = "us-east-1";
    for (error, text) in [
        (
            rds(region, "https://db.example.com", 5432, "app"),
            "the host \"https://db.example.com\" is a URL; give only the name, without the scheme, port and path",
        ),
        (
            rds(region, "db.example.com:5432", 5432, "app"),
            "the host \"db.example.com:5432\" includes a port; give only the host name",
        ),
        (
            rds(region, "::1", 5432, "app"),
            "\"::1\" is not a host name; give a name of letters, digits, '-', '_' and '.', or an IPv6 address in brackets",
        ),
        (rds(region, "", 5432, "app"), "the host is empty"),
        (rds(region, "db", 5432, ""), "the user is empty"),
        (rds(region, "db", 0, "app"), "port 0 is invalid; give the port of the database, e.g. 5432 or 3306"),
        (rds("", "db", 5432, "app"), "the region is empty"),
        (rds("US East", "db", 5432, "app"), "\"US East\" is not a region; give the AWS region code, e.g. us-east-1"),
        (
            tokens::memorydb(&credentials, region, "clustercfg.m.abc.memorydb.us-east-1.amazonaws.com", "app", now())
                .unwrap_err(),
            "\"clustercfg.m.abc.memorydb.us-east-1.amazonaws.com\" is an endpoint; give only the name of the cluster, \
             e.g. my-cluster",
        ),
        (
            tokens::elasticache(&credentials, region, "my cache", "app", now()).unwrap_err(),
            "the cache \"my cache\" may contain only letters, digits and '-'",
        ),
        (
            tokens::eks(&credentials, region, "arn:aws:eks:us-east-1:1:cluster/prod", now()).unwrap_err(),
            "the cluster \"arn:aws:eks:us-east-1:1:cluster/prod\" may contain only letters, digits, '-' and '_'",
        ),
        (
            tokens::codecommit(&credentials, region, "git-codecommit.us-east-1.amazonaws.com", "", now()).unwrap_err(),
            "\"\" is not the path of a repository; give it as git does, i.e. v1/repos/NAME",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_url_is_refused_wherever_a_name_is_expected() {
    let credentials = credentials();
    let (region, url, week) = ("us-east-1", "https://name.example.com", Duration::from_secs(604_800));
    for made in [
        tokens::rds(&credentials, region, url, 5432, "app", now()),
        tokens::dsql(&credentials, region, url, week, now()),
        tokens::dsql_admin(&credentials, region, url, week, now()),
        tokens::elasticache(&credentials, region, url, "app", now()),
        tokens::elasticache_serverless(&credentials, region, url, "app", now()),
        tokens::memorydb(&credentials, region, url, "app", now()),
        tokens::eks(&credentials, region, url, now()),
        tokens::iot_mqtt(&credentials, region, "wss://name.example.com", now()),
        tokens::codecommit(&credentials, region, url, "v1/repos/MyRepo", now()),
    ] {
        let error = made.unwrap_err();
        assert!(matches!(error, TokenError::Scheme { .. }), "{error}");
    }
}

#[test]
fn ports_are_refused_if_the_default_port_is_signed() {
    let credentials = credentials();
    for made in [
        tokens::dsql(&credentials, "us-east-1", "abc.dsql.us-east-1.on.aws:5432", Duration::from_secs(900), now()),
        tokens::iot_mqtt(&credentials, "us-east-1", "a1-ats.iot.us-east-1.amazonaws.com:443", now()),
        tokens::codecommit(
            &credentials,
            "us-east-1",
            "git-codecommit.us-east-1.amazonaws.com:443",
            "v1/repos/R",
            now(),
        ),
    ] {
        assert!(matches!(made.unwrap_err(), TokenError::PortInHost { .. }));
    }
}

#[test]
fn bedrock_lifetimes_out_of_range_are_refused() {
    for expires in [Duration::ZERO, Duration::from_millis(1500), Duration::from_secs(43_201), Duration::MAX] {
        let error = tokens::bedrock(&credentials(), "us-east-1", expires, now()).unwrap_err();
        assert!(matches!(error, TokenError::Sign(SignError::Expires { .. })), "{error}");
        assert!(error.to_string().contains("valid for 1 to 43200 whole seconds"), "{error}");
    }
}

#[test]
fn only_long_term_keys_have_an_smtp_password() {
    let error = tokens::ses_smtp_password(&temporary(), "us-east-1").unwrap_err();
    assert_eq!(error, TokenError::Temporary);
    for region in ["", "US-EAST-1", "us-east-1/x", "*"] {
        let error = tokens::ses_smtp_password(&credentials(), region).unwrap_err();
        assert!(matches!(error, TokenError::Region { .. } | TokenError::Empty { field: "region" }), "{error}");
    }
}

#[test]
fn empty_values_are_named() {
    let credentials = credentials();
    let region = "us-east-1";
    for (field, made) in [
        ("cache", tokens::elasticache(&credentials, region, "", "app", now())),
        ("user", tokens::elasticache_serverless(&credentials, region, "c", "", now())),
        ("cluster", tokens::memorydb(&credentials, region, "", "app", now())),
        ("user agent", tokens::msk(&credentials, region, "", now())),
        ("cluster", tokens::eks(&credentials, region, "", now())),
        ("host", tokens::iot_mqtt(&credentials, region, "", now())),
        ("name of a parameter", tokens::transcribe(&credentials, region, &[("", "en-US")], now())),
        ("role", tokens::vault(&credentials, region, Some(""), None, now())),
        ("server id", tokens::vault(&credentials, region, None, Some(""), now())),
        ("host", tokens::codecommit(&credentials, region, "", "v1/repos/MyRepo", now())),
    ] {
        assert_eq!(made.unwrap_err(), TokenError::Empty { field });
    }
}

#[test]
fn invalid_regions_and_expired_credentials_are_refused() {
    for region in ["", "*", "us-east-1,us-west-2", "US-EAST-1", "us/east", "x.evil.example", "us-east-1\r\n"] {
        for (kind, _, made) in every_kind(&credentials(), region, now()) {
            let error = made.unwrap_err();
            assert!(
                matches!(error, TokenError::Region { .. } | TokenError::Empty { field: "region" }),
                "{kind}: {error}"
            );
        }
    }
    for expiry in ["20150830T123600Z", "20150830T123559Z"] {
        for (kind, _, made) in every_kind(&temporary().with_expires_at(at(expiry)), "us-east-1", now()) {
            let error = made.unwrap_err();
            assert!(matches!(error, TokenError::Sign(SignError::CredentialsExpired { .. })), "{kind}: {error}");
            assert!(error.to_string().ends_with("refresh them"), "{error}");
        }
    }
}

#[test]
fn dsql_lifetimes_out_of_range_are_refused() {
    for expires in [
        Duration::ZERO,
        Duration::from_millis(900_500),
        Duration::from_nanos(1),
        Duration::from_secs(604_801),
        Duration::MAX,
    ] {
        let made = [
            tokens::dsql(&credentials(), "us-east-1", "abc.dsql.us-east-1.on.aws", expires, now()),
            tokens::dsql_admin(&credentials(), "us-east-1", "abc.dsql.us-east-1.on.aws", expires, now()),
        ];
        for error in made.map(Result::unwrap_err) {
            assert!(matches!(error, TokenError::Sign(SignError::Expires { .. })), "{error}");
            assert!(
                error.to_string().starts_with("a presigned URL can be valid for 1 to 604800 whole seconds"),
                "{error}"
            );
        }
    }
}

#[test]
fn repository_paths_are_checked() {
    let host = "git-codecommit.us-east-1.amazonaws.com";
    let made = |path: &str| tokens::codecommit(&credentials(), "us-east-1", host, path, now());
    for path in [
        "",
        "/",
        "MyRepo",
        "v1/repos",
        "v1/repos/",
        "v2/repos/MyRepo",
        "//v1/repos/MyRepo",
        "v1/repos/MyRepo/",
        "v1/repos/a/b",
        "v1/repos/..",
        "v1/repos/.",
        "v1/repos/My Repo",
        "v1/repos/My%20Repo",
        "v1/repos/MyRepo?x",
        "v1/repos/ü",
        "https://git-codecommit.us-east-1.amazonaws.com/v1/repos/MyRepo",
    ] {
        assert!(matches!(made(path).unwrap_err(), TokenError::RepositoryPath { .. }), "{path:?}");
    }
}

#[test]
fn a_server_id_must_be_a_valid_header_value() {
    for id in ["a\r\nb", "a\0b", "\n"] {
        let error = tokens::vault(&credentials(), "us-east-1", None, Some(id), now()).unwrap_err();
        assert!(matches!(error, TokenError::Sign(SignError::Request(_))), "{error}");
    }
}

#[test]
fn errors_are_short_and_contain_no_control_characters() {
    let long = "\u{1b}[31m".repeat(1000);
    for made in [
        tokens::rds(&credentials(), "us-east-1", &long, 5432, "app", now()),
        tokens::rds(&credentials(), &long, "db", 5432, "app", now()),
        tokens::elasticache(&credentials(), "us-east-1", &long, "app", now()),
        tokens::eks(&credentials(), "us-east-1", &long, now()),
        tokens::codecommit(&credentials(), "us-east-1", "git", &long, now()),
    ] {
        let text = made.unwrap_err().to_string();
        assert!(text.len() < 800 && !text.contains('\u{1b}'), "{text}");
    }
}

/// A connection string is passed instead of a host: the error must not show its password.
#[test]
fn passwords_in_urls_are_not_shown() {
    let credentials = credentials();
    for url in ["postgres://app:hunter2@db.example.com/x", "app:hunter2@db", "hunter2@", "https://x:hunter2@[::1]:5432"]
    {
        for made in [
            tokens::rds(&credentials, "us-east-1", url, 5432, "app", now()),
            tokens::rds(&credentials, url, "db", 5432, "app", now()),
            tokens::dsql(&credentials, "us-east-1", url, Duration::from_secs(900), now()),
            tokens::elasticache(&credentials, "us-east-1", url, "app", now()),
            tokens::eks(&credentials, "us-east-1", url, now()),
            tokens::codecommit(&credentials, "us-east-1", "git", url, now()),
            tokens::codecommit(&credentials, "us-east-1", url, "v1/repos/MyRepo", now()),
        ] {
            let error = made.unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}

/// Errors of signing are passed on unchanged, with their source.
#[test]
fn a_sign_error_is_passed_on_unchanged() {
    let error = SignError::Scope(ScopeError::Empty { field: "region" });
    assert_eq!(TokenError::from(error.clone()).to_string(), error.to_string());
}
