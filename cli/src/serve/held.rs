//! The memory of a body while it is verified.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::OwnedSemaphorePermit;

use super::BoxError;

/// What a body uses of the [`Budget`](super::arriving::Budget). All copies are the same, and the last one gives it back.
#[derive(Clone, Debug, Default)]
pub struct Held(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

impl Held {
    /// One permit for all bytes.
    pub(super) fn add(&self, more: OwnedSemaphorePermit) {
        let mut permit = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *permit {
            Some(permit) => permit.merge(more),
            None => *permit = Some(more),
        }
    }

    fn give_back(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// A body that was verified. When a part of it comes out, all that arrived before is no longer held: a decoder keeps one
/// chunk.
pub struct Passing<B> {
    body: B,
    held: Held,
}

impl<B> Passing<B> {
    pub fn new(body: B, held: Held) -> Self {
        Self { body, held }
    }
}

impl<B: Body<Data = Bytes, Error = BoxError> + Unpin> Body for Passing<B> {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(cx));
        self.held.give_back();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
