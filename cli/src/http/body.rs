//! Bodies that are sent: bytes, or a reader on a thread of its own, so that any size takes constant memory.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::mpsc;

/// How much a reader reads at once. Two of these are in memory for each that is being sent.
const PIECE: usize = 64 * 1024;

/// The body of a request.
pub struct Body {
    length: u64,
    left: u64,
    source: Source,
}

enum Source {
    Bytes(Bytes),
    Reader(mpsc::Receiver<io::Result<Bytes>>),
}

impl Body {
    pub fn length(&self) -> u64 {
        self.length
    }

    /// A body that is read while it is sent. It must have exactly `length` bytes.
    pub fn from_reader(mut reader: impl Read + Send + 'static, length: u64) -> Self {
        let (sender, receiver) = mpsc::channel(2);
        std::thread::spawn(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let read = match reader.read(&mut piece) {
                    Ok(0) => return,
                    Ok(read) => {
                        piece.truncate(read);
                        Ok(Bytes::from(piece))
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                // The receiver is gone if the server has answered already.
                if sender.blocking_send(read).is_err() || failed {
                    return;
                }
            }
        });
        Self { length, left: length, source: Source::Reader(receiver) }
    }

    fn take(&mut self, data: Bytes) -> io::Result<Frame<Bytes>> {
        match self.left.checked_sub(data.len() as u64) {
            Some(left) => {
                self.left = left;
                Ok(Frame::data(data))
            }
            None => Err(io::Error::other("the body has become longer while it was sent")),
        }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Bytes::from(bytes).into()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        let length = bytes.len() as u64;
        Self { length, left: length, source: Source::Bytes(bytes) }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let next = match &mut self.source {
            Source::Bytes(bytes) if bytes.is_empty() => None,
            Source::Bytes(bytes) => Some(Ok(std::mem::take(bytes))),
            Source::Reader(receiver) => match receiver.poll_recv(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(next) => next,
            },
        };
        Poll::Ready(match next {
            Some(Ok(data)) => Some(self.take(data)),
            Some(Err(error)) => Some(Err(error)),
            None if self.left > 0 => {
                let missing = self.left;
                self.left = 0;
                Some(Err(io::Error::other(format!("the body is {missing} bytes shorter than announced"))))
            }
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && matches!(&self.source, Source::Bytes(_))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
