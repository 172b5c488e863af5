//! A [`Read`] adapter for the encoder that hashes on several threads.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::num::NonZeroUsize;
use std::io::{self, ErrorKind, Read};

use super::ahead::Ahead;
use super::driver::{Encoding, State};
use super::read::{encode_error, failed, read_some};
use crate::streaming::chunk::CRLF;
use crate::streaming::encode::ChunkEncoder;
use crate::streaming::error::EncodeError;
use crate::streaming::sign::SignedChunked;

/// Encodes the data of another reader in signed chunks, like [`EncodedRead`](super::EncodedRead), and hashes the next chunks
/// on several threads meanwhile. Use it if the network is faster than one core computes SHA-256.
///
/// The body is the same. The calling thread is one of the threads: it reads, signs, and hashes while it would wait. The
/// other threads are started with the second chunk and end before this value is dropped. If they can't be started, as on
/// WebAssembly, the calling thread does all the work.
///
/// At most `2 * threads + 2` chunks are in memory. Chunks are sent only after the next ones have been read, unless the inner
/// reader returns [`ErrorKind::WouldBlock`] or [`ErrorKind::TimedOut`]; if there is nothing to send then, the read returns
/// the error and can be retried.
///
/// Chunks that are not signed need no hash, and a checksum in the trailer is computed by the calling thread alone: with
/// SHA-256, several threads gain little.
///
/// ```
/// use std::io::Read;
/// use std::num::NonZeroUsize;
/// use countersign::streaming::{Chunked, ParallelEncodedRead};
/// # use countersign::{Credentials, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// let file = vec![b'a'; 1_000_000];
/// let signed = signer.sign_chunked(&request, &Chunked::signed(file.len() as u64), "20150830T123600Z".parse()?)?;
/// let threads = NonZeroUsize::new(2).unwrap(); // or std::thread::available_parallelism()?
/// let mut body = Vec::new();
/// ParallelEncodedRead::new(&signed, file.as_slice(), threads).read_to_end(&mut body)?;
/// assert_eq!(body.len() as u64, signed.content_length());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ParallelEncodedRead<R> {
    state: State<Encoding>,
    source: Source<R>,
    ahead: Ahead<Vec<u8>>,
    out: Out,
    /// The kind of the error that the inner reader returned.
    failed_with: ErrorKind,
}

impl<R> ParallelEncodedRead<R> {
    /// Encodes the data read from `inner` for the request that was signed, on `threads` threads including the caller's.
    ///
    /// [`EncodeError::ThreadPanicked`] is the error of a read if one of the threads panics.
    pub fn new(signed: &SignedChunked, inner: R, threads: NonZeroUsize) -> Self {
        let (chunk_size, left) = signed.chunk_size_and_length();
        Self {
            state: State::Open(Encoding::new(signed.encoder())),
            source: Source::new(inner, chunk_size, left),
            ahead: Ahead::new(threads),
            out: Out::default(),
            failed_with: ErrorKind::Other,
        }
    }

    /// Registers a callback that sets trailer values with [`ChunkEncoder::set_trailer`] after all data is encoded.
    pub fn before_trailer(
        mut self,
        callback: impl FnOnce(&mut ChunkEncoder) -> Result<(), EncodeError> + Send + Sync + 'static,
    ) -> Self {
        self.state.set_before_trailer(Box::new(callback));
        self
    }
}

impl<R: Read> Read for ParallelEncodedRead<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.out.read(to);
            if count > 0 || to.is_empty() {
                return Ok(count);
            }
            match &self.state {
                State::Open(_) => self.advance()?,
                State::Done(()) => return Ok(0),
                State::Broken(failure) => return Err(failed(failure, self.failed_with, encode_error)),
            }
        }
    }
}

impl<R: Read> ParallelEncodedRead<R> {
    /// Reads ahead, then encodes the next chunk or the end of the body.
    fn advance(&mut self) -> io::Result<()> {
        self.source.reuse(self.out.take_data());
        self.read_ahead()?;
        match self.ahead.next() {
            Some(Ok(chunk)) => self.out = self.state.push_hashed(chunk).map_or_else(Out::default, Out::of_chunk),
            Some(Err(panicked)) => self.state.fail(panicked),
            None => {
                // Data that is no chunk is less or more than announced, which the encoder reports.
                let mut end = Vec::new();
                self.state.push(self.source.rest(), &mut end);
                self.state.finish(&mut end);
                self.out = Out::of_end(end);
            }
        }
        Ok(())
    }

    fn read_ahead(&mut self) -> io::Result<()> {
        while !self.ahead.is_full() && !self.source.ended {
            match self.source.next() {
                Ok(Some(chunk)) => self.ahead.push(chunk),
                Ok(None) => {}
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    return if self.ahead.is_empty() { Err(error) } else { Ok(()) };
                }
                Err(error) => {
                    self.failed_with = error.kind();
                    self.state.source_failed(&error);
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

/// Reads chunks.
struct Source<R> {
    inner: R,
    chunk_size: usize,
    /// The announced length of the data that was not returned yet.
    left: u64,
    /// The next chunk, of which the first `filled` bytes have been read.
    buffer: Vec<u8>,
    filled: usize,
    ended: bool,
    /// Memory of chunks that were sent.
    free: Vec<Vec<u8>>,
}

impl<R> Source<R> {
    fn new(inner: R, chunk_size: usize, left: u64) -> Self {
        Self { inner, chunk_size, left, buffer: Vec::new(), filled: 0, ended: false, free: Vec::new() }
    }

    fn reuse(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() > 0 && !self.ended {
            self.free.push(buffer);
        }
    }

    /// Returns the data before the end that is not a chunk.
    fn rest(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }
}

impl<R: Read> Source<R> {
    /// Returns the next chunk, or `None` at the end of the data or once there is more than announced. After an error, the
    /// next call continues.
    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        // After the announced data, a single byte shows that there is more.
        let size = usize::try_from(self.left).unwrap_or(usize::MAX).min(self.chunk_size).max(1);
        if self.buffer.len() != size {
            self.buffer = self.free.pop().unwrap_or_default();
            self.buffer.resize(size, 0);
        }
        while self.filled < size {
            let count = read_some(&mut self.inner, self.buffer.get_mut(self.filled..).unwrap_or_default())?;
            self.filled = self.filled.saturating_add(count).min(size);
            if count == 0 {
                self.ended = true;
                return Ok(None);
            }
        }
        if self.left == 0 {
            self.ended = true;
            return Ok(None);
        }
        self.left = self.left.saturating_sub(size as u64);
        self.filled = 0;
        Ok(Some(core::mem::take(&mut self.buffer)))
    }
}

/// Encoded bytes that the caller has not read yet: a header line, data, and a line end.
#[derive(Default)]
struct Out {
    header: Vec<u8>,
    data: Vec<u8>,
    end: &'static [u8],
    taken: usize,
}

impl Out {
    fn of_chunk((header, data): (Vec<u8>, Vec<u8>)) -> Self {
        Self { header, data, end: CRLF, taken: 0 }
    }

    fn of_end(end: Vec<u8>) -> Self {
        Self { header: end, ..Self::default() }
    }

    fn take_data(&mut self) -> Vec<u8> {
        core::mem::take(self).data
    }

    fn read(&mut self, to: &mut [u8]) -> usize {
        let (mut count, mut before) = (0, 0);
        for piece in [&self.header, &self.data, self.end] {
            let rest = piece.get((self.taken + count).saturating_sub(before)..).unwrap_or_default();
            let room = to.get_mut(count..).unwrap_or_default();
            let length = rest.len().min(room.len());
            if let Some((to, from)) = room.get_mut(..length).zip(rest.get(..length)) {
                to.copy_from_slice(from);
            }
            count += length;
            before += piece.len();
        }
        self.taken += count;
        count
    }
}

impl<R> fmt::Debug for ParallelEncodedRead<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ParallelEncodedRead").field(&self.state).finish()
    }
}
