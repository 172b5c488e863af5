//! Decides whether a request needs a signature.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;

use countersign::tower::{RefusalBody, VerifyLayer, VerifyService};
use http::StatusCode;
use http_body_util::BodyExt;
use tower::{Layer, Service as _};

use super::verified::Forward;
use super::{Settings, auth_request, form, outgoing};
use crate::serve::keys::LookUp;
use crate::serve::path::Path;
use crate::serve::route::{self, Authorization};
use crate::serve::{Answer, AnswerBody, Decision, Exchange, Held, Passing, Request, Service, refusal};

type Verifying = Pin<Box<dyn Future<Output = Result<http::Response<RefusalBody<AnswerBody>>, Infallible>> + Send>>;

/// The service that the listener calls. `K` looks up keys.
#[derive(Clone)]
pub struct Gate<K> {
    settings: Arc<Settings>,
    verifying: VerifyService<Forward, K>,
}

/// Creates the service.
pub fn gate(settings: Arc<Settings>) -> Gate<impl LookUp> {
    let look_up = settings.ground.keys.look_up();
    Gate::new(settings, look_up)
}

impl<K: LookUp> Gate<K> {
    fn new(settings: Arc<Settings>, look_up: K) -> Self {
        let layer = VerifyLayer::new(settings.verifier.clone(), look_up)
            .error_format(settings.format)
            .max_body_bytes(settings.ground.limits.max_body_bytes)
            // The listener reads the rest, with a limit of time and without memory.
            .max_discarded_bytes(0);
        // Objects can be of any size, and a store can drop an incomplete one.
        let layer = if settings.is_streaming() { layer.stream_bodies() } else { layer };
        let verifying = layer.layer(Forward(Arc::clone(&settings)));
        Self { settings, verifying }
    }

    /// `Forward` is always ready. A function of its own, since the compiler can't prove in an async one that the service
    /// is one for all lifetimes.
    fn verify(&self, request: http::Request<AnswerBody>) -> Verifying {
        self.verifying.clone().call(request)
    }

    async fn routed(&self, request: http::Request<AnswerBody>, exchange: &Exchange) -> Answer {
        let settings = &self.settings;
        let path = request.uri().path();
        if !path.strip_prefix(&settings.stage).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) {
            exchange.refused("stage", "the path does not begin with the stage");
            return settings.answer(StatusCode::FORBIDDEN, "ForbiddenException", "Forbidden");
        }
        let keys = settings.ground.keys.get();
        let host = outgoing::host(request.headers(), request.uri());
        let Ok(resource) = settings.virtual_hosts.path_style(&host, path) else {
            return settings.invalid_bucket(exchange);
        };
        let resource = resource.into_owned();
        let parsed = Path::parse(&resource);
        let route = route::find(settings.routes.iter().chain(&keys.routes), request.method().as_str(), &parsed);
        let authorization = route.map_or(Authorization::AwsIam, |route| route.authorization);
        exchange.update(|record| {
            let name = |route: &route::Route| format!("{} {}", route.path_prefix, authorization.as_str());
            record.route = Some(route.map_or_else(|| authorization.as_str().into(), name));
        });
        drop(keys);
        if authorization == Authorization::None {
            exchange.update(|record| record.decision = Decision::Anonymous);
            return match settings.upstream {
                Some(_) => Box::pin(outgoing::anonymous(settings, passing(request), &resource, exchange)).await,
                None => auth_request::anonymous(),
            };
        }
        if form::is_form(settings, &request) {
            return Box::pin(form::answer(settings, request, exchange)).await;
        }
        refusal::recorded(self.verify(request).await, exchange)
    }
}

impl<K: LookUp> Service for Gate<K> {
    async fn answer(self, request: Request) -> Answer {
        let settings = &self.settings;
        let Some(exchange) = Exchange::of(request.extensions()) else {
            return settings.answer(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", "Internal server error");
        };
        let request = if settings.upstream.is_none() {
            match auth_request::described(settings, request, &exchange) {
                Ok(request) => request,
                Err(problem) => {
                    exchange.refused("target", problem);
                    return settings.denied();
                }
            }
        } else if form::is_form(settings, &request) {
            // Its fields count as memory, not its file.
            request.map(BodyExt::boxed_unsync)
        } else if settings.is_streaming() {
            // A chunk stays in memory until it is verified.
            let held = Held::default();
            let (mut head, body) = request.into_parts();
            head.extensions.insert(held.clone());
            http::Request::from_parts(head, body.held(&settings.ground.budget, held).boxed_unsync())
        } else {
            request.map(|body| body.within(&settings.ground.budget).boxed_unsync())
        };
        let answer = self.routed(request, &exchange).await;
        if self.settings.upstream.is_none() { auth_request::answer(answer, &exchange) } else { answer }
    }
}

/// A request whose body isn't held until it is verified.
fn passing(request: http::Request<AnswerBody>) -> http::Request<AnswerBody> {
    let held = request.extensions().get::<Held>().cloned().unwrap_or_default();
    request.map(|body| Passing::new(body, held).boxed_unsync())
}

impl Settings {
    pub fn is_s3(&self) -> bool {
        self.rules.post_policy
    }

    /// With --auth-request, no body arrives; that of a hash isn't checked with --allow-unchecked-bodies only.
    fn is_streaming(&self) -> bool {
        self.is_s3() || self.allow_unchecked_bodies
    }

    pub fn answer(&self, status: StatusCode, code: &'static str, message: &'static str) -> Answer {
        refusal::answer(self.format, status, code, message)
    }

    pub fn invalid_bucket(&self, exchange: &Exchange) -> Answer {
        exchange.refused("target", "the host begins with something that can't be the name of a bucket");
        self.answer(StatusCode::BAD_REQUEST, "InvalidBucketName", "The specified bucket is not valid.")
    }

    pub fn denied(&self) -> Answer {
        if self.is_s3() {
            self.answer(StatusCode::FORBIDDEN, "AccessDenied", "Access Denied")
        } else {
            let message = "User is not authorized to access this resource";
            self.answer(StatusCode::FORBIDDEN, "AccessDeniedException", message)
        }
    }
}
