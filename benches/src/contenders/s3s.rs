//! s3s has no public function that only verifies, so a call of its service is timed. A route answers in place of an S3
//! operation, and no operation is looked up, decoded or encoded.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Extensions, HeaderMap, Method, StatusCode, Uri};
use s3s::auth::SimpleAuth;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::host::SingleDomain;
use s3s::route::S3Route;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{Body, HttpResponse, S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use super::{countersign, ready};
use crate::measure::Contender;
use crate::requests::{ACCESS_KEY_ID, Case, LIFETIME, SECRET};

pub const WHO: &str = "s3s, whole service";

/// s3s compares presigned URLs with the clock, so one for the time of the others has expired. This one never expires
/// while it is measured, and its text is as long.
const FUTURE: &str = "20990830T123600Z";

struct NoStore;

impl S3 for NoStore {}

struct ReadBody;

#[async_trait]
impl S3Route for ReadBody {
    fn is_match(&self, _: &Method, _: &Uri, _: &HeaderMap, _: &mut Extensions) -> bool {
        true
    }

    /// s3s compares the hash of the body with the signed one only when the body is read.
    async fn call(&self, mut request: S3Request<Body>) -> S3Result<S3Response<Body>> {
        match request.input.store_all_limited(usize::MAX).await {
            Ok(_) => Ok(S3Response::new(Body::empty())),
            Err(error) => Err(S3Error::with_source(S3ErrorCode::BadDigest, error)),
        }
    }
}

fn service(case: &Case) -> S3Service {
    let (_, domain) = case.host.split_once('.').unwrap();
    let mut config = S3Config::default();
    // s3s compares the time of a request with the clock, and the requests of the others are from 2015.
    config.presigned_url_max_skew_time_secs = u32::MAX;
    let mut builder = S3ServiceBuilder::new(NoStore);
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.set_auth(SimpleAuth::from_single(ACCESS_KEY_ID, SECRET));
    builder.set_host(SingleDomain::new(domain).unwrap());
    builder.set_route(ReadBody);
    builder.build()
}

fn request(case: &Case) -> http::Request<()> {
    let mut request = case.http();
    *request.uri_mut() = case.target.parse().unwrap();
    request
}

fn call(service: &S3Service, request: http::Request<Body>) -> HttpResponse {
    ready(service.call(request)).unwrap()
}

/// `case` is one that arrives.
pub fn verify(case: &'static Case) -> Contender {
    let service = service(case);
    check(&service, case);
    let request = request(case);
    let input = move || Some(request.clone().map(|()| Body::from(Bytes::from_static(&case.body))));
    let run = move |request: &mut Option<http::Request<Body>>| {
        let response = call(&service, request.take().unwrap());
        assert_eq!(response.status(), StatusCode::OK, "{}", case.name);
    };
    Contender::with_input(WHO, input, run)
}

/// `case` is one that doesn't arrive yet: it is presigned for s3s alone.
pub fn verify_presigned(case: &'static Case) -> Contender {
    let headers = case.wire_headers();
    let now = FUTURE.parse().unwrap();
    let presigned = countersign::signer(case).presign(case.wire(&headers), LIFETIME, now).unwrap();
    let arriving = countersign::arriving_presigned(case);
    assert_eq!(presigned.target().len(), arriving.target.len());
    verify(Box::leak(Box::new(Case { target: presigned.target().to_owned(), ..arriving })))
}

/// It accepts the request, and refuses another signature and, where the body is signed, another body.
fn check(service: &S3Service, case: &Case) {
    let status_and_text = |case: &Case| {
        let response = call(service, request(case).map(|()| Body::from(case.body.clone())));
        let (status, mut body) = (response.status(), response.into_body());
        let text = ready(body.store_all_limited(usize::MAX)).unwrap();
        (status, String::from_utf8(text.into()).unwrap())
    };
    let refuses = |case: &Case, code: &str| {
        let (status, text) = status_and_text(case);
        assert!(!status.is_success() && text.contains(&format!("<Code>{code}</Code>")), "{}: {text}", case.name);
    };
    let (status, text) = status_and_text(case);
    assert_eq!(status, StatusCode::OK, "{}: {text}", case.name);

    let mut other_signature = case.clone();
    let authorization = other_signature.headers.iter_mut().find(|(name, _)| name == "authorization");
    let is_presigned = authorization.is_none();
    // The signature is the last thing in either text.
    let text = authorization.map_or(&mut other_signature.target, |(_, value)| value);
    let digit = if text.pop() == Some('0') { '1' } else { '0' };
    text.push(digit);
    refuses(&other_signature, "SignatureDoesNotMatch");

    if !is_presigned {
        let mut other_body = case.clone();
        match other_body.body.last_mut() {
            Some(byte) => *byte ^= 1,
            None => other_body.body.push(b'x'),
        }
        refuses(&other_body, "BadDigest");
    }
}
