use alloc::string::String;

use crate::aws_error::{ErrorFormat, Refusal, text};
use crate::sign::SignError;
use crate::verify::VerifyError;

/// Why a body in chunks is refused.
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
    /// The body is not sent in chunks: [`VerifiedHead::body_check`](crate::VerifiedHead::body_check) checks it.
    #[error("the body is not sent in chunks; check it with VerifiedHead::check_body or VerifiedHead::body_check")]
    NotChunked,
    /// The body is an event stream, whose messages carry their own signatures.
    #[error("the body is an event stream; verify its messages with VerifiedHead::events")]
    EventStream,
    /// There is no `x-amz-decoded-content-length`.
    #[error("there is no x-amz-decoded-content-length")]
    MissingDecodedLength,
    /// `x-amz-decoded-content-length` is not a number, or appears more than once.
    #[error("x-amz-decoded-content-length is {got:?}, not a number of bytes")]
    InvalidDecodedLength {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// `x-amz-trailer` is missing or malformed, or is present although the payload has no trailer and the rules don't
    /// [ignore it](crate::Rules::ignore_unused_trailer).
    #[error("x-amz-trailer is {got:?}, not a list of the trailers that follow")]
    InvalidTrailerHeader {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// `x-amz-trailer` names a checksum that this build can't compute, because its feature is off.
    /// [`VerifiedHead::chunk_decoder_with_unchecked`](crate::VerifiedHead::chunk_decoder_with_unchecked) accepts it by name.
    #[error(
        "this build can't compute {name}; turn on the feature {feature:?} of countersign, or pass the name \
             to chunk_decoder_with_unchecked"
    )]
    ChecksumUnavailable {
        /// The trailer.
        name: &'static str,
        /// The feature.
        feature: &'static str,
    },
    /// `x-amz-trailer` names a checksum that this crate doesn't know.
    /// [`VerifiedHead::chunk_decoder_with_unchecked`](crate::VerifiedHead::chunk_decoder_with_unchecked) accepts it by name.
    #[error("{name:?} is not a known checksum; to accept it unchecked, pass the name to chunk_decoder_with_unchecked")]
    UnknownChecksum {
        /// The trailer, shortened if its name is long.
        name: String,
    },
    /// The header line of a chunk is too long.
    #[error("the header line of a chunk has more than {limit} bytes")]
    HeaderTooLong {
        /// Bytes.
        limit: usize,
    },
    /// The header line of a chunk is malformed.
    #[error("the header line of a chunk is malformed: {got:?}")]
    MalformedHeader {
        /// The line, shortened if it is long.
        got: String,
    },
    /// A chunk is longer than the rules allow.
    #[error("a chunk has {length} bytes, at most {limit} are accepted")]
    TooLarge {
        /// Bytes.
        length: u64,
        /// Bytes, from the rules.
        limit: u64,
    },
    /// A chunk that is not the last is shorter than the rules allow.
    #[error("a chunk that is not the last has {length} bytes, at least {limit} are required")]
    TooSmall {
        /// Bytes.
        length: u64,
        /// Bytes, from the rules.
        limit: u64,
    },
    /// The data of a chunk is not followed by a line end: it is shorter or longer than announced.
    #[error("chunk {number} is shorter or longer than announced")]
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
    #[error("x-amz-decoded-content-length announces {announced} bytes, but the chunks hold {received} or more")]
    DecodedLength {
        /// Bytes, from the header.
        announced: u64,
        /// Bytes in chunks so far.
        received: u64,
    },
    /// The body ends before its last chunk or its trailer.
    #[error("the body ends before its last chunk or trailer")]
    Truncated,
    /// The body continues after its end.
    #[error("the body continues after its end")]
    BytesAfterEnd,
    /// The trailer is too long.
    #[error("the trailer has more than {limit} bytes")]
    TrailerTooLong {
        /// Bytes.
        limit: usize,
    },
    /// A line of the trailer is not `name:value`.
    #[error("a line of the trailer is not of the form name:value")]
    MalformedTrailer,
    /// The body has a trailer that `x-amz-trailer` does not name.
    #[error("the trailer holds {name:?}, which x-amz-trailer does not name")]
    UnexpectedTrailer {
        /// Its name, shortened if it is long.
        name: String,
    },
    /// A trailer that `x-amz-trailer` names is missing.
    #[error("the trailer lacks {name:?}, which x-amz-trailer names")]
    MissingTrailer {
        /// Its name.
        name: String,
    },
    /// A trailer appears more than once.
    #[error("the trailer holds {name:?} more than once")]
    RepeatedTrailer {
        /// Its name.
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
        /// The trailer.
        name: &'static str,
    },
}

impl ChunkError {
    /// The response to the client, as the services of a format word it. For a malformed body, every format has S3's
    /// texts.
    pub fn refusal(&self, format: ErrorFormat) -> Refusal {
        let (status, code, message) = match self {
            // The server asked for a decoder of a body that is not sent in chunks.
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

/// Why a body can't be sent in chunks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The request can't be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The receiver would refuse chunks of this size.
    #[error("a chunk size of {size} bytes: all chunks but the last need at least {least} bytes, none more than {most}")]
    ChunkSize {
        /// Bytes.
        size: usize,
        /// Bytes, from the rules.
        least: u64,
        /// Bytes, from the limits.
        most: u64,
    },
    /// Unsigned chunks need a trailer with a checksum: [`Chunked::with_checksum`](super::Chunked::with_checksum).
    #[error("unsigned chunks need a trailer; add a checksum")]
    NoTrailer,
    /// This build can't compute the checksum, because its feature is off.
    #[error("this build can't compute {name}; turn on the feature {feature:?} of countersign")]
    ChecksumUnavailable {
        /// The header that carries the checksum.
        name: &'static str,
        /// The feature.
        feature: &'static str,
    },
    /// The name of a trailer is not a valid header name, appears twice, or is reserved; or there are too many trailers.
    #[error("{name:?} can't be the name of a trailer, or appears twice")]
    TrailerName {
        /// The name, shortened if it is long.
        name: String,
    },
    /// The trailer would be longer than a receiver accepts, including its signature and line ends.
    #[error("the trailer would have more than {limit} bytes")]
    TrailerTooLong {
        /// Bytes.
        limit: usize,
    },
    /// The trailer was not announced when the request was signed.
    #[error("the trailer {name:?} was not announced with Chunked::with_trailer")]
    UnannouncedTrailer {
        /// The name, shortened if it is long.
        name: String,
    },
    /// A trailer was announced, but its value was not given.
    #[error("the trailer {name:?} was announced; give its value with ChunkEncoder::set_trailer")]
    MissingTrailer {
        /// The name.
        name: String,
    },
    /// The value of a trailer is not as long as announced, or contains CR, LF or NUL.
    #[error("the value of the trailer {name:?} has to be {announced} bytes without a line end")]
    TrailerValue {
        /// The name.
        name: String,
        /// Bytes, as announced.
        announced: usize,
    },
    /// The body has more or less data than announced when the request was signed.
    #[error("{announced} bytes of data were announced, not {given}")]
    DecodedLength {
        /// Bytes.
        announced: u64,
        /// Bytes so far.
        given: u64,
    },
    /// The body is finished already.
    #[error("the body is finished already")]
    Finished,
}
