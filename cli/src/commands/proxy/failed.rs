//! What the client gets if its request is not signed, or not answered. That is never a 403 of its signature, which has
//! none: 403 means that the proxy refuses the request itself.

use countersign::tower::SignLayerError;
use countersign::{ErrorFormat, SignError};
use http::StatusCode;

use super::sending::NoAnswer;
use super::source::NoCredentials;
use crate::serve::forward::{Failed, causes};
use crate::serve::{Answer, BoxError, Decision, Exchange, refusal};

/// A request that was not sent.
pub struct Problem {
    pub status: StatusCode,
    pub code: &'static str,
    pub check: &'static str,
    /// For the client.
    pub message: &'static str,
    /// For the log, if it says more.
    pub reason: Option<String>,
}

const fn problem(status: StatusCode, code: &'static str, check: &'static str, message: &'static str) -> Problem {
    Problem { status, code, check, message, reason: None }
}

pub const BAD_HOST: Problem = problem(
    StatusCode::BAD_REQUEST,
    "BadRequestException",
    "host",
    "The request must name one host, in Host or in an absolute URI.",
);
pub const NOT_ALLOWED: Problem = problem(
    StatusCode::FORBIDDEN,
    "ForbiddenException",
    "host",
    "The proxy does not sign requests to this host. See --allow-host.",
);
pub const NO_SCOPE: Problem = problem(
    StatusCode::BAD_GATEWAY,
    "InternalServerErrorException",
    "scope",
    "The proxy does not know the service or region of this host. See its --service and --region.",
);
pub const AWS_CHUNKED: Problem = problem(
    StatusCode::BAD_REQUEST,
    "BadRequestException",
    "chunked",
    "The client has encoded the body as aws-chunked. Send it as it is, or use the proxy with --resign.",
);
pub const TARGET: Problem =
    problem(StatusCode::BAD_REQUEST, "BadRequestException", "target", "The path and query can not be sent.");
const NO_CREDENTIALS: Problem = problem(
    StatusCode::SERVICE_UNAVAILABLE,
    "ServiceUnavailable",
    "credentials",
    "The proxy has no credentials to sign with. Its log says why; on its machine, run: countersign credentials",
);
const TOO_LARGE: Problem = problem(
    StatusCode::PAYLOAD_TOO_LARGE,
    "RequestEntityTooLargeException",
    "body",
    "The body is larger than --max-body-bytes of the proxy.",
);
const NO_LENGTH: Problem = problem(
    StatusCode::LENGTH_REQUIRED,
    "MissingContentLength",
    "body",
    "The request must have a Content-Length to be sent in signed chunks.",
);
const UNSIGNABLE: Problem = problem(
    StatusCode::BAD_REQUEST,
    "BadRequestException",
    "sign",
    "The request can not be signed. The log of the proxy says why.",
);
const BROKEN_BODY: Problem =
    problem(StatusCode::BAD_REQUEST, "BadRequestException", "body", "The body ended early, or is malformed.");

impl Problem {
    pub fn answer(self, format: ErrorFormat, exchange: &Exchange) -> Answer {
        exchange.refused(self.check, self.reason.unwrap_or_else(|| self.message.into()));
        refusal::answer(format, self.status, self.code, self.message)
    }
}

/// Why a request got no answer of the upstream.
pub enum Unsent {
    Refused(Problem),
    Upstream { status: StatusCode, check: &'static str, message: &'static str, reason: String },
}

impl Unsent {
    pub fn of(error: &BoxError) -> Self {
        let with_reason = |problem: Problem| Self::Refused(Problem { reason: Some(error.to_string()), ..problem });
        if let Some(NoAnswer(failed)) = error.downcast_ref() {
            return Self::upstream(failed);
        }
        if error.downcast_ref::<NoCredentials>().is_some() {
            return with_reason(NO_CREDENTIALS);
        }
        match error.downcast_ref() {
            Some(SignError::CredentialsExpired { .. }) => return with_reason(NO_CREDENTIALS),
            Some(_) => return with_reason(UNSIGNABLE),
            None => {}
        }
        match error.downcast_ref() {
            Some(SignLayerError::BodyTooLarge { .. }) => Self::Refused(TOO_LARGE),
            Some(SignLayerError::UnknownLength) => Self::Refused(NO_LENGTH),
            Some(_) => with_reason(UNSIGNABLE),
            None if causes(&**error).any(|cause| cause.is::<SignError>()) => with_reason(UNSIGNABLE),
            None => Self::Refused(BROKEN_BODY),
        }
    }

    fn upstream(failed: &Failed) -> Self {
        match failed {
            Failed::TimedOut => Self::Upstream {
                status: StatusCode::GATEWAY_TIMEOUT,
                check: "upstream_timeout",
                message: "The upstream did not answer in time.",
                reason: "the upstream did not answer in time".into(),
            },
            Failed::Unreachable { reason, .. } => Self::Upstream {
                status: StatusCode::BAD_GATEWAY,
                check: "upstream",
                message: "The upstream can not be reached, or ended the connection.",
                reason: reason.clone(),
            },
            Failed::Body(_) => Self::Refused(BROKEN_BODY),
        }
    }

    pub fn answer(self, format: ErrorFormat, exchange: &Exchange) -> Answer {
        let (status, check, message, reason) = match self {
            Self::Refused(problem) => return problem.answer(format, exchange),
            Self::Upstream { status, check, message, reason } => (status, check, message, reason),
        };
        exchange.update(|record| {
            record.decision = Decision::UpstreamFailed;
            record.check = Some(check.into());
            record.reason = Some(reason);
        });
        refusal::answer(format, status, "InternalServerErrorException", message)
    }
}
