//! The services other than S3.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use core::fmt::Write;

use super::scope_parts::ScopeParts;
use super::times::{signature_expired, signature_not_yet_current};
use crate::aws_error::{Dialect, Refusal};
use crate::verify::VerifyError;

const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS \
                        Secret Access Key and signing method. Consult the service documentation for details.";

/// The services other than S3 share their texts; codes and some statuses differ by protocol.
pub(super) fn refusal(error: &VerifyError, dialect: Dialect) -> Refusal {
    let json = dialect == Dialect::RestJson;
    let pick = |of_json: &'static str, of_xml: &'static str| if json { of_json } else { of_xml };
    let incomplete = |message: Cow<'static, str>| {
        let status = if json { 403 } else { 400 };
        Refusal::new(dialect, status, pick("IncompleteSignatureException", "IncompleteSignature"), message)
    };
    let invalid = |message: Cow<'static, str>| {
        Refusal::new(dialect, 403, pick("InvalidSignatureException", "SignatureDoesNotMatch"), message)
    };
    let unknown_token = |message: &'static str| {
        Refusal::new(dialect, 403, pick("UnrecognizedClientException", "InvalidClientTokenId"), message.into())
    };
    match error {
        VerifyError::Request(request) => {
            Refusal::new(dialect, 400, pick("BadRequestException", "InvalidRequest"), request.to_string().into())
        }
        VerifyError::MissingAuthentication => Refusal::new(dialect,
            403,
            pick("MissingAuthenticationTokenException", "MissingAuthenticationToken"),
            pick("Missing Authentication Token", "Request is missing Authentication Token").into(),
        ),
        VerifyError::BothMechanisms => {
            invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.".into())
        }
        VerifyError::UnsupportedScheme { .. } if !json => {
            Refusal::new(dialect, 403, "MissingAuthenticationToken", "Request is missing Authentication Token".into())
        }
        // What AWS shows here is the header, which may hold a token.
        VerifyError::UnsupportedScheme { .. } | VerifyError::NotKeyValue => incomplete(
            "'[redacted]' not a valid key=value pair (missing equal-sign) in Authorization header: '[redacted]'."
                .into(),
        ),
        VerifyError::UnsupportedAlgorithm { algorithm } => incomplete(
            alloc::format!("Unsupported AWS 'algorithm': '{algorithm}' (only AWS4-HMAC-SHA256 for now). ").into(),
        ),
        VerifyError::Repeated { .. }
        | VerifyError::UnknownParameter { .. }
        | VerifyError::TooManySignedHeaders { .. }
        | VerifyError::AuthorizationTooLong { .. } => {
            incomplete(alloc::format!("Authorization is ambiguous or malformed: {error}.").into())
        }
        VerifyError::MissingParameters { presigned: true, names } => {
            let mut text = String::new();
            for name in names {
                let _ = write!(text, "AWS query-string parameters must include '{name}'. ");
            }
            text.push_str("Re-examine the query-string parameters.");
            incomplete(text.into())
        }
        VerifyError::MissingParameters { presigned: false, names } => {
            let mut text = String::new();
            for name in names {
                let _ = write!(text, "Authorization header requires '{name}' parameter. ");
            }
            text.push_str("Authorization=[redacted]");
            incomplete(text.into())
        }
        VerifyError::MissingDate => incomplete(
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. \
             Authorization=[redacted]"
                .into(),
        ),
        VerifyError::MalformedCredential { got, .. } => incomplete(
            alloc::format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
                 got '{got}'"
            )
            .into(),
        ),
        VerifyError::MalformedSigV4aCredential { got, .. } => incomplete(
            alloc::format!(
                "Credential must have exactly 4 slash-delimited elements, e.g. keyid/date/service/term, got '{got}'"
            )
            .into(),
        ),
        VerifyError::MissingRegionSet { .. } => {
            incomplete("Authorization with AWS4-ECDSA-P256-SHA256 requires 'X-Amz-Region-Set'.".into())
        }
        VerifyError::WrongRegionSet { got, .. } => {
            invalid(alloc::format!("X-Amz-Region-Set should name a valid region, not '{got}'. ").into())
        }
        VerifyError::MalformedSigV4aSignature => invalid(MISMATCH.into()),
        VerifyError::MalformedSignedHeaders { .. } => {
            incomplete("SignedHeaders must be lower-case header names in ascending order, each once.".into())
        }
        VerifyError::MalformedDate { got, .. } => incomplete(
            alloc::format!(
                "Date must be in ISO-8601 'basic format'. Got '{got}'. See http://en.wikipedia.org/wiki/ISO_8601"
            )
            .into(),
        ),
        VerifyError::MalformedExpires { .. } => incomplete("X-Amz-Expires should be a number".into()),
        VerifyError::ExpiresOutOfRange { limit, .. } => {
            incomplete(alloc::format!("X-Amz-Expires must be from 1 to {} seconds", limit.as_secs()).into())
        }
        VerifyError::MissingContentSha256 => {
            invalid("Missing required header for this request: x-amz-content-sha256".into())
        }
        VerifyError::InvalidContentSha256 { .. } => {
            invalid("The value of x-amz-content-sha256 header is invalid.".into())
        }
        VerifyError::HeadersNotSigned { names } => {
            let mut text = String::new();
            for (index, name) in names.iter().enumerate() {
                let separator = if index > 0 { " " } else { "" };
                let name = if name == "host" { "'Host' or ':authority'" } else { &alloc::format!("'{name}'") };
                let _ = write!(text, "{separator}{name} must be a 'SignedHeader' in the AWS Authorization.");
            }
            invalid(text.into())
        }
        VerifyError::SignedHeaderAbsent { name } => incomplete(
            alloc::format!("'{name}' is named as a SignedHeader, but it does not exist in the HTTP request.").into(),
        ),
        VerifyError::Expired { signed, now, allowed } => invalid(signature_expired(*signed, *now, *allowed).into()),
        VerifyError::PresignExpired { signed, now, lifetime } => {
            invalid(signature_expired(*signed, *now, *lifetime).into())
        }
        VerifyError::NotYetCurrent { signed, now, allowed, .. } => {
            invalid(signature_not_yet_current(*signed, *now, *allowed).into())
        }
        VerifyError::WrongScope { got, expected, signed, .. } => {
            invalid(ScopeParts::of(got, expected).generic(*signed).into())
        }
        VerifyError::UnknownAccessKey { .. } => unknown_token("The security token included in the request is invalid."),
        VerifyError::InvalidSessionToken { .. } => {
            unknown_token("The security token included in the request is invalid")
        }
        VerifyError::ExpiredSessionToken { .. } => Refusal::new(dialect,
            403,
            pick("ExpiredTokenException", "ExpiredToken"),
            "The security token included in the request is expired".into(),
        ),
        VerifyError::SignatureMismatch { computed: Some(computed) } => invalid(
            alloc::format!(
                "{MISMATCH}\n\nThe Canonical String for this request should have been\n'{}'\n\nThe String-to-Sign should \
                 have been\n'{}'\n",
                computed.canonical_request(),
                computed.string_to_sign()
            )
            .into(),
        ),
        VerifyError::MalformedSignature | VerifyError::SignatureMismatch { computed: None } => invalid(MISMATCH.into()),
        // In Glacier's words.
        VerifyError::BodyMismatch { signed, computed } => invalid(
            alloc::format!(
                "The value passed in as x-amz-content-sha256 does not match the computed payload hash. Computed digest: \
                 {computed} expected hash: {signed}"
            )
            .into(),
        ),
        #[cfg(feature = "post-policy")]
        VerifyError::Policy(error) => crate::post_policy::refusal(error, dialect),
        #[cfg(feature = "streaming")]
        VerifyError::Chunk(error) => {
            let (status, code, message) = error.answer();
            if status == 403 { invalid(MISMATCH.into()) } else { Refusal::new(dialect, status, code, message.into()) }
        }
        #[cfg(feature = "streaming")]
        VerifyError::NotChunked => internal_failure(dialect),
        VerifyError::BodyNeeded | VerifyError::BodyIsStreamed { .. } => internal_failure(dialect),
    }
}

fn internal_failure(dialect: Dialect) -> Refusal {
    Refusal::new(dialect, 500, "InternalFailure", "Internal failure".into())
}
