//! A running gate, and requests to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign::{Credentials, Payload, Request, Signer, Timestamp};
use tempfile::TempDir;

use crate::support::{Arrived, Server, answer, folder, text, without_credentials};

pub const ID: &str = "AKIDGATE";
pub const SECRET: &str = "gateSECRET/K7MDENG";

/// No wait is longer.
const LIMIT: Duration = Duration::from_secs(20);

pub struct Gate {
    child: Child,
    pub address: SocketAddr,
    pub management: SocketAddr,
    pub folder: TempDir,
    lines: Arc<Mutex<Vec<String>>>,
}

pub fn keys() -> String {
    format!("[[key]]\naccess_key_id = \"{ID}\"\nsecret_access_key = \"{SECRET}\"\n")
}

/// An upstream that answers 200.
pub fn upstream() -> Server {
    Server::new(|_| answer(200, &[("connection", "close"), ("x-upstream", "1")], "from the upstream"))
}

impl Gate {
    pub fn new(upstream: &Server, arguments: &[&str]) -> Self {
        let url = upstream.url("");
        Self::start(
            &[&["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"], arguments].concat(),
            &keys(),
        )
    }

    pub fn start(arguments: &[&str], keys: &str) -> Self {
        let folder = folder();
        let file = folder.path().join("keys.toml");
        std::fs::write(&file, keys).expect("a keys file");
        let common = ["gate", "--listen", "127.0.0.1:0", "--management", "127.0.0.1:0", "--keys", text(&file)];
        Self::launch(without_credentials(&[&common, arguments].concat()), folder)
    }

    /// Starts a server that says where it listens.
    pub fn launch(mut command: Command, folder: TempDir) -> Self {
        let mut child = command.stdout(Stdio::null()).spawn().expect("it starts");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (all, errors) = (lines.clone(), child.stderr.take().expect("its standard error"));
        std::thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                all.lock().expect("the lock").push(line);
            }
        });
        let unknown = SocketAddr::from(([127, 0, 0, 1], 0));
        let mut gate = Self { child, address: unknown, management: unknown, folder, lines };
        let find = |gate: &Self, start: &str| {
            let line = gate.wait_for(start);
            line.rsplit('/').next().expect("an address").parse().expect("an address")
        };
        gate.address = find(&gate, "listening on ");
        gate.management = find(&gate, "management on ");
        gate
    }

    /// Waits for a line on standard error that contains the text.
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

    pub fn printed(&self) -> Vec<String> {
        self.lines.lock().expect("the lock").clone()
    }

    pub fn keys_file(&self) -> PathBuf {
        self.folder.path().join("keys.toml")
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The most memory that it has used, in MiB.
    #[allow(dead_code, reason = "used by the tests of attacks")]
    pub fn peak_memory(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).expect("its status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("its peak");
        line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }

    pub fn signal(&self, name: &str) {
        let done = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(done.expect("kill runs").success());
    }

    /// Waits until it has ended by itself.
    pub fn exit_code(&mut self) -> Option<i32> {
        let end = Instant::now() + LIMIT;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait().expect("its status") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("it doesn't end")
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    pub fn send(&self, request: &Sent) -> Got {
        exchange(self.connect(), &request.bytes(self.address))
    }

    pub fn raw(&self, bytes: &[u8]) -> Got {
        exchange(self.connect(), bytes)
    }

    pub fn managed(&self, path: &str) -> Got {
        let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
        exchange(connect(self.management), request.as_bytes())
    }

    pub fn metric(&self, name: &str) -> u64 {
        let text = self.managed("/metrics").body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0, |value| value.parse().expect("a number"))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream.set_write_timeout(Some(LIMIT)).expect("a limit");
    stream
}

pub fn exchange(mut stream: TcpStream, bytes: &[u8]) -> Got {
    // The gate may answer before it has read everything.
    let _ = stream.write_all(bytes);
    Got::read(&mut stream)
}

/// A request to be signed and sent.
#[derive(Clone)]
pub struct Sent {
    pub method: &'static str,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub service: &'static str,
    pub secret: &'static str,
    pub id: &'static str,
    pub at: i64,
    pub is_signed: bool,
    /// Sent after the others, and not signed.
    pub unsigned: Vec<(&'static str, String)>,
}

impl Sent {
    pub fn get(target: &str) -> Self {
        Self {
            method: "GET",
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
            service: "execute-api",
            secret: SECRET,
            id: ID,
            at: 0,
            is_signed: true,
            unsigned: Vec::new(),
        }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn signer(&self) -> Signer {
        let credentials = Credentials::new(self.id, self.secret).expect("credentials");
        let signer = Signer::new(credentials, "us-east-1", self.service).expect("a signer");
        // All of `headers`, also those that a signer leaves out.
        signer.also_sign(self.headers.iter().map(|(name, _)| name.as_str()))
    }

    pub fn bytes(&self, address: SocketAddr) -> Vec<u8> {
        let mut lines = format!("{} {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n", self.method, self.target);
        let mut add = |name: &str, value: &str| lines.push_str(&format!("{name}: {value}\r\n"));
        self.headers.iter().for_each(|(name, value)| add(name, value));
        if self.is_signed {
            let host = address.to_string();
            let mut pairs = vec![("host", host.as_bytes())];
            pairs.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
            let now = Timestamp::now().saturating_add(self.at);
            let request = Request::new(self.method, &self.target, &pairs).with_scheme("http");
            let signed = self.signer().sign(request, Payload::Bytes(&self.body), now).expect("a signature");
            // The signer also lists those that were there.
            let is_new = |name: &str| !self.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
            signed.headers().filter(|(name, _)| is_new(name)).for_each(|(name, value)| add(name, value));
        }
        self.unsigned.iter().for_each(|(name, value)| add(name, value));
        if !self.body.is_empty() {
            add("content-length", &self.body.len().to_string());
        }
        let mut bytes = (lines + "\r\n").into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

/// An answer, read until the end of the connection.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Got {
    pub fn read(stream: &mut TcpStream) -> Self {
        let mut bytes = Vec::new();
        let mut piece = [0; 16 * 1024];
        let begun = Instant::now();
        // A reset after the answer is as good as its end.
        while let Ok(read) = stream.read(&mut piece) {
            bytes.extend_from_slice(&piece[..read]);
            assert!(begun.elapsed() < LIMIT, "the answer doesn't end");
            if read == 0 {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            return Self { status: 0, headers: Vec::new(), body: text };
        };
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).expect("a status").parse().expect("a status");
        let headers = lines.filter_map(|line| line.split_once(": ")).map(|(name, value)| (name.into(), value.into()));
        Self { status, headers: headers.collect(), body: body.into() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

pub fn only(upstream: &Server) -> Arrived {
    let arrived = upstream.arrived();
    assert_eq!(arrived.len(), 1, "{arrived:?}");
    arrived.into_iter().next().expect("a request")
}
