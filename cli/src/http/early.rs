//! An early answer: a server that refuses a request before it has read the body, and closes the connection.
//!
//! Writing the rest of the body then fails, often before the answer that is already in the receive buffer is read. An HTTP
//! client that stops at the failure loses the answer, and with it the cause.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A connection that goes on reading when it can't be written any more. The error of writing is returned when the
/// connection ends without having received anything.
pub struct EarlyAnswer<S> {
    stream: S,
    broken: Option<io::Error>,
    has_received: bool,
}

impl<S> EarlyAnswer<S> {
    pub fn new(stream: S) -> Self {
        Self { stream, broken: None, has_received: false }
    }

    /// After an error, nothing is written any more: what waits for it is woken by what is read.
    fn written<T>(&mut self, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        match result {
            Poll::Ready(Err(error)) if is_closed(&error) => {
                self.broken = Some(error);
                Poll::Pending
            }
            other => other,
        }
    }
}

fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset)
}

impl<S: AsyncRead + Unpin> AsyncRead for EarlyAnswer<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = to.filled().len();
        let result = std::task::ready!(Pin::new(&mut self.stream).poll_read(cx, to));
        let has_ended = result.is_err() || to.filled().len() == before;
        self.has_received |= !has_ended;
        match self.broken.take() {
            Some(error) if has_ended && !self.has_received => Poll::Ready(Err(error)),
            broken => {
                self.broken = broken;
                Poll::Ready(result)
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for EarlyAnswer<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        if self.broken.is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.stream).poll_write(cx, data);
        self.written(result)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.broken.is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.stream).poll_flush(cx);
        self.written(result)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.broken.is_some() {
            return Poll::Pending;
        }
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, data);
        self.written(result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
