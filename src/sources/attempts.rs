//! Sends a request again if the failure may be a passing one.

use core::time::Duration;

use super::ask::{AskError, AskErrorKind};
use super::context::Context;
use super::error::SourceError;
use super::exchange::{Exchange, Reply};

/// The wait before the second attempt; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// How often a request is sent at most.
#[derive(Clone, Copy)]
pub(super) struct Most {
    /// While there is no response.
    pub(super) without_response: u32,
    /// While the response says that the server is overloaded or broken for now.
    pub(super) while_busy: u32,
}

impl From<u32> for Most {
    fn from(most: u32) -> Self {
        Self { without_response: most, while_busy: most }
    }
}

/// Sends a request up to `most` times, until a response comes that `is_passing` doesn't hold for. `build` creates the
/// request for each attempt, since signatures hold the time. Returns the last response or failure.
///
/// # Errors
/// What `build` returns.
pub(super) async fn send(
    context: &Context,
    most: impl Into<Most>,
    build: impl Fn() -> Result<Exchange, SourceError>,
    is_passing: impl Fn(&Reply) -> bool,
) -> Result<Result<Reply, AskError>, SourceError> {
    let (most, mut wait) = (most.into(), FIRST_WAIT);
    let mut attempt = 1;
    loop {
        let result = build()?.send(context).await;
        let most = match &result {
            Ok(reply) if is_passing(reply) => most.while_busy,
            Err(error) if !matches!(error.kind(), AskErrorKind::TooLarge | AskErrorKind::Unsupported) => {
                most.without_response
            }
            _ => return Ok(result),
        };
        if attempt >= most || context.io.wait(wait).await.is_err() {
            return Ok(result);
        }
        attempt += 1;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// The hint for a request without a response, unless the reason is neither the network nor the server.
pub(super) fn hint(error: &AskError, hint: &'static str) -> Option<&'static str> {
    (!matches!(error.kind(), AskErrorKind::TooLarge | AskErrorKind::Unsupported)).then_some(hint)
}

/// Whether a status says that the server is overloaded or broken for now.
pub(super) fn is_passing_status(reply: &Reply) -> bool {
    reply.status().is_server_error()
        || matches!(reply.status(), http::StatusCode::TOO_MANY_REQUESTS | http::StatusCode::REQUEST_TIMEOUT)
}
