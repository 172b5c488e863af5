//! [`Read`] adapters for the encoder and the decoder.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::io::{self, ErrorKind, Read};

use super::driver::{Codec, Encoding, Failure, State};
use crate::streaming::decode::ChunkDecoder;
use crate::streaming::encode::ChunkEncoder;
use crate::streaming::error::{ChunkError, EncodeError};

/// The number of bytes to read from the inner reader at a time.
pub(super) const READ: usize = 65_536;

/// Encodes the data of another reader in chunks, for HTTP clients that send a [`Read`]. With the feature `tokio`, it
/// implements `AsyncRead` if the inner reader does.
///
/// After an error, every further read returns an error, unless the inner reader returned [`ErrorKind::WouldBlock`] or
/// [`ErrorKind::TimedOut`]: such a read can be retried.
///
/// ```
/// use std::io::Read;
/// use countersign::streaming::{Checksum, Chunked, EncodedRead};
/// # use countersign::{Credentials, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// let file = b"the content of a file".as_slice();
/// let upload = Chunked::signed(file.len() as u64).with_checksum(Checksum::Sha256);
/// let signed = signer.sign_chunked(&request, &upload, "20150830T123600Z".parse()?)?;
/// let mut body = Vec::new();
/// EncodedRead::new(signed.encoder(), file).read_to_end(&mut body)?;
/// assert_eq!(body.len() as u64, signed.content_length());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EncodedRead<R>(pub(super) Reader<Encoding, R>);

impl<R> EncodedRead<R> {
    /// Encodes the data read from `inner`.
    pub fn new(encoder: ChunkEncoder, inner: R) -> Self {
        Self(Reader::new(Encoding::new(encoder), inner))
    }

    /// Registers a callback that sets trailer values with [`ChunkEncoder::set_trailer`] after all data is encoded.
    pub fn before_trailer(
        mut self,
        callback: impl FnOnce(&mut ChunkEncoder) -> Result<(), EncodeError> + Send + Sync + 'static,
    ) -> Self {
        self.0.state.set_before_trailer(Box::new(callback));
        self
    }
}

impl<R: Read> Read for EncodedRead<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to, encode_error)
    }
}

/// Decodes the chunked body of another reader, for servers that read a body from a [`Read`]. Returns the data of each
/// chunk after its signature is verified. With the feature `tokio`, it implements `AsyncRead` if the inner reader does.
///
/// The end of the data (`Ok(0)`) is returned only after the whole body is verified; until then, the data may be
/// incomplete. If the body is refused, the error contains the [`ChunkError`](crate::streaming::ChunkError). After an
/// error, every further read returns an error, as with [`EncodedRead`].
///
/// ```
/// use std::io::Read;
/// use countersign::streaming::DecodedRead;
/// # use countersign::streaming::Chunked;
/// # use countersign::{Credentials, Request, Signer, Verifier};
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// # let now = "20150830T123600Z".parse()?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// # let signed = signer.sign_chunked(&request, &Chunked::signed(5), now)?;
/// # let mut body = Vec::new();
/// # let mut encoder = signed.encoder();
/// # encoder.push(b"hello", |piece| body.extend_from_slice(piece))?;
/// # encoder.finish(|piece| body.extend_from_slice(piece))?;
/// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// # let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
/// let verifier = Verifier::new("us-east-1", "s3")?;
/// let head = verifier.parse(&request, now)?.verify_head(Some(&credentials))?;
/// let mut reader = DecodedRead::new(head.chunk_decoder()?, body.as_slice());
/// let mut data = String::new();
/// reader.read_to_string(&mut data)?;
/// assert_eq!(data, "hello");
/// assert!(reader.trailers().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DecodedRead<R>(pub(super) Reader<ChunkDecoder, R>);

impl<R> DecodedRead<R> {
    /// Decodes the body read from `inner`.
    pub fn new(decoder: ChunkDecoder, inner: R) -> Self {
        Self(Reader::new(decoder, inner))
    }

    /// Returns the trailers once the end of the data has been read.
    pub fn trailers(&self) -> Option<&[(String, Vec<u8>)]> {
        match &self.0.state {
            State::Done(trailers) => Some(trailers),
            State::Open(_) | State::Broken(_) => None,
        }
    }
}

impl<R: Read> Read for DecodedRead<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        self.0.read(to, decode_error)
    }
}

pub(super) fn encode_error(error: &EncodeError) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, error.clone())
}

pub(super) fn decode_error(error: &ChunkError) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error.clone())
}

/// A codec with the reader that it reads from.
pub(super) struct Reader<C: Codec, R> {
    pub(super) state: State<C>,
    pub(super) inner: R,
    pub(super) out: Pending,
    pub(super) buffer: Vec<u8>,
    /// The kind of the error that the inner reader returned.
    failed_with: ErrorKind,
}

impl<C: Codec, R> Reader<C, R> {
    fn new(codec: C, inner: R) -> Self {
        Self {
            state: State::Open(codec),
            inner,
            out: Pending::default(),
            buffer: Vec::new(),
            failed_with: ErrorKind::Other,
        }
    }

    /// Processes the first `count` bytes of the buffer, which the inner reader just filled; 0 means its end.
    pub(super) fn filled(&mut self, count: usize) {
        match count {
            0 => self.state.finish(&mut self.out.bytes),
            _ => self.state.push(self.buffer.get(..count).unwrap_or_default(), &mut self.out.bytes),
        }
    }

    pub(super) fn source_failed(&mut self, error: io::Error) -> io::Error {
        self.failed_with = error.kind();
        self.state.source_failed(&error);
        error
    }

    /// Returns the error of a broken body, for every further read.
    pub(super) fn failed(
        &self,
        failure: &Failure<C::Error>,
        codec_error: impl Fn(&C::Error) -> io::Error,
    ) -> io::Error {
        failed(failure, self.failed_with, codec_error)
    }
}

/// Returns the error of a broken body. `kind` is the kind of the inner reader's error.
pub(super) fn failed<E>(failure: &Failure<E>, kind: ErrorKind, codec_error: impl Fn(&E) -> io::Error) -> io::Error {
    match failure {
        Failure::Codec(error) => codec_error(error),
        Failure::Source(error) => io::Error::new(kind, error.clone()),
    }
}

impl<C: Codec, R: Read> Reader<C, R> {
    fn read(&mut self, to: &mut [u8], codec_error: impl Fn(&C::Error) -> io::Error) -> io::Result<usize> {
        while self.out.is_empty() && !to.is_empty() {
            match &self.state {
                State::Open(_) => self.fill()?,
                State::Done(_) => break,
                State::Broken(failure) => return Err(self.failed(failure, codec_error)),
            }
        }
        Ok(self.out.take(to.len(), |bytes| {
            if let Some(to) = to.get_mut(..bytes.len()) {
                to.copy_from_slice(bytes);
            }
        }))
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.resize(READ, 0);
        match read_some(&mut self.inner, &mut self.buffer) {
            Ok(count) => {
                self.filled(count);
                Ok(())
            }
            // For example a socket timeout: no data is lost, and the caller can try again.
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Err(error),
            Err(error) => Err(self.source_failed(error)),
        }
    }
}

/// Output that the caller has not read yet.
#[derive(Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    taken: usize,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Passes up to `room` bytes to `put`, and returns how many.
    pub(super) fn take(&mut self, room: usize, put: impl FnOnce(&[u8])) -> usize {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(room);
        put(rest.get(..count).unwrap_or_default());
        self.taken += count;
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        }
        count
    }
}

pub(super) fn read_some(from: &mut impl Read, to: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(to) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl<R> fmt::Debug for EncodedRead<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncodedRead").field(&self.0.state).finish()
    }
}

impl<R> fmt::Debug for DecodedRead<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DecodedRead").field(&self.0.state).finish()
    }
}
