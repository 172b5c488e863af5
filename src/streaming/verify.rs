use alloc::string::String;
use alloc::vec::Vec;

use super::checksum::Checksum;
use super::decode::ChunkDecoder;
use super::error::ChunkError;
use super::trailer;
use crate::sigv4::payload::StreamingPayload;
use crate::text::{excerpt, is_digits};
use crate::verify::VerifiedHead;

impl VerifiedHead<'_> {
    /// Returns a decoder for the body of this request, which is sent in chunks. Every checksum in its trailer is
    /// verified.
    ///
    /// A server like S3 receives chunked bodies as well as whole ones; the signed headers determine which:
    ///
    /// ```
    /// use countersign::streaming::{ChunkDecoder, ChunkError};
    /// use countersign::{BodyCheck, VerifiedHead};
    ///
    /// enum Body {
    ///     Chunks(Box<ChunkDecoder>),
    ///     Whole(Box<BodyCheck<'static>>),
    /// }
    ///
    /// fn body(head: VerifiedHead<'_>) -> Result<Body, Box<dyn std::error::Error>> {
    ///     match head.chunk_decoder() {
    ///         Err(ChunkError::NotChunked) => Ok(Body::Whole(Box::new(head.into_owned().body_check()?))),
    ///         decoder => Ok(Body::Chunks(Box::new(decoder?))),
    ///     }
    /// }
    /// # let request = countersign::Request::new("PUT", "/key", &[]).with_host("bucket.example");
    /// # let credentials = countersign::Credentials::new("AKIDEXAMPLE", "secret")?;
    /// # let now = "20150830T123600Z".parse()?;
    /// # let signer = countersign::Signer::new(credentials.clone(), "us-east-1", "s3")?;
    /// # let signed = signer.sign_chunked(&request, &countersign::streaming::Chunked::signed(5), now)?;
    /// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    /// # let request = countersign::Request::new("PUT", "/key", &headers).with_host("bucket.example");
    /// # let verifier = countersign::Verifier::new("us-east-1", "s3")?;
    /// let head = verifier.parse(&request, now)?.verify_head(Some(&credentials))?;
    /// assert!(matches!(body(head)?, Body::Chunks(_)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ChunkError::NotChunked`] or [`ChunkError::EventStream`] if the body is not sent in chunks;
    /// [`ChunkError::ChecksumUnavailable`] or [`ChunkError::UnknownChecksum`] if its trailer contains a checksum that
    /// this build can't compute; another [`ChunkError`] if the headers that describe the chunks are missing or
    /// malformed.
    pub fn chunk_decoder(&self) -> Result<ChunkDecoder, ChunkError> {
        self.chunk_decoder_with_unchecked(&[])
    }

    /// Like [`VerifiedHead::chunk_decoder`], but accepts the named checksum trailers unverified if this build can't
    /// compute them: [`ChunkDecoder::finish`] returns them as sent, for the caller to check. Checksums that the build
    /// can compute are still verified. Names are compared case-insensitively.
    ///
    /// ```
    /// use countersign::VerifiedHead;
    /// use countersign::streaming::{ChunkDecoder, ChunkError};
    ///
    /// /// For a store that computes this checksum itself.
    /// fn decoder(head: &VerifiedHead<'_>) -> Result<ChunkDecoder, ChunkError> {
    ///     head.chunk_decoder_with_unchecked(&["x-amz-checksum-blake3"])
    /// }
    /// ```
    ///
    /// # Errors
    /// The same as for [`VerifiedHead::chunk_decoder`].
    pub fn chunk_decoder_with_unchecked(&self, trailers: &[&str]) -> Result<ChunkDecoder, ChunkError> {
        let Some((streaming, chain)) = self.streaming() else { return Err(ChunkError::NotChunked) };
        let (signed, with_trailer) = match streaming {
            StreamingPayload::Signed | StreamingPayload::EcdsaSigned => (true, false),
            StreamingPayload::SignedTrailer | StreamingPayload::EcdsaSignedTrailer => (true, true),
            StreamingPayload::UnsignedTrailer => (false, true),
            StreamingPayload::Events => return Err(ChunkError::EventStream),
        };
        let announced = decoded_length(self.header_values("x-amz-decoded-content-length"))?;
        let ignored = !with_trailer && self.rules().ignore_unused_trailer;
        let lists = self.header_values("x-amz-trailer").filter(|_| !ignored);
        let announced_trailers = announced_trailers(lists, with_trailer)?;
        for name in announced_trailers.iter().flatten() {
            if !trailers.iter().any(|unchecked| unchecked.eq_ignore_ascii_case(name)) {
                Checksum::check_trailer(name)?;
            }
        }
        let chain = signed.then_some(chain);
        Ok(ChunkDecoder::new(chain, announced, announced_trailers, self.rules(), self.limits()))
    }
}

fn decoded_length<'v>(mut values: impl Iterator<Item = &'v [u8]>) -> Result<u64, ChunkError> {
    let value = values.next().ok_or(ChunkError::MissingDecodedLength)?.trim_ascii();
    let digits = core::str::from_utf8(value).ok().filter(|text| is_digits(text));
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
