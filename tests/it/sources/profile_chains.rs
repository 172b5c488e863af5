//! What a profile asks for.

use countersign::sources::{BaseSource, NamedSource, ProfileError, Profiles, SourceKind};

use super::world::World;

fn profiles(config: &str) -> Profiles {
    Profiles::parse(("config", config), ("credentials", "")).unwrap()
}

/// The plan in one line: `keys AKID of base > arn:a (dev) > arn:b (prod)`.
fn plan(config: &str, profile: &str) -> Result<String, ProfileError> {
    let chain = profiles(config).chain(profile)?;
    let base = match chain.base {
        BaseSource::StaticKeys { profile, credentials, account_id } => {
            let account = account_id.map_or(String::new(), |id| format!(" in {id}"));
            let token = credentials.session_token().map_or(String::new(), |token| format!(" with {token}"));
            format!("keys {}{token}{account} of {profile}", credentials.access_key_id())
        }
        BaseSource::Named { profile, source } => format!("{} of {profile}", source.name()),
        BaseSource::WebIdentity { profile, token_file, role_arn, session_name, region } => {
            format!("web {token_file} {role_arn} {session_name:?} {region:?} of {profile}")
        }
        BaseSource::Sso(sso) => {
            let session = sso.session.unwrap_or_default();
            let (url, region, account, role) = (sso.start_url, sso.region, sso.account_id, sso.role_name);
            format!("sso {session}|{url}|{region}|{account}|{role} of {}", sso.profile)
        }
        BaseSource::SsoToken { profile, session, start_url, region } => {
            format!("token {}|{start_url}|{region} of {profile}", session.unwrap_or_default())
        }
        BaseSource::Login { profile, session } => format!("login {session} of {profile}"),
        BaseSource::Process { profile, command, account_id } => {
            let account = account_id.map_or(String::new(), |id| format!(" in {id}"));
            format!("run {}{account} of {profile}", command.as_str())
        }
        other => panic!("{other:?}"),
    };
    let roles = chain.roles.iter().map(|role| format!(" > {} ({})", role.role_arn, role.profile));
    Ok(base + &roles.collect::<String>())
}

#[track_caller]
fn plans(config: &str, expected: &str) {
    assert_eq!(plan(config, "dev").map_err(|error| error.to_string()).as_deref(), Ok(expected), "{config}");
}

#[track_caller]
fn refuses(config: &str, expected: &str) {
    let error = plan(config, "dev").unwrap_err();
    assert!(!matches!(error, ProfileError::NoCredentials { .. }), "{config}");
    assert!(error.to_string().starts_with(expected), "{config}\n{error}");
}

const BASE: &str = "[profile base]\naws_access_key_id=AKIDBASE\naws_secret_access_key=s\n";
const KEYS: &str = "aws_access_key_id=AKID\naws_secret_access_key=s\n";

/// A profile `dev` with these keys, and a profile `base` with static keys.
fn dev(keys: &str) -> String {
    format!("{BASE}[profile dev]\n{keys}\n")
}

#[test]
fn static_keys_are_a_plan() {
    plans(&dev(KEYS), "keys AKID of dev");
    plans(&dev(&format!("{KEYS}aws_session_token=t\naws_account_id=1")), "keys AKID with t in 1 of dev");
    plans(&dev(&format!("{KEYS}aws_session_token=\naws_account_id=")), "keys AKID of dev");
    // Nothing that isn't there is needed.
    plans(&dev(&format!("{KEYS}source_profile=base")), "keys AKID of dev");
    plans(&dev(&format!("{KEYS}mfa_serial=a\nexternal_id=b\nduration_seconds=x")), "keys AKID of dev");
    plans(&dev(&format!("{KEYS}role_arn= \nsource_profile=")), "keys AKID of dev");
}

#[test]
fn partial_static_keys_are_an_error_that_names_the_missing_one() {
    let [id, secret] = ["aws_access_key_id", "aws_secret_access_key"];
    refuses(&dev(&format!("{id}=a")), &format!("profile dev: {id} is set, {secret} is not; set both or neither"));
    refuses(&dev(&format!("{secret}=a")), &format!("profile dev: {secret} is set, {id} is not; set both"));
    refuses(&dev(&format!("{id}=a\n{secret}= ")), &format!("profile dev: {id} is set, {secret} is not (it is blank)"));
    refuses(&dev("aws_session_token=t"), &format!("profile dev: aws_session_token is set, {id} and {secret} are not"));
    refuses(&dev(&format!("{id}=a\naws_session_token=t")), &format!("profile dev: {id} is set, {secret} is not"));
}

#[test]
fn malformed_static_keys_are_an_error_without_the_secret() {
    for (keys, problem) in [
        ("aws_access_key_id=a,b\naws_secret_access_key=hidden", "the access key id contains a comma"),
        ("aws_access_key_id=a\naws_secret_access_key=hid den", "the secret access key contains whitespace"),
        ("aws_access_key_id=a\naws_secret_access_key=hidden\n hidden", "the secret access key contains whitespace"),
        ("aws_access_key_id=a\naws_secret_access_key=hidden\naws_session_token=hid den", "the session token contains"),
    ] {
        refuses(&dev(keys), &format!("profile dev: {problem}"));
        let error = plan(&dev(keys), "dev").unwrap_err();
        assert!(!format!("{error:?} {error}").contains("hid"), "{error:?}");
    }
}

#[test]
fn a_role_is_assumed_with_the_credentials_of_its_source_profile() {
    plans(&dev("role_arn=arn:a\nsource_profile=base"), "keys AKIDBASE of base > arn:a (dev)");
    // Its own keys don't count.
    plans(&dev(&format!("{KEYS}role_arn=arn:a\nsource_profile=base")), "keys AKIDBASE of base > arn:a (dev)");
    plans(&dev("aws_access_key_id=a\nrole_arn=arn:a\nsource_profile=base"), "keys AKIDBASE of base > arn:a (dev)");
    plans(&dev("credential_process=x\nrole_arn=arn:a\nsource_profile=base"), "keys AKIDBASE of base > arn:a (dev)");
    let three = "role_arn=arn:c\nsource_profile=b\n[profile b]\nrole_arn=arn:b\nsource_profile=a\n[profile a]\n\
                 role_arn=arn:a\nsource_profile=base";
    plans(&dev(three), "keys AKIDBASE of base > arn:a (a) > arn:b (b) > arn:c (dev)");
}

#[test]
fn static_keys_of_a_source_profile_end_the_walk() {
    let source = |keys: &str| dev(&format!("role_arn=arn:a\nsource_profile=b\n[profile b]\n{keys}"));
    plans(&source(&format!("{KEYS}role_arn=arn:b\nsource_profile=base")), "keys AKID of b > arn:a (dev)");
    plans(&source(&format!("{KEYS}role_arn=arn:b\nsource_profile=b")), "keys AKID of b > arn:a (dev)");
    plans(&source(&format!("{KEYS}role_arn=arn:b\nsource_profile=dev")), "keys AKID of b > arn:a (dev)");
    plans(&source(&format!("{KEYS}role_arn=arn:b\ncredential_source=x")), "keys AKID of b > arn:a (dev)");
    plans(&source(&format!("{KEYS}sso_session=missing")), "keys AKID of b > arn:a (dev)");
    plans(&source(&format!("{KEYS}credential_process=x")), "keys AKID of b > arn:a (dev)");
    // Half of them don't.
    let partial = "aws_access_key_id=a\nrole_arn=arn:b\nsource_profile=base";
    plans(&source(partial), "keys AKIDBASE of base > arn:b (b) > arn:a (dev)");
    refuses(&source("aws_access_key_id=a"), "profile b: aws_access_key_id is set, aws_secret_access_key is not");
    refuses(&source("aws_access_key_id=a,\naws_secret_access_key=s"), "profile b: the access key id contains a comma");
}

#[test]
fn a_profile_may_be_its_own_source() {
    plans(&dev(&format!("{KEYS}role_arn=arn:a\nsource_profile=dev")), "keys AKID of dev > arn:a (dev)");
    plans(&dev("credential_process=x\nrole_arn=arn:a\nsource_profile=dev"), "run x of dev > arn:a (dev)");
    plans(&dev("login_session=x\nrole_arn=arn:a\nsource_profile=dev"), "login x of dev > arn:a (dev)");
    let through =
        "role_arn=arn:a\nsource_profile=b\n[profile b]\ncredential_process=x\nrole_arn=arn:b\nsource_profile=b";
    plans(&dev(through), "run x of b > arn:b (b) > arn:a (dev)");
    refuses(
        &dev("role_arn=arn:a\nsource_profile=dev"),
        "profile dev: role_arn is set, source_profile is the profile itself and it has no keys; add aws_access_key_id",
    );
    refuses(&dev("aws_access_key_id=a\nrole_arn=arn:a\nsource_profile=dev"), "profile dev: aws_access_key_id is set");
    let through = "role_arn=arn:a\nsource_profile=b\n[profile b]\nrole_arn=arn:b\nsource_profile=b";
    refuses(&dev(through), "profile b: role_arn is set, source_profile is the profile itself and it has no keys");
}

#[test]
fn cycles_are_an_error_that_shows_them() {
    let config = "role_arn=arn:a\nsource_profile=b\n[profile b]\nrole_arn=arn:b\nsource_profile=dev";
    refuses(&dev(config), "profile b: source_profile forms a cycle: dev -> b -> dev");
    // The keys of the profile that was asked for don't end it.
    refuses(&dev(&format!("{KEYS}{config}")), "profile b: source_profile forms a cycle: dev -> b -> dev");
    let config = "role_arn=arn:a\nsource_profile=b\n[profile b]\nrole_arn=arn:b\nsource_profile=c\n[profile c]\n\
                  role_arn=arn:c\nsource_profile=b";
    refuses(&dev(config), "profile c: source_profile forms a cycle: dev -> b -> c -> b");
}

#[test]
fn a_source_profile_that_leads_nowhere_is_an_error_that_names_both() {
    refuses(
        &dev("role_arn=arn:a\nsource_profile=c"),
        "profile c does not exist (source_profile of profile dev names it)",
    );
    refuses(
        &dev("role_arn=arn:a\nsource_profile=c\n[profile c]\nregion=a"),
        "profile dev: role_arn is set, source_profile c has no keys; add aws_access_key_id and aws_secret_access_key",
    );
    let far = "role_arn=arn:a\nsource_profile=b\n[profile b]\nrole_arn=arn:b\nsource_profile=c\n[profile c]";
    refuses(&dev(far), "profile b: role_arn is set, source_profile c has no keys");
    refuses(&dev("role_arn=arn:a\nsource_profile=Base"), "profile Base does not exist");
    refuses(
        &dev("role_arn=arn:a\nsource_profile=c\n[c]"),
        "profile c does not exist (source_profile of profile dev names it); config:7: [c] is ignored",
    );
}

#[test]
fn a_role_needs_exactly_one_source() {
    let neither = "profile dev: role_arn is set without credentials to assume it with; add source_profile,";
    refuses(&dev("role_arn=arn:a"), neither);
    refuses(&dev(&format!("{KEYS}role_arn=arn:a")), neither);
    refuses(&dev("role_arn=arn:a\nsource_profile=\ncredential_source= "), neither);
    refuses(&dev("role_arn=arn:a\nsso_session=x"), neither);
    let both = "profile dev: source_profile and credential_source are both set; remove one of them";
    refuses(&dev("role_arn=arn:a\nsource_profile=base\ncredential_source=Environment"), both);
    refuses(&dev("role_arn=arn:a\nsource_profile=dev\ncredential_source=Environment"), both);
    plans(&dev("role_arn=arn:a\nsource_profile=base\ncredential_source="), "keys AKIDBASE of base > arn:a (dev)");
    refuses(&dev("source_profile=base"), "profile dev: source_profile is set, role_arn is not; set both or neither");
    refuses(&dev("role_arn=arn: a\nsource_profile=base"), "profile dev: role_arn contains white space");
    refuses(&dev("role_arn=arn:a\n # c\nsource_profile=base"), "profile dev: role_arn contains white space");
}

#[test]
fn a_credential_source_is_one_of_three() {
    for (text, name) in [
        ("Environment", "Environment"),
        ("EcsContainer", "EcsContainer"),
        ("Ec2InstanceMetadata", "Ec2InstanceMetadata"),
        ("ec2instancemetadata", "Ec2InstanceMetadata"),
    ] {
        plans(&dev(&format!("role_arn=arn:a\ncredential_source={text}")), &format!("{name} of dev > arn:a (dev)"));
        plans(&dev(&format!("credential_source={text}")), &format!("{name} of dev"));
        let source = format!("role_arn=arn:a\nsource_profile=b\n[profile b]\nrole_arn=arn:b\ncredential_source={text}");
        plans(&dev(&source), &format!("{name} of b > arn:b (b) > arn:a (dev)"));
    }
    for text in ["Ec2", "Environment2", "IMDS", "default"] {
        let expected =
            format!("profile dev: credential_source is {text}; it has to be one of Environment, EcsContainer");
        refuses(&dev(&format!("role_arn=arn:a\ncredential_source={text}")), &expected);
    }
    refuses(&dev("credential_source=\u{1b}[2J"), "profile dev: credential_source is \u{fffd}[2J; it has to be");
    assert_eq!(NamedSource::EcsContainer.name(), "EcsContainer");
}

#[test]
fn a_web_identity_is_a_base() {
    let token = "web_identity_token_file=/t\n";
    plans(&dev(&format!("{token}role_arn=arn:a")), "web /t arn:a None None of dev");
    plans(
        &dev(&format!(
            "{token}role_arn=arn:a\nrole_session_name=n\nregion=r\n{KEYS}sso_region=x\ncredential_process=y"
        )),
        "web /t arn:a Some(\"n\") Some(\"r\") of dev",
    );
    // With a token, the role isn't assumed with the credentials of another profile.
    plans(&dev(&format!("{token}role_arn=arn:a\nsource_profile=base")), "web /t arn:a None None of dev");
    plans(&dev(&format!("{token}role_arn=arn:a\nsource_profile=missing")), "web /t arn:a None None of dev");
    let source = format!("role_arn=arn:b\nsource_profile=b\n[profile b]\n{token}role_arn=arn:a");
    plans(&dev(&source), "web /t arn:a None None of b > arn:b (dev)");
    refuses(&dev(token), "profile dev: web_identity_token_file is set, role_arn is not; set both or neither");
    refuses(
        &dev(&format!("{token}role_arn= \n{KEYS}")),
        "profile dev: web_identity_token_file is set, role_arn is not",
    );
    refuses(&dev(&format!("{token}role_arn=arn: a")), "profile dev: role_arn contains white space");
    refuses(&dev("web_identity_token_file=\nrole_arn=arn:a"), "profile dev: role_arn is set without credentials");
    // As in AWS's SDKs, `credential_source` comes first.
    plans(&dev(&format!("{token}role_arn=arn:a\ncredential_source=EcsContainer")), "EcsContainer of dev");
}

const SESSION: &str = "[sso-session s]\nsso_start_url=u\nsso_region=r\n";
const ROLE: &str = "sso_account_id=1\nsso_role_name=n\n";

#[test]
fn an_sso_session_gives_url_and_region() {
    let config = |keys: &str, session: &str| dev(&format!("{keys}\n{session}"));
    plans(&config(&format!("sso_session=s\n{ROLE}"), SESSION), "sso s|u|r|1|n of dev");
    plans(&config(&format!("sso_session=s\n{ROLE}sso_region=\n"), SESSION), "sso s|u|r|1|n of dev");
    plans(&config("sso_session=s", SESSION), "token s|u|r of dev");
    for (session, missing) in [
        ("", "sso_start_url and sso_region"),
        ("sso_region=r", "sso_start_url"),
        ("sso_start_url=u", "sso_region"),
        ("sso_start_url= \nsso_region=r", "sso_start_url"),
    ] {
        let expected = format!(
            "profile dev: IAM Identity Center needs {missing}; add it to [sso-session s], or run `aws configure sso`"
        );
        refuses(&config(&format!("sso_session=s\n{ROLE}"), &format!("[sso-session s]\n{session}")), &expected);
    }
    let missing = "profile dev: sso_session is s, and the config file has no [sso-session s]; add it, or run";
    refuses(&config(&format!("sso_session=s\n{ROLE}"), ""), missing);
    refuses(&config(&format!("sso_session=s\n{ROLE}"), "[sso-sessions]"), missing);
    refuses(&config(&format!("sso_session=s\n{ROLE}"), "[profile s]\nsso_start_url=u\nsso_region=r"), missing);
}

#[test]
fn a_profile_does_not_repeat_what_belongs_to_its_sso_session() {
    for key in ["sso_start_url", "sso_region"] {
        for value in ["u", "r", "x"] {
            let config = dev(&format!("sso_session=s\n{ROLE}{key}={value}\n{SESSION}"));
            refuses(&config, &format!("profile dev: {key} belongs to [sso-session s]; remove it from the profile"));
        }
    }
}

#[test]
fn sso_without_a_session_needs_everything_in_the_profile() {
    let all = ["sso_start_url=u", "sso_region=r", "sso_account_id=1", "sso_role_name=n"];
    plans(&dev(&all.join("\n")), "sso |u|r|1|n of dev");
    plans(&dev(&all[..2].join("\n")), "token |u|r of dev");
    for index in 0..4 {
        let mut keys = all.to_vec();
        let name = keys.remove(index).split('=').next().unwrap();
        let expected = format!("profile dev: IAM Identity Center needs {name}; add it to the profile");
        refuses(&dev(&keys.join("\n")), &expected);
        refuses(&dev(&format!("{}\n{name}=\t", keys.join("\n"))), &expected);
    }
    refuses(&dev(ROLE), "profile dev: IAM Identity Center needs sso_start_url and sso_region; add it to the profile");
    refuses(
        &dev(&format!("sso_session=s\nsso_role_name=n\n{SESSION}")),
        "profile dev: IAM Identity Center needs sso_account_id",
    );
}

#[test]
fn a_bearer_token_without_a_role_gives_no_credentials() {
    let mut world = World::new(&[("AWS_PROFILE", "dev")]).config(&dev(&format!("sso_session=s\n{SESSION}")));
    let error = world.resolve().unwrap_err();
    assert_eq!(error.kind(), Some(SourceKind::Sso));
    assert!(error.to_string().ends_with("add sso_account_id and sso_role_name"), "{error}");
}

#[test]
fn the_base_is_chosen_in_a_fixed_order() {
    let sources = [
        ("credential_source=Environment\n", "Environment of dev"),
        ("role_arn=arn:a\nweb_identity_token_file=/t\n", "web /t arn:a None None of dev"),
        ("sso_start_url=u\nsso_region=r\nsso_account_id=1\nsso_role_name=n\n", "sso |u|r|1|n of dev"),
        ("login_session=l\n", "login l of dev"),
        ("credential_process=x y\n", "run x y of dev"),
        (KEYS, "keys AKID of dev"),
    ];
    for first in 0..sources.len() {
        let keys: String = sources[first..].iter().map(|(keys, _)| *keys).collect();
        plans(&dev(&keys), sources[first].1);
        let keys: String = sources[first..].iter().rev().map(|(keys, _)| *keys).collect();
        plans(&dev(&keys), sources[first].1);
    }
    plans(&dev("credential_process=x\naws_account_id=1"), "run x in 1 of dev");
    // What isn't used isn't checked.
    plans(&dev("credential_process=x\naws_access_key_id=a"), "run x of dev");
    plans(&dev("credential_source= \nlogin_session=\ncredential_process=x"), "run x of dev");
}

#[test]
fn each_role_has_the_settings_of_its_profile() {
    let config = dev(
        "role_arn=arn:b\nsource_profile=b\nrole_session_name=n\nexternal_id=e\nduration_seconds=900\nmfa_serial=m\n\
         region=eu-west-1\n[profile b]\nrole_arn=arn:a\nsource_profile=base\nrole_session_name=\nregion=\nmfa_serial= ",
    );
    let chain = profiles(&config).chain("dev").unwrap();
    let [a, b] = &chain.roles[..] else { panic!("{chain:?}") };
    assert_eq!((&*a.profile, &*a.role_arn), ("b", "arn:a"));
    assert_eq!((&a.session_name, &a.external_id, &a.duration_seconds, &a.mfa_serial), (&None, &None, &None, &None));
    assert_eq!(a.region, None);
    assert_eq!((b.session_name.as_deref(), b.external_id.as_deref()), (Some("n"), Some("e")));
    assert_eq!(
        (b.duration_seconds, b.mfa_serial.as_deref(), b.region.as_deref()),
        (Some(900), Some("m"), Some("eu-west-1"))
    );
}

#[test]
fn a_duration_is_a_whole_number_from_900_to_43200() {
    let role = |duration: &str| dev(&format!("role_arn=arn:a\nsource_profile=base\nduration_seconds={duration}"));
    for (text, seconds) in [("900", Some(900)), ("43200", Some(43_200)), ("03600", Some(3600)), ("", None)] {
        assert_eq!(profiles(&role(text)).chain("dev").unwrap().roles[0].duration_seconds, seconds);
    }
    for text in ["899", "43201", "0", "-900", "+900", "3600.0", "1h", "3600s", "0x384", "4294968196", "１０００"] {
        let expected =
            format!("profile dev: duration_seconds is {text}; it has to be a whole number from 900 to 43200");
        refuses(&role(text), &expected);
    }
}

#[test]
fn only_a_profile_without_anything_that_leads_to_credentials_has_none() {
    for keys in [
        "",
        "region=us-east-1",
        "output=json\ns3 =\n a=b",
        "mfa_serial=a\nrole_session_name=b",
        "aws_account_id=1",
        "role_arn= ",
    ] {
        let error = plan(&dev(keys), "dev").unwrap_err();
        assert_eq!(error, ProfileError::NoCredentials { profile: "dev".into() }, "{keys}");
        assert_eq!(error.to_string(), "profile dev has no credentials");
    }
}

#[test]
fn a_profile_that_does_not_exist_is_told_with_those_that_do() {
    let error = |config: &str| plan(config, "dev").unwrap_err().to_string();
    assert_eq!(error(""), "profile dev does not exist; the configuration files have no profiles");
    assert_eq!(error("[profile a]\n[default]"), "profile dev does not exist; the profiles are a, default");
    assert!(error("[dev]").ends_with("; config:1: [dev] is ignored in the config file; write [profile dev]"));
    let many: String = (10..30).map(|number| format!("[profile p{number}]\n")).collect();
    assert!(error(&many).ends_with("; the first profiles are p10, p11, p12, p13, p14, p15, p16, p17, p18, p19"));
    let long = plan("", &"x".repeat(1 << 20)).unwrap_err().to_string();
    assert!(long.len() < 300);
    let hostile = plan("", "\u{1b}[2J\n").unwrap_err().to_string();
    assert!(!hostile.contains(char::is_control));
}

#[test]
fn a_chain_has_at_most_32_roles() {
    let chain = |roles: usize| {
        let link =
            |number: usize| format!("[profile p{number}]\nrole_arn=arn:{number}\nsource_profile=p{}\n", number + 1);
        let links: String = (0..roles).map(link).collect();
        profiles(&format!("{links}[profile p{roles}]\n{KEYS}")).chain("p0")
    };
    assert_eq!(chain(32).unwrap().roles.len(), 32);
    for roles in [33, 20_000] {
        let error = chain(roles).unwrap_err().to_string();
        assert_eq!(error, "profile p32: the chain has more than 32 roles; shorten it");
    }
}

#[test]
fn debug_shows_neither_a_command_nor_a_secret() {
    for keys in [
        "credential_process=x --password hidden",
        "aws_access_key_id=a\naws_secret_access_key=hidden\naws_session_token=hidden",
    ] {
        let chain = profiles(&dev(keys)).chain("dev").unwrap();
        assert!(!format!("{chain:?}").contains("hidden"), "{chain:?}");
    }
}

#[test]
fn a_profile_of_both_files_is_one_profile() {
    let profiles = Profiles::parse(
        ("config", "[profile dev]\nrole_arn=arn:a\nsource_profile=base\n[profile base]\naws_secret_access_key=old"),
        ("credentials", "[base]\naws_access_key_id=AKID\naws_secret_access_key=new"),
    );
    let chain = profiles.unwrap().chain("dev").unwrap();
    assert!(matches!(chain.base, BaseSource::StaticKeys { profile, .. } if profile == "base"));
}
