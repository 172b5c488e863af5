use core::time::Duration;

/// What differs between services, as data.
///
/// [`Rules::for_service`] picks a constant by the service's signing name; every field can be set by hand. Nothing is
/// guessed from a host name.
///
/// ```
/// use countersign::Rules;
///
/// assert!(Rules::for_service("execute-api").double_encode_path);
/// let mut rules = Rules::for_service("s3");
/// assert!(!rules.double_encode_path && rules.content_sha256_header);
/// rules.max_presign = std::time::Duration::from_secs(3600);
/// ```
///
/// AWS: [Create a canonical request](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rules {
    /// Remove dot segments and collapse slashes ([RFC 3986 5.2.4](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4))
    /// before the path is encoded. S3 never does: `a//b` and `a/b` are two keys.
    pub normalize_path: bool,
    /// Encode the wire path once more (`%2F` → `%252F`). S3 decodes and encodes each segment once instead.
    pub double_encode_path: bool,
    /// Send and sign `x-amz-content-sha256`; a verifier refuses a header signature without it.
    pub content_sha256_header: bool,
    /// What becomes of `UNSIGNED-PAYLOAD`.
    pub unsigned_payload: UnsignedPayload,
    /// A presigned URL signs `UNSIGNED-PAYLOAD` unless a hash is pinned; otherwise the hash of the body.
    pub presign_unsigned_payload: bool,
    /// A verifier accepts the `STREAMING-…` values of `x-amz-content-sha256`, whose bodies need their own check.
    pub streaming_payload: bool,
    /// The least data of a chunk of such a body, in bytes; the last may have less.
    pub min_chunk_size: u64,
    /// The most data of a signed chunk of such a body, in bytes: a receiver holds that much before it can check it. An
    /// unsigned chunk isn't held, and may be as large as the body: some AWS SDKs send it as one.
    pub max_chunk_size: u64,
    /// A presigned URL carries `X-Amz-Expires`.
    pub presign_expires: bool,
    /// The header of the session token, in lower case.
    pub session_token_header: &'static str,
    /// The query parameter of the session token.
    pub session_token_query: &'static str,
    /// The session token is part of what is signed; otherwise it is added after signing.
    pub sign_session_token: bool,
    /// How far the time of a header signature may lie from the verifier's clock, either way; whole seconds.
    pub max_skew: Duration,
    /// The longest life of a presigned URL, whole seconds; AWS allows 604800 (seven days).
    pub max_presign: Duration,
}

/// How a service treats `UNSIGNED-PAYLOAD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnsignedPayload {
    /// The body has to be hashed, as a whole or in signed chunks: a verifier refuses anything else. Presigned URLs go by
    /// [`Rules::presign_unsigned_payload`].
    Refused,
    /// Both are good.
    Accepted,
    /// The body is never hashed, whatever payload the signer is given.
    Always,
}

const FIVE_MINUTES: Duration = Duration::from_secs(5 * 60);
const FIFTEEN_MINUTES: Duration = Duration::from_secs(15 * 60);
/// A choice of this crate: clients send 64 KiB, at most a few MiB.
const SIXTEEN_MEBIBYTES: u64 = 16 * 1024 * 1024;
const SEVEN_DAYS: Duration = Duration::from_secs(604_800);

impl Rules {
    /// Most services: dynamodb, sts, iam, lambda, es …
    pub const GENERIC: Rules = Rules {
        normalize_path: true,
        double_encode_path: true,
        content_sha256_header: false,
        unsigned_payload: UnsignedPayload::Refused,
        presign_unsigned_payload: false,
        streaming_payload: false,
        min_chunk_size: 8192,
        max_chunk_size: SIXTEEN_MEBIBYTES,
        presign_expires: true,
        session_token_header: "x-amz-security-token",
        session_token_query: "X-Amz-Security-Token",
        sign_session_token: true,
        max_skew: FIFTEEN_MINUTES,
        max_presign: SEVEN_DAYS,
    };

    /// s3, s3-outposts, s3-object-lambda.
    pub const S3: Rules = Rules {
        normalize_path: false,
        double_encode_path: false,
        content_sha256_header: true,
        unsigned_payload: UnsignedPayload::Accepted,
        presign_unsigned_payload: true,
        streaming_payload: true,
        ..Rules::GENERIC
    };

    /// s3express, with the credentials of a session (`CreateSession` itself goes by [`Rules::S3`]).
    pub const S3_EXPRESS: Rules = Rules {
        session_token_header: "x-amz-s3session-token",
        session_token_query: "X-Amz-S3session-Token",
        ..Rules::S3
    };

    /// glacier, aoss, and lambda behind a CloudFront origin access control: as most, with `x-amz-content-sha256`.
    pub const CONTENT_SHA256: Rules = Rules { content_sha256_header: true, ..Rules::GENERIC };

    /// vpc-lattice-svcs: the body is never hashed, and `x-amz-content-sha256` says so.
    pub const VPC_LATTICE: Rules =
        Rules { unsigned_payload: UnsignedPayload::Always, presign_unsigned_payload: true, ..Rules::CONTENT_SHA256 };

    /// iotdevicegateway, MQTT over websocket: the token is added after signing, and there is no `X-Amz-Expires`.
    pub const IOT_DEVICE_GATEWAY: Rules = Rules { sign_session_token: false, presign_expires: false, ..Rules::GENERIC };

    /// transcribe, lex, bedrock: as most, and bodies that are event streams.
    pub const EVENT_STREAMS: Rules = Rules { streaming_payload: true, ..Rules::GENERIC };

    /// As most, with the five minutes of skew that AWS's error texts show for these services.
    pub const FIVE_MINUTES_OF_SKEW: Rules = Rules { max_skew: FIVE_MINUTES, ..Rules::GENERIC };

    /// The rules for a service by its signing name, [`Rules::GENERIC`] for a name that needs no others.
    pub const fn for_service(service: &str) -> Rules {
        match service.as_bytes() {
            b"s3" | b"s3-outposts" | b"s3-object-lambda" => Rules::S3,
            b"s3express" => Rules::S3_EXPRESS,
            b"glacier" | b"aoss" => Rules::CONTENT_SHA256,
            b"transcribe" | b"lex" | b"bedrock" => Rules::EVENT_STREAMS,
            b"vpc-lattice-svcs" => Rules::VPC_LATTICE,
            b"iotdevicegateway" => Rules::IOT_DEVICE_GATEWAY,
            b"execute-api" | b"kinesis" | b"route53" | b"ses" | b"ssm" => Rules::FIVE_MINUTES_OF_SKEW,
            _ => Rules::GENERIC,
        }
    }
}
