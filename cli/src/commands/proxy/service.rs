//! Receives requests.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::StatusCode;
use tower::Service;

use super::{Settings, signing};
use crate::serve::{Answer, Exchange, Request};

/// The service that the listener calls.
#[derive(Clone)]
pub struct Proxy(pub Arc<Settings>);

impl Service<Request> for Proxy {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let settings = Arc::clone(&self.0);
        Box::pin(async move {
            let Some(exchange) = Exchange::of(request.extensions()) else {
                return Ok(settings.answer(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "InternalFailure",
                    "Internal server error",
                ));
            };
            Ok(signing::answer(&settings, &settings.signing, request, &exchange).await)
        })
    }
}
