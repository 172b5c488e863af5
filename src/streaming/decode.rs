use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use ctutils::CtEq;
use sha2::{Digest, Sha256};

use super::checksum::{Checksum, Running};
use super::error::ChunkError;
use super::{chunk, trailer};
use crate::hash::EMPTY_SHA256;
use crate::sigv4::chain::{Chain, Linked, trailer_sha256};
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::VerifyingKey;
use crate::text::excerpt;
use crate::verify::{Verified, VerifyError};

/// The longest line before a chunk, in bytes, line end included.
const MAX_HEADER: usize = 1024;

/// Reads a body in chunks: frames in, data out. Only [`Verified::chunk_decoder`] makes one.
///
/// These are its checks, in the order in which they run:
///
/// 1. `x-amz-decoded-content-length` is a number, and `x-amz-trailer` names the trailers (at most 64) if, and only if,
///    the payload has some.
/// 2. The line before a chunk (at most 1024 bytes) has its form; no signed chunk is longer than the rules'
///    `max_chunk_size`, no chunk but the last shorter than `min_chunk_size`, and all together are not longer than
///    announced.
/// 3. The signature of the chunk is the one of its data and of all chunks before it, compared in constant time. Only now
///    its data is handed over.
/// 4. The data is as long as announced.
/// 5. The trailer (at most 16384 bytes) holds each announced trailer once, and no other; its signature is the one of the
///    trailer and of all chunks. A checksum that this build knows ([`Checksum`]; each but SHA-256 is a feature) is the one
///    of the data; any other is handed over as it was sent, compared with nothing.
/// 6. Nothing follows.
///
/// Data of unsigned chunks (`STREAMING-UNSIGNED-PAYLOAD-TRAILER`) is handed over as it arrives; until
/// [`ChunkDecoder::finish`] says so, nothing of it is checked. And of any body, only `finish` says that it is whole.
///
/// Memory is bounded by one chunk that did arrive, not by what a chunk announces.
///
/// AWS: [Chunked upload](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html),
/// [with trailing headers](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html)
pub struct ChunkDecoder {
    /// `None` where chunks are not signed.
    chain: Option<Chain<VerifyingKey<'static>>>,
    /// `None` where none is to come.
    announced_trailers: Option<Vec<String>>,
    announced: u64,
    received: u64,
    least: u64,
    most: u64,
    state: State,
    /// The start of a line that isn't whole yet.
    line: Vec<u8>,
    /// The start of a chunk that isn't whole yet.
    chunk: Vec<u8>,
    sha256: Sha256,
    number: u64,
    /// The length of a chunk that has to be the last.
    small: Option<u64>,
    checksums: Vec<(Checksum, Running)>,
    trailers: Vec<(String, Vec<u8>)>,
    trailer_bytes: usize,
}

enum State {
    /// Before or in the line before a chunk.
    Header,
    Data {
        left: u64,
        signature: Option<Signature>,
    },
    /// Behind the data, with how much of its line end is there.
    DataEnd {
        seen: usize,
    },
    Trailer,
    /// Behind the last chunk, or the trailer: an empty line, or two of them.
    End {
        seen: usize,
    },
    Failed(ChunkError),
}

impl Verified<'_> {
    /// A decoder for the body of this request, which comes in chunks.
    ///
    /// A server of S3's kind gets both, and tells them apart by what was signed:
    ///
    /// ```
    /// use countersign::streaming::ChunkDecoder;
    /// use countersign::{BodyCheck, Verified, VerifyError};
    ///
    /// enum Body {
    ///     Chunks(Box<ChunkDecoder>),
    ///     Whole(BodyCheck),
    /// }
    ///
    /// fn body(verified: &Verified<'_>) -> Result<Body, VerifyError> {
    ///     match verified.chunk_decoder() {
    ///         Err(VerifyError::NotChunked) => Ok(Body::Whole(verified.body_check()?)),
    ///         decoder => Ok(Body::Chunks(Box::new(decoder?))),
    ///     }
    /// }
    /// # let request = countersign::Request::new("PUT", "/key", &[]).with_host("bucket.example");
    /// # let credentials = countersign::Credentials::new("AKIDEXAMPLE", "secret")?;
    /// # let now = "20150830T123600Z".parse()?;
    /// # let signer = countersign::Signer::new(credentials.clone(), "us-east-1", "s3");
    /// # let signed = signer.sign_chunked(&request, &countersign::streaming::Chunked::signed(5), now)?;
    /// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    /// # let request = countersign::Request::new("PUT", "/key", &headers).with_host("bucket.example");
    /// # let presented = countersign::Presented::parse(&request)?;
    /// # let key = presented.derive_key(Some(&credentials));
    /// # let verified = countersign::Verifier::new("us-east-1", "s3").verify(presented, &key, now)?;
    /// assert!(matches!(body(&verified)?, Body::Chunks(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`VerifyError::Chunk`] if the headers don't say what a decoder needs; [`VerifyError::NotChunked`] if the body
    /// doesn't come in chunks.
    pub fn chunk_decoder(&self) -> Result<ChunkDecoder, VerifyError> {
        let Some((streaming, chain)) = self.streaming() else { return Err(VerifyError::NotChunked) };
        let (signed, with_trailer) = match streaming {
            StreamingPayload::Signed | StreamingPayload::EcdsaSigned => (true, false),
            StreamingPayload::SignedTrailer | StreamingPayload::EcdsaSignedTrailer => (true, true),
            StreamingPayload::UnsignedTrailer => (false, true),
            StreamingPayload::Events => return Err(VerifyError::BodyIsStreamed { streaming }),
        };
        let announced = decoded_length(self.header_values("x-amz-decoded-content-length"))?;
        let announced_trailers = announced_trailers(self.header_values("x-amz-trailer"), with_trailer)?;
        let checksums = announced_trailers
            .iter()
            .flatten()
            .filter_map(|name| Checksum::from_header_name(name))
            .map(|checksum| (checksum, checksum.start()))
            .collect();
        Ok(ChunkDecoder {
            chain: signed.then_some(chain),
            announced_trailers,
            announced,
            received: 0,
            least: self.rules().min_chunk_size,
            most: self.limits().max_chunk_size,
            state: State::Header,
            line: Vec::new(),
            chunk: Vec::new(),
            sha256: Sha256::new(),
            number: 0,
            small: None,
            checksums,
            trailers: Vec::new(),
            trailer_bytes: 0,
        })
    }
}

fn decoded_length<'v>(mut values: impl Iterator<Item = &'v [u8]>) -> Result<u64, ChunkError> {
    let value = values.next().ok_or(ChunkError::MissingDecodedLength)?.trim_ascii();
    let digits = core::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    match (digits.and_then(|digits| digits.parse().ok()), values.next()) {
        (Some(length), None) => Ok(length),
        _ => Err(ChunkError::InvalidDecodedLength { got: excerpt(value) }),
    }
}

fn announced_trailers<'v>(
    values: impl Iterator<Item = &'v [u8]>,
    expected: bool,
) -> Result<Option<Vec<String>>, ChunkError> {
    let lists: Vec<&[u8]> = values.collect();
    let list = lists.join(&b","[..]);
    match (lists.is_empty(), expected) {
        (true, false) => Ok(None),
        (_, true) => Ok(Some(trailer::parse_names(&list)?)),
        (false, false) => Err(ChunkError::InvalidTrailerHeader { got: excerpt(&list) }),
    }
}

impl ChunkDecoder {
    /// Takes the next bytes of the body, however it was split, and hands over the data of each chunk whose signature is
    /// right.
    ///
    /// # Errors
    /// [`VerifyError::Chunk`]; what was handed over before is data of earlier chunks, and nothing more will come.
    pub fn push(&mut self, input: &[u8], mut release: impl FnMut(&[u8])) -> Result<(), VerifyError> {
        Ok(self.run(input, &mut release)?)
    }

    /// Ends the body, and gives its trailers, names in lower case and values as they were sent.
    ///
    /// # Errors
    /// [`VerifyError::Chunk`] if the body isn't whole, or a checksum in the trailer isn't the one of the data.
    pub fn finish(mut self) -> Result<Vec<(String, Vec<u8>)>, VerifyError> {
        Ok(self.end()?)
    }

    pub(super) fn run(&mut self, input: &[u8], release: &mut impl FnMut(&[u8])) -> Result<(), ChunkError> {
        let result = self.advance(input, release);
        if let Err(error) = &result {
            self.state = State::Failed(error.clone());
        }
        result
    }

    fn advance(&mut self, mut input: &[u8], release: &mut impl FnMut(&[u8])) -> Result<(), ChunkError> {
        while !input.is_empty() {
            match &mut self.state {
                State::Header => {
                    let too_long = ChunkError::HeaderTooLong { limit: MAX_HEADER };
                    let Some(line) = take_line(&mut self.line, &mut input, MAX_HEADER, too_long)? else { continue };
                    self.begin_chunk(&line)?;
                }
                State::Data { left, signature } => {
                    let take = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                    let (data, rest) = input.split_at_checked(take).unwrap_or((input, &[]));
                    input = rest;
                    *left -= data.len() as u64;
                    let (whole, signature) = (*left == 0, *signature);
                    let length = usize::try_from(*left).unwrap_or(usize::MAX).saturating_add(data.len());
                    match &mut self.chain {
                        Some(chain) => {
                            self.sha256.update(data);
                            if !whole {
                                chunk::hold(&mut self.chunk, data, length);
                                continue;
                            }
                            verify_chunk(chain, self.sha256.finalize_reset().into(), signature, self.number)?;
                            // Only what had to wait was copied.
                            if !self.chunk.is_empty() {
                                release_data(&self.chunk, &mut self.checksums, release);
                                self.chunk.clear();
                            }
                            release_data(data, &mut self.checksums, release);
                        }
                        None => release_data(data, &mut self.checksums, release),
                    }
                    if whole {
                        self.state = State::DataEnd { seen: 0 };
                    }
                }
                State::DataEnd { seen } => {
                    let Some((byte, rest)) = input.split_first() else { break };
                    input = rest;
                    match (*seen, byte) {
                        (0, b'\r') => *seen = 1,
                        (1, b'\n') => self.state = State::Header,
                        _ => return Err(ChunkError::MalformedEnd { number: self.number }),
                    }
                }
                State::Trailer => {
                    let limit = trailer::MAX_TRAILER.saturating_sub(self.trailer_bytes);
                    let too_long = ChunkError::TrailerTooLong { limit: trailer::MAX_TRAILER };
                    let Some(line) = take_line(&mut self.line, &mut input, limit, too_long)? else { continue };
                    self.trailer_bytes += line.len();
                    self.trailer_line(&line)?;
                }
                State::End { seen } => {
                    // The guide shows an empty line more than most clients send.
                    let line_ends = input.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
                    *seen += input.len();
                    if !line_ends || *seen > 2 * chunk::CRLF.len() {
                        return Err(ChunkError::BytesAfterEnd);
                    }
                    break;
                }
                State::Failed(error) => return Err(error.clone()),
            }
        }
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
        // Of an unsigned chunk nothing is held.
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

    fn trailer_line(&mut self, line: &[u8]) -> Result<(), ChunkError> {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            // Before the signature the guide shows an empty line.
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

    pub(super) fn end(&mut self) -> Result<Vec<(String, Vec<u8>)>, ChunkError> {
        if matches!(self.state, State::Trailer) && !self.line.is_empty() {
            // Some clients leave out the last line end. A line that nothing proves may have been cut.
            let line = core::mem::take(&mut self.line);
            let checksum = |line: &[u8]| trailer::parse_line(line).map(|(name, _)| Checksum::from_header_name(&name));
            if self.chain.is_none() && !matches!(checksum(&line), Ok(Some(_))) {
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
    chain: &mut Chain<VerifyingKey<'static>>,
    sha256: [u8; 32],
    signature: Option<Signature>,
    number: u64,
) -> Result<(), ChunkError> {
    match signature {
        Some(signature) if chain.verify(Linked::Payload(EMPTY_SHA256, sha256), &signature) => Ok(()),
        _ => Err(ChunkError::SignatureMismatch { number }),
    }
}

fn release_data(data: &[u8], checksums: &mut [(Checksum, Running)], release: &mut impl FnMut(&[u8])) {
    checksums.iter_mut().for_each(|(_, running)| running.update(data));
    release(data);
}

/// A line with its line end, once it is whole.
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

/// Shows how far it is; data and signatures stay out.
impl fmt::Debug for ChunkDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChunkDecoder")
            .field("announced", &self.announced)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}
