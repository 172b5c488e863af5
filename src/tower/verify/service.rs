//! The service: verifies, then calls the service inside.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::future::Future;
use core::hash::BuildHasher;
use core::pin::Pin;
use core::sync::atomic::{AtomicU64, Ordering};
use core::task::{Context, Poll};
use std::hash::RandomState;
use std::sync::OnceLock;

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Response};
use http_body::Body;
use tower_service::Service;

use super::body::{Failure, VerifiedBody};
use super::caller::{Caller, CallerKey};
use super::layer::Settings;
use super::reason::RefusalReason;
use super::request::{CHECK_OF_BODY, verified};
use crate::aws_error::{ErrorFormat, Refusal};
use crate::tower::BoxError;
use crate::tower::body::RefusalBody;

/// The service of [`VerifyLayer`](super::VerifyLayer).
pub struct VerifyService<S, K> {
    inner: S,
    settings: Arc<Settings<K>>,
}

impl<S, K> VerifyService<S, K> {
    pub(super) fn new(inner: S, settings: Arc<Settings<K>>) -> Self {
        Self { inner, settings }
    }
}

impl<S, K, F, V, E, B, R> Service<http::Request<B>> for VerifyService<S, K>
where
    S: Service<http::Request<VerifiedBody<B>>, Response = Response<R>, Future: Send> + Clone + Send + 'static,
    K: Fn(Caller) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Option<V>, E>> + Send,
    V: CallerKey,
    E: Send,
    B: Body<Error: Into<BoxError>> + Send + 'static,
    B::Data: Send,
    R: Body,
{
    type Response = Response<RefusalBody<R>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        // The service that was polled as ready is called; its clone may not be ready.
        let clone = self.inner.clone();
        let mut inner = core::mem::replace(&mut self.inner, clone);
        let settings = Arc::clone(&self.settings);
        let is_head = request.method() == Method::HEAD;
        Box::pin(async move {
            let request = match verified(&settings, request).await {
                Ok(request) => request,
                Err(error) => {
                    let refusal = error.refused.refusal(&settings);
                    let reason = (error.refused.reason(), error.check);
                    return Ok(response(&refusal, reason, settings.format, is_head));
                }
            };
            let failure = request.body().failure();
            let answer = inner.call(request).await;
            // Whatever the service made of a body that turned out to be another than the signed one.
            match failure.as_ref().and_then(Failure::refusal) {
                Some(refusal) => {
                    let reason = (String::from(refusal.message()), Some(CHECK_OF_BODY));
                    Ok(response(refusal, reason, settings.format, is_head))
                }
                None => Ok(answer?.map(RefusalBody::service)),
            }
        })
    }
}

fn response<R: Body>(
    refusal: &Refusal,
    (reason, check): (String, Option<u8>),
    format: ErrorFormat,
    is_head: bool,
) -> Response<RefusalBody<R>> {
    let id = request_id();
    let body = refusal.body(&id);
    let length = body.len();
    // With HTTP/2, hyper would send it, and clients would report a broken stream instead of the refusal.
    let mut response = Response::new(RefusalBody::refusal(if is_head { String::new() } else { body }));
    *response.status_mut() = http::StatusCode::from_u16(refusal.status()).unwrap_or(http::StatusCode::FORBIDDEN);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(refusal.content_type()));
    if is_head {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    if let Some(name) = format.code_header() {
        headers.insert(name, HeaderValue::from_static(refusal.code()));
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        headers.insert(format.request_id_header(), value);
    }
    response.extensions_mut().insert(RefusalReason::new(reason, check, id));
    response
}

/// An id that is unique for this process and differs between processes. It is not a secret.
fn request_id() -> String {
    static RANDOM: OnceLock<RandomState> = OnceLock::new();
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let random = RANDOM.get_or_init(RandomState::new);
    let [high, low] = [0_u64, 1].map(|half| random.hash_one((count, half)));
    let (a, b, c) = (high >> 32, high >> 16 & 0xffff, high & 0xffff);
    format!("{a:08x}-{b:04x}-{c:04x}-{:04x}-{:012x}", low >> 48, low & 0xffff_ffff_ffff)
}

impl<S: Clone, K> Clone for VerifyService<S, K> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<S: fmt::Debug, K> fmt::Debug for VerifyService<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
