use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::checksum::Checksum;
use super::encode::ChunkEncoder;
use super::error::EncodeError;
use super::trailer::Value;
use super::{chunk, trailer};
use crate::sign::{SignError, Signed, Signer};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::chain::Chain;
use crate::sigv4::headers::Headers;
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::request::{Request, RequestError};
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;

/// Describes a body that will be sent in chunks: its length, chunk size and trailer.
///
/// ```
/// use countersign::streaming::{Checksum, Chunked};
/// # use countersign::{Credentials, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.s3.amazonaws.com");
/// # let now = "20130524T000000Z".parse()?;
///
/// // Signed chunks, or, over TLS, unsigned chunks with a checksum in the trailer.
/// let signed = Chunked::signed(66_560);
/// let unsigned = Chunked::unsigned(66_560).with_checksum(Checksum::Sha256);
///
/// // 65 KiB are sent as two chunks and an empty one; the length is the one in the S3 API reference.
/// assert_eq!(signer.sign_chunked(&request, &signed, now)?.content_length(), 66_824);
/// assert!(signer.sign_chunked(&request, &unsigned, now)?.headers().any(|header| {
///     header == ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")
/// }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Chunked {
    signed: bool,
    decoded_length: u64,
    chunk_size: usize,
    /// Names in lower case, and the sources of their values.
    trailers: Vec<(String, Value)>,
}

const DEFAULT_CHUNK_SIZE: usize = 65_536;

impl Chunked {
    /// Describes a body of `decoded_length` bytes whose chunks are signed individually:
    /// `STREAMING-AWS4-HMAC-SHA256-PAYLOAD` (with SigV4A `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD`), with the suffix
    /// `-TRAILER` if it has a trailer.
    pub fn signed(decoded_length: u64) -> Self {
        Self { signed: true, decoded_length, chunk_size: DEFAULT_CHUNK_SIZE, trailers: Vec::new() }
    }

    /// Describes a body of `decoded_length` bytes whose chunks are not signed: `STREAMING-UNSIGNED-PAYLOAD-TRAILER`. It
    /// needs a trailer, usually a checksum, and TLS: an attacker who can change the body can also change its checksum.
    pub fn unsigned(decoded_length: u64) -> Self {
        Self { signed: false, ..Self::signed(decoded_length) }
    }

    /// Sets the number of data bytes in a chunk; the default is 65536. S3 refuses chunks of fewer than 8192 bytes,
    /// except the last.
    pub fn with_chunk_size(mut self, bytes: usize) -> Self {
        self.chunk_size = bytes;
        self
    }

    /// Returns the number of data bytes in each chunk except the last, which may be shorter.
    pub fn chunk_size(&self) -> usize {
        self.chunk_size
    }

    /// Adds a checksum of the data to the trailer, computed while the data is encoded. S3 accepts one checksum per
    /// request. Signing fails unless the checksum [is available](Checksum::is_available).
    pub fn with_checksum(mut self, checksum: Checksum) -> Self {
        self.trailers.push((checksum.header_name().into(), Value::Checksum(checksum)));
        self
    }

    /// Announces a trailer whose value has `value_length` bytes and is set with [`ChunkEncoder::set_trailer`] while the
    /// body is sent.
    pub fn with_trailer(mut self, name: impl Into<String>, value_length: usize) -> Self {
        let mut name = name.into();
        name.make_ascii_lowercase();
        self.trailers.push((name, Value::Given(value_length)));
        self
    }

    /// Returns the `x-amz-content-sha256` of the request.
    fn payload(&self, algorithm: Algorithm) -> StreamingPayload {
        match (self.signed, algorithm == Algorithm::HmacSha256, self.trailers.is_empty()) {
            (false, ..) => StreamingPayload::UnsignedTrailer,
            (true, true, true) => StreamingPayload::Signed,
            (true, true, false) => StreamingPayload::SignedTrailer,
            (true, false, true) => StreamingPayload::EcdsaSigned,
            (true, false, false) => StreamingPayload::EcdsaSignedTrailer,
        }
    }

    /// Returns the length of the encoded body in bytes, including the trailer.
    fn encoded_length(&self, algorithm: Algorithm) -> u64 {
        let signed = self.signed.then_some(algorithm);
        let size = (self.chunk_size as u64).max(1);
        let (full, rest) = (self.decoded_length / size, self.decoded_length % size);
        let framed = |length| chunk::framed_length(length, signed);
        let chunks = full.saturating_mul(framed(size)).saturating_add(if rest > 0 { framed(rest) } else { 0 });
        chunks.saturating_add(framed(0)).saturating_add(self.trailer_length(algorithm))
    }

    /// Returns the length of the trailer in bytes, including its signature and the line end that closes the body.
    fn trailer_length(&self, algorithm: Algorithm) -> u64 {
        let lines = self.trailers.iter().map(|(name, value)| trailer::line_length(name, value.length()));
        let signature = (self.signed && !self.trailers.is_empty())
            .then(|| trailer::line_length(trailer::X_AMZ_TRAILER_SIGNATURE, algorithm.signature_digits()));
        lines.chain(signature).fold(chunk::CRLF.len() as u64, u64::saturating_add)
    }

    fn check(&self, rules: &Rules, limits: &Limits, algorithm: Algorithm) -> Result<(), EncodeError> {
        let (size, least, most) = (self.chunk_size as u64, rules.min_chunk_size, limits.max_chunk_size);
        if size == 0 || size > most || size < least && self.decoded_length > size {
            return Err(EncodeError::ChunkSize { size: self.chunk_size, least, most });
        }
        if !self.signed && self.trailers.is_empty() {
            return Err(EncodeError::NoTrailer);
        }
        for (index, (name, value)) in self.trailers.iter().enumerate() {
            if let Value::Checksum(checksum) = value {
                checksum.check_available()?;
            }
            let repeated = self.trailers.iter().skip(index + 1).any(|(other, _)| other == name);
            if repeated
                || index == trailer::MAX_TRAILERS
                || trailer::checked_name(name).is_none()
                || name == trailer::X_AMZ_TRAILER_SIGNATURE
            {
                return Err(EncodeError::TrailerName { name: excerpt(name.as_bytes()) });
            }
        }
        if self.trailer_length(algorithm) > trailer::MAX_TRAILER as u64 {
            return Err(EncodeError::TrailerTooLong { limit: trailer::MAX_TRAILER });
        }
        Ok(())
    }
}

impl Signer {
    /// Signs a request whose body is sent in chunks. Sets and signs the headers that describe the body:
    /// `x-amz-content-sha256`, `x-amz-decoded-content-length` and, with a trailer, `x-amz-trailer`. Also sets
    /// `content-encoding` and `content-length`, which are signed if [`Signer::also_sign`] names them.
    ///
    /// ```
    /// use countersign::streaming::Chunked;
    /// use countersign::{Credentials, Request, Signer};
    ///
    /// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
    /// let signer = Signer::new(credentials, "us-east-1", "s3")?.also_sign(["content-encoding", "content-length"]);
    /// let headers = [("x-amz-storage-class", b"REDUCED_REDUNDANCY".as_slice())];
    /// let request = Request::new("PUT", "/examplebucket/chunkObject.txt", &headers).with_host("s3.amazonaws.com");
    /// let signed = signer.sign_chunked(&request, &Chunked::signed(66_560), "20130524T000000Z".parse()?)?;
    /// assert_eq!(
    ///     signed.signed().signature().to_hex(),
    ///     "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// AWS: [Chunked upload](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html)
    ///
    /// # Errors
    /// [`EncodeError`] if the chunk size or the trailers are invalid; [`EncodeError::Sign`] if the request can't be
    /// signed.
    pub fn sign_chunked<'r>(
        &self,
        request: impl Into<Request<'r>>,
        chunked: &Chunked,
        now: Timestamp,
    ) -> Result<SignedChunked, EncodeError> {
        let request = &request.into();
        let algorithm = self.scope(&now)?.algorithm();
        chunked.check(&self.rules, &self.limits, algorithm)?;
        let content_length = chunked.encoded_length(algorithm);
        let own = OwnHeaders::of(request, chunked, content_length).map_err(SignError::from)?;
        let added: Vec<(&str, &str)> = own.iter().collect();
        let mut headers: Vec<(&str, &[u8])> = request
            .headers
            .iter()
            .filter(|(name, _)| !OwnHeaders::NAMES.iter().any(|own| name.eq_ignore_ascii_case(own)))
            .collect();
        headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
        let request = Request { headers: Headers::Slice(&headers), ..*request };
        let (signed, chain) = self.sign_seed(&request, chunked.payload(algorithm), now)?;
        let chain = chunked.signed.then_some(chain);
        Ok(SignedChunked { signed, own, content_length, chain, chunked: chunked.clone() })
    }
}

/// The headers that describe a chunked body.
#[derive(Clone)]
struct OwnHeaders {
    content_encoding: String,
    content_length: String,
    decoded_length: String,
    trailer: String,
}

impl OwnHeaders {
    const NAMES: [&str; 4] = ["content-encoding", "content-length", "x-amz-decoded-content-length", "x-amz-trailer"];

    fn of(request: &Request<'_>, chunked: &Chunked, content_length: u64) -> Result<Self, RequestError> {
        let names: Vec<&str> = chunked.trailers.iter().map(|(name, _)| name.as_str()).collect();
        Ok(Self {
            content_encoding: content_encoding(request)?,
            content_length: content_length.to_string(),
            decoded_length: chunked.decoded_length.to_string(),
            trailer: names.join(","),
        })
    }

    fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let values = [&self.content_encoding, &self.content_length, &self.decoded_length, &self.trailer];
        Self::NAMES.into_iter().zip(values.map(String::as_str)).filter(|(_, value)| !value.is_empty())
    }
}

/// Returns `aws-chunked`, followed by the encodings of the data itself.
fn content_encoding(request: &Request<'_>) -> Result<String, RequestError> {
    const NAME: &str = "content-encoding";
    let mut encoding = String::from("aws-chunked");
    for (_, value) in request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case(NAME)) {
        let text = core::str::from_utf8(value).ok().filter(|text| text.is_ascii());
        let text = text.ok_or_else(|| RequestError::not_ascii(NAME, value))?;
        for token in text.split(',').map(str::trim) {
            if !token.is_empty() && !token.eq_ignore_ascii_case("aws-chunked") {
                encoding.push(',');
                encoding.push_str(token);
            }
        }
    }
    Ok(encoding)
}

/// A signed request whose body is sent in chunks.
#[derive(Clone)]
pub struct SignedChunked {
    signed: Signed,
    own: OwnHeaders,
    content_length: u64,
    chain: Option<Chain>,
    chunked: Chunked,
}

impl SignedChunked {
    /// Returns the headers to add, as pairs of lower-case name and value. They replace headers of the same name in the
    /// request; an `x-amz-trailer` from an earlier signature must be removed if it is not replaced. Don't log them.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.signed.headers().chain(self.own_headers())
    }

    /// Returns the headers that describe the chunked body, without those of the signature.
    pub(super) fn own_headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.own.iter()
    }

    /// Returns the signature of the request and its intermediate results. [`SignedChunked::headers`] includes its
    /// headers.
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// Returns the exact length of the encoded body in bytes, including the trailer.
    pub fn content_length(&self) -> u64 {
        self.content_length
    }

    /// Returns an encoder for the body. Each attempt to send the body needs a new one.
    pub fn encoder(&self) -> ChunkEncoder {
        let trailers = self.chunked.trailers.iter().cloned();
        ChunkEncoder::new(self.chain.clone(), self.chunked.decoded_length, self.chunked.chunk_size, trailers)
    }

    pub(super) fn chunk_size_and_length(&self) -> (usize, u64) {
        (self.chunked.chunk_size, self.chunked.decoded_length)
    }
}

impl fmt::Debug for SignedChunked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SignedChunked")
            .field("signed", &self.signed)
            .field("chunked", &self.chunked)
            .finish_non_exhaustive()
    }
}
