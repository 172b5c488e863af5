//! Connections that are closed if nothing happens.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep};

/// The requests that a connection is busy with. A client that waits for an answer is not idle.
#[derive(Clone, Debug, Default)]
pub struct Busy(Arc<Mutex<BTreeMap<u64, Instant>>>);

/// A request that counts until it is dropped.
#[derive(Debug)]
pub struct Counted(Busy, u64);

impl Busy {
    pub fn count(&self) -> Counted {
        let mut requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = requests.last_key_value().map_or(0, |(last, _)| last + 1);
        requests.insert(number, Instant::now());
        drop(requests);
        Counted(self.clone(), number)
    }

    pub fn is_busy(&self) -> bool {
        !self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn oldest(&self) -> Option<Instant> {
        let requests = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        requests.first_key_value().map(|(_, begun)| *begun)
    }

    /// Waits until a request has taken longer than this. An HTTP/2 client that never reads an answer stops nothing else:
    /// the body of the answer isn't polled any more.
    pub async fn overdue(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            match self.oldest().map(|begun| begun + limit) {
                Some(end) if end <= now => return,
                Some(end) => tokio::time::sleep_until(end).await,
                None => tokio::time::sleep(limit).await,
            }
        }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

/// Fails if nothing is read for a while and no request is being handled, or if the other side takes nothing.
pub struct Idle<S> {
    stream: S,
    limit: Duration,
    busy: Busy,
    reading: Pin<Box<Sleep>>,
    writing: Option<Pin<Box<Sleep>>>,
}

impl<S> Idle<S> {
    pub fn new(stream: S, limit: Duration, busy: Busy) -> Self {
        Self { stream, limit, busy, reading: Box::pin(tokio::time::sleep(limit)), writing: None }
    }

    fn wrote<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.writing = None;
            return polled;
        }
        let limit = self.limit;
        let timer = self.writing.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Idle<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if let Poll::Ready(read) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            this.reading.as_mut().reset(Instant::now() + this.limit);
            return Poll::Ready(read);
        }
        while this.reading.as_mut().poll(cx).is_ready() {
            if !this.busy.is_busy() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            this.reading.as_mut().reset(Instant::now() + this.limit);
        }
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Idle<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wrote(cx, polled)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(cx);
        self.wrote(cx, polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.wrote(cx, polled)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.wrote(cx, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
