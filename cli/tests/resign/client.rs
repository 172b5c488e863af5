//! Signs requests with the placeholder key, and sends them as bytes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use countersign::streaming::{Checksum, Chunked};
use countersign::{Credentials, Identity, Payload, Request, Signer, Timestamp};

use crate::proxy::{ID, LIMIT, Proxy, SECRET};

/// How a body is sent.
#[derive(Clone, Copy, Debug)]
pub enum Mode {
    Hashed,
    Unsigned,
    Chunked(Option<Checksum>),
    UnsignedChunked(Checksum),
}

#[derive(Clone, Debug)]
pub struct Sent {
    pub method: &'static str,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub mode: Mode,
    pub service: &'static str,
    pub region: &'static str,
    /// SigV4A for this set.
    pub region_set: Option<&'static str>,
    pub id: &'static str,
    pub secret: &'static str,
    pub host: Option<String>,
    /// Sent after the others, and not signed.
    pub unsigned: Vec<(&'static str, String)>,
    pub at: i64,
}

impl Sent {
    pub fn get(target: &str) -> Self {
        Self {
            method: "GET",
            target: target.into(),
            headers: Vec::new(),
            body: Vec::new(),
            mode: Mode::Hashed,
            service: "s3",
            region: "us-east-1",
            region_set: None,
            id: ID,
            secret: SECRET,
            host: None,
            unsigned: Vec::new(),
            at: 0,
        }
    }

    pub fn put(target: &str, body: &[u8], mode: Mode) -> Self {
        Self { method: "PUT", body: body.to_vec(), mode, ..Self::get(target) }
    }

    pub fn post(service: &'static str, body: &str) -> Self {
        Self { method: "POST", body: body.into(), service, ..Self::get("/") }
    }

    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn signer(&self) -> Signer {
        let identity = Identity::new(Credentials::new(self.id, self.secret).expect("credentials"));
        match self.region_set {
            Some(set) => Signer::sigv4a(identity, set, self.service).expect("a signer"),
            None => Signer::new(identity, self.region, self.service).expect("a signer"),
        }
    }

    /// The head and the body as they are sent.
    pub fn parts(&self, address: SocketAddr) -> (String, Vec<u8>) {
        let host = self.host.clone().unwrap_or_else(|| address.to_string());
        let mut pairs = vec![("host", host.as_bytes())];
        pairs.extend(self.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
        let request = Request::new(self.method, &self.target, &pairs).with_scheme("http");
        let (now, signer, length) = (Timestamp::now().saturating_add(self.at), self.signer(), self.body.len() as u64);
        let chunked = match self.mode {
            Mode::Hashed | Mode::Unsigned => None,
            Mode::Chunked(None) => Some(Chunked::signed(length).with_chunk_size(16_384)),
            Mode::Chunked(Some(checksum)) => Some(Chunked::signed(length).with_checksum(checksum)),
            Mode::UnsignedChunked(checksum) => Some(Chunked::unsigned(length).with_checksum(checksum)),
        };
        let mut headers: Vec<(String, String)> = vec![("host".into(), host.clone())];
        headers.extend(self.headers.clone());
        let mut set = |name: &str, value: &str| {
            headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
            headers.push((name.into(), value.into()));
        };
        let body = match chunked {
            Some(chunked) => {
                let signed = signer.sign_chunked(request, &chunked, now).expect("a signature");
                signed.headers().for_each(|(name, value)| set(name, value));
                let (mut encoder, mut body) = (signed.encoder(), Vec::new());
                encoder.push(&self.body, |piece| body.extend_from_slice(piece)).expect("chunks");
                encoder.finish(|piece| body.extend_from_slice(piece)).expect("the end");
                body
            }
            None => {
                let unsigned = matches!(self.mode, Mode::Unsigned);
                let payload = if unsigned { Payload::Unsigned } else { Payload::Bytes(&self.body) };
                let signed = signer.sign(request, payload, now).expect("a signature");
                signed.headers().for_each(|(name, value)| set(name, value));
                if !self.body.is_empty() || matches!(self.method, "PUT" | "POST") {
                    set("content-length", &self.body.len().to_string());
                }
                self.body.clone()
            }
        };
        headers.push(("connection".into(), "close".into()));
        headers.extend(self.unsigned.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        (format!("{} {} HTTP/1.1\r\n{lines}\r\n", self.method, self.target), body)
    }

    pub fn send(&self, proxy: &Proxy) -> Got {
        let (head, body) = self.parts(proxy.address);
        exchange(proxy.address, &[head.as_bytes(), &body].concat())
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream.set_write_timeout(Some(LIMIT)).expect("a limit");
    stream
}

pub fn exchange(address: SocketAddr, bytes: &[u8]) -> Got {
    let mut stream = connect(address);
    // The proxy may answer before it has read everything.
    let _ = stream.write_all(bytes);
    Got::read(&mut stream)
}

/// An answer, read until the end of the connection.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Got {
    pub fn read(stream: &mut TcpStream) -> Self {
        let (mut bytes, mut piece, begun) = (Vec::new(), [0; 16 * 1024], Instant::now());
        // A reset after the answer is as good as its end.
        while let Ok(read) = stream.read(&mut piece) {
            bytes.extend_from_slice(&piece[..read]);
            assert!(begun.elapsed() < LIMIT, "the answer doesn't end");
            if read == 0 {
                break;
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.into(), body: body.into() }
    }

    pub fn contains(&self, text: &str) -> bool {
        self.head.contains(text) || self.body.contains(text)
    }
}
