//! The client: uploads a file as a chunked body, with a progress bar.

use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use countersign::streaming::{Checksum, Chunked, EncodedRead};
use countersign::{Credentials, ScopeError, Signer, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};
use ureq::SendBody;
use ureq::http::Request;

pub enum How {
    Signed,
    Unsigned,
    /// Signed, but changed in transit.
    Changed,
}

pub struct Answer {
    pub status: u16,
    pub body: String,
}

pub struct Client {
    agent: ureq::Agent,
    signer: Signer,
    address: SocketAddr,
}

impl Client {
    pub fn new(address: SocketAddr, credentials: Credentials) -> Result<Self, ScopeError> {
        let agent = ureq::Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(300)))
            .build()
            .new_agent();
        let signer = Signer::new(credentials, super::server::REGION, super::server::SERVICE)?;
        Ok(Self { agent, signer, address })
    }

    pub fn upload(&self, path: &Path, key: &str, how: How) -> Result<Answer, Box<dyn Error>> {
        let file = File::open(path)?;
        let length = file.metadata()?.len();
        let chunked = match how {
            How::Signed | How::Changed => Chunked::signed(length).with_checksum(Checksum::Crc32c),
            How::Unsigned => Chunked::unsigned(length).with_checksum(Checksum::Crc32c),
        };
        let url = format!("http://{}/bucket/{key}", self.address);
        let mut request = Request::put(url).header("content-type", "application/octet-stream").body(())?;
        let signed = self.signer.sign_chunked(&request, &chunked, Timestamp::now())?;
        signed.apply_to(request.headers_mut())?;
        for name in ["x-amz-content-sha256", "x-amz-decoded-content-length", "content-length", "x-amz-trailer"] {
            println!("   > {name}: {}", request.headers()[name].to_str()?);
        }

        let progress = ProgressBar::new(length)
            .with_style(ProgressStyle::with_template("   {wide_bar} {bytes}/{total_bytes} {bytes_per_sec}")?);
        let body = EncodedRead::new(signed.encoder(), progress.wrap_read(file));
        let answer = match how {
            How::Changed => {
                self.send(request, ChangesOneByte { inner: body, position: 0, at: signed.content_length() / 2 })
            }
            _ => self.send(request, body),
        };
        progress.finish_and_clear();
        answer
    }

    /// Submits the form of the page with a file, as a browser does.
    pub fn post_form(&self, file_name: &str, file: &[u8]) -> Result<Answer, Box<dyn Error>> {
        const BOUNDARY: &str = "----countersign-example-boundary";
        let page = self.agent.get(format!("http://{}/", self.address)).call()?.into_body().read_to_string()?;
        let mut fields: Vec<(&str, &str)> = page.lines().filter_map(hidden_input).collect();
        fields.push(("Content-Type", "image/jpeg"));
        let mut body = Vec::new();
        for (name, value) in fields {
            let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let part = "Content-Disposition: form-data; name=\"file\"";
        let part = format!("--{BOUNDARY}\r\n{part}; filename=\"{file_name}\"\r\nContent-Type: image/jpeg\r\n\r\n");
        body.extend_from_slice(part.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        println!("   > POST /bucket, a form of {} bytes", body.len());
        let request = Request::post(format!("http://{}/bucket", self.address))
            .header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"))
            .body(())?;
        self.send(request, body.as_slice())
    }

    fn send(&self, request: Request<()>, mut body: impl Read) -> Result<Answer, Box<dyn Error>> {
        let response = self.agent.run(request.map(|()| SendBody::from_reader(&mut body)))?;
        let (parts, mut body) = response.into_parts();
        Ok(Answer { status: parts.status.as_u16(), body: body.read_to_string()? })
    }
}

/// Returns the name and value of a hidden input. None of the values on the page need unescaping.
fn hidden_input(line: &str) -> Option<(&str, &str)> {
    let rest = line.trim().strip_prefix("<input type=\"hidden\" name=\"")?;
    let (name, rest) = rest.split_once("\" value=\"")?;
    Some((name, rest.split_once('"')?.0))
}

/// A reader that changes a byte in the middle of the body.
struct ChangesOneByte<R> {
    inner: R,
    position: u64,
    at: u64,
}

impl<R: Read> Read for ChangesOneByte<R> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(to)?;
        let at = self.at.checked_sub(self.position).and_then(|at| usize::try_from(at).ok());
        if let Some(byte) = at.and_then(|at| to[..count].get_mut(at)) {
            *byte ^= 1;
        }
        self.position += count as u64;
        Ok(count)
    }
}
