//! attohttpc: `cargo run --example attohttpc_client -- http://127.0.0.1:3000`, with `AWS_ACCESS_KEY_ID`,
//! `AWS_SECRET_ACCESS_KEY` and, for temporary credentials, `AWS_SESSION_TOKEN`, which is then sent and signed.

use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::time::Duration;

use attohttpc::body::{Body, BodyKind};
use attohttpc::{ProxySettings, RequestBuilder};
use countersign::explain::{Explanation, Sent};
use countersign::streaming::{Checksum, Chunked, EncodedRead};
use countersign::{Credentials, Payload, Signer, Timestamp, encode_segment};

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

pub struct Client {
    signer: Signer,
    base: String,
}

impl Client {
    pub fn new(base: &str, credentials: Credentials, service: &str) -> Result<Self> {
        Ok(Self { signer: Signer::new(credentials, "us-east-1", service)?, base: base.into() })
    }

    pub fn get(&self, key: &str, query: &[(&str, &str)]) -> Result<String> {
        // `encode_segment` keeps a slash in the key apart from the slashes between segments. `params` writes a space as
        // `+`, which is what a signature takes it for.
        let url = format!("{}/files/{}", self.base, encode_segment(key));
        self.sign_and_send(attohttpc::get(url).params(query), b"")
    }

    pub fn post(&self, path: &str, json: &str) -> Result<String> {
        // Without a content-type, `bytes` would add one.
        let request = attohttpc::post(format!("{}{path}", self.base)).header("content-type", "application/json");
        self.sign_and_send(request.bytes(json), json.as_bytes())
    }

    /// Returns a URL that is valid for 15 minutes.
    pub fn presign(&self, key: &str) -> Result<String> {
        let mut request = attohttpc::get(format!("{}/files/{}", self.base, encode_segment(key)));
        let presigned = self.signer.presign(&as_sent(&mut request)?, Duration::from_secs(900), Timestamp::now())?;
        Ok(presigned.url().into())
    }

    /// Opens a presigned URL. This needs no credentials.
    pub fn open(&self, url: &str) -> Result<String> {
        let mut request = attohttpc::get(url);
        let sent = Sent::from(&as_sent(&mut request)?);
        send(request, sent)
    }

    /// Sends a file in signed chunks, with a checksum in the trailer.
    pub fn upload(&self, key: &str, file: File) -> Result<String> {
        let chunked = Chunked::signed(file.metadata()?.len()).with_checksum(Checksum::Crc32c);
        let mut request = attohttpc::put(format!("{}/files/{}", self.base, encode_segment(key)));
        let signed = self.signer.sign_chunked(&as_sent(&mut request)?, &chunked, Timestamp::now())?;
        signed.apply_to(request.headers_mut())?;
        let body = Encoded { length: signed.content_length(), reader: EncodedRead::new(signed.encoder(), file) };
        send(request.body(body), Sent::from(signed.signed()))
    }

    fn sign_and_send<B: Body>(&self, mut request: RequestBuilder<B>, body: &[u8]) -> Result<String> {
        let signed = self.signer.sign(&as_sent(&mut request)?, Payload::Bytes(body), Timestamp::now())?;
        signed.apply_to(request.headers_mut())?;
        send(request, Sent::from(&signed))
    }
}

/// The request as it will be sent. attohttpc has normalised the URL: `/a/../b` is `/b`, and `"` is `%22`. What it was
/// made from is not what the server verifies.
fn as_sent<B>(request: &mut RequestBuilder<B>) -> Result<http::Request<()>> {
    let request = request.inspect();
    let mut sent = http::Request::builder().method(request.method()).uri(request.url().as_str()).body(())?;
    *sent.headers_mut() = request.headers().clone();
    Ok(sent)
}

/// Returns the body of the response, or why the request was refused.
fn send<B: Body>(request: RequestBuilder<B>, sent: Sent) -> Result<String> {
    let response = request
        // A redirect would be followed with the signature of the first URL.
        .follow_redirects(false)
        // attohttpc sends the name of a proxy for plain HTTP as Host, and then the signature is wrong. With https,
        // leave this out.
        .proxy_settings(ProxySettings::builder().build())
        .timeout(Duration::from_secs(30))
        .send()?;
    let (status, headers, body) = response.split();
    let body = body.text()?;
    if status.is_success() {
        return Ok(body);
    }
    let mut refusal = http::Response::builder().status(status).body(body)?;
    *refusal.headers_mut() = headers;
    Err(Explanation::from_http_response(&refusal, sent).to_string().into())
}

/// A body of a known length. Other readers are sent with transfer-encoding, which S3 refuses.
struct Encoded {
    length: u64,
    reader: EncodedRead<File>,
}

impl Body for Encoded {
    fn kind(&mut self) -> std::io::Result<BodyKind> {
        Ok(BodyKind::KnownLength(self.length))
    }

    fn write<W: Write>(&mut self, mut writer: W) -> std::io::Result<()> {
        std::io::copy(&mut self.reader, &mut writer).map(drop)
    }
}

fn main() -> Result<()> {
    let base = std::env::args().nth(1).ok_or("usage: attohttpc_client URL")?;
    let client = Client::new(&base, Credentials::from_env()?, "s3")?;
    println!("{}", client.get("Zürich/Q1 + Q2.txt", &[("tag", "b c"), ("tag", ""), ("a", "ü&=")])?);
    println!("{}", client.post("/items", r#"{"name":"hammer"}"#)?);
    println!("{}", client.open(&client.presign("report.pdf")?)?);
    println!("{}", client.upload("lock", File::open("Cargo.lock")?)?);
    Ok(())
}
