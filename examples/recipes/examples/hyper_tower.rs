//! `SignLayer` around hyper's client, for programs that use tower: `cargo run --example hyper_tower --
//! http://127.0.0.1:3000`, with `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for temporary credentials,
//! `AWS_SESSION_TOKEN`, which is then sent and signed.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use countersign::explain::{Explanation, Sent};
use countersign::streaming::Checksum;
use countersign::tower::{PayloadPolicy, SignLayer, SignedBody};
use countersign::{Credentials, Identity, Signed, Signer, Timestamp, encode_segment};
use futures_util::TryStreamExt;
use http::{Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use tokio::fs::File;
use tokio_util::io::ReaderStream;
use tower::util::BoxCloneService;
use tower::{ServiceBuilder, ServiceExt};

pub type BoxError = Box<dyn Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, BoxError>;
type Body = UnsyncBoxBody<Bytes, BoxError>;
type Http = BoxCloneService<Request<Body>, Response<Incoming>, BoxError>;

pub struct Client {
    /// Signs a hash of the body.
    http: Http,
    /// Sends the body in signed chunks, with a checksum in the trailer.
    uploads: Http,
    /// For presigned URLs, which are not signed again.
    unsigned: legacy::Client<legacy::connect::HttpConnector, Body>,
    signer: Signer,
    base: String,
}

impl Client {
    pub fn new(base: &str, credentials: Credentials, service: &str) -> Result<Self> {
        // The layer and the signer share the signing keys. Instead of an identity, the layer takes a closure that
        // gets credentials from a cache, too.
        let identity = Identity::new(credentials);
        let sign = SignLayer::new(identity.clone(), "us-east-1", service)?;
        let unsigned = legacy::Client::builder(TokioExecutor::new()).build_http();
        Ok(Self {
            http: with_layer(sign.clone().payload(PayloadPolicy::Buffered { max_bytes: 1 << 20 })),
            uploads: with_layer(sign.payload(PayloadPolicy::Chunked(Checksum::Crc32c))),
            unsigned,
            signer: Signer::new(identity, "us-east-1", service)?,
            base: base.into(),
        })
    }

    pub async fn get(&self, key: &str, query: &[(&str, &str)]) -> Result<String> {
        // `encode_segment` encodes a slash in the key, too.
        let pair = |(name, value): &(&str, &str)| format!("{}={}", encode_segment(name), encode_segment(value));
        let query: Vec<String> = query.iter().map(pair).collect();
        let url = format!("{}/files/{}?{}", self.base, encode_segment(key), query.join("&"));
        send(&self.http, Request::get(url).body(whole(""))?).await
    }

    pub async fn post(&self, path: &str, json: &str) -> Result<String> {
        let request = Request::post(format!("{}{path}", self.base)).header("content-type", "application/json");
        send(&self.http, request.body(whole(json))?).await
    }

    /// Returns a URL that is valid for 15 minutes.
    pub fn presign(&self, key: &str) -> Result<String> {
        let request = Request::get(format!("{}/files/{}", self.base, encode_segment(key))).body(())?;
        Ok(self.signer.presign(&request, Duration::from_secs(900), Timestamp::now())?.url().into())
    }

    /// Opens a presigned URL. This needs no credentials.
    pub async fn open(&self, url: &str) -> Result<String> {
        let request = Request::get(url).body(whole(""))?;
        let sent = Sent::from(&request);
        received(self.unsigned.request(request).await?, sent).await
    }

    /// Sends a file in signed chunks, with a checksum in the trailer.
    pub async fn upload(&self, key: &str, file: File) -> Result<String> {
        let request = Request::put(format!("{}/files/{}", self.base, encode_segment(key)))
            // The length of a stream is signed, so the layer has to know it.
            .header("content-length", file.metadata().await?.len());
        let body = StreamBody::new(ReaderStream::new(file).map_ok(Frame::data).map_err(BoxError::from));
        send(&self.uploads, request.body(body.boxed_unsync())?).await
    }
}

/// Layers that retry or follow redirects belong around the one that signs, so that each attempt is signed anew.
fn with_layer(sign: SignLayer<Identity>) -> Http {
    let client = legacy::Client::builder(TokioExecutor::new()).build_http::<SignedBody<Body>>();
    ServiceBuilder::new().timeout(Duration::from_secs(30)).layer(sign).service(client).boxed_clone()
}

async fn send(http: &Http, request: Request<Body>) -> Result<String> {
    let response = http.clone().oneshot(request).await?;
    let sent = Sent::from(response.extensions().get::<Signed>());
    received(response, sent).await
}

/// Returns the body of the response, or why the request was refused.
async fn received(response: Response<Incoming>, sent: Sent) -> Result<String> {
    let (parts, body) = response.into_parts();
    let response = Response::from_parts(parts, body.collect().await?.to_bytes());
    if response.status().is_success() {
        return Ok(String::from_utf8_lossy(response.body()).into_owned());
    }
    Err(Explanation::from_http_response(&response, sent).to_string().into())
}

fn whole(text: &str) -> Body {
    Full::new(Bytes::copy_from_slice(text.as_bytes())).map_err(BoxError::from).boxed_unsync()
}

#[tokio::main]
async fn main() -> Result<()> {
    let base = std::env::args().nth(1).ok_or("usage: hyper_tower URL")?;
    let client = Client::new(&base, Credentials::from_env()?, "s3")?;
    println!("{}", client.get("Zürich/Q1 + Q2.txt", &[("tag", "b c"), ("tag", ""), ("a", "ü&=")]).await?);
    println!("{}", client.post("/items", r#"{"name":"hammer"}"#).await?);
    println!("{}", client.open(&client.presign("report.pdf")?).await?);
    println!("{}", client.upload("lock", File::open("Cargo.lock").await?).await?);
    Ok(())
}
