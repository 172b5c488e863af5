//! Handles a request whose signature is verified. What it may do is decided by what was signed.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use countersign::Timestamp;
use countersign::tower::{Verified, VerifiedBody};
use http::StatusCode;
use http::request::Parts;
use http_body_util::BodyExt;
use tower::Service;

use super::{Settings, auth_request, outgoing, signature};
use crate::serve::keys::Asked;
use crate::serve::replay::Seen;
use crate::serve::{Answer, AnswerBody, Decision, Exchange};

/// The service inside of the layer.
#[derive(Clone)]
pub struct Forward(pub Arc<Settings>);

impl Service<http::Request<VerifiedBody<AnswerBody>>> for Forward {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<VerifiedBody<AnswerBody>>) -> Self::Future {
        let settings = Arc::clone(&self.0);
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // The layer inserts the one, the listener the other. Without both, nothing is forwarded.
            let (Some(verified), Some(exchange)) =
                (head.extensions.get::<Verified>().cloned(), Exchange::of(&head.extensions))
            else {
                return Ok(settings.denied());
            };
            exchange.update(|record| {
                record.decision = Decision::Verified;
                record.caller = Some(verified.access_key_id().to_owned());
            });
            if let Err(answer) = admit(&settings, &head, &verified, &exchange) {
                return Ok(*answer);
            }
            Ok(match &settings.upstream {
                Some(_) => outgoing::verified(&settings, head, body.boxed_unsync(), &verified, &exchange).await,
                None => auth_request::admitted(&settings, &verified, &exchange),
            })
        })
    }
}

/// The allow-list of the key, and `--replay`.
fn admit(settings: &Settings, head: &Parts, verified: &Verified, exchange: &Exchange) -> Result<(), Box<Answer>> {
    let path = outgoing::signed_path(settings, verified);
    let expires = verified.is_presigned().then(|| signature::expires(verified)).flatten();
    let asked = Asked {
        host: verified.host(),
        method: verified.method(),
        path: &path,
        service: verified.scope().service(),
        expires: expires.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
    };
    // A key that was removed since it was looked up permits nothing.
    let keys = settings.ground.keys.get();
    if !keys.find(verified.access_key_id()).is_some_and(|key| key.permits(&asked)) {
        exchange.refused("allow", "no [[key.allow]] of the key permits the request");
        return Err(Box::new(settings.denied()));
    }
    let Some(memory) = &settings.replay else { return Ok(()) };
    let seen = signature::digest(head, verified)
        .map(|digest| memory.remember(digest, signature::valid_until(verified), Timestamp::now()));
    match seen {
        Some(Seen::First) => Ok(()),
        Some(Seen::Full) => {
            exchange.refused("replay_full", "--replay-entries signatures are within their window");
            let message = "Please reduce your request rate.";
            Err(Box::new(settings.answer(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)))
        }
        Some(Seen::Again) | None => {
            exchange.refused("replay", "the signature was used before");
            Err(Box::new(settings.denied()))
        }
    }
}
