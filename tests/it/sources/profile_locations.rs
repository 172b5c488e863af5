//! Where the configuration files are.

use countersign::sources::{Environment, Locations, Outcome, Resolver, SourceError};

use super::world::World;

fn paths(variables: &[(&str, &str)]) -> [String; 2] {
    let locations = Locations::of(&Environment::new(variables.iter().copied()));
    [locations.config().to_owned(), locations.credentials().to_owned()]
}

fn windows(variables: &[(&str, &str)]) -> [String; 2] {
    let locations = Locations::of(&Environment::new(variables.iter().copied()).for_windows());
    [locations.config().to_owned(), locations.credentials().to_owned()]
}

#[test]
fn the_files_are_in_the_home_directory() {
    let expected = ["/home/u/.aws/config", "/home/u/.aws/credentials"];
    assert_eq!(paths(&[("HOME", "/home/u")]), expected);
    assert_eq!(paths(&[("HOME", "/home/u//"), ("USERPROFILE", "/x")]), expected);
    assert_eq!(paths(&[("HOME", "/home/u"), ("AWS_CONFIG_FILE", " "), ("AWS_SHARED_CREDENTIALS_FILE", "")]), expected);
    assert_eq!(paths(&[("HOME", "/")]), ["/.aws/config", "/.aws/credentials"]);
    let expected = [r"C:\u\.aws\config", r"C:\u\.aws\credentials"];
    assert_eq!(windows(&[("HOME", r"C:\u"), ("USERPROFILE", r"C:\x")]), expected);
    assert_eq!(windows(&[("USERPROFILE", r"C:\u\"), ("HOMEDRIVE", "D:"), ("HOMEPATH", r"\x")]), expected);
    assert_eq!(windows(&[("HOME", ""), ("HOMEDRIVE", "C:"), ("HOMEPATH", r"\u")]), expected);
}

#[test]
fn a_tilde_at_the_start_of_a_path_is_the_home_directory() {
    let with = |path: &str| {
        let variables = [("HOME", "/home/u"), ("AWS_CONFIG_FILE", path), ("AWS_SHARED_CREDENTIALS_FILE", path)];
        let [config, credentials] = paths(&variables);
        assert_eq!(config, credentials);
        config
    };
    for (path, expected) in [
        ("~/a/b", "/home/u/a/b"),
        ("~", "/home/u"),
        ("~//a", "/home/u/a"),
        ("~a/b", "~a/b"),
        ("/a/~/b", "/a/~/b"),
        ("a/b", "a/b"),
        (r"~\a", r"~\a"),
    ] {
        assert_eq!(with(path), expected);
    }
    let locations = Locations::of(&Environment::new([("USERPROFILE", r"C:\u")]).for_windows());
    assert_eq!(locations.expand("~/a/b"), r"C:\u\a\b");
    assert_eq!(locations.expand(r"~\a\b"), r"C:\u\a\b");
    assert_eq!(locations.expand(r"D:/a"), "D:/a");
}

#[test]
fn without_a_home_directory_no_file_is_read_and_the_report_says_why() {
    for variables in [&[][..], &[("USERPROFILE", "/x"), ("HOMEDRIVE", "/y"), ("HOMEPATH", "/z")], &[("HOME", " ")]] {
        assert_eq!(paths(variables), ["~/.aws/config", "~/.aws/credentials"]);
    }
    assert_eq!(windows(&[("HOMEDRIVE", "C:")]), [r"~\.aws\config", r"~\.aws\credentials"]);
    let mut world = World::new(&[]).file("~/.aws/config", "[default]\ncredential_process = evil");
    world.variables.clear();
    let error = world.resolve().unwrap_err();
    let warnings: Vec<&str> = error
        .report()
        .entries()
        .filter_map(|(_, outcome)| match outcome {
            Outcome::Warning(text) => Some(text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(warnings[0], "~/.aws/config is not read: the home directory isn't known; set HOME");
    assert_eq!(warnings[1], "~/.aws/credentials is not read: the home directory isn't known; set HOME");
    assert!(!world.log.iter().any(|line| line.contains('~')), "{:?}", world.log);
}

#[test]
fn a_profile_that_the_environment_chose_and_that_does_not_exist_is_an_error_that_says_so() {
    let mut world = World::new(&[("AWS_PROFILE", "prod")]).config("[dev]\n[profile test]");
    let error = world.resolve().unwrap_err();
    assert_eq!(error.to_string(), "profile: profile prod does not exist (AWS_PROFILE names it); the profiles are test");
    let resolver = Resolver::new(world.environment()).with_profile("dev");
    let error = world.resolve_with(&resolver).unwrap_err();
    assert!(matches!(error.error(), SourceError::Profile(_)));
    assert_eq!(
        error.to_string(),
        "profile: profile dev does not exist; /home/u/.aws/config:1: [dev] is ignored in the config file; write \
         [profile dev]"
    );
}
