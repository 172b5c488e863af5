//! A server that records every request, and the command.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use countersign::{Credentials, ErrorFormat, Request, Timestamp, Verifier, VerifyError};

pub const ID: &str = "AKIDEXAMPLE";
pub const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub const TOKEN: &str = "IQoJb3JpZ2luX2VjEXAMPLETOKEN//////////wEaCXVzLWVhc3QtMSJ";

/// No test takes longer.
const LIMIT: Duration = Duration::from_secs(30);

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Arrived {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Arrived {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn pairs(&self) -> Vec<(&str, &[u8])> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect()
    }

    fn read(stream: &mut TcpStream) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut piece = [0; 16 * 1024];
        let head = loop {
            if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            match stream.read(&mut piece) {
                Ok(read) if read > 0 => bytes.extend_from_slice(&piece[..read]),
                _ => return None,
            }
        };
        let text = String::from_utf8(bytes[..head].to_vec()).expect("a head of text");
        let mut lines = text.split("\r\n");
        let mut first = lines.next().expect("a request line").split(' ');
        let (method, target) = (first.next().expect("a method"), first.next().expect("a target"));
        let headers: Vec<_> = lines
            .map(|line| line.split_once(": ").map_or((line.trim_end_matches(':'), ""), |pair| pair))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let mut arrived =
            Self { method: method.into(), target: target.into(), headers, body: bytes.split_off(head + 4) };
        let length = arrived.header("content-length").map_or(0, |length| length.parse().expect("a length"));
        while arrived.body.len() < length {
            match stream.read(&mut piece) {
                Ok(read) if read > 0 => arrived.body.extend_from_slice(&piece[..read]),
                _ => break,
            }
        }
        Some(arrived)
    }
}

/// An answer as it is sent.
pub fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {status} Status\r\nContent-Length: {}\r\n", body.len());
    // The server closes it, and a client that isn't told may send its next request into it.
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("connection")) {
        answer.push_str("Connection: close\r\n");
    }
    for (name, value) in headers {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    (answer + "\r\n" + body).into_bytes()
}

pub struct Server {
    pub address: SocketAddr,
    arrived: Arc<Mutex<Vec<Arrived>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers each request with what `handle` returns, one request for each connection.
    pub fn new(handle: impl Fn(&Arrived) -> Vec<u8> + Send + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let arrived = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (all, stopped) = (arrived.clone(), stop.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stopped.load(Ordering::SeqCst) {
                    return;
                }
                let mut stream = stream.expect("a connection");
                stream.set_read_timeout(Some(LIMIT)).expect("a timeout");
                if let Some(request) = Arrived::read(&mut stream) {
                    let answer = handle(&request);
                    all.lock().expect("the lock").push(request);
                    let _ = stream.write_all(&answer);
                    let _ = stream.shutdown(Shutdown::Write);
                }
            }
        });
        Self { address, arrived, stop, thread: Some(thread) }
    }

    /// Verifies each request, and answers 200 with `ok` or with AWS's refusal.
    pub fn verifying(verifier: Verifier, format: ErrorFormat) -> Self {
        Self::new(move |arrived| match verify(&verifier, arrived, Timestamp::now()) {
            Ok(()) => answer(200, &[], "ok"),
            Err(error) => refusal(&error, format),
        })
    }

    pub fn url(&self, target: &str) -> String {
        format!("http://{}{target}", self.address)
    }

    /// What has arrived so far.
    pub fn arrived(&self) -> Vec<Arrived> {
        self.arrived.lock().expect("the lock").clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub fn credentials() -> Credentials {
    Credentials::new(ID, SECRET).expect("valid credentials")
}

/// Verifies a request whose body is in it as it is.
pub fn verify(verifier: &Verifier, arrived: &Arrived, now: Timestamp) -> Result<(), VerifyError> {
    let pairs = arrived.pairs();
    let request = Request::new(&arrived.method, &arrived.target, &pairs).with_scheme("http");
    let unverified = verifier.parse(request, now)?;
    let found = (unverified.access_key_id() == ID).then(|| match unverified.session_token() {
        None => credentials(),
        Some(_) => credentials().with_session_token(TOKEN).expect("a token"),
    });
    unverified.with_body(&arrived.body).verify(found.as_ref()).map(|_| ())
}

pub fn refusal(error: &VerifyError, format: ErrorFormat) -> Vec<u8> {
    let refusal = error.refusal(format);
    let headers = [("x-amzn-ErrorType", refusal.code()), ("content-type", refusal.content_type())];
    answer(refusal.status(), &headers, &refusal.body("id-1"))
}

/// The command, with credentials in its environment and nothing else of this machine's configuration.
pub fn countersign(arguments: &[&str]) -> Command {
    let mut command = without_credentials(arguments);
    command.env("AWS_ACCESS_KEY_ID", ID).env("AWS_SECRET_ACCESS_KEY", SECRET).env("AWS_REGION", "us-east-1");
    command.env("COUNTERSIGN_SERVICE", "execute-api");
    command
}

pub fn without_credentials(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").env("AWS_EC2_METADATA_DISABLED", "true");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The exit code, standard output and standard error.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Done {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code"),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Runs `countersign request` with these arguments.
pub fn request(arguments: &[&str]) -> Done {
    run(&mut countersign(&[&["request", "--max-time", "30"], arguments].concat()))
}

pub fn run(command: &mut Command) -> Done {
    command.output().expect("the command runs").into()
}

/// Runs the command with this standard input, which is a pipe.
pub fn run_with_stdin(command: &mut Command, input: &[u8]) -> Done {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the command runs");
    let mut stdin = child.stdin.take().expect("its standard input");
    let input = input.to_vec();
    // The command can end before it has read everything.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let done = child.wait_with_output().expect("the command ends").into();
    writer.join().expect("the writer ends");
    done
}

/// A folder that is deleted with its value.
pub fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("a path of text")
}
