//! The body of a request to the upstream.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Instant;

use crate::serve::{AnswerBody, BoxError};

/// When the upstream last took a part of the body, and the error of the body.
#[derive(Clone, Debug)]
pub struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    taken: Instant,
    /// The upstream waits for the client, which has a limit of its own.
    is_waiting: bool,
    error: Option<BoxError>,
}

impl Default for Progress {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State { taken: Instant::now(), is_waiting: false, error: None })))
    }
}

impl Progress {
    pub fn last(&self) -> Instant {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_waiting { Instant::now() } else { state.taken }
    }

    pub fn take_error(&self) -> Option<BoxError> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).error.take()
    }
}

/// A body whose progress and error are seen from outside. Trailers are not forwarded: they could have the names of
/// headers that only the server may set.
pub struct Watched {
    body: AnswerBody,
    progress: Progress,
}

impl Watched {
    pub fn new(body: AnswerBody, progress: Progress) -> Self {
        Self { body, progress }
    }
}

impl Body for Watched {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        loop {
            let polled = Pin::new(&mut self.body).poll_frame(cx);
            let mut state = self.progress.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.taken = Instant::now();
            state.is_waiting = polled.is_pending();
            return match polled {
                Poll::Ready(Some(Ok(frame))) if frame.is_trailers() => {
                    drop(state);
                    continue;
                }
                Poll::Ready(Some(Err(error))) => {
                    state.error = Some(error);
                    Poll::Ready(Some(Err("the body of the request failed".into())))
                }
                polled => polled,
            };
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
