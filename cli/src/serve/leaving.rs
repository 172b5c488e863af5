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
        self.exchange.update(|record| {
            if record.status == 0 {
                record.decision = Decision::Aborted;
                record.reason = Some("the client went away before the answer".into());
            }
            let took = record.begun.elapsed();
            self.books.metrics.finished(record, took);
            self.books.log.write(record, took);
        });
    }
}

/// Ends with an error when the time of the request is up.
pub struct Leaving {
    body: AnswerBody,
    deadline: Pin<Box<Sleep>>,
    is_ended: bool,
    /// Bytes until the end, if the length is announced: hyper doesn't ask for more.
    left: Option<u64>,
    entry: Entry,
    _busy: Counted,
}

impl Leaving {
    /// The body is never read if the answer has none, e.g. to HEAD.
    pub fn new(body: AnswerBody, deadline: Pin<Box<Sleep>>, has_body: bool, entry: Entry, busy: Counted) -> Self {
        let left = body.size_hint().exact();
        let is_ended = !has_body || body.is_end_stream() || left == Some(0);
        Self { body, deadline, is_ended, left, entry, _busy: busy }
    }

    fn sent(&mut self, frame: Option<&Frame<Bytes>>) {
        let bytes = frame.and_then(Frame::data_ref).map_or(0, |data| data.len() as u64);
        self.left = self.left.map(|left| left.saturating_sub(bytes));
        self.is_ended = frame.is_none() || self.body.is_end_stream() || self.left == Some(0);
    }

    fn broken(&mut self, decision: Decision, error: BoxError) -> BoxError {
        self.is_ended = true;
        self.entry.exchange.update(|record| record.decision = decision);
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
            Poll::Pending => this
                .deadline
                .as_mut()
                .poll(cx)
                .map(|()| Some(Err(this.broken(Decision::Aborted, "--max-time is up".into())))),
            Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(this.broken(Decision::UpstreamFailed, error)))),
            Poll::Ready(Some(Ok(frame))) => {
                this.sent(Some(&frame));
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => {
                this.sent(None);
                Poll::Ready(None)
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
