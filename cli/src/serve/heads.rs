//! Connections that are closed if the head of a request arrives too slowly.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

use super::idle::Busy;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Fails if a head that has begun isn't complete in time, or if the first doesn't begin. hyper's own limit also ends
/// connections that are only kept for the next request, while a client may be sending it.
pub struct Heads<S> {
    stream: S,
    limit: Duration,
    busy: Busy,
    timer: Option<Pin<Box<Sleep>>>,
    /// HTTP/2 has limits of its own, and frames without a head.
    protocol: Protocol,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Protocol {
    /// As many bytes of the preface of HTTP/2 have arrived. A method can begin like it.
    Unknown(usize),
    Http1,
    Http2,
}

impl<S> Heads<S> {
    pub fn new(stream: S, limit: Duration, busy: Busy) -> Self {
        let timer = Some(Box::pin(tokio::time::sleep(limit)));
        Self { stream, limit, busy, timer, protocol: Protocol::Unknown(0) }
    }

    fn arrived(&mut self, bytes: &[u8]) {
        if let Protocol::Unknown(before) = self.protocol {
            let left = PREFACE.get(before..).unwrap_or_default();
            self.protocol = match (left.starts_with(bytes), bytes.starts_with(left)) {
                (_, true) => Protocol::Http2,
                (true, false) => Protocol::Unknown(before + bytes.len()),
                (false, false) => Protocol::Http1,
            };
        }
        if self.busy.is_busy() || self.protocol == Protocol::Http2 {
            self.timer = None;
        } else if self.timer.is_none() && !bytes.is_empty() {
            self.timer = Some(Box::pin(tokio::time::sleep(self.limit)));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Heads<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let polled = Pin::new(&mut this.stream).poll_read(cx, buffer);
        if polled.is_ready() {
            this.arrived(buffer.filled().get(before..).unwrap_or_default());
            return polled;
        }
        if this.busy.is_busy() {
            this.timer = None;
        }
        match &mut this.timer {
            Some(timer) => timer.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into())),
            None => Poll::Pending,
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Heads<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
