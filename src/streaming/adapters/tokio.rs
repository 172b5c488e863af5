//! [`EncodedRead`] and [`DecodedRead`] as tokio's `AsyncRead`.

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use tokio::io::{AsyncRead, ReadBuf};

use super::driver::{Codec, State};
use super::read::{DecodedRead, EncodedRead, Reader, decode_error, encode_error};

impl<R: AsyncRead + Unpin> AsyncRead for EncodedRead<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, to, encode_error)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for DecodedRead<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.poll_read(cx, to, decode_error)
    }
}

impl<C: Codec, R: AsyncRead + Unpin> Reader<C, R> {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        to: &mut ReadBuf<'_>,
        codec_error: impl Fn(&C::Error) -> io::Error,
    ) -> Poll<io::Result<()>> {
        while self.out.is_empty() && to.remaining() > 0 {
            match &self.state {
                State::Open(_) => ready!(self.poll_fill(cx))?,
                State::Done(_) => break,
                State::Broken(failure) => return Poll::Ready(Err(self.failed(failure, &codec_error))),
            }
        }
        let count = self.out.take(to.initialize_unfilled());
        to.advance(count);
        Poll::Ready(Ok(()))
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut buffer = self.room();
        let mut unfilled = ReadBuf::new(&mut buffer);
        let read = Pin::new(&mut self.inner).poll_read(cx, &mut unfilled);
        let count = unfilled.filled().len();
        match read {
            Poll::Pending => {
                self.keep(buffer);
                Poll::Pending
            }
            Poll::Ready(Ok(())) => {
                self.filled(buffer, count);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.source_failed(error))),
        }
    }
}
