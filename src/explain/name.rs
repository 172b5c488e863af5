//! The machine names of causes, and of the values that they hold.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::cause::Cause;

impl Cause {
    /// Returns the machine name, which is stable: `wrong_region`, `clock_skew` …
    ///
    /// ```
    /// use countersign::explain::Cause;
    ///
    /// assert_eq!(Cause::NotSigned.name(), "not_signed");
    /// ```
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotSigned => "not_signed",
            Self::SignatureLost => "signature_lost",
            Self::NoSuchRoute => "no_such_route",
            Self::PreflightNeedsSignature => "preflight_not_signed",
            Self::OtherAuthorization => "other_authorization",
            Self::WhitespaceInCredentials => "whitespace_in_credentials",
            Self::MalformedAuthorization => "malformed_authorization",
            Self::TwoCredentials => "two_credentials",
            Self::SignatureVersion2 => "signature_version_2",
            Self::SigV4aRequired => "sigv4a_required",
            Self::WrongSecret => "wrong_secret",
            Self::UnknownAccessKey => "unknown_access_key",
            Self::TokenMissing => "token_missing",
            Self::TokenExpired => "token_expired",
            Self::TokenInvalid => "token_invalid",
            Self::MethodChanged { .. } => "method_changed",
            Self::PathUnderEncoded => "path_under_encoded",
            Self::PathOverEncoded => "path_over_encoded",
            Self::PathNormalization => "path_normalization",
            Self::TrailingSlash { .. } => "trailing_slash",
            Self::PathPrefix { .. } => "path_prefix",
            Self::PathChanged { .. } => "path_changed",
            Self::Mismatch => "mismatch",
            Self::TextDiffers { .. } => "text_differs",
            Self::CanonicalRequestDiffers => "canonical_request_differs",
            Self::LineEnds => "line_ends",
            Self::HashCase => "hash_case",
            Self::QueryOrder => "query_order",
            Self::PlusForSpace => "plus_for_space",
            Self::MissingEquals { .. } => "missing_equals",
            Self::EscapeCase => "escape_case",
            Self::QueryEncoding { .. } => "query_encoding",
            Self::ParameterAdded { .. } => "parameter_added",
            Self::ParameterRemoved { .. } => "parameter_removed",
            Self::ParameterChanged { .. } => "parameter_changed",
            Self::HostChanged { .. } => "host_changed",
            Self::PortChanged { .. } => "port_changed",
            Self::HeaderRespaced { .. } => "header_respaced",
            Self::HeaderChanged { .. } => "header_changed",
            Self::HeaderAdded { .. } => "header_added",
            Self::HeaderRemoved { .. } => "header_removed",
            Self::HeaderOrder => "header_order",
            Self::HeaderNameCase { .. } => "header_name_case",
            Self::HeaderNotJoined { .. } => "header_not_joined",
            Self::ContentTypeCharset { .. } => "content_type_charset",
            Self::UnsignedHeaders { .. } => "unsigned_headers",
            Self::BodyChanged => "body_changed",
            Self::BodyDropped => "body_dropped",
            Self::BodyNotHashed => "body_not_hashed",
            Self::PayloadMode { .. } => "payload_mode",
            Self::MalformedRequest => "malformed_request",
            Self::RequiredHeaderMissing { .. } => "required_header_missing",
            Self::ContentSha256 => "content_sha256",
            Self::BodyFraming => "body_framing",
            Self::WrongRegion { .. } => "wrong_region",
            Self::WrongService { .. } => "wrong_service",
            Self::ScopeDate { .. } => "scope_date",
            Self::ScopeMalformed => "scope_malformed",
            Self::AlgorithmDiffers { .. } => "algorithm",
            Self::ClockSkew { .. } => "clock_skew",
            Self::TimeZone { .. } => "time_zone",
            Self::DateMalformed => "date_malformed",
            Self::PresignExpired { .. } => "presign_expired",
            Self::PresignLifetime => "presign_lifetime",
            Self::PresignOutlivedCredentials => "presign_outlived_credentials",
            Self::FormPolicy => "form_policy",
            Self::Redirected { .. } => "redirected",
            Self::PolicyDenies => "policy_denies",
            Self::OtherAuthorizationExpected => "other_authorization_expected",
            Self::BlockedByIntermediary => "blocked_by_intermediary",
            Self::ForbiddenWithoutReason => "forbidden_without_reason",
            Self::RefusedWithoutReason => "refused_without_reason",
            Self::Unrelated => "unrelated",
            Self::NotRecognised => "not_recognised",
        }
    }

    /// Returns what the cause holds, each by its name: `region`, `service`, `header`, `offset_seconds` and so on. No value is a
    /// secret.
    ///
    /// ```
    /// use countersign::explain::Cause;
    ///
    /// let cause = Cause::WrongRegion { expected: Some("eu-west-1".into()) };
    /// assert_eq!(cause.values(), [("region", "eu-west-1".into())]);
    /// ```
    pub fn values(&self) -> Vec<(&'static str, String)> {
        let named =
            |name: &'static str, value: &Option<String>| value.iter().map(|value| (name, value.clone())).collect();
        let one = |name: &'static str, value: &dyn ToString| Vec::from([(name, value.to_string())]);
        let both = |signed: &String, verified: &String| {
            Vec::from([("signed", signed.clone()), ("verified", verified.clone())])
        };
        match self {
            Self::WrongRegion { expected } => named("region", expected),
            Self::WrongService { expected } => named("service", expected),
            Self::RequiredHeaderMissing { name } => named("header", name),
            Self::ClockSkew { offset } => offset.iter().flat_map(|offset| one("offset_seconds", offset)).collect(),
            Self::TimeZone { offset } => one("offset_seconds", offset),
            Self::PresignExpired { at } => at.iter().flat_map(|at| one("expires_at", at)).collect(),
            Self::Redirected { location } => one("location", location),
            Self::UnsignedHeaders { names } => one("header", &names.join(", ")),
            Self::TextDiffers { line } => one("line", line),
            Self::TrailingSlash { signed } => one("signed", signed),
            Self::PathPrefix { prefix, signed } => {
                Vec::from([("prefix", prefix.clone()), ("signed", signed.to_string())])
            }
            Self::MissingEquals { name }
            | Self::QueryEncoding { name }
            | Self::ParameterAdded { name }
            | Self::ParameterRemoved { name } => one("parameter", name),
            Self::HeaderRespaced { name }
            | Self::HeaderAdded { name }
            | Self::HeaderRemoved { name }
            | Self::HeaderNameCase { name }
            | Self::HeaderNotJoined { name } => one("header", name),
            Self::ParameterChanged { name, signed, verified } => {
                let mut values = one("parameter", name);
                values.extend(both(signed, verified));
                values
            }
            Self::HeaderChanged { name, signed, verified } => {
                let mut values = one("header", name);
                values.extend(both(signed, verified));
                values
            }
            Self::MethodChanged { signed, verified }
            | Self::PathChanged { signed, verified }
            | Self::HostChanged { signed, verified }
            | Self::PortChanged { signed, verified }
            | Self::ContentTypeCharset { signed, verified }
            | Self::PayloadMode { signed, verified }
            | Self::AlgorithmDiffers { signed, verified } => both(signed, verified),
            Self::ScopeDate { signed, expected } => {
                let mut values: Vec<_> = named("signed", signed);
                values.extend::<Vec<_>>(named("expected", expected));
                values
            }
            _ => Vec::new(),
        }
    }

    /// Returns the page of AWS's documentation about it.
    pub(super) const fn link(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoSuchRoute | Self::ForbiddenWithoutReason => {
                "https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html"
            }
            Self::PolicyDenies => "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
            Self::TokenMissing | Self::TokenExpired | Self::TokenInvalid => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_use-resources.html"
            }
            Self::PresignExpired { .. } | Self::PresignLifetime | Self::PresignOutlivedCredentials => {
                "https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html"
            }
            Self::FormPolicy => "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html",
            Self::BodyFraming => "https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html",
            Self::SigV4aRequired => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html#how-sigv4a-works"
            }
            Self::NotSigned
            | Self::MalformedAuthorization
            | Self::WrongSecret
            | Self::Mismatch
            | Self::ClockSkew { .. }
            | Self::WrongRegion { .. }
            | Self::WrongService { .. }
            | Self::ScopeDate { .. } => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html"
            }
            Self::PathUnderEncoded
            | Self::PathOverEncoded
            | Self::PathNormalization
            | Self::QueryOrder
            | Self::PlusForSpace
            | Self::EscapeCase
            | Self::UnsignedHeaders { .. } => {
                "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"
            }
            _ => return None,
        })
    }
}
