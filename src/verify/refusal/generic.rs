//! The services other than S3.

use alloc::borrow::Cow;
use alloc::string::ToString;

use super::{times, wrong_scope};
use crate::aws_error::{ErrorFormat, Refusal, text};
use crate::sigv4::authorization::Location;
use crate::verify::VerifyError;

/// Services other than S3 share their wording; codes and some statuses differ by protocol.
pub(super) fn refusal(error: &VerifyError, format: ErrorFormat) -> Refusal {
    let query = format == ErrorFormat::QueryXml;
    let pick = |of_json: &'static str, of_query: &'static str| if query { of_query } else { of_json };
    let (denied, malformed) = match format {
        ErrorFormat::AwsJson1_0 | ErrorFormat::AwsJson1_1 => (400, 400),
        ErrorFormat::RestJson => (403, 403),
        ErrorFormat::QueryXml | ErrorFormat::S3Xml => (403, 400),
    };
    // DynamoDB and the query services treat another scheme like a missing signature.
    let ignores_other_schemes = matches!(format, ErrorFormat::AwsJson1_0 | ErrorFormat::QueryXml);
    let incomplete = |message: Cow<'static, str>| {
        Refusal::new(format, malformed, pick("IncompleteSignatureException", "IncompleteSignature"), message)
    };
    let invalid = |message: Cow<'static, str>| {
        Refusal::new(format, denied, pick("InvalidSignatureException", "SignatureDoesNotMatch"), message)
    };
    let unknown_token = |message: &'static str| {
        Refusal::new(format, denied, pick("UnrecognizedClientException", "InvalidClientTokenId"), message)
    };
    let missing_token = || {
        let message = if ignores_other_schemes { text::REQUEST_IS_MISSING_TOKEN } else { text::MISSING_TOKEN };
        let code = pick("MissingAuthenticationTokenException", "MissingAuthenticationToken");
        Refusal::new(format, denied, code, message.text)
    };
    match error {
        VerifyError::Request(_)
        | VerifyError::HostsDiffer { .. }
        | VerifyError::DotSegments { .. }
        | VerifyError::RepeatedParameter { .. }
        | VerifyError::HeaderAndQueryDiffer { .. } => {
            Refusal::new(format, 400, pick("BadRequestException", "InvalidRequest"), error.to_string())
        }
        VerifyError::MissingAuthentication => missing_token(),
        VerifyError::BothMechanisms => invalid(text::TWO_MECHANISMS.text.into()),
        VerifyError::UnsupportedScheme { .. } if ignores_other_schemes => missing_token(),
        VerifyError::UnsupportedScheme { .. } | VerifyError::NotKeyValue => incomplete(text::not_key_value().into()),
        VerifyError::UnsupportedAlgorithm { algorithm } => incomplete(text::unsupported_algorithm(algorithm).into()),
        VerifyError::HopByHopHeader { .. }
        | VerifyError::RepeatedHeader { .. }
        | VerifyError::Repeated { .. }
        | VerifyError::UnknownParameter { .. }
        | VerifyError::TooManySignedHeaders { .. }
        | VerifyError::AuthorizationTooLong { .. } => incomplete(text::ambiguous(error).into()),
        VerifyError::MissingParameters { location: Location::Query, names } => {
            incomplete(text::query_requires_parameters(names).into())
        }
        VerifyError::MissingParameters { names, .. } => incomplete(text::header_requires_parameters(names).into()),
        VerifyError::MissingDate => incomplete(text::header_requires_date().into()),
        VerifyError::MalformedCredential { got, .. } => incomplete(text::credential_elements(got).into()),
        VerifyError::MalformedSigV4aCredential { got, .. } => incomplete(text::sigv4a_credential_elements(got).into()),
        VerifyError::MissingRegionSet { .. } => incomplete(text::REGION_SET_REQUIRED.text.into()),
        VerifyError::WrongRegionSet { got, .. } => invalid(text::region_set_region(got).into()),
        VerifyError::MalformedSignedHeaders { .. } => incomplete(text::SIGNED_HEADERS_ORDER.into()),
        VerifyError::MalformedDate { got, .. } => incomplete(text::date_format(got).into()),
        VerifyError::MalformedExpires { .. } => incomplete(text::EXPIRES_NUMBER.text.into()),
        VerifyError::ExpiresOutOfRange { limit, .. } => {
            incomplete(text::expires_must_be(format_args!("from 1 to {} seconds", limit.as_secs())).into())
        }
        VerifyError::MissingContentSha256 => invalid(text::CONTENT_SHA256_REQUIRED.text.into()),
        VerifyError::InvalidContentSha256 { .. } => invalid(text::CONTENT_SHA256_INVALID.text.into()),
        VerifyError::HeadersNotSigned { names } => invalid(text::headers_must_be_signed(names).into()),
        VerifyError::SignedHeaderAbsent { name } => incomplete(text::signed_header_absent(name).into()),
        VerifyError::Expired { signed, now, allowed }
        | VerifyError::PresignExpired { signed, now, expires_in: allowed } => {
            invalid(times::expired(*signed, *now, *allowed).into())
        }
        VerifyError::NotYetCurrent { signed, now, allowed, .. } => {
            invalid(times::not_yet_current(*signed, *now, *allowed).into())
        }
        VerifyError::WrongScope { got, expected, signed, .. } => {
            invalid(wrong_scope::generic(got, expected, *signed).into())
        }
        VerifyError::UnknownAccessKey { .. } => unknown_token(text::SECURITY_TOKEN_INVALID.text),
        VerifyError::InvalidSessionToken { .. } => unknown_token(text::SECURITY_TOKEN_INVALID.known),
        VerifyError::ExpiredSessionToken { .. } => {
            Refusal::new(format, denied, pick("ExpiredTokenException", "ExpiredToken"), text::TOKEN_EXPIRED)
        }
        VerifyError::SignatureMismatch { computed: Some(computed) } => {
            invalid(text::mismatch_with(computed.canonical_request(), computed.string_to_sign()).into())
        }
        VerifyError::MalformedSignature
        | VerifyError::MalformedSigV4aSignature
        | VerifyError::SignatureMismatch { computed: None } => invalid(text::MISMATCH.text.into()),
        VerifyError::BodyMismatch { signed, computed } => invalid(text::payload_hash(signed, computed).into()),
        VerifyError::BodyNeeded | VerifyError::BodyIsStreamed { .. } => Refusal::internal(format),
    }
}
