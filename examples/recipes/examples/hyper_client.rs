//! hyper 1 with hyper-util's client: `cargo run --example hyper_client -- http://127.0.0.1:3000`, with
//! `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for temporary credentials, `AWS_SESSION_TOKEN`, which is then sent
//! and signed.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use countersign::explain::{Explanation, Sent};
use countersign::streaming::{Checksum, Chunked, EncodedBody};
use countersign::{Credentials, Signer, Timestamp, encode_segment};
use futures_util::TryStreamExt;
use http::Request;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use hyper_util::client::legacy;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

pub type BoxError = Box<dyn Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, BoxError>;
type Body = UnsyncBoxBody<Bytes, BoxError>;

pub struct Client {
    /// hyper follows no redirects and uses no proxy. It sends the URI as it is.
    http: legacy::Client<HttpConnector, Body>,
    signer: Signer,
    base: String,
}

impl Client {
    pub fn new(base: &str, credentials: Credentials, service: &str) -> Result<Self> {
        let http = legacy::Client::builder(TokioExecutor::new()).build_http();
        Ok(Self { http, signer: Signer::new(credentials, "us-east-1", service)?, base: base.into() })
    }

    pub async fn get(&self, key: &str, query: &[(&str, &str)]) -> Result<String> {
        // `encode_segment` encodes a slash in the key, too.
        let pair = |(name, value): &(&str, &str)| format!("{}={}", encode_segment(name), encode_segment(value));
        let query: Vec<String> = query.iter().map(pair).collect();
        let url = format!("{}/files/{}?{}", self.base, encode_segment(key), query.join("&"));
        self.sign_and_send(Request::get(url).body(Bytes::new())?).await
    }

    pub async fn post(&self, path: &str, json: &str) -> Result<String> {
        let request = Request::post(format!("{}{path}", self.base)).header("content-type", "application/json");
        self.sign_and_send(request.body(json.to_owned().into())?).await
    }

    /// Returns a URL that is valid for 15 minutes.
    pub fn presign(&self, key: &str) -> Result<String> {
        let request = Request::get(format!("{}/files/{}", self.base, encode_segment(key))).body(())?;
        Ok(self.signer.presign(&request, Duration::from_secs(900), Timestamp::now())?.url().into())
    }

    /// Opens a presigned URL. This needs no credentials.
    pub async fn open(&self, url: &str) -> Result<String> {
        let request = Request::get(url).body(whole(Bytes::new()))?;
        let sent = Sent::from(&request);
        self.send(request, sent).await
    }

    /// Sends a file in signed chunks, with a checksum in the trailer.
    pub async fn upload(&self, key: &str, file: File) -> Result<String> {
        let chunked = Chunked::signed(file.metadata().await?.len()).with_checksum(Checksum::Crc32c);
        let mut request = Request::put(format!("{}/files/{}", self.base, encode_segment(key))).body(())?;
        let signed = self.signer.sign_chunked(&request, &chunked, Timestamp::now())?;
        signed.apply_to(request.headers_mut())?;
        let body = EncodedBody::new(&signed, StreamBody::new(ReaderStream::new(file).map_ok(Frame::data)));
        self.send(request.map(|()| body.boxed_unsync()), Sent::from(signed.signed())).await
    }

    async fn sign_and_send(&self, mut request: Request<Bytes>) -> Result<String> {
        let signed = self.signer.sign_http(&mut request, Timestamp::now())?;
        self.send(request.map(whole), Sent::from(&signed)).await
    }

    /// Returns the body of the response, or why the request was refused.
    async fn send(&self, request: Request<Body>, sent: Sent) -> Result<String> {
        let response = tokio::time::timeout(Duration::from_secs(30), self.http.request(request)).await??;
        let (parts, body) = response.into_parts();
        let response = http::Response::from_parts(parts, body.collect().await?.to_bytes());
        if response.status().is_success() {
            return Ok(String::from_utf8_lossy(response.body()).into_owned());
        }
        Err(Explanation::from_http_response(&response, sent).to_string().into())
    }
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes).map_err(BoxError::from).boxed_unsync()
}

#[tokio::main]
async fn main() -> Result<()> {
    let base = std::env::args().nth(1).ok_or("usage: hyper_client URL")?;
    let client = Client::new(&base, Credentials::from_env()?, "s3")?;
    println!("{}", client.get("Zürich/Q1 + Q2.txt", &[("tag", "b c"), ("tag", ""), ("a", "ü&=")]).await?);
    println!("{}", client.post("/items", r#"{"name":"hammer"}"#).await?);
    println!("{}", client.open(&client.presign("report.pdf")?).await?);
    println!("{}", client.upload("lock", File::open("Cargo.lock").await?).await?);
    Ok(())
}
