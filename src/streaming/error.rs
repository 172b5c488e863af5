use alloc::string::String;

/// Why a body in chunks is refused. [`VerifyError`](crate::VerifyError) holds it, and answers with it in S3's words.
///
/// ```
/// use countersign::streaming::ChunkError;
/// use countersign::{Dialect, VerifyError};
///
/// let error = VerifyError::from(ChunkError::TooSmall { length: 100, limit: 8192 });
/// assert_eq!(error.refusal(Dialect::S3Xml).status(), 400);
/// assert_eq!(error.refusal(Dialect::S3Xml).code(), "InvalidChunkSizeError");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChunkError {
    /// There is no `x-amz-decoded-content-length`.
    #[error("there is no x-amz-decoded-content-length")]
    MissingDecodedLength,
    /// `x-amz-decoded-content-length` is no number, or there more than once.
    #[error("x-amz-decoded-content-length is {got:?}, no number of bytes")]
    InvalidDecodedLength {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// `x-amz-trailer` is missing, malformed or there although no trailer is to come.
    #[error("x-amz-trailer is {got:?}, not a list of the trailers that follow")]
    InvalidTrailerHeader {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// The line before a chunk is too long.
    #[error("the line before a chunk has more than {limit} bytes")]
    HeaderTooLong {
        /// Bytes.
        limit: usize,
    },
    /// The line before a chunk is malformed.
    #[error("{got:?} is no line before a chunk")]
    MalformedHeader {
        /// What was there, shortened if it is long.
        got: String,
    },
    /// A chunk is longer than is taken.
    #[error("a chunk of {length} bytes, at most {limit} are taken")]
    TooLarge {
        /// Bytes.
        length: u64,
        /// Bytes, by the rules.
        limit: u64,
    },
    /// A chunk that is not the last is shorter than is taken.
    #[error("a chunk of {length} bytes that is not the last, at least {limit} are needed")]
    TooSmall {
        /// Bytes.
        length: u64,
        /// Bytes, by the rules.
        limit: u64,
    },
    /// The data of a chunk is not followed by a line end: it is shorter or longer than announced.
    #[error("chunk {number} is shorter or longer than announced")]
    MalformedEnd {
        /// Which, from 1.
        number: u64,
    },
    /// The signature of a chunk is not the one of its data.
    #[error("the signature of chunk {number} does not match")]
    SignatureMismatch {
        /// Which, from 1.
        number: u64,
    },
    /// There is more or less data than `x-amz-decoded-content-length` says.
    #[error("the chunks hold {received} bytes or more, announced were {announced}")]
    DecodedLength {
        /// Bytes, by the header.
        announced: u64,
        /// Bytes in chunks so far.
        received: u64,
    },
    /// The body ends before its last chunk or its trailer.
    #[error("the body ends before its last chunk or trailer")]
    Truncated,
    /// There are bytes behind the end of the body.
    #[error("there are bytes behind the end of the body")]
    BytesAfterEnd,
    /// The trailer is too long.
    #[error("the trailer has more than {limit} bytes")]
    TrailerTooLong {
        /// Bytes.
        limit: usize,
    },
    /// A line of the trailer is no `name:value`.
    #[error("a line of the trailer is no name:value")]
    MalformedTrailer,
    /// A trailer that `x-amz-trailer` doesn't name.
    #[error("the trailer holds {name:?}, which x-amz-trailer doesn't name")]
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
    /// A trailer stands there twice.
    #[error("the trailer holds {name:?} twice")]
    RepeatedTrailer {
        /// Its name.
        name: String,
    },
    /// `x-amz-trailer-signature` is missing or malformed.
    #[error("x-amz-trailer-signature is missing or malformed")]
    MissingTrailerSignature,
    /// `x-amz-trailer-signature` is not the one of the trailer.
    #[error("the signature of the trailer does not match")]
    TrailerSignatureMismatch,
    /// The checksum in the trailer is not the one of the data.
    #[error("{name} is not the checksum of the data")]
    ChecksumMismatch {
        /// The trailer.
        name: &'static str,
    },
}

impl ChunkError {
    /// Status, code and text of S3.
    pub(crate) fn answer(&self) -> (u16, &'static str, &'static str) {
        match self {
            Self::MissingDecodedLength => {
                (411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
            }
            Self::InvalidDecodedLength { .. } => {
                (400, "InvalidArgument", "The value of x-amz-decoded-content-length header is invalid.")
            }
            Self::InvalidTrailerHeader { .. } => {
                (400, "InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
            }
            Self::SignatureMismatch { .. } | Self::TrailerSignatureMismatch => (
                403,
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. Check your key and \
                 signing method.",
            ),
            Self::TooSmall { .. } => {
                (400, "InvalidChunkSizeError", "Only the last chunk is allowed to have a size less than 8192 bytes")
            }
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
            | Self::MissingTrailerSignature => (
                400,
                "MalformedTrailerError",
                "The request contained trailing data that was not well-formed or did not conform to our published \
                 schema.",
            ),
            Self::ChecksumMismatch { .. } => {
                (400, "BadDigest", "The checksum you specified did not match the calculated checksum.")
            }
        }
    }
}

/// Why a body is not sent in chunks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// Chunks of this size are refused by the receiver.
    #[error("chunks of {size} bytes: all but the last need at least {least}, and none may have more than {most}")]
    ChunkSize {
        /// Bytes.
        size: usize,
        /// Bytes, by the rules.
        least: u64,
        /// Bytes, by the rules.
        most: u64,
    },
    /// Unsigned chunks need a trailer that proves them: [`Chunked::with_checksum`](super::Chunked::with_checksum).
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
    /// A trailer's name is no header name, or there twice, or one that the trailer can't hold.
    #[error("{name:?} can't be the name of a trailer, or is there twice")]
    TrailerName {
        /// The name, shortened if it is long.
        name: String,
    },
    /// The trailer would be longer than a receiver takes, its signature and line ends included.
    #[error("the trailer would have more than {limit} bytes")]
    TrailerTooLong {
        /// Bytes.
        limit: usize,
    },
    /// A trailer that was not announced when the request was signed.
    #[error("the trailer {name:?} was not announced with Chunked::with_trailer")]
    UnannouncedTrailer {
        /// The name, shortened if it is long.
        name: String,
    },
    /// A trailer that was announced and never given.
    #[error("the trailer {name:?} was announced; give its value with ChunkEncoder::set_trailer")]
    MissingTrailer {
        /// The name.
        name: String,
    },
    /// A trailer's value has another length than announced, or holds CR, LF or NUL.
    #[error("the value of the trailer {name:?} has to be {announced} bytes without a line end")]
    TrailerValue {
        /// The name.
        name: String,
        /// Bytes, as announced.
        announced: usize,
    },
    /// There is more or less data than announced when the request was signed.
    #[error("{announced} bytes of data were announced, not {given}")]
    DecodedLength {
        /// Bytes.
        announced: u64,
        /// Bytes; with more to come where there are more than announced.
        given: u64,
    },
    /// The body is finished already.
    #[error("the body is finished already")]
    Finished,
}
