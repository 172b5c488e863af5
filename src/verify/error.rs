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

/// The reason why a request is refused.
///
/// `Display` is for the operator of the server; [`VerifyError::refusal`] is the response to the client, in AWS's
/// wording. Neither contains a secret, a session token or the correct signature, except for what
/// [`Verifier::echo_computed_raw`](crate::Verifier::echo_computed_raw) puts into the response.
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
    /// The request is malformed, independently of its signature.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The request has neither an `Authorization` header nor a presigned query.
    #[error("the request carries no signature")]
    MissingAuthentication,
    /// The request has both an `Authorization` header and a presigned query.
    #[error("the request has both an Authorization header and a presigned query; send only one of them")]
    BothMechanisms,
    /// A header or parameter of the signature appears more than once.
    #[error("{name} appears more than once")]
    Repeated {
        /// The name of the header or parameter.
        name: &'static str,
    },
    /// The `Authorization` header has a scheme other than an AWS Signature Version 4 algorithm.
    #[error("the Authorization scheme {scheme:?} is not supported; sign with AWS4-HMAC-SHA256")]
    UnsupportedScheme {
        /// The scheme, e.g. `Bearer`; empty if there is none.
        scheme: String,
    },
    /// The verifier doesn't accept the signing algorithm.
    #[error("the algorithm {algorithm:?} is not supported; sign with AWS4-HMAC-SHA256")]
    UnsupportedAlgorithm {
        /// The algorithm of the request, shortened if it is long.
        algorithm: String,
    },
    /// The `Authorization` header is too long.
    #[error("the Authorization header is {length} bytes long; the limit is {limit}")]
    AuthorizationTooLong {
        /// The length in bytes.
        length: usize,
        /// The maximum length in bytes.
        limit: usize,
    },
    /// A part of the `Authorization` header is not `name=value`, or the header or presigned query is not UTF-8.
    #[error("the authorization contains a part that is not of the form name=value, or is not UTF-8")]
    NotKeyValue,
    /// The `Authorization` header has an unknown parameter.
    #[error("the Authorization header has the unknown parameter {name:?}")]
    UnknownParameter {
        /// The name of the parameter, shortened if it is long.
        name: String,
    },
    /// Parameters of the signature are missing.
    #[error("the {} is missing {}", location.text(), names.join(", "))]
    MissingParameters {
        /// Where the request carries its signature.
        location: Location,
        /// The names of the missing parameters.
        names: Vec<&'static str>,
    },
    /// The credential is not `ID/DATE/REGION/SERVICE/aws4_request`.
    #[error("the credential {got:?} is not of the form ID/DATE/REGION/SERVICE/aws4_request")]
    MalformedCredential {
        /// Where the request carries its signature.
        location: Location,
        /// The value from the request, shortened if it is long.
        got: String,
    },
    /// The credential of a SigV4A signature is not `ID/DATE/SERVICE/aws4_request`.
    #[error("the credential {got:?} is not of the form ID/DATE/SERVICE/aws4_request")]
    MalformedSigV4aCredential {
        /// Where the request carries its signature.
        location: Location,
        /// The value from the request, shortened if it is long.
        got: String,
    },
    /// The signed headers are not lower-case names in ascending order without duplicates.
    #[error("the signed headers must be lower-case names in ascending order, without duplicates")]
    MalformedSignedHeaders {
        /// Where the request carries its signature.
        location: Location,
    },
    /// The request lists too many signed headers.
    #[error("the request lists more than {limit} signed headers")]
    TooManySignedHeaders {
        /// The maximum number of signed headers.
        limit: usize,
    },
    /// The signature is not 64 lower-case hexadecimal digits.
    #[error("the signature is not 64 lower-case hexadecimal digits")]
    MalformedSignature,
    /// The SigV4A signature is not the DER encoding of two integers from 1 to n - 1 in lower-case hexadecimal.
    #[error("the signature is not a DER-encoded ECDSA P-256 signature in lower-case hexadecimal")]
    MalformedSigV4aSignature,
    /// A request signed with SigV4A has no region set, or an empty one.
    #[error(
        "the {} is missing or empty",
        match location { Location::Query => "X-Amz-Region-Set parameter", _ => "x-amz-region-set header" }
    )]
    MissingRegionSet {
        /// Where the request carries its signature.
        location: Location,
    },
    /// The region set includes none of the verifier's regions.
    #[error("the region set {got:?} does not include {}", regions.join(" or "))]
    WrongRegionSet {
        /// The value from the request, shortened if it is long.
        got: String,
        /// The verifier's regions.
        regions: Vec<String>,
    },
    /// The request has neither an `x-amz-date` nor a `date` header.
    #[error("the request has neither an x-amz-date nor a date header")]
    MissingDate,
    /// The time of the request is not of the form `YYYYMMDDTHHMMSSZ`.
    #[error("{got:?} is not a UTC time of the form YYYYMMDDTHHMMSSZ")]
    MalformedDate {
        /// Where the request carries its signature.
        location: Location,
        /// The value from the request, shortened if it is long.
        got: String,
    },
    /// `X-Amz-Expires` is not a number of seconds.
    #[error("X-Amz-Expires is {got:?}, which is not a number of seconds")]
    MalformedExpires {
        /// The value from the request, shortened if it is long.
        got: String,
    },
    /// `X-Amz-Expires` is 0 or exceeds the limit.
    #[error("X-Amz-Expires is {seconds}, but must be from 1 to {} seconds", limit.as_secs())]
    ExpiresOutOfRange {
        /// The value in seconds, or `u64::MAX` if it is larger.
        seconds: u64,
        /// The maximum, [`Limits::max_presign`](crate::Limits::max_presign).
        limit: Duration,
    },
    /// The service requires an `x-amz-content-sha256` header, and there is none.
    #[error("the x-amz-content-sha256 header is missing")]
    MissingContentSha256,
    /// The value of `x-amz-content-sha256` is malformed, not accepted by the service, or different in header and query.
    #[error("the value {got:?} of x-amz-content-sha256 is not valid for this request")]
    InvalidContentSha256 {
        /// The value from the request, shortened if it is long.
        got: String,
    },
    /// Headers that must be signed are not: `host`, an `x-amz-*` header, or one that the verifier requires.
    #[error("headers that must be signed are not signed: {}", names.join(", "))]
    HeadersNotSigned {
        /// The names of these headers, in lower case.
        names: Vec<String>,
    },
    /// A header that is listed as signed is missing from the request.
    #[error("the header {name:?} is listed as signed, but the request does not contain it")]
    SignedHeaderAbsent {
        /// The name of the header.
        name: String,
    },
    /// The `Host` header and the authority (`:authority`, or the host of an absolute URI) name different hosts.
    #[error("the Host header is {host:?} but the request's authority is {authority:?}; they must be the same")]
    HostsDiffer {
        /// The value of the `Host` header, shortened if it is long.
        host: String,
        /// The authority, shortened if it is long.
        authority: String,
    },
    /// The `Connection` header lists a signed header, which the next hop would remove.
    #[error("the Connection header lists the signed header {name:?}, which the next hop would remove")]
    HopByHopHeader {
        /// The name of the header, in lower case.
        name: String,
    },
    /// A signed single-valued header appears more than once.
    #[error("the signed header {name:?} appears more than once")]
    RepeatedHeader {
        /// The name of the header, in lower case.
        name: String,
    },
    /// A signed `x-amz-*` header also appears in the query, with a different value.
    #[error("the header {name:?} and the query parameter of the same name have different values")]
    HeaderAndQueryDiffer {
        /// The name of the header, in lower case.
        name: String,
    },
    /// A query parameter appears more than once: one that carries a signed header, or any if the verifier refuses
    /// repeated parameters ([`Verifier::refuse_repeated_parameters`](crate::Verifier::refuse_repeated_parameters)).
    #[error("the query parameter {name:?} appears more than once")]
    RepeatedParameter {
        /// The decoded name, shortened if it is long.
        name: String,
    },
    /// The path has dot segments. They are removed before signing, but a router might not remove them.
    #[error("the path {path:?} has dot segments; send the path without them")]
    DotSegments {
        /// The path, shortened if it is long.
        path: String,
    },
    /// The request was signed too long ago.
    #[error("request expired: signed at {signed}, server time {now}, allowed clock skew {} seconds", allowed.as_secs())]
    Expired {
        /// The time of signing, according to the request.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// The allowed clock skew.
        allowed: Duration,
    },
    /// The request is dated too far in the future.
    #[error("request not valid yet: signed for {signed}, server time {now}, allowed clock skew {} seconds", allowed.as_secs())]
    NotYetCurrent {
        /// Where the request carries its signature.
        location: Location,
        /// The time of signing, according to the request.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// The allowed clock skew.
        allowed: Duration,
    },
    /// The presigned URL has expired.
    #[error("presigned URL expired: signed at {signed}, valid for {} seconds, server time {now}", expires_in.as_secs())]
    PresignExpired {
        /// The time of signing, according to the request.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// How long the URL was valid.
        expires_in: Duration,
    },
    /// The date, region, service or terminator of the credential scope is not what this server expects.
    #[error("the credential scope is {got}, but must be {expected}")]
    WrongScope {
        /// Where the request carries its signature.
        location: Location,
        /// The scope of the request.
        got: ScopeParts,
        /// The scope that the verifier expects.
        expected: ScopeParts,
        /// The time of signing, according to the request.
        signed: Timestamp,
    },
    /// The access key id is unknown.
    #[error("the access key id {access_key_id:?} is unknown")]
    UnknownAccessKey {
        /// The access key id.
        access_key_id: String,
    },
    /// The session token is missing, or does not belong to the access key.
    #[error("the session token is missing, or does not belong to the access key {access_key_id:?}")]
    InvalidSessionToken {
        /// The access key id.
        access_key_id: String,
    },
    /// The temporary credentials have expired.
    #[error("the session of the access key {access_key_id:?} expired at {expires_at}")]
    ExpiredSessionToken {
        /// The access key id.
        access_key_id: String,
        /// When they expired.
        expires_at: Timestamp,
    },
    /// The signature does not match the request and the key.
    #[error("the signature does not match")]
    SignatureMismatch {
        /// What the verifier computed, if [`Verifier::echo_computed`](crate::Verifier::echo_computed) is set.
        computed: Option<Box<Computed>>,
    },
    /// The body does not match the signed hash.
    #[error("the body does not match the signed hash: its SHA-256 is {computed}, the signed hash is {signed}")]
    BodyMismatch {
        /// The signed hash, in lower-case hexadecimal.
        signed: String,
        /// The hash of the body that arrived, in lower-case hexadecimal.
        computed: String,
    },
    /// The signature can't be verified without the body:
    /// [`UnverifiedRequest::with_body`](crate::UnverifiedRequest::with_body).
    #[error("the signature covers the body; pass it to UnverifiedRequest::with_body before verifying")]
    BodyNeeded,
    /// The body is sent in chunks or messages, which a decoder has to verify.
    #[error(
        "the body is sent as {}; read it with VerifiedHead::chunk_decoder or VerifiedHead::events",
        streaming.as_str()
    )]
    BodyIsStreamed {
        /// The kind of chunks or messages.
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

/// What a verifier computed for a request whose signature does not match; it never contains the signature itself.
///
/// AWS includes both texts in its response, and so does [`VerifyError::refusal`]: the first line that differs from what
/// the client signed shows the cause.
#[derive(Clone, PartialEq, Eq)]
pub struct Computed {
    /// Includes the session token after [`Verifier::echo_computed_raw`](crate::Verifier::echo_computed_raw).
    pub(super) canonical_request: Zeroizing<String>,
    pub(super) string_to_sign: String,
}

impl Computed {
    /// Returns the canonical request, with secret values redacted unless
    /// [`Verifier::echo_computed_raw`](crate::Verifier::echo_computed_raw) is set.
    pub fn canonical_request(&self) -> &str {
        &self.canonical_request
    }

    /// Returns the string to sign.
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
