//! Attempts: retries, redirects, and a clock that is corrected.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::routing::any;
use axum::{Extension, Router};
use countersign::tower::{IdentitySource, PayloadPolicy, SignLayer, SignedBody, Verified, VerifyLayer};
use http::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;
use tower::retry::{Policy, RetryLayer};
use tower_http::follow_redirect::{FollowRedirectLayer, policy as redirect};
use tower_layer::Layer;
use tower_service::Service;

use super::served::serve;
use super::sign::{CRC, identity, put_data, signing};
use super::{BoxError, DATA, Frames, Handler, Keys, answer_of, keys, layer, runtime, s3};
use crate::support::fixtures::{now, verifier};

/// Answers the first request with 500, and keeps what was sent.
#[derive(Clone, Default)]
pub struct FailsOnce(pub Arc<Mutex<Vec<http::HeaderMap>>>);

impl<B> Service<Request<B>> for FailsOnce {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let mut all = self.0.lock().unwrap();
        all.push(request.headers().clone());
        let status = if all.len() == 1 { 500 } else { 200 };
        ready(Ok(Response::builder().status(status).body(Body::empty()).unwrap()))
    }
}

/// Repeats a request twice as long as the answer is not a success.
#[derive(Clone)]
struct Twice(u8);

impl<R, E> Policy<Request<Frames>, Response<R>, E> for Twice {
    type Future = Ready<()>;

    fn retry(&mut self, _: &mut Request<Frames>, result: &mut Result<Response<R>, E>) -> Option<Ready<()>> {
        let is_success = result.as_ref().is_ok_and(|response| response.status().is_success());
        self.0 = self.0.checked_sub(1)?;
        (!is_success).then(|| ready(()))
    }

    fn clone_request(&mut self, request: &Request<Frames>) -> Option<Request<Frames>> {
        Some(with_parts_of(request))
    }
}

fn with_parts_of(request: &Request<Frames>) -> Request<Frames> {
    let mut again = put_data();
    *again.uri_mut() = request.uri().clone();
    again.headers_mut().clone_from(request.headers());
    again
}

#[test]
fn each_attempt_of_a_retry_layer_is_signed_anew() {
    static SECONDS: AtomicI64 = AtomicI64::new(0);
    for policy in [PayloadPolicy::Buffered { max_bytes: 100 }, PayloadPolicy::Unsigned, PayloadPolicy::Chunked(CRC)] {
        SECONDS.store(0, Ordering::Relaxed);
        let signing = signing(identity()).payload(policy);
        let signing = signing.clock(|| now().saturating_add(SECONDS.fetch_add(7, Ordering::Relaxed)));
        let client = FailsOnce::default();
        let retrying = RetryLayer::new(Twice(2)).layer(signing.layer(client.clone()));
        assert_eq!(runtime().block_on(answer_of(retrying, put_data())).unwrap().status, 200);
        let sent = client.0.lock().unwrap();
        let of = |name: &str| sent.iter().map(|headers| headers[name].to_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(of("x-amz-date"), ["20150830T123600Z", "20150830T123607Z"]);
        assert_ne!(of("authorization")[0], of("authorization")[1]);
        assert!(sent.iter().all(|headers| headers.get_all("authorization").iter().count() == 1));
    }
}

/// A server on `127.0.0.1` whose `/from` redirects to `/to` with this status, on a host with another name.
fn redirecting(runtime: &Runtime, status: u16) -> std::net::SocketAddr {
    let who = async |method: http::Method, Extension(verified): Extension<Verified>, body: Bytes| {
        format!("{method} {} {} {}", verified.host(), verified.canonical_path(), body.len())
    };
    let from = async move |Extension(verified): Extension<Verified>| {
        let to = verified.host().replace("127.0.0.1", "localhost");
        Response::builder().status(status).header("location", format!("http://{to}/to%20there")).body(Body::empty())
    };
    let from = any(async move |verified| from(verified).await.unwrap());
    let router = Router::new().route("/from", from).route("/{*path}", any(who));
    serve(runtime, router.layer(VerifyLayer::new(verifier("s3"), keys as Keys)))
}

#[test]
fn a_redirect_is_signed_for_the_host_and_path_that_it_names() {
    let runtime = Runtime::new().unwrap();
    for (status, method, length) in [(301, "PUT", 67), (303, "GET", 0), (307, "PUT", 67), (308, "PUT", 67)] {
        let address = redirecting(&runtime, status);
        let client = Client::builder(TokioExecutor::new()).build_http::<SignedBody<Frames>>();
        let signing = SignLayer::new(identity(), "us-east-1", "s3").unwrap().layer(client);
        let follows = FollowRedirectLayer::with_policy(Repeats).layer(signing);
        let request = Request::put(format!("http://{address}/from")).body(Frames::of([DATA])).unwrap();
        let answer = runtime.block_on(answer_of(follows, request)).unwrap();
        let expected = format!("{method} localhost:{} /to%20there {length}", address.port());
        assert_eq!((answer.status, answer.body), (200, expected), "{status}");
    }
}

/// Follows every redirect, with the same body.
#[derive(Clone)]
struct Repeats;

impl<E> redirect::Policy<Frames, E> for Repeats {
    fn redirect(&mut self, _: &redirect::Attempt<'_>) -> Result<redirect::Action, E> {
        Ok(redirect::Action::Follow)
    }

    fn clone_body(&self, _: &Frames) -> Option<Frames> {
        Some(Frames::of([DATA]))
    }
}

/// Adds the time of the server to its answers.
#[derive(Clone)]
struct Dated<S> {
    inner: S,
    headers: Vec<(&'static str, String)>,
}

impl<S, Q> Service<Request<Q>> for Dated<S>
where
    S: Service<Request<Q>, Future: Send + 'static>,
    S: Service<Request<Q>, Response = Response<countersign::tower::RefusalBody<Body>>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let (answer, headers) = (self.inner.call(request), self.headers.clone());
        Box::pin(async move {
            let mut response = answer.await?;
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            Ok(response)
        })
    }
}

/// The statuses of two requests to a server whose clock is an hour ahead, and which answers with these headers; and how
/// often it was called.
fn to_a_server_an_hour_ahead<I: IdentitySource + Clone + 'static>(
    signing: &SignLayer<I>,
    headers: &[(&'static str, &str)],
) -> ([u16; 2], usize) {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    let ahead = layer(s3()).stream_bodies().clock(|| now().saturating_add(3600));
    let (calls, handler) = (Arc::new(AtomicUsize::new(0)), Handler::default());
    let server = Counted { inner: ahead.layer(handler.clone()), calls: Arc::clone(&calls), is_ready: false };
    let client = signing.layer(Dated { inner: server, headers });
    let statuses = [(); 2].map(|()| runtime().block_on(answer_of(client.clone(), put_data())).unwrap().status);
    for status in statuses {
        assert!(status != 200 || handler.last().data == DATA);
    }
    (statuses, calls.load(Ordering::Relaxed))
}

/// Counts calls, and panics if it is called without being ready.
struct Counted<S> {
    inner: S,
    calls: Arc<AtomicUsize>,
    is_ready: bool,
}

impl<S: Clone> Clone for Counted<S> {
    fn clone(&self) -> Self {
        Self { inner: self.inner.clone(), calls: Arc::clone(&self.calls), is_ready: false }
    }
}

impl<S: Service<Request<Q>>, Q> Service<Request<Q>> for Counted<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.is_ready = true;
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        assert!(std::mem::take(&mut self.is_ready), "called before it was ready");
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.inner.call(request)
    }
}

const AN_HOUR_AHEAD: &str = "Sun, 30 Aug 2015 13:36:00 GMT";

#[test]
fn a_refused_request_is_repeated_once_with_the_time_of_the_server_if_asked_for() {
    let corrected = signing(identity()).correct_clock();
    assert_eq!(to_a_server_an_hour_ahead(&corrected, &[("date", AN_HOUR_AHEAD)]), ([200, 200], 3));
    // The offset is the difference to the real clock, so that learning twice is the same as once.
    assert_eq!(to_a_server_an_hour_ahead(&corrected, &[("date", AN_HOUR_AHEAD)]), ([200, 200], 2));
    assert_eq!(to_a_server_an_hour_ahead(&signing(identity()), &[("date", AN_HOUR_AHEAD)]), ([403, 403], 2));
}

#[test]
fn a_body_that_is_streamed_is_not_repeated() {
    for policy in [PayloadPolicy::Unsigned, PayloadPolicy::Chunked(CRC), PayloadPolicy::UnsignedChunked(CRC)] {
        let corrected = signing(identity()).correct_clock().payload(policy);
        let answered = to_a_server_an_hour_ahead(&corrected, &[("date", AN_HOUR_AHEAD)]);
        assert_eq!(answered, ([403, 200], 2), "{policy:?}");
    }
}

#[test]
fn a_date_that_does_not_tell_the_time_of_the_server_teaches_nothing() {
    for headers in [
        &[][..],
        &[("date", "yesterday")],
        &[("date", AN_HOUR_AHEAD), ("age", "3")],
        // Less than 4 minutes.
        &[("date", "Sun, 30 Aug 2015 12:39:59 GMT")],
    ] {
        let answered = to_a_server_an_hour_ahead(&signing(identity()).correct_clock(), headers);
        assert_eq!(answered, ([403, 403], 2), "{headers:?}");
    }
}

#[test]
fn a_server_that_refuses_the_corrected_time_gets_no_third_attempt() {
    // It claims to be a day behind, and refuses that.
    let headers = &[("date", "Sat, 29 Aug 2015 12:36:00 GMT")];
    // The second request is signed with the time that was learnt, so repeating it would change nothing.
    assert_eq!(to_a_server_an_hour_ahead(&signing(identity()).correct_clock(), headers), ([403, 403], 3));
}

#[test]
fn only_a_refusal_is_repeated() {
    let corrected = signing(identity()).correct_clock();
    for (status, calls) in [(200, 1), (301, 1), (400, 2), (401, 2), (403, 2), (404, 1), (429, 1), (500, 1), (503, 1)] {
        let corrected = corrected.clone().correct_clock();
        let server = Answers(status);
        let counted = Counted { inner: server, calls: Arc::default(), is_ready: false };
        let answer = runtime().block_on(answer_of(corrected.layer(counted.clone()), put_data())).unwrap();
        assert_eq!((answer.status, counted.calls.load(Ordering::Relaxed)), (status, calls));
    }
}

/// Answers with this status, an hour ahead.
#[derive(Clone)]
struct Answers(u16);

impl<B> Service<Request<B>> for Answers {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::builder().status(self.0).header("date", AN_HOUR_AHEAD).body(Body::empty()).unwrap()))
    }
}

#[test]
fn requests_that_are_refused_at_once_are_all_repeated() {
    let ahead = layer(s3()).clock(|| now().saturating_add(3600));
    let headers = vec![("date", AN_HOUR_AHEAD.to_owned())];
    let slow = Slow(Dated { inner: ahead.layer(Handler::default()), headers });
    let client = signing(identity()).correct_clock().layer(slow);
    runtime().block_on(async {
        let requests: Vec<_> = (0..8).map(|_| tokio::spawn(statuses_of(client.clone()))).collect::<Vec<_>>();
        for request in requests {
            assert_eq!(request.await.unwrap(), 200);
        }
    });
}

async fn statuses_of<S, R>(client: S) -> u16
where
    S: Service<Request<Frames>, Response = Response<R>, Error = BoxError>,
    R: http_body::Body<Data = Bytes, Error: std::fmt::Debug>,
{
    answer_of(client, put_data()).await.unwrap().status
}

/// Answers after all requests have arrived.
#[derive(Clone)]
struct Slow<S>(S);

impl<S: Service<Request<Q>, Future: Send + 'static>, Q> Service<Request<Q>> for Slow<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let answer = self.0.call(request);
        Box::pin(async move {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            answer.await
        })
    }
}

#[test]
fn a_clock_that_became_right_is_trusted_again() {
    let corrected = signing(identity()).correct_clock();
    assert_eq!(to_a_server_an_hour_ahead(&corrected, &[("date", AN_HOUR_AHEAD)]).0, [200, 200]);
    let headers = vec![("date", "Sun, 30 Aug 2015 12:36:01 GMT".to_owned())];
    let client = corrected.layer(Dated { inner: layer(s3()).layer(Handler::default()), headers });
    assert_eq!(runtime().block_on(answer_of(client, put_data())).unwrap().status, 200);
}
