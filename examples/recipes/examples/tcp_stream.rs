//! No HTTP client at all, only `std`: `cargo run --example tcp_stream -- 127.0.0.1:3000`, with `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY` and, for temporary credentials, `AWS_SESSION_TOKEN`, which is then sent and signed.

use std::error::Error;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read, Write, copy};
use std::net::TcpStream;
use std::time::Duration;

use countersign::explain::{Explanation, Sent};
use countersign::streaming::{Checksum, Chunked, EncodedRead};
use countersign::{Credentials, Payload, Request, Signer, Timestamp, encode_segment};

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

pub struct Client {
    signer: Signer,
    /// Host and port: what is connected to, and what is signed as `Host`.
    host: String,
}

impl Client {
    pub fn new(host: &str, credentials: Credentials, service: &str) -> Result<Self> {
        Ok(Self { signer: Signer::new(credentials, "us-east-1", service)?, host: host.into() })
    }

    pub fn get(&self, key: &str, query: &[(&str, &str)]) -> Result<String> {
        // `encode_segment` encodes a slash in the key, too.
        let pair = |(name, value): &(&str, &str)| format!("{}={}", encode_segment(name), encode_segment(value));
        let query: Vec<String> = query.iter().map(pair).collect();
        let target = format!("/files/{}?{}", encode_segment(key), query.join("&"));
        let request = Request::new("GET", &target, &[]).with_host(&self.host);
        let signed = self.signer.sign(request, Payload::EMPTY, Timestamp::now())?;
        self.send("GET", &target, signed.headers(), b"".as_slice(), Sent::from(&signed))
    }

    pub fn post(&self, target: &str, json: &str) -> Result<String> {
        let headers = [("content-type", b"application/json".as_slice())];
        let request = Request::new("POST", target, &headers).with_host(&self.host);
        let signed = self.signer.sign(request, Payload::Bytes(json.as_bytes()), Timestamp::now())?;
        let length = json.len().to_string();
        let headers =
            signed.headers().chain([("content-type", "application/json"), ("content-length", length.as_str())]);
        self.send("POST", target, headers, json.as_bytes(), Sent::from(&signed))
    }

    /// Returns the target of a URL that is valid for 15 minutes.
    pub fn presign(&self, key: &str) -> Result<String> {
        let target = format!("/files/{}", encode_segment(key));
        let request = Request::new("GET", &target, &[]).with_host(&self.host);
        Ok(self.signer.presign(request, Duration::from_secs(900), Timestamp::now())?.target().into())
    }

    /// Opens a presigned URL. This needs no credentials.
    pub fn open(&self, target: &str) -> Result<String> {
        let sent = Sent::from(&Request::new("GET", target, &[]).with_host(&self.host));
        self.send("GET", target, [], b"".as_slice(), sent)
    }

    /// Sends a file in signed chunks, with a checksum in the trailer.
    pub fn upload(&self, key: &str, file: File) -> Result<String> {
        let chunked = Chunked::signed(file.metadata()?.len()).with_checksum(Checksum::Crc32c);
        let target = format!("/files/{}", encode_segment(key));
        let request = Request::new("PUT", &target, &[]).with_host(&self.host);
        let signed = self.signer.sign_chunked(request, &chunked, Timestamp::now())?;
        let body = EncodedRead::new(signed.encoder(), file);
        self.send("PUT", &target, signed.headers(), body, Sent::from(signed.signed()))
    }

    /// Returns the body of the response, or why the request was refused.
    fn send<'h>(
        &self,
        method: &str,
        target: &str,
        headers: impl IntoIterator<Item = (&'static str, &'h str)>,
        mut body: impl Read,
        sent: Sent,
    ) -> Result<String> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.host);
        for (name, value) in headers {
            write!(head, "{name}: {value}\r\n")?;
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(&self.host)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.write_all(head.as_bytes())?;
        // A server may refuse a request before it has read the body. Then writing fails, but there is a response.
        let written = copy(&mut body, &mut stream);
        let mut response = Vec::new();
        if let Err(error) = stream.read_to_end(&mut response)
            && response.is_empty()
        {
            return Err(written.err().unwrap_or(error).into());
        }
        let text = String::from_utf8_lossy(&response);
        match text.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 200 ") => Ok(body.into()),
            _ => Err(Explanation::from_response_text(&response, sent)?.to_string().into()),
        }
    }
}

fn main() -> Result<()> {
    let host = std::env::args().nth(1).ok_or("usage: tcp_stream HOST:PORT")?;
    let client = Client::new(&host, Credentials::from_env()?, "s3")?;
    println!("{}", client.get("Zürich/Q1 + Q2.txt", &[("tag", "b c"), ("tag", ""), ("a", "ü&=")])?);
    println!("{}", client.post("/items", r#"{"name":"hammer"}"#)?);
    println!("{}", client.open(&client.presign("report.pdf")?)?);
    println!("{}", client.upload("lock", File::open("Cargo.lock")?)?);
    Ok(())
}
