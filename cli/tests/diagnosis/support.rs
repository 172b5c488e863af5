//! The binary, requests and answers.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use countersign::{Credentials, Payload, Request, Signer, Timestamp};

pub const ID: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const USER: &str = "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const HOST: &str = "abc123.execute-api.us-east-1.amazonaws.com";
pub const TIME: &str = "20150830T123600Z";

pub struct Outcome {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Outcome {
    /// Everything that was printed.
    pub fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    #[track_caller]
    pub fn expect(self, code: i32, texts: &[&str]) -> Self {
        let all = self.all();
        assert_eq!(self.code, code, "{all}");
        for text in texts {
            assert!(all.contains(text), "{text:?} is missing:\n{all}");
        }
        self
    }
}

/// Runs the command without any credentials in its environment.
pub fn run(arguments: &[&str], stdin: impl Into<Vec<u8>>) -> Outcome {
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        .env_clear()
        .env("HOME", std::env::temp_dir().join("countersign-no-such-home"))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut pipe, stdin) = (child.stdin.take().unwrap(), stdin.into());
    // It may end before it has read everything.
    let writer = std::thread::spawn(move || drop(pipe.write_all(&stdin)));
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || drop(send.send(child.wait_with_output())));
    let output = receive.recv_timeout(Duration::from_secs(120)).expect("the command doesn't end").unwrap();
    writer.join().unwrap();
    let text = |bytes| String::from_utf8(bytes).expect("the output is UTF-8");
    Outcome { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
}

/// A file that is removed with the value.
pub struct File(tempfile::NamedTempFile);

impl File {
    pub fn new(content: impl AsRef<[u8]>) -> Self {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content.as_ref()).unwrap();
        file.flush().unwrap();
        Self(file)
    }

    pub fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}

pub fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    (folder, path)
}

pub fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

pub fn signer(secret: &str, region: &str, service: &str) -> Signer {
    Signer::new(Credentials::new(ID, secret).unwrap(), region, service).unwrap()
}

/// A signed request as it is sent.
pub fn signed(signer: &Signer, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let pairs: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
    let request = Request::new(method, target, &pairs).with_host(HOST);
    let signed = signer.sign(request, Payload::Bytes(body), at(TIME)).unwrap();
    let mut all: Vec<(&str, &str)> = [("Host", HOST)].into_iter().chain(headers.iter().copied()).collect();
    for (name, value) in signed.headers() {
        all.push((name, value));
    }
    http(method, target, &all, body)
}

/// HTTP/1.1 with CRLF.
pub fn http(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut text = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    [text.as_bytes(), b"\r\n", body].concat()
}

/// An answer as `curl -i` prints it.
pub fn answer(status: u16, error_type: &str, body: &str) -> String {
    let header = if error_type.is_empty() { String::new() } else { format!("x-amzn-ErrorType: {error_type}\r\n") };
    format!("HTTP/1.1 {status} Refused\r\n{header}Content-Length: {}\r\n\r\n{body}", body.len())
}
