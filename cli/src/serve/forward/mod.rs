//! Sends requests to the upstream.

mod answered;
mod connector;
pub mod headers;
mod watched;
pub mod websocket;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, Method, StatusCode, Uri, Version};
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::path::may_leave;
use super::{Answer, AnswerBody, BoxError, full};
use crate::args::TransportArgs;
use crate::args::serve::LimitArgs;
use crate::failure::Failure;
use crate::http::tls::Tls;
use answered::Answered;
use connector::Connector;
use watched::{Progress, Watched};
use websocket::Handshake;

/// A server to which requests are forwarded. Its connections are kept and used again.
#[derive(Clone)]
pub struct Upstream {
    client: Client<Connector, Watched>,
    scheme: Scheme,
    authority: Authority,
    /// What precedes the path of each request, without a slash at its end.
    base: String,
    timeout: Duration,
}

/// Why the upstream gave no response.
#[derive(Debug)]
pub enum Failed {
    /// It can't be reached, or ended the connection without an answer (`is_cut`).
    Unreachable { reason: String, is_cut: bool },
    /// It did not answer in time.
    TimedOut,
    /// The body of the request failed: it is not the signed one, or the client went away.
    Body(BoxError),
}

/// A request to the upstream. `target` is its path and query.
pub struct Outgoing {
    pub method: Method,
    pub target: String,
    pub headers: HeaderMap,
    pub body: AnswerBody,
    /// Of a WebSocket connection.
    pub handshake: Option<Handshake>,
}

impl Upstream {
    pub fn new(url: &str, transport: &TransportArgs, limits: &LimitArgs) -> Result<Self, Failure> {
        // HTTP/1 only: it shows where a request ends, whatever the upstream speaks.
        Self::speaking(url, transport, limits, true)
    }

    /// With HTTP/2 over TLS, if the upstream has it. AWS answers event streams while they are sent only with HTTP/2.
    pub fn with_http2(url: &str, transport: &TransportArgs, limits: &LimitArgs) -> Result<Self, Failure> {
        Self::speaking(url, transport, limits, false)
    }

    fn speaking(url: &str, transport: &TransportArgs, limits: &LimitArgs, http1: bool) -> Result<Self, Failure> {
        let wrong = || Failure::usage("the upstream must be a URL such as http://127.0.0.1:3000, without a query");
        let parts = url.parse::<Uri>().map_err(|_| wrong())?.into_parts();
        let scheme =
            parts.scheme.filter(|scheme| *scheme == Scheme::HTTP || *scheme == Scheme::HTTPS).ok_or_else(wrong)?;
        let authority = parts.authority.filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        let base = parts.path_and_query.map_or_else(String::new, |path| path.as_str().trim_end_matches('/').to_owned());
        if base.contains('?') {
            return Err(wrong());
        }
        let tls = if scheme == Scheme::HTTPS { Some(Arc::new(Tls::new(transport)?.config(http1)?)) } else { None };
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(Connector::new(tls, limits.connect_timeout));
        Ok(Self { client, scheme, authority, base, timeout: limits.upstream_timeout })
    }

    /// The same for another host. Each host has its own connections.
    pub fn with_authority(&self, authority: Authority) -> Self {
        Self { authority, ..self.clone() }
    }

    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    pub fn is_https(&self) -> bool {
        self.scheme == Scheme::HTTPS
    }

    pub fn default_port(&self) -> u16 {
        if self.is_https() { 443 } else { 80 }
    }

    /// The host as it is sent, with the port unless it is the default one.
    pub fn host(&self) -> String {
        match self.authority.port_u16() {
            Some(port) if port != self.default_port() => format!("{}:{port}", self.authority.host()),
            _ => self.authority.host().to_owned(),
        }
    }

    /// Returns `true` if a path precedes that of each request.
    pub fn has_base(&self) -> bool {
        !self.base.is_empty()
    }

    /// The URI of a path and query. `None` if it can't be sent, or could leave the path of the upstream.
    pub fn uri(&self, target: &str) -> Option<Uri> {
        let path = target.split_once('?').map_or(target, |(path, _)| path);
        if self.has_base() && may_leave(path) {
            return None;
        }
        let mut parts = http::uri::Parts::default();
        parts.scheme = Some(self.scheme.clone());
        parts.authority = Some(self.authority.clone());
        parts.path_and_query = Some(PathAndQuery::try_from(format!("{}{target}", self.base)).ok()?);
        Uri::from_parts(parts).ok()
    }

    pub async fn send(&self, outgoing: Outgoing) -> Result<Answer, Failed> {
        let uri = self.uri(&outgoing.target).ok_or_else(|| Failed::Body("the path and query can't be sent".into()))?;
        let mut request = http::Request::new(outgoing.body);
        *request.method_mut() = outgoing.method;
        *request.uri_mut() = uri;
        *request.headers_mut() = outgoing.headers;
        self.send_to_uri(request, outgoing.handshake).await
    }

    /// Sends a request with a URI of [`Upstream::uri`], and waits until the head of the answer is there. The time without
    /// progress is limited, of the request and of the answer.
    pub async fn send_to_uri(
        &self,
        mut request: http::Request<AnswerBody>,
        handshake: Option<Handshake>,
    ) -> Result<Answer, Failed> {
        // That of the connection of the client.
        *request.version_mut() = Version::HTTP_11;
        if handshake.is_some() {
            Handshake::add_to(request.headers_mut());
        }
        let again = repeatable(&request).filter(|_| handshake.is_none());
        let sent = match (self.exchange(request).await, again) {
            // An upstream may close a connection that was kept while a request is on its way to it.
            (Err(Failed::Unreachable { is_cut: true, .. }), Some(again)) => self.exchange(again).await,
            (sent, _) => sent,
        };
        self.answered(sent?, handshake)
    }

    async fn exchange(&self, request: http::Request<AnswerBody>) -> Result<http::Response<Incoming>, Failed> {
        let progress = Progress::default();
        let request = request.map(|body| Watched::new(body, progress.clone()));
        let mut sending = std::pin::pin!(self.client.request(request));
        let answer = loop {
            let end = progress.last() + self.timeout;
            match tokio::time::timeout_at(end, &mut sending).await {
                Ok(answer) => break answer,
                Err(_) if progress.last() + self.timeout > end => {}
                Err(_) => return Err(Failed::TimedOut),
            }
        };
        match (answer, progress.take_error()) {
            (Ok(answer), _) => Ok(answer),
            (Err(_), Some(error)) => Err(Failed::Body(error)),
            (Err(error), None) if is_timeout(&error) => Err(Failed::TimedOut),
            (Err(error), None) => {
                Err(Failed::Unreachable { reason: described(&error), is_cut: !error.is_connect() && is_cut(&error) })
            }
        }
    }

    fn answered(&self, mut answer: http::Response<Incoming>, handshake: Option<Handshake>) -> Result<Answer, Failed> {
        let is_switching = answer.status() == StatusCode::SWITCHING_PROTOCOLS;
        let is_websocket = is_switching && websocket::is_websocket(answer.headers());
        let upgrade = is_websocket.then(|| hyper::upgrade::on(&mut answer));
        let mut answer = answer.map(|body| Answered::new(body, self.timeout).boxed_unsync());
        // That of the connection to the upstream.
        *answer.version_mut() = Version::HTTP_11;
        // Beside a transfer encoding, it doesn't count (RFC 9112, section 6.3), but the client would take it for the length.
        if answer.headers().contains_key(TRANSFER_ENCODING) {
            answer.headers_mut().remove(CONTENT_LENGTH);
        }
        headers::remove_hop_by_hop(answer.headers_mut());
        match (handshake, upgrade) {
            (Some(handshake), Some(upgrade)) => {
                Handshake::add_to(answer.headers_mut());
                handshake.accepted(upgrade);
            }
            _ if is_switching => {
                let reason = "it switched to a protocol that was not asked for".into();
                return Err(Failed::Unreachable { reason, is_cut: false });
            }
            _ => {}
        }
        Ok(answer)
    }
}

/// A copy of a request that may be sent twice: without a body, and with a method that does the same again
/// ([RFC 9110, section 9.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2)).
fn repeatable(request: &http::Request<AnswerBody>) -> Option<http::Request<AnswerBody>> {
    const IDEMPOTENT: [Method; 5] = [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::DELETE];
    let is_repeatable = IDEMPOTENT.contains(request.method()) && request.body().is_end_stream();
    is_repeatable.then(|| {
        let mut again = http::Request::new(full(Bytes::new()));
        *again.method_mut() = request.method().clone();
        *again.uri_mut() = request.uri().clone();
        *again.version_mut() = request.version();
        *again.headers_mut() = request.headers().clone();
        again
    })
}

/// Returns `true` if the connection ended before an answer.
fn is_cut(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        cause.downcast_ref::<hyper::Error>().is_some_and(|error| error.is_incomplete_message() || error.is_closed())
            || cause.downcast_ref::<std::io::Error>().is_some_and(|error| {
                matches!(error.kind(), std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe)
            })
    })
}

fn is_timeout(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| {
        cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::TimedOut)
    })
}

fn described(error: &(dyn Error + 'static)) -> String {
    causes(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// The error and what caused it.
pub fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'e (dyn Error + 'static)| (*error).source())
}
