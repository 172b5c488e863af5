//! Handles requests whose signature is verified.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use countersign::VerifiedHead;
use countersign::tower::{Verified, VerifiedBody};
use http::StatusCode;
use http::request::Parts;
use http_body_util::BodyExt;
use tower::Service;

use super::credentials::{Found, Missing};
use super::sign::{self, Unsigned};
use super::targets::Target;
use super::{Settings, Words, admit, answer, guard, outgoing};
use crate::serve::keys::{Key, Keys};
use crate::serve::{Answer, AnswerBody, Decision, Exchange, Held, Passing, Scope};

/// The service inside of the layer.
#[derive(Clone)]
pub struct Forward {
    pub settings: Arc<Settings>,
    pub words: Words,
}

impl Service<http::Request<VerifiedBody<AnswerBody>>> for Forward {
    type Response = Answer;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<VerifiedBody<AnswerBody>>) -> Self::Future {
        let own = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            // The layer inserts the one, the listener the other. Without both, nothing is forwarded.
            let (Some(verified), Some(exchange)) =
                (head.extensions.get::<Verified>().cloned(), Exchange::of(&head.extensions))
            else {
                return Ok(own.words.denied());
            };
            let held = head.extensions.get::<Held>().cloned().unwrap_or_default();
            let body = Passing::new(body, held).boxed_unsync();
            let handled = own.handle(head, body, &verified, &exchange).await;
            Ok(handled.unwrap_or_else(|answer| *answer))
        })
    }
}

impl Forward {
    async fn handle(
        &self,
        head: Parts,
        body: AnswerBody,
        verified: &Verified,
        exchange: &Exchange,
    ) -> Result<Answer, Box<Answer>> {
        let admitted = admitted(&self.settings, self.words, &head, verified, exchange)?;
        let body = guard::check(&self.settings, &head, verified, body)
            .await
            .map_err(|reason| refused(self.words, exchange, "credentials_in_answer", reason))?;
        let found = credentials(&self.settings, self.words, &admitted, exchange).await?;
        let target = admitted.target(&self.settings, verified).ok_or_else(|| Box::new(self.words.denied()))?;
        let parts = outgoing::parts(head, verified, target, &self.settings.virtual_hosts)
            .ok_or_else(|| Box::new(self.words.denied()))?;
        let unsigned = Unsigned { parts, verified, region: &self.settings.region };
        let signed = sign::signed(unsigned, body, &found.identity)
            .map_err(|reason| Box::new(not_signed(self.words, exchange, reason)))?;
        Ok(answer::of(self.words, &target.upstream, signed, &found, exchange).await)
    }
}

/// The key of a request that may pass.
pub struct Admitted {
    pub keys: Arc<Keys>,
    pub key: Arc<Key>,
}

impl Admitted {
    pub fn target<'s>(&self, settings: &'s Settings, verified: &VerifiedHead<'_>) -> Option<&'s Target> {
        admit::target(settings, verified)
    }
}

/// Decides whether a verified request may pass.
pub fn admitted(
    settings: &Settings,
    words: Words,
    head: &Parts,
    verified: &VerifiedHead<'_>,
    exchange: &Exchange,
) -> Result<Admitted, Box<Answer>> {
    exchange.update(|record| {
        record.decision = Decision::Verified;
        record.caller = Some(verified.access_key_id().to_owned());
    });
    let Some(target) = admit::target(settings, verified) else {
        return Err(refused(
            words,
            exchange,
            "upstream_for",
            "there is no upstream for this service and region".into(),
        ));
    };
    let scope = Scope {
        service: verified.scope().service().into(),
        region: settings.region.as_deref().or(verified.region_set()).unwrap_or(verified.scope().region()).into(),
        upstream: target.host.to_str().unwrap_or_default().into(),
    };
    exchange.update(|record| record.scope = Some(scope));
    let keys = settings.ground.keys.get();
    // A key that was removed since it was looked up permits nothing.
    let Some(key) = keys.find(verified.access_key_id()).cloned() else {
        return Err(refused(words, exchange, "allow", "the key was removed".into()));
    };
    match admit::check(settings, &key, head, verified, target) {
        Ok(()) => Ok(Admitted { keys, key }),
        Err((check, reason)) => Err(refused(words, exchange, check, reason)),
    }
}

pub async fn credentials(
    settings: &Settings,
    words: Words,
    admitted: &Admitted,
    exchange: &Exchange,
) -> Result<Found, Box<Answer>> {
    match settings.sources.find(&admitted.keys, &admitted.key).await {
        Ok(found) => Ok(found),
        Err(Missing::NotNamed) => {
            let reason = "the key has no [key.resign], which names the credentials to sign with";
            Err(refused(words, exchange, "resign", reason.into()))
        }
        Err(Missing::Failed(reason)) => {
            exchange.update(|record| {
                record.decision = Decision::UpstreamFailed;
                record.check = Some("credentials".into());
                record.reason = Some(reason);
            });
            let message = "The proxy has no credentials to sign the request with.";
            Err(Box::new(words.failed(StatusCode::SERVICE_UNAVAILABLE, message)))
        }
    }
}

pub fn refused(words: Words, exchange: &Exchange, check: &str, reason: String) -> Box<Answer> {
    exchange.refused(check, reason);
    Box::new(words.denied())
}

/// What was verified but can't be signed again.
pub fn not_signed(words: Words, exchange: &Exchange, reason: sign::NotSigned) -> Answer {
    match reason {
        sign::NotSigned::Unsupported(reason) => {
            exchange.refused("resign", reason);
            let message = "The proxy can't sign this kind of request again.";
            words.answer(StatusCode::NOT_IMPLEMENTED, "NotImplemented", message)
        }
        sign::NotSigned::Failed(reason) => {
            exchange.update(|record| {
                record.decision = Decision::UpstreamFailed;
                record.check = Some("signing".into());
                record.reason = Some(reason);
            });
            words.failed(StatusCode::BAD_GATEWAY, "The proxy could not sign the request.")
        }
    }
}
