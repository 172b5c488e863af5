//! What an attacker tries against the layers: as a client, on the path, or as the server that a client talks to.

use std::convert::Infallible;
use std::future::{Future, poll_fn, ready};
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use countersign::tower::{Caller, PayloadPolicy, SignLayer, VerifyLayer};
use countersign::{ErrorFormat, Identity, Payload, StreamingPayload};
use http::{HeaderMap, Request, Response};
use http_body::{Frame, SizeHint};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;
use tower_layer::Layer;
use tower_service::Service;

use super::sign::{identity, put_data, signing};
use super::{
    BoxError, DATA, Frames, Handler, Keys, Kind, answer_of, call, framed, keys, layer, runtime, s3, unexpected,
};
use crate::support::fixtures::{self, FORMATS, credentials, now, verifier};

fn signed(kind: Kind) -> Request<Vec<u8>> {
    kind.signed(&credentials(), now())
}

// Limits and the look-up.

#[test]
fn what_is_refused_in_any_case_is_refused_before_the_look_up() {
    let strict = VerifyLayer::new(s3(), unexpected).clock(now).refuse_unsigned_bodies();
    for kind in [Kind::Unsigned, Kind::UnsignedTrailer, Kind::PresignedGet, Kind::PresignedPut] {
        assert_eq!(
            call(&strict, &Handler::default(), framed(signed(kind))).code(),
            "AccessDeniedException",
            "{kind:?}"
        );
    }
    let mut messages = Request::put("https://bucket.example/key").body(DATA.to_vec()).unwrap();
    let payload = Payload::Streaming(StreamingPayload::Events);
    fixtures::signer("transcribe").sign_http_with_payload(&mut messages, payload, now()).unwrap();
    let layer = VerifyLayer::new(verifier("transcribe"), unexpected).clock(now);
    assert_eq!(call(&layer, &Handler::default(), framed(messages)).status, 403);
}

#[test]
fn a_hash_that_is_added_to_a_presigned_url_does_not_make_its_body_signed() {
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let mut request = framed(signed(Kind::PresignedPut));
    request.headers_mut().insert("x-amz-content-sha256", hash.parse().unwrap());
    let handler = Handler::default();
    let answer = call(&layer(s3()).refuse_unsigned_bodies(), &handler, request);
    assert_eq!((answer.code(), handler.count()), ("AccessDeniedException", 0));
}

#[test]
fn a_request_causes_at_most_one_look_up() {
    for (kind, streams) in Kind::ALL.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        for wrong in [false, true] {
            let count = Arc::new(AtomicUsize::new(0));
            let counter = Arc::clone(&count);
            let counting = move |caller: Caller| {
                counter.fetch_add(1, Ordering::Relaxed);
                keys(caller)
            };
            let layer = VerifyLayer::new(kind.verifier(), counting).clock(now);
            let layer = if streams { layer.stream_bodies() } else { layer };
            let mut request = signed(kind);
            if wrong {
                let uri = request.uri().to_string().replace("part=1", "part=2");
                *request.uri_mut() = uri.parse().unwrap();
            }
            assert_eq!(call(&layer, &Handler::default(), framed(request)).status == 200, !wrong, "{kind:?}");
            assert_eq!(count.load(Ordering::Relaxed), 1, "{kind:?} {wrong}");
        }
    }
}

/// A service that takes one of a limited number of permits when it is ready, and returns it when it is dropped.
struct Limited {
    left: Arc<AtomicUsize>,
    permit: Option<Permit>,
}

struct Permit(Arc<AtomicUsize>);

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Clone for Limited {
    fn clone(&self) -> Self {
        Self { left: Arc::clone(&self.left), permit: None }
    }
}

impl<B: Send + 'static> Service<Request<B>> for Limited {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        if self.permit.is_none() {
            let taken = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            assert!(taken.is_ok(), "no permit is left");
            self.permit = Some(Permit(Arc::clone(&self.left)));
        }
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let permit = self.permit.take().expect("it is ready");
        Box::pin(async move {
            drop((request, permit));
            Ok(Response::new(Body::empty()))
        })
    }
}

#[test]
fn a_request_that_is_refused_or_given_up_returns_the_permit_of_the_service() {
    let left = Arc::new(AtomicUsize::new(1));
    let limited = Limited { left: Arc::clone(&left), permit: None };
    let yielding = |caller| async move {
        tokio::task::yield_now().await;
        keys(caller).await
    };
    let service = VerifyLayer::new(s3(), yielding).clock(now).layer(limited);
    let broken = || framed(signed(Kind::Hashed)).map(|body| body.then(Err(io::ErrorKind::ConnectionReset.into())));
    let requests: [fn() -> Request<Frames>; 3] = [
        || framed(signed(Kind::Hashed)),
        || Request::put("https://bucket.example/key").body(Frames::of([DATA])).unwrap(),
        || framed(signed(Kind::Hashed)).map(|_| Frames::of([b"other"])),
    ];
    runtime().block_on(async {
        for _ in 0..3 {
            for request in requests.iter().map(|request| request()).chain([broken()]) {
                answer_of(service.clone(), request).await.unwrap();
                assert_eq!(left.load(Ordering::Relaxed), 1);
            }
            let mut clone = service.clone();
            poll_fn(|cx| Service::<Request<Frames>>::poll_ready(&mut clone, cx)).await.unwrap();
            let mut given_up = clone.call(framed(signed(Kind::Hashed)));
            assert!(poll_fn(|cx| Poll::Ready(given_up.as_mut().poll(cx).is_pending())).await);
            drop((given_up, clone));
            assert_eq!(left.load(Ordering::Relaxed), 1);
        }
    });
}

// What a service may read.

#[test]
fn http_trailers_do_not_reach_the_service_of_a_signed_request() {
    for (kind, streams) in Kind::ALL.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let mut forged = HeaderMap::new();
        for name in ["x-amz-meta-a", "x-amz-acl", "host", "content-length", "authorization"] {
            forged.insert(name, "forged".parse().unwrap());
        }
        let request = framed(signed(kind)).map(|body| body.then(Ok(Frame::trailers(forged))));
        let layer = layer(kind.verifier());
        let handler = Handler::default();
        assert_eq!(call(&if streams { layer.stream_bodies() } else { layer }, &handler, request).status, 200);
        let seen = handler.last();
        let values = seen.trailers.iter().flat_map(HeaderMap::values);
        assert!(values.into_iter().all(|value| value != "forged"), "{kind:?}: {:?}", seen.trailers);
        assert_eq!(seen.verified.unwrap().header("x-amz-acl"), None);
        assert!(!seen.parts.headers.contains_key("x-amz-acl"));
    }
}

/// Claims an end and a length, whatever it yields.
struct Lying {
    frames: Frames,
    is_end: bool,
    hint: SizeHint,
}

impl http_body::Body for Lying {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.frames).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.is_end
    }

    fn size_hint(&self) -> SizeHint {
        self.hint
    }
}

#[test]
fn a_body_that_lies_about_its_end_or_length_is_checked_by_what_it_yields() {
    let between = |lower, upper| {
        let mut hint = SizeHint::new();
        hint.set_upper(upper);
        hint.set_lower(lower);
        hint
    };
    let hints =
        [SizeHint::new(), SizeHint::with_exact(0), SizeHint::with_exact(1), between(0, u64::MAX), between(1, 2)];
    let changed = DATA.to_ascii_uppercase();
    for (kind, streams) in Kind::ALL.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
        let is_covered = matches!(kind, Kind::Hashed | Kind::NoHash);
        for ((hint, is_end), data) in hints
            .iter()
            .flat_map(|hint| [(hint, false), (hint, true)])
            .flat_map(|case| [(case, None), (case, Some(&changed))])
        {
            let layer = layer(kind.verifier());
            let layer = if streams { layer.stream_bodies() } else { layer };
            let handler = Handler::default();
            let request = signed(kind).map(|body| {
                let frames = Frames::of([data.filter(|_| is_covered).unwrap_or(&body)]);
                Lying { frames, is_end, hint: *hint }
            });
            let answer = runtime().block_on(answer_of(layer.layer(handler.clone()), request)).unwrap();
            let case = format!("{kind:?} {hint:?} {is_end} {streams} {answer:?}");
            assert_eq!(answer.status == 200, data.is_none() || !is_covered, "{case}");
        }
    }
}

#[test]
fn nothing_after_an_error_or_an_end_makes_a_body_whole() {
    let late: [fn(Frames) -> Frames; 3] = [
        |body| body.then(Err(io::ErrorKind::Other.into())).then(Ok(Frame::data(Bytes::new()))),
        |body| body.then(Err(io::ErrorKind::Other.into())).then(Ok(Frame::data(Bytes::from_static(b"x")))),
        |body| body.then(Err(io::ErrorKind::Other.into())).then(Ok(Frame::trailers(HeaderMap::new()))),
    ];
    for (kind, late) in Kind::ALL.into_iter().flat_map(|kind| late.map(|late| (kind, late))) {
        for layer in [layer(kind.verifier()), layer(kind.verifier()).stream_bodies()] {
            if matches!(kind, Kind::Unsigned | Kind::PresignedGet | Kind::PresignedPut) {
                continue;
            }
            let handler = Handler::default();
            let answer = call(&layer, &handler, framed(signed(kind)).map(late));
            assert!(answer.status >= 400, "{kind:?} {answer:?}");
        }
    }
}

#[test]
fn an_end_within_the_chunks_is_final() {
    for kind in [Kind::Chunked, Kind::ChunkedTrailer, Kind::UnsignedTrailer] {
        let body = signed(kind).into_body();
        let text = String::from_utf8(body.clone()).unwrap();
        let last = text.rfind("\r\n0").unwrap() + 2;
        let (data, end) = text.split_at(last);
        for changed in [
            format!("{end}{data}"),
            format!("{end}{data}{end}"),
            format!("{data}{end}{data}{end}"),
            format!("{data}{end}{end}"),
            format!("{data}0\r\n\r\n{end}"),
            format!("{data}00000{end}"),
            format!("{data}-{end}"),
        ] {
            if changed == text {
                continue;
            }
            let handler = Handler::default();
            let request = signed(kind).map(|_| Frames::of([&changed]));
            let answer = call(&layer(s3()), &handler, request);
            let is_same = handler.last().data == DATA && answer.status == 200;
            // More zeros are the same number.
            assert!(answer.is_refusal() || is_same && changed.contains("\r\n000000"), "{kind:?} {changed:?}");
        }
    }
}

/// Panics at its second frame.
struct Panics(Option<Bytes>);

impl http_body::Body for Panics {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(Some(Ok(Frame::data(self.0.take().expect("no panic")))))
    }
}

/// Polls twice, and returns `true` if the second poll panicked; whatever follows must not be an end.
#[derive(Clone)]
struct Catches;

impl<B: http_body::Body<Data = Bytes, Error = BoxError> + Send + 'static> Service<Request<B>> for Catches {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut body = Box::pin(request.into_body());
        let mut cx = Context::from_waker(std::task::Waker::noop());
        for _ in 0..3 {
            let polled = std::panic::AssertUnwindSafe(|| body.as_mut().poll_frame(&mut cx));
            let polled = std::panic::catch_unwind(polled);
            assert!(!matches!(polled, Ok(Poll::Ready(None))), "a body that panicked ended");
            assert!(!body.is_end_stream());
        }
        ready(Ok(Response::new(Body::empty())))
    }
}

#[test]
fn a_body_that_panics_does_not_end() {
    for kind in [Kind::Hashed, Kind::Chunked, Kind::ChunkedTrailer, Kind::UnsignedTrailer, Kind::Unsigned] {
        let request = signed(kind).map(|body| Panics(Some(body[..20].to_vec().into())));
        let service = layer(s3()).stream_bodies().layer(Catches);
        assert_eq!(runtime().block_on(answer_of(service, request)).unwrap().status, 200, "{kind:?}");
    }
}

#[test]
fn a_body_that_never_ends_never_reaches_a_service_that_gets_whole_bodies() {
    struct Endless;
    impl http_body::Body for Endless {
        type Data = Bytes;
        type Error = io::Error;
        fn poll_frame(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
            Poll::Pending
        }
    }
    for kind in [Kind::Hashed, Kind::NoHash] {
        let handler = Handler::default();
        let service = layer(kind.verifier()).layer(handler.clone());
        let request = signed(kind).map(|_| Endless);
        let limit = std::time::Duration::from_millis(20);
        let answer = runtime().block_on(async { tokio::time::timeout(limit, answer_of(service, request)).await });
        assert!(answer.is_err() && handler.count() == 0, "{kind:?}");
    }
}

/// Anyone can change these without breaking the signature. What was signed stays what `Verified` says.
#[test]
fn verified_says_what_was_signed_where_the_uri_can_be_written_differently() {
    let paths = |kind: Kind, signed: &str, sent: &str| {
        let request = kind.signed_for(&format!("https://bucket.example{signed}"), &credentials(), now());
        let mut request = framed(request);
        *request.uri_mut() = format!("https://bucket.example{sent}").parse().unwrap();
        let handler = Handler::default();
        let answer = call(&layer(kind.verifier()), &handler, request);
        (answer.status == 200).then(|| handler.last().verified.unwrap().canonical_path().to_string())
    };
    for (kind, signed, sent, expected) in [
        // Services that normalize paths: AWS removes empty segments before it verifies.
        (Kind::NoHash, "/a/b", "//a/b", Some("/a/b")),
        (Kind::NoHash, "/a/b", "/a//b", Some("/a/b")),
        (Kind::NoHash, "/a/b", "/a/./b", None),
        (Kind::NoHash, "/a/b", "/c/../a/b", None),
        (Kind::NoHash, "/a/b", "/a%2Fb", None),
        (Kind::NoHash, "/a/b", "/a/b/", None),
        (Kind::NoHash, "/a/b", "/%61/b", None),
        (Kind::NoHash, "/a/b", "/A/b", None),
        // S3 decodes paths before it verifies.
        (Kind::Hashed, "/a/b", "/%61/b", Some("/a/b")),
        (Kind::Hashed, "/a/b", "//a/b", None),
        (Kind::Hashed, "/a/b", "/a%2Fb", Some("/a/b")),
        (Kind::Hashed, "/a/b", "/c/../a/b", None),
        (Kind::Hashed, "/a?x=1&y=2", "/a?y=2&x=1", Some("/a")),
        (Kind::Hashed, "/a?x=1", "/a?x=1&", Some("/a")),
        (Kind::Hashed, "/a?x=1", "/a", None),
        (Kind::Hashed, "/a", "/a?acl", None),
    ] {
        assert_eq!(paths(kind, signed, sent).as_deref(), expected, "{kind:?} {signed} {sent}");
    }
}

#[test]
fn hosts_that_disagree_are_refused_in_every_form() {
    let hosts = |uri: &str, hosts: &[&str]| {
        let mut request = framed(signed(Kind::Hashed));
        *request.uri_mut() = uri.parse().unwrap();
        for host in hosts {
            request.headers_mut().append("host", host.parse().unwrap());
        }
        let handler = Handler::default();
        call(&layer(s3()), &handler, request).status == 200
    };
    for (uri, headers, expected) in [
        ("https://bucket.example/key?part=1", &[][..], true),
        ("https://bucket.example/key?part=1", &["bucket.example"], true),
        ("/key?part=1", &["bucket.example"], true),
        ("https://user@bucket.example/key?part=1", &[], true),
        ("https://bucket.example:443/key?part=1", &["bucket.example"], true),
        ("/key?part=1", &[], false),
        ("/key?part=1", &["bucket.example", "bucket.example"], false),
        ("/key?part=1", &["bucket.example", "other.example"], false),
        ("https://bucket.example/key?part=1", &["other.example"], false),
        ("https://other.example/key?part=1", &["bucket.example"], false),
        ("https://bucket.example:8443/key?part=1", &["bucket.example"], false),
        ("https://bucket.example@other.example/key?part=1", &[], false),
        ("https://other.example/key?part=1", &[], false),
        ("/key?part=1", &["bucket.example, other.example"], false),
        ("/key?part=1", &["bucket.example@other.example"], false),
    ] {
        assert_eq!(hosts(uri, headers), expected, "{uri} {headers:?}");
    }
}

// Refusals.

#[test]
fn refusals_do_not_reflect_markup_or_headers() {
    const EVIL: &str = "<script>\"'&]]>\u{7f}";
    for format in FORMATS {
        for (name, value) in [
            ("x-amz-content-sha256", "<script>\"'&]]>"),
            ("x-amz-date", "<script>\"'&]]>"),
            ("authorization", "AWS4-HMAC-SHA256 Credential=<script>\"'&]]>/20150830/us-east-1/s3/aws4_request"),
            ("authorization", "AWS4-<script>\"'&]]> Credential=a"),
            ("authorization", "<script>\"'&]]>"),
            ("connection", "x-amz-date, <script>\"'&]]>"),
            ("host", "<script>\"'&]]>"),
            ("x-amz-<", "1"),
        ] {
            let mut request = framed(signed(Kind::Hashed));
            let Ok(name) = http::HeaderName::try_from(name) else { continue };
            request.headers_mut().insert(&name, value.parse().unwrap());
            let answer = call(&layer(s3()).error_format(format), &Handler::default(), request);
            assert!(answer.status >= 400, "{name} {answer:?}");
            let is_json = answer.headers["content-type"].to_str().unwrap().contains("json");
            let parsed = !is_json || serde_json::from_str::<serde_json::Value>(&answer.body).is_ok();
            assert!(parsed && (is_json || !answer.body.contains("<script>")), "{format:?} {name}: {}", answer.body);
            for (name, value) in &answer.headers {
                assert!(!value.to_str().unwrap().contains("script"), "{name}");
            }
            assert!(!answer.body.contains(EVIL) && !answer.body.contains("bucket.example\n"), "{}", answer.body);
        }
    }
}

#[test]
fn a_mismatch_does_not_show_the_canonical_request_unless_asked_to() {
    for format in FORMATS {
        let mut request = framed(signed(Kind::Hashed));
        request.headers_mut().insert("x-amz-meta-a", "2".parse().unwrap());
        let answer = call(&layer(s3()).error_format(format), &Handler::default(), request);
        assert!(!answer.body.contains("x-amz-meta-a") && !answer.body.contains("20150830T123600Z"), "{}", answer.body);
    }
}

#[test]
fn a_refusal_of_head_has_no_body_but_its_length() {
    for format in FORMATS {
        let layer = layer(s3()).error_format(format);
        let refused = |method: &str| {
            let request = Request::builder().method(method).uri("https://bucket.example/key");
            call(&layer, &Handler::default(), request.body(Frames::default()).unwrap())
        };
        let (head, get) = (refused("HEAD"), refused("GET"));
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{format:?}");
        assert_eq!(head.headers["content-length"], get.body.len().to_string(), "{format:?}");
        assert_eq!(head.headers["content-type"], get.headers["content-type"]);
    }
}

#[test]
fn a_refusal_of_head_is_readable_with_http_1_and_2_and_without_a_router() {
    use tower::ServiceExt;

    use super::read;
    let runtime = Runtime::new().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let service = layer(s3()).layer(axum::Router::new());
    let service = ServiceExt::<Request<Body>>::map_response(service, |response| response.map(Body::new));
    runtime.spawn(async { axum::serve(listener, axum::ServiceExt::<Request<Body>>::into_make_service(service)).await });
    for http2 in [false, true] {
        let client = Client::builder(TokioExecutor::new()).http2_only(http2).build_http::<Body>();
        for _ in 0..2 {
            let request = Request::head(format!("http://{address}/key")).body(Body::empty()).unwrap();
            let response = runtime.block_on(client.request(request)).unwrap();
            assert_eq!(response.status(), 403);
            assert_eq!(response.headers()["x-amzn-errortype"], "MissingAuthenticationTokenException");
            let (data, _, error) = runtime.block_on(read(response.into_body()));
            assert!(data.is_empty() && error.is_none(), "{http2}: {error:?}");
        }
    }
}

/// The URI that the closure finds counts in place of the other, as a whole: its host has to agree, too.
#[test]
fn an_original_uri_is_verified_with_its_host_and_query() {
    #[derive(Clone)]
    struct Original(http::Uri);
    let found = layer(s3()).original_uri(|extensions| extensions.get::<Original>().map(|uri| uri.0.clone()));
    for (original, rewritten, expected) in [
        ("https://bucket.example/key?part=1", "https://bucket.example/inner", true),
        ("/key?part=1", "/inner", true),
        ("https://other.example/key?part=1", "/inner", false),
        ("https://bucket.example/key?part=2", "https://bucket.example/key?part=1", false),
        ("https://bucket.example/inner", "https://bucket.example/key?part=1", false),
        ("/key", "/key?part=1", false),
        ("*", "/key?part=1", false),
    ] {
        let mut request = framed(signed(Kind::Hashed));
        request.headers_mut().insert("host", "bucket.example".parse().unwrap());
        request.extensions_mut().insert(Original(original.parse().unwrap()));
        *request.uri_mut() = rewritten.parse().unwrap();
        let handler = Handler::default();
        let answer = call(&found, &handler, request);
        assert_eq!((answer.status == 200, handler.count() == 1), (expected, expected), "{original}: {answer:?}");
        if expected {
            let seen = handler.last();
            assert_eq!(
                (seen.parts.uri.to_string().as_str(), &*seen.verified.unwrap().canonical_path()),
                (rewritten, "/key")
            );
        }
    }
}

#[test]
fn two_hosts_are_refused_with_http_2() {
    let runtime = Runtime::new().unwrap();
    let router = axum::Router::new().fallback(|| ready("reached")).layer(layer(s3()));
    let address = super::served::serve(&runtime, router);
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Body>();
    for hosts in [&[][..], &["SELF"], &["SELF", "SELF"], &["SELF", "other.example"], &["other.example"]] {
        let mut request = Kind::Hashed.signed_for(&format!("http://{address}/key"), &credentials(), now());
        for host in hosts {
            request.headers_mut().append("host", host.replace("SELF", &address.to_string()).parse().unwrap());
        }
        let status = runtime.block_on(client.request(request.map(Body::from))).unwrap().status();
        assert_eq!(status == 200, hosts.len() < 2 && hosts != ["other.example"], "{hosts:?} {status}");
    }
}

// The client.

#[test]
fn a_host_header_of_another_server_is_not_signed() {
    use countersign::tower::SignLayerError;
    let send = |uri: &str, host: &str| {
        let mut request = put_data();
        *request.uri_mut() = uri.parse().unwrap();
        request.headers_mut().insert("host", host.parse().unwrap());
        let client = super::attempts::FailsOnce::default();
        let sent = runtime().block_on(answer_of(signing(identity()).layer(client.clone()), request));
        assert_eq!(sent.is_ok(), client.0.lock().unwrap().len() == 1);
        sent
    };
    for (uri, host) in [
        ("https://attacker.example/key?acl", "bucket.example"),
        ("https://bucket.example:8443/key", "bucket.example"),
        ("https://bucket.example@attacker.example/key", "bucket.example"),
        ("http://bucket.example/key", "bucket.example:443"),
    ] {
        let error = send(uri, host).unwrap_err();
        assert!(matches!(error.downcast_ref(), Some(SignLayerError::HostsDiffer { .. })), "{uri} {host}: {error}");
    }
    for (uri, host) in [
        ("https://bucket.example/key", "bucket.example"),
        ("https://bucket.example/key", "Bucket.Example:443"),
        ("http://bucket.example:80/key", "bucket.example"),
        ("http://user@bucket.example:8080/key", "bucket.example:8080"),
        ("/key", "bucket.example"),
    ] {
        send(uri, host).unwrap();
    }
}

/// The header stays the same when a redirect is followed: the server that it names would accept the signature.
#[test]
fn a_redirect_does_not_obtain_a_signature_for_the_host_that_it_leaves() {
    #[derive(Clone, Default)]
    struct Redirects(Arc<AtomicUsize>);
    impl<B> Service<Request<B>> for Redirects {
        type Response = Response<Body>;
        type Error = BoxError;
        type Future = std::future::Ready<Result<Self::Response, BoxError>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, request: Request<B>) -> Self::Future {
            self.0.fetch_add(1, Ordering::Relaxed);
            assert_ne!(request.uri().host(), Some("attacker.example"), "{:?}", request.headers());
            let to = "https://attacker.example/other-key";
            ready(Ok(Response::builder().status(307).header("location", to).body(Body::empty()).unwrap()))
        }
    }
    let client = Redirects::default();
    let follows =
        tower_http::follow_redirect::FollowRedirectLayer::new().layer(signing(identity()).layer(client.clone()));
    let get = Request::get("https://bucket.example/key").header("host", "bucket.example");
    let error = runtime().block_on(answer_of(follows, get.body(Body::empty()).unwrap())).unwrap_err();
    assert!(error.is::<countersign::tower::SignLayerError>(), "{error}");
    assert_eq!(client.0.load(Ordering::Relaxed), 1);
}

/// Refuses with this date until it is told to stop.
#[derive(Clone)]
struct Poisons<S> {
    inner: S,
    date: &'static str,
    left: Arc<AtomicUsize>,
}

impl<S, Q> Service<Request<Q>> for Poisons<S>
where
    S: Service<
            Request<Q>,
            Response = Response<countersign::tower::RefusalBody<Body>>,
            Error = Infallible,
            Future: Send + 'static,
        >,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_ok() {
            let response = Response::builder().status(403).header("date", self.date).body(Body::from("no"));
            return Box::pin(ready(Ok(response.unwrap())));
        }
        let answer = self.inner.call(request);
        Box::pin(async move {
            let mut response = answer.await?.map(Body::new);
            response.headers_mut().insert("date", "Sun, 30 Aug 2015 12:36:00 GMT".parse().unwrap());
            Ok(response)
        })
    }
}

#[test]
fn a_wrong_date_costs_the_request_that_it_answers_and_at_most_one_more() {
    let expiring = || Identity::from(credentials().with_expires_at(now().saturating_add(3600)));
    for date in ["Sun, 30 Aug 2099 12:36:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"] {
        for (times, identity) in [1, 2].into_iter().flat_map(|times| [(times, identity()), (times, expiring())]) {
            let inner = layer(s3()).layer(Handler::default());
            let policies = [PayloadPolicy::Buffered { max_bytes: 100 }, PayloadPolicy::Unsigned];
            for policy in policies {
                let client = Poisons { inner: inner.clone(), date, left: Arc::new(AtomicUsize::new(times)) };
                let service = signing(identity.clone()).payload(policy).correct_clock().layer(client);
                let statuses = [(); 5].map(|()| {
                    let answer = runtime().block_on(answer_of(service.clone(), put_data()));
                    answer.unwrap_or_else(|error| panic!("{date} {times}: {error}")).status
                });
                // What is not buffered can't be repeated, so that one more request is lost.
                let lost = if policy == PayloadPolicy::Unsigned { times + 1 } else { 1 };
                assert!(statuses[lost..].iter().all(|status| *status == 200), "{date} {policy:?}: {statuses:?}");
            }
        }
    }
}

#[test]
fn headers_of_the_connection_are_not_signed_and_stay_as_they_are() {
    let all = |signing: SignLayer<Identity>| {
        signing.signer(|signer| signer.with_signed_headers(countersign::SignedHeaders::All))
    };
    for signing in [signing(identity()), all(signing(identity()))] {
        let mut request = put_data();
        let names =
            ["expect", "te", "upgrade", "keep-alive", "proxy-authorization", "connection", "user-agent", "trailer"];
        for name in names {
            request.headers_mut().insert(name, "close".parse().unwrap());
        }
        let client = super::attempts::FailsOnce::default();
        runtime().block_on(answer_of(signing.layer(client.clone()), request)).unwrap();
        let sent = &client.0.lock().unwrap()[0];
        let authorization = sent["authorization"].to_str().unwrap();
        for name in names {
            assert!(sent[name] == "close" && !authorization.contains(&format!(";{name}")), "{authorization}");
        }
    }
    let mut request = put_data();
    request.headers_mut().insert("connection", "x-amz-date".parse().unwrap());
    let client = super::attempts::FailsOnce::default();
    runtime().block_on(answer_of(signing(identity()).layer(client.clone()), request)).unwrap_err();
    assert!(client.0.lock().unwrap().is_empty());
}

#[test]
fn an_anonymous_request_cannot_bring_a_caller_with_it() {
    let open = VerifyLayer::new(s3(), unexpected as Keys).clock(now).allow_anonymous().error_format(ErrorFormat::S3Xml);
    let mut request = Request::put("https://bucket.example/key").body(Frames::of([DATA])).unwrap();
    for (name, value) in [
        ("x-amz-security-token", fixtures::TOKEN),
        ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
        ("x-amz-decoded-content-length", "5"),
        ("content-encoding", "aws-chunked"),
        ("x-amz-date", fixtures::TIME),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let handler = Handler::default();
    assert_eq!(call(&open, &handler, request).status, 200);
    let seen = handler.last();
    // Nothing of it is decoded or described anew.
    assert!(seen.verified.is_none() && seen.data == DATA && seen.parts.headers["content-encoding"] == "aws-chunked");
}
