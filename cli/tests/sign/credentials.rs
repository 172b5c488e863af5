use serde_json::Value;

use crate::support::{DATE, ID, SECRET, TOKEN, bare, cli, expiring, temporary};

#[test]
fn the_report_has_no_secret() {
    let ran = temporary("credentials").var("AWS_REGION", "eu-west-1").run();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert_eq!(
        ran.stdout,
        "Access key id AKIDEXAMPLE (temporary)\n\
         Source        environment\n\
         Account       not known\n\
         Expires       not known: the source doesn't say it\n\
         Region        eu-west-1\n\
         Tried         environment: gave AKIDEXAMPLE\n"
    );
    assert!(!ran.stdout.contains(TOKEN));
    let text = cli("credentials").output();
    assert!(text.contains("(long-term)") && text.contains("Expires       never"), "{text}");
}

#[test]
fn a_profile_and_what_was_tried_before_it() {
    let directory = tempfile::tempdir().unwrap();
    let config = format!(
        "[profile dev]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\naws_account_id = 111122223333\n\
         region = eu-west-3\n"
    );
    let text = bare("credentials").config(directory.path(), &config).var("AWS_PROFILE", "dev").output();
    assert!(text.contains("Source        static keys\nAccount       111122223333\n"), "{text}");
    assert!(text.contains("Region        eu-west-3\nTried         environment: skipped, "), "{text}");
    let command = bare("credentials --profile dev --format process").config(directory.path(), &config).shows_secret();
    let json: Value = serde_json::from_str(&command.output()).unwrap();
    let expected = serde_json::json!({
        "Version": 1, "AccessKeyId": ID, "SecretAccessKey": SECRET, "AccountId": "111122223333",
    });
    assert_eq!(json, expected);
    bare("credentials --profile nope").config(directory.path(), &config).fails(1, "nope");
}

/// What one invocation prints, another one reads, as AWS's tools do.
#[cfg(unix)]
#[test]
fn it_is_a_credential_process() {
    let directory = tempfile::tempdir().unwrap();
    let program = env!("CARGO_BIN_EXE_countersign");
    let config = format!(
        "[profile keys]\naws_access_key_id = {ID}\naws_secret_access_key = {SECRET}\naws_session_token = {TOKEN}\n\
         [profile other]\ncredential_process = \"{program}\" credentials --profile keys --format process\n"
    );
    let text = bare("credentials --profile other").config(directory.path(), &config).output();
    assert!(text.contains("AKIDEXAMPLE (temporary)\nSource        credential_process\n"), "{text}");
    let url = "https://abc.execute-api.us-east-1.amazonaws.com/dev";
    let headers = bare(&format!("sign --profile other {url}")).config(directory.path(), &config).output();
    assert!(headers.contains(&format!("x-amz-security-token: {TOKEN}")), "{headers}");
}

/// A profile whose command asks for the same profile, directly or by way of another one, would start processes for ever.
#[cfg(unix)]
#[test]
fn a_process_that_asks_for_itself_ends() {
    let directory = tempfile::tempdir().unwrap();
    let process = |of: &str| {
        let program = env!("CARGO_BIN_EXE_countersign");
        format!("credential_process = \"{program}\" credentials --profile {of} --format process\n")
    };
    let config = format!("[profile dev]\n{}[profile a]\n{}[profile b]\n{}", process("dev"), process("b"), process("a"));
    for profile in ["dev", "a"] {
        let ran = bare(&format!("credentials --profile {profile}"))
            .config(directory.path(), &config)
            .fails(1, &format!("was started for profile {profile} and needs"));
        assert!(ran.stderr.len() < 4000, "{}", ran.stderr);
    }
    let url = "https://abc.execute-api.us-east-1.amazonaws.com/dev";
    bare(&format!("sign --profile dev {url}"))
        .config(directory.path(), &config)
        .fails(1, "was started for profile dev");
}

#[test]
fn json_has_everything() {
    let json: Value = serde_json::from_str(&temporary("credentials --format json").shows_secret().output()).unwrap();
    assert_eq!((json["access_key_id"].as_str(), json["secret_access_key"].as_str()), (Some(ID), Some(SECRET)));
    assert_eq!((json["session_token"].as_str(), json["source"].as_str()), (Some(TOKEN), Some("environment")));
    assert_eq!(json["tried"][0]["outcome"], "used");
    assert_eq!(json["expires_at"], Value::Null);
}

/// A shell reads what `--format env` writes, whatever the values contain, and old variables are gone.
#[cfg(unix)]
#[test]
fn a_shell_reads_the_variables() {
    let directory = tempfile::tempdir().unwrap();
    let secret = "$(touch${IFS}pwned)`touch${IFS}pwned`'\"\\!;&|";
    let command = bare("credentials --format env").var("AWS_ACCESS_KEY_ID", ID).var("AWS_SECRET_ACCESS_KEY", secret);
    let commands = command.shows_secret().output();
    let script = format!("{commands}\nprintf '%s|%s' \"$AWS_SECRET_ACCESS_KEY\" \"${{AWS_SESSION_TOKEN-unset}}\"");
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(directory.path())
        .env("AWS_SESSION_TOKEN", "of other credentials")
        .output()
        .unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("{secret}|unset"));
    assert!(!directory.path().join("pwned").exists());

    // The same text is accepted on standard input.
    let commands = temporary("credentials --format env").shows_secret().run().stdout;
    let text = bare("credentials --credentials-stdin").stdin(commands).output();
    assert!(text.contains("AKIDEXAMPLE (temporary)\nSource        standard input\n"), "{text}");
}

#[test]
fn the_end_is_kept_and_said() {
    let json = bare("credentials --credentials-stdin --format process").stdin(expiring("2999-01-01T00:00:00Z"));
    assert!(json.shows_secret().output().contains("\"Expiration\":\"2999-01-01T00:00:00Z\""));
    let ran = bare("credentials --credentials-stdin").stdin(expiring("2015-08-30T12:36:00Z")).run();
    assert!(ran.stdout.contains("Expires       2015-08-30T12:36:00Z (expired)"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "warning: these credentials have expired; servers refuse them\n");
}

#[test]
fn there_may_be_none() {
    bare("credentials").fails(1, "no credentials are configured");
    bare("credentials --format process").fails(1, "no credentials are configured");
    bare("credentials").var("AWS_ACCESS_KEY_ID", ID).fails(1, "AWS_SECRET_ACCESS_KEY is not; set both or neither");
    let blank = bare("credentials").var("AWS_ACCESS_KEY_ID", " ").var("AWS_SECRET_ACCESS_KEY", "");
    blank.fails(1, "no credentials are configured");
    let blank = cli("credentials").var("AWS_ACCESS_KEY_ID", "");
    blank.fails(1, "AWS_ACCESS_KEY_ID is not (it is blank)");
    bare("credentials --credentials-stdin").stdin(SECRET).fails(2, "ID:SECRET");
    bare("credentials --credentials-stdin").stdin(format!("{{\"SecretAccessKey\":\"{SECRET}\"")).fails(2, "JSON");
    bare("credentials --session-token").arg(TOKEN).fails(2, "--session-token needs");
    cli(&format!("credentials --date {DATE}")).fails(2, "--date");
}
