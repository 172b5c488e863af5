//! What the layer lets through: unsigned bodies, anonymous requests, and what a service may trust.

use std::future::ready;
use std::io;

use countersign::tower::{Verified, VerifyLayer};
use countersign::{Credentials, Signer};
use http::Request;
use tower_layer::Layer;

use super::{DATA, Frames, Handler, Kind, answer_of, call, framed, keys, layer, outage, runtime, s3, unexpected};
use crate::support::fixtures::{credentials, now, verifier};

fn signed(kind: Kind) -> Request<Vec<u8>> {
    kind.signed(&credentials(), now())
}

#[test]
fn bodies_that_are_not_signed_are_refused_on_request() {
    let strict = layer(s3()).refuse_unsigned_bodies();
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::NoHash) {
        let handler = Handler::default();
        let answer = call(&strict, &handler, framed(signed(kind)));
        let is_signed = matches!(kind, Kind::Hashed | Kind::Chunked | Kind::ChunkedTrailer);
        assert_eq!((answer.status == 200, handler.count()), (is_signed, usize::from(is_signed)), "{kind:?}");
        assert_eq!(answer.code() == "AccessDeniedException", !is_signed, "{kind:?}");
    }
}

/// A request that was verified before, whose extensions may be in the wrong hands.
fn verified() -> Verified {
    let handler = Handler::default();
    call(&layer(s3()), &handler, framed(signed(Kind::Hashed)));
    handler.last().verified.unwrap()
}

#[test]
fn an_anonymous_request_has_no_caller_even_if_something_claims_one() {
    let open = layer(s3()).allow_anonymous();
    let mut request = Request::put("https://bucket.example/key").body(Frames::of([DATA])).unwrap();
    request.extensions_mut().insert(verified());
    let handler = Handler::default();
    assert_eq!(call(&open, &handler, request).status, 200);
    let seen = handler.last();
    assert!(seen.verified.is_none());
    assert_eq!(seen.data, DATA);
    assert!(!seen.parts.headers.contains_key("authorization"));
}

#[test]
fn the_caller_of_an_earlier_request_is_replaced() {
    let handler = Handler::default();
    let mut request = framed(Kind::Hashed.signed(&crate::support::fixtures::temporary(), now()));
    request.extensions_mut().insert(verified());
    assert_eq!(call(&layer(s3()), &handler, request).status, 200);
    assert_eq!(handler.last().verified.unwrap().access_key_id(), "ASIAEXAMPLE");
}

#[test]
fn an_anonymous_request_needs_no_look_up() {
    let open = VerifyLayer::new(s3(), unexpected).allow_anonymous();
    let request = Request::get("https://bucket.example/key").body(Frames::of([b""; 0])).unwrap();
    assert_eq!(call(&open, &Handler::default(), request).status, 200);
}

/// Changes an otherwise right request.
type Spoil = fn(&mut Request<Frames>);

fn header(request: &mut Request<Frames>, name: &'static str, value: &str) {
    request.headers_mut().insert(name, value.parse().unwrap());
}

fn query(request: &mut Request<Frames>, query: &str) {
    *request.uri_mut() = format!("https://bucket.example/key?{query}").parse().unwrap();
}

#[test]
fn where_anonymous_requests_are_allowed_a_wrong_signature_is_refused_all_the_same() {
    let spoilt: [Spoil; 12] = [
        |request| header(request, "x-amz-meta-a", "2"),
        |request| header(request, "authorization", ""),
        |request| header(request, "authorization", "AWS4-HMAC-SHA256"),
        |request| header(request, "authorization", "AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg="),
        |request| header(request, "authorization", "Bearer abc"),
        |request| header(request, "authorization", "Basic abc"),
        |request| {
            request.headers_mut().append("authorization", "AWS4-HMAC-SHA256 Credential=A".parse().unwrap());
        },
        |request| query(request, "part=2"),
        |request| {
            request.headers_mut().remove("authorization");
            query(request, "X-Amz-Signature=00");
        },
        |request| {
            request.headers_mut().remove("authorization");
            query(request, "X-Amz-Algorithm=AWS4-HMAC-SHA256");
        },
        |request| {
            request.headers_mut().remove("authorization");
            query(request, "%58-Amz-Credential=AKIDEXAMPLE");
        },
        |request| {
            request.headers_mut().remove("x-amz-date");
        },
    ];
    for (number, spoil) in spoilt.into_iter().enumerate() {
        let handler = Handler::default();
        let mut request = framed(signed(Kind::Hashed));
        spoil(&mut request);
        let answer = call(&layer(s3()).allow_anonymous(), &handler, request);
        assert!(answer.status >= 400 && handler.count() == 0, "{number}: {answer:?}");
    }
}

#[test]
fn a_service_that_reads_only_what_was_signed_is_not_misled_by_unsigned_headers() {
    let handler = Handler::default();
    let mut request = framed(signed(Kind::Hashed));
    header(&mut request, "x-forwarded-user", "root");
    assert_eq!(call(&layer(s3()), &handler, request).status, 200);
    let seen = handler.last();
    let verified = seen.verified.unwrap();
    assert!(seen.parts.headers.contains_key("x-forwarded-user"));
    assert_eq!((verified.header("x-forwarded-user"), verified.header("x-amz-meta-a")), (None, Some(&b"1"[..])));
}

#[test]
fn everything_that_needs_no_key_is_checked_before_the_look_up() {
    let closed = VerifyLayer::new(s3(), unexpected).clock(now);
    let spoilt: [Spoil; 6] = [
        |request| {
            for number in 0..1100 {
                let name: http::HeaderName = format!("x-header-{number}").parse().unwrap();
                request.headers_mut().insert(name, "1".parse().unwrap());
            }
        },
        |request| query(request, &"a&".repeat(1100)),
        |request| {
            let again = request.headers()["authorization"].clone();
            request.headers_mut().append("authorization", again);
        },
        |request| header(request, "connection", "close, x-amz-meta-a"),
        |request| header(request, "host", "other.example"),
        |request| header(request, "x-amz-acl", "public-read"),
    ];
    for (number, spoil) in spoilt.into_iter().enumerate() {
        let mut request = framed(signed(Kind::Hashed));
        spoil(&mut request);
        let answer = call(&closed, &Handler::default(), request);
        assert!(answer.status >= 400, "{number}: {answer:?}");
    }
}

#[test]
fn external_hosts_stand_in_for_the_host_that_arrives() {
    let behind_proxy = layer(s3().with_external_hosts(["bucket.example"]));
    let mut request = framed(signed(Kind::Hashed));
    *request.uri_mut() = "/key?part=1".parse().unwrap();
    header(&mut request, "host", "10.0.0.7:8080");
    let handler = Handler::default();
    assert_eq!(call(&behind_proxy, &handler, request).status, 200);
    let seen = handler.last();
    assert_eq!(seen.verified.unwrap().host(), "bucket.example");
    assert_eq!(seen.parts.headers["host"], "10.0.0.7:8080");
    let other = Kind::Hashed.signed_for("https://other.example/key?part=1", &credentials(), now());
    assert_eq!(call(&behind_proxy, &Handler::default(), framed(other)).status, 403);
}

#[test]
fn an_uri_that_a_router_changed_is_verified_as_it_was_sent() {
    #[derive(Clone)]
    struct Original(http::Uri);
    let mut request = framed(signed(Kind::Hashed));
    let sent = core::mem::replace(request.uri_mut(), "/inner".parse().unwrap());
    let handler = Handler::default();
    let found = layer(s3()).original_uri(|extensions| extensions.get::<Original>().map(|uri| uri.0.clone()));
    // Without it, the changed one is verified, which was not signed.
    assert!(call(&found, &handler, framed_without(&request)).status >= 400);
    request.extensions_mut().insert(Original(sent));
    assert_eq!(call(&found, &handler, request).status, 200);
    let seen = handler.last();
    assert_eq!((seen.parts.uri.path(), &*seen.verified.unwrap().canonical_path()), ("/inner", "/key"));
}

fn framed_without(request: &Request<Frames>) -> Request<Frames> {
    let mut copy = Request::put(request.uri()).body(Frames::of([DATA])).unwrap();
    copy.headers_mut().clone_from(request.headers());
    copy
}

#[test]
fn a_look_up_that_panics_or_fails_lets_nothing_through() {
    let handler = Handler::default();
    let broken = VerifyLayer::new(s3(), unexpected).clock(now);
    let request = framed(signed(Kind::Hashed));
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| call(&broken, &handler, request)));
    assert!(panicked.is_err());
    let failing = VerifyLayer::new(s3(), outage).clock(now);
    assert_eq!(call(&failing, &handler, framed(signed(Kind::Hashed))).status, 503);
    assert_eq!(handler.count(), 0);
    // The layer has no state that could be left broken.
    assert_eq!(call(&layer(s3()), &handler, framed(signed(Kind::Hashed))).status, 200);
}

#[test]
fn credentials_of_someone_else_verify_nothing() {
    use crate::support::fixtures::{SECRET, temporary};
    let with_id = |id: &str| Credentials::new(id, SECRET).unwrap();
    let with_token = credentials().with_session_token("a-token").unwrap();
    // What a look-up that ignores the caller, or one of its values, would return.
    for (who, found) in [
        (credentials(), with_id("AKIDSOMEONE")),
        (credentials(), with_token.clone()),
        (with_token, credentials()),
        (with_id("AKIDSOMEONE"), credentials()),
        (credentials(), temporary()),
    ] {
        for kind in Kind::ALL {
            let handler = Handler::default();
            let key = found.clone();
            let keys = move |_| ready(Ok::<_, io::Error>(Some(key.clone())));
            let layer = VerifyLayer::new(kind.verifier(), keys).clock(now);
            let answer = runtime().block_on(answer_of(layer.layer(handler.clone()), framed(kind.signed(&who, now()))));
            assert_eq!((answer.unwrap().status, handler.count()), (403, 0), "{kind:?} {who:?} {found:?}");
        }
    }
}

#[test]
fn the_length_of_decoded_data_is_the_signed_one() {
    let handler = Handler::default();
    let lenient = layer(s3().allow_unsigned(["x-amz-decoded-content-length"]));
    let mut request = framed(signed(Kind::Chunked));
    request.headers_mut().append("x-amz-decoded-content-length", "5".parse().unwrap());
    assert!(call(&lenient, &handler, request).status >= 400);
    assert_eq!(handler.count(), 0);
}

#[test]
fn a_request_that_is_given_up_leaves_nothing_behind() {
    let handler = Handler::default();
    let mut service = VerifyLayer::new(s3(), |caller| async move {
        tokio::task::yield_now().await;
        keys(caller).await
    })
    .clock(now)
    .layer(handler.clone());
    runtime().block_on(async {
        use tower_service::Service;
        let mut given_up = Box::pin(service.call(framed(signed(Kind::Hashed))));
        let first = std::future::poll_fn(|cx| std::task::Poll::Ready(given_up.as_mut().poll(cx).is_pending())).await;
        assert!(first);
        drop(given_up);
        assert_eq!(handler.count(), 0);
        assert_eq!(answer_of(service, framed(signed(Kind::Hashed))).await.unwrap().status, 200);
    });
    assert_eq!(handler.count(), 1);
}

#[test]
fn the_service_that_was_ready_is_the_one_that_is_called() {
    use std::task::{Context, Poll};
    /// Panics if it is called without being ready, as tower allows.
    #[derive(Default)]
    struct Picky(bool);
    impl Clone for Picky {
        fn clone(&self) -> Self {
            Self(false)
        }
    }
    impl<B> tower_service::Service<Request<B>> for Picky {
        type Response = http::Response<axum::body::Body>;
        type Error = std::convert::Infallible;
        type Future = std::future::Ready<Result<Self::Response, Self::Error>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.0 = true;
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: Request<B>) -> Self::Future {
            assert!(std::mem::take(&mut self.0), "called before it was ready");
            std::future::ready(Ok(http::Response::default()))
        }
    }
    let verifying = layer(s3()).layer(Picky::default());
    for _ in 0..3 {
        let answer = runtime().block_on(answer_of(verifying.clone(), framed(signed(Kind::Hashed))));
        assert_eq!(answer.unwrap().status, 200);
    }
}

#[test]
fn several_regions_and_services_are_told_apart_by_the_scope() {
    let both = verifier("execute-api").with_service("s3", super::rules()).unwrap().with_region("eu-west-1").unwrap();
    let layer = layer(both);
    let handler = Handler::default();
    for service in ["execute-api", "s3"] {
        let mut request = Request::get("https://bucket.example/key").body(Vec::new()).unwrap();
        let signer = Signer::new(credentials(), "eu-west-1", service).unwrap();
        signer.sign_http(&mut request, now()).unwrap();
        assert_eq!(call(&layer, &handler, framed(request)).status, 200);
        assert_eq!(handler.last().verified.unwrap().scope().service(), service);
    }
}
