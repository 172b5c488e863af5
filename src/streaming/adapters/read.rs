//! [`Read`] around both sides.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use std::io::{self, Read};

use crate::streaming::decode::ChunkDecoder;
use crate::streaming::encode::{BeforeTrailer, ChunkEncoder};
use crate::streaming::error::EncodeError;
use crate::verify::VerifyError;

/// Bytes read from below at a time.
const READ: usize = 65_536;

/// Reads data from below and gives the body in chunks: what an HTTP client that takes a [`Read`] sends.
///
/// ```
/// use std::io::Read;
/// use countersign::streaming::{Checksum, Chunked, EncodedRead};
/// # use countersign::{Credentials, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3");
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// let file = b"what stands in a file".as_slice();
/// let upload = Chunked::signed(file.len() as u64).with_checksum(Checksum::Sha256);
/// let signed = signer.sign_chunked(&request, &upload, "20150830T123600Z".parse()?)?;
/// let mut body = Vec::new();
/// EncodedRead::new(signed.encoder(), file).read_to_end(&mut body)?;
/// assert_eq!(body.len() as u64, signed.content_length());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct EncodedRead<R> {
    encoder: ChunkEncoder,
    inner: R,
    before_trailer: Option<BeforeTrailer>,
    out: Pending,
    buffer: Vec<u8>,
    ended: bool,
    /// A reader that asks again must not take what was left out for the end.
    broken: Option<EncodeError>,
}

impl<R: Read> EncodedRead<R> {
    /// Frames what `inner` reads.
    pub fn new(encoder: ChunkEncoder, inner: R) -> Self {
        Self {
            encoder,
            inner,
            before_trailer: None,
            out: Pending::default(),
            buffer: Vec::new(),
            ended: false,
            broken: None,
        }
    }

    /// Calls back once all data is through, to give the values of trailers with [`ChunkEncoder::set_trailer`].
    pub fn before_trailer(
        mut self,
        callback: impl FnOnce(&mut ChunkEncoder) -> Result<(), EncodeError> + Send + Sync + 'static,
    ) -> Self {
        self.before_trailer = Some(Box::new(callback));
        self
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.broken.is_none() {
            self.buffer.resize(READ, 0);
            let count = read_some(&mut self.inner, &mut self.buffer)?;
            self.broken = self.encode(count).err();
        }
        self.broken.clone().map_or(Ok(()), |error| Err(io::Error::new(io::ErrorKind::InvalidInput, error)))
    }

    /// What was read, or the end.
    fn encode(&mut self, count: usize) -> Result<(), EncodeError> {
        let out = &mut self.out.bytes;
        if count > 0 {
            let data = self.buffer.get(..count).unwrap_or_default();
            return self.encoder.push(data, |piece| out.extend_from_slice(piece));
        }
        if let Some(callback) = self.before_trailer.take() {
            callback(&mut self.encoder)?;
        }
        self.encoder.finish(|piece| out.extend_from_slice(piece))?;
        self.ended = true;
        Ok(())
    }
}

impl<R: Read> Read for EncodedRead<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.out.is_empty() && !self.ended && !to.is_empty() {
            self.fill()?;
        }
        Ok(self.out.take(to))
    }
}

/// Reads a body in chunks from below and gives its data, each chunk once its signature is checked: what a server that
/// reads from a [`Read`] stores.
///
/// The end of the data (`Ok(0)`) comes only after the whole body was checked; until then, nothing that was read is proven
/// to be whole. An error holds the [`VerifyError`].
///
/// ```
/// use std::io::Read;
/// use countersign::streaming::DecodedRead;
/// # use countersign::streaming::Chunked;
/// # use countersign::{Credentials, Presented, Request, Signer, Verifier};
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// # let now = "20150830T123600Z".parse()?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "s3");
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// # let signed = signer.sign_chunked(&request, &Chunked::signed(5), now)?;
/// # let mut body = Vec::new();
/// # let mut encoder = signed.encoder();
/// # encoder.push(b"hello", |piece| body.extend_from_slice(piece))?;
/// # encoder.finish(|piece| body.extend_from_slice(piece))?;
/// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// # let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
/// # let presented = Presented::parse(&request)?;
/// # let key = presented.derive_key(Some(&credentials));
/// let verified = Verifier::new("us-east-1", "s3").verify(presented, &key, now)?;
/// let mut reader = DecodedRead::new(verified.chunk_decoder()?, body.as_slice());
/// let mut data = String::new();
/// reader.read_to_string(&mut data)?;
/// assert_eq!(data, "hello");
/// assert!(reader.trailers().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DecodedRead<R> {
    state: State,
    inner: R,
    out: Pending,
    buffer: Vec<u8>,
}

enum State {
    Body(Box<ChunkDecoder>),
    Whole(Vec<(String, Vec<u8>)>),
    /// A reader that asks again must not take the end of a broken body for a whole one.
    Broken(VerifyError),
}

impl<R: Read> DecodedRead<R> {
    /// Reads the body that `inner` reads.
    pub fn new(decoder: ChunkDecoder, inner: R) -> Self {
        Self { state: State::Body(Box::new(decoder)), inner, out: Pending::default(), buffer: Vec::new() }
    }

    /// The trailers, once the end of the data was read.
    pub fn trailers(&self) -> Option<&[(String, Vec<u8>)]> {
        match &self.state {
            State::Whole(trailers) => Some(trailers),
            State::Body(_) | State::Broken(_) => None,
        }
    }
}

impl<R: Read> Read for DecodedRead<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.out.is_empty() && !to.is_empty() {
            match &mut self.state {
                State::Body(decoder) => {
                    self.buffer.resize(READ, 0);
                    let count = read_some(&mut self.inner, &mut self.buffer)?;
                    let out = &mut self.out.bytes;
                    let body = self.buffer.get(..count).unwrap_or_default();
                    let next = match count {
                        0 => decoder.end().map(|trailers| Some(State::Whole(trailers))),
                        _ => decoder.run(body, &mut |data| out.extend_from_slice(data)).map(|()| None),
                    };
                    if let Some(next) = next.unwrap_or_else(|error| Some(State::Broken(error.into()))) {
                        self.state = next;
                    }
                }
                State::Whole(_) => break,
                State::Broken(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error.clone())),
            }
        }
        Ok(self.out.take(to))
    }
}

/// What is to be read next.
#[derive(Default)]
struct Pending {
    bytes: Vec<u8>,
    taken: usize,
}

impl Pending {
    fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn take(&mut self, to: &mut [u8]) -> usize {
        let rest = self.bytes.get(self.taken..).unwrap_or_default();
        let count = rest.len().min(to.len());
        if let (Some(to), Some(from)) = (to.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.taken += count;
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        }
        count
    }
}

fn read_some(from: &mut impl Read, to: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(to) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

impl<R> fmt::Debug for EncodedRead<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncodedRead").field(&self.encoder).finish()
    }
}

impl<R> fmt::Debug for DecodedRead<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.state {
            State::Body(decoder) => f.debug_tuple("DecodedRead").field(decoder).finish(),
            State::Whole(_) => f.write_str("DecodedRead(whole)"),
            State::Broken(error) => f.debug_tuple("DecodedRead").field(error).finish(),
        }
    }
}
