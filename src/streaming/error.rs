use alloc::string::String;

use crate::aws_error::{ErrorFormat, Refusal, text};
use crate::sign::SignError;
use crate::verify::VerifyError;

/// The reason a chunked body is refused.
///
/// ```
/// use countersign::ErrorFormat;
/// use countersign::streaming::ChunkError;
///
/// let refusal = ChunkError::TooSmall { length: 100, limit: 8192 }.refusal(ErrorFormat::S3Xml);
/// assert_eq!((refusal.status(), refusal.code()), (400, "InvalidChunkSizeError"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// The body is not sent in chunks; check it with [`VerifiedHead::body_check`](crate::VerifiedHead::body_check).
    #[error("the body is not sent in chunks; check it with VerifiedHead::check_body or VerifiedHead::body_check")]
    NotChunked,
    /// The body is an event stream, whose messages carry their own signatures.
    #[error("the body is an event stream; verify its messages with VerifiedHead::events")]
    EventStream,
    /// The header `x-amz-decoded-content-length` is missing.
    #[error("the header x-amz-decoded-content-length is missing; it must state the length of the data in bytes")]
    MissingDecodedLength,
    /// `x-amz-decoded-content-length` is not a number, or appears more than once.
    #[error("x-amz-decoded-content-length is {got:?}; it must be a number of bytes, and appear only once")]
    InvalidDecodedLength {
        /// The value of the header, shortened if it is long.
        got: String,
    },
    /// `x-amz-trailer` is missing or malformed, or is present although the payload has no trailer and the rules don't
    /// [ignore it](crate::Rules::ignore_unused_trailer).
    #[error("x-amz-trailer is {got:?}; it must list the trailers of the body, or be absent if the payload has none")]
    InvalidTrailerHeader {
        /// The value of the header, shortened if it is long.
        got: String,
    },
    /// `x-amz-trailer` names a checksum that this build can't compute because its feature is disabled.
    /// [`VerifiedHead::chunk_decoder_with_unchecked`](crate::VerifiedHead::chunk_decoder_with_unchecked) accepts it by
    /// name.
    #[error(
        "this build can't compute {name}; enable the feature {feature:?} of countersign, or pass the name \
             to chunk_decoder_with_unchecked"
    )]
    ChecksumUnavailable {
        /// The name of the trailer.
        name: &'static str,
        /// The feature that computes it.
        feature: &'static str,
    },
    /// `x-amz-trailer` names a checksum that this crate doesn't know.
    /// [`VerifiedHead::chunk_decoder_with_unchecked`](crate::VerifiedHead::chunk_decoder_with_unchecked) accepts it by name.
    #[error("{name:?} is not a known checksum; to accept it unchecked, pass the name to chunk_decoder_with_unchecked")]
    UnknownChecksum {
        /// The name of the trailer, shortened if it is long.
        name: String,
    },
    /// The header line of a chunk is too long.
    #[error("the header line of a chunk is longer than {limit} bytes")]
    HeaderTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The header line of a chunk is malformed.
    #[error("the header line of a chunk is malformed: {got:?}")]
    MalformedHeader {
        /// The line, shortened if it is long.
        got: String,
    },
    /// A signed chunk is longer than the [limits](crate::Limits) allow.
    #[error("a chunk of {length} bytes exceeds the limit of {limit} bytes")]
    TooLarge {
        /// The length of the chunk, in bytes.
        length: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A chunk other than the last is shorter than the [rules](crate::Rules) allow.
    #[error("a chunk has {length} bytes; all chunks except the last must have at least {limit}")]
    TooSmall {
        /// The length of the chunk, in bytes.
        length: u64,
        /// The required minimum, in bytes.
        limit: u64,
    },
    /// The data of a chunk is not followed by CRLF: it is shorter or longer than announced.
    #[error("chunk {number} is shorter or longer than its header line announces")]
    MalformedEnd {
        /// Number of the chunk, from 1.
        number: u64,
    },
    /// The signature of a chunk does not match its data.
    #[error("the signature of chunk {number} does not match")]
    SignatureMismatch {
        /// Number of the chunk, from 1.
        number: u64,
    },
    /// The body has more or less data than `x-amz-decoded-content-length` announces.
    #[error("x-amz-decoded-content-length announces {announced} bytes, but the chunks so far have {received}")]
    DecodedLength {
        /// The length that the header announces, in bytes.
        announced: u64,
        /// The total length of the chunks so far, in bytes.
        received: u64,
    },
    /// The body ends before its last chunk or its trailer is complete.
    #[error("the body ends before its last chunk or trailer is complete")]
    Truncated,
    /// More bytes follow the end of the body.
    #[error("more bytes follow the end of the body")]
    BytesAfterEnd,
    /// The trailer is too long.
    #[error("the trailer is longer than {limit} bytes")]
    TrailerTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// A line of the trailer is not `name:value`.
    #[error("a line of the trailer is not of the form name:value")]
    MalformedTrailer,
    /// The body has a trailer that `x-amz-trailer` does not name.
    #[error("the body has the trailer {name:?}, which x-amz-trailer does not name")]
    UnexpectedTrailer {
        /// The name of the trailer, shortened if it is long.
        name: String,
    },
    /// A trailer that `x-amz-trailer` names is missing.
    #[error("the trailer {name:?}, which x-amz-trailer names, is missing")]
    MissingTrailer {
        /// The name of the trailer.
        name: String,
    },
    /// A trailer appears more than once.
    #[error("the trailer {name:?} appears more than once")]
    RepeatedTrailer {
        /// The name of the trailer.
        name: String,
    },
    /// `x-amz-trailer-signature` is missing or malformed.
    #[error("x-amz-trailer-signature is missing or malformed")]
    MissingTrailerSignature,
    /// `x-amz-trailer-signature` does not match the trailer.
    #[error("the signature of the trailer does not match")]
    TrailerSignatureMismatch,
    /// The checksum in the trailer does not match the data.
    #[error("{name} does not match the data")]
    ChecksumMismatch {
        /// The name of the trailer.
        name: &'static str,
    },
}

impl ChunkError {
    /// Returns the response for the client, in the wording of AWS services that use the format. For a malformed body,
    /// all formats use the messages of S3.
    pub fn refusal(&self, format: ErrorFormat) -> Refusal {
        let (status, code, message) = match self {
            // The server created a decoder for a body that is not sent in chunks.
            Self::NotChunked | Self::EventStream => return Refusal::internal(format),
            Self::SignatureMismatch { .. } | Self::TrailerSignatureMismatch => {
                return VerifyError::SignatureMismatch { computed: None }.refusal(format);
            }
            Self::MissingDecodedLength => {
                (411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
            }
            Self::InvalidDecodedLength { .. } => {
                (400, "InvalidArgument", "The value of x-amz-decoded-content-length header is invalid.")
            }
            Self::InvalidTrailerHeader { .. } | Self::ChecksumUnavailable { .. } | Self::UnknownChecksum { .. } => {
                (400, "InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
            }
            Self::TooSmall { .. } => (400, "InvalidChunkSizeError", text::LAST_CHUNK.text),
            Self::TooLarge { .. } => (400, "InvalidChunkSizeError", "The chunk is too large"),
            Self::HeaderTooLong { .. }
            | Self::MalformedHeader { .. }
            | Self::MalformedEnd { .. }
            | Self::DecodedLength { .. }
            | Self::Truncated
            | Self::BytesAfterEnd => (400, "IncompleteBody", "The request body terminated unexpectedly"),
            Self::TrailerTooLong { .. }
            | Self::MalformedTrailer
            | Self::UnexpectedTrailer { .. }
            | Self::MissingTrailer { .. }
            | Self::RepeatedTrailer { .. }
            | Self::MissingTrailerSignature => (400, "MalformedTrailerError", MALFORMED_TRAILER),
            Self::ChecksumMismatch { .. } => {
                (400, "BadDigest", "The checksum you specified did not match the calculated checksum.")
            }
        };
        Refusal::new(format, status, code, message)
    }
}

const MALFORMED_TRAILER: &str = "The request contained trailing data that was not well-formed or did not conform to our \
                                 published schema.";

/// The reason a body can't be encoded in chunks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The request can't be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The receiver would refuse chunks of this size.
    #[error("the chunk size is {size} bytes; it must be 1 to {most}, and at least {least} for several chunks")]
    ChunkSize {
        /// The chunk size, in bytes.
        size: usize,
        /// The minimum from the [rules](crate::Rules), in bytes.
        least: u64,
        /// The maximum from the [limits](crate::Limits), in bytes.
        most: u64,
    },
    /// Unsigned chunks need a trailer, usually a checksum: [`Chunked::with_checksum`](super::Chunked::with_checksum).
    #[error("unsigned chunks need a trailer; add a checksum with Chunked::with_checksum")]
    NoTrailer,
    /// This build can't compute the checksum because its feature is disabled.
    #[error("this build can't compute {name}; enable the feature {feature:?} of countersign")]
    ChecksumUnavailable {
        /// The header that carries the checksum.
        name: &'static str,
        /// The feature that computes it.
        feature: &'static str,
    },
    /// The name of a trailer is not a valid header name, appears twice or is reserved, or there are more than 64
    /// trailers.
    #[error("the trailer name {name:?} is invalid, reserved or repeated, or there are more than 64 trailers")]
    TrailerName {
        /// The name, shortened if it is long.
        name: String,
    },
    /// The trailer would be longer than a receiver accepts, including its signature and line ends.
    #[error("the trailer would be longer than {limit} bytes")]
    TrailerTooLong {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The trailer was not announced when the request was signed.
    #[error("the trailer {name:?} was not announced with Chunked::with_trailer")]
    UnannouncedTrailer {
        /// The name, shortened if it is long.
        name: String,
    },
    /// A trailer was announced, but its value was not set.
    #[error("the trailer {name:?} was announced but has no value; set it with ChunkEncoder::set_trailer")]
    MissingTrailer {
        /// The name.
        name: String,
    },
    /// The value of a trailer is not as long as announced, or contains CR, LF or NUL.
    #[error("the value of the trailer {name:?} must have {announced} bytes, none of them CR, LF or NUL")]
    TrailerValue {
        /// The name.
        name: String,
        /// The announced length, in bytes.
        announced: usize,
    },
    /// The body has more or less data than announced when the request was signed.
    #[error("{announced} bytes of data were announced, but {given} bytes were given")]
    DecodedLength {
        /// The announced length, in bytes.
        announced: u64,
        /// The length of the data so far, in bytes.
        given: u64,
    },
    /// A [`HashedChunk`](super::HashedChunk) is not the whole next chunk.
    #[error(
        "the hashed chunk has {length} bytes, but the next chunk has {expected}, of which {pending} were already pushed"
    )]
    NotAChunk {
        /// The length of the hashed chunk, in bytes.
        length: usize,
        /// The length of the next chunk, in bytes.
        expected: usize,
        /// The number of bytes of the next chunk that were already pushed.
        pending: usize,
    },
    /// A thread that hashed a chunk panicked.
    #[error("a thread that hashed a chunk panicked; send the request again, with a new encoder")]
    ThreadPanicked,
    /// The body is already finished.
    #[error("the body is already finished")]
    Finished,
}
