//! tokio's `AsyncRead` for [`EncodedRead`] and [`DecodedRead`].

use core::pin::Pin;
use core::task::{Context, Poll, ready};
use std::io;

use tokio::io::{AsyncRead, ReadBuf};

use super::driver::{Codec, State};
use super::read::{DecodedRead, EncodedRead, READ, Reader, decode_error, encode_error};

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
        self.out.take(to.remaining(), |bytes| to.put_slice(bytes));
        Poll::Ready(Ok(()))
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.buffer.resize(READ, 0);
        let mut unfilled = ReadBuf::new(&mut self.buffer);
        let read = ready!(Pin::new(&mut self.inner).poll_read(cx, &mut unfilled));
        let count = unfilled.filled().len();
        Poll::Ready(match read {
            Ok(()) => {
                self.filled(count);
                Ok(())
            }
            Err(error) => Err(self.source_failed(error)),
        })
    }
}
