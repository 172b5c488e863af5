//! Roles of profiles, and settings of profiles for STS, containers and instances.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use countersign::sources::{HttpAsk, Outcome, Resolver, SourceError, SourceKind};

use super::faults::{SECRETS, answers, assert_no_secret, body, header};
use super::world::{World, response};
use crate::support::naive;

const SECRET: &str = SECRETS[1];

const ANSWER: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>
<AssumedRoleUser><AssumedRoleId>AROA:s</AssumedRoleId><Arn>arn:aws:sts::210987654321:assumed-role/a/s</Arn></AssumedRoleUser>
<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>SECRET-OF-ROLE</SecretAccessKey>
<SessionToken>TOKEN-OF-ROLE</SessionToken><Expiration>2026-01-01T01:00:00Z</Expiration></Credentials>
<PackedPolicySize>6</PackedPolicySize></AssumeRoleResult></AssumeRoleResponse>";

const BASE: &str = "[profile base]
aws_access_key_id = AKIABASE
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
";

fn role(more: &str) -> String {
    format!("[profile a]\nrole_arn = arn:aws:iam::210987654321:role/a\nsource_profile = base\n{more}\n{BASE}")
}

fn world(config: &str) -> World {
    World::new(&[("AWS_PROFILE", "a")]).config(config).network(|_| Ok(response(200, ANSWER)))
}

fn requests(world: &World) -> Vec<&str> {
    world.log.iter().map(String::as_str).filter(|line| line.contains("://")).collect()
}

/// Computes the signature of a request anew, and compares it.
fn assert_signed(ask: &HttpAsk, id: &str, secret: &str, region: &str) {
    let authorization = header(ask, "authorization").unwrap();
    let date = header(ask, "x-amz-date").unwrap();
    let scope = format!("AWS4-HMAC-SHA256 Credential={id}/{}/{region}/sts/aws4_request, SignedHeaders=", &date[..8]);
    let rest = authorization.strip_prefix(&scope).unwrap_or_else(|| panic!("{authorization}"));
    let (names, signature) = rest.split_once(", Signature=").unwrap();
    let mut request = "POST\n/\n\n".to_owned();
    for name in names.split(';') {
        let value = if name == "host" { ask.request.uri().host() } else { header(ask, name) };
        request += &format!("{name}:{}\n", value.unwrap());
    }
    request += &format!("\n{names}\n{}", naive::sha256_hex(ask.request.body()));
    assert_eq!(signature, naive::signature(secret, date, region, "sts", request.as_bytes()));
}

#[test]
fn a_role_is_assumed_with_all_its_parameters_by_a_signed_request() {
    let config = role(
        "role_session_name = s@1\nexternal_id = e/1\nduration_seconds = 900\nmfa_serial = arn:aws:iam::1:mfa/me\nregion = eu-west-1",
    );
    let mut world = world(&config).network(|ask| {
        assert_eq!(
            body(ask),
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A210987654321%3Arole%2Fa\
             &RoleSessionName=s%401&ExternalId=e%2F1&DurationSeconds=900&SerialNumber=arn%3Aaws%3Aiam%3A%3A1%3Amfa%2Fme\
             &TokenCode=123456"
        );
        assert_signed(ask, "AKIABASE", SECRET, "eu-west-1");
        assert_eq!(header(ask, "x-amz-security-token"), None);
        Ok(response(200, ANSWER))
    });
    world.mfa_code = Some(" 123456\n".into());
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.source, SourceKind::AssumeRole);
    assert_eq!(resolved.credentials.access_key_id(), "ASIAROLE");
    assert_eq!(resolved.credentials.session_token(), Some("TOKEN-OF-ROLE"));
    assert_eq!(resolved.account_id.as_deref(), Some("210987654321"));
    assert_eq!(requests(&world), ["POST https://sts.eu-west-1.amazonaws.com/"]);
    let kinds: Vec<_> = resolved.report.entries().map(|(source, _)| source.name()).collect();
    assert_eq!(kinds, ["environment", "static_keys", "assume_role"]);
}

#[test]
fn a_chain_signs_each_request_with_the_credentials_of_the_one_before() {
    let config = format!(
        "[profile a]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = b\nregion = us-west-2\n\
         [profile b]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = base\nregion = sa-east-1\n{BASE}"
    );
    let mut count = 0;
    let mut world = world(&config).network(move |ask| {
        count += 1;
        if count == 1 {
            assert!(body(ask).contains("role%2Fb&"));
            assert_signed(ask, "AKIABASE", SECRET, "us-west-2");
        } else {
            assert!(body(ask).contains("role%2Fa&"));
            assert_signed(ask, "ASIAROLE", "SECRET-OF-ROLE", "us-west-2");
            assert_eq!(header(ask, "x-amz-security-token"), Some("TOKEN-OF-ROLE"));
        }
        Ok(response(200, ANSWER))
    });
    world.resolve().unwrap();
    assert_eq!(requests(&world).len(), 2);
}

#[test]
fn the_region_is_that_of_the_environment_then_of_the_profile_then_of_the_partition() {
    let url = |config: &str, variables: &[(&str, &str)]| {
        let mut world = World::new(&[&[("AWS_PROFILE", "a")], variables].concat())
            .config(config)
            .network(|_| Ok(response(200, ANSWER)));
        world.resolve().unwrap();
        requests(&world).concat()
    };
    let with_region = role("region = eu-west-1");
    assert_eq!(url(&with_region, &[("AWS_REGION", "ap-south-1")]), "POST https://sts.ap-south-1.amazonaws.com/");
    assert_eq!(url(&with_region, &[]), "POST https://sts.eu-west-1.amazonaws.com/");
    assert_eq!(url(&role(""), &[]), "POST https://sts.us-east-1.amazonaws.com/");
    let chinese = role("").replace("arn:aws:", "arn:aws-cn:");
    assert_eq!(url(&chinese, &[]), "POST https://sts.cn-northwest-1.amazonaws.com.cn/");
}

#[test]
fn each_attempt_is_signed_at_its_own_time() {
    let dates = Rc::new(RefCell::new(Vec::new()));
    let copy = Rc::clone(&dates);
    let mut world = world(&role("")).network(move |ask| {
        assert_signed(ask, "AKIABASE", SECRET, "us-east-1");
        copy.borrow_mut().push(header(ask, "x-amz-date").unwrap().to_owned());
        Ok(response(500, ""))
    });
    world.resolve().unwrap_err();
    assert_eq!(*dates.borrow(), ["20260101T000000Z", "20260101T000000Z", "20260101T000001Z"]);
}

#[test]
fn a_code_of_an_mfa_device_is_needed_and_checked() {
    let config = role("mfa_serial = arn:aws:iam::1:mfa/me");
    let mut world = world(&config);
    assert_eq!(
        world.resolve().unwrap_err().to_string(),
        "role: the code of the MFA device arn:aws:iam::1:mfa/me is needed: nobody is there to ask"
    );
    for code in ["", "12345", "1234567", "12345a", "12 345"] {
        world.mfa_code = Some(code.into());
        let error = world.resolve().unwrap_err();
        assert!(matches!(error.error(), SourceError::Mfa { .. }));
        assert!(error.to_string().ends_with("what was entered is not a code of 6 digits"), "{error}");
    }
    assert!(requests(&world).is_empty());
}

#[test]
fn endpoints_are_configured_in_profiles_and_services() {
    let services = "services = s\nendpoint_url = http://profile.example\n[services s]\nsts =\n  endpoint_url = http://service.example/\ns3 =\n  endpoint_url = http://s3.example";
    for (more, variables, url) in [
        ("endpoint_url = http://profile.example", vec![], "http://profile.example/"),
        (services, vec![], "http://service.example/"),
        (services, vec![("AWS_ENDPOINT_URL", "http://all.example")], "http://all.example/"),
        (
            services,
            vec![("AWS_ENDPOINT_URL", "http://all.example"), ("AWS_ENDPOINT_URL_STS", "http://own.example")],
            "http://own.example/",
        ),
        (services, vec![("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")], "https://sts.us-east-1.amazonaws.com/"),
        (
            "endpoint_url = http://p.example\nignore_configured_endpoint_urls = true",
            vec![],
            "https://sts.us-east-1.amazonaws.com/",
        ),
        ("services = none\nendpoint_url = http://profile.example", vec![], "http://profile.example/"),
        ("use_fips_endpoint = true", vec![], "https://sts-fips.us-east-1.amazonaws.com/"),
        ("use_dualstack_endpoint = true", vec![], "https://sts.us-east-1.api.aws/"),
        ("use_fips_endpoint = true", vec![("AWS_USE_FIPS_ENDPOINT", "false")], "https://sts.us-east-1.amazonaws.com/"),
    ] {
        let variables = [&[("AWS_PROFILE", "a")], variables.as_slice()].concat();
        let mut world = World::new(&variables).config(&role(more)).network(|_| Ok(response(200, ANSWER)));
        world.resolve().unwrap();
        assert_eq!(requests(&world), [format!("POST {url}")], "{more}");
    }
    for (more, place) in [
        ("endpoint_url = nowhere", "endpoint_url of profile a"),
        ("services = s\n[services s]\nsts =\n  endpoint_url = nowhere", "sts endpoint_url of services s"),
        ("use_fips_endpoint = yes", "use_fips_endpoint of profile a"),
    ] {
        let error = world(&role(more)).resolve().unwrap_err();
        assert!(matches!(error.error(), SourceError::Setting { place: found, .. } if found == place), "{error}");
    }
}

#[test]
fn a_web_identity_of_a_profile_uses_the_region_of_that_profile() {
    let config = "[profile a]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = w\n\
                  [profile w]\nrole_arn = arn:aws:iam::1:role/w\nweb_identity_token_file = /token\nregion = eu-north-1\n\
                  role_session_name = web";
    let mut world = world(config).file("/token", SECRETS[0]);
    let resolved = world.resolve().unwrap();
    assert_eq!(
        requests(&world),
        ["POST https://sts.eu-north-1.amazonaws.com/", "POST https://sts.us-east-1.amazonaws.com/"]
    );
    let warnings = resolved.report.entries().filter(|(_, outcome)| matches!(outcome, Outcome::Warning(_)));
    assert_eq!(warnings.count(), 1);
}

#[test]
fn secrets_of_the_credentials_that_sign_are_hidden_in_messages() {
    let refusal = format!(
        "<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>{SECRET} {} external-id-of-a</Message></Error></ErrorResponse>",
        SECRETS[2]
    );
    let config =
        role("external_id = external-id-of-a").replace(BASE, &format!("{BASE}aws_session_token = {}\n", SECRETS[2]));
    let result = world(&config).network(move |_| Ok(response(403, &refusal))).resolve();
    assert_no_secret(&result);
    assert!(result.unwrap_err().to_string().ends_with("SignatureDoesNotMatch: [redacted] [redacted] [redacted]"));
}

#[test]
fn whatever_sts_answers_ends_in_a_typed_error_without_secrets() {
    for (name, answer) in answers(SECRET) {
        let mut world = world(&role("")).network(move |_| answer.clone());
        let result = world.resolve();
        assert_no_secret(&result);
        let error = result.unwrap_err();
        assert_eq!(error.kind(), Some(SourceKind::AssumeRole), "{name}");
        assert!(
            matches!(
                error.error(),
                SourceError::NoResponse { .. } | SourceError::Refused { .. } | SourceError::Unusable { .. }
            ),
            "{name}: {error}"
        );
        assert!(requests(&world).len() <= 3, "{name}");
    }
    for length in 0..ANSWER.len() {
        let result = world(&role("")).network(move |_| Ok(response(200, &ANSWER[..length]))).resolve();
        assert_no_secret(&result);
        assert!(matches!(result.unwrap_err().error(), SourceError::Unusable { .. }));
    }
}

#[test]
fn the_credentials_of_a_container_can_be_the_source_of_a_role() {
    let config = "[profile a]\nrole_arn = arn:aws:iam::1:role/a\ncredential_source = EcsContainer";
    let error = world(config).resolve().unwrap_err();
    assert_eq!(error.kind(), Some(SourceKind::Container));
    assert!(matches!(error.error(), SourceError::Setting { .. }), "{error}");
    let mut world = World::new(&[("AWS_PROFILE", "a"), ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/c")])
        .config(config)
        .network(|ask| match ask.request.method().as_str() {
            "GET" => Ok(response(
                200,
                r#"{"AccessKeyId":"ASIATASK","SecretAccessKey":"s","Token":"t","Expiration":"2026-01-01T01:00:00Z"}"#,
            )),
            _ => {
                assert_signed(ask, "ASIATASK", "s", "us-east-1");
                Ok(response(200, ANSWER))
            }
        });
    world.resolve().unwrap();
    assert_eq!(requests(&world), ["GET http://169.254.170.2/c", "POST https://sts.us-east-1.amazonaws.com/"]);
}

#[test]
fn an_instance_that_gives_nothing_is_an_error_for_a_role() {
    let config = "[profile a]\nrole_arn = arn:aws:iam::1:role/a\ncredential_source = Ec2InstanceMetadata";
    let mut world = World::new(&[("AWS_PROFILE", "a")]).config(config);
    let error = world.resolve().unwrap_err();
    assert_eq!(error.kind(), Some(SourceKind::InstanceMetadata));
    assert!(error.report().to_string().contains("nothing answers at http://169.254.169.254"), "{}", error.report());
}

#[test]
fn settings_of_the_instance_metadata_service_stand_in_profiles() {
    let asked = |keys: &str, variables: &[(&str, &str)]| {
        let mut world = World::new(variables).config(&format!("[default]\n{keys}"));
        match world.resolve().unwrap_err().error() {
            SourceError::NotConfigured { .. } => requests(&world).join(" "),
            error => error.to_string(),
        }
    };
    let ipv6 = "PUT http://[fd00:ec2::254]/latest/api/token";
    let url = "ec2_metadata_service_endpoint = http://override:456";
    assert_eq!(asked(url, &[]), "PUT http://override:456/latest/api/token");
    let variable = ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://first:1");
    assert_eq!(asked(url, &[variable]), "PUT http://first:1/latest/api/token");
    assert_eq!(asked("ec2_metadata_service_endpoint_mode = ipv6", &[]), ipv6);
    assert_eq!(
        asked("ec2_metadata_service_endpoint_mode = IPv7", &[]),
        "ec2_metadata_service_endpoint_mode of profile default is \"IPv7\"; it has to be IPv4 or IPv6"
    );
    assert_eq!(asked("disable_ec2_metadata = true", &[]), "");
    let attempts = asked("metadata_service_num_attempts = 2\nec2_metadata_service_endpoint_mode = IPv6", &[]);
    assert_eq!(attempts, format!("{ipv6} {ipv6}"));
    let mut world =
        World::new(&[]).config("[default]\nec2_metadata_service_endpoint_mode = IPv4\nmetadata_service_timeout = 3");
    world = world.network(|ask| {
        assert_eq!(ask.timeout, Duration::from_secs(3));
        super::world::no_network(ask)
    });
    let resolver = Resolver::new(world.environment()).with_imds_ipv6(true);
    world.resolve_with(&resolver).unwrap_err();
    assert_eq!(requests(&world), [ipv6]);
}
