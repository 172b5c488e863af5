use core::time::Duration;

/// The rules for signing and verifying that differ between services.
///
/// [`Rules::for_service`] returns the rules of a service by its signing name. For a service of your own, combine the
/// same methods, or set the fields directly. Nothing is guessed from a host name.
///
/// ```
/// use countersign::Rules;
///
/// assert!(Rules::for_service("execute-api").double_encode_path);
/// let rules = Rules::for_service("s3");
/// assert!(!rules.double_encode_path && rules.content_sha256_header);
///
/// // A service with event streams that allows five minutes of clock skew.
/// let rules = Rules::GENERIC.events().five_minutes();
/// assert!(rules.streaming_payload && rules.max_skew.as_secs() == 300);
/// ```
///
/// AWS: [Create a canonical request](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// Whether dot segments are removed and slashes collapsed ([RFC 3986
    /// 5.2.4](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4)) before the path is encoded. S3 never does this:
    /// `a//b` and `a/b` are different keys.
    pub normalize_path: bool,
    /// Whether the path as sent is encoded once more (`%2F` → `%252F`). Otherwise, as for S3, the whole path is
    /// decoded, and everything except `/` is encoded once (`%2F` → `/`).
    pub double_encode_path: bool,
    /// Whether `x-amz-content-sha256` is sent and signed. If so, a verifier refuses a request that is signed in the
    /// `Authorization` header without it.
    pub content_sha256_header: bool,
    /// How `UNSIGNED-PAYLOAD` is handled.
    pub unsigned_payload: UnsignedPayload,
    /// Whether a presigned URL signs `UNSIGNED-PAYLOAD` unless it pins a payload hash. Otherwise it signs the payload
    /// hash.
    pub presign_unsigned_payload: bool,
    /// Whether a signed `x-amz-*` header of a presigned request may be sent only as a query parameter, as the
    /// JavaScript SDK v2 does and S3 accepts. If it is sent as both, the values must be equal.
    pub presign_headers_in_query: bool,
    /// Whether a verifier accepts the POST policies of browser uploads (feature `post-policy`) for this service. If none of
    /// its services has this set, it accepts them for all.
    pub post_policy: bool,
    /// Whether a verifier accepts the `STREAMING-…` values of `x-amz-content-sha256`, whose bodies must be verified
    /// separately.
    pub streaming_payload: bool,
    /// The minimum size of a chunk of such a body, in bytes of data. The last chunk may be smaller.
    pub min_chunk_size: u64,
    /// Whether a verifier ignores an `x-amz-trailer` header if the payload has no trailer, as S3 does for the Java SDK
    /// v2. Otherwise such a body is refused.
    pub ignore_unused_trailer: bool,
    /// Whether a presigned URL contains `X-Amz-Expires`.
    pub presign_expires: bool,
    /// The names of the session token's header and query parameter.
    pub session_token: SessionTokenName,
    /// Whether the session token is signed. Otherwise it is added after signing.
    pub sign_session_token: bool,
    /// The allowed clock skew, in whole seconds: the maximum difference, in either direction, between the time of a
    /// signature in the `Authorization` header and the verifier's clock.
    pub max_skew: Duration,
}

/// How a service handles `UNSIGNED-PAYLOAD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsignedPayload {
    /// The body must be hashed, as a whole or in signed chunks; a verifier refuses anything else. For presigned URLs,
    /// see [`Rules::presign_unsigned_payload`].
    Refused,
    /// Both hashed and unsigned bodies are accepted.
    Accepted,
    /// The body is never hashed, regardless of the payload passed to the signer.
    Always,
}

/// The name under which the session token is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionTokenName {
    /// `x-amz-security-token`
    SecurityToken,
    /// `x-amz-s3session-token`: S3 Express.
    S3SessionToken,
}

impl SessionTokenName {
    pub(crate) const ALL: [Self; 2] = [Self::SecurityToken, Self::S3SessionToken];

    /// Returns the name of the header, in lowercase.
    pub const fn header(self) -> &'static str {
        match self {
            Self::SecurityToken => "x-amz-security-token",
            Self::S3SessionToken => "x-amz-s3session-token",
        }
    }

    /// Returns the name of the query parameter.
    pub const fn query(self) -> &'static str {
        match self {
            Self::SecurityToken => "X-Amz-Security-Token",
            Self::S3SessionToken => "X-Amz-S3session-Token",
        }
    }

    /// Returns the variant with this header name, ignoring case.
    pub(crate) fn of_header(header: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| header.eq_ignore_ascii_case(name.header()))
    }
}

/// The services whose rules differ from [`Rules::GENERIC`], sorted by signing name.
const SERVICES: &[(&str, Rules)] = &[
    ("aoss", Rules::GENERIC.content_sha256()),
    ("bedrock", Rules::GENERIC.events().five_minutes()),
    ("ebs", Rules::GENERIC.unsigned_accepted()),
    ("ecs", Rules::GENERIC.five_minutes()),
    ("eks", Rules::GENERIC.five_minutes()),
    ("elastictranscoder", Rules::GENERIC.five_minutes()),
    ("execute-api", Rules::GENERIC.five_minutes()),
    ("glacier", Rules::GENERIC.content_sha256()),
    ("health-agent", Rules::GENERIC.events()),
    ("iotdevicegateway", Rules::GENERIC.token_added_after_signing().without_expires()),
    ("kinesis", Rules::GENERIC.five_minutes()),
    ("kms", Rules::GENERIC.five_minutes()),
    ("lambda", Rules::GENERIC.five_minutes()),
    ("lex", Rules::GENERIC.events().unsigned_accepted()),
    ("logs", Rules::GENERIC.five_minutes()),
    ("mediastore", Rules::GENERIC.unsigned_accepted()),
    ("omics", Rules::GENERIC.unsigned_accepted()),
    ("polly", Rules::GENERIC.events()),
    ("qbusiness", Rules::GENERIC.events()),
    ("route53", Rules::GENERIC.five_minutes()),
    ("s3", Rules::S3),
    ("s3-object-lambda", Rules::S3),
    ("s3-outposts", Rules::S3),
    // For session credentials; `CreateSession` itself is signed with the rules of s3.
    ("s3express", Rules { session_token: SessionTokenName::S3SessionToken, ..Rules::S3 }),
    ("secretsmanager", Rules::GENERIC.five_minutes()),
    ("ses", Rules::GENERIC.five_minutes()),
    ("ssm", Rules::GENERIC.five_minutes()),
    ("transcribe", Rules::GENERIC.events()),
    ("vpc-lattice-svcs", Rules::GENERIC.content_sha256().unsigned_always()),
];

impl Rules {
    /// The rules of most services: dynamodb, sts, iam, es …
    pub const GENERIC: Rules = Rules {
        normalize_path: true,
        double_encode_path: true,
        content_sha256_header: false,
        unsigned_payload: UnsignedPayload::Refused,
        presign_unsigned_payload: false,
        presign_headers_in_query: false,
        post_policy: false,
        streaming_payload: false,
        min_chunk_size: 8192,
        ignore_unused_trailer: false,
        presign_expires: true,
        session_token: SessionTokenName::SecurityToken,
        sign_session_token: true,
        max_skew: Duration::from_secs(15 * 60),
    };

    /// The rules of s3, s3-outposts, s3-object-lambda, and S3-compatible stores.
    pub const S3: Rules = Rules {
        normalize_path: false,
        double_encode_path: false,
        presign_unsigned_payload: true,
        presign_headers_in_query: true,
        post_policy: true,
        ignore_unused_trailer: true,
        ..Rules::GENERIC.content_sha256().events().unsigned_accepted()
    };

    /// Returns the rules of a service by its signing name. A name that is not listed has the rules [`Rules::GENERIC`].
    pub fn for_service(service: &str) -> Rules {
        match SERVICES.binary_search_by_key(&service, |(name, _)| name) {
            Ok(row) => SERVICES.get(row).map_or(Rules::GENERIC, |(_, rules)| *rules),
            Err(_) => Rules::GENERIC,
        }
    }

    /// Sends and requires `x-amz-content-sha256`, as for glacier, aoss, and lambda with a CloudFront origin access
    /// control.
    pub const fn content_sha256(self) -> Rules {
        Rules { content_sha256_header: true, ..self }
    }

    /// Accepts bodies that are sent in chunks or as event streams.
    pub const fn events(self) -> Rules {
        Rules { streaming_payload: true, ..self }
    }

    /// Allows five minutes of clock skew instead of fifteen, as the error messages of some AWS services show.
    pub const fn five_minutes(self) -> Rules {
        Rules { max_skew: Duration::from_secs(5 * 60), ..self }
    }

    /// Accepts `UNSIGNED-PAYLOAD` instead of a payload hash. A presigned URL still signs a hash.
    pub const fn unsigned_accepted(self) -> Rules {
        Rules { unsigned_payload: UnsignedPayload::Accepted, ..self }
    }

    /// Never hashes the body, not even for a presigned URL.
    pub const fn unsigned_always(self) -> Rules {
        Rules { unsigned_payload: UnsignedPayload::Always, presign_unsigned_payload: true, ..self }
    }

    /// Adds the session token after signing.
    pub const fn token_added_after_signing(self) -> Rules {
        Rules { sign_session_token: false, ..self }
    }

    /// Presigns without `X-Amz-Expires`.
    pub const fn without_expires(self) -> Rules {
        Rules { presign_expires: false, ..self }
    }
}

/// Limits that apply to every service. A verifier enforces them, and a signer stays within them.
///
/// ```
/// use countersign::{Limits, Verifier};
///
/// let mut limits = Limits::default();
/// limits.max_presign = std::time::Duration::from_secs(3600);
/// let verifier = Verifier::new("us-east-1", "s3")?.with_limits(limits);
/// # Ok::<(), countersign::ScopeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The maximum lifetime of a presigned URL, in whole seconds. AWS allows 604800 (seven days).
    pub max_presign: Duration,
    /// The maximum size of a signed chunk of a body, in bytes of data. The default of 16 MiB is a choice of this crate:
    /// a receiver has to buffer a chunk before it can verify it, and clients send 64 KiB to a few MiB. Unsigned chunks
    /// are not buffered and may be as large as the body, since some AWS SDKs send the body as one chunk.
    pub max_chunk_size: u64,
}

impl Limits {
    pub(crate) const DEFAULT: Self =
        Self { max_presign: Duration::from_secs(604_800), max_chunk_size: 16 * 1024 * 1024 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_sorted_without_duplicates() {
        let pairs = SERVICES.iter().zip(SERVICES.iter().skip(1));
        for ((one, _), (next, _)) in pairs {
            assert!(one < next, "{one} {next}");
        }
        for (name, rules) in SERVICES {
            assert_eq!(Rules::for_service(name), *rules, "{name}");
            assert_ne!(*rules, Rules::GENERIC, "{name} needs no row");
        }
        for other in ["", "dynamodb", "S3", "s3 ", "zzz", "aos", "aosss"] {
            assert_eq!(Rules::for_service(other), Rules::GENERIC, "{other}");
        }
    }
}
