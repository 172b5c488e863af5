//! Signs a request and forwards it.

use std::pin::Pin;
use std::sync::Arc;

use countersign::UnsignedPayload;
use countersign::streaming::Checksum;
use countersign::tower::{PayloadPolicy, SignService};
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Body;
use tower::{Layer, Service};

use super::admission::Admission;
use super::destination::{Destination, Destinations, Nowhere, named};
use super::failed::{Problem, Unsent};
use super::prepare::{Strip, has_checksum, is_aws_chunked};
use super::sending::Sending;
use super::source::Source;
use super::{Settings, failed};
use crate::args::proxy::BodyMode;
use crate::serve::forward::websocket::Handshake;
use crate::serve::{Answer, AnswerBody, Arriving, BoxError, Exchange, Request, Scope};

/// Smaller uploads to S3 are hashed: the signature then covers the body, and every store understands it.
const STREAMED: u64 = 1 << 20;

/// What is needed without --resign.
pub struct Signing {
    pub admission: Admission,
    pub destinations: Destinations,
    pub strip: Strip,
    pub body: BodyMode,
}

pub async fn answer(settings: &Settings, signing: &Signing, request: Request, exchange: &Exchange) -> Answer {
    let (mut head, body) = request.into_parts();
    let destination = match admitted(signing, &head) {
        Ok(destination) => destination,
        Err(problem) => return problem.answer(settings.format, exchange),
    };
    let target = &destination.target;
    exchange.update(|record| {
        record.scope = Some(Scope {
            service: target.service.clone(),
            region: target.region.clone(),
            upstream: destination.upstream.authority().to_string(),
        });
    });
    let handshake = Handshake::take(&mut head);
    let policy = policy(settings, signing.body, &destination, &head, &body);
    let body = match policy {
        PayloadPolicy::Buffered { .. } => body.within(&settings.ground.budget),
        _ => body,
    };
    signing.strip.headers(&mut head.headers);
    let Some(uri) = destination.upstream.uri(&signing.strip.target(&head.uri)) else {
        return failed::TARGET.answer(destination.format, exchange);
    };
    head.uri = uri;
    let sending = Sending::new(&destination.upstream, handshake, exchange);
    let service = destination.layer.clone().payload(policy).layer(sending);
    let request = http::Request::from_parts(head, body.boxed_unsync());
    match call(service, request).await {
        Ok(answer) => answer,
        Err(error) => Unsent::of(&error).answer(destination.format, exchange),
    }
}

/// Decides from the head of a request whether it is signed, and where it goes.
fn admitted(signing: &Signing, head: &Parts) -> Result<Arc<Destination>, Problem> {
    let host = named(head).ok_or(failed::BAD_HOST)?;
    signing.admission.check(&head.headers, &host).map_err(|refused| Problem {
        status: StatusCode::FORBIDDEN,
        code: "ForbiddenException",
        check: refused.check,
        message: refused.message,
        reason: None,
    })?;
    let destination = signing.destinations.find(&host).map_err(|nowhere| match nowhere {
        Nowhere::BadHost => failed::BAD_HOST,
        Nowhere::NotAllowed => failed::NOT_ALLOWED,
        Nowhere::NoScope(failure) => Problem { reason: Some(failure.to_string()), ..failed::NO_SCOPE },
    })?;
    if is_aws_chunked(&head.headers) {
        return Err(failed::AWS_CHUNKED);
    }
    Ok(destination)
}

/// `SignService` needs a function of its own here, as the compiler can't prove in an async one that it is a service for
/// all lifetimes.
fn call(
    mut service: SignService<Sending, Source>,
    request: http::Request<AnswerBody>,
) -> Pin<Box<dyn Future<Output = Result<Answer, BoxError>> + Send>> {
    service.call(request)
}

/// How the body is signed.
fn policy(
    settings: &Settings,
    mode: BodyMode,
    destination: &Destination,
    head: &Parts,
    body: &Arriving,
) -> PayloadPolicy {
    let buffered = PayloadPolicy::Buffered { max_bytes: settings.ground.limits.max_body_bytes };
    let rules = &destination.rules;
    // Upload of an object or of a part. S3 accepts chunks nowhere else.
    let is_upload = || rules.post_policy && head.method == Method::PUT && body.size_hint().exact() > Some(STREAMED);
    match mode {
        _ if body.is_end_stream() => buffered,
        BodyMode::Buffer => buffered,
        BodyMode::Unsigned => PayloadPolicy::Unsigned,
        BodyMode::Chunked => PayloadPolicy::Chunked(Checksum::Crc32),
        BodyMode::Auto if rules.unsigned_payload == UnsignedPayload::Always => PayloadPolicy::Unsigned,
        BodyMode::Auto if !is_upload() => buffered,
        // The checksum is a signed header, so that it protects the body.
        BodyMode::Auto if has_checksum(&head.headers) => PayloadPolicy::Unsigned,
        // As the AWS SDKs upload. TLS protects the body, and the checksum is compared at the end.
        BodyMode::Auto if destination.upstream.is_https() => PayloadPolicy::UnsignedChunked(Checksum::Crc32),
        BodyMode::Auto => PayloadPolicy::Chunked(Checksum::Crc32),
    }
}
