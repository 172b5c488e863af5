//! The body of an answer on its way to the client.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

use super::access_log::AccessLog;
use super::exchange::{Decision, Exchange};
use super::idle::Counted;
use super::metrics::Metrics;
use super::{AnswerBody, BoxError};

/// Where finished requests are recorded.
#[derive(Clone)]
pub struct Books {
    pub metrics: Arc<Metrics>,
    pub log: AccessLog,
}

/// Records a request when its answer ends, or when the client goes away.
pub struct Entry {
    exchange: Exchange,
    books: Books,
}

impl Entry {
    pub fn new(exchange: Exchange, books: Books) -> Self {
        Self { exchange, books }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let record = self.exchange.record();
        let took = record.begun.elapsed();
        self.books.metrics.finished(&record, took);
        self.books.log.write(&record, took);
    }
}

/// Ends with an error when the time of the request is up.
pub struct Leaving {
    body: AnswerBody,
    deadline: Pin<Box<Sleep>>,
    is_ended: bool,
    entry: Entry,
    _busy: Counted,
}

impl Leaving {
    pub fn new(body: AnswerBody, deadline: Pin<Box<Sleep>>, entry: Entry, busy: Counted) -> Self {
        let is_ended = body.is_end_stream();
        Self { body, deadline, is_ended, entry, _busy: busy }
    }

    fn broken(&mut self, error: BoxError) -> BoxError {
        self.is_ended = true;
        self.entry.exchange.update(|record| record.reason = Some(format!("the response broke off: {error}")));
        error
    }
}

impl Body for Leaving {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Pending => {
                this.deadline.as_mut().poll(cx).map(|()| Some(Err(this.broken("--max-time is up".into()))))
            }
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(this.broken(error)))),
            Poll::Ready(frame) => {
                this.is_ended = frame.is_none() || this.body.is_end_stream();
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if !self.is_ended {
            self.entry.exchange.update(|record| {
                record.decision = Decision::Aborted;
                record.reason.get_or_insert_with(|| "the client went away".into());
            });
        }
    }
}
