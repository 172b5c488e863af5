//! reqwest, blocking: `cargo run --example reqwest_blocking -- http://127.0.0.1:3000`, with `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY` and, for temporary credentials, `AWS_SESSION_TOKEN`, which is then sent and signed.

use std::error::Error;
use std::fs::File;
use std::time::Duration;

use countersign::explain::{Explanation, Sent};
use countersign::streaming::{Checksum, Chunked, EncodedRead};
use countersign::{Credentials, Payload, Signer, Timestamp, encode_segment};
use reqwest::blocking;

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

pub struct Client {
    http: blocking::Client,
    signer: Signer,
    base: String,
}

impl Client {
    pub fn new(base: &str, credentials: Credentials, service: &str) -> Result<Self> {
        let http = blocking::Client::builder()
            // A redirect would be followed with the signature of the first URL.
            .redirect(reqwest::redirect::Policy::none())
            // A proxy may rewrite plain HTTP, and then the signature is wrong. With https, leave this out.
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self { http, signer: Signer::new(credentials, "us-east-1", service)?, base: base.into() })
    }

    pub fn get(&self, key: &str, query: &[(&str, &str)]) -> Result<String> {
        // `encode_segment` keeps a slash in the key apart from the slashes between segments. `query` writes a space as
        // `+`, which is what a signature takes it for.
        let url = format!("{}/files/{}", self.base, encode_segment(key));
        self.sign_and_send(self.http.get(url).query(query).build()?)
    }

    pub fn post(&self, path: &str, json: &str) -> Result<String> {
        // Everything that is signed comes before `build`: default headers of the client are added later.
        let request = self.http.post(format!("{}{path}", self.base)).header("content-type", "application/json");
        self.sign_and_send(request.body(json.to_owned()).build()?)
    }

    /// Returns a URL that is valid for 15 minutes.
    pub fn presign(&self, key: &str) -> Result<String> {
        let request = self.http.get(format!("{}/files/{}", self.base, encode_segment(key))).build()?;
        Ok(self.signer.presign(&as_sent(&request)?, Duration::from_secs(900), Timestamp::now())?.url().into())
    }

    /// Opens a presigned URL. This needs no credentials.
    pub fn open(&self, url: &str) -> Result<String> {
        let request = self.http.get(url).build()?;
        let sent = Sent::from(&as_sent(&request)?);
        self.send(request, sent)
    }

    /// Sends a file in signed chunks, with a checksum in the trailer.
    pub fn upload(&self, key: &str, file: File) -> Result<String> {
        let chunked = Chunked::signed(file.metadata()?.len()).with_checksum(Checksum::Crc32c);
        let mut request = self.http.put(format!("{}/files/{}", self.base, encode_segment(key))).build()?;
        let signed = self.signer.sign_chunked(&as_sent(&request)?, &chunked, Timestamp::now())?;
        signed.apply_to(request.headers_mut())?;
        // A body without a length is sent with transfer-encoding, which S3 refuses.
        let body = blocking::Body::sized(EncodedRead::new(signed.encoder(), file), signed.content_length());
        *request.body_mut() = Some(body);
        self.send(request, Sent::from(signed.signed()))
    }

    fn sign_and_send(&self, mut request: blocking::Request) -> Result<String> {
        let body = match request.body() {
            Some(body) => body.as_bytes().ok_or("the body is a stream: see `upload`")?,
            None => b"",
        };
        let signed = self.signer.sign(&as_sent(&request)?, Payload::Bytes(body), Timestamp::now())?;
        signed.apply_to(request.headers_mut())?;
        self.send(request, Sent::from(&signed))
    }

    /// Returns the body of the response, or why the request was refused.
    fn send(&self, request: blocking::Request, sent: Sent) -> Result<String> {
        let mut response = self.http.execute(request)?;
        let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
        let body = response.text()?;
        if status.is_success() {
            return Ok(body);
        }
        let mut refusal = http::Response::builder().status(status).body(body)?;
        *refusal.headers_mut() = headers;
        Err(Explanation::from_http_response(&refusal, sent).to_string().into())
    }
}

/// The request as it will be sent. reqwest has normalised the URL: `/a/../b` is `/b`, and `"` is `%22`. What it was
/// made from is not what the server verifies.
fn as_sent(request: &blocking::Request) -> Result<http::Request<()>> {
    let mut sent = http::Request::builder().method(request.method()).uri(request.url().as_str()).body(())?;
    *sent.headers_mut() = request.headers().clone();
    Ok(sent)
}

fn main() -> Result<()> {
    let base = std::env::args().nth(1).ok_or("usage: reqwest_blocking URL")?;
    let client = Client::new(&base, Credentials::from_env()?, "s3")?;
    println!("{}", client.get("Zürich/Q1 + Q2.txt", &[("tag", "b c"), ("tag", ""), ("a", "ü&=")])?);
    println!("{}", client.post("/items", r#"{"name":"hammer"}"#)?);
    println!("{}", client.open(&client.presign("report.pdf")?)?);
    println!("{}", client.upload("lock", File::open("Cargo.lock")?)?);
    Ok(())
}
