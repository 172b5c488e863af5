use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

use super::scope_parts::ScopeParts;
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::{ClaimError, Location};
use crate::sigv4::canonical_request::CanonicalRequest;
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::request::{MAX_HEADERS, RequestError};
use crate::sigv4::timestamp::Timestamp;

/// Why a request is refused.
///
/// `Display` is for the operator of the server; [`VerifyError::refusal`] is the answer to the client, worded as AWS does.
/// Neither contains a secret, a session token or the correct signature.
///
/// ```
/// use countersign::{ErrorFormat, Request, Verifier};
///
/// let verifier = Verifier::new("us-east-1", "execute-api")?;
/// let request = Request::new("GET", "/dev/get-list", &[]).with_host("example.com");
/// let error = verifier.parse(request, "20150830T123600Z".parse()?).unwrap_err();
/// assert_eq!(error.to_string(), "the request carries no signature");
/// assert_eq!(error.refusal(ErrorFormat::RestJson).status(), 403);
/// assert_eq!(error.refusal(ErrorFormat::RestJson).body(""), r#"{"message":"Missing Authentication Token"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The request itself, before anything about its signature.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// No `Authorization` header and no presigned query.
    #[error("the request carries no signature")]
    MissingAuthentication,
    /// An `Authorization` header and a presigned query.
    #[error("the request carries an Authorization header and a presigned query; only one of them may be there")]
    BothMechanisms,
    /// A header or parameter of the signature appears more than once.
    #[error("{name} appears more than once")]
    Repeated {
        /// Its name.
        name: &'static str,
    },
    /// The `Authorization` header is of another kind.
    #[error("the Authorization header has the scheme {scheme:?}, not AWS4-HMAC-SHA256")]
    UnsupportedScheme {
        /// E.g. `Bearer`; empty if it has none.
        scheme: String,
    },
    /// An algorithm that is not `AWS4-HMAC-SHA256`.
    #[error("the algorithm {algorithm:?} is not AWS4-HMAC-SHA256")]
    UnsupportedAlgorithm {
        /// What was given, shortened if it is long.
        algorithm: String,
    },
    /// The `Authorization` header is longer than is read.
    #[error("the Authorization header has {length} bytes, at most {limit} are read")]
    AuthorizationTooLong {
        /// Bytes.
        length: usize,
        /// Bytes.
        limit: usize,
    },
    /// A part of the `Authorization` header, or of a presigned query, is not `name=value`.
    #[error("a part of the authorization is not name=value")]
    NotKeyValue,
    /// The `Authorization` header has a parameter that it can't have.
    #[error("the Authorization header has an unknown parameter {name:?}")]
    UnknownParameter {
        /// Its name, shortened if it is long.
        name: String,
    },
    /// Parts of the signature are missing.
    #[error("the {} lacks {}", location.text(), names.join(", "))]
    MissingParameters {
        /// Where the request carries its signature.
        location: Location,
        /// Which.
        names: Vec<&'static str>,
    },
    /// The credential is not `ID/DATE/REGION/SERVICE/aws4_request`.
    #[error("the credential {got:?} is not of the form ID/DATE/REGION/SERVICE/aws4_request")]
    MalformedCredential {
        /// Where the request carries its signature.
        location: Location,
        /// What was given, shortened if it is long.
        got: String,
    },
    /// The credential of SigV4A is not `ID/DATE/SERVICE/aws4_request`.
    #[error("the credential {got:?} is not of the form ID/DATE/SERVICE/aws4_request")]
    MalformedSigV4aCredential {
        /// Where the request carries its signature.
        location: Location,
        /// What was given, shortened if it is long.
        got: String,
    },
    /// The signed headers are not lower-case names in ascending order, each once.
    #[error("the signed headers are not lower-case names in ascending order, each once")]
    MalformedSignedHeaders {
        /// Where the request carries its signature.
        location: Location,
    },
    /// There are more signed headers than a request can have.
    #[error("more than {limit} signed headers")]
    TooManySignedHeaders {
        /// How many are taken.
        limit: usize,
    },
    /// The signature is not 64 lower-case hexadecimal digits.
    #[error("the signature is not 64 lower-case hexadecimal digits")]
    MalformedSignature,
    /// The signature of SigV4A is not the DER of two numbers from 1 to n - 1, as lower-case hexadecimal digits.
    #[error("the signature is not the DER of two numbers below the order of P-256, in lower-case hexadecimal digits")]
    MalformedSigV4aSignature,
    /// A request that is signed with SigV4A doesn't say for which regions.
    #[error("there is no {}", match location { Location::Query => "X-Amz-Region-Set", _ => "x-amz-region-set" })]
    MissingRegionSet {
        /// Where the request carries its signature.
        location: Location,
    },
    /// The region set doesn't name this server's region.
    #[error("the region set {got:?} does not name {}", regions.join(" or "))]
    WrongRegionSet {
        /// What was given, shortened if it is long.
        got: String,
        /// The verifier's regions.
        regions: Vec<String>,
    },
    /// There is no `x-amz-date` and no `date`.
    #[error("there is neither an x-amz-date nor a date header")]
    MissingDate,
    /// The time is not of the form `YYYYMMDDTHHMMSSZ`.
    #[error("{got:?} is not a time in UTC of the form YYYYMMDDTHHMMSSZ")]
    MalformedDate {
        /// Where the request carries its signature.
        location: Location,
        /// What was given, shortened if it is long.
        got: String,
    },
    /// `X-Amz-Expires` is not a number of seconds.
    #[error("X-Amz-Expires is {got:?}, no number of seconds")]
    MalformedExpires {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// `X-Amz-Expires` is not from 1 second to the limit.
    #[error("X-Amz-Expires is {seconds}, not from 1 to {} seconds", limit.as_secs())]
    ExpiresOutOfRange {
        /// Seconds; the largest number there is if it doesn't fit.
        seconds: u64,
        /// The longest, by the rules.
        limit: Duration,
    },
    /// The service needs `x-amz-content-sha256`.
    #[error("there is no x-amz-content-sha256")]
    MissingContentSha256,
    /// `x-amz-content-sha256` is not a value that this service accepts.
    #[error("x-amz-content-sha256 is {got:?}, which these rules don't take")]
    InvalidContentSha256 {
        /// What was given, shortened if it is long.
        got: String,
    },
    /// Headers that have to be signed are not: `host`, an `x-amz-*`, or one that the server names.
    #[error("headers that have to be signed are not: {}", names.join(", "))]
    HeadersNotSigned {
        /// Which, in lower case.
        names: Vec<String>,
    },
    /// A header is named as signed and is not there.
    #[error("{name:?} is named as signed, but it is not there")]
    SignedHeaderAbsent {
        /// Its name.
        name: String,
    },
    /// The `Host` header and the authority (`:authority`, or the host of an absolute URI) name different hosts.
    #[error("the Host header names {host:?} and the request's authority {authority:?}; they have to be the same")]
    HostsDiffer {
        /// The header, shortened if it is long.
        host: String,
        /// The authority, shortened if it is long.
        authority: String,
    },
    /// The `Connection` header names a signed header, which the next hop would remove.
    #[error("the Connection header names the signed header {name:?}, which the next hop would remove")]
    HopByHopHeader {
        /// The header, in lower case.
        name: String,
    },
    /// A signed header that has one value arrived more than once.
    #[error("the signed header {name:?} appears more than once")]
    RepeatedHeader {
        /// The header, in lower case.
        name: String,
    },
    /// A signed `x-amz-*` header stands in the query, too, with another value.
    #[error("the header {name:?} and the query parameter of that name have different values")]
    HeaderAndQueryDiffer {
        /// The header, in lower case.
        name: String,
    },
    /// A query parameter appears more than once: one that stands for a header, or any if the verifier says so
    /// ([`Verifier::refuse_repeated_parameters`](crate::Verifier::refuse_repeated_parameters)).
    #[error("the query parameter {name:?} appears more than once")]
    RepeatedParameter {
        /// Its decoded name, shortened if it is long.
        name: String,
    },
    /// The path has dot segments, which are removed before it is signed: a router might not remove them.
    #[error("the path {path:?} has dot segments; send the path without them")]
    DotSegments {
        /// The path, shortened if it is long.
        path: String,
    },
    /// The request was signed too long ago.
    #[error("request expired: signed at {signed}, server time {now}, allowed clock skew {} seconds", allowed.as_secs())]
    Expired {
        /// When it was signed, by the request.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// The allowed skew.
        allowed: Duration,
    },
    /// The request is signed for a time that has not come.
    #[error("request not valid yet: signed for {signed}, server time {now}, allowed clock skew {} seconds", allowed.as_secs())]
    NotYetCurrent {
        /// Where the request carries its signature.
        location: Location,
        /// When it was signed, by the request.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// The allowed skew.
        allowed: Duration,
    },
    /// The presigned URL has ended.
    #[error("presigned at {signed} for {} seconds, now is {now}", expires_in.as_secs())]
    PresignExpired {
        /// When it was signed, by the request.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// How long it lived.
        expires_in: Duration,
    },
    /// The scope is not the one of this server: date, region, service, terminator.
    #[error("the scope {got} is not {expected}")]
    WrongScope {
        /// Where the request carries its signature.
        location: Location,
        /// The scope of the request.
        got: ScopeParts,
        /// What it has to be.
        expected: ScopeParts,
        /// The time that the request was signed at.
        signed: Timestamp,
    },
    /// Nobody has this access key id.
    #[error("the access key id {access_key_id:?} is not known")]
    UnknownAccessKey {
        /// The id.
        access_key_id: String,
    },
    /// The session token is missing, or not the one of this access key.
    #[error("the session token is missing, or not the one of the access key {access_key_id:?}")]
    InvalidSessionToken {
        /// The id.
        access_key_id: String,
    },
    /// The temporary credentials have ended.
    #[error("the session of the access key {access_key_id:?} ended at {expires_at}")]
    ExpiredSessionToken {
        /// The id.
        access_key_id: String,
        /// When they ended.
        expires_at: Timestamp,
    },
    /// The signature is not the one of this request and key.
    #[error("the signature does not match")]
    SignatureMismatch {
        /// What the verifier signed itself, if it is to say so: [`Verifier::echo_computed`](crate::Verifier::echo_computed).
        computed: Option<Box<Computed>>,
    },
    /// The body is not the one that was signed.
    #[error("the body is not the one that was signed: its SHA-256 is {computed}, signed was {signed}")]
    BodyMismatch {
        /// The hash that was signed, hexadecimal in lower case.
        signed: String,
        /// The hash of the body that arrived.
        computed: String,
    },
    /// The body is needed first: [`UnverifiedRequest::with_body`](crate::UnverifiedRequest::with_body).
    #[error("the signature covers the body, which has to be given with UnverifiedRequest::with_body before verifying")]
    BodyNeeded,
    /// The body is sent in chunks or messages, and a decoder has to read it.
    #[error("the body is sent as {}; its chunks or messages have to be checked one by one", streaming.as_str())]
    BodyIsStreamed {
        /// How it is sent.
        streaming: StreamingPayload,
    },
}

impl VerifyError {
    pub(super) fn of_claim(error: ClaimError, location: Location) -> Self {
        match error {
            ClaimError::Scheme { scheme } => Self::UnsupportedScheme { scheme },
            ClaimError::Algorithm { algorithm } => Self::UnsupportedAlgorithm { algorithm },
            ClaimError::NotKeyValue => Self::NotKeyValue,
            ClaimError::UnknownParameter { name } => Self::UnknownParameter { name },
            ClaimError::Repeated { name } => Self::Repeated { name },
            ClaimError::Missing { names } => Self::MissingParameters { location, names },
            ClaimError::Credential { algorithm: Algorithm::HmacSha256, got } => {
                Self::MalformedCredential { location, got }
            }
            ClaimError::Credential { algorithm: Algorithm::EcdsaP256Sha256, got } => {
                Self::MalformedSigV4aCredential { location, got }
            }
            ClaimError::SignedHeaders => Self::MalformedSignedHeaders { location },
            ClaimError::TooManySignedHeaders => Self::TooManySignedHeaders { limit: MAX_HEADERS },
            ClaimError::Signature { algorithm: Algorithm::HmacSha256 } => Self::MalformedSignature,
            ClaimError::Signature { algorithm: Algorithm::EcdsaP256Sha256 } => Self::MalformedSigV4aSignature,
        }
    }
}

/// What a verifier computed for a request whose signature does not match: never the signature itself.
///
/// AWS puts both texts into its answer, and so does [`VerifyError::refusal`]: the first line that differs from what the
/// client signed names the fault.
#[derive(Clone, PartialEq, Eq)]
pub struct Computed {
    /// With the session token in it, if the verifier was told to show it.
    pub(super) canonical_request: Zeroizing<String>,
    pub(super) string_to_sign: String,
}

impl Computed {
    /// Step 1, without secrets unless the verifier was told otherwise.
    pub fn canonical_request(&self) -> &str {
        &self.canonical_request
    }

    /// Step 2.
    pub fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }
}

impl fmt::Debug for Computed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Computed")
            .field("canonical_request", &CanonicalRequest::from_bytes(self.canonical_request.as_bytes()))
            .field("string_to_sign", &self.string_to_sign)
            .finish()
    }
}
