//! A running proxy.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::client::{self, Got};
use crate::upstream::{REAL_ID, REAL_SECRET, REAL_TOKEN, Upstream};

/// The key of the sandbox.
pub const ID: &str = "AKIDPLACEHOLDER";
pub const SECRET: &str = "placeholder/SECRET";

/// No wait is longer.
pub const LIMIT: Duration = Duration::from_secs(60);

pub struct Proxy {
    child: Child,
    pub address: SocketAddr,
    pub management: SocketAddr,
    pub folder: TempDir,
    lines: Arc<Mutex<Vec<String>>>,
}

/// A keys file in which the placeholder has the real credentials, and what else is in the `[[key]]`.
pub fn keys(rest: &str) -> String {
    format!(
        "[[key]]\naccess_key_id = \"{ID}\"\nsecret_access_key = \"{SECRET}\"\n{rest}\n[key.resign]\n\
         access_key_id = \"{REAL_ID}\"\nsecret_access_key = \"{REAL_SECRET}\"\nsession_token = \"{REAL_TOKEN}\"\n"
    )
}

impl Proxy {
    /// For all services of the upstream.
    pub fn new(upstream: &Upstream, keys: &str) -> Self {
        Self::with(upstream, keys, &[], &[])
    }

    pub fn with(upstream: &Upstream, keys: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let services = ["s3", "execute-api", "sts", "transcribe", "sqs"];
        let pairs = services.map(|service| format!("{service}={}", upstream.url()));
        let flags = pairs.iter().flat_map(|pair| ["--upstream-for", pair]);
        let regions = ["--client-region", "us-east-1", "--client-region", "eu-west-1"];
        let all: Vec<&str> = flags.chain(regions).chain(arguments.iter().copied()).collect();
        Self::start(&all, keys, variables)
    }

    pub fn start(arguments: &[&str], keys: &str, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("keys.toml");
        std::fs::write(&file, keys).expect("a keys file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(["proxy", "--resign", "--listen", "127.0.0.1:0", "--management", "127.0.0.1:0", "--keys"]);
        command.arg(&file).args(arguments).env_clear().env("HOME", folder.path());
        command.env("AWS_EC2_METADATA_DISABLED", "true").env("PATH", "/usr/bin:/bin");
        command.envs(variables.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the proxy starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        collect(child.stderr.take().expect("its standard error"), lines.clone());
        collect(child.stdout.take().expect("its standard output"), lines.clone());
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut proxy = Self { child, address: unknown, management: unknown, folder, lines };
        let find = |proxy: &Self, start: &str| {
            let line = proxy.wait_for(start);
            line.rsplit('/').next().expect("an address").parse().expect("an address")
        };
        proxy.address = find(&proxy, "listening on ");
        proxy.management = find(&proxy, "management on ");
        proxy
    }

    /// Waits for a line that contains the text.
    pub fn wait_for(&self, part: &str) -> String {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(line) = self.printed().iter().find(|line| line.contains(part)) {
                return line.clone();
            }
            assert!(Instant::now() < end, "no {part:?} in {:?}", self.printed());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Everything on standard output and standard error so far, with the access log.
    pub fn printed(&self) -> Vec<String> {
        self.lines.lock().expect("the lock").clone()
    }

    pub fn managed(&self, path: &str) -> Got {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        client::exchange(self.management, request.as_bytes())
    }

    /// Waits until the new file has been read, which happens once for each change.
    pub fn replace_keys(&self, keys: &str) {
        let count = || self.printed().iter().filter(|line| line.contains("read again")).count();
        let (before, end) = (count(), Instant::now() + LIMIT);
        let new = self.folder.path().join("new.toml");
        std::fs::write(&new, keys).expect("a keys file");
        std::fs::rename(new, self.folder.path().join("keys.toml")).expect("a keys file");
        while count() == before {
            assert!(Instant::now() < end, "{:?}", self.printed());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The most memory that it has used, in KiB.
    pub fn most_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }
}

fn collect(from: impl std::io::Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            lines.lock().expect("the lock").push(line);
        }
    });
}

impl Drop for Proxy {
    /// Every test ends with a search of what the proxy printed.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("{:#?}", self.printed());
            return;
        }
        for line in self.printed() {
            for secret in [REAL_ID, REAL_SECRET, REAL_TOKEN, SECRET] {
                assert!(!line.contains(secret), "{secret} in {line}");
            }
        }
    }
}
