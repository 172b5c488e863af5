//! The client's layer, against the server's one.

use std::error::Error;
use std::future::{Ready, ready};
use std::io;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::routing::put;
use axum::{Extension, Router};
use countersign::sources::{CredentialCache, Environment, ResolveError, Resolved, Resolver};
use countersign::streaming::{Checksum, EncodeError};
use countersign::tower::{IdentitySource, PayloadPolicy, SignLayer, SignLayerError, SignedBody, Verified, VerifyLayer};
use countersign::{Credentials, Identity, SignedPayload, StreamingPayload, Timestamp};
use http::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;
use tower_layer::Layer;
use tower_service::Service;

use super::attempts::FailsOnce;
use super::served::serve;
use super::{Answer, BoxError, DATA, Frames, Handler, Keys, answer_of, keys, layer, read, rules, runtime, s3};
use crate::support::fixtures::{credentials, now, temporary};

const URI: &str = "https://bucket.example/key";
pub const CRC: Checksum = Checksum::Crc32c;

pub fn identity() -> Identity {
    credentials().into()
}

pub fn signing<I: IdentitySource>(source: I) -> SignLayer<I> {
    SignLayer::new(source, "us-east-1", "s3").unwrap().signer(|signer| signer.with_rules(rules())).clock(now)
}

pub fn put_data() -> Request<Frames> {
    Request::put(URI).body(Frames::of(DATA.chunks(9)).with_length(DATA.len() as u64)).unwrap()
}

/// Signs a request and verifies it in this process.
fn round_trip<I: IdentitySource + Clone + 'static>(
    signing: &SignLayer<I>,
    handler: &Handler,
    request: Request<Frames>,
) -> Result<Answer, BoxError> {
    let server = layer(s3()).stream_bodies().layer(handler.clone());
    runtime().block_on(answer_of(signing.layer(server), request))
}

#[test]
fn every_policy_is_accepted_by_the_verifying_layer() {
    for (policy, payload) in [
        (PayloadPolicy::Buffered { max_bytes: DATA.len() }, None),
        (PayloadPolicy::Unsigned, Some(SignedPayload::Unsigned)),
        (PayloadPolicy::Chunked(CRC), Some(SignedPayload::Streaming(StreamingPayload::SignedTrailer))),
        (PayloadPolicy::UnsignedChunked(CRC), Some(SignedPayload::Streaming(StreamingPayload::UnsignedTrailer))),
    ] {
        for who in [credentials(), temporary()] {
            let handler = Handler::default();
            let id = who.access_key_id().to_owned();
            let signing = signing(Identity::from(who)).payload(policy);
            assert_eq!(round_trip(&signing, &handler, put_data()).unwrap().status, 200, "{policy:?}");
            let seen = handler.last();
            let verified = seen.verified.unwrap();
            assert_eq!((verified.access_key_id(), &*seen.data), (&*id, DATA), "{policy:?}");
            match payload {
                Some(payload) => assert_eq!(verified.payload(), payload),
                None => assert!(matches!(verified.payload(), SignedPayload::Sha256(_))),
            }
            assert_eq!(seen.trailers.is_some(), matches!(payload, Some(SignedPayload::Streaming(_))), "{policy:?}");
        }
    }
}

#[test]
fn every_policy_arrives_over_http() {
    let runtime = Runtime::new().unwrap();
    let show = put(async |Extension(verified): Extension<Verified>, body: Body| {
        let (data, trailers, error) = read(body).await;
        format!("{} {} {} {error:?}", verified.access_key_id(), data.len(), trailers.is_some())
    });
    let server = VerifyLayer::new(crate::support::fixtures::verifier("s3"), keys as Keys);
    let data = vec![b'x'; 300_000];
    for streams in [false, true] {
        let server = if streams { server.clone().stream_bodies() } else { server.clone() };
        let address = serve(&runtime, Router::new().route("/{*path}", show.clone()).layer(server));
        for (policy, trailers) in [
            (PayloadPolicy::Buffered { max_bytes: 300_000 }, false),
            (PayloadPolicy::Unsigned, false),
            (PayloadPolicy::Chunked(CRC), true),
            (PayloadPolicy::UnsignedChunked(Checksum::Sha256), true),
        ] {
            for http2 in [false, true] {
                let client = Client::builder(TokioExecutor::new()).http2_only(http2).build_http::<SignedBody<Body>>();
                let signing = SignLayer::new(identity(), "us-east-1", "s3").unwrap().payload(policy).layer(client);
                for path in ["a", "a%20b/%E4", "a?list-type=2&prefix=a%2Fb"] {
                    let request =
                        Request::put(format!("http://{address}/{path}")).body(Body::from(data.clone())).unwrap();
                    let answer = runtime.block_on(answer_of(signing.clone(), request)).unwrap();
                    let expected = format!("AKIDEXAMPLE 300000 {trailers} None");
                    assert_eq!((answer.status, answer.body), (200, expected), "{policy:?} {path} {http2}");
                }
            }
        }
    }
}

#[test]
fn credentials_that_rotate_come_from_the_cache_for_each_request() {
    static SECONDS: AtomicI64 = AtomicI64::new(0);
    static LOADS: AtomicUsize = AtomicUsize::new(0);
    fn clock() -> Timestamp {
        now().saturating_add(SECONDS.load(Ordering::Relaxed))
    }
    fn load() -> Result<Resolved, ResolveError> {
        let keys = [("AWS_ACCESS_KEY_ID", "AKIDBASE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let resolver = Resolver::new(Environment::new(keys));
        let mut resolved =
            resolver.resolve(|_| Err::<Response<Vec<u8>>, _>(io::Error::other("nothing is asked"))).unwrap();
        let number = LOADS.fetch_add(1, Ordering::Relaxed);
        let credentials = Credentials::new(format!("AKID{number}"), "secret").unwrap();
        resolved.credentials = credentials.with_expires_at(clock().saturating_add(3600));
        Ok(resolved)
    }
    let cache = CredentialCache::without_jitter();
    let source = move || {
        let cache = cache.clone();
        async move {
            let cached = cache.get_async(clock, || ready(load())).await?;
            Ok::<_, ResolveError>(cached.identity().clone())
        }
    };
    let client = FailsOnce::default();
    let service = signing(source).clock(clock).layer(client.clone());
    for seconds in [0, 60, 7200, 7260] {
        SECONDS.store(seconds, Ordering::Relaxed);
        runtime().block_on(answer_of(service.clone(), put_data())).unwrap();
    }
    let sent = client.0.lock().unwrap();
    let ids: Vec<_> = sent.iter().map(|headers| &headers["authorization"].to_str().unwrap()[28..33]).collect();
    assert_eq!(ids, ["AKID0", "AKID0", "AKID1", "AKID1"]);
}

fn error_of<I: IdentitySource + Clone + 'static>(signing: &SignLayer<I>, request: Request<Frames>) -> BoxError {
    let handler = Handler::default();
    let error = round_trip(signing, &handler, request).unwrap_err();
    assert_eq!(handler.count(), 0, "it was sent");
    error
}

#[test]
fn a_request_that_cannot_be_signed_is_not_sent() {
    let relative = Request::put("/key?token=secret").body(Frames::of([DATA])).unwrap();
    let error = error_of(&signing(identity()), relative);
    assert_eq!(error.to_string(), "the URI /key is not absolute, so its host can't be signed");

    for request in [put_data(), put_data().map(|_| Frames::of(DATA.chunks(1)))] {
        let error = error_of(&signing(identity()).payload(PayloadPolicy::Buffered { max_bytes: 66 }), request);
        assert!(matches!(error.downcast_ref(), Some(SignLayerError::BodyTooLarge { max_bytes: 66 })), "{error}");
    }
    for policy in [PayloadPolicy::Chunked(CRC), PayloadPolicy::UnsignedChunked(CRC)] {
        let error = error_of(&signing(identity()).payload(policy), put_data().map(|_| Frames::of([DATA])));
        assert!(matches!(error.downcast_ref(), Some(SignLayerError::UnknownLength)), "{error}");
    }
    let broken = put_data().map(|body| body.then(Err(io::ErrorKind::BrokenPipe.into())));
    assert!(error_of(&signing(identity()), broken).is::<io::Error>());
    let failing = || async { Err::<Identity, _>(io::Error::other("no credentials")) };
    assert_eq!(error_of(&signing(failing), put_data()).to_string(), "no credentials");
    let expired = credentials().with_expires_at(now());
    assert!(error_of(&signing(Identity::from(expired)), put_data()).to_string().contains("expired"));
}

#[test]
fn a_relative_uri_with_a_host_is_signed_for_that() {
    let handler = Handler::default();
    let request = Request::put("/key").header("host", "bucket.example").body(Frames::of([DATA])).unwrap();
    assert_eq!(round_trip(&signing(identity()), &handler, request).unwrap().status, 200);
    assert_eq!(handler.last().verified.unwrap().host(), "bucket.example");
}

#[test]
fn a_body_in_chunks_has_the_length_that_was_announced_or_breaks() {
    for (length, works) in [("67", true), ("66", false), ("68", false)] {
        for policy in [PayloadPolicy::Chunked(CRC), PayloadPolicy::UnsignedChunked(CRC)] {
            let handler = Handler::default();
            let mut request = put_data().map(|_| Frames::of(DATA.chunks(9)));
            request.headers_mut().insert("content-length", length.parse().unwrap());
            let answer = round_trip(&signing(identity()).payload(policy), &handler, request).unwrap();
            assert_eq!(answer.status == 200, works, "{policy:?} {length}");
            let seen = handler.last();
            assert!(works || matches!(seen.error.unwrap().downcast_ref(), Some(EncodeError::DecodedLength { .. })));
        }
    }
}

#[test]
fn a_request_without_a_body_is_not_sent_in_chunks() {
    for policy in [PayloadPolicy::Chunked(CRC), PayloadPolicy::UnsignedChunked(CRC)] {
        let client = FailsOnce::default();
        let get = Request::get(URI).body(Body::empty()).unwrap();
        runtime().block_on(answer_of(signing(identity()).payload(policy).layer(client.clone()), get)).unwrap();
        let sent = &client.0.lock().unwrap()[0];
        let of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(sent["x-amz-content-sha256"], of_nothing);
        assert!(!sent.contains_key("content-encoding") && !sent.contains_key("x-amz-trailer"), "{policy:?}");
    }
}

#[test]
fn a_body_in_chunks_has_only_one_length() {
    let client = FailsOnce::default();
    let signing = signing(identity()).payload(PayloadPolicy::Chunked(CRC));
    let mut request = put_data();
    request.headers_mut().insert("transfer-encoding", "chunked".parse().unwrap());
    runtime().block_on(answer_of(signing.layer(client.clone()), request)).unwrap();
    let sent = client.0.lock().unwrap();
    assert!(!sent[0].contains_key("transfer-encoding"));
    assert_eq!(sent[0]["x-amz-decoded-content-length"], "67");
}

#[test]
fn a_signature_that_is_already_there_is_replaced_or_an_error() {
    let again = |who: &Credentials, kind: super::Kind| {
        let signed = kind.signed(who, now().saturating_add(-3600)).map(|_| Frames::of([DATA]).with_length(67));
        let handler = Handler::default();
        let answer = round_trip(&signing(identity()), &handler, signed)?;
        assert_eq!((answer.status, &*handler.last().data), (200, DATA));
        Ok::<_, BoxError>(())
    };
    again(&credentials(), super::Kind::Hashed).unwrap();
    again(&credentials(), super::Kind::Unsigned).unwrap();
    // These would be sent with two signatures, or with a session token of someone else.
    assert!(again(&credentials(), super::Kind::PresignedPut).is_err());
    assert!(again(&temporary(), super::Kind::Hashed).is_err());
    let mut foreign = put_data();
    foreign.headers_mut().insert("authorization", "Bearer abc".parse().unwrap());
    assert!(error_of(&signing(identity()), foreign).to_string().contains("Bearer"));
}

#[test]
fn an_error_of_the_client_is_passed_on() {
    #[derive(Clone)]
    struct Down;
    impl<B> Service<Request<B>> for Down {
        type Response = Response<Body>;
        type Error = io::Error;
        type Future = Ready<Result<Self::Response, io::Error>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
            Poll::Ready(Ok(()))
        }
        fn call(&mut self, _: Request<B>) -> Self::Future {
            ready(Err(io::ErrorKind::ConnectionRefused.into()))
        }
    }
    let error = runtime().block_on(answer_of(signing(identity()).layer(Down), put_data())).unwrap_err();
    let error: &(dyn Error + 'static) = &*error;
    assert_eq!(error.downcast_ref::<io::Error>().unwrap().kind(), io::ErrorKind::ConnectionRefused);
}

#[test]
fn nothing_that_is_secret_is_shown() {
    let layer = signing(Identity::from(temporary()));
    let shown = format!("{layer:?} {:?}", layer.layer(()));
    let super::Seen { verified, .. } = {
        let handler = Handler::default();
        round_trip(&layer, &handler, put_data()).unwrap();
        handler.last()
    };
    let shown = format!("{shown} {:?} {:?}", verified.unwrap(), super::layer(s3()));
    for secret in [crate::support::fixtures::TEMPORARY_SECRET, crate::support::fixtures::TOKEN] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
