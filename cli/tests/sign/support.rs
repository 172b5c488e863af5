//! Runs the command as a shell does, and checks that it doesn't tell secrets.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

pub const ID: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const TOKEN: &str = "FwoGZXIvYXdz+EXAMPLE/TOKEN==";
pub const DATE: &str = "20150830T123600Z";

/// No command of these tests takes longer.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A command line with its environment. Nothing of the environment of the tests is passed on.
pub struct Cli {
    arguments: Vec<String>,
    variables: BTreeMap<String, String>,
    stdin: Vec<u8>,
    shows_secret: bool,
}

pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// With long-term credentials in the environment.
pub fn cli(arguments: &str) -> Cli {
    bare(arguments).var("AWS_ACCESS_KEY_ID", ID).var("AWS_SECRET_ACCESS_KEY", SECRET)
}

/// With temporary credentials in the environment.
pub fn temporary(arguments: &str) -> Cli {
    cli(arguments).var("AWS_SESSION_TOKEN", TOKEN)
}

/// Without credentials. The arguments are split at spaces.
pub fn bare(arguments: &str) -> Cli {
    let variables = [("HOME", "/nonexistent"), ("AWS_EC2_METADATA_DISABLED", "true"), ("NO_PROXY", "*")];
    Cli {
        arguments: arguments.split_whitespace().map(Into::into).collect(),
        variables: variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        stdin: Vec::new(),
        shows_secret: false,
    }
}

impl Cli {
    /// Adds one argument, which may contain spaces.
    pub fn arg(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub fn args<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub fn var(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Uses a configuration file with this text, in this directory.
    pub fn config(self, directory: &Path, text: &str) -> Self {
        let path = directory.join("config");
        std::fs::write(&path, text).unwrap();
        self.var("AWS_CONFIG_FILE", path.to_str().unwrap())
    }

    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Standard output may contain the secret.
    pub fn shows_secret(mut self) -> Self {
        self.shows_secret = true;
        self
    }

    /// Runs the command. Whatever it does, it must not tell the secret, and only standard output may have the token.
    pub fn run(self) -> Ran {
        let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
            .args(&self.arguments)
            .env_clear()
            .envs(&self.variables)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may end before it reads.
        let _ = child.stdin.take().unwrap().write_all(&self.stdin);
        let start = Instant::now();
        let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let stdout = std::thread::spawn(move || std::io::read_to_string(&mut out).unwrap());
        let stderr = std::thread::spawn(move || std::io::read_to_string(&mut err).unwrap());
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if start.elapsed() > TIMEOUT {
                child.kill().unwrap();
                panic!("{:?} is still running", self.arguments);
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        let code = status.code().unwrap();
        for secret in [SECRET, TOKEN, "FwoGZXIvYXdz%2BEXAMPLE"] {
            assert!(!stderr.contains(secret), "{:?} tells a secret: {stderr}", self.arguments);
            let is_allowed = self.shows_secret || code == 0 && secret != SECRET;
            assert!(is_allowed || !stdout.contains(secret), "{:?} tells a secret: {stdout}", self.arguments);
        }
        Ran { code, stdout, stderr }
    }

    /// Runs a command that must succeed silently, and returns its standard output without the line feed at the end.
    pub fn output(self) -> String {
        let arguments = self.arguments.join(" ");
        let ran = self.run();
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments}");
        ran.stdout.strip_suffix('\n').expect("a line feed at the end").to_owned()
    }

    /// Runs a command that must fail with this code and print nothing but an error that contains `message`.
    pub fn fails(self, code: i32, message: &str) -> Ran {
        let arguments = self.arguments.join(" ");
        let ran = self.run();
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{arguments}: {}", ran.stderr);
        assert!(ran.stderr.contains(message), "{arguments}: {:?} is not in {}", message, ran.stderr);
        ran
    }
}

#[test]
fn the_check_for_secrets_works() {
    let ran = std::panic::catch_unwind(|| cli("credentials --format process").run());
    assert!(ran.is_err());
}

/// The test vectors of a file.
pub fn vectors(name: &str) -> Vec<serde_json::Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A command with the credentials, time, region and service of a vector.
pub fn of_vector(arguments: &str, vector: &serde_json::Value) -> Cli {
    let context = &vector["context"];
    let text = |name: &str| context[name].as_str().unwrap().to_owned();
    let mut cli = bare(arguments)
        .var("AWS_ACCESS_KEY_ID", text("access_key"))
        .var("AWS_SECRET_ACCESS_KEY", text("secret_key"))
        .args(["--date", &text("timestamp"), "--region", &text("region")]);
    if let Some(token) = context["session_token"].as_str() {
        cli = cli.var("AWS_SESSION_TOKEN", token);
    }
    cli
}

/// JSON that `--credentials-stdin` reads.
pub fn expiring(expires_at: &str) -> String {
    format!(
        r#"{{"Version":1,"AccessKeyId":"{ID}","SecretAccessKey":"{SECRET}","SessionToken":"{TOKEN}","Expiration":"{expires_at}"}}"#
    )
}

pub fn known() -> countersign::Credentials {
    countersign::Credentials::new(ID, SECRET).unwrap()
}
