//! S3.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::scope_parts::ScopeParts;
use super::times::later;
use crate::aws_error::{Dialect, Refusal};
use crate::verify::VerifyError;

pub(super) fn refusal(error: &VerifyError) -> Refusal {
    let malformed = |presigned: bool, in_header: &str, in_query: &str| {
        if presigned {
            Refusal::new(Dialect::S3Xml, 400, "AuthorizationQueryParametersError", String::from(in_query).into())
        } else {
            let message = alloc::format!("The authorization header is malformed; {in_header}");
            Refusal::new(Dialect::S3Xml, 400, "AuthorizationHeaderMalformed", message.into())
        }
    };
    let query_error =
        |message: Cow<'static, str>| Refusal::new(Dialect::S3Xml, 400, "AuthorizationQueryParametersError", message);
    match error {
        VerifyError::Request(request) => {
            Refusal::new(Dialect::S3Xml, 400, "InvalidRequest", request.to_string().into())
        }
        VerifyError::MissingAuthentication => Refusal::new(Dialect::S3Xml, 403, "AccessDenied", "Access Denied".into()),
        VerifyError::BothMechanisms => Refusal::new(
            Dialect::S3Xml,
            400,
            "InvalidArgument",
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string \
             parameter or the Authorization header should be specified"
                .into(),
        ),
        VerifyError::UnsupportedScheme { scheme } if scheme == "AWS" => Refusal::new(
            Dialect::S3Xml,
            400,
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.".into(),
        ),
        VerifyError::UnsupportedScheme { .. } => {
            Refusal::new(Dialect::S3Xml, 400, "InvalidArgument", "Unsupported Authorization Type".into())
        }
        VerifyError::UnsupportedAlgorithm { .. } => Refusal::new(
            Dialect::S3Xml,
            400,
            "InvalidRequest",
            "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.".into(),
        ),
        VerifyError::Repeated { name } => {
            Refusal::new(Dialect::S3Xml, 400, "InvalidArgument", alloc::format!("{name} may be given only once").into())
        }
        VerifyError::NotKeyValue => malformed(
            false,
            "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
            "",
        ),
        VerifyError::UnknownParameter { name } => {
            malformed(false, &alloc::format!("the authorization component \"{name}\" is malformed."), "")
        }
        VerifyError::AuthorizationTooLong { .. } | VerifyError::TooManySignedHeaders { .. } => {
            malformed(false, "it is too long.", "")
        }
        VerifyError::MissingParameters { presigned, names } => malformed(
            *presigned,
            &alloc::format!("missing {}.", names.first().copied().unwrap_or_default()),
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, \
             X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
        ),
        VerifyError::MalformedCredential { presigned, .. } => {
            let text = "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".";
            malformed(*presigned, text, &alloc::format!("Error parsing the X-Amz-Credential parameter; {text}"))
        }
        VerifyError::MalformedSigV4aCredential { presigned, .. } => {
            let text = "the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/SERVICE/aws4_request\".";
            malformed(*presigned, text, &alloc::format!("Error parsing the X-Amz-Credential parameter; {text}"))
        }
        VerifyError::MissingRegionSet { presigned: false } => Refusal::new(
            Dialect::S3Xml,
            400,
            "InvalidRequest",
            "Missing required header for this request: x-amz-region-set".into(),
        ),
        VerifyError::MissingRegionSet { presigned: true } => {
            query_error("SigV4a query auth requires a non empty x-amz-region-set parameter.".into())
        }
        VerifyError::WrongRegionSet { got, region } => Refusal::new(
            Dialect::S3Xml,
            400,
            "RegionSetMismatch",
            "The provided X-Amz-Region-Set doesn't match against the requested S3 region.".into(),
        )
        .with([("RequestedRegion", region.clone()), ("RegionSet", got.clone())]),
        VerifyError::MalformedSigV4aSignature => mismatch(),
        VerifyError::MalformedSignedHeaders { presigned } => malformed(
            *presigned,
            "the authorization component \"SignedHeaders\" is malformed.",
            "X-Amz-SignedHeaders must be lower-case header names in ascending order, each once",
        ),
        VerifyError::MissingDate | VerifyError::MalformedDate { presigned: false, .. } => Refusal::new(
            Dialect::S3Xml,
            403,
            "AccessDenied",
            "AWS authentication requires a valid Date or x-amz-date header".into(),
        ),
        VerifyError::MalformedDate { presigned: true, .. } => {
            query_error("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"".into())
        }
        VerifyError::MalformedExpires { got } => {
            let negative = got.strip_prefix('-').is_some_and(|n| n.bytes().all(|byte| byte.is_ascii_digit()));
            query_error(
                if negative { "X-Amz-Expires must be non-negative" } else { "X-Amz-Expires should be a number" }.into(),
            )
        }
        VerifyError::ExpiresOutOfRange { seconds: 0, .. } => {
            query_error("X-Amz-Expires must be at least one second".into())
        }
        VerifyError::ExpiresOutOfRange { limit, .. } if limit.as_secs() == 604_800 => query_error(
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
             than 604800 seconds"
                .into(),
        ),
        VerifyError::ExpiresOutOfRange { limit, .. } => {
            query_error(alloc::format!("X-Amz-Expires must be at most {} seconds", limit.as_secs()).into())
        }
        VerifyError::MissingContentSha256 => Refusal::new(
            Dialect::S3Xml,
            400,
            "InvalidRequest",
            "Missing required header for this request: x-amz-content-sha256".into(),
        ),
        VerifyError::InvalidContentSha256 { .. } => Refusal::new(
            Dialect::S3Xml,
            400,
            "InvalidArgument",
            "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD or a valid sha256 \
             value."
                .into(),
        ),
        VerifyError::HeadersNotSigned { names } => Refusal::new(
            Dialect::S3Xml,
            403,
            "AccessDenied",
            "There were headers present in the request which were not signed".into(),
        )
        .with([("HeadersNotSigned", names.join(", "))]),
        VerifyError::PresignExpired { signed, now, lifetime } => {
            Refusal::new(Dialect::S3Xml, 403, "AccessDenied", "Request has expired".into()).with([
                ("X-Amz-Expires", lifetime.as_secs().to_string()),
                ("Expires", later(*signed, *lifetime).extended()),
                ("ServerTime", now.extended()),
            ])
        }
        VerifyError::NotYetCurrent { presigned: true, .. } => {
            Refusal::new(Dialect::S3Xml, 403, "AccessDenied", "Request is not valid yet".into())
        }
        VerifyError::Expired { signed, now, allowed } | VerifyError::NotYetCurrent { signed, now, allowed, .. } => {
            Refusal::new(
                Dialect::S3Xml,
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.".into(),
            )
            .with([
                ("RequestTime", signed.to_string()),
                ("ServerTime", now.extended()),
                ("MaxAllowedSkewMilliseconds", allowed.as_millis().to_string()),
            ])
        }
        VerifyError::WrongScope { presigned, got, expected, signed } => {
            let parts = ScopeParts::of(got, expected);
            let (in_header, in_query) = parts.s3(*signed);
            let region = parts.differs(1).then(|| ("Region", String::from(parts.part(1).1)));
            malformed(*presigned, &in_header, &in_query).with(region)
        }
        VerifyError::UnknownAccessKey { access_key_id } => Refusal::new(
            Dialect::S3Xml,
            403,
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.".into(),
        )
        .with([("AWSAccessKeyId", access_key_id.clone())]),
        VerifyError::InvalidSessionToken { .. } => Refusal::new(
            Dialect::S3Xml,
            400,
            "InvalidToken",
            "The provided token is malformed or otherwise invalid.".into(),
        ),
        VerifyError::ExpiredSessionToken { .. } => {
            Refusal::new(Dialect::S3Xml, 400, "ExpiredToken", "The provided token has expired.".into())
        }
        VerifyError::SignatureMismatch { computed: Some(computed) } => {
            let (canonical_request, string_to_sign) = (computed.canonical_request(), computed.string_to_sign());
            mismatch().with([
                ("StringToSign", string_to_sign.into()),
                ("StringToSignBytes", spaced_hex(string_to_sign)),
                ("CanonicalRequest", canonical_request.into()),
                ("CanonicalRequestBytes", spaced_hex(canonical_request)),
            ])
        }
        VerifyError::MalformedSignature | VerifyError::SignatureMismatch { computed: None } => mismatch(),
        // S3 says no more than that; the name is what the client has to know.
        VerifyError::SignedHeaderAbsent { name } => mismatch().with([("MissingHeaderName", name.clone())]),
        VerifyError::BodyMismatch { signed, computed } => Refusal::new(
            Dialect::S3Xml,
            400,
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.".into(),
        )
        .with([("ClientComputedContentSHA256", signed.clone()), ("S3ComputedContentSHA256", computed.clone())]),
        #[cfg(feature = "post-policy")]
        VerifyError::Policy(error) => crate::post_policy::refusal(error, Dialect::S3Xml),
        #[cfg(feature = "streaming")]
        VerifyError::Chunk(error) => {
            let (status, code, message) = error.answer();
            Refusal::new(Dialect::S3Xml, status, code, message.into())
        }
        #[cfg(feature = "streaming")]
        VerifyError::NotChunked => internal_error(),
        VerifyError::BodyNeeded | VerifyError::BodyIsStreamed { .. } => internal_error(),
    }
}

fn internal_error() -> Refusal {
    Refusal::new(Dialect::S3Xml, 500, "InternalError", "We encountered an internal error. Please try again.".into())
}

fn mismatch() -> Refusal {
    Refusal::new(Dialect::S3Xml,
        403,
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided. Check your key and signing method."
            .into(),
    )
}

/// `47 45 54`, as S3 shows bytes.
fn spaced_hex(text: &str) -> String {
    let bytes: Vec<String> = text.bytes().map(|byte| alloc::format!("{byte:02x}")).collect();
    bytes.join(" ")
}
