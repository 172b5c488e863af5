//! The management address: `/healthz`, `/readyz` and `/metrics`.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use countersign::Timestamp;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::idle::{Busy, Idle};
use super::keys::CurrentKeys;
use super::metrics::Metrics;
use super::own::OwnCredentials;

const MOST_CONNECTIONS: usize = 32;
const LIMIT: Duration = Duration::from_secs(15);

#[derive(Clone)]
pub struct Management {
    pub keys: CurrentKeys,
    pub own: OwnCredentials,
    pub metrics: Arc<Metrics>,
    /// Set while the server ends.
    pub is_ending: Arc<AtomicBool>,
}

pub async fn serve(listener: TcpListener, management: Management) {
    let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    while let Ok(permit) = Arc::clone(&connections).acquire_owned().await {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let management = management.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let management = management.clone();
                async move { Ok::<_, Infallible>(management.answer(&request)) }
            });
            let stream = TokioIo::new(Idle::new(stream, LIMIT, Busy::default()));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(LIMIT)
                .serve_connection(stream, service);
            // A scraper that goes away is not an error.
            let _ = connection.await;
            drop(permit);
        });
    }
}

impl Management {
    fn answer(&self, request: &http::Request<Incoming>) -> Response<Full<Bytes>> {
        let now = Timestamp::now();
        let has_credentials = self.own.state().map_or_else(|| self.keys.get().len() > 0, |own| own.is_valid(now));
        let is_ready = has_credentials && !self.is_ending.load(Ordering::Relaxed);
        let (status, text) = match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/healthz") => (StatusCode::OK, "ok\n".into()),
            (&Method::GET | &Method::HEAD, "/readyz") if is_ready => (StatusCode::OK, "ready\n".into()),
            (&Method::GET | &Method::HEAD, "/readyz") => (
                StatusCode::SERVICE_UNAVAILABLE,
                "not ready: it is ending, or there are no keys or credentials\n".into(),
            ),
            (&Method::GET | &Method::HEAD, "/metrics") => {
                (StatusCode::OK, self.metrics.text(&self.keys.get(), &self.own, now))
            }
            (_, "/healthz" | "/readyz" | "/metrics") => (StatusCode::METHOD_NOT_ALLOWED, String::new()),
            _ => (StatusCode::NOT_FOUND, "/healthz, /readyz, /metrics\n".into()),
        };
        let mut answer = Response::new(Full::new(Bytes::from(text)));
        *answer.status_mut() = status;
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8"));
        answer
    }
}
