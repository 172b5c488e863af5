//! What a recipe for an HTTP client has to do, checked with servers on loopback. The recipes of `tests/peers` are
//! checked by the same functions.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::{Duration, Instant};

use countersign::sources::{Ask, AskError, AskErrorKind, Environment, HttpAsk, Resolver, SourceError, SourceKind};

type Sent = Result<http::Response<Vec<u8>>, AskError>;

const KEYS: &str = r#"{"Code":"Success","AccessKeyId":"ASIALOOPBACK","SecretAccessKey":"theSecret","Token":"theToken",
    "Expiration":"2126-01-01T00:00:00Z"}"#;

/// A server that answers each request by its head, and remembers the heads.
pub struct Server {
    pub address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub fn start(answer: impl Fn(&str) -> String + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), heads: Arc::default() };
        let heads = server.heads.clone();
        spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let head = head(&mut stream);
                let answer = answer(&head);
                heads.lock().unwrap().push(head);
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        server
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The requests without their bodies.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Reads a request up to its body.
fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length == 1) {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn answer(status: u16, body: &str) -> String {
    format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len())
}

fn has(head: &str, header: &str) -> bool {
    head.lines().any(|line| line.eq_ignore_ascii_case(header))
}

/// An instance that answers version 2 only.
pub fn instance() -> Server {
    Server::start(|head| {
        let folder = "/latest/meta-data/iam/security-credentials/";
        match head.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["PUT", "/latest/api/token"] if has(head, "x-aws-ec2-metadata-token-ttl-seconds: 21600") => {
                answer(200, "instance-token")
            }
            _ if !has(head, "x-aws-ec2-metadata-token: instance-token") => answer(401, "version 1 is switched off"),
            ["GET", path] if path == folder => answer(200, "role"),
            ["GET", path] if path == format!("{folder}role") => answer(200, KEYS),
            ["GET", "/latest/meta-data/placement/region"] => answer(200, "eu-west-1"),
            _ => answer(404, ""),
        }
    })
}

fn ask(url: String, timeout: u64) -> HttpAsk {
    let request = http::Request::get(url).body(Vec::new()).unwrap();
    HttpAsk { request, timeout: Duration::from_millis(timeout), allow_proxy: false }
}

#[track_caller]
fn fails(sent: Sent, kind: AskErrorKind) {
    let error = sent.unwrap_err();
    assert_eq!(error.kind(), kind, "{error}");
}

pub fn environment(variables: &[(&str, &str)]) -> Environment {
    let nowhere = [("AWS_CONFIG_FILE", "/nowhere/config"), ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials")];
    Environment::new(nowhere.into_iter().chain(variables.iter().copied()))
}

/// Everything that a recipe has to do.
pub fn all(send: impl Fn(HttpAsk) -> Sent) {
    of_an_instance(&send);
    of_a_container(&send);
    a_request_arrives_as_it_is(&send);
    redirects_are_not_followed(&send);
    a_large_response_is_not_read_whole(&send);
    a_response_at_the_limit_is_read(&send);
    silence_is_a_timeout(&send);
    trickling_is_a_timeout(&send);
    a_closed_port_is_not_connected(&send);
    #[cfg(target_os = "linux")]
    a_connection_that_is_not_accepted_in_time_is_not_connected(&send);
    a_broken_response_is_another_error(&send);
}

fn of_an_instance(send: &impl Fn(HttpAsk) -> Sent) {
    let server = instance();
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let resolved = Resolver::new(environment(&variables)).resolve(send).unwrap();
    assert_eq!(resolved.source, SourceKind::InstanceMetadata);
    assert_eq!(resolved.credentials.access_key_id(), "ASIALOOPBACK");
    assert_eq!(resolved.credentials.session_token(), Some("theToken"));
    assert_eq!(resolved.region.as_deref(), Some("eu-west-1"));
    assert_eq!(server.heads().len(), 4);
}

fn of_a_container(send: &impl Fn(HttpAsk) -> Sent) {
    let server = Server::start(|head| match has(head, "authorization: the token of the task") {
        true if head.starts_with("GET /credentials?id=1 ") => answer(200, KEYS),
        _ => answer(401, r#"{"code":"Unauthorized","message":"no token"}"#),
    });
    let url = format!("{}/credentials?id=1", server.url());
    let full = ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str());
    let token = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "the token of the task");
    let resolved = Resolver::new(environment(&[full, token])).resolve(send).unwrap();
    assert_eq!((resolved.source, resolved.credentials.access_key_id()), (SourceKind::Container, "ASIALOOPBACK"));
    // A refusal is a response, too.
    let error = Resolver::new(environment(&[full])).resolve(send).unwrap_err();
    assert!(matches!(error.error(), SourceError::Refused { status: 401, .. }), "{error}");
}

fn a_request_arrives_as_it_is(send: &impl Fn(HttpAsk) -> Sent) {
    let server = Server::start(|_| "HTTP/1.1 299 x\r\nContent-Length: 2\r\nDate: today\r\n\r\nok".into());
    let request = http::Request::post(format!("{}/a%2Fb?c=d%20e", server.url())).header("x-test", "1");
    let mut ask = ask(server.url(), 5000);
    ask.request = request.body(b"body".to_vec()).unwrap();
    let response = send(ask).unwrap();
    assert_eq!((response.status().as_u16(), response.body().as_slice()), (299, b"ok".as_slice()));
    assert_eq!(response.headers()["date"], "today");
    let head = server.heads().remove(0);
    assert!(head.starts_with("POST /a%2Fb?c=d%20e HTTP/1.1\r\n"), "{head}");
    for header in ["x-test: 1".into(), "content-length: 4".into(), format!("host: {}", server.address)] {
        assert!(has(&head, &header), "{header} in {head}");
    }
}

fn redirects_are_not_followed(send: &impl Fn(HttpAsk) -> Sent) {
    let other = Server::start(|_| answer(200, KEYS));
    for status in [301, 302, 303, 307, 308] {
        let location = other.url();
        let server = Server::start(move |_| {
            format!("HTTP/1.1 {status} x\r\nlocation: {location}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        });
        let response = send(ask(server.url(), 5000)).unwrap();
        assert_eq!(response.status(), status);
        let url = server.url();
        let error = Resolver::new(environment(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)])).resolve(send);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("a redirect to 127.0.0.1, which is not followed"), "{error}");
    }
    assert!(other.heads().is_empty());
}

/// The server sends without end, in chunks and with a length that is larger than the limit.
fn a_large_response_is_not_read_whole(send: &impl Fn(HttpAsk) -> Sent) {
    for head in ["content-length: 1000000000\r\n\r\n", "connection: close\r\n\r\n"] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let written = Arc::new(AtomicU64::new(0));
        let server = spawn({
            let written = written.clone();
            move || {
                let (mut stream, _) = listener.accept().unwrap();
                self::head(&mut stream);
                let _ = stream.write_all(format!("HTTP/1.1 200 x\r\n{head}").as_bytes());
                while stream.write_all(&[b'x'; 4096]).is_ok() {
                    written.fetch_add(4096, Ordering::Relaxed);
                }
            }
        });
        fails(send(ask(url, 60_000)), AskErrorKind::TooLarge);
        server.join().unwrap();
        // What was not read is in the buffers of the sockets.
        assert!(written.load(Ordering::Relaxed) < 100 << 20, "{written:?}");
    }
}

fn a_response_at_the_limit_is_read(send: &impl Fn(HttpAsk) -> Sent) {
    let server = Server::start(|head| {
        let length = if head.starts_with("GET /more") { 1 } else { 0 };
        answer(200, &"x".repeat(Ask::MAX_RESPONSE_BYTES + length))
    });
    assert_eq!(send(ask(server.url(), 5000)).unwrap().body().len(), Ask::MAX_RESPONSE_BYTES);
    fails(send(ask(server.url() + "/more", 5000)), AskErrorKind::TooLarge);
}

#[track_caller]
fn times_out(send: &impl Fn(HttpAsk) -> Sent, url: String, kind: AskErrorKind) {
    let start = Instant::now();
    fails(send(ask(url, 400)), kind);
    let took = start.elapsed();
    assert!((Duration::from_millis(150)..Duration::from_secs(3)).contains(&took), "{took:?}");
}

/// Accepts, and says nothing.
fn silence_is_a_timeout(send: &impl Fn(HttpAsk) -> Sent) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    spawn(move || {
        let streams: Vec<_> = listener.incoming().take(2).collect();
        std::thread::sleep(Duration::from_secs(10));
        drop(streams);
    });
    times_out(send, url, AskErrorKind::TimedOut);
}

/// Sends one byte after the other: the timeout is for the whole response.
fn trickling_is_a_timeout(send: &impl Fn(HttpAsk) -> Sent) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        head(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 x\r\ncontent-length: 1000\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    times_out(send, url, AskErrorKind::TimedOut);
}

fn a_closed_port_is_not_connected(send: &impl Fn(HttpAsk) -> Sent) {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    fails(send(ask(format!("http://{address}"), 5000)), AskErrorKind::NotConnected);
    // An instance metadata service that isn't there is no error.
    let url = format!("http://{address}");
    let error = Resolver::new(environment(&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)])).resolve(send).unwrap_err();
    assert!(matches!(error.error(), SourceError::NotConfigured { .. }), "{error}");
}

/// Linux drops connections while the queue of those that were not yet accepted is full.
#[cfg(target_os = "linux")]
fn a_connection_that_is_not_accepted_in_time_is_not_connected(send: &impl Fn(HttpAsk) -> Sent) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        waiting.push(stream);
        if waiting.len() > 5000 {
            eprintln!("skipped: the queue of this machine is too long");
            return;
        }
    }
    times_out(send, format!("http://{address}"), AskErrorKind::NotConnected);
}

fn a_broken_response_is_another_error(send: &impl Fn(HttpAsk) -> Sent) {
    for broken in ["", "SSH-2.0-x\r\n\r\n", "HTTP/1.1 200 x\r\ncontent-length: 9\r\n\r\nshort"] {
        let server = Server::start(move |_| broken.into());
        fails(send(ask(server.url(), 5000)), AskErrorKind::Other);
    }
}

/// The program finds the credentials of an instance although a proxy is configured.
pub fn instances_are_asked_without_proxy(program: &mut Command) {
    let (proxy, server) = (Server::start(|_| answer(502, "")), instance());
    let url = server.url();
    let output = with_proxy(program, &proxy, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)]);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("instance metadata: gave ASIALOOPBACK"), "{output:?}");
    assert!(text.contains("region: eu-west-1") && !text.contains("theSecret"), "{text}");
    assert!(proxy.heads().is_empty());
}

/// The program asks STS by the proxy that is configured.
pub fn sts_is_asked_by_proxy(program: &mut Command) {
    let proxy = Server::start(|_| answer(403, "no"));
    let token = std::env::temp_dir().join(format!("countersign-recipe-{}", std::process::id()));
    std::fs::write(&token, "token").unwrap();
    let token_path = token.display().to_string();
    let sts = [
        ("AWS_ENDPOINT_URL_STS", "http://sts.example"),
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &token_path),
        ("AWS_ROLE_ARN", "arn:aws:iam::111122223333:role/r"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let output = with_proxy(program, &proxy, &sts);
    std::fs::remove_file(token).unwrap();
    // Of the refusal, ureq sees no response, because it asks the proxy for a tunnel.
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && text.contains("http://sts.example/") && text.contains("403"), "{output:?}");
    assert!(proxy.heads().iter().any(|head| head.contains("sts.example")), "{:?}", proxy.heads());
}

fn with_proxy(program: &mut Command, proxy: &Server, variables: &[(&str, &str)]) -> Output {
    let nowhere = [("AWS_CONFIG_FILE", "/nowhere/config"), ("AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials")];
    program.env_clear().envs(nowhere).envs(variables.iter().copied());
    program.env("HTTP_PROXY", proxy.url()).env("http_proxy", proxy.url()).output().unwrap()
}
