use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::canonical::is_hash;
use crate::sigv4::timestamp::Timestamp;

/// The cause of a refusal or of a difference. Values of secret headers are `[redacted]`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The request is not signed.
    NotSigned,
    /// The request was signed, but the signature did not arrive: a redirect, proxy or CDN dropped it.
    SignatureLost,
    /// The API has no such route (path, method or stage), which API Gateway reports as "Missing Authentication Token".
    NoSuchRoute,
    /// A preflight request (`OPTIONS`), which a browser can't sign, to a route that requires a signature.
    PreflightNeedsSignature,
    /// The `Authorization` header is of another kind, e.g. a bearer token on an IAM route.
    OtherAuthorization,
    /// The access key id or the session token contains white space.
    WhitespaceInCredentials,
    /// The `Authorization` header, or the query parameters that replace it, are incomplete or malformed.
    MalformedAuthorization,
    /// The request has credentials both in its headers and in its query.
    TwoCredentials,
    /// The request is signed with Signature Version 2, but version 4 is required.
    SignatureVersion2,
    /// The resource needs a SigV4A signature: [`Signer::sigv4a`](crate::Signer::sigv4a), feature `sigv4a`.
    SigV4aRequired,
    /// Both sides signed the same text with different keys: the secret access key doesn't belong to the access key id.
    WrongSecret,
    /// The server doesn't know the access key id.
    UnknownAccessKey,
    /// Temporary credentials were used without their session token:
    /// [`Credentials::with_session_token`](crate::Credentials::with_session_token).
    TokenMissing,
    /// The session token has expired.
    TokenExpired,
    /// The session token doesn't belong to the access key id, or was truncated or re-encoded.
    TokenInvalid,
    /// The method differs.
    MethodChanged {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The verifier encodes the path one more time than the signer. See [`Rules::for_service`](crate::Rules::for_service).
    PathUnderEncoded,
    /// The signer encodes the path one more time than the verifier. See [`Rules::for_service`](crate::Rules::for_service).
    PathOverEncoded,
    /// One side removes dot segments or double slashes, the other doesn't. See
    /// [`Rules::for_service`](crate::Rules::for_service).
    PathNormalization,
    /// Only one side has a slash at the end of the path.
    TrailingSlash {
        /// `true` if the slash was signed but did not arrive, `false` if it arrived but was not signed.
        signed: bool,
    },
    /// Only one side has the stage or base path at the start of the path.
    PathPrefix {
        /// The part that one side lacks, e.g. `/dev`.
        prefix: String,
        /// `true` if the prefix was signed but did not arrive, `false` if it arrived but was not signed.
        signed: bool,
    },
    /// The path differs.
    PathChanged {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The signature is wrong, and what one of the sides computed is unknown.
    /// [`Explanation::compare`](crate::explain::Explanation::compare) compares two canonical requests, and
    /// [`Verifier::echo_computed`](crate::Verifier::echo_computed) shows what a verifier computed.
    Mismatch,
    /// The texts differ in a way that no other cause describes.
    TextDiffers {
        /// The first line that differs, counted from 1.
        line: usize,
    },
    /// The hashes of the canonical request differ, and nothing more is known.
    /// [`Explanation::compare`](crate::explain::Explanation::compare) compares the texts.
    CanonicalRequestDiffers,
    /// The line ends differ: `CRLF`, a line end after the last line, or a missing or additional blank line.
    LineEnds,
    /// A hash is in upper case on one side.
    HashCase,
    /// The same query parameters are in a different order.
    QueryOrder,
    /// A space is `+` on one side and `%20` on the other, or a plus sign was read as a space.
    PlusForSpace,
    /// A parameter without a value has no `=` on one side.
    MissingEquals {
        /// The parameter.
        name: String,
    },
    /// Percent-encoding is in lower case (`%2f`) on one side.
    EscapeCase,
    /// A parameter is encoded one more time on one side.
    QueryEncoding {
        /// The parameter.
        name: String,
    },
    /// A parameter arrived that was not signed.
    ParameterAdded {
        /// The parameter.
        name: String,
    },
    /// A signed parameter did not arrive.
    ParameterRemoved {
        /// The parameter.
        name: String,
    },
    /// A parameter has a different value.
    ParameterChanged {
        /// The parameter.
        name: String,
        /// Its encoded value as it was signed.
        signed: String,
        /// Its encoded value as it was verified.
        verified: String,
    },
    /// The host differs. On a server behind a proxy, see
    /// [`Verifier::with_external_hosts`](crate::Verifier::with_external_hosts).
    HostChanged {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The port differs, or is present on one side only.
    PortChanged {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The spaces of a signed header changed.
    HeaderRespaced {
        /// The header.
        name: String,
    },
    /// A signed header has a different value.
    HeaderChanged {
        /// The header.
        name: String,
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// Only the verifier includes a header among the signed ones.
    HeaderAdded {
        /// The header.
        name: String,
    },
    /// A signed header did not arrive.
    HeaderRemoved {
        /// The header.
        name: String,
    },
    /// The headers are not sorted by name.
    HeaderOrder,
    /// A header name contains upper-case letters.
    HeaderNameCase {
        /// The header, as it was written.
        name: String,
    },
    /// A repeated header has several lines on one side, and one line on the other.
    HeaderNotJoined {
        /// The header.
        name: String,
    },
    /// The character set of the content type was added, removed or changed.
    ContentTypeCharset {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// Headers that must be signed are not.
    UnsignedHeaders {
        /// The names of the headers, in lower case.
        names: Vec<String>,
    },
    /// The hash of the body differs.
    BodyChanged,
    /// A body was signed, but none arrived.
    BodyDropped,
    /// The empty body was signed, but a body arrived: [`Payload::EMPTY`](crate::Payload::EMPTY) instead of
    /// [`Payload::Bytes`](crate::Payload::Bytes).
    BodyNotHashed,
    /// The payload hash is of another kind: a hash, `UNSIGNED-PAYLOAD` or `STREAMING-…`.
    PayloadMode {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The request target is malformed: invalid percent-encoding, or a path above the root.
    MalformedRequest,
    /// A header that the service requires is missing.
    RequiredHeaderMissing {
        /// The name of the header, if the response contains it.
        name: Option<String>,
    },
    /// `x-amz-content-sha256` is missing, or has a value that the service doesn't accept.
    ContentSha256,
    /// A chunked body is truncated or has an invalid chunk.
    BodyFraming,
    /// The credential scope has the wrong region.
    WrongRegion {
        /// The region to use, if the response, its headers or the host name indicate it.
        expected: Option<String>,
    },
    /// The credential scope has the wrong service.
    WrongService {
        /// The service to use, if the response indicates it.
        expected: Option<String>,
    },
    /// The date of the credential scope is not the date of the request's time in UTC, or is not `YYYYMMDD`.
    ScopeDate {
        /// The date in the scope, if the response contains it.
        signed: Option<String>,
        /// The expected date, if the response contains it.
        expected: Option<String>,
    },
    /// The credential scope is not `DATE/REGION/SERVICE/aws4_request`.
    ScopeMalformed,
    /// The two sides use different algorithms.
    AlgorithmDiffers {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The clocks of both sides differ. [`Explanation::clock_offset`](crate::explain::Explanation::clock_offset) can be added
    /// to the time that is passed to the signer.
    ClockSkew {
        /// The seconds to add to the client's clock, if the response contains the server's time.
        offset: Option<i64>,
    },
    /// The clocks differ by the offset of a time zone: local time was probably used as UTC.
    TimeZone {
        /// The seconds to add to the client's clock.
        offset: i64,
    },
    /// The time of the request is missing or malformed.
    DateMalformed,
    /// The presigned URL has expired.
    PresignExpired {
        /// When it expired, if known.
        at: Option<Timestamp>,
    },
    /// The lifetime of the presigned URL is less than a second or more than seven days.
    PresignLifetime,
    /// The presigned URL expired with the credentials that signed it. See
    /// [`Presigned::outlives_credentials`](crate::Presigned::outlives_credentials).
    PresignOutlivedCredentials,
    /// The form of a browser upload doesn't match its policy, or the policy is malformed or has expired.
    FormPolicy,
    /// The request must be sent to another endpoint and signed for it.
    Redirected {
        /// The new location.
        location: String,
    },
    /// The signature is valid, but a policy denies the call.
    PolicyDenies,
    /// The route requires another kind of authorization.
    OtherAuthorizationExpected,
    /// A CDN, load balancer or proxy refused the request; the service never saw it.
    BlockedByIntermediary,
    /// `Forbidden` without a reason: an API key, a web application firewall, a private API or a custom domain.
    ForbiddenWithoutReason,
    /// An HTTP API or a function URL has no such route, or refused the signature without giving a reason.
    RefusedWithoutReason,
    /// The service refused the request for a reason other than its signature.
    Unrelated,
    /// The response is not recognised.
    NotRecognised,
}

impl Cause {
    /// Returns the text of each cause, and its fix.
    fn words(&self) -> (Cow<'static, str>, &'static str) {
        match self {
            Self::NotSigned => (
                "the request is not signed".into(),
                "sign the request; browsers don't, and some clients silently don't if their credentials are empty",
            ),
            Self::SignatureLost => (
                "the request was signed, but the signature did not arrive".into(),
                "sign after the last change to the host and headers, sign again after a redirect, and configure \
                 proxies and CDNs to forward Authorization and x-amz-*",
            ),
            Self::NoSuchRoute => (
                "the API has no such route (path, method or stage)".into(),
                "check the exact stage, path and method (a custom domain has no stage), and that the API is deployed; \
                 API Gateway gives this answer for every route that doesn't exist",
            ),
            Self::PreflightNeedsSignature => (
                "a browser can't sign an OPTIONS preflight request".into(),
                "set the authorization of the route's OPTIONS method to NONE",
            ),
            Self::OtherAuthorization => (
                "the Authorization header is not an AWS4-HMAC-SHA256 signature".into(),
                "the route either uses AWS_IAM authorization or doesn't exist; sign the call, or set the route's \
                 authorizer",
            ),
            Self::WhitespaceInCredentials => (
                "the access key id or the session token contains white space".into(),
                "trim the white space where the credentials are read",
            ),
            Self::MalformedAuthorization => (
                "the authorization is incomplete or malformed".into(),
                "send Credential, SignedHeaders and Signature once each, with x-amz-date; don't repeat the header name \
                 in its value",
            ),
            Self::TwoCredentials => (
                "the request has credentials both in its headers and in its query".into(),
                "remove one of them; send a presigned URL without an Authorization header, also after a redirect",
            ),
            Self::SignatureVersion2 => {
                ("signed with Signature Version 2, but Version 4 is required".into(), "sign with AWS4-HMAC-SHA256")
            }
            Self::SigV4aRequired => (
                "the resource needs a SigV4A signature (AWS4-ECDSA-P256-SHA256)".into(),
                "sign with SigV4A for a region set such as *: multi-Region access points, EventBridge global endpoints and \
                 CloudFront KeyValueStore need it",
            ),
            Self::WrongSecret => (
                "the secret access key doesn't belong to this access key id".into(),
                "check the secret access key, and that it belongs to this access key id",
            ),
            Self::UnknownAccessKey => (
                "the server doesn't know the access key id".into(),
                "check the access key id, that it is active, and the partition; a temporary one (ASIA…) needs its \
                 session token",
            ),
            Self::TokenMissing => (
                "the session token of the temporary credentials is missing".into(),
                "send the session token that was issued with the access key",
            ),
            Self::TokenExpired => ("the session token has expired".into(), "get new temporary credentials"),
            Self::TokenInvalid => (
                "the session token doesn't belong to this access key id".into(),
                "send the complete session token that was issued with this access key; in a URL, encode each + as %2B",
            ),
            Self::MethodChanged { signed, verified } => (
                format!("{signed} was signed, but {verified} arrived").into(),
                "sign the method that is sent; sign again after a redirect",
            ),
            Self::PathUnderEncoded => (
                "the signed path was encoded one time too few".into(),
                "for all services except S3, encode the path as sent once more before signing",
            ),
            Self::PathOverEncoded => (
                "the signed path was encoded one time too many".into(),
                "for S3, encode the path only once; for any service, the client encodes it only \
                 once",
            ),
            Self::PathNormalization => (
                "only one side removes dot segments or double slashes from the path".into(),
                "never normalise S3 paths, and always normalise the paths of other services",
            ),
            Self::TrailingSlash { signed } => (
                match signed {
                    true => "the path was signed with a slash at its end, but arrived without it",
                    false => "the path was signed without a slash at its end, but arrived with one",
                }
                .into(),
                "send the path as it was signed; a proxy or router added or removed the slash",
            ),
            Self::PathPrefix { prefix, signed } => (
                match signed {
                    true => format!("the path was signed with {prefix}, but arrived without it"),
                    false => format!("the path was signed without {prefix}, but arrived with it"),
                }
                .into(),
                "sign the path that reaches the service; it includes the stage and base path on the API's own host \
                 name, but not on a custom domain",
            ),
            Self::PathChanged { signed, verified } => (
                format!("the path {signed} was signed, but {verified} arrived").into(),
                "sign the path that reaches the service; a proxy, stage or base path mapping may rewrite it",
            ),
            Self::Mismatch => (
                "the signature is wrong".into(),
                "check the secret first; then compare the canonical request that was signed with what the server computed, \
                 if its response shows it, or with what a local verifier computes",
            ),
            Self::TextDiffers { line } => (format!("line {line} differs").into(), "compare the two texts at that line"),
            Self::CanonicalRequestDiffers => {
                ("the canonical requests differ".into(), "compare both canonical requests line by line")
            }
            Self::LineEnds => (
                "the lines are the same but end differently".into(),
                "end each line except the last with one line feed, put one blank line after the headers, and nothing \
                 after the last line",
            ),
            Self::HashCase => ("a hash is in upper case on one side".into(), "write hashes in lower case"),
            Self::QueryOrder => {
                ("the query parameters are in a different order".into(), "sort by encoded name, then by encoded value")
            }
            Self::PlusForSpace => (
                "a space is + on one side and %20 on the other".into(),
                "send %20 for a space and %2B for a plus sign, never a raw +",
            ),
            Self::MissingEquals { name } => (
                format!("the parameter {name} has no = on one side").into(),
                "sign a parameter without a value as name=",
            ),
            Self::EscapeCase => {
                ("percent-encoding is in lower case on one side".into(), "percent-encode in upper case, e.g. %2F")
            }
            Self::QueryEncoding { name } => (
                format!("the parameter {name} is encoded one more time on one side").into(),
                "encode each parameter exactly once, both in the request and in the signature",
            ),
            Self::ParameterAdded { name } => {
                (format!("the parameter {name} arrived, but was not signed").into(), QUERY_REWRITTEN)
            }
            Self::ParameterRemoved { name } => {
                (format!("the parameter {name} was signed, but did not arrive").into(), QUERY_REWRITTEN)
            }
            Self::ParameterChanged { name, signed, verified } => {
                (format!("the parameter {name} {}", OtherValue(signed, verified)).into(), QUERY_REWRITTEN)
            }
            Self::HostChanged { signed, verified } => (
                format!("the host {signed} was signed, but {verified} arrived").into(),
                "sign the host that the service sees; on a server behind a proxy, configure the public host names in \
                 its verifier",
            ),
            Self::PortChanged { signed, verified } => (
                format!("the ports differ: the host {signed} was signed, but {verified} arrived").into(),
                "on both sides, omit a default port from the Host header and keep any other",
            ),
            Self::HeaderRespaced { name } => {
                (format!("the spaces of the header {name} changed").into(), HEADER_REWRITTEN)
            }
            Self::HeaderChanged { name, signed, verified } => {
                (format!("the header {name} {}", OtherValue(signed, verified)).into(), HEADER_REWRITTEN)
            }
            Self::HeaderAdded { name } => (
                format!("only the other side includes the header {name} in the signature").into(),
                "sign the header, or leave it out of SignedHeaders",
            ),
            Self::HeaderRemoved { name } => (
                format!("the signed header {name} did not arrive").into(),
                "send the header, and don't sign headers that a proxy removes",
            ),
            Self::HeaderOrder => (
                "the headers are in a different order".into(),
                "sort the headers, and the names in SignedHeaders, by lower-case name",
            ),
            Self::HeaderNameCase { name } => (
                format!("the header name {name} is not in lower case").into(),
                "write header names in lower case, in SignedHeaders too",
            ),
            Self::HeaderNotJoined { name } => (
                format!("the header {name} has one line on one side, but several on the other").into(),
                "write one line per header, with the values joined by commas in the order sent",
            ),
            Self::ContentTypeCharset { signed, verified } => (
                format!("the charset of the content type differs: it {}", OtherValue(signed, verified)).into(),
                "sign the content type exactly as the client sends it, including its charset",
            ),
            Self::UnsignedHeaders { names } => (
                format!("headers that must be signed are not: {}", names.join(", ")).into(),
                "sign host and every x-amz-* header that is sent; one that the client doesn't set is added after signing, by \
                 middleware, a proxy or a CDN: remove it there",
            ),
            Self::BodyChanged => (
                "the body differs from the signed one".into(),
                "sign the bytes that are sent: hash them after serialising and compressing, and send them unchanged",
            ),
            Self::BodyDropped => (
                "a body was signed, but none arrived".into(),
                "send the body that was signed; a redirect or proxy may have dropped it",
            ),
            Self::BodyNotHashed => (
                "the empty body was signed, but a body was sent".into(),
                "sign the body that is sent, or its hash, instead of the empty body",
            ),
            Self::PayloadMode { signed, verified } => (
                format!(
                    "the payload hash differs: {} was signed, but {} was computed",
                    BodyLine(signed),
                    BodyLine(verified)
                )
                .into(),
                "send the signed value in x-amz-content-sha256, and sign a value that the service accepts",
            ),
            Self::MalformedRequest => (
                "the path or query is malformed".into(),
                "encode a literal % as %25, and don't let .. lead above the root",
            ),
            Self::RequiredHeaderMissing { name } => (
                or_else(name, |name| format!("the header {name} is missing"), "a required header is missing"),
                "send the header, and sign it if its name begins with x-amz-",
            ),
            Self::ContentSha256 => (
                "x-amz-content-sha256 is missing, or its value is not accepted by the service".into(),
                "send the hash of the body in x-amz-content-sha256, or UNSIGNED-PAYLOAD if the service accepts it",
            ),
            Self::BodyFraming => (
                "the chunks of the body are incomplete or invalid".into(),
                "encode the body as x-amz-content-sha256 announces, and send x-amz-decoded-content-length",
            ),
            Self::WrongRegion { expected } => (
                or_else(
                    expected,
                    |region| format!("signed for the wrong region; the expected region is {region}"),
                    "signed for the wrong region",
                ),
                "sign for the region of the endpoint (or a region set that includes it: x-amz-region-set); global \
                 services (IAM, CloudFront, Route 53) use us-east-1",
            ),
            Self::WrongService { expected } => (
                or_else(
                    expected,
                    |service| format!("signed for the wrong service; the expected service is {service}"),
                    "signed for the wrong service",
                ),
                "sign for the signing name of the service, e.g. execute-api, es or bedrock, not its host name",
            ),
            Self::ScopeDate { signed, expected } => (
                match (signed, expected) {
                    (Some(signed), Some(expected)) => format!(
                        "the date of the credential scope is {signed}, but the request's date in UTC is {expected}"
                    )
                    .into(),
                    _ => "the date of the credential scope is not the request's date in UTC".into(),
                },
                "read the clock once, in UTC, for both x-amz-date and the credential scope",
            ),
            Self::ScopeMalformed => (
                "the credential scope is not DATE/REGION/SERVICE/aws4_request".into(),
                "write the credential scope as YYYYMMDD/REGION/SERVICE/aws4_request",
            ),
            Self::AlgorithmDiffers { signed, verified } => (
                format!("signed with {signed}, but verified as {verified}").into(),
                "sign with the algorithm that the service accepts: AWS4-HMAC-SHA256 for one region, \
                 AWS4-ECDSA-P256-SHA256 for a region set",
            ),
            Self::ClockSkew { offset } => (
                or_else(
                    offset,
                    |offset| match offset {
                        0.. => format!(
                            "the client's clock is {} behind the server's, or the request was sent that long after it was \
                             signed",
                            Spoken(offset.unsigned_abs())
                        ),
                        _ => format!("the client's clock is {} ahead of the server's", Spoken(offset.unsigned_abs())),
                    },
                    "the clocks of the client and the server differ",
                ),
                "set the clock, or sign with the server's time; send requests as soon as they are signed",
            ),
            Self::TimeZone { offset } => (
                format!(
                    "local time was used as UTC: the client's time is {} {} the server's",
                    Spoken(offset.unsigned_abs()),
                    direction(*offset)
                )
                .into(),
                "write x-amz-date in UTC, as its Z states",
            ),
            Self::DateMalformed => {
                ("the time of the request is missing or malformed".into(), "send x-amz-date as YYYYMMDDTHHMMSSZ")
            }
            Self::PresignExpired { at } => (
                or_else(at, |at| format!("the presigned URL expired at {at}"), "the presigned URL has expired"),
                "create a new presigned URL, if necessary with a longer lifetime",
            ),
            Self::PresignLifetime => (
                "the lifetime of the presigned URL is not between 1 second and 7 days".into(),
                "presign for 1 to 604800 seconds",
            ),
            Self::PresignOutlivedCredentials => (
                "the presigned URL expired with the credentials that signed it".into(),
                "presign with credentials that are valid for as long as the URL",
            ),
            Self::FormPolicy => (
                "the form doesn't match its policy, or the policy is invalid".into(),
                "add a condition to the policy for each field of the form, send the fields with the signed values, and \
                 create a new policy before it expires",
            ),
            Self::Redirected { location } => (
                format!("the request must be sent to {location}").into(),
                "sign the request for the new host and region, and send it there",
            ),
            Self::PolicyDenies => (
                "a policy denies the call".into(),
                "allow the action in the policies of the identity and the resource; look for an explicit deny",
            ),
            Self::OtherAuthorizationExpected => (
                "the route requires another kind of authorization".into(),
                "check the route's authorizer: it is not AWS_IAM, but expects a token, cookie or key",
            ),
            Self::BlockedByIntermediary => (
                "a CDN or proxy refused the request before it reached the service".into(),
                "check the CDN or proxy: allowed methods, host names, forwarded headers",
            ),
            Self::ForbiddenWithoutReason => (
                "forbidden without a reason; not necessarily because of the signature".into(),
                "check the API key (x-api-key), the firewall, the VPC endpoint of a private API, and the mapping of a \
                 custom domain",
            ),
            Self::RefusedWithoutReason => (
                "refused without a reason".into(),
                "check the route, and verify the request with a local verifier; HTTP APIs, function URLs and aoss give \
                 no further details",
            ),
            Self::Unrelated => {
                ("refused for a reason other than its signature".into(), "see the message of the response")
            }
            Self::NotRecognised => (
                "the response is not recognised".into(),
                "see the message of the response; it doesn't mention a signature",
            ),
        }
    }

    pub(super) fn fix(&self) -> &'static str {
        self.words().1
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words().0)
    }
}

/// The fixes for changes of the query and of header values.
const QUERY_REWRITTEN: &str = "sign after the last change to the query; something rewrites it in transit";
const HEADER_REWRITTEN: &str = "don't sign headers that a proxy rewrites, or configure the proxy not to rewrite them";

/// Returns the sentence with the value, if the response contains it, or the sentence without it.
fn or_else<T>(told: &Option<T>, sentence: impl FnOnce(&T) -> String, without: &'static str) -> Cow<'static, str> {
    told.as_ref().map_or(without.into(), |told| sentence(told).into())
}

/// Returns the direction in which the client's clock is off, given the seconds to add to it.
fn direction(offset: i64) -> &'static str {
    if offset < 0 { "ahead of" } else { "behind" }
}

/// A duration in seconds as people say it: at most two units that follow one another.
struct Spoken(u64);

impl fmt::Display for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u64, &str); 4] = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];
        let mut parts = UNITS.iter().scan(self.0, |rest, (seconds, unit)| {
            let count = *rest / seconds;
            *rest %= seconds;
            Some((count, unit))
        });
        let Some((count, unit)) = parts.find(|(count, _)| *count > 0) else { return f.write_str("0 seconds") };
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        write!(f, "{count} {unit}{}", plural(count))?;
        match parts.next() {
            Some((next, unit)) if next > 0 => write!(f, " {next} {unit}{}", plural(next)),
            _ => Ok(()),
        }
    }
}

/// The payload line of a canonical request. A hash means nothing to a reader, so it is not shown.
struct BodyLine<'a>(&'a str);

impl fmt::Display for BodyLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("nothing"),
            hash if is_hash(hash) => f.write_str("a hash"),
            text => f.write_str(text),
        }
    }
}

/// Both values, unless they are too long for a sentence.
struct OtherValue<'a>(&'a str, &'a str);

impl fmt::Display for OtherValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LONG: usize = 80;
        let Self(signed, verified) = self;
        if signed == verified || signed.len() > LONG || verified.len() > LONG {
            f.write_str("arrived with a different value")
        } else {
            write!(f, "was signed as {signed:?}, but arrived as {verified:?}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Spoken;

    #[test]
    fn durations_are_written_as_people_say_them() {
        for (seconds, spoken) in [
            (0, "0 seconds"),
            (1, "1 second"),
            (600, "10 minutes"),
            (1834, "30 minutes 34 seconds"),
            (7203, "2 hours"),
            (3660, "1 hour 1 minute"),
            (248_456, "2 days 21 hours"),
            (30 * 86_400, "30 days"),
            (86_401, "1 day"),
        ] {
            assert_eq!(alloc::format!("{}", Spoken(seconds)), spoken);
        }
    }
}
