//! S3.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::fmt::Write;

use super::times::later;
use super::wrong_scope;
use crate::aws_error::{ErrorFormat, Refusal, text};
use crate::sigv4::authorization::Location;
use crate::verify::VerifyError;

pub(super) fn refusal(error: &VerifyError) -> Refusal {
    match error {
        VerifyError::Request(_)
        | VerifyError::HostsDiffer { .. }
        | VerifyError::DotSegments { .. }
        | VerifyError::HopByHopHeader { .. }
        | VerifyError::RepeatedHeader { .. }
        | VerifyError::RepeatedParameter { .. }
        | VerifyError::HeaderAndQueryDiffer { .. } => answer(400, "InvalidRequest", error.to_string()),
        VerifyError::MissingAuthentication => answer(403, "AccessDenied", text::ACCESS_DENIED.text),
        VerifyError::BothMechanisms => answer(400, "InvalidArgument", text::S3_TWO_MECHANISMS.text),
        VerifyError::UnsupportedScheme { scheme } if scheme == "AWS" => {
            answer(400, "InvalidRequest", text::UNSUPPORTED_MECHANISM.text)
        }
        VerifyError::UnsupportedScheme { .. } => answer(400, "InvalidArgument", text::UNSUPPORTED_TYPE.text),
        VerifyError::UnsupportedAlgorithm { .. } => answer(400, "InvalidRequest", text::UNSUPPORTED_MECHANISM.text),
        VerifyError::Repeated { name } => answer(400, "InvalidArgument", text::given_twice(name)),
        VerifyError::NotKeyValue => malformed_header(text::THREE_COMPONENTS.text),
        VerifyError::UnknownParameter { name } => malformed_header(&text::component_malformed(name)),
        VerifyError::AuthorizationTooLong { .. } | VerifyError::TooManySignedHeaders { .. } => {
            malformed_header(text::TOO_LONG)
        }
        VerifyError::MissingParameters { location: Location::Query, .. } => {
            malformed_query(text::QUERY_PARAMETERS.text)
        }
        VerifyError::MissingParameters { names, .. } => {
            let name = names.first().copied().unwrap_or_default();
            answer(400, "AuthorizationHeaderMalformed", text::header_lacks(name))
        }
        VerifyError::MalformedCredential { location, .. } => {
            malformed_credential(*location, text::MALFORMED_CREDENTIAL.text)
        }
        VerifyError::MalformedSigV4aCredential { location, .. } => {
            malformed_credential(*location, text::MALFORMED_SIGV4A_CREDENTIAL.text)
        }
        VerifyError::MissingRegionSet { .. } => answer(400, "InvalidRequest", text::REGION_SET_HEADER_REQUIRED.text),
        VerifyError::WrongRegionSet { got, regions } => {
            let region = regions.first().cloned().unwrap_or_default();
            answer(400, "RegionSetMismatch", text::REGION_SET_MISMATCH.text)
                .with("RequestedRegion", region)
                .with("RegionSet", got.clone())
        }
        VerifyError::MalformedSignedHeaders { location: Location::Query } => {
            malformed_query(text::SIGNED_HEADERS_PARAMETER_ORDER)
        }
        VerifyError::MalformedSignedHeaders { .. } => malformed_header(&text::component_malformed("SignedHeaders")),
        VerifyError::MalformedDate { location: Location::Query, .. } => malformed_query(text::DATE_FORMAT.text),
        VerifyError::MissingDate | VerifyError::MalformedDate { .. } => {
            answer(403, "AccessDenied", text::DATE_REQUIRED.text)
        }
        VerifyError::MalformedExpires { got } => {
            let negative = got.strip_prefix('-').is_some_and(|n| n.bytes().all(|byte| byte.is_ascii_digit()));
            match negative {
                true => malformed_query(text::expires_must_be("non-negative")),
                false => malformed_query(text::EXPIRES_NUMBER.text),
            }
        }
        VerifyError::ExpiresOutOfRange { seconds: 0, .. } => {
            malformed_query(text::expires_must_be("at least one second"))
        }
        VerifyError::ExpiresOutOfRange { limit, .. } if limit.as_secs() == 604_800 => {
            malformed_query(text::expires_must_be(
                "less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
            ))
        }
        VerifyError::ExpiresOutOfRange { limit, .. } => {
            malformed_query(text::expires_must_be(format_args!("at most {} seconds", limit.as_secs())))
        }
        VerifyError::MissingContentSha256 => answer(400, "InvalidRequest", text::CONTENT_SHA256_REQUIRED.text),
        VerifyError::InvalidContentSha256 { .. } => {
            answer(400, "InvalidArgument", text::S3_CONTENT_SHA256_INVALID.text)
        }
        VerifyError::HeadersNotSigned { names } => {
            answer(403, "AccessDenied", text::HEADERS_NOT_SIGNED.text).with("HeadersNotSigned", names.join(", "))
        }
        VerifyError::PresignExpired { signed, now, expires_in } => answer(403, "AccessDenied", text::EXPIRED.text)
            .with("X-Amz-Expires", expires_in.as_secs().to_string())
            .with("Expires", later(*signed, *expires_in).extended())
            .with("ServerTime", now.extended()),
        VerifyError::NotYetCurrent { location: Location::Query | Location::Form, .. } => {
            answer(403, "AccessDenied", text::NOT_YET_VALID.text)
        }
        VerifyError::Expired { signed, now, allowed } | VerifyError::NotYetCurrent { signed, now, allowed, .. } => {
            answer(403, "RequestTimeTooSkewed", text::SKEWED)
                .with("RequestTime", signed.to_string())
                .with("ServerTime", now.extended())
                .with("MaxAllowedSkewMilliseconds", allowed.as_millis().to_string())
        }
        VerifyError::WrongScope { location, got, expected, signed } => {
            let (in_header, in_query) = wrong_scope::s3(got, expected, *signed);
            let refusal =
                if *location == Location::Query { malformed_query(in_query) } else { malformed_header(&in_header) };
            match wrong_scope::expected_region(got, expected) {
                Some(region) => refusal.with("Region", region),
                None => refusal,
            }
        }
        VerifyError::UnknownAccessKey { access_key_id } => {
            answer(403, "InvalidAccessKeyId", text::UNKNOWN_KEY.text).with("AWSAccessKeyId", access_key_id.clone())
        }
        VerifyError::InvalidSessionToken { .. } => answer(400, "InvalidToken", text::TOKEN_MALFORMED.text),
        VerifyError::ExpiredSessionToken { .. } => answer(400, "ExpiredToken", text::S3_TOKEN_EXPIRED),
        VerifyError::SignatureMismatch { computed: Some(computed) } => {
            let (canonical_request, string_to_sign) = (computed.canonical_request(), computed.string_to_sign());
            mismatch()
                .with("StringToSign", string_to_sign.into())
                .with("StringToSignBytes", spaced_hex(string_to_sign))
                .with("CanonicalRequest", canonical_request.into())
                .with("CanonicalRequestBytes", spaced_hex(canonical_request))
        }
        VerifyError::MalformedSignature
        | VerifyError::MalformedSigV4aSignature
        | VerifyError::SignatureMismatch { computed: None } => mismatch(),
        // S3's message does not name the header, but the client needs to know it.
        VerifyError::SignedHeaderAbsent { name } => mismatch().with("MissingHeaderName", name.clone()),
        VerifyError::BodyMismatch { signed, computed } => {
            answer(400, "XAmzContentSHA256Mismatch", text::CONTENT_SHA256_MISMATCH.text)
                .with("ClientComputedContentSHA256", signed.clone())
                .with("S3ComputedContentSHA256", computed.clone())
        }
        VerifyError::BodyNeeded | VerifyError::BodyIsStreamed { .. } => Refusal::internal(ErrorFormat::S3Xml),
    }
}

fn answer(status: u16, code: &'static str, message: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(ErrorFormat::S3Xml, status, code, message)
}

fn malformed_header(problem: &str) -> Refusal {
    answer(400, "AuthorizationHeaderMalformed", text::header_malformed(problem))
}

fn malformed_query(message: impl Into<Cow<'static, str>>) -> Refusal {
    answer(400, "AuthorizationQueryParametersError", message)
}

fn malformed_credential(location: Location, problem: &str) -> Refusal {
    if location == Location::Query {
        malformed_query(text::credential_parameter(problem))
    } else {
        malformed_header(problem)
    }
}

fn mismatch() -> Refusal {
    answer(403, "SignatureDoesNotMatch", text::S3_MISMATCH.text)
}

/// Bytes as S3 shows them: `47 45 54`.
fn spaced_hex(text: &str) -> String {
    let mut hex = String::with_capacity(3 * text.len());
    for byte in text.bytes() {
        let separator = if hex.is_empty() { "" } else { " " };
        let _ = write!(hex, "{separator}{byte:02x}");
    }
    hex
}
