//! ureq 3: `cargo run --example ureq_client -- http://127.0.0.1:3000`, with `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`
//! and, for temporary credentials, `AWS_SESSION_TOKEN`, which is then sent and signed.

use std::error::Error;
use std::fs::File;
use std::time::Duration;

use countersign::explain::{Explanation, Sent};
use countersign::streaming::{Checksum, Chunked, EncodedRead};
use countersign::{Credentials, Signer, Timestamp, encode_segment};
use http::Request;
use ureq::{Agent, AsSendBody, SendBody};

pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

pub struct Client {
    agent: Agent,
    signer: Signer,
    base: String,
}

impl Client {
    pub fn new(base: &str, credentials: Credentials, service: &str) -> Result<Self> {
        let agent = Agent::config_builder()
            // A redirect would be followed with the signature of the first URL.
            .max_redirects(0)
            // A proxy may rewrite plain HTTP, and then the signature is wrong. With https, leave this out.
            .proxy(None)
            // The body of a refusal has the reason.
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build()
            .new_agent();
        Ok(Self { agent, signer: Signer::new(credentials, "us-east-1", service)?, base: base.into() })
    }

    pub fn get(&self, key: &str, query: &[(&str, &str)]) -> Result<String> {
        // ureq sends the URI as it is, so it has to be encoded. `encode_segment` encodes a slash in the key, too.
        let pair = |(name, value): &(&str, &str)| format!("{}={}", encode_segment(name), encode_segment(value));
        let query: Vec<String> = query.iter().map(pair).collect();
        let url = format!("{}/files/{}?{}", self.base, encode_segment(key), query.join("&"));
        let mut request = Request::get(url).body("")?;
        let signed = self.signer.sign_http(&mut request, Timestamp::now())?;
        // A GET with a body, even an empty one, is an error in ureq.
        self.send(request.map(|_| ()), Sent::from(&signed))
    }

    pub fn post(&self, path: &str, json: &str) -> Result<String> {
        // Everything that is signed is set before: ureq's `send_json` would add a content-type.
        let request = Request::post(format!("{}{path}", self.base)).header("content-type", "application/json");
        let mut request = request.body(json)?;
        let signed = self.signer.sign_http(&mut request, Timestamp::now())?;
        self.send(request, Sent::from(&signed))
    }

    /// Returns a URL that is valid for 15 minutes.
    pub fn presign(&self, key: &str) -> Result<String> {
        let request = Request::get(format!("{}/files/{}", self.base, encode_segment(key))).body(())?;
        Ok(self.signer.presign(&request, Duration::from_secs(900), Timestamp::now())?.url().into())
    }

    /// Opens a presigned URL. This needs no credentials.
    pub fn open(&self, url: &str) -> Result<String> {
        let request = Request::get(url).body(())?;
        let sent = Sent::from(&request);
        self.send(request, sent)
    }

    /// Sends a file in signed chunks, with a checksum in the trailer.
    pub fn upload(&self, key: &str, file: File) -> Result<String> {
        let chunked = Chunked::signed(file.metadata()?.len()).with_checksum(Checksum::Crc32c);
        let mut request = Request::put(format!("{}/files/{}", self.base, encode_segment(key))).body(())?;
        let signed = self.signer.sign_chunked(&request, &chunked, Timestamp::now())?;
        // This includes content-length. Without it, ureq sends a reader with transfer-encoding, which S3 refuses.
        signed.apply_to(request.headers_mut())?;
        let mut body = EncodedRead::new(signed.encoder(), file);
        self.send(request.map(|()| SendBody::from_reader(&mut body)), Sent::from(signed.signed()))
    }

    /// Returns the body of the response, or why the request was refused.
    fn send(&self, request: Request<impl AsSendBody>, sent: Sent) -> Result<String> {
        let (parts, mut body) = self.agent.run(request)?.into_parts();
        let response = http::Response::from_parts(parts, body.read_to_string()?);
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        Err(Explanation::from_http_response(&response, sent).to_string().into())
    }
}

fn main() -> Result<()> {
    let base = std::env::args().nth(1).ok_or("usage: ureq_client URL")?;
    let client = Client::new(&base, Credentials::from_env()?, "s3")?;
    println!("{}", client.get("Zürich/Q1 + Q2.txt", &[("tag", "b c"), ("tag", ""), ("a", "ü&=")])?);
    println!("{}", client.post("/items", r#"{"name":"hammer"}"#)?);
    println!("{}", client.open(&client.presign("report.pdf")?)?);
    println!("{}", client.upload("lock", File::open("Cargo.lock")?)?);
    Ok(())
}
