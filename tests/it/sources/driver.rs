//! The files, commands and clock of this machine, as `Resolver::resolve` and `Resolver::resolve_async` use them.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use countersign::sources::{
    Ask, AskError, AskErrorKind, Environment, HttpAsk, ResolveError, Resolved, Resolver, SourceError, SourceKind,
};

const KEYS: &str = "[default]\naws_access_key_id = AKIDFILE\naws_secret_access_key = theSecret\n";

type Sent = Result<http::Response<Vec<u8>>, AskError>;
type Send = fn(HttpAsk) -> Sent;

fn offline(_: HttpAsk) -> Sent {
    Err(AskError::new(AskErrorKind::NotConnected, "offline"))
}

/// A home directory, which is removed at the end.
struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("countersign-driver-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = Self(std::env::temp_dir().join(name));
        fs::create_dir_all(home.0.join(".aws/sso/cache")).unwrap();
        home
    }

    fn with_config(text: &str) -> Self {
        let home = Self::new();
        fs::write(home.config(), text).unwrap();
        home
    }

    fn config(&self) -> PathBuf {
        self.0.join(".aws/config")
    }

    fn resolver(&self) -> Resolver {
        let home = self.0.display().to_string();
        Resolver::new(Environment::new([("HOME", home.as_str()), ("AWS_EC2_METADATA_DISABLED", "true")]))
    }

    fn resolve(&self) -> Result<Resolved, ResolveError> {
        self.resolver().resolve(offline)
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

#[track_caller]
fn unreadable(result: Result<Resolved, ResolveError>) -> AskError {
    match result.unwrap_err().error() {
        SourceError::Unreadable { error, .. } => error.clone(),
        error => panic!("{error}"),
    }
}

#[test]
fn files_are_read() {
    let home = Home::with_config(KEYS);
    let resolved = home.resolve().unwrap();
    assert_eq!((resolved.credentials.access_key_id(), resolved.source), ("AKIDFILE", SourceKind::StaticKeys));
    // A file that doesn't exist is empty, also if its folder doesn't exist or is a file.
    fs::remove_file(home.config()).unwrap();
    assert!(matches!(home.resolve().unwrap_err().error(), SourceError::NotConfigured { .. }));
    fs::remove_dir_all(home.0.join(".aws")).unwrap();
    assert!(matches!(home.resolve().unwrap_err().error(), SourceError::NotConfigured { .. }));
    fs::write(home.0.join(".aws"), "").unwrap();
    assert!(matches!(home.resolve().unwrap_err().error(), SourceError::NotConfigured { .. }));
}

#[test]
fn files_up_to_the_limit_are_read() {
    let home = Home::with_config(&(KEYS.to_owned() + &"#".repeat(Ask::MAX_FILE_BYTES - KEYS.len())));
    assert!(home.resolve().is_ok());
    fs::write(home.config(), KEYS.to_owned() + &"#".repeat(Ask::MAX_FILE_BYTES - KEYS.len() + 1)).unwrap();
    let error = unreadable(home.resolve());
    assert_eq!((error.kind(), error.to_string().as_str()), (AskErrorKind::TooLarge, "it is larger than 1024 KiB"));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_directory_or_a_forbidden_file_is_an_error() {
        let home = Home::new();
        fs::create_dir(home.config()).unwrap();
        assert_eq!(unreadable(home.resolve()).kind(), AskErrorKind::Other);
        fs::remove_dir(home.config()).unwrap();
        fs::write(home.config(), KEYS).unwrap();
        fs::set_permissions(home.config(), fs::Permissions::from_mode(0o000)).unwrap();
        // Root may read everything.
        if fs::read(home.config()).is_err() {
            assert_eq!(unreadable(home.resolve()).kind(), AskErrorKind::Other);
        }
    }

    /// Its length isn't known before it is read.
    #[test]
    fn an_endless_file_is_too_large() {
        let home = Home::new();
        symlink("/dev/zero", home.config()).unwrap();
        assert_eq!(unreadable(home.resolve()).kind(), AskErrorKind::TooLarge);
    }

    /// The hash of `corp`, the name of the SSO session.
    const CACHE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

    /// A home with an SSO session that has to be refreshed.
    fn sso() -> Home {
        let home = Home::with_config(
            "[default]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = dev\n\
             [sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.example/start\n",
        );
        let token = r#"{"accessToken":"old","expiresAt":"2020-01-01T00:00:00Z","refreshToken":"r","clientId":"c",
            "clientSecret":"s","registrationExpiresAt":"2126-01-01T00:00:00Z"}"#;
        fs::write(home.0.join(CACHE), token).unwrap();
        home
    }

    fn portal(ask: HttpAsk) -> Sent {
        let body = match ask.request.uri().path() {
            "/token" => r#"{"accessToken":"new","expiresIn":3600}"#,
            _ => {
                assert_eq!(ask.request.headers()["x-amz-sso_bearer_token"], "new");
                r#"{"roleCredentials":{"accessKeyId":"ASIASSO","secretAccessKey":"s","sessionToken":"t",
                    "expiration":4922985600000}}"#
            }
        };
        Ok(http::Response::new(body.into()))
    }

    fn files(folder: &Path) -> Vec<String> {
        let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_cache_file_is_replaced_by_one_that_only_its_owner_can_read() {
        let home = sso();
        let cache = home.0.join(CACHE);
        fs::set_permissions(&cache, fs::Permissions::from_mode(0o644)).unwrap();
        let mut old = fs::File::open(&cache).unwrap();
        let resolved = home.resolver().resolve(portal).unwrap();
        assert_eq!(resolved.credentials.access_key_id(), "ASIASSO");
        assert!(!resolved.report.to_string().contains("can't be written"), "{}", resolved.report);
        assert!(fs::read_to_string(&cache).unwrap().contains("\"new\""));
        assert_eq!(mode(&cache), 0o600);
        assert_eq!(files(cache.parent().unwrap()).len(), 1);
        // A program that has the file open still reads the whole old one.
        let mut text = String::new();
        std::io::Read::read_to_string(&mut old, &mut text).unwrap();
        assert!(text.contains("\"old\"") && text.ends_with('}'), "{text}");
    }

    #[test]
    fn a_cache_file_that_is_a_symbolic_link_stays_one() {
        let home = sso();
        let (cache, elsewhere) = (home.0.join(CACHE), home.0.join("elsewhere"));
        fs::create_dir(&elsewhere).unwrap();
        fs::rename(&cache, elsewhere.join("token")).unwrap();
        symlink("../../../elsewhere/token", &cache).unwrap();
        home.resolver().resolve(portal).unwrap();
        assert!(fs::symlink_metadata(&cache).unwrap().is_symlink());
        assert!(fs::read_to_string(elsewhere.join("token")).unwrap().contains("\"new\""));
        assert_eq!((mode(&elsewhere.join("token")), files(&elsewhere)), (0o600, vec!["token".to_owned()]));
        assert_eq!(files(cache.parent().unwrap()).len(), 1);
    }

    /// The file can't be replaced, since a folder has taken its place when it is written.
    #[test]
    fn a_failed_write_leaves_nothing_behind_and_is_a_warning() {
        let home = sso();
        let cache = home.0.join(CACHE);
        let resolved = home.resolver().resolve(|ask| {
            if ask.request.uri().path() == "/token" {
                fs::remove_file(&cache).unwrap();
                fs::create_dir_all(cache.join("full")).unwrap();
            }
            portal(ask)
        });
        let report = resolved.unwrap().report.to_string();
        assert!(report.contains("can't be written"), "{report}");
        assert_eq!(files(cache.parent().unwrap()).len(), 1);
        assert_eq!(files(&cache), ["full"]);
    }

    fn process(script: &str) -> Home {
        let home = Home::new();
        fs::write(home.0.join("script"), script).unwrap();
        let config = format!("[default]\ncredential_process = sh {}/script 'argument'\n", home.0.display());
        fs::write(home.config(), config).unwrap();
        home
    }

    const PRINTS: &str =
        r#"echo '{"Version":1,"AccessKeyId":"ASIAPROCESS","SecretAccessKey":"theSecret","SessionToken":"t"}'"#;

    /// What the command of a profile did wrong.
    #[track_caller]
    fn fails(home: &Home) -> String {
        let start = Instant::now();
        let error = home.resolve().unwrap_err();
        assert_eq!(error.kind(), Some(SourceKind::Process));
        assert!(start.elapsed() < Duration::from_secs(20), "it waited for the end of the command");
        error.to_string()
    }

    #[test]
    fn a_command_prints_credentials() {
        for script in [
            PRINTS.to_owned(),
            format!("test -z \"$(cat)\" && test \"$1\" = argument && {PRINTS}"),
            format!("{PRINTS}; exec >&- 2>&-; sleep 0.3"),
            format!("(echo; sleep 0.2) >&2; {PRINTS}"),
        ] {
            let resolved = process(&script).resolve().unwrap();
            assert_eq!((resolved.credentials.access_key_id(), resolved.source), ("ASIAPROCESS", SourceKind::Process));
        }
    }

    #[test]
    fn the_failure_of_a_command_is_explained() {
        let said = fails(&process(&format!("{PRINTS}; echo 'session has ended' >&2; exit 7")));
        assert_eq!(said, "credential_process: sh failed with exit code 7: session has ended");
        assert_eq!(
            fails(&process("kill -9 $$")),
            "credential_process: sh was ended by a signal and printed no message"
        );
        let home = Home::with_config("[default]\ncredential_process = /nowhere/program --token x\n");
        let said = fails(&home);
        assert!(said.contains("/nowhere/program can't be run: ") && !said.contains("--token"), "{said}");
    }

    #[test]
    fn secrets_on_standard_error_are_hidden() {
        let said = fails(&process(
            "echo 'denied: token=abcdefghij' >&2; echo '{\"SecretAccessKey\":\"theSecret\"}' >&2; exit 1",
        ));
        assert!(said.contains("denied") && !said.contains("abcdefghij") && !said.contains("theSecret"), "{said}");
    }

    /// The command would print for ever: it is killed.
    #[test]
    fn a_flood_of_standard_output_ends_the_command() {
        for script in [
            "while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done",
            "head -c 65537 /dev/zero",
            // It keeps its output open after the flood.
            "head -c 65537 /dev/zero; exec sleep 30",
        ] {
            let home = process(&format!("echo $$ > \"$(dirname \"$0\")/pid\"; {script}"));
            let said = fails(&home);
            assert!(said.contains("printed more than credentials: it printed more than 64 KiB"), "{said}");
            let pid = fs::read_to_string(home.0.join("pid")).unwrap();
            // Where there is no /proc, nothing is found.
            assert!(!Path::new("/proc").join(pid.trim()).exists(), "{script} still runs");
        }
        // Up to the limit, it is read.
        let resolved = process(&format!("head -c 65000 /dev/zero | tr '\\0' ' '; {PRINTS}")).resolve();
        assert!(resolved.is_ok(), "{resolved:?}");
    }

    #[test]
    fn a_flood_of_standard_error_does_not_block_the_command() {
        let flood = "head -c 3000000 /dev/zero | tr '\\0' 'e' >&2";
        assert!(process(&format!("{flood}; {PRINTS}")).resolve().is_ok());
        let said = fails(&process(&format!("echo 'first line' >&2; {flood}; exit 2")));
        assert!(said.contains("failed with exit code 2: first line") && said.len() < 1000, "{said}");
        // Written by the shell itself, which would be ended by a signal if nobody read it.
        let line = "e".repeat(100);
        let script = format!("i=0; while [ $i -lt 3000 ]; do echo {line} >&2; i=$((i+1)); done; {PRINTS}");
        assert!(process(&script).resolve().is_ok());
        // Both at the same time, each more than the buffer of a pipe.
        let script = format!("{flood} & head -c 60000 /dev/zero | tr '\\0' ' '; wait; {PRINTS}");
        assert!(process(&script).resolve().is_ok());
    }

    #[test]
    fn both_drivers_give_the_same_result() {
        let worlds: [(Home, Send); 9] = [
            (Home::new(), offline),
            (Home::with_config(KEYS), offline),
            (Home::with_config("[default\n"), offline),
            (Home::with_config("[default]\ncredential_process = /nowhere/program\n"), offline),
            (Home::with_config("[default]\nrole_arn = r\nsource_profile = default\nmfa_serial = m\n"), offline),
            (process(PRINTS), offline),
            (process("exit 3"), offline),
            (sso(), portal),
            (sso(), offline),
        ];
        for (home, send) in worlds {
            let cache = fs::read(home.0.join(CACHE)).ok();
            let shown = |result: Result<Resolved, ResolveError>| match result {
                Ok(resolved) => (format!("{:?}", resolved.credentials), resolved.report.to_string()),
                Err(error) => (error.to_string(), error.report().to_string()),
            };
            let blocking = shown(home.resolver().resolve(send));
            cache.inspect(|cache| fs::write(home.0.join(CACHE), cache).unwrap());
            let asynchronous = shown(block_on(home.resolver().resolve_async(async |ask| send(ask))));
            assert_eq!(blocking, asynchronous);
        }
    }

    #[test]
    fn other_tasks_go_on_while_a_command_runs() {
        let home = process(&format!("sleep 0.5; {PRINTS}"));
        let ticks = Cell::new(0);
        block_on(async {
            let ticking = async {
                loop {
                    tokio::time::sleep(Duration::from_millis(10)).await;
                    ticks.set(ticks.get() + 1);
                }
            };
            let resolver = home.resolver();
            let resolving = resolver.resolve_async(async |ask| offline(ask));
            // Whichever ends first.
            let mut ticking = std::pin::pin!(ticking);
            let mut resolving = std::pin::pin!(resolving);
            let resolved = std::future::poll_fn(|context| {
                let _: std::task::Poll<()> = ticking.as_mut().poll(context);
                resolving.as_mut().poll(context)
            });
            assert_eq!(resolved.await.unwrap().source, SourceKind::Process);
        });
        assert!(ticks.get() >= 10, "{ticks:?}");
    }

    #[test]
    fn a_dropped_future_does_not_wait_for_its_command() {
        let home = process(&format!("sleep 2; touch \"$(dirname \"$0\")/ended\"; {PRINTS}"));
        let start = Instant::now();
        block_on(async {
            let resolver = home.resolver();
            let resolving = resolver.resolve_async(async |ask| offline(ask));
            assert!(tokio::time::timeout(Duration::from_millis(200), resolving).await.is_err());
        });
        assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
        // The documentation says that the command goes on.
        let deadline = Instant::now() + Duration::from_secs(20);
        while !home.0.join("ended").exists() {
            assert!(Instant::now() < deadline);
            std::thread::sleep(Duration::from_millis(50));
        }
        // The same resolver can be used again.
        fs::write(home.0.join("script"), PRINTS).unwrap();
        assert!(home.resolve().is_ok());
    }

    #[test]
    fn a_hundred_resolutions_at_the_same_time() {
        let home = Arc::new(process(PRINTS));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        runtime.block_on(async {
            let tasks = (0..100).map(|_| {
                let resolver = home.resolver();
                tokio::spawn(async move { resolver.resolve_async(async |ask| offline(ask)).await })
            });
            for task in tasks.collect::<Vec<_>>() {
                assert_eq!(task.await.unwrap().unwrap().credentials.access_key_id(), "ASIAPROCESS");
            }
        });
    }
}
