use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::canonical::is_hash;
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
    /// The `Authorization` header, or the query with the same parts, is incomplete or malformed.
    MalformedAuthorization,
    /// Header and query both carry credentials.
    TwoCredentials,
    /// Signature Version 2, where 4 is asked for.
    SignatureVersion2,
    /// Both sides signed the same text with different keys: the secret is not the one of this access key id.
    WrongSecret,
    /// The server doesn't know the access key id.
    UnknownAccessKey,
    /// Temporary credentials without their session token.
    TokenMissing,
    /// The session token has expired.
    TokenExpired,
    /// The session token is not one of this access key, or was cut or re-encoded.
    TokenInvalid,
    /// The method differs.
    MethodChanged {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The verifier encodes the path once more than the signer.
    PathUnderEncoded,
    /// The signer encodes the path once more than the verifier.
    PathOverEncoded,
    /// One side removes dot segments or double slashes, the other doesn't.
    PathNormalization,
    /// A slash at the end that the other side doesn't have.
    TrailingSlash {
        /// Whether it was signed and did not arrive; else it arrived and was not signed.
        signed: bool,
    },
    /// The path begins with another stage or base path.
    PathPrefix {
        /// The part that one side lacks, e.g. `/dev`.
        prefix: String,
        /// Whether it was signed and did not arrive; else it arrived and was not signed.
        signed: bool,
    },
    /// The path differs.
    PathChanged {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The signature is wrong, and the text of one side is not known here.
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
        /// Its value as it was signed, encoded.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The host differs.
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
    /// A signed header has other spaces.
    HeaderRespaced {
        /// The header.
        name: String,
    },
    /// A signed header has another value.
    HeaderChanged {
        /// The header.
        name: String,
        /// As it was signed.
        signed: String,
        /// As it was verified.
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
    /// The headers are not sorted by name.
    HeaderOrder,
    /// A header's name has upper-case letters.
    HeaderNameCase {
        /// The header, as it was written.
        name: String,
    },
    /// A header that was given more than once has lines of its own on one side, and one line on the other.
    HeaderNotJoined {
        /// The header.
        name: String,
    },
    /// A character set was added to the content type, removed or written otherwise.
    ContentTypeCharset {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// Headers are not signed that have to be.
    UnsignedHeaders {
        /// Which, in lower case.
        names: Vec<String>,
    },
    /// The body has another hash.
    BodyChanged,
    /// A body was signed, and none arrived.
    BodyDropped,
    /// The empty body was signed, but a body arrived.
    BodyNotHashed,
    /// The payload line is of another kind: a hash, `UNSIGNED-PAYLOAD`, `STREAMING-…`.
    PayloadMode {
        /// As it was signed.
        signed: String,
        /// As it was verified.
        verified: String,
    },
    /// The request's target is malformed: an invalid escape, or a path above the root.
    MalformedRequest,
    /// A header that the service asks for is missing.
    RequiredHeaderMissing {
        /// Which, if the response tells.
        name: Option<String>,
    },
    /// `x-amz-content-sha256` is missing, or has a value that the service doesn't accept.
    ContentSha256,
    /// A chunked body is cut, too short, or has a wrong chunk.
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
        /// As it was signed.
        signed: String,
        /// As it was verified.
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
    /// The lifetime of the presigned URL is less than a second or more than seven days.
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
    BlockedByIntermediary,
    /// `Forbidden` without a reason: an API key, a web application firewall, a private API, a custom domain.
    ForbiddenWithoutReason,
    /// An HTTP API or a function URL has no such route, or refused the signature without saying why.
    RefusedWithoutReason,
    /// The service refuses the request for other reasons than its signature.
    Unrelated,
    /// Nothing was recognised.
    Unrecognised,
}

impl Cause {
    /// What went wrong, and how to fix it: one row for each cause.
    fn words(&self) -> (Cow<'static, str>, &'static str) {
        match self {
            Self::NotSigned => (
                "the request is not signed".into(),
                "sign the request: a browser doesn't, and some clients with empty credentials don't either, without a word",
            ),
            Self::SignatureLost => (
                "the request was signed, but the signature did not arrive".into(),
                "sign after the last rewriting of host and headers, follow no redirect with an old signature, and let \
                 proxies and CDNs forward Authorization and x-amz-*",
            ),
            Self::NoSuchRoute => (
                "there is no such route: path, method or stage".into(),
                "check stage, path and method letter for letter (a custom domain has no stage), and deploy the API: API \
                 Gateway answers so for every route that it doesn't have",
            ),
            Self::PreflightNeedsSignature => (
                "an OPTIONS preflight can't be signed by a browser".into(),
                "set the authorization of the route's OPTIONS method to NONE",
            ),
            Self::OtherAuthorization => (
                "the Authorization header is of another kind than AWS4-HMAC-SHA256".into(),
                "the route has AWS_IAM authorization, or doesn't exist: sign the call, or set the route's authorizer",
            ),
            Self::WhitespaceInCredentials => {
                ("the access key id or token holds white space".into(), "trim what the credentials are read from")
            }
            Self::MalformedAuthorization => (
                "the authorization lacks parts or is malformed".into(),
                "send Credential, SignedHeaders and Signature once each, with x-amz-date; don't put the header's name into \
                 its value",
            ),
            Self::TwoCredentials => (
                "header and query both carry credentials".into(),
                "remove one: a presigned URL goes without Authorization, also after a redirect",
            ),
            Self::SignatureVersion2 => {
                ("signed with Signature Version 2, where Version 4 is asked for".into(), "sign with AWS4-HMAC-SHA256")
            }
            Self::WrongSecret => (
                "the secret is not the one of this access key id".into(),
                "check the secret access key, and that it is the one of this access key id",
            ),
            Self::UnknownAccessKey => (
                "the access key id is not known there".into(),
                "check the access key id, whether it is active, and the partition; a temporary one (ASIA…) needs its token",
            ),
            Self::TokenMissing => (
                "temporary credentials without their session token".into(),
                "send the session token that came with the key: Credentials::with_session_token",
            ),
            Self::TokenExpired => ("the session token has expired".into(), "get new temporary credentials"),
            Self::TokenInvalid => (
                "the session token is not one of this access key".into(),
                "send the token that came with this very key, whole, and encoded as %2B where it has a + in a URL",
            ),
            Self::MethodChanged { signed, verified } => (
                format!("{signed} was signed, {verified} arrived").into(),
                "sign the method that is sent; after a redirect sign again",
            ),
            Self::PathUnderEncoded => (
                "the path was signed with one encoding too few".into(),
                "for all services but S3 the wire path is encoded once more (Rules::for_service)",
            ),
            Self::PathOverEncoded => (
                "the path was signed with one encoding too many".into(),
                "for S3 the path is encoded once (Rules::for_service), and a client encodes it only once",
            ),
            Self::PathNormalization => (
                "one side removes dots or double slashes from the path".into(),
                "S3 paths are never normalised, all others are (Rules::for_service)",
            ),
            Self::TrailingSlash { signed } => (
                match signed {
                    true => "the path was signed with a slash at its end and arrived without",
                    false => "the path was signed without a slash at its end and arrived with one",
                }
                .into(),
                "send the path as it was signed; a proxy or router added or removed the slash",
            ),
            Self::PathPrefix { prefix, signed } => (
                match signed {
                    true => format!("the path was signed with {prefix} and arrived without"),
                    false => format!("the path was signed without {prefix} and arrived with it"),
                }
                .into(),
                "sign the path that reaches the service: stage and base path are part of it on the API's own host name, and \
                 not behind a custom domain",
            ),
            Self::PathChanged { signed, verified } => (
                format!("the path {signed} was signed, {verified} arrived").into(),
                "sign the path that reaches the service: a proxy, stage or base path mapping rewrites it",
            ),
            Self::Mismatch => (
                "the signature is wrong".into(),
                "check the secret first; then compare what was signed (Signed::canonical_request) with what the server \
                 computed, where it says so, or what a local Verifier with echo_computed answers: Explanation::compare",
            ),
            Self::TextDiffers { line } => (format!("line {line} differs").into(), "compare the two texts at that line"),
            Self::CanonicalRequestDiffers => (
                "both sides have another canonical request".into(),
                "compare the canonical requests: Explanation::compare",
            ),
            Self::LineEnds => (
                "the lines are the same, and end differently".into(),
                "end each line but the last in one line feed; a blank line stands behind the headers, and nothing behind \
                 the last line",
            ),
            Self::HashCase => ("a hash is in upper case on one side".into(), "write hashes in lower case"),
            Self::QueryOrder => {
                ("the query parameters are sorted differently".into(), "sort by encoded name, then by encoded value")
            }
            Self::PlusForSpace => (
                "a space is + on one side and %20 on the other".into(),
                "send %20 for a space and %2B for a plus, never a bare +",
            ),
            Self::MissingEquals { name } => (
                format!("the parameter {name} has no = on one side").into(),
                "a parameter without a value is signed as name=",
            ),
            Self::EscapeCase => ("escapes are in lower case on one side".into(), "write escapes in upper case: %2F"),
            Self::QueryEncoding { name } => (
                format!("the parameter {name} is encoded twice on one side").into(),
                "encode each parameter once, on the wire as in the signature",
            ),
            Self::ParameterAdded { name } => {
                (format!("the parameter {name} arrived, and was not signed").into(), QUERY_REWRITTEN)
            }
            Self::ParameterRemoved { name } => {
                (format!("the parameter {name} was signed, and did not arrive").into(), QUERY_REWRITTEN)
            }
            Self::ParameterChanged { name, signed, verified } => {
                (format!("the parameter {name} {}", OtherValue(signed, verified)).into(), QUERY_REWRITTEN)
            }
            Self::HostChanged { signed, verified } => (
                format!("the host {signed} was signed, {verified} arrived").into(),
                "sign the host that the service sees; a server behind a proxy names it with Verifier::with_external_hosts",
            ),
            Self::PortChanged { signed, verified } => (
                format!("the host {signed} was signed, {verified} arrived: another port").into(),
                "leave a default port out of the Host header, and keep any other, on both sides",
            ),
            Self::HeaderRespaced { name } => {
                (format!("the spaces of the header {name} changed").into(), HEADER_REWRITTEN)
            }
            Self::HeaderChanged { name, signed, verified } => {
                (format!("the header {name} {}", OtherValue(signed, verified)).into(), HEADER_REWRITTEN)
            }
            Self::HeaderAdded { name } => (
                format!("the header {name} is signed on the other side only").into(),
                "sign the header, or keep it out of SignedHeaders",
            ),
            Self::HeaderRemoved { name } => (
                format!("the signed header {name} did not arrive").into(),
                "don't sign headers that a hop drops, or send the header",
            ),
            Self::HeaderOrder => (
                "the headers are sorted differently".into(),
                "sort the headers, and the names in SignedHeaders, by lower-case name",
            ),
            Self::HeaderNameCase { name } => (
                format!("the header name {name} is not in lower case").into(),
                "write header names in lower case, in SignedHeaders too",
            ),
            Self::HeaderNotJoined { name } => (
                format!("the header {name} has one line on one side, and more on the other").into(),
                "write one line a header, the values joined by a comma in the order sent",
            ),
            Self::ContentTypeCharset { signed, verified } => (
                format!("the content type differs in its charset: it {}", OtherValue(signed, verified)).into(),
                "sign the content type as the client sends it, with its charset",
            ),
            Self::UnsignedHeaders { names } => (
                format!("headers that have to be signed are not: {}", names.join(", ")).into(),
                "sign host and every x-amz-* header that is sent",
            ),
            Self::BodyChanged => (
                "the body is not the one that was signed".into(),
                "sign the bytes that are sent: hash after serialising and compressing, and send them unchanged",
            ),
            Self::BodyDropped => (
                "a body was signed, and none arrived".into(),
                "send the body that was signed; a redirect or proxy may have dropped it",
            ),
            Self::BodyNotHashed => (
                "the signature is of no body, and one arrived".into(),
                "give the body to the signer: Payload::Bytes, not Payload::EMPTY",
            ),
            Self::PayloadMode { signed, verified } => (
                format!("for the body, {} was signed and {} computed", BodyLine(signed), BodyLine(verified)).into(),
                "send in x-amz-content-sha256 what was signed, and sign what the service takes",
            ),
            Self::MalformedRequest => (
                "the path or query is malformed".into(),
                "write a % that is data as %25, and no .. that leads above the root",
            ),
            Self::RequiredHeaderMissing { name } => (
                or_else(
                    name,
                    |name| format!("the header {name} is missing"),
                    "a header that has to be there is missing",
                ),
                "send the header, and sign it if its name begins with x-amz-",
            ),
            Self::ContentSha256 => (
                "x-amz-content-sha256 is missing, or no value that the service takes".into(),
                "send x-amz-content-sha256: the hash of the body, or UNSIGNED-PAYLOAD where it is taken",
            ),
            Self::BodyFraming => (
                "the chunks of the body are incomplete or wrong".into(),
                "encode the body as x-amz-content-sha256 says, and send x-amz-decoded-content-length",
            ),
            Self::WrongRegion { expected } => (
                or_else(
                    expected,
                    |region| format!("signed for another region than {region}"),
                    "signed for another region",
                ),
                "sign for the region of the endpoint (or a set that names it: x-amz-region-set); global services (IAM, \
                 CloudFront, Route 53) are us-east-1",
            ),
            Self::WrongService { expected } => (
                or_else(
                    expected,
                    |service| format!("signed for another service than {service}"),
                    "signed for another service",
                ),
                "sign for the service's signing name, e.g. execute-api, es, bedrock, not its host name",
            ),
            Self::ScopeDate { signed, expected } => (
                match (signed, expected) {
                    (Some(signed), Some(expected)) => {
                        format!("the scope's date is {signed}, the request's in UTC is {expected}").into()
                    }
                    _ => "the scope's date is not the one of the request's time in UTC".into(),
                },
                "read the clock once, in UTC, for x-amz-date and for the scope",
            ),
            Self::ScopeMalformed => (
                "the scope is not DATE/REGION/SERVICE/aws4_request".into(),
                "write the scope as YYYYMMDD/REGION/SERVICE/aws4_request",
            ),
            Self::AlgorithmDiffers { signed, verified } => (
                format!("signed with {signed}, verified as {verified}").into(),
                "sign with the algorithm that the service takes: AWS4-HMAC-SHA256 for one region, \
                 AWS4-ECDSA-P256-SHA256 for a set of them",
            ),
            Self::ClockSkew { offset } => (
                or_else(
                    offset,
                    |offset| format!("the signer's clock is {} seconds {}", offset.unsigned_abs(), direction(*offset)),
                    "the clocks of both sides differ",
                ),
                "set the clock, or add Explanation::clock_offset to the time given to the signer; don't keep signed requests",
            ),
            Self::TimeZone { offset } => {
                let (minutes, direction) = (offset.unsigned_abs().saturating_add(30) / 60, direction(*offset));
                let (hours, minutes) = (minutes / 60, minutes % 60);

                (
                    format!(
                        "the signer's clock is {hours}:{minutes:02} hours {direction}: local time was taken for UTC"
                    )
                    .into(),
                    "write x-amz-date in UTC; the Z says so",
                )
            }
            Self::DateMalformed => {
                ("the time of the request is missing or malformed".into(), "send x-amz-date as YYYYMMDDTHHMMSSZ")
            }
            Self::PresignExpired { at } => (
                or_else(at, |at| format!("the presigned URL ended at {at}"), "the presigned URL has ended"),
                "make a new URL, or one that lives longer",
            ),
            Self::PresignLifetime => {
                ("the presigned URL's lifetime is not from 1 second to 7 days".into(), "ask for 1 to 604800 seconds")
            }
            Self::PresignOutlivedCredentials => (
                "the presigned URL ended with the credentials that signed it".into(),
                "presign with credentials that live long enough: Presigned::outlives_credentials tells beforehand",
            ),
            Self::FormPolicy => (
                "the form is not what its policy allows, or the policy is invalid".into(),
                "give each field of the form a condition in the policy, send the fields with the values that were signed, and \
                 make a new policy in time",
            ),
            Self::Redirected { location } => (
                format!("the request has to go to {location}").into(),
                "sign the request for the new host and region, and send it there",
            ),
            Self::PolicyDenies => (
                "the signature was fine; a policy denies the call".into(),
                "allow the action in the identity's policy and in the resource's; look for an explicit deny",
            ),
            Self::OtherAuthorizationExpected => (
                "the route asks for another authorization than a signature".into(),
                "look at the route's authorizer: it is not AWS_IAM, but takes a token, cookie or key",
            ),
            Self::BlockedByIntermediary => (
                "a CDN or proxy refused the request before the service saw it".into(),
                "look at what stands before the service: allowed methods, host names, forwarded headers",
            ),
            Self::ForbiddenWithoutReason => (
                "forbidden, for another reason than the signature's text".into(),
                "look at the API key (x-api-key), the firewall, the VPC endpoint of a private API, and the custom domain's \
                 mapping",
            ),
            Self::RefusedWithoutReason => (
                "refused without a reason".into(),
                "check route and signature yourself: HTTP APIs, function URLs and aoss say no more; compare with a local \
                 Verifier",
            ),
            Self::Unrelated => ("refused for another reason than its signature".into(), "see the response's own words"),
            Self::Unrecognised => {
                ("nothing recognised".into(), "see the response's own words; nothing in it speaks of a signature")
            }
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

/// The fix for each change of the query, and for each change of a header's value.
const QUERY_REWRITTEN: &str = "sign after the last change of the query; something rewrites it on the way";
const HEADER_REWRITTEN: &str = "don't sign headers that a hop rewrites, or stop the hop from it";

/// What the response tells, in a sentence, or the sentence without it.
fn or_else<T>(told: &Option<T>, sentence: impl FnOnce(&T) -> String, without: &'static str) -> Cow<'static, str> {
    told.as_ref().map_or(without.into(), |told| sentence(told).into())
}

/// Which way the signer's clock is off, by the seconds to add to it.
fn direction(offset: i64) -> &'static str {
    if offset < 0 { "fast" } else { "slow" }
}

/// The payload line of a canonical request. A hash tells a reader nothing, and is not shown.
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
            f.write_str("arrived with another value")
        } else {
            write!(f, "was signed as {signed:?} and arrived as {verified:?}")
        }
    }
}
