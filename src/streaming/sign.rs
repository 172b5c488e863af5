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
use crate::sigv4::request::Request;
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;

/// What a body in chunks will be: its length, the size of its chunks, its trailer.
///
/// ```
/// use countersign::streaming::{Checksum, Chunked};
/// # use countersign::{Credentials, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "s3");
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.s3.amazonaws.com");
/// # let now = "20130524T000000Z".parse()?;
///
/// // Chunks that are signed, or, over TLS, chunks whose one proof is a checksum in the trailer.
/// let signed = Chunked::signed(66_560);
/// let unsigned = Chunked::unsigned(66_560).with_checksum(Checksum::Sha256);
///
/// // 65 KiB make two chunks and the last, empty one; the figure is that of the S3 API reference.
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
    /// Names in lower case, with what is known of their values.
    trailers: Vec<(String, Value)>,
}

const DEFAULT_CHUNK_SIZE: usize = 65_536;

impl Chunked {
    /// A body of `decoded_length` bytes whose chunks are signed one by one: `STREAMING-AWS4-HMAC-SHA256-PAYLOAD`, with
    /// `-TRAILER` once it has a trailer; with SigV4A `STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD` and the like.
    pub fn signed(decoded_length: u64) -> Self {
        Self { signed: true, decoded_length, chunk_size: DEFAULT_CHUNK_SIZE, trailers: Vec::new() }
    }

    /// A body of `decoded_length` bytes whose chunks are not signed: `STREAMING-UNSIGNED-PAYLOAD-TRAILER`. It needs a
    /// trailer, a checksum as a rule, and TLS: whoever can change the body can change its checksum.
    pub fn unsigned(decoded_length: u64) -> Self {
        Self { signed: false, ..Self::signed(decoded_length) }
    }

    /// Data bytes of a chunk; 65536 where it isn't said. S3 takes no chunk under 8192 bytes but the last.
    pub fn with_chunk_size(mut self, bytes: usize) -> Self {
        self.chunk_size = bytes;
        self
    }

    /// Sends a checksum of the data, computed on the way, in the trailer. S3 takes one, and refuses a request with more.
    pub fn with_checksum(mut self, checksum: Checksum) -> Self {
        self.trailers.push((checksum.header_name().into(), Value::Checksum(checksum)));
        self
    }

    /// Announces a trailer whose value, of that many bytes, is given with [`ChunkEncoder::set_trailer`] while the body is
    /// sent.
    pub fn with_trailer(mut self, name: impl Into<String>, value_length: usize) -> Self {
        let mut name = name.into();
        name.make_ascii_lowercase();
        self.trailers.push((name, Value::Given(value_length)));
        self
    }

    /// The `x-amz-content-sha256` of the request.
    fn payload(&self, algorithm: Algorithm) -> StreamingPayload {
        match (self.signed, self.trailers.is_empty(), algorithm) {
            (true, true, Algorithm::HmacSha256) => StreamingPayload::Signed,
            (true, false, Algorithm::HmacSha256) => StreamingPayload::SignedTrailer,
            (true, true, Algorithm::EcdsaP256Sha256) => StreamingPayload::EcdsaSigned,
            (true, false, Algorithm::EcdsaP256Sha256) => StreamingPayload::EcdsaSignedTrailer,
            (false, ..) => StreamingPayload::UnsignedTrailer,
        }
    }

    /// Bytes of the body with its frames and trailer.
    fn encoded_length(&self, algorithm: Algorithm) -> u64 {
        let signed = self.signed.then_some(algorithm);
        let size = (self.chunk_size as u64).max(1);
        let (full, rest) = (self.decoded_length / size, self.decoded_length % size);
        let framed = |length| chunk::framed_length(length, signed);
        let chunks = full.saturating_mul(framed(size)).saturating_add(if rest > 0 { framed(rest) } else { 0 });
        chunks.saturating_add(framed(0)).saturating_add(self.trailer_length(algorithm))
    }

    /// Bytes of the trailer with its signature, and of the line end that closes the body.
    fn trailer_length(&self, algorithm: Algorithm) -> u64 {
        let lines = self.trailers.iter().map(|(name, value)| trailer::line_length(name, value.length()));
        let signature = (self.signed && !self.trailers.is_empty())
            .then(|| trailer::line_length(trailer::X_AMZ_TRAILER_SIGNATURE, algorithm.signature_digits()));
        lines.chain(signature).fold(chunk::CRLF.len() as u64, u64::saturating_add)
    }

    fn check(&self, rules: &Rules, algorithm: Algorithm) -> Result<(), EncodeError> {
        let (size, least, most) = (self.chunk_size as u64, rules.min_chunk_size, Limits::DEFAULT.max_chunk_size);
        if size == 0 || size > most || size < least && self.decoded_length > size {
            return Err(EncodeError::ChunkSize { size: self.chunk_size, least, most });
        }
        if !self.signed && self.trailers.is_empty() {
            return Err(EncodeError::NoTrailer);
        }
        for (index, (name, _)) in self.trailers.iter().enumerate() {
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
    /// Signs a request whose body will follow in chunks. The headers that say so are set and signed with the others:
    /// `x-amz-content-sha256`, `x-amz-decoded-content-length` and, with a trailer, `x-amz-trailer`. `content-encoding`
    /// and `content-length` are set; [`Signer::also_sign`] has them signed, too.
    ///
    /// ```
    /// use countersign::streaming::Chunked;
    /// use countersign::{Credentials, Request, Signer};
    ///
    /// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
    /// let signer = Signer::new(credentials, "us-east-1", "s3").also_sign(["content-encoding", "content-length"]);
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
    /// [`SignError`]; [`SignError::Encode`] where chunk size or trailers can't be sent.
    pub fn sign_chunked(
        &self,
        request: &Request<'_>,
        chunked: &Chunked,
        now: Timestamp,
    ) -> Result<SignedChunked, SignError> {
        let algorithm = self.scope(&now)?.algorithm();
        chunked.check(&self.rules, algorithm)?;
        let content_length = chunked.encoded_length(algorithm);
        let own = OwnHeaders::of(request, chunked, content_length);
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

/// The headers that a body in chunks needs.
#[derive(Clone)]
struct OwnHeaders {
    content_encoding: String,
    content_length: String,
    decoded_length: String,
    trailer: String,
}

impl OwnHeaders {
    const NAMES: [&str; 4] = ["content-encoding", "content-length", "x-amz-decoded-content-length", "x-amz-trailer"];

    fn of(request: &Request<'_>, chunked: &Chunked, content_length: u64) -> Self {
        let names: Vec<&str> = chunked.trailers.iter().map(|(name, _)| name.as_str()).collect();
        Self {
            content_encoding: content_encoding(request),
            content_length: content_length.to_string(),
            decoded_length: chunked.decoded_length.to_string(),
            trailer: names.join(","),
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let values = [&self.content_encoding, &self.content_length, &self.decoded_length, &self.trailer];
        Self::NAMES.into_iter().zip(values.map(String::as_str)).filter(|(_, value)| !value.is_empty())
    }
}

/// `aws-chunked` before whatever encodes the data itself.
fn content_encoding(request: &Request<'_>) -> String {
    let mut encoding = String::from("aws-chunked");
    let given = request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    for (_, value) in given {
        let value = String::from_utf8_lossy(value);
        for token in value.split(',').map(str::trim) {
            if !token.is_empty() && !token.eq_ignore_ascii_case("aws-chunked") {
                encoding.push(',');
                encoding.push_str(token);
            }
        }
    }
    encoding
}

/// A signed request whose body follows in chunks.
#[derive(Clone)]
pub struct SignedChunked {
    signed: Signed,
    own: OwnHeaders,
    content_length: u64,
    chain: Option<Chain>,
    chunked: Chunked,
}

impl SignedChunked {
    /// The headers to add, lower-case name and value; of the same headers, replace those that the request has, and drop
    /// an `x-amz-trailer` of an earlier signature where none is among these. Keep them out of logs.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.signed.headers().chain(self.own.iter())
    }

    /// The headers that the body in chunks needs, without those of the signature.
    #[cfg(feature = "http-body")]
    pub(super) fn own_headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.own.iter()
    }

    /// The signature of the request and its stages. Its headers are among those of [`SignedChunked::headers`].
    pub fn signed(&self) -> &Signed {
        &self.signed
    }

    /// Bytes of the body with its frames and trailer, exactly.
    pub fn content_length(&self) -> u64 {
        self.content_length
    }

    /// Frames the body. For each attempt to send it, a new one.
    pub fn encoder(&self) -> ChunkEncoder {
        let trailers = self.chunked.trailers.iter().cloned();
        ChunkEncoder::new(self.chain.clone(), self.chunked.decoded_length, self.chunked.chunk_size, trailers)
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
