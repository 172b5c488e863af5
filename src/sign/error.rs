use alloc::string::String;
use core::time::Duration;

use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::request::RequestError;
use crate::sigv4::scope::ScopeError;
use crate::sigv4::timestamp::Timestamp;

/// An error from signing a request, which is left unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The request is invalid.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The signer's region or service is invalid.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The credentials have expired.
    #[error("the credentials expired at {expires_at} (signing time: {now}); refresh them")]
    CredentialsExpired {
        /// When they expired.
        expires_at: Timestamp,
        /// The time passed in for signing.
        now: Timestamp,
    },
    /// The request has an `Authorization` header of another scheme, which signing would replace.
    #[error(
        "the request already has an Authorization header {}, which signing would replace; remove it first",
        if scheme.is_empty() { String::from("without a scheme") } else { alloc::format!("with the scheme {scheme:?}") }
    )]
    ForeignAuthorization {
        /// Its scheme, e.g. `Bearer`; empty if it has none.
        scheme: String,
    },
    /// The request has a session token header, but the credentials have no session token.
    #[error(
        "the request has the header {name}, but the credentials have no session token; add the token with \
         Credentials::with_session_token, or remove the header"
    )]
    SessionTokenOfOthers {
        /// The header.
        name: &'static str,
    },
    /// The query already contains the signature of a presigned URL. AWS refuses a request that also has an
    /// `Authorization` header.
    #[error("the query is already presigned (it has X-Amz-Algorithm); remove its X-Amz-* parameters first")]
    AlreadyPresigned,
    /// The `Connection` header names a header that would be signed, although the next hop removes it.
    #[error("the Connection header names the signed header {name:?}, so the next hop would remove it; remove the name")]
    RemovedByHop {
        /// The header.
        name: String,
    },
    /// The lifetime of a presigned URL is not a whole number of seconds from 1 to the limit.
    #[error("a presigned URL can be valid for 1 to {} whole seconds, not {expires_in:?}", limit.as_secs())]
    Expires {
        /// The requested lifetime.
        expires_in: Duration,
        /// The maximum lifetime, [`Limits::max_presign`](crate::Limits::max_presign).
        limit: Duration,
    },
    /// The chunks or messages of the body would be signed with a different algorithm than the request.
    #[error("the signer uses a different algorithm than {}; use the matching StreamingPayload", streaming.as_str())]
    StreamingAlgorithm {
        /// The payload.
        streaming: StreamingPayload,
    },
    /// The rules of the service do not accept `UNSIGNED-PAYLOAD`.
    #[error(
        "the rules of this service do not accept an unsigned body: pass Payload::Bytes or Payload::Sha256, or set \
         Rules::unsigned_payload if the service does accept one"
    )]
    UnsignedPayload,
    /// The request has a header with the name of a parameter that only signing adds to a presigned URL.
    #[error(
        "the request has the header {name:?}, but the presigned URL has a parameter of that name; remove the header"
    )]
    HeaderOfUrl {
        /// The header.
        name: String,
    },
    /// A presigned URL can't have a body in chunks or messages.
    #[error("a presigned URL can't have the payload {}; sign in the Authorization header instead", streaming.as_str())]
    PresignedStreaming {
        /// The payload.
        streaming: StreamingPayload,
    },
    /// The path or query is not UTF-8, as required for a presigned URL.
    #[error("the path or query is not UTF-8; percent-encode it first")]
    TargetNotUtf8,
}
