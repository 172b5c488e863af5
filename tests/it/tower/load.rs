//! Many clients at once: `cargo test --release --test it tower::load -- --ignored --nocapture`, for `LOAD_SECONDS`.

use std::collections::BTreeMap;
use std::future::ready;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::StatusCode;
use axum::routing::any;
use axum::{Extension, Router};
use countersign::tower::{Caller, Verified, VerifyLayer};
use countersign::{Credentials, Timestamp};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::served::serve;
use super::{Found, Keys, Kind, read, s3};

const CONNECTIONS: usize = 64;
const LARGE: usize = 200_000;

/// Every client has its own key, so that an answer to another one is noticed.
fn credentials_of(id: &str) -> Credentials {
    Credentials::new(id, format!("secret-of-{id}")).unwrap()
}

fn keys(caller: Caller) -> Found {
    let known = caller.access_key_id().starts_with("AKIDCLIENT") && caller.session_token().is_none();
    ready(Ok(known.then(|| credentials_of(caller.access_key_id()))))
}

/// Says who sent what.
async fn echo(Extension(verified): Extension<Verified>, body: Body) -> (StatusCode, String) {
    let (data, _, error) = read(body).await;
    let sum: u64 = data.iter().map(|byte| u64::from(*byte)).sum();
    let text = format!("{} {} {} {sum}", verified.access_key_id(), verified.canonical_path(), data.len());
    (if error.is_some() { StatusCode::IM_A_TEAPOT } else { StatusCode::OK }, text)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Good,
    Large,
    Changed,
    ChangedBody,
    Stranger,
    TooLarge,
    Unsigned,
    Slow,
    Broken,
}

impl Act {
    /// What a client does next; some are slow or broken all the time.
    fn of(client: usize, number: usize) -> Self {
        match (client % 8, number % 9) {
            (6, _) => Self::Slow,
            (7, _) => Self::Broken,
            (_, 0..3) => Self::Good,
            (_, 3) => Self::Large,
            (_, 4) => Self::Changed,
            (_, 5) => Self::ChangedBody,
            (_, 6) => Self::Stranger,
            (_, 7) => Self::TooLarge,
            (_, _) => Self::Unsigned,
        }
    }

    /// The status of the answer, and whether the handler wrote it.
    fn expected(self, kind: Kind) -> u16 {
        match self {
            Self::Good | Self::Large | Self::Slow | Self::Broken => 200,
            Self::ChangedBody if matches!(kind, Kind::Chunked | Kind::ChunkedTrailer | Kind::UnsignedTrailer) => 418,
            Self::ChangedBody if matches!(kind, Kind::Unsigned | Kind::PresignedPut) => 200,
            Self::Changed | Self::ChangedBody | Self::Stranger | Self::Unsigned => 403,
            Self::TooLarge => 413,
        }
    }
}

const KINDS: [Kind; 6] =
    [Kind::Hashed, Kind::Chunked, Kind::ChunkedTrailer, Kind::UnsignedTrailer, Kind::Unsigned, Kind::PresignedPut];

fn bytes_of(request: &Request<Vec<u8>>, length: usize) -> Vec<u8> {
    let target = request.uri().path_and_query().unwrap();
    let mut head = format!("PUT {target} HTTP/1.1\r\nhost: {}\r\n", request.uri().authority().unwrap());
    let others = request.headers().iter().filter(|(name, _)| *name != "content-length");
    others.for_each(|(name, value)| head += &format!("{name}: {}\r\n", value.to_str().unwrap()));
    let mut bytes = format!("{head}content-length: {length}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(request.body());
    bytes
}

struct Client {
    number: usize,
    server: SocketAddr,
    connection: Option<TcpStream>,
}

impl Client {
    fn id(&self) -> String {
        format!("AKIDCLIENT{}", self.number)
    }

    /// Does one act, and compares the answer.
    async fn act(&mut self, act: Act, number: usize) -> Result<(), String> {
        let kind = if act == Act::TooLarge { Kind::Hashed } else { KINDS[number % KINDS.len()] };
        let path = format!("/{}/{number}", self.number);
        let data = vec![b'a' + (self.number % 26) as u8; if act == Act::Large { LARGE } else { 500 + number % 100 }];
        let id = if act == Act::Stranger { "AKIDSTRANGER".into() } else { self.id() };
        let uri = format!("http://{}{path}?a=1", self.server);
        let mut request = kind.signed_with(&uri, &data, &credentials_of(&id), Timestamp::now());
        spoil(act, &mut request);
        let length = if act == Act::TooLarge { 1 << 30 } else { request.body().len() };
        let bytes = bytes_of(&request, length);
        let mut stream = match self.connection.take() {
            Some(stream) => stream,
            None => TcpStream::connect(self.server).await.map_err(|error| error.to_string())?,
        };
        if !send(&mut stream, &bytes, act).await {
            return Ok(());
        }
        let (status, text) = answer(&mut stream).await.ok_or_else(|| format!("{act:?} {kind:?}: no answer"))?;
        if status != act.expected(kind) {
            return Err(format!("{act:?} {kind:?}: {status} {text}"));
        }
        if status == 200 {
            let mut data = data;
            if act == Act::ChangedBody {
                data[0] += 1;
            }
            let sum: u64 = data.iter().map(|byte| u64::from(*byte)).sum();
            if text != format!("{} {path} {} {sum}", self.id(), data.len()) {
                return Err(format!("{act:?} {kind:?} {path}: {text}"));
            }
            self.connection = Some(stream);
        }
        Ok(())
    }
}

fn spoil(act: Act, request: &mut Request<Vec<u8>>) {
    match act {
        Act::Changed => *request.uri_mut() = request.uri().to_string().replace("a=1", "a=2").parse().unwrap(),
        Act::ChangedBody => {
            // The first byte of the data, after the header of a chunk if there is one.
            let is_chunked = request.headers().contains_key("content-encoding");
            let start =
                if is_chunked { request.body().windows(2).position(|pair| pair == b"\r\n").unwrap() + 2 } else { 0 };
            request.body_mut()[start] += 1;
        }
        Act::Unsigned => {
            request.headers_mut().remove("authorization");
            *request.uri_mut() = request.uri().to_string().split('?').next().unwrap().parse().unwrap();
        }
        _ => {}
    }
}

/// Sends a request; `false` if the client gives up.
async fn send(stream: &mut TcpStream, bytes: &[u8], act: Act) -> bool {
    match act {
        Act::Slow => {
            for piece in bytes.chunks(bytes.len().div_ceil(5)) {
                let _ = stream.write_all(piece).await;
                tokio::time::sleep(Duration::from_millis(40)).await;
            }
        }
        Act::Broken => {
            let _ = stream.write_all(&bytes[..bytes.len() - 100]).await;
            tokio::time::sleep(Duration::from_millis(5)).await;
            return false;
        }
        _ => drop(stream.write_all(bytes).await),
    }
    true
}

async fn answer(stream: &mut TcpStream) -> Option<(u16, String)> {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&all);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
            if body.len() >= length.parse().ok()? {
                return Some((head.get(9..12)?.parse().ok()?, body.into()));
            }
        }
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => all.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").parse().unwrap_or_default()
}

#[test]
#[ignore = "takes a minute; run it by hand"]
fn sixty_four_connections_get_the_right_answers_in_constant_memory() {
    let seconds = std::env::var("LOAD_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    for streams in [false, true] {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let layer = VerifyLayer::new(s3(), keys as Keys).max_body_bytes(1 << 20);
        let layer = if streams { layer.stream_bodies() } else { layer };
        run(&runtime, layer, streams, Duration::from_secs(seconds));
    }
}

fn run(runtime: &tokio::runtime::Runtime, layer: VerifyLayer<Keys>, streams: bool, time: Duration) {
    let server = serve(runtime, Router::new().route("/{*path}", any(echo)).layer(layer));
    let counts = Arc::new(Mutex::new(BTreeMap::<Act, u64>::new()));
    let (start, faults) = (Instant::now(), Arc::new(Mutex::new(Vec::new())));
    let mut clients = Vec::new();
    for number in 0..CONNECTIONS {
        let (counts, faults) = (Arc::clone(&counts), Arc::clone(&faults));
        clients.push(runtime.spawn(async move {
            let mut client = Client { number, server, connection: None };
            for request in (0..).take_while(|_| start.elapsed() < time) {
                let mut act = Act::of(number, request);
                // A hash is compared at the end of a streamed body, and its length isn't limited.
                if streams && matches!(act, Act::TooLarge | Act::ChangedBody) {
                    act = Act::Good;
                }
                if let Err(fault) = client.act(act, request / 9 + request).await {
                    faults.lock().unwrap().push(fault);
                }
                *counts.lock().unwrap().entry(act).or_default() += 1;
            }
        }));
    }
    let mut memory = Vec::new();
    for part in 1..=6 {
        std::thread::sleep((time * part / 6).saturating_sub(start.elapsed()));
        memory.push(resident_kib());
    }
    clients.into_iter().for_each(|client| runtime.block_on(client).unwrap());
    let (counts, faults) = (counts.lock().unwrap(), faults.lock().unwrap());
    let total: u64 = counts.values().sum();
    println!("streams: {streams}, {} requests a second: {counts:?}", total as f64 / time.as_secs_f64());
    println!("resident KiB at each sixth of the time: {memory:?}; faults: {}", faults.len());
    assert!(faults.is_empty(), "{:?}", &faults[..faults.len().min(10)]);
    let (first, last) = (memory[0], memory[5]);
    assert!(last < first + first / 4, "memory grew from {first} to {last} KiB");
}
