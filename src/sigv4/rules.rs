use core::time::Duration;

/// What differs between services, as data.
///
/// [`Rules::for_service`] returns the row of a service by its signing name. A service of your own is composed of the same
/// columns, and every field can be set by hand. Nothing is guessed from a host name.
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
    /// Remove dot segments and collapse slashes ([RFC 3986 5.2.4](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4))
    /// before the path is encoded. S3 never does: `a//b` and `a/b` are two keys.
    pub normalize_path: bool,
    /// Encode the wire path once more (`%2F` → `%252F`). S3 decodes the whole path and encodes all but `/` once
    /// instead (`%2F` → `/`).
    pub double_encode_path: bool,
    /// Send and sign `x-amz-content-sha256`; a verifier refuses a header signature without it.
    pub content_sha256_header: bool,
    /// How `UNSIGNED-PAYLOAD` is treated.
    pub unsigned_payload: UnsignedPayload,
    /// A presigned URL signs `UNSIGNED-PAYLOAD` unless a hash is pinned; otherwise the hash of the body.
    pub presign_unsigned_payload: bool,
    /// A signed `x-amz-*` header of a presigned request may stand in its query only, as S3 takes it from the JavaScript SDK
    /// v2; if it stands in both, the values have to be the same.
    pub presign_headers_in_query: bool,
    /// A verifier accepts the POST policies of browser uploads (feature `post-policy`) for this service. If none of its services
    /// has it set, it accepts them for all.
    pub post_policy: bool,
    /// A verifier accepts the `STREAMING-…` values of `x-amz-content-sha256`, whose bodies need their own check.
    pub streaming_payload: bool,
    /// The smallest chunk of such a body, in bytes of data; the last may be smaller.
    pub min_chunk_size: u64,
    /// A verifier ignores an `x-amz-trailer` header if the payload has no trailer, as S3 does for the Java SDK v2;
    /// otherwise such a body is refused.
    pub ignore_unused_trailer: bool,
    /// A presigned URL carries `X-Amz-Expires`.
    pub presign_expires: bool,
    /// The names of the header and the query parameter of the session token.
    pub session_token: SessionTokenName,
    /// The session token is part of what is signed; otherwise it is added after signing.
    pub sign_session_token: bool,
    /// The allowed clock skew: the largest difference, either way, between the time of a header signature and the
    /// verifier's clock; whole seconds.
    pub max_skew: Duration,
}

/// How a service treats `UNSIGNED-PAYLOAD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsignedPayload {
    /// The body has to be hashed, as a whole or in signed chunks: a verifier refuses anything else. For presigned URLs see
    /// [`Rules::presign_unsigned_payload`].
    Refused,
    /// Both are good.
    Accepted,
    /// The body is never hashed, whatever payload the signer is given.
    Always,
}

/// What the session token is called on the wire.
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

    /// The header, in lower case.
    pub const fn header(self) -> &'static str {
        match self {
            Self::SecurityToken => "x-amz-security-token",
            Self::S3SessionToken => "x-amz-s3session-token",
        }
    }

    /// The query parameter.
    pub const fn query(self) -> &'static str {
        match self {
            Self::SecurityToken => "X-Amz-Security-Token",
            Self::S3SessionToken => "X-Amz-S3session-Token",
        }
    }

    /// The name whose header that is, in whatever case.
    pub(crate) fn of_header(header: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| header.eq_ignore_ascii_case(name.header()))
    }
}

/// The services that need other rules than [`Rules::GENERIC`], by signing name, in order.
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
    // With the credentials of a session; `CreateSession` itself is signed by the rules of s3.
    ("s3express", Rules { session_token: SessionTokenName::S3SessionToken, ..Rules::S3 }),
    ("secretsmanager", Rules::GENERIC.five_minutes()),
    ("ses", Rules::GENERIC.five_minutes()),
    ("ssm", Rules::GENERIC.five_minutes()),
    ("transcribe", Rules::GENERIC.events()),
    ("vpc-lattice-svcs", Rules::GENERIC.content_sha256().unsigned_always()),
];

impl Rules {
    /// Most services: dynamodb, sts, iam, es …
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

    /// s3, s3-outposts, s3-object-lambda, and the stores that are compatible with S3.
    pub const S3: Rules = Rules {
        normalize_path: false,
        double_encode_path: false,
        presign_unsigned_payload: true,
        presign_headers_in_query: true,
        post_policy: true,
        ignore_unused_trailer: true,
        ..Rules::GENERIC.content_sha256().events().unsigned_accepted()
    };

    /// The rules for a service by its signing name, [`Rules::GENERIC`] for a name that needs no others.
    pub fn for_service(service: &str) -> Rules {
        match SERVICES.binary_search_by_key(&service, |(name, _)| name) {
            Ok(row) => SERVICES.get(row).map_or(Rules::GENERIC, |(_, rules)| *rules),
            Err(_) => Rules::GENERIC,
        }
    }

    /// Sends and requires `x-amz-content-sha256`: glacier, aoss, lambda behind a CloudFront origin access control.
    pub const fn content_sha256(self) -> Rules {
        Rules { content_sha256_header: true, ..self }
    }

    /// Accepts bodies that are sent in chunks or as event streams.
    pub const fn events(self) -> Rules {
        Rules { streaming_payload: true, ..self }
    }

    /// Allows five minutes of clock skew instead of fifteen, as AWS's error texts show for some services.
    pub const fn five_minutes(self) -> Rules {
        Rules { max_skew: Duration::from_secs(5 * 60), ..self }
    }

    /// Accepts `UNSIGNED-PAYLOAD` instead of a hash of the body; a presigned URL is still signed with a hash.
    pub const fn unsigned_accepted(self) -> Rules {
        Rules { unsigned_payload: UnsignedPayload::Accepted, ..self }
    }

    /// Never hashes the body, of a presigned URL neither.
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

/// What is accepted at most, whatever the service: by a verifier, and by a signer that signs for one.
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
    /// The longest lifetime of a presigned URL, whole seconds; AWS allows 604800 (seven days).
    pub max_presign: Duration,
    /// The most data of a signed chunk of a body, in bytes; 16 MiB by default, a choice of this crate: a receiver holds
    /// that much before it can check it, and clients send 64 KiB to a few MiB. An unsigned chunk isn't held, and may be as
    /// large as the body: some AWS SDKs send it as one.
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
    fn the_services_are_in_order_and_each_there_once() {
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
