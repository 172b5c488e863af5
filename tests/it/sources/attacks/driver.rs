//! Real files and commands that do what they should not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use countersign::Timestamp;
use countersign::sources::{AskError, AskErrorKind, Environment, HttpAsk, ResolveError, Resolved, Resolver};

use crate::sources::world::response;

/// A home directory of its own, which is removed at the end.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("countersign-attacks-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(home.path(".aws/sso/cache")).unwrap();
        home
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn config(self, text: &str) -> Self {
        fs::write(self.path(".aws/config"), text).unwrap();
        self
    }

    fn environment(&self, variables: &[(&str, &str)]) -> Environment {
        let home = [("HOME", self.0.to_str().unwrap()), ("AWS_EC2_METADATA_DISABLED", "true")];
        Environment::new(home.into_iter().chain(variables.iter().copied()))
    }

    fn resolve(&self, variables: &[(&str, &str)]) -> Result<Resolved, ResolveError> {
        Resolver::new(self.environment(variables)).resolve(offline)
    }

    /// With this script as its `credential_process`, whose first argument is the home directory.
    fn script(self, script: &str) -> Self {
        fs::write(self.path("script"), script).unwrap();
        let path = self.0.display();
        let config = format!("[default]\ncredential_process = sh {path}/script {path}\n");
        self.config(&config)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn offline(_: HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> {
    Err(AskError::new(AskErrorKind::NotConnected, "offline"))
}

const PRINTS: &str = r#"echo '{"Version":1,"AccessKeyId":"AKIDPROCESS","SecretAccessKey":"theSecret"}'"#;

/// Runs something that has to end within this time.
#[track_caller]
fn within<T>(seconds: u64, run: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = run();
    assert!(start.elapsed() < Duration::from_secs(seconds), "{:?}", start.elapsed());
    result
}

#[test]
fn a_pipe_to_which_nobody_writes_is_an_error_that_names_it() {
    let home = Home::new();
    let pipe = home.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let pipe = pipe.to_str().unwrap();
    let error = within(20, || home.resolve(&[("AWS_CONFIG_FILE", pipe)])).unwrap_err();
    assert!(error.to_string().contains(pipe) && error.to_string().contains("is a pipe or a device"), "{error}");
    // Nor does a thread wait for ever, so that a program that tries again and again doesn't run out of them.
    let waits = || {
        let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let names = threads.filter_map(|thread| fs::read_to_string(thread.path().join("comm")).ok());
        names.filter(|name| name.trim() == "countersign-fs").count() > 0
    };
    let start = Instant::now();
    while waits() {
        assert!(start.elapsed() < Duration::from_secs(30), "a thread is left");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_pipe_is_read_like_a_file() {
    let home = Home::new();
    let pipe = home.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let text = "[default]\naws_access_key_id = AKIDPIPE\naws_secret_access_key = theSecret\n";
    std::thread::scope(|scope| {
        scope.spawn(|| fs::write(&pipe, text));
        let resolved = home.resolve(&[("AWS_SHARED_CREDENTIALS_FILE", pipe.to_str().unwrap())]).unwrap();
        assert_eq!(resolved.credentials.access_key_id(), "AKIDPIPE");
    });
}

#[test]
fn devices_and_directories_are_not_read_without_end() {
    let home = Home::new();
    let directory = home.path("").to_str().unwrap().to_owned();
    for (path, expected) in [("/dev/zero", "larger than 1024 KiB"), (&directory, "directory")] {
        let error = within(20, || home.resolve(&[("AWS_CONFIG_FILE", path)])).unwrap_err();
        assert!(error.to_string().contains(path) && error.to_string().contains(expected), "{error}");
    }
    let error = home.resolve(&[("AWS_CONFIG_FILE", "/dev/null")]).unwrap_err();
    assert_eq!(error.kind(), None, "{error}");
}

#[test]
fn a_process_that_a_command_leaves_behind_does_not_delay_its_credentials() {
    let home = Home::new().script(&format!("sleep 15 &\n{PRINTS}"));
    let resolved = within(10, || home.resolve(&[])).unwrap();
    assert_eq!(resolved.credentials.access_key_id(), "AKIDPROCESS");
    let home = Home::new().script("sleep 15 &\necho no >&2\nexit 3");
    let error = within(10, || home.resolve(&[])).unwrap_err();
    assert!(error.to_string().ends_with("failed with exit code 3: no"), "{error}");
}

#[test]
fn a_process_that_goes_on_flooding_ends_with_the_command() {
    let home = Home::new().script(&format!("yes >&2 &\necho $! > \"$1/yes\"\n{PRINTS}"));
    within(10, || home.resolve(&[])).unwrap();
    let process = Path::new("/proc").join(fs::read_to_string(home.path("yes")).unwrap().trim());
    let is_running = || {
        let state = fs::read_to_string(process.join("stat")).unwrap_or_default();
        state.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
    };
    let start = Instant::now();
    while is_running() {
        assert!(start.elapsed() < Duration::from_secs(10), "it goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_command_that_floods_is_ended() {
    let home = Home::new().script("exec yes");
    let error = within(10, || home.resolve(&[])).unwrap_err();
    assert!(error.to_string().contains("printed more than 64 KiB"), "{error}");
    let home = Home::new().script(&format!("head -c 1000000 /dev/zero >&2\n{PRINTS}"));
    within(10, || home.resolve(&[])).unwrap();
    let home = Home::new().script(&format!("exec 2>&-\n{PRINTS}\nexec 1>&-\nsleep 1"));
    within(10, || home.resolve(&[])).unwrap();
}

/// A session that has to be refreshed, and a service that does so.
fn session(home: &Home) -> (Resolver, PathBuf) {
    let name = "a0f1490a20d0211c997b44bc357e1972deab8ae3.json";
    let file = home.path(".aws/sso/cache").join(name);
    let soon = Timestamp::now().saturating_add(60).unix_seconds();
    let soon = Timestamp::from_unix_seconds(soon).unwrap();
    let text = soon.as_str();
    let soon =
        format!("{}-{}-{}T{}:{}:{}Z", &text[..4], &text[4..6], &text[6..8], &text[9..11], &text[11..13], &text[13..15]);
    let token = format!(
        r#"{{"accessToken":"old","expiresAt":"{soon}","refreshToken":"oldRefresh","clientId":"id","clientSecret":"secret","registrationExpiresAt":"2099-01-01T00:00:00Z"}}"#
    );
    fs::write(&file, token).unwrap();
    (Resolver::new(home.environment(&[])), file)
}

fn service(ask: HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> {
    Ok(match ask.request.uri().path() {
        "/token" => response(200, r#"{"accessToken":"new","expiresIn":3600,"refreshToken":"newRefresh"}"#),
        _ => response(
            200,
            r#"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"s","sessionToken":"t","expiration":4070908800000}}"#,
        ),
    })
}

const SSO: &str = "[default]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = r\n[sso-session s]\n\
                   sso_start_url = https://x.example/start\nsso_region = eu-west-1\n";

// Containers that share a home directory all run as process 1.
#[test]
fn temporary_files_of_other_programs_are_not_in_the_way_and_stay() {
    let home = Home::new().config(SSO);
    let (resolver, file) = session(&home);
    let name = file.file_name().unwrap().to_str().unwrap();
    let others = (0..1000).map(|n| file.with_file_name(format!(".{name}.{}.{n}.tmp", std::process::id())));
    let others: Vec<PathBuf> = others.collect();
    others.iter().for_each(|path| fs::write(path, "another program's").unwrap());
    let resolved = resolver.resolve(service).unwrap();
    assert!(!resolved.report.to_string().contains("warning"), "{}", resolved.report);
    let written = fs::read_to_string(&file).unwrap();
    assert!(written.contains("newRefresh") && !written.contains("oldRefresh"), "{written}");
    assert!(others.iter().all(|path| path.exists()));
    assert_eq!(fs::read_dir(file.parent().unwrap()).unwrap().count(), 1001);
}

#[test]
fn a_session_is_written_with_mode_0600_and_through_a_symbolic_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let home = Home::new().config(SSO);
    let (resolver, file) = session(&home);
    let real = home.path("real.json");
    fs::rename(&file, &real).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o666)).unwrap();
    symlink(&real, &file).unwrap();
    resolver.resolve(service).unwrap();
    assert!(fs::symlink_metadata(&file).unwrap().is_symlink());
    assert!(fs::read_to_string(&real).unwrap().contains("newRefresh"));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_question_for_a_code_blocks_no_task() {
    let config = "[default]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = default\nmfa_serial = m\n\
                  aws_access_key_id = AKID\naws_secret_access_key = s\nregion = eu-west-1\n";
    let home = Home::new().config(config);
    let (sender, answered) = std::sync::mpsc::channel::<()>();
    let answered = std::sync::Mutex::new(answered);
    // The user answers only after another task has run on the only thread.
    let resolver = Resolver::new(home.environment(&[])).with_mfa_code(move |_| {
        let waited = answered.lock().unwrap().recv_timeout(Duration::from_secs(10));
        waited.map(|()| "123456".into()).map_err(|error| AskError::new(AskErrorKind::TimedOut, error.to_string()))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(async move {
        tokio::spawn(async move { sender.send(()).unwrap() });
        resolver.resolve_async(async |ask| offline(ask)).await.unwrap_err()
    });
    assert!(error.to_string().contains("no answer from https://sts.eu-west-1.amazonaws.com/"), "{error}");
}
