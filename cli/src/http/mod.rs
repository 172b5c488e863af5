//! The only HTTP client: HTTP/1.1 and HTTP/2, TLS, time limits. It sends the request target byte for byte as given.
//!
//! The command is synchronous; a current-thread runtime runs while something is waited for.

mod body;
mod connect;
mod early;
pub mod tls;

use std::time::Duration;

use ::http::header::{CONTENT_LENGTH, HOST, HeaderMap, HeaderValue};
use ::http::uri::{Authority, PathAndQuery, Scheme};
use ::http::{Method, Request, StatusCode, Uri, Version};
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::runtime::Runtime;
use tokio::time::Instant;

pub use body::Body;
use connect::Connection;

use crate::args::TransportArgs;
use crate::failure::{Failure, Kind};
use crate::output::redacted_url;
use crate::url::Url;

/// How long a connection may say nothing while an answer is awaited, if --max-time sets no limit.
const KEEP_ALIVE: Duration = Duration::from_secs(30);

/// A request to send. A missing `Host` and `Content-Length` are added.
pub struct Outgoing {
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Body,
}

pub struct Client {
    runtime: Runtime,
    tls: tls::Tls,
    connect_timeout: Duration,
    deadline: Option<Instant>,
    http1: bool,
}

/// An answer whose body is still to be read.
pub struct Answer<'c> {
    client: &'c Client,
    head: ::http::response::Parts,
    body: Incoming,
}

impl Client {
    /// --max-time begins now.
    pub fn new(args: &TransportArgs) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::new(Kind::Connect, format!("the runtime can't be started: {error}")))?;
        Ok(Self {
            runtime,
            tls: tls::Tls::new(args)?,
            connect_timeout: args.connect_timeout,
            deadline: args.max_time.map(|time| Instant::now() + time),
            http1: args.http1,
        })
    }

    /// Sends a request and waits for status and headers. Redirects are not followed.
    pub fn send(&self, url: &Url, outgoing: Outgoing) -> Result<Answer<'_>, Failure> {
        let response = self.block_on(async {
            let connection = connect::connect(url, &self.tls, self.connect_timeout, self.http1).await?;
            exchange(url, connection, outgoing).await
        })?;
        let (head, body) = response.into_parts();
        Ok(Answer { client: self, head, body })
    }

    fn block_on<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        self.runtime.block_on(async {
            match self.deadline {
                None => work.await,
                Some(deadline) => tokio::time::timeout_at(deadline, work)
                    .await
                    .unwrap_or_else(|_| Err(Failure::new(Kind::Timeout, "not finished within --max-time"))),
            }
        })
    }
}

impl Answer<'_> {
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    pub fn version(&self) -> Version {
        self.head.version
    }

    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Waits for the next bytes of the body. `None` is its end.
    pub fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let body = &mut self.body;
        self.client.block_on(async {
            loop {
                match body.frame().await {
                    None => return Ok(None),
                    Some(Err(error)) => return Err(broken("while the answer was received", &error)),
                    Some(Ok(frame)) => {
                        if let Ok(data) = frame.into_data() {
                            return Ok(Some(data));
                        }
                    }
                }
            }
        })
    }

    /// Reads the rest of the body. More than `limit` bytes are an error.
    pub fn read_all(&mut self, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut all = Vec::new();
        while let Some(data) = self.next()? {
            if all.len() + data.len() > limit {
                return Err(Failure::new(Kind::Transfer, format!("the answer is larger than {limit} bytes")));
            }
            all.extend_from_slice(&data);
        }
        Ok(all)
    }
}

async fn exchange(
    url: &Url,
    connection: Connection,
    outgoing: Outgoing,
) -> Result<::http::Response<Incoming>, Failure> {
    let failed = |error: hyper::Error| broken("before the answer arrived", &error);
    if connection.is_http2 {
        let request = http2_request(url, outgoing)?;
        let mut builder = hyper::client::conn::http2::Builder::new(TokioExecutor::new());
        builder.timer(hyper_util::rt::TokioTimer::new()).keep_alive_interval(KEEP_ALIVE);
        let (mut sender, task) = builder.handshake(TokioIo::new(connection.stream)).await.map_err(failed)?;
        tokio::spawn(task);
        sender.send_request(request).await.map_err(failed)
    } else {
        let request = http1_request(url, outgoing)?;
        let (mut sender, task) =
            hyper::client::conn::http1::handshake(TokioIo::new(connection.stream)).await.map_err(failed)?;
        tokio::spawn(task);
        sender.send_request(request).await.map_err(failed)
    }
}

fn http1_request(url: &Url, outgoing: Outgoing) -> Result<Request<Body>, Failure> {
    let mut request = with_head(outgoing, Uri::from(path_and_query(url)?))?;
    if !request.headers().contains_key(HOST) {
        let host = HeaderValue::from_str(url.host_header()).map_err(Failure::usage)?;
        request.headers_mut().insert(HOST, host);
    }
    Ok(request)
}

/// In HTTP/2, the host is sent as `:authority`.
fn http2_request(url: &Url, mut outgoing: Outgoing) -> Result<Request<Body>, Failure> {
    let host = outgoing.headers.remove(HOST);
    let host = match &host {
        Some(host) => Authority::try_from(host.as_bytes()),
        None => Authority::try_from(url.host_header()),
    };
    let mut parts = ::http::uri::Parts::default();
    parts.scheme = Some(if url.is_https() { Scheme::HTTPS } else { Scheme::HTTP });
    parts.authority = Some(host.map_err(|_| Failure::usage("the Host header is not a host and port"))?);
    parts.path_and_query = Some(path_and_query(url)?);
    with_head(outgoing, Uri::from_parts(parts).map_err(Failure::usage)?)
}

fn with_head(outgoing: Outgoing, uri: Uri) -> Result<Request<Body>, Failure> {
    let length = outgoing.body.length();
    let needs_length = length > 0 || !matches!(outgoing.method, Method::GET | Method::HEAD | Method::DELETE);
    let mut request = Request::new(outgoing.body);
    *request.method_mut() = outgoing.method;
    *request.headers_mut() = outgoing.headers;
    *request.uri_mut() = uri;
    if needs_length {
        request.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    Ok(request)
}

/// The target as hyper sends it. It must be what was signed, so a difference is an error.
fn path_and_query(url: &Url) -> Result<PathAndQuery, Failure> {
    let refused = || {
        Failure::usage(format!(
            "the HTTP client can't send the path and query as typed: {}",
            redacted_url(url.target())
        ))
    };
    let target = PathAndQuery::try_from(url.target()).map_err(|_| refused())?;
    if target.as_str() == url.target() { Ok(target) } else { Err(refused()) }
}

/// An error of hyper with its causes, in which the interesting part is.
fn broken(when: &str, error: &hyper::Error) -> Failure {
    let mut message = format!("the connection broke {when}: {error}");
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        message.push_str(&format!(": {error}"));
        source = error.source();
    }
    // An error of our own body: a file that can't be read, or changed its size.
    let kind = if error.is_user() { Kind::Read } else { Kind::Transfer };
    Failure::new(kind, message)
}
