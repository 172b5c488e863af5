use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest, Sha256};

use super::checksum::Running;
use super::chunk::{self, CRLF};
use super::error::EncodeError;
use super::trailer::{self, Value};
use crate::hash::EMPTY_SHA256;
use crate::sigv4::chain::{Chain, Linked, trailer_sha256};
use crate::text::{any, excerpt, is_forbidden_in_value};

/// Encodes a body in chunks. Buffers at most the data of one chunk.
///
/// The output is passed to a callback as a series of slices, to be sent in that order. Data that fills a whole chunk is
/// not copied.
///
/// ```
/// # use countersign::streaming::Chunked;
/// # use countersign::{Credentials, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// let chunked = Chunked::signed(5).with_trailer("x-amz-meta-note", 4);
/// let signed = signer.sign_chunked(&request, &chunked, "20150830T123600Z".parse()?)?;
/// let (mut encoder, mut body) = (signed.encoder(), Vec::new());
/// encoder.push(b"hel", |piece| body.extend_from_slice(piece))?;
/// encoder.push(b"lo", |piece| body.extend_from_slice(piece))?;
/// encoder.set_trailer("x-amz-meta-note", "done")?;
/// encoder.finish(|piece| body.extend_from_slice(piece))?;
/// assert!(body.starts_with(b"5;chunk-signature="));
/// assert_eq!(body.len() as u64, signed.content_length());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct ChunkEncoder {
    /// `None` if chunks are not signed.
    chain: Option<Chain>,
    chunk_size: usize,
    announced: u64,
    given: u64,
    /// The start of an incomplete chunk.
    pending: Vec<u8>,
    /// The hash of `pending`, if chunks are signed.
    sha256: Sha256,
    trailers: Vec<(String, Trailer)>,
    finished: bool,
}

#[derive(Clone)]
enum Trailer {
    Checksum(Running),
    Announced(usize),
    Given(Vec<u8>),
}

impl ChunkEncoder {
    pub(super) fn new(
        chain: Option<Chain>,
        announced: u64,
        chunk_size: usize,
        trailers: impl Iterator<Item = (String, Value)>,
    ) -> Self {
        let trailers = trailers.map(|(name, value)| match value {
            // Signing refuses a checksum that can't be computed.
            Value::Checksum(checksum) => {
                let missing = Trailer::Announced(checksum.value_length());
                (name, checksum.start().map_or(missing, Trailer::Checksum))
            }
            Value::Given(length) => (name, Trailer::Announced(length)),
        });
        Self {
            chain,
            chunk_size: chunk_size.max(1),
            announced,
            given: 0,
            pending: Vec::new(),
            sha256: Sha256::new(),
            trailers: trailers.collect(),
            finished: false,
        }
    }

    /// Encodes the next part of the data, of any length, and passes the chunks that it completes to `out`.
    ///
    /// # Errors
    /// [`EncodeError::DecodedLength`] if there is more data than announced, [`EncodeError::Finished`] after
    /// [`ChunkEncoder::finish`]; nothing is passed to `out`.
    pub fn push(&mut self, mut data: &[u8], mut out: impl FnMut(&[u8])) -> Result<(), EncodeError> {
        let given = self.given_with(data)?;
        self.accept(data, given);
        while self.pending.len() + data.len() >= self.chunk_size {
            let (of_chunk, rest) = data.split_at_checked(self.chunk_size - self.pending.len()).unwrap_or((data, &[]));
            self.chunk(of_chunk, &mut out);
            data = rest;
        }
        self.hash(data);
        let to_come = self.chunk_size - self.pending.len();
        chunk::hold(&mut self.pending, data, to_come);
        Ok(())
    }

    /// Sets the value of a trailer that was announced with [`Chunked::with_trailer`](super::Chunked::with_trailer). A
    /// later value replaces an earlier one.
    ///
    /// # Errors
    /// [`EncodeError::UnannouncedTrailer`] if the trailer was not announced, [`EncodeError::TrailerValue`] if the value
    /// is invalid or not as long as announced.
    pub fn set_trailer(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), EncodeError> {
        let value = value.as_ref();
        let announced = self.trailers.iter_mut().find(|(announced, _)| name.eq_ignore_ascii_case(announced));
        let Some((name, trailer)) = announced else {
            return Err(EncodeError::UnannouncedTrailer { name: excerpt(name.as_bytes()) });
        };
        let announced = match trailer {
            Trailer::Announced(length) => *length,
            Trailer::Given(value) => value.len(),
            Trailer::Checksum(_) => return Err(EncodeError::UnannouncedTrailer { name: name.clone() }),
        };
        if value.len() != announced || any(value, is_forbidden_in_value) {
            return Err(EncodeError::TrailerValue { name: name.clone(), announced });
        }
        *trailer = Trailer::Given(value.into());
        Ok(())
    }

    /// Passes the rest of the body to `out`: the remaining data, the empty last chunk and the trailer.
    ///
    /// # Errors
    /// [`EncodeError::DecodedLength`] if there was less data than announced, [`EncodeError::MissingTrailer`] if a
    /// trailer has no value; nothing is passed to `out`, and the missing data or value can still be supplied.
    /// [`EncodeError::Finished`] if the body is already finished.
    pub fn finish(&mut self, mut out: impl FnMut(&[u8])) -> Result<(), EncodeError> {
        if self.finished {
            return Err(EncodeError::Finished);
        }
        if self.given < self.announced {
            return Err(EncodeError::DecodedLength { announced: self.announced, given: self.given });
        }
        if let Some((name, _)) = self.trailers.iter().find(|(_, value)| matches!(value, Trailer::Announced(_))) {
            return Err(EncodeError::MissingTrailer { name: name.clone() });
        }
        self.finished = true;
        if !self.pending.is_empty() {
            self.chunk(&[], &mut out);
        }
        let mut end = Vec::new();
        self.write_header(&mut end, 0, EMPTY_SHA256);
        self.write_trailer(&mut end);
        end.extend_from_slice(CRLF);
        out(&end);
        Ok(())
    }

    /// Returns the length of the data so far, `data` included.
    fn given_with(&self, data: &[u8]) -> Result<u64, EncodeError> {
        if self.finished {
            return Err(EncodeError::Finished);
        }
        let given = self.given.saturating_add(data.len() as u64);
        if given > self.announced {
            return Err(EncodeError::DecodedLength { announced: self.announced, given });
        }
        Ok(given)
    }

    fn accept(&mut self, data: &[u8], given: u64) {
        self.given = given;
        for (_, trailer) in &mut self.trailers {
            if let Trailer::Checksum(running) = trailer {
                running.update(data);
            }
        }
    }

    /// Returns the header line of a whole chunk, or `None` if it is empty.
    pub(super) fn header_of_whole(&mut self, data: &[u8], sha256: [u8; 32]) -> Result<Option<Vec<u8>>, EncodeError> {
        let given = self.given_with(data)?;
        let pending = self.pending.len();
        let left = self.announced.saturating_sub(self.given).saturating_add(pending as u64);
        let expected = usize::try_from(left).unwrap_or(usize::MAX).min(self.chunk_size);
        if data.len() != expected || pending > 0 {
            return Err(EncodeError::NotAChunk { length: data.len(), expected, pending });
        }
        self.accept(data, given);
        if data.is_empty() {
            return Ok(None);
        }
        let mut header = Vec::with_capacity(128);
        self.write_header(&mut header, data.len(), sha256);
        Ok(Some(header))
    }

    fn hash(&mut self, data: &[u8]) {
        if self.chain.is_some() {
            self.sha256.update(data);
        }
    }

    /// Writes a chunk that consists of the pending data and `rest`. Only the pending data was copied.
    fn chunk(&mut self, rest: &[u8], out: &mut impl FnMut(&[u8])) {
        self.hash(rest);
        let sha256 = self.sha256.finalize_reset().into();
        let mut header = Vec::with_capacity(128);
        self.write_header(&mut header, self.pending.len() + rest.len(), sha256);
        [&header, self.pending.as_slice(), rest, CRLF].into_iter().filter(|piece| !piece.is_empty()).for_each(out);
        self.pending.clear();
    }

    fn write_header(&mut self, out: &mut Vec<u8>, length: usize, sha256: [u8; 32]) {
        let signature = self.chain.as_mut().map(|chain| chain.sign(Linked::Payload(EMPTY_SHA256, sha256)));
        chunk::write_header(out, length, signature.as_ref());
    }

    fn write_trailer(&mut self, out: &mut Vec<u8>) {
        if self.trailers.is_empty() {
            return;
        }
        let trailers: Vec<(String, Vec<u8>)> = core::mem::take(&mut self.trailers)
            .into_iter()
            .map(|(name, value)| match value {
                Trailer::Checksum(running) => (name, running.finish().into_bytes()),
                Trailer::Given(value) => (name, value),
                Trailer::Announced(_) => (name, Vec::new()),
            })
            .collect();
        for (name, value) in &trailers {
            trailer::write_line(out, name, value);
        }
        if let Some(chain) = &mut self.chain {
            let hash = trailer_sha256(trailers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
            let signature = chain.sign(Linked::Trailer(hash));
            trailer::write_line(out, trailer::X_AMZ_TRAILER_SIGNATURE, chunk::padded(&signature).as_bytes());
        }
    }
}

/// Shows the progress, without data or signatures.
impl fmt::Debug for ChunkEncoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkEncoder")
            .field("announced", &self.announced)
            .field("given", &self.given)
            .finish_non_exhaustive()
    }
}
