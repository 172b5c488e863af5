use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ctutils::CtEq;
use sha2::{Digest, Sha256};

use super::checksum::{Checksum, Running};
use super::error::ChunkError;
use super::held::{Borrowed, Held, Sink};
use super::{chunk, trailer};
use crate::hash::EMPTY_SHA256;
use crate::sigv4::chain::{Chain, Linked, trailer_sha256};
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::AnyKey;
use crate::text::excerpt;

/// The longest header line of a chunk, in bytes, including the line end.
const MAX_HEADER: usize = 1024;

/// Decodes a chunked body. Created by [`VerifiedHead::chunk_decoder`](crate::VerifiedHead::chunk_decoder).
///
/// The checks, in the order in which they run:
///
/// 1. `x-amz-decoded-content-length` is a number. If the payload has trailers, `x-amz-trailer` names them (at most 64);
///    if it has none, the header is absent, or the rules [ignore it](crate::Rules::ignore_unused_trailer). Each
///    trailer whose name begins with `x-amz-checksum-` is a checksum that this build can compute
///    ([`Checksum::is_available`]), unless the caller accepts it by name:
///    [`VerifiedHead::chunk_decoder_with_unchecked`](crate::VerifiedHead::chunk_decoder_with_unchecked).
/// 2. The header line of a chunk (at most 1024 bytes) is well-formed, a signed chunk is not longer than the limits'
///    `max_chunk_size`, only the last chunk is shorter than the rules' `min_chunk_size`, and the chunks together are
///    not longer than announced.
/// 3. The signature of the chunk matches its data and all previous chunks, compared in constant time. Only then is the
///    data released.
/// 4. The data is as long as announced.
/// 5. The trailer (at most 16384 bytes) contains each announced trailer exactly once, and no others; its signature
///    matches the trailer and all chunks. Each checksum matches the data. A checksum that the caller accepts by name
///    and this build can't compute is returned as sent, without verification, and so is a trailer that is not a
///    checksum.
/// 6. Nothing follows except line ends, at most 4 bytes.
///
/// The data of unsigned chunks (`STREAMING-UNSIGNED-PAYLOAD-TRAILER`) is released as it arrives; none of it is verified
/// until [`ChunkDecoder::finish`] returns `Ok`. For any body, only `finish` shows that it is complete.
///
/// Memory use is bounded by the data of one chunk that has arrived, not by the length that the chunk announces.
///
/// AWS: [Chunked upload](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html),
/// [with trailing headers](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html)
pub struct ChunkDecoder {
    /// `None` if chunks are not signed.
    chain: Option<Chain<AnyKey>>,
    /// `None` if the payload has no trailer.
    announced_trailers: Option<Vec<String>>,
    announced: u64,
    received: u64,
    least: u64,
    most: u64,
    state: State,
    /// The start of an incomplete line.
    line: Vec<u8>,
    /// The start of an incomplete chunk.
    chunk: Held,
    sha256: Sha256,
    number: u64,
    /// The length of a chunk that is so short that it must be the last.
    small: Option<u64>,
    checksums: Vec<(Checksum, Running)>,
    trailers: Vec<(String, Vec<u8>)>,
    trailer_bytes: usize,
}

enum State {
    /// In the header line of a chunk.
    Header,
    Data {
        left: u64,
        signature: Option<Signature>,
    },
    /// After the data, in its line end.
    DataEnd {
        seen: usize,
    },
    Trailer,
    /// After the last chunk or the trailer: one or two empty lines.
    End {
        seen: usize,
    },
    Failed(ChunkError),
}

impl ChunkDecoder {
    /// `chain` is `None` if chunks are not signed, `announced_trailers` if there is no trailer.
    pub(super) fn new(
        chain: Option<Chain<AnyKey>>,
        announced: u64,
        announced_trailers: Option<Vec<String>>,
        rules: &Rules,
        limits: &Limits,
    ) -> Self {
        let checksums = announced_trailers
            .iter()
            .flatten()
            .filter_map(|name| Checksum::from_header_name(name))
            .filter_map(|checksum| Some((checksum, checksum.start()?)))
            .collect();
        Self {
            chain,
            announced_trailers,
            announced,
            received: 0,
            least: rules.min_chunk_size,
            most: limits.max_chunk_size,
            state: State::Header,
            line: Vec::new(),
            chunk: Held::default(),
            sha256: Sha256::new(),
            number: 0,
            small: None,
            checksums,
            trailers: Vec::new(),
            trailer_bytes: 0,
        }
    }

    /// Decodes the next bytes of the body, which may be split at any position, and passes the data of each chunk to
    /// `release` after its signature is verified.
    ///
    /// # Errors
    /// [`ChunkError`] if the body is refused. Data of signed chunks that was already released belongs to verified
    /// chunks; no more is released.
    pub fn push(&mut self, input: &[u8], release: impl FnMut(&[u8])) -> Result<(), ChunkError> {
        self.push_to(input, &mut Borrowed(release))
    }

    pub(super) fn push_to(&mut self, input: &[u8], sink: &mut impl Sink) -> Result<(), ChunkError> {
        let result = self.advance(input, sink);
        if let Err(error) = &result {
            self.state = State::Failed(error.clone());
        }
        result
    }

    /// Ends the body and returns its trailers, with names in lower case and values as sent.
    ///
    /// # Errors
    /// [`ChunkError`] if the body is incomplete, or a checksum in the trailer does not match the data.
    pub fn finish(mut self) -> Result<Vec<(String, Vec<u8>)>, ChunkError> {
        self.end()
    }

    fn advance(&mut self, mut input: &[u8], sink: &mut impl Sink) -> Result<(), ChunkError> {
        while !input.is_empty() {
            match self.state {
                State::Header => self.read_header(&mut input)?,
                State::Data { left, signature } => self.read_data(&mut input, left, signature, sink)?,
                State::DataEnd { seen } => self.read_data_end(&mut input, seen)?,
                State::Trailer => self.read_trailer(&mut input)?,
                State::End { seen } => return self.read_end(input, seen),
                State::Failed(ref error) => return Err(error.clone()),
            }
        }
        Ok(())
    }

    fn read_header(&mut self, input: &mut &[u8]) -> Result<(), ChunkError> {
        let too_long = ChunkError::HeaderTooLong { limit: MAX_HEADER };
        let Some(line) = take_line(&mut self.line, input, MAX_HEADER, too_long)? else { return Ok(()) };
        self.begin_chunk(&line)?;
        self.reuse(line);
        Ok(())
    }

    fn begin_chunk(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        let malformed = || ChunkError::MalformedHeader { got: excerpt(line) };
        let line = line.strip_suffix(chunk::CRLF).ok_or_else(malformed)?;
        let (length, signature) = chunk::parse_header(line, self.chain.as_ref().map(Chain::algorithm))?;
        self.number += 1;
        if length == 0 {
            if let Some(chain) = &mut self.chain {
                verify_chunk(chain, EMPTY_SHA256, signature, self.number)?;
            }
            if self.received != self.announced {
                return Err(ChunkError::DecodedLength { announced: self.announced, received: self.received });
            }
            self.state = if self.announced_trailers.is_some() { State::Trailer } else { State::End { seen: 0 } };
            return Ok(());
        }
        // An unsigned chunk is not buffered.
        if length > self.most && self.chain.is_some() {
            return Err(ChunkError::TooLarge { length, limit: self.most });
        }
        if let Some(length) = self.small {
            return Err(ChunkError::TooSmall { length, limit: self.least });
        }
        self.small = (length < self.least).then_some(length);
        self.received = self.received.saturating_add(length);
        if self.received > self.announced {
            return Err(ChunkError::DecodedLength { announced: self.announced, received: self.received });
        }
        self.state = State::Data { left: length, signature };
        Ok(())
    }

    fn read_data(
        &mut self,
        input: &mut &[u8],
        left: u64,
        signature: Option<Signature>,
        sink: &mut impl Sink,
    ) -> Result<(), ChunkError> {
        let to_come = usize::try_from(left).unwrap_or(usize::MAX);
        let (data, rest) = input.split_at_checked(to_come).unwrap_or((input, &[]));
        *input = rest;
        let left = left.saturating_sub(data.len() as u64);
        self.state = if left > 0 { State::Data { left, signature } } else { State::DataEnd { seen: 0 } };
        if let Some(chain) = &mut self.chain {
            self.sha256.update(data);
            if left > 0 {
                sink.hold(&mut self.chunk, data, to_come);
                return Ok(());
            }
            verify_chunk(chain, self.sha256.finalize_reset().into(), signature, self.number)?;
            self.chunk.pieces().for_each(|piece| update(&mut self.checksums, piece));
            sink.release_held(&mut self.chunk);
        }
        update(&mut self.checksums, data);
        sink.release(data);
        Ok(())
    }

    fn read_data_end(&mut self, input: &mut &[u8], seen: usize) -> Result<(), ChunkError> {
        let Some((byte, rest)) = input.split_first() else { return Ok(()) };
        *input = rest;
        self.state = match (seen, byte) {
            (0, b'\r') => State::DataEnd { seen: 1 },
            (1, b'\n') => State::Header,
            _ => return Err(ChunkError::MalformedEnd { number: self.number }),
        };
        Ok(())
    }

    fn read_trailer(&mut self, input: &mut &[u8]) -> Result<(), ChunkError> {
        let limit = trailer::MAX_TRAILER.saturating_sub(self.trailer_bytes);
        let too_long = ChunkError::TrailerTooLong { limit: trailer::MAX_TRAILER };
        let Some(line) = take_line(&mut self.line, input, limit, too_long)? else { return Ok(()) };
        self.trailer_bytes += line.len();
        self.trailer_line(&line)?;
        self.reuse(line);
        Ok(())
    }

    /// Keeps the allocation of a line for the next one.
    fn reuse(&mut self, mut line: Vec<u8>) {
        line.clear();
        self.line = line;
    }

    fn trailer_line(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            // The S3 guide shows an empty line before the signature.
            if self.chain.is_none() {
                self.state = State::End { seen: 0 };
            }
            return Ok(());
        }
        let (name, value) = trailer::parse_line(line)?;
        if name == trailer::X_AMZ_TRAILER_SIGNATURE {
            let Some(chain) = &mut self.chain else { return Err(ChunkError::UnexpectedTrailer { name }) };
            let digits = core::str::from_utf8(value.trim_ascii()).ok();
            let signature = digits.and_then(|digits| chunk::parse_signature(chain.algorithm(), digits));
            let signature = signature.ok_or(ChunkError::MissingTrailerSignature)?;
            let hash = trailer_sha256(self.trailers.iter().map(|(name, value)| (name.as_str(), value.as_slice())));
            if !chain.verify(Linked::Trailer(hash), &signature) {
                return Err(ChunkError::TrailerSignatureMismatch);
            }
            self.state = State::End { seen: 0 };
            return Ok(());
        }
        if !self.announced_trailers.iter().flatten().any(|announced| *announced == name) {
            return Err(ChunkError::UnexpectedTrailer { name: excerpt(name.as_bytes()) });
        }
        if self.trailers.iter().any(|(other, _)| *other == name) {
            return Err(ChunkError::RepeatedTrailer { name });
        }
        self.trailers.push((name, value.into()));
        Ok(())
    }

    fn read_end(&mut self, input: &[u8], seen: usize) -> Result<(), ChunkError> {
        // The S3 guide shows one more empty line than most clients send.
        let line_ends = input.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        let seen = seen.saturating_add(input.len());
        if !line_ends || seen > 2 * chunk::CRLF.len() {
            return Err(ChunkError::BytesAfterEnd);
        }
        self.state = State::End { seen };
        Ok(())
    }

    pub(super) fn end(&mut self) -> Result<Vec<(String, Vec<u8>)>, ChunkError> {
        if matches!(self.state, State::Trailer) && !self.line.is_empty() {
            // Some clients omit the last line end. A line that is neither signed nor a checksum that is compared may
            // have been truncated.
            let line = core::mem::take(&mut self.line);
            let is_compared = trailer::parse_line(&line)
                .is_ok_and(|(name, _)| Checksum::from_header_name(&name).is_some_and(Checksum::is_available));
            if self.chain.is_none() && !is_compared {
                return Err(ChunkError::Truncated);
            }
            self.trailer_line(&line)?;
        }
        match &self.state {
            State::End { .. } => {}
            State::Trailer if self.chain.is_none() => {}
            State::Trailer => return Err(ChunkError::MissingTrailerSignature),
            State::Failed(error) => return Err(error.clone()),
            State::Header | State::Data { .. } | State::DataEnd { .. } => return Err(ChunkError::Truncated),
        }
        for name in self.announced_trailers.iter().flatten() {
            if !self.trailers.iter().any(|(given, _)| given == name) {
                return Err(ChunkError::MissingTrailer { name: name.clone() });
            }
        }
        for (checksum, running) in self.checksums.drain(..) {
            let name = checksum.header_name();
            let sent = self.trailers.iter().find(|(given, _)| given == name);
            let computed = running.finish();
            if !sent.is_some_and(|(_, value)| bool::from(value.trim_ascii().ct_eq(computed.as_bytes()))) {
                return Err(ChunkError::ChecksumMismatch { name });
            }
        }
        Ok(core::mem::take(&mut self.trailers))
    }
}

fn verify_chunk(
    chain: &mut Chain<AnyKey>,
    sha256: [u8; 32],
    signature: Option<Signature>,
    number: u64,
) -> Result<(), ChunkError> {
    match signature {
        Some(signature) if chain.verify(Linked::Payload(EMPTY_SHA256, sha256), &signature) => Ok(()),
        _ => Err(ChunkError::SignatureMismatch { number }),
    }
}

fn update(checksums: &mut [(Checksum, Running)], data: &[u8]) {
    checksums.iter_mut().for_each(|(_, running)| running.update(data));
}

/// Returns a line with its line end once it is complete.
fn take_line(
    line: &mut Vec<u8>,
    input: &mut &[u8],
    limit: usize,
    too_long: ChunkError,
) -> Result<Option<Vec<u8>>, ChunkError> {
    let end = input.iter().position(|byte| *byte == b'\n').map(|position| position + 1);
    let (of_line, rest) = input.split_at_checked(end.unwrap_or(input.len())).unwrap_or((input, &[]));
    if line.len() + of_line.len() > limit {
        return Err(too_long);
    }
    line.extend_from_slice(of_line);
    *input = rest;
    Ok(end.map(|_| core::mem::take(line)))
}

/// Shows the progress, without data or signatures.
impl fmt::Debug for ChunkDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkDecoder")
            .field("announced", &self.announced)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
