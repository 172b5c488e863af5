//! The bodies of requests as they arrive.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::Version;
use http::header::EXPECT;
use http::request::Parts;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::sync::Semaphore;
use tokio::time::{Instant, Sleep};

use super::BoxError;
use super::exchange::{Exchange, Exhausted};
use super::held::Held;

/// What is read of a body that nobody wants, so that the client gets the answer: many read it only after they have sent
/// everything, and a connection that is closed before is reset. It is read while the answer is sent, and not kept in memory.
const DRAINED: u64 = 10 << 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

const NO_MEMORY: &str = "too much memory is used for bodies";

/// The memory that all bodies together may use while they are collected.
#[derive(Clone, Debug)]
pub struct Budget(Arc<Semaphore>);

impl Budget {
    pub fn new(bytes: u32) -> Self {
        Self(Arc::new(Semaphore::new(usize::try_from(bytes).unwrap_or(Semaphore::MAX_PERMITS))))
    }

    /// Counts more bytes as used, until `held` gives them back. Returns `false` if there is no memory for them.
    pub fn take(&self, bytes: usize, held: &Held) -> bool {
        let permit = Arc::clone(&self.0).try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX));
        permit.map(|permit| held.add(permit)).is_ok()
    }
}

/// A body that has to arrive without long breaks.
pub struct Arriving {
    body: Option<Incoming>,
    idle: Duration,
    timer: Pin<Box<Sleep>>,
    exchange: Exchange,
    budget: Option<(Budget, Held)>,
    is_ended: bool,
    /// There was no memory for a part of it.
    is_incomplete: bool,
    is_drained: bool,
}

impl Arriving {
    pub fn new(head: &Parts, body: Incoming, idle: Duration, exchange: Exchange) -> Self {
        let is_ended = body.is_end_stream();
        // Over HTTP/2, only this stream ends; and a client that waits for `100 Continue` sends nothing after an answer,
        // but reading would ask it to.
        let is_drained = head.version != Version::HTTP_2 && !head.headers.contains_key(EXPECT);
        let timer = Box::pin(tokio::time::sleep(idle));
        Self { body: Some(body), idle, timer, exchange, budget: None, is_ended, is_incomplete: false, is_drained }
    }

    /// Counts the bytes as memory that is used until this body is dropped.
    pub fn within(self, budget: &Budget) -> Self {
        self.held(budget, Held::default())
    }

    /// Counts the bytes as memory that is used until they are given back with `held`.
    pub fn held(mut self, budget: &Budget, held: Held) -> Self {
        self.budget = Some((budget.clone(), held));
        self
    }

    fn exhausted(&mut self, what: Exhausted, error: &str) -> BoxError {
        self.exchange.update(|record| record.exhausted = Some(what));
        error.into()
    }

    fn take(&mut self, frame: &Frame<Bytes>) -> Result<(), BoxError> {
        let Some((budget, held)) = &mut self.budget else { return Ok(()) };
        if budget.take(frame.data_ref().map_or(0, Bytes::len), held) {
            return Ok(());
        }
        self.is_incomplete = true;
        Err(self.exhausted(Exhausted::Memory, NO_MEMORY))
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        let Some(body) = &mut this.body else { return Poll::Ready(None) };
        if this.is_incomplete {
            return Poll::Ready(Some(Err(NO_MEMORY.into())));
        }
        let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
            ready!(this.timer.as_mut().poll(cx));
            this.body = None;
            return Poll::Ready(Some(Err(this.exhausted(Exhausted::ClientTime, "the body did not arrive in time"))));
        };
        this.timer.as_mut().reset(Instant::now() + this.idle);
        Poll::Ready(match frame {
            Some(Ok(frame)) => Some(this.take(&frame).map(|()| frame)),
            Some(Err(error)) => {
                this.is_ended = true;
                Some(Err(error.into()))
            }
            None => {
                this.is_ended = true;
                None
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Body::size_hint).unwrap_or_default()
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let is_drained = self.is_drained && !self.is_ended;
        let Some(body) = self.body.take().filter(|body| is_drained && !body.is_end_stream()) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(DRAIN_TIME, drain(body)));
        }
    }
}

async fn drain(mut body: Incoming) {
    let mut left = DRAINED;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len) as u64;
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}
