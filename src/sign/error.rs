use alloc::string::String;
use core::time::Duration;

use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::request::RequestError;
use crate::sigv4::scope::ScopeError;
use crate::sigv4::timestamp::Timestamp;

/// Why a request was not signed; nothing of it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The request itself.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The signer's region or service.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The credentials have expired.
    #[error("the credentials expired at {expires_at}, it is {now}; get new ones")]
    CredentialsExpired {
        /// When they ended.
        expires_at: Timestamp,
        /// The time given to sign at.
        now: Timestamp,
    },
    /// The request carries an `Authorization` header of another kind, which signing would destroy.
    #[error(
        "the request carries an Authorization header {}, which a signature would replace; remove it first",
        if scheme.is_empty() { String::from("without a scheme") } else { alloc::format!("with the scheme {scheme:?}") }
    )]
    ForeignAuthorization {
        /// Its scheme, e.g. `Bearer`; empty if it has none.
        scheme: String,
    },
    /// The request carries a session token, and the credentials have none.
    #[error(
        "the request carries {name}, but the credentials have no session token; give it to them with \
         Credentials::with_session_token, or remove the header"
    )]
    SessionTokenOfOthers {
        /// The header.
        name: &'static str,
    },
    /// The query carries the signature of a presigned URL: AWS refuses a request with both.
    #[error("the query is presigned already (X-Amz-Algorithm); remove its X-Amz- parameters first")]
    AlreadyPresigned,
    /// The `Connection` header names a header that would be signed: the next hop removes it.
    #[error("the Connection header names {name:?}, so the next hop would remove that signed header")]
    RemovedByHop {
        /// The header.
        name: String,
    },
    /// The lifetime of a presigned URL is not a whole number of seconds from 1 to the limit.
    #[error("a presigned URL can live 1 to {} whole seconds, not {expires_in:?}", limit.as_secs())]
    Expires {
        /// What was asked for.
        expires_in: Duration,
        /// The longest, by the rules.
        limit: Duration,
    },
    /// The chunks or messages of the body would be signed with another algorithm than the request.
    #[error("the signer doesn't sign with the algorithm of {}", streaming.as_str())]
    StreamingAlgorithm {
        /// The payload.
        streaming: StreamingPayload,
    },
    /// The rules refuse `UNSIGNED-PAYLOAD`, and so does the service.
    #[error(
        "the rules of this service do not accept an unsigned body: pass Payload::Bytes or Payload::Sha256, or set \
         Rules::unsigned_payload if the service does accept one"
    )]
    UnsignedPayload,
    /// A presigned URL can't announce a body in chunks or messages.
    #[error("a presigned URL can't sign {}", streaming.as_str())]
    PresignedStreaming {
        /// The payload.
        streaming: StreamingPayload,
    },
    /// A URL is text: path, query or host are not UTF-8.
    #[error("path, query or host are not UTF-8; encode them first")]
    TargetNotUtf8,
}
