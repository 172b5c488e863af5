//! The service inside of the layer that signs.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use countersign::tower::SignedBody;
use http_body_util::BodyExt;
use tower::Service;

use crate::serve::forward::websocket::Handshake;
use crate::serve::forward::{Failed, Upstream};
use crate::serve::{Answer, AnswerBody, Decision, Exchange};

/// Sends signed requests.
#[derive(Clone)]
pub struct Sending {
    upstream: Upstream,
    handshake: Arc<Mutex<Option<Handshake>>>,
    exchange: Exchange,
}

/// The upstream gave no answer.
#[derive(Debug)]
pub struct NoAnswer(pub Failed);

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the upstream gave no answer")
    }
}

impl std::error::Error for NoAnswer {}

impl Sending {
    pub fn new(upstream: &Upstream, handshake: Option<Handshake>, exchange: &Exchange) -> Self {
        Self { upstream: upstream.clone(), handshake: Arc::new(Mutex::new(handshake)), exchange: exchange.clone() }
    }
}

impl Service<http::Request<SignedBody<AnswerBody>>> for Sending {
    type Response = Answer;
    type Error = NoAnswer;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, NoAnswer>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoAnswer>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<SignedBody<AnswerBody>>) -> Self::Future {
        let sending = self.clone();
        Box::pin(async move {
            sending.exchange.update(|record| record.decision = Decision::Signed);
            let handshake = sending.handshake.lock().unwrap_or_else(PoisonError::into_inner).take();
            let request = request.map(BodyExt::boxed_unsync);
            sending.upstream.send_to_uri(request, handshake).await.map_err(NoAnswer)
        })
    }
}
