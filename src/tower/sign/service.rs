//! The service: signs, then calls the client inside.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll};

use http::Response;
use http_body::Body;
use tower_service::Service;

use super::layer::Settings;
use super::request::{signed, signed_again};
use super::source::IdentitySource;
use crate::tower::BoxError;
use crate::tower::body::SignedBody;

/// The service of [`SignLayer`](super::SignLayer).
pub struct SignService<S, I> {
    inner: S,
    settings: Arc<Settings<I>>,
}

impl<S, I> SignService<S, I> {
    pub(super) fn new(inner: S, settings: Arc<Settings<I>>) -> Self {
        Self { inner, settings }
    }
}

impl<S, I, B, R> Service<http::Request<B>> for SignService<S, I>
where
    S: Service<http::Request<SignedBody<B>>, Response = Response<R>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + 'static,
    I: IdentitySource + 'static,
    B: Body<Error: Into<BoxError>> + Send + 'static,
    B::Data: Send,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        // The service that was polled as ready is called; its clone may not be ready.
        let clone = self.inner.clone();
        let mut inner = core::mem::replace(&mut self.inner, clone);
        let settings = Arc::clone(&self.settings);
        Box::pin(async move {
            let offset = settings.offset();
            let (request, again) = signed(&settings, request, offset).await?;
            let request = {
                let response = inner.call(request).await.map_err(Into::into)?;
                let had_wrong_time = settings.learn(&response, offset);
                match again.filter(|_| had_wrong_time) {
                    Some(request) => request,
                    None => return Ok(response),
                }
            };
            let request = signed_again(&settings, request, settings.offset()).await?;
            poll_fn(|cx| inner.poll_ready(cx)).await.map_err(Into::into)?;
            inner.call(request).await.map_err(Into::into)
        })
    }
}

impl<S: Clone, I> Clone for SignService<S, I> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), settings: Arc::clone(&self.settings) }
    }
}

impl<S: fmt::Debug, I> fmt::Debug for SignService<S, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignService").field("inner", &self.inner).finish_non_exhaustive()
    }
}
