//! The syntax of the configuration files.

use countersign::sources::{Outcome, ProfileError, Profiles, Section, SourceKind};

use super::world::World;
use crate::support::random::Random;

fn parse(config: &str, credentials: &str) -> Result<Profiles, ProfileError> {
    Profiles::parse(("config", config), ("credentials", credentials))
}

/// Everything that was read: `profile a{k="v" l="w"} sso-session b{}`.
fn shown(profiles: &Profiles) -> String {
    let section = |kind: &str, section: &Section| {
        let pair = |key: &str| format!("{key}={:?}", section.get(key).unwrap());
        format!("{kind} {}{{{}}}", section.name(), section.keys().map(pair).collect::<Vec<_>>().join(" "))
    };
    let mut all: Vec<String> = profiles.profiles().map(|profile| section("profile", profile)).collect();
    all.extend(profiles.sso_sessions().map(|session| section("sso-session", session)));
    all.extend(profiles.all_services().map(|services| section("services", services)));
    all.join(" ")
}

#[track_caller]
fn reads(config: &str, credentials: &str, expected: &str) {
    match parse(config, credentials) {
        Ok(profiles) => assert_eq!(shown(&profiles), expected, "{config:?} {credentials:?}"),
        Err(error) => panic!("{config:?} {credentials:?}: {error}"),
    }
}

#[track_caller]
fn refuses(config: &str, credentials: &str, expected: &str) {
    let error = parse(config, credentials).unwrap_err().to_string();
    assert!(error.starts_with(expected), "{config:?} {credentials:?}: {error}");
}

fn warnings(config: &str, credentials: &str) -> Vec<String> {
    parse(config, credentials).unwrap().warnings().iter().map(ToString::to_string).collect()
}

#[track_caller]
fn warns(config: &str, credentials: &str, expected: &str) {
    match &warnings(config, credentials)[..] {
        [warning] => assert!(warning.starts_with(expected), "{config:?} {credentials:?}: {warning}"),
        several => panic!("{config:?} {credentials:?}: {several:#?}"),
    }
}

#[test]
fn files_without_sections_have_no_profiles() {
    for text in ["", "\n", "\r\n", " \t\n", "# a\n;b\n#", "\u{feff}", "\u{feff}# a"] {
        reads(text, text, "");
    }
    reads("\u{feff}[default]\na=1", "\u{feff}[b]\nc=2", r#"profile b{c="2"} profile default{a="1"}"#);
}

#[test]
fn sections_are_named_as_their_file_names_them() {
    reads("[profile a]\n[default]", "[b]", "profile a{} profile b{} profile default{}");
    reads("[profile\ta]\n[\t profile \t b\t]", "[ c\t]", "profile a{} profile b{} profile c{}");
    reads("[sso-session a]\nb=1\n[services a]\nb=2", "", r#"sso-session a{b="1"} services a{b="2"}"#);
    reads("[profile A-z_0/.%@:+]", "[a/b]", "profile A-z_0/.%@:+{} profile a/b{}");
    // The case of a name matters, and so does that of the kind.
    reads("[profile A]\nb=1\n[profile a]\nb=2\n[Profile c]", "", r#"profile A{b="1"} profile a{b="2"}"#);
}

#[test]
fn other_sections_are_ignored_with_their_keys() {
    for config in
        ["[a]", "[profile]", "[]", "[profilea]", "[plugins]", "[sso-sesion a]", "[x y]", "[profile a b]", "[profile ü]"]
    {
        reads(&format!("{config}\nkey = 1\n continued\n[default]"), "", "profile default{}");
    }
    for credentials in [
        "[profile a]",
        "[sso-session a]",
        "[services a]",
        "[a b]",
        "[]",
        "['a b']",
        "[\"a\"]",
        "[a!]",
        "[profile default]",
    ] {
        reads("", &format!("{credentials}\nkey = 1\nnested =\n a = 1\n[b]"), "profile b{}");
    }
    reads("", "[sso-sessiona]", "profile sso-sessiona{}");
}

#[test]
fn quoted_names_may_hold_any_character() {
    for name in ["a b", "a]b", "a # b; c", "it's", "a\\b", "ü"] {
        let profiles = parse(&format!("[profile \"{}\"] # c\nk=1", name.replace('\\', "\\\\")), "").unwrap();
        assert_eq!(profiles.profile(name).and_then(|profile| profile.get("k")), Some("1"), "{name}");
    }
    reads(
        "[profile 'a b']\n[sso-session \"c d\"];\n[services 'e']",
        "",
        "profile a b{} sso-session c d{} services e{}",
    );
    reads("[ profile  \"a\" ]\nk=1\n[profile a]\nl=2", "", r#"profile a{k="1" l="2"}"#);
    for config in
        ["[profile '']", "[profile 'a\u{1b}']", "[profile 'a' b]", "[profile it's]", "[profile \"a]", "['a b']"]
    {
        reads(config, "", "");
    }
    // As `aws configure --profile "a b"` writes it.
    reads("[profile 'a b']\nk=1", "[a b]\nl=2", r#"profile a b{k="1" l="2"}"#);
    refuses("[profile 'a b'] c", "", "config:1: a section must end with ]");
}

#[test]
fn keys_and_values_are_trimmed_and_split_at_the_first_equals_sign() {
    let read = |line: &str| shown(&parse(&format!("[default]\n{line}"), "").unwrap());
    for line in ["k=v", "k = v", "k\t=\tv\t", "K=v ", "k=v # c", "k=v ;c", "k=v\t#"] {
        assert_eq!(read(line), r#"profile default{k="v"}"#, "{line:?}");
    }
    for (line, value) in [
        ("k=", ""),
        ("k= # c", ""),
        ("k = a=b==", "a=b=="),
        ("k=a#b", "a#b"),
        ("k=a;b # c", "a;b"),
        ("k=a# b", "a# b"),
        ("k=#a", "#a"),
        ("k=\"a b\"", "\"a b\""),
        ("k=ü 😀", "ü 😀"),
        ("k=[a]", "[a]"),
        ("k=\u{a0}a", "\u{a0}a"),
    ] {
        assert_eq!(read(line), format!("profile default{{k={value:?}}}"), "{line:?}");
    }
    assert_eq!(read("a b = 1\nü=2\nc!=3\nA-Z_0/.%@:+=4"), r#"profile default{a-z_0/.%@:+="4"}"#);
}

#[test]
fn sections_and_keys_that_repeat_are_merged() {
    reads("[profile a]\nk=1\nl=1\nK=2", "", r#"profile a{k="2" l="1"}"#);
    reads("[profile a]\nk=1\n[profile b]\n[profile a]\nK=2\nm=3", "", r#"profile a{k="2" m="3"} profile b{}"#);
    reads("[profile a]\nk=1\nl=1", "[a]\nK=2\nm=2", r#"profile a{k="2" l="1" m="2"}"#);
    reads("[profile a]\ns3 =\n a=1\n b=1", "[a]\ns3 =\n b=2", r#"profile a{s3="\nb=2"}"#);
    reads("[profile a]\nk=1\n c\nk=2", "", r#"profile a{k="2"}"#);
    reads("[sso-session a]\nk=1\n[sso-session a]\nl=1", "[a]\nk=2", r#"profile a{k="2"} sso-session a{k="1" l="1"}"#);
}

#[test]
fn the_prefixed_default_profile_replaces_the_other_one_in_its_file() {
    for config in ["[default]\na=1\n[profile default]\nb=2", "[profile default]\nb=2\n[default]\na=1"] {
        reads(config, "", r#"profile default{b="2"}"#);
        reads(config, "[default]\nc=3", r#"profile default{b="2" c="3"}"#);
    }
    reads(
        "[default]\na=1\n[profile b]\n[default]\nb=2",
        "[default]\na=3",
        r#"profile b{} profile default{a="3" b="2"}"#,
    );
    reads("[default]\na=1\n[profile \"default\"]", "", "profile default{}");
}

#[test]
fn indented_lines_continue_a_value() {
    reads("[default]\nk = a\n b\n\t c \n\n \n  d", "", r#"profile default{k="a\nb\nc\nd"}"#);
    reads("[default]\nk = a # c\n b # d\nl=1", "", r#"profile default{k="a\nb # d" l="1"}"#);
    reads("[default]\nk = a\n b=c\n [d]\n", "", r#"profile default{k="a\nb=c\n[d]"}"#);
    reads("[default]\nk = a\n# c\n b", "", r#"profile default{k="a\nb"}"#);
    // An ignored key is continued, too.
    reads("[default]\na b = a\n b\nl=1", "", r#"profile default{l="1"}"#);
}

#[test]
fn an_empty_value_is_followed_by_nested_keys() {
    let text = "[profile a]\nS3 =\n  Addressing_Style = path\n\n  x y = # 1\n  z=\n  a=b=c\n  z = 2\nk=1\n b=2";
    reads(text, "", r#"profile a{k="1\nb=2" s3="\nAddressing_Style = path\nx y = # 1\nz=\na=b=c\nz = 2"}"#);
    let profiles = parse(text, "").unwrap();
    let profile = profiles.profile("a").unwrap();
    assert_eq!(profile.get_nested("s3", "addressing_style"), Some("path"));
    assert_eq!(profile.get_nested("s3", "a"), Some("b=c"));
    assert_eq!(profile.get_nested("s3", "z"), Some("2"));
    assert_eq!(profile.get_nested("s3", "b"), None);
    assert_eq!(profile.get_nested("s4", "a"), None);
    // Continued, not nested.
    assert_eq!(profile.get_nested("k", "b"), None);
}

#[test]
fn what_cannot_be_read_is_an_error_with_its_line() {
    let no_section = "there is no section above this line";
    let no_equals = "this line has no =";
    let no_key = "there is no key before the =";
    let unclosed = "a section must end with ]";
    let no_value = "an indented line continues the value above it, but there is none";
    for (text, line, problem) in [
        ("k=v", 1, no_section),
        ("\n# c\nk", 3, no_section),
        ("[default]\nk: v", 2, no_equals),
        ("[default]\n\nk # a=b", 3, no_equals),
        ("[default]\n\n=v", 3, no_key),
        ("[default]\n \t= v\n", 2, no_value),
        ("[default]\nk=\n = v", 3, no_key),
        ("[default]\nk=\n v", 3, no_equals),
        ("[default]\nk=\n a=b\n v # c=d", 4, no_equals),
        ("[a]\nk=\n v", 3, no_equals),
        ("[default", 1, unclosed),
        ("[default # ]", 1, unclosed),
        ("[default] a", 1, unclosed),
        ("[", 1, unclosed),
        (" k=v", 1, no_value),
        ("[default]\n v", 2, no_value),
        ("[default]\nk=v\n[default]\n v", 4, no_value),
    ] {
        refuses(text, "", &format!("config:{line}: {problem}"));
        refuses("", text, &format!("credentials:{line}: {problem}"));
        refuses(&text.replace('\n', "\r\n"), "", &format!("config:{line}: {problem}"));
        assert!(matches!(parse(text, "").unwrap_err(), ProfileError::Syntax { .. }));
    }
    refuses("k=v", "", "config:1: there is no section above this line; write [default] or [profile NAME]");
    refuses("", "k=v", "credentials:1: there is no section above this line; write [default] or [NAME]");
}

#[test]
fn an_indented_comment_is_skipped_where_it_continues_nothing() {
    reads("  # c\n[default]\n  ; c\nk=v", "", r#"profile default{k="v"}"#);
    reads("[default]\ns3 =\n  # a=b\n  c=d\n  # e", "", r#"profile default{s3="\nc=d"}"#);
    warns("[default]\ns3 =\n  # a=b", "", "config:3: the AWS SDKs reject a file with an indented comment here");
    // As AWS's SDKs read it.
    reads("[default]\nk = v\n  # c", "", r##"profile default{k="v\n# c"}"##);
    warns("[default]\nk = v\n  # c", "", "config:3: a comment in an indented line is part of the value");
}

#[test]
fn comments_that_tools_read_differently_are_warned_of() {
    let cut = "config:2: the AWS SDKs ignore the comment after the value, but the AWS CLI reads it";
    for line in ["region = us-east-1 # home", "region = us-east-1\t;", "k = # c", "credential_process = a # b"] {
        warns(&format!("[default]\n{line}"), "", cut);
    }
    let kept = "config:2: without white space before it, # or ; is part of the value";
    for line in ["region = us-east-1# home", "region=us-east-1; home", "region = us-east-1;", "k=a;b;\tc"] {
        warns(&format!("[default]\n{line}"), "", kept);
    }
    for line in [
        "sso_start_url = https://a.example/start#/",
        "sso_start_url = https://a.example/start#",
        "k = a;b#c",
        "k =#a",
        "credential_process = sh -c \"a; b\"",
        "credential_process = a\n  b # c",
        "# region = us-east-1 # home",
    ] {
        assert_eq!(warnings(&format!("[default]\n{line}"), ""), [""; 0], "{line}");
    }
    warns("[default]\nk = v\n w ; c", "", "config:3: a comment in an indented line is part of the value");
}

#[test]
fn sections_and_keys_that_are_ignored_are_warned_of() {
    warns("\n[dev]\nregion = a # b", "", "config:2: [dev] is ignored in the config file; write [profile dev]");
    warns("", "[profile dev]", "credentials:1: [profile dev] is ignored in the credentials file; write [dev]");
    warns("", "[sso-session a]", "credentials:1: the section is ignored in the credentials file; move it");
    warns("[sso-sesion a]", "", "config:1: the section is ignored: in the config file sections are [default],");
    warns("[profile a b]", "", "config:1: the section is ignored: names may contain only letters, digits and");
    warns("", "[a b]", "credentials:1: the section is ignored: names may contain only letters, digits and");
    warns("[default]\n[profile default]", "", "config:1: [default] is ignored, because there is a [profile default]");
    warns("[default]\na b = c", "", "config:2: the key is ignored: keys may contain only letters, digits and");
    assert_eq!(warnings("[plugins]\na b=c\n[preview]\n", "[default]\n[profile.x]"), [""; 0]);
    assert_eq!(warnings(&"[a]\n".repeat(5000), &"[b c]\n".repeat(5000)).len(), Profiles::MAX_WARNINGS);
}

#[test]
fn nothing_shows_a_value() {
    let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    for line in [
        format!("aws_secret_access_key: {secret}"),
        format!("aws_secret_access_key {secret}"),
        format!("[{secret}"),
        format!("={secret}"),
        format!(" {secret}"),
        format!("k=\n {secret}"),
    ] {
        let error = parse("", &format!("[default]\n{line}")).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{line}");
    }
    for line in [
        format!("aws_secret_access_key = {secret} # c"),
        format!("aws_secret_access_key = {secret}# c"),
        format!("aws_secret_access_key = {secret}\n {secret} # c"),
        format!("{secret} c = d"),
        format!("[{secret} c]"),
    ] {
        let profiles = parse("", &format!("[default]\n{line}")).unwrap();
        assert_eq!(profiles.warnings().len(), 1, "{line}");
        assert!(!profiles.warnings()[0].to_string().contains(secret), "{line}");
        assert!(!format!("{profiles:?} {:?}", profiles.profile("default")).contains(secret), "{line}");
    }
}

#[test]
fn warnings_are_in_the_report() {
    let mut world = World::new(&[]).config("[default]\nregion = us-east-1 # home");
    world.files.insert(
        "/home/u/.aws/credentials".into(),
        b"[default]\naws_access_key_id=AKID\naws_secret_access_key=s".into(),
    );
    let resolved = world.resolve().unwrap();
    assert_eq!(resolved.region.as_deref(), Some("us-east-1"));
    let warning = resolved.report.entries().find_map(|(source, outcome)| match outcome {
        Outcome::Warning(text) if source == SourceKind::Profile => Some(text.clone()),
        _ => None,
    });
    assert!(warning.unwrap().starts_with("/home/u/.aws/config:2: the AWS SDKs ignore the comment after the value"));
}

const LINES: [&str; 40] = [
    "[profile a]",
    "[profile a]",
    "[default]",
    "[profile default]",
    "[sso-session a]",
    "[services a]",
    "[b]",
    "[b] # c",
    "[profile 'a b']",
    "[a b]",
    "[ profile  \"a b\" ];",
    "[x y]",
    "",
    "",
    " \t",
    "# c",
    "; c = d",
    " # c",
    "k=v",
    "k = w # c",
    "K\t=\tx; c",
    "l = ",
    "l =",
    "s3 =",
    "s3 =",
    " a = b",
    " a = b",
    "\ta=c # d",
    "  w",
    "region = r",
    "role_arn = a",
    "source_profile = b",
    "source_profile = a b",
    "sso_session = a",
    "aws_access_key_id = k",
    "aws_secret_access_key = s",
    "credential_process = x \u{1b}",
    "a b = c",
    "ü = ü",
    "k",
];
const PIECES: [&str; 15] = ["[", "]", "=", "#", ";", " ", "\t", "\"", "'", "\\", "profile", "a", "ü", "\u{1b}", "\r"];

/// Lines that can mostly be read, after a first section.
fn random_file(random: &mut Random) -> String {
    let mut text = String::from(random.pick(&["[default]\n", "[b]\n", "[profile a]\n", ""]));
    for _ in 0..random.below(12) {
        match random.below(20) {
            0 => text.push_str(random.text(&PIECES, 8).trim_end_matches('\r')),
            _ => text.push_str(random.pick(&LINES)),
        }
        text.push('\n');
    }
    text
}

#[test]
fn random_text_is_read_the_same_with_either_line_end_and_twice() {
    let mut random = Random(7);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..8_000 {
        let (config, credentials) = (random_file(&mut random), random_file(&mut random));
        let crlf = |text: &str| text.replace('\n', "\r\n");
        // The section between them keeps a line from continuing the value above.
        let twice = |text: &str| format!("{text}\n[x y]\n{text}");
        let once = parse(&config, &credentials);
        let once_crlf = parse(&crlf(&config), &crlf(&credentials));
        match &once {
            Ok(profiles) => {
                read += 1;
                assert_eq!(shown(&once_crlf.unwrap()), shown(profiles), "{config:?} {credentials:?}");
                let again = parse(&twice(&config), &twice(&credentials)).unwrap();
                assert_eq!(shown(&again), shown(profiles), "{config:?} {credentials:?}");
                for warning in profiles.warnings() {
                    let text = if warning.path == "config" { &config } else { &credentials };
                    assert!((1..=text.lines().count()).contains(&warning.line));
                    assert!(!warning.to_string().contains(char::is_control));
                }
                let names: Vec<&str> = profiles.profiles().map(Section::name).collect();
                for name in names {
                    if let Err(error) = profiles.chain(name) {
                        assert!(!error.to_string().contains(char::is_control));
                    }
                }
            }
            Err(error) => {
                refused += 1;
                assert_eq!(error, &once_crlf.unwrap_err(), "{config:?} {credentials:?}");
                let ProfileError::Syntax { path, line, .. } = error else { panic!("{error}") };
                let text = if path == "config" { &config } else { &credentials };
                // The error is at that line: what is above it can be read.
                let first = |lines: usize| text.split_inclusive('\n').take(lines).collect::<String>();
                let read = |text: &str| match path.as_str() {
                    "config" => parse(text, ""),
                    _ => parse(&config, text),
                };
                assert!(read(&first(line - 1)).is_ok(), "{config:?} {credentials:?}");
                assert_eq!(&read(&first(*line)).unwrap_err(), error, "{config:?} {credentials:?}");
            }
        }
    }
    assert!(read > 1000 && refused > 1000, "{read} {refused}");
}

#[test]
fn large_files_take_no_longer_than_their_size() {
    let many_sections: String = (0..40_000).map(|number| format!("[profile p{number}]\nk=v\n")).collect();
    assert_eq!(parse(&many_sections, "").unwrap().profiles().count(), 40_000);
    let one_section = "[profile a]\nk=v\nl=w\n".repeat(40_000);
    reads(&one_section, "", r#"profile a{k="v" l="w"}"#);
    let long_value = format!("[default]\nk=v\n{}", " w\n".repeat(300_000));
    assert_eq!(parse(&long_value, "").unwrap().profile("default").unwrap().get("k").unwrap().len(), 600_001);
    let hashes = format!("[default]\nk={}", "#".repeat(1 << 20));
    assert_eq!(parse(&hashes, "").unwrap().profile("default").unwrap().get("k").unwrap().len(), 1 << 20);
    let keys: String = (0..90_000).map(|number| format!("k{number}=v\n")).collect();
    assert_eq!(parse(&format!("[default]\n{keys}"), "").unwrap().profile("default").unwrap().keys().count(), 90_000);
    refuses(&format!("[profile '{}", "\\\"".repeat(1 << 19)), "", "config:1: a section must end with ]");
}
