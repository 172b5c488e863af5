use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use crate::sigv4::timestamp::Timestamp;

/// Why two sides disagree. Values of headers that are secrets are `[redacted]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The request carries no signature, and none was made.
    NotSigned,
    /// The request was signed, and the signature did not arrive: a redirect, proxy or CDN dropped it.
    SignatureLost,
    /// No such route: path, method or stage, behind API Gateway's "Missing Authentication Token".
    NoSuchRoute,
    /// A preflight (`OPTIONS`), which a browser can't sign, on a route that asks for a signature.
    PreflightNeedsSignature,
    /// An `Authorization` header of another kind, e.g. a bearer token on an IAM route.
    OtherAuthorization,
    /// The access key id or the token holds white space.
    WhitespaceInCredentials,
    /// The `Authorization` header, or the query that stands for it, lacks parts or is malformed.
    MalformedAuthorization,
    /// Header and query carry credentials.
    TwoCredentials,
    /// Signature Version 2, where 4 is asked for.
    SignatureVersion2,
    /// Both sides signed the same text with different keys: the secret is not the one of this access key id.
    WrongSecret,
    /// The access key id is not known there.
    UnknownAccessKey,
    /// Temporary credentials without their session token.
    TokenMissing,
    /// The session token has expired.
    TokenExpired,
    /// The session token is not one of this access key, or was cut or re-encoded.
    TokenInvalid,
    /// The method is another one.
    MethodChanged {
        /// By whoever signed.
        signed: String,
        /// By whoever verified.
        verified: String,
    },
    /// The verifier encodes the path once more than the signer.
    PathEncodedTooRarely,
    /// The signer encodes the path once more than the verifier.
    PathEncodedTooOften,
    /// One side removes dot segments or double slashes, the other doesn't.
    PathNormalization,
    /// A slash at the end that the other side doesn't have.
    TrailingSlash {
        /// Whether it was signed and did not arrive; else it arrived and was not signed.
        signed: bool,
    },
    /// The path begins with another stage or base path.
    PathPrefix {
        /// What is there on one side only, e.g. `/dev`.
        prefix: String,
        /// Whether it was signed and did not arrive; else it arrived and was not signed.
        signed: bool,
    },
    /// The path is another one.
    PathChanged {
        /// By whoever signed.
        signed: String,
        /// By whoever verified.
        verified: String,
    },
    /// The signature is wrong, and either side's text is not known here.
    Mismatch,
    /// The texts differ in a way that has no name here.
    TextDiffers {
        /// The first line that does, counted from 1.
        line: usize,
    },
    /// The strings to sign differ in the hash of the canonical request, of which no more is known.
    CanonicalRequestDiffers,
    /// The lines end otherwise: `CRLF`, a line end behind the last line, or a blank line too few or too many.
    LineEnds,
    /// A hash is in upper case on one side.
    HashCase,
    /// The same parameters in another order.
    QueryOrder,
    /// A space is `+` on one side and `%20` on the other, or a plus was taken for a space.
    PlusForSpace,
    /// A parameter without a value has no `=` on one side.
    MissingEquals {
        /// The parameter.
        name: String,
    },
    /// Escapes in lower case (`%2f`) on one side.
    EscapeCase,
    /// A parameter is encoded once more on one side.
    QueryEncoding {
        /// The parameter.
        name: String,
    },
    /// A parameter that was not signed.
    ParameterAdded {
        /// The parameter.
        name: String,
    },
    /// A parameter that was signed and did not arrive.
    ParameterRemoved {
        /// The parameter.
        name: String,
    },
    /// A parameter has another value.
    ParameterChanged {
        /// The parameter.
        name: String,
        /// Its value by whoever signed, encoded.
        signed: String,
        /// By whoever verified.
        verified: String,
    },
    /// The host is another one.
    HostChanged {
        /// By whoever signed.
        signed: String,
        /// By whoever verified.
        verified: String,
    },
    /// The port is another one, or there on one side only.
    PortChanged {
        /// By whoever signed.
        signed: String,
        /// By whoever verified.
        verified: String,
    },
    /// A signed header has other spaces.
    HeaderRespaced {
        /// The header.
        name: String,
    },
    /// A signed header has another value.
    HeaderChanged {
        /// The header.
        name: String,
        /// By whoever signed.
        signed: String,
        /// By whoever verified.
        verified: String,
    },
    /// A header is signed on the verifier's side only.
    HeaderAdded {
        /// The header.
        name: String,
    },
    /// A signed header did not arrive.
    HeaderRemoved {
        /// The header.
        name: String,
    },
    /// The headers stand in another order than that of their names.
    HeaderOrder,
    /// A header's name has upper-case letters.
    HeaderNameCase {
        /// The header, as it stands there.
        name: String,
    },
    /// A header that was given more than once has lines of its own on one side, and one line on the other.
    HeaderNotJoined {
        /// The header.
        name: String,
    },
    /// A character set was added to the content type, removed or written otherwise.
    ContentTypeCharset {
        /// By whoever signed.
        signed: String,
        /// By whoever verified.
        verified: String,
    },
    /// Headers that have to be signed are not.
    UnsignedHeaders {
        /// Which, in lower case.
        names: Vec<String>,
    },
    /// The body has another hash.
    BodyChanged,
    /// A body was signed, and none arrived.
    BodyDropped,
    /// The signature is of no body, and one arrived.
    BodyNotHashed,
    /// What stands for the body is of another kind: a hash, `UNSIGNED-PAYLOAD`, `STREAMING-…`.
    PayloadMode {
        /// By whoever signed.
        signed: String,
        /// By whoever verified.
        verified: String,
    },
    /// The request's target is malformed: an escape that is none, or a path above the root.
    MalformedRequest,
    /// A header that the service asks for is missing.
    RequiredHeaderMissing {
        /// Which, if the response tells.
        name: Option<String>,
    },
    /// `x-amz-content-sha256` is missing or no value that the service takes.
    ContentSha256,
    /// A body in frames is cut, too short, or has a wrong chunk.
    BodyFraming,
    /// The scope names another region.
    WrongRegion {
        /// The region to use, if the response or its headers tell.
        expected: Option<String>,
    },
    /// The scope names another service.
    WrongService {
        /// The service to use, if the response tells.
        expected: Option<String>,
    },
    /// The scope's date is not the one of the request's time in UTC, or no `YYYYMMDD`.
    ScopeDate {
        /// What the scope has, if the response tells.
        signed: Option<String>,
        /// What it has to be, if the response tells.
        expected: Option<String>,
    },
    /// The scope is not `DATE/REGION/SERVICE/aws4_request`.
    ScopeMalformed,
    /// Both sides use another algorithm.
    AlgorithmDiffers {
        /// By whoever signed.
        signed: String,
        /// By whoever verified.
        verified: String,
    },
    /// The clocks of both sides differ.
    ClockSkew {
        /// Seconds to add to the signer's clock, if the response tells the server's time.
        offset: Option<i64>,
    },
    /// The clocks differ by whole quarters of an hour: local time was taken for UTC.
    TimeZone {
        /// Seconds to add to the signer's clock.
        offset: i64,
    },
    /// The time of the request is missing or malformed.
    DateMalformed,
    /// The presigned URL has ended.
    PresignExpired {
        /// When, if the response tells.
        at: Option<Timestamp>,
    },
    /// The presigned URL was to live for less than a second, or longer than seven days.
    PresignLifetime,
    /// The presigned URL ended with the credentials that signed it.
    PresignOutlivedCredentials,
    /// A form of a browser upload and its policy: one doesn't fit the other, or the policy is malformed or has ended.
    FormPolicy,
    /// The request has to go to another endpoint and be signed for it.
    Redirected {
        /// Where to.
        location: String,
    },
    /// The signature was fine; a policy denies the call.
    PolicyDenies,
    /// The route asks for another kind of authorization than a signature.
    OtherAuthorizationExpected,
    /// A CDN, load balancer or proxy refused the request; the service never saw it.
    RefusedOnTheWay,
    /// `Forbidden` without a reason: an API key, a web application firewall, a private API, a custom domain.
    ForbiddenWithoutReason,
    /// An HTTP API or a function URL has no such route, or refused the signature without saying why.
    RefusedWithoutReason,
    /// The service refuses the request for other reasons than its signature.
    NotAboutSignature,
    /// Nothing was recognised.
    Unrecognised,
}

/// One cause, what speaks for it, and what mends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub(super) cause: Cause,
    pub(super) evidence: String,
}

impl Finding {
    pub(super) fn new(cause: Cause, evidence: impl Into<String>) -> Self {
        Self { cause, evidence: evidence.into() }
    }

    /// What went wrong.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// What speaks for it: the words of the response, or the line that differs.
    pub fn evidence(&self) -> &str {
        &self.evidence
    }

    /// What mends it, in a sentence or two.
    pub fn fix(&self) -> &'static str {
        self.cause.fix()
    }
}

impl Finding {
    pub(super) fn print(&self, f: &mut fmt::Formatter<'_>, with_evidence: bool) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        if with_evidence {
            write!(f, "\n   seen: {}", self.evidence)?;
        }
        write!(f, "\n   fix:  {}", self.fix())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, true)
    }
}
