//! Accepts connections and passes their requests to the service.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, EXPECT};
use http::{HeaderValue, Method, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsAcceptor;

use super::arriving::Arriving;
use super::exchange::{Decision, Exchange, Exhausted};
use super::forward::websocket::Tunnel;
use super::heads::Heads;
use super::idle::{Busy, Idle};
use super::leaving::{Books, Entry, Leaving};
use super::run::Ground;
use super::{Answer, Service, refusal};

/// HTTP/2 requests of a connection at the same time.
const MOST_STREAMS: u32 = 100;
/// An HTTP/2 connection without an answer to a ping is closed after this.
const PING_EVERY: Duration = Duration::from_secs(20);

/// A server of one service.
pub struct Server<S> {
    pub service: S,
    pub ground: Ground,
    pub books: Books,
    pub tls: Option<TlsAcceptor>,
}

impl<S> Server<S>
where
    S: Service,
{
    /// Accepts connections until `end`, then lets those that are open finish their requests for `shutdown` at most.
    pub async fn serve(self, listener: TcpListener, end: impl Future<Output = ()>, shutdown: Duration) -> bool {
        let server = Arc::new(self);
        let graceful = GracefulShutdown::new();
        let connections = Arc::new(Semaphore::new(usize::try_from(server.ground.limits.max_connections).unwrap_or(1)));
        let mut end = std::pin::pin!(end);
        loop {
            let accepted = async {
                let permit = Arc::clone(&connections).acquire_owned().await;
                (permit, listener.accept().await)
            };
            let (permit, accepted) = tokio::select! {
                accepted = accepted => accepted,
                () = &mut end => break,
            };
            // Out of file descriptors: not the fault of those that are open.
            let Ok((stream, peer)) = accepted else {
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let (server, watcher) = (Arc::clone(&server), graceful.watcher());
            tokio::spawn(async move {
                if let Ok(permit) = permit {
                    server.connection(stream, peer, permit, watcher).await;
                }
            });
        }
        drop(listener);
        let ended = async {
            graceful.shutdown().await;
            // WebSocket connections are not requests any more, but each holds a permit.
            let all = server.ground.limits.max_connections;
            connections.acquire_many(all).await.is_ok()
        };
        tokio::time::timeout(shutdown, ended).await.is_ok()
    }

    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        permit: OwnedSemaphorePermit,
        watcher: hyper_util::server::graceful::Watcher,
    ) {
        let limits = &self.ground.limits;
        let open = Arc::new((permit, self.ground.metrics.connection()));
        // Small answers go out at once; it is not an error if the system refuses.
        let _ = stream.set_nodelay(true);
        let busy = Busy::default();
        let stream = Idle::new(stream, limits.idle_timeout, busy.clone());
        let tunnel = Tunnel { open, busy, idle: limits.websocket_idle_timeout };
        let Some(tls) = &self.tls else { return self.http(stream, peer, tunnel, watcher).await };
        if let Ok(Ok(stream)) = tokio::time::timeout(limits.header_timeout, tls.accept(stream)).await {
            Arc::clone(&self).http(stream, peer, tunnel, watcher).await;
        }
    }

    async fn http<I>(
        self: Arc<Self>,
        stream: I,
        peer: SocketAddr,
        tunnel: Tunnel,
        watcher: hyper_util::server::graceful::Watcher,
    ) where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let builder = self.builder();
        let limits = &self.ground.limits;
        let stream = TokioIo::new(Heads::new(stream, limits.header_timeout, tunnel.busy.clone()));
        let busy = tunnel.busy.clone();
        let server = Arc::clone(&self);
        let service = service_fn(move |mut request: http::Request<Incoming>| {
            let (server, counted) = (Arc::clone(&server), tunnel.busy.count());
            request.extensions_mut().insert(tunnel.clone());
            async move { Ok::<_, Infallible>(server.handle(request, peer, counted).await) }
        });
        let connection = watcher.watch(builder.serve_connection_with_upgrades(stream, service).into_owned());
        // A request ends earlier by itself, unless its answer is never read.
        let overdue = limits.max_time + limits.idle_timeout;
        tokio::select! {
            // A client that breaks the protocol or goes away is not an error of the server.
            _ = connection => {}
            () = busy.overdue(overdue) => {}
        }
    }

    fn builder(&self) -> auto::Builder<TokioExecutor> {
        let limits = &self.ground.limits;
        let header_bytes = usize::try_from(limits.max_header_bytes).unwrap_or(usize::MAX);
        let mut builder = auto::Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            // Also for the time before the next request begins. Heads have a shorter limit in `Heads`.
            .header_read_timeout(limits.idle_timeout.max(limits.header_timeout))
            .max_buf_size(header_bytes)
            .half_close(false);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_header_list_size(limits.max_header_bytes)
            .max_concurrent_streams(MOST_STREAMS)
            .keep_alive_interval(PING_EVERY)
            .keep_alive_timeout(PING_EVERY);
        builder
    }

    async fn handle(
        &self,
        request: http::Request<Incoming>,
        peer: SocketAddr,
        busy: super::idle::Counted,
    ) -> http::Response<Leaving> {
        let (mut head, body) = request.into_parts();
        let exchange = Exchange::new(&head, peer);
        let is_head = head.method == Method::HEAD;
        let awaits_continue = head.version == Version::HTTP_11 && head.headers.contains_key(EXPECT);
        let entry = Entry::new(exchange.clone(), self.books.clone());
        let limits = &self.ground.limits;
        let mut deadline = Box::pin(tokio::time::sleep(limits.max_time));
        let answer = if head.method == Method::CONNECT || !head.uri.path().starts_with('/') {
            let message = match head.method {
                // What a client does to reach an https URL through a proxy.
                Method::CONNECT => "CONNECT is not supported: send the request itself, with an http URL",
                _ => "Bad Request",
            };
            exchange.refused("target", "the request target is not a path");
            refusal::answer(self.ground.format, StatusCode::BAD_REQUEST, "BadRequestException", message)
        } else {
            head.extensions.insert(exchange.clone());
            let body = Arriving::new(&head, body, limits.idle_timeout, exchange.clone());
            let answering = Box::pin(self.service.clone().answer(http::Request::from_parts(head, body)));
            tokio::select! {
                answer = answering => answer,
                () = &mut deadline => self.too_late(&exchange),
            }
        };
        let mut answer = self.instead(&exchange, answer);
        self.record(&exchange, &mut answer);
        if awaits_continue && (answer.status().is_client_error() || answer.status().is_server_error()) {
            // The client doesn't send the body now, and hyper closes the connection, since it can't know that. Unless it is
            // told, the client sends its next request into the closed connection (boto3 does).
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        let bodiless = [StatusCode::SWITCHING_PROTOCOLS, StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED];
        let has_body = !is_head && !bodiless.contains(&answer.status());
        answer.map(|body| Leaving::new(body, deadline, has_body, entry, busy))
    }

    fn too_late(&self, exchange: &Exchange) -> Answer {
        exchange.update(|record| {
            record.decision = Decision::Aborted;
            record.reason = Some("--max-time is up".into());
        });
        let message = "Endpoint request timed out";
        refusal::answer(self.ground.format, StatusCode::GATEWAY_TIMEOUT, "InternalServerErrorException", message)
    }

    /// A body that didn't arrive looks like a broken one to the layers, but is answered for what it is.
    fn instead(&self, exchange: &Exchange, answer: Answer) -> Answer {
        let (status, code, message, check) = match exchange.exhausted() {
            None => return answer,
            Some(Exhausted::ClientTime) => {
                let message =
                    "Your socket connection to the server was not read from or written to within the timeout period.";
                (StatusCode::REQUEST_TIMEOUT, "RequestTimeout", message, "body_timeout")
            }
            Some(Exhausted::Memory) => {
                (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", "Please reduce your request rate.", "memory")
            }
        };
        exchange.refused(check, message);
        refusal::answer(self.ground.format, status, code, message)
    }

    /// An answer of the upstream gets a request id as well, unless it has one.
    fn record(&self, exchange: &Exchange, answer: &mut Answer) {
        let name = self.ground.format.request_id_header();
        if !answer.headers().contains_key(name)
            && let Ok(id) = HeaderValue::from_str(&refusal::request_id())
        {
            answer.headers_mut().insert(name, id);
        }
        let id = answer.headers().get(name).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        exchange.update(|record| {
            record.status = answer.status().as_u16();
            record.request_id = id;
        });
    }
}
