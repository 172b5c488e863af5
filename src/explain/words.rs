//! Each cause, and what mends it, in words.

use core::fmt;

use super::cause::Cause;

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSigned => f.write_str("the request is not signed"),
            Self::SignatureLost => f.write_str("the request was signed, but the signature did not arrive"),
            Self::NoSuchRoute => f.write_str("there is no such route: path, method or stage"),
            Self::PreflightNeedsSignature => f.write_str("an OPTIONS preflight can't be signed by a browser"),
            Self::OtherAuthorization => {
                f.write_str("the Authorization header is of another kind than AWS4-HMAC-SHA256")
            }
            Self::WhitespaceInCredentials => f.write_str("the access key id or token holds white space"),
            Self::MalformedAuthorization => f.write_str("the authorization lacks parts or is malformed"),
            Self::TwoCredentials => f.write_str("header and query both carry credentials"),
            Self::SignatureVersion2 => f.write_str("signed with Signature Version 2, where Version 4 is asked for"),
            Self::WrongSecret => f.write_str("the secret is not the one of this access key id"),
            Self::UnknownAccessKey => f.write_str("the access key id is not known there"),
            Self::TokenMissing => f.write_str("temporary credentials without their session token"),
            Self::TokenExpired => f.write_str("the session token has expired"),
            Self::TokenInvalid => f.write_str("the session token is not one of this access key"),
            Self::MethodChanged { signed, verified } => write!(f, "{signed} was signed, {verified} arrived"),
            Self::PathEncodedTooRarely => f.write_str("the path was signed with one encoding too few"),
            Self::PathEncodedTooOften => f.write_str("the path was signed with one encoding too many"),
            Self::PathNormalization => f.write_str("one side removes dots or double slashes from the path"),
            Self::TrailingSlash { signed: true } => {
                f.write_str("the path was signed with a slash at its end and arrived without")
            }
            Self::TrailingSlash { signed: false } => {
                f.write_str("the path was signed without a slash at its end and arrived with one")
            }
            Self::PathPrefix { prefix, signed: true } => {
                write!(f, "the path was signed with {prefix} and arrived without")
            }
            Self::PathPrefix { prefix, signed: false } => {
                write!(f, "the path was signed without {prefix} and arrived with it")
            }
            Self::Mismatch => f.write_str("the signature is wrong"),
            Self::TextDiffers { line } => write!(f, "line {line} differs"),
            Self::CanonicalRequestDiffers => f.write_str("both sides have another canonical request"),
            Self::LineEnds => f.write_str("the lines are the same, and end differently"),
            Self::HashCase => f.write_str("a hash is in upper case on one side"),
            Self::PathChanged { signed, verified } => write!(f, "the path {signed} was signed, {verified} arrived"),
            Self::QueryOrder => f.write_str("the query parameters are sorted differently"),
            Self::PlusForSpace => f.write_str("a space is + on one side and %20 on the other"),
            Self::MissingEquals { name } => write!(f, "the parameter {name} has no = on one side"),
            Self::EscapeCase => f.write_str("escapes are in lower case on one side"),
            Self::QueryEncoding { name } => write!(f, "the parameter {name} is encoded twice on one side"),
            Self::ParameterAdded { name } => write!(f, "the parameter {name} arrived, and was not signed"),
            Self::ParameterRemoved { name } => write!(f, "the parameter {name} was signed, and did not arrive"),
            Self::ParameterChanged { name, signed, verified } => {
                write!(f, "the parameter {name} {}", OtherValue(signed, verified))
            }
            Self::HostChanged { signed, verified } => write!(f, "the host {signed} was signed, {verified} arrived"),
            Self::PortChanged { signed, verified } => {
                write!(f, "the host {signed} was signed, {verified} arrived: another port")
            }
            Self::HeaderRespaced { name } => write!(f, "the spaces of the header {name} changed"),
            Self::HeaderChanged { name, signed, verified } => {
                write!(f, "the header {name} {}", OtherValue(signed, verified))
            }
            Self::HeaderAdded { name } => write!(f, "the header {name} is signed on the other side only"),
            Self::HeaderRemoved { name } => write!(f, "the signed header {name} did not arrive"),
            Self::HeaderOrder => f.write_str("the headers are sorted differently"),
            Self::HeaderNameCase { name } => write!(f, "the header name {name} is not in lower case"),
            Self::HeaderNotJoined { name } => {
                write!(f, "the header {name} has one line on one side, and more on the other")
            }
            Self::ContentTypeCharset { signed, verified } => {
                write!(f, "the content type differs in its charset: it {}", OtherValue(signed, verified))
            }
            Self::UnsignedHeaders { names } => {
                write!(f, "headers that have to be signed are not: {}", names.join(", "))
            }
            Self::BodyChanged => f.write_str("the body is not the one that was signed"),
            Self::BodyDropped => f.write_str("a body was signed, and none arrived"),
            Self::BodyNotHashed => f.write_str("the signature is of no body, and one arrived"),
            Self::PayloadMode { signed, verified } => {
                write!(f, "for the body, {} was signed and {} computed", BodyLine(signed), BodyLine(verified))
            }
            Self::MalformedRequest => f.write_str("the path or query is malformed"),
            Self::RequiredHeaderMissing { name: Some(name) } => write!(f, "the header {name} is missing"),
            Self::RequiredHeaderMissing { name: None } => f.write_str("a header that has to be there is missing"),
            Self::ContentSha256 => f.write_str("x-amz-content-sha256 is missing, or no value that the service takes"),
            Self::BodyFraming => f.write_str("the frames of the body are incomplete or wrong"),
            Self::WrongRegion { expected: Some(region) } => write!(f, "signed for another region than {region}"),
            Self::WrongRegion { expected: None } => f.write_str("signed for another region"),
            Self::WrongService { expected: Some(service) } => write!(f, "signed for another service than {service}"),
            Self::WrongService { expected: None } => f.write_str("signed for another service"),
            Self::ScopeDate { signed: Some(signed), expected: Some(expected) } => {
                write!(f, "the scope's date is {signed}, the request's in UTC is {expected}")
            }
            Self::ScopeDate { .. } => f.write_str("the scope's date is not the one of the request's time in UTC"),
            Self::ScopeMalformed => f.write_str("the scope is not DATE/REGION/SERVICE/aws4_request"),
            Self::AlgorithmDiffers { signed, verified } => write!(f, "signed with {signed}, verified as {verified}"),
            Self::ClockSkew { offset: Some(offset) } => {
                write!(f, "the signer's clock is {} seconds {}", offset.unsigned_abs(), direction(*offset))
            }
            Self::ClockSkew { offset: None } => f.write_str("the clocks of both sides differ"),
            Self::TimeZone { offset } => {
                let (minutes, direction) = (offset.unsigned_abs().saturating_add(30) / 60, direction(*offset));
                let (hours, minutes) = (minutes / 60, minutes % 60);
                write!(f, "the signer's clock is {hours}:{minutes:02} hours {direction}: local time was taken for UTC")
            }
            Self::DateMalformed => f.write_str("the time of the request is missing or malformed"),
            Self::PresignExpired { at: Some(at) } => write!(f, "the presigned URL ended at {at}"),
            Self::PresignExpired { at: None } => f.write_str("the presigned URL has ended"),
            Self::PresignLifetime => f.write_str("the presigned URL's lifetime is not from 1 second to 7 days"),
            Self::PresignOutlivedCredentials => {
                f.write_str("the presigned URL ended with the credentials that signed it")
            }
            Self::FormPolicy => f.write_str("the form is not what its policy allows, or the policy is no good"),
            Self::Redirected { location } => write!(f, "the request has to go to {location}"),
            Self::PolicyDenies => f.write_str("the signature was fine; a policy denies the call"),
            Self::OtherAuthorizationExpected => {
                f.write_str("the route asks for another authorization than a signature")
            }
            Self::RefusedOnTheWay => f.write_str("a CDN or proxy refused the request before the service saw it"),
            Self::ForbiddenWithoutReason => f.write_str("forbidden, for another reason than the signature's text"),
            Self::RefusedWithoutReason => f.write_str("refused without a reason"),
            Self::NotAboutSignature => f.write_str("refused for another reason than its signature"),
            Self::Unrecognised => f.write_str("nothing recognised"),
        }
    }
}

/// Which way the signer's clock is off, by the seconds to add to it.
fn direction(offset: i64) -> &'static str {
    if offset < 0 { "fast" } else { "slow" }
}

/// What stands for the body; nobody reads a hash.
struct BodyLine<'a>(&'a str);

impl fmt::Display for BodyLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => f.write_str("nothing"),
            hash if hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) => f.write_str("a hash"),
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

impl Cause {
    pub(super) fn fix(&self) -> &'static str {
        match self {
            Self::NotSigned => {
                "sign the request: a browser doesn't, and some clients with empty credentials don't either, without a word"
            }
            Self::SignatureLost => {
                "sign after the last rewriting of host and headers, follow no redirect with an old signature, and let \
                 proxies and CDNs forward Authorization and x-amz-*"
            }
            Self::NoSuchRoute => {
                "check stage, path and method letter for letter (a custom domain has no stage), and deploy the API: API \
                 Gateway answers so for every route that it doesn't have"
            }
            Self::PreflightNeedsSignature => "set the authorization of the route's OPTIONS method to NONE",
            Self::OtherAuthorization => {
                "the route has AWS_IAM authorization, or doesn't exist: sign the call, or set the route's authorizer"
            }
            Self::WhitespaceInCredentials => "trim what the credentials are read from",
            Self::MalformedAuthorization => {
                "send Credential, SignedHeaders and Signature once each, with x-amz-date; don't put the header's name into \
                 its value"
            }
            Self::TwoCredentials => "remove one: a presigned URL goes without Authorization, also after a redirect",
            Self::SignatureVersion2 => "sign with AWS4-HMAC-SHA256",
            Self::WrongSecret => "check the secret access key, and that it is the one of this access key id",
            Self::UnknownAccessKey => {
                "check the access key id, whether it is active, and the partition; a temporary one (ASIA…) needs its token"
            }
            Self::TokenMissing => "send the session token that came with the key: Credentials::with_session_token",
            Self::TokenExpired => "get new temporary credentials",
            Self::TokenInvalid => {
                "send the token that came with this very key, whole, and encoded as %2B where it has a + in a URL"
            }
            Self::MethodChanged { .. } => "sign the method that is sent; after a redirect sign again",
            Self::PathEncodedTooRarely => {
                "for all services but S3 the wire path is encoded once more (Rules::for_service)"
            }
            Self::PathEncodedTooOften => {
                "for S3 the path is encoded once (Rules::for_service), and a client encodes it only once"
            }
            Self::PathNormalization => "S3 paths are never normalised, all others are (Rules::for_service)",
            Self::TrailingSlash { .. } => {
                "send the path as it was signed; a proxy or router added or removed the slash"
            }
            Self::PathPrefix { .. } => {
                "sign the path that reaches the service: stage and base path are part of it on the API's own host name, and \
                 not behind a custom domain"
            }
            Self::Mismatch => {
                "check the secret first; then compare what was signed (Signed::canonical_request) with what the server \
                 computed, where it says so, or what a local Verifier with echo_computed answers: Explanation::between"
            }
            Self::CanonicalRequestDiffers => "compare the canonical requests: Explanation::between",
            Self::LineEnds => {
                "end each line but the last in one line feed; a blank line stands behind the headers, and nothing behind \
                 the last line"
            }
            Self::HashCase => "write hashes in lower case",
            Self::TextDiffers { .. } => "compare the two texts at that line",
            Self::PathChanged { .. } => {
                "sign the path that reaches the service: a proxy, stage or base path mapping rewrites it"
            }
            Self::QueryOrder => "sort by encoded name, then by encoded value",
            Self::PlusForSpace => "send %20 for a space and %2B for a plus, never a bare +",
            Self::MissingEquals { .. } => "a parameter without a value is signed as name=",
            Self::EscapeCase => "write escapes in upper case: %2F",
            Self::QueryEncoding { .. } => "encode each parameter once, on the wire as in the signature",
            Self::ParameterAdded { .. } | Self::ParameterRemoved { .. } | Self::ParameterChanged { .. } => {
                "sign after the last change of the query; something rewrites it on the way"
            }
            Self::HostChanged { .. } => {
                "sign the host that the service sees; a server behind a proxy names it with Verifier::with_external_hosts"
            }
            Self::PortChanged { .. } => {
                "leave a default port out of the Host header, and keep any other, on both sides"
            }
            Self::HeaderRespaced { .. } | Self::HeaderChanged { .. } => {
                "don't sign headers that a hop rewrites, or stop the hop from it"
            }
            Self::HeaderAdded { .. } => "sign the header, or keep it out of SignedHeaders",
            Self::HeaderRemoved { .. } => "don't sign headers that a hop drops, or send the header",
            Self::HeaderOrder => "sort the headers, and the names in SignedHeaders, by lower-case name",
            Self::HeaderNameCase { .. } => "write header names in lower case, in SignedHeaders too",
            Self::HeaderNotJoined { .. } => "write one line a header, the values joined by a comma in the order sent",
            Self::ContentTypeCharset { .. } => "sign the content type as the client sends it, with its charset",
            Self::UnsignedHeaders { .. } => "sign host and every x-amz-* header that is sent",
            Self::BodyChanged => {
                "sign the bytes that are sent: hash after serialising and compressing, and send them unchanged"
            }
            Self::BodyDropped => "send the body that was signed; a redirect or proxy may have dropped it",
            Self::BodyNotHashed => "give the body to the signer: Payload::Bytes, not Payload::EMPTY",
            Self::PayloadMode { .. } => "send in x-amz-content-sha256 what was signed, and sign what the service takes",
            Self::MalformedRequest => "write a % that is data as %25, and no .. that leads above the root",
            Self::RequiredHeaderMissing { .. } => "send the header, and sign it if its name begins with x-amz-",
            Self::ContentSha256 => {
                "send x-amz-content-sha256: the hash of the body, or UNSIGNED-PAYLOAD where it is taken"
            }
            Self::BodyFraming => "frame the body as x-amz-content-sha256 says, and send x-amz-decoded-content-length",
            Self::WrongRegion { .. } => {
                "sign for the region of the endpoint (or a set that names it: x-amz-region-set); global services (IAM, \
                 CloudFront, Route 53) are us-east-1"
            }
            Self::WrongService { .. } => {
                "sign for the service's signing name, e.g. execute-api, es, bedrock, not its host name"
            }
            Self::ScopeDate { .. } => "read the clock once, in UTC, for x-amz-date and for the scope",
            Self::ScopeMalformed => "write the scope as YYYYMMDD/REGION/SERVICE/aws4_request",
            Self::AlgorithmDiffers { .. } => {
                "sign with the algorithm that the service takes: AWS4-HMAC-SHA256 for one region, \
                 AWS4-ECDSA-P256-SHA256 for a set of them"
            }
            Self::ClockSkew { .. } => {
                "set the clock, or add Explanation::clock_offset to the time given to the signer; don't keep signed requests"
            }
            Self::TimeZone { .. } => "write x-amz-date in UTC; the Z says so",
            Self::DateMalformed => "send x-amz-date as YYYYMMDDTHHMMSSZ",
            Self::PresignExpired { .. } => "make a new URL, or one that lives longer",
            Self::PresignLifetime => "ask for 1 to 604800 seconds",
            Self::PresignOutlivedCredentials => {
                "presign with credentials that live long enough: Presigned::outlives_credentials tells beforehand"
            }
            Self::FormPolicy => {
                "give each field of the form a condition in the policy, send the fields with the values that were signed, and \
                 make a new policy in time"
            }
            Self::Redirected { .. } => "sign the request for the new host and region, and send it there",
            Self::PolicyDenies => {
                "allow the action in the identity's policy and in the resource's; look for an explicit deny"
            }
            Self::OtherAuthorizationExpected => {
                "look at the route's authorizer: it is no AWS_IAM, but takes a token, cookie or key"
            }
            Self::RefusedOnTheWay => {
                "look at what stands before the service: allowed methods, host names, forwarded headers"
            }
            Self::ForbiddenWithoutReason => {
                "look at the API key (x-api-key), the firewall, the VPC endpoint of a private API, and the custom domain's \
                 mapping"
            }
            Self::RefusedWithoutReason => {
                "check route and signature yourself: HTTP APIs, function URLs and aoss say no more; compare with a local \
                 Verifier"
            }
            Self::NotAboutSignature => "see the response's own words",
            Self::Unrecognised => "see the response's own words; nothing in it speaks of a signature",
        }
    }
}
