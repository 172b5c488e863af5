//! Verifies requests.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use countersign::tower::{RefusalBody, VerifyLayer, VerifyService};
use countersign::{StreamingPayload, Verifier};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use tower::{Layer, Service as _};

use super::verified::Forward;
use super::{Settings, Words, events, form};
use crate::serve::keys::LookUp;
use crate::serve::path::decoded_once;
use crate::serve::{Answer, AnswerBody, Exchange, Held, Request, Service, refusal};

type Verifying = Pin<Box<dyn Future<Output = Result<http::Response<RefusalBody<AnswerBody>>, Infallible>> + Send>>;

/// The service that the listener calls. `K` looks up keys.
#[derive(Clone)]
pub struct Resigning<K> {
    settings: Arc<Settings>,
    /// Never empty.
    services: Arc<[Own<K>]>,
}

/// A service that requests may be signed for.
struct Own<K> {
    name: String,
    words: Words,
    /// For event streams, which the layer doesn't decode.
    verifier: Verifier,
    verifying: VerifyService<Forward, K>,
}

/// Creates the service.
pub fn resigning(settings: Arc<Settings>, verifiers: Vec<Verifier>) -> Resigning<impl LookUp> {
    let look_up = settings.ground.keys.look_up();
    let services = settings.targets.services().iter().zip(verifiers);
    let services = services.map(|(name, verifier)| Own::new(&settings, name, verifier, look_up.clone())).collect();
    Resigning { settings, services }
}

impl<K: LookUp> Own<K> {
    fn new(settings: &Arc<Settings>, name: &str, verifier: Verifier, look_up: K) -> Self {
        let words = Words::of(name);
        // What the upstream got of a body that isn't the signed one is incomplete: the end is held back until then.
        let layer = VerifyLayer::new(verifier.clone(), look_up)
            .error_format(words.format)
            .max_body_bytes(settings.ground.limits.max_body_bytes)
            // What nobody wants is read by the body itself, in a limited time.
            .max_discarded_bytes(0)
            .stream_bodies();
        let verifying = layer.layer(Forward { settings: Arc::clone(settings), words });
        Self { name: name.into(), words, verifier, verifying }
    }

    /// `Forward` is always ready. A function of its own, since the compiler can't prove in an async one that the service
    /// is one for all lifetimes.
    fn verify(&self, request: http::Request<AnswerBody>) -> Verifying {
        self.verifying.clone().call(request)
    }
}

impl<K: LookUp> Service for Resigning<K> {
    async fn answer(self, request: Request) -> Answer {
        let service = claimed_service(request.uri().query(), request.headers().get(AUTHORIZATION));
        let is_form = service.is_none() && is_form(&request);
        let is_own = |own: &&Own<K>| if is_form { own.words.is_s3 } else { Some(&own.name) == service.as_ref() };
        let own = self.services.iter().find(is_own).or(self.services.first());
        let (Some(own), Some(exchange)) = (own, Exchange::of(request.extensions())) else {
            return Words::of("").failed(StatusCode::INTERNAL_SERVER_ERROR, "Internal server error");
        };
        let (mut head, body) = request.into_parts();
        if is_form && own.words.is_s3 {
            let request = (head, body.boxed_unsync());
            return Box::pin(form::answer(&self.settings, own.words, &own.verifier, request, &exchange)).await;
        }
        let declared = head.headers.get("x-amz-content-sha256");
        if declared.is_some_and(|value| value == StreamingPayload::Events.as_str()) {
            let request = http::Request::from_parts(head, body.boxed_unsync());
            return Box::pin(events::answer(&self.settings, own.words, &own.verifier, request, &exchange)).await;
        }
        // A chunk is kept until it is verified, and all of a body whose hash isn't declared.
        let held = Held::default();
        head.extensions.insert(held.clone());
        let body = body.held(&self.settings.ground.budget, held).boxed_unsync();
        refusal::recorded(own.verify(http::Request::from_parts(head, body)).await, &exchange)
    }
}

/// The service that a request says it is signed for. It only chooses the verifier, which accepts no other.
fn claimed_service(query: Option<&str>, authorization: Option<&http::HeaderValue>) -> Option<String> {
    let in_header = authorization.and_then(|value| {
        let rest = value.to_str().ok()?.split_once("Credential=")?.1;
        service_of(rest.split([',', ' ']).next()?.as_bytes())
    });
    let in_query = || {
        let pairs = query?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let mut values = pairs.filter(|(name, _)| decoded_once(name) == b"X-Amz-Credential");
        service_of(&decoded_once(values.next()?.1))
    };
    in_header.or_else(in_query)
}

/// `AKID/DATE/REGION/SERVICE/aws4_request`; without a region for SigV4A.
fn service_of(credential: &[u8]) -> Option<String> {
    let mut parts = std::str::from_utf8(credential).ok()?.rsplit('/');
    parts.next().filter(|end| *end == "aws4_request")?;
    parts.next().map(str::to_owned)
}

/// A form has its signature in its fields, and none in the headers or the query.
fn is_form(request: &Request) -> bool {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let start = content_type.split(';').next().unwrap_or_default().trim();
    let has_signature = request.headers().contains_key(AUTHORIZATION) || request.uri().query().is_some();
    request.method() == Method::POST && !has_signature && start.eq_ignore_ascii_case("multipart/form-data")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claimed_service_is_found_in_header_and_query() {
        let header = |value: &'static str| claimed_service(None, Some(&http::HeaderValue::from_static(value)));
        let query = |value| claimed_service(Some(value), None);
        let of_v4 = "AWS4-HMAC-SHA256 Credential=AKID/x/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host";
        assert_eq!(header(of_v4).as_deref(), Some("sqs"));
        let of_v4a = "AWS4-ECDSA-P256-SHA256 Credential=AKID/20260101/s3/aws4_request,SignedHeaders=host";
        assert_eq!(header(of_v4a).as_deref(), Some("s3"));
        assert_eq!(query("a&X-Amz-Credential=AKID%2F20260101%2Fus-east-1%2Fs3%2Faws4_request").as_deref(), Some("s3"));
        for other in ["Bearer x", "AWS4-HMAC-SHA256 Credential=", "AWS4-HMAC-SHA256 Credential=a/b/c"] {
            assert_eq!(header(other), None, "{other}");
        }
    }
}
