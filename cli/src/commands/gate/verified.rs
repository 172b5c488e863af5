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

use super::outgoing::SignedPaths;
use super::{Settings, auth_request, outgoing, signature};
use crate::args::gate::Unavailable;
use crate::serve::forward::headers;
use crate::serve::keys::Asked;
use crate::serve::replay::{Digest, Seen};
use crate::serve::{Answer, AnswerBody, Decision, Exchange, Held, Passing};

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
            let paths = match permitted(&settings, &head, &verified, &exchange) {
                Ok(paths) => paths,
                Err(answer) => return Ok(*answer),
            };
            if settings.replay.is_some() {
                let (digest, end) = (signature::digest(&head, &verified), signature::valid_until(&verified));
                if let Err(answer) = Box::pin(first_use(&settings, digest, end, &exchange)).await {
                    return Ok(*answer);
                }
            }
            Ok(match &settings.upstream {
                Some(_) => {
                    let held = head.extensions.get::<Held>().cloned().unwrap_or_default();
                    let body = Passing::new(body, held).boxed_unsync();
                    outgoing::verified(&settings, head, body, (&verified, &paths), &exchange).await
                }
                None => auth_request::admitted(&settings, &verified, &exchange),
            })
        })
    }
}

/// Returns the path that was signed, if the key permits it.
fn permitted(
    settings: &Settings,
    head: &Parts,
    verified: &Verified,
    exchange: &Exchange,
) -> Result<SignedPaths, Box<Answer>> {
    let invalid = |_| Box::new(settings.invalid_bucket(exchange));
    let paths = SignedPaths::new(settings, verified).map_err(invalid)?;
    // The path as it arrived can have repeated slashes, which the signature doesn't tell apart. Here, the upstream gets it.
    let is_kept = settings.keep_signature || settings.upstream.is_none();
    let path_style = |path| settings.virtual_hosts.path_style(verified.host(), path).map_err(invalid);
    let arrived = if is_kept { Some(path_style(head.uri.path())?) } else { None };
    if [Some(paths.resource()), arrived.as_deref()]
        .into_iter()
        .flatten()
        .all(|path| is_permitted(settings, verified, path))
    {
        return Ok(paths);
    }
    exchange.refused("allow", "no [[key.allow]] of the key permits the request");
    Err(Box::new(settings.denied()))
}

/// The headers that name an object to be read, while the path names the one to be written.
const SOURCES: [&str; 2] = ["x-amz-copy-source", "x-amz-rename-source"];

/// The allow-list of the key. A key that was removed since it was looked up permits nothing.
fn is_permitted(settings: &Settings, verified: &Verified, resource: &str) -> bool {
    let expires = verified.is_presigned().then(|| signature::expires(verified)).flatten();
    let asked = Asked {
        host: verified.host(),
        method: verified.method(),
        path: resource,
        service: verified.scope().service(),
        expires: expires.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs),
    };
    let keys = settings.ground.keys.get();
    let Some(key) = keys.find(verified.access_key_id()) else { return false };
    // They are forwarded if they are signed. What they make of the method and the path is not compared.
    if !key.allow.is_empty() && verified.headers().any(|(name, _)| headers::is_override(name)) {
        return false;
    }
    let sources = verified.headers().filter(|(name, _)| settings.is_s3() && SOURCES.contains(name));
    let mut sources = sources.map(|(_, value)| source(value));
    key.permits(&asked) && sources.all(|path| key.permits(&Asked { method: "GET", path: &path, ..asked.clone() }))
}

/// The path of `/BUCKET/KEY?versionId=ID`. It is compared after it was decoded, as the store does.
fn source(value: &[u8]) -> String {
    let text = String::from_utf8_lossy(value);
    let path = text.split_once('?').map_or(&*text, |(path, _)| path);
    format!("/{}", path.strip_prefix('/').unwrap_or(path))
}

/// `--replay`. The signature is valid until `end`; one that isn't found is refused.
pub async fn first_use(
    settings: &Settings,
    digest: Option<Digest>,
    end: Timestamp,
    exchange: &Exchange,
) -> Result<(), Box<Answer>> {
    let Some(store) = &settings.replay else { return Ok(()) };
    let unavailable = |check, reason: &str| {
        exchange.refused(check, reason);
        let message = "Please reduce your request rate.";
        Err(Box::new(settings.answer(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable", message)))
    };
    let seen = match digest {
        Some(digest) => store.remember(digest, end).await,
        None => Seen::Again,
    };
    match seen {
        Seen::First => Ok(()),
        Seen::Again => {
            exchange.refused("replay", "the signature was used before");
            Err(Box::new(settings.denied()))
        }
        Seen::Full => unavailable("replay_full", "--replay-entries signatures are within their window"),
        Seen::Unknown(reason) => {
            let reason = format!("the server of --replay can't be asked: {reason}");
            settings.ground.metrics.replay_failed(settings.replay_unavailable == Unavailable::Allow);
            match settings.replay_unavailable {
                Unavailable::Refuse => unavailable("replay_unavailable", &reason),
                Unavailable::Allow => {
                    exchange.update(|record| record.reason = Some(format!("{reason}; --replay-unavailable allow")));
                    Ok(())
                }
            }
        }
    }
}
