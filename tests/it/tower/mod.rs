//! Tests of the tower layers, in this process and over HTTP.

mod attacks;
mod attempts;
mod bodies;
mod load;
mod policies;
mod refusals;
mod served;
mod sign;
mod table;

use std::collections::VecDeque;
use std::convert::Infallible;
use std::error::Error;
use std::future::{Future, Ready, poll_fn, ready};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use countersign::streaming::{ChunkError, Chunked};
use countersign::tower::{Caller, CallerKey, Verified, VerifyLayer};
use countersign::{Credentials, ErrorFormat, Payload, Rules, Signer, Timestamp, Verifier, VerifyError};
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use tokio::runtime::Runtime;
use tower_layer::Layer;
use tower_service::Service;

use crate::support::fixtures::{credentials, now, temporary, verifier};

type BoxError = Box<dyn Error + Send + Sync>;
type Found = Ready<Result<Option<Credentials>, io::Error>>;
type Keys = fn(Caller) -> Found;

const DATA: &[u8] = b"The quick brown fox jumps over the lazy dog, and over that one too.";

/// Knows two access keys, and leaves the session token to the layer.
fn keys(caller: Caller) -> Found {
    let known = [credentials(), temporary()];
    ready(Ok(known.into_iter().find(|known| known.access_key_id() == caller.access_key_id())))
}

fn outage(_: Caller) -> Found {
    ready(Err(io::Error::other("the database is down")))
}

fn unexpected(caller: Caller) -> Found {
    panic!("{caller:?} is looked up")
}

/// The rules of S3, with chunks of any size.
fn rules() -> Rules {
    let mut rules = Rules::S3;
    rules.min_chunk_size = 1;
    rules
}

fn s3() -> Verifier {
    verifier("s3").with_rules(rules())
}

fn layer(verifier: Verifier) -> VerifyLayer<Keys> {
    VerifyLayer::new(verifier, keys as Keys).clock(now)
}

/// A body in these frames, whose length is known or not.
#[derive(Default)]
struct Frames {
    frames: VecDeque<io::Result<Frame<Bytes>>>,
    length: Option<u64>,
}

impl Frames {
    fn of<D: AsRef<[u8]>>(pieces: impl IntoIterator<Item = D>) -> Self {
        let frames = pieces.into_iter().map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece.as_ref()))));
        Self { frames: frames.collect(), length: None }
    }

    fn then(mut self, frame: io::Result<Frame<Bytes>>) -> Self {
        self.frames.push_back(frame);
        self
    }

    fn with_length(self, length: u64) -> Self {
        Self { length: Some(length), ..self }
    }
}

impl Body for Frames {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        Poll::Ready(self.frames.pop_front())
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::new, SizeHint::with_exact)
    }
}

/// What a body yields. After an error, it has to stay broken.
async fn read<B: Body<Data = Bytes>>(body: B) -> (Vec<u8>, Option<HeaderMap>, Option<B::Error>) {
    let mut body = pin!(body);
    let (mut data, mut trailers) = (Vec::new(), None);
    while let Some(frame) = poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        match frame.map(Frame::into_data) {
            Ok(Ok(piece)) => data.extend_from_slice(&piece),
            Ok(Err(frame)) => trailers = frame.into_trailers().ok(),
            Err(error) => return (data, trailers, Some(error)),
        }
    }
    assert!(poll_fn(|cx| body.as_mut().poll_frame(cx)).await.is_none());
    (data, trailers, None)
}

/// The same, and that the layer's bodies stay broken.
async fn read_verified<B: Body<Data = Bytes, Error = BoxError>>(
    body: B,
) -> (Vec<u8>, Option<HeaderMap>, Option<BoxError>) {
    let mut body = pin!(body);
    let read = read(body.as_mut()).await;
    if read.2.is_some() {
        for _ in 0..3 {
            assert!(!body.is_end_stream());
            let again = poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
            assert!(matches!(again, Some(Err(_))), "a broken body ended");
        }
    }
    read
}

/// A service that reads the body and keeps what it got.
#[derive(Clone, Default)]
struct Handler(Arc<Mutex<Vec<Seen>>>);

struct Seen {
    verified: Option<Verified>,
    parts: http::request::Parts,
    hint: SizeHint,
    data: Vec<u8>,
    trailers: Option<HeaderMap>,
    error: Option<BoxError>,
}

impl Handler {
    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn last(&self) -> Seen {
        self.0.lock().unwrap().pop().expect("the handler was called")
    }
}

impl<B: Body<Data = Bytes, Error = BoxError> + Send + 'static> Service<Request<B>> for Handler {
    type Response = Response<axum::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let all = Arc::clone(&self.0);
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            let hint = body.size_hint();
            let (data, trailers, error) = read_verified(body).await;
            let verified = parts.extensions.get().cloned();
            all.lock().unwrap().push(Seen { verified, parts, hint, data, trailers, error });
            // Even if the body broke: it is the layer that refuses.
            Ok(Response::new(axum::body::Body::from("handled")))
        })
    }
}

impl Seen {
    /// The code with which the error of the body is answered.
    fn code(&self) -> &'static str {
        let error = self.error.as_ref().expect("the body broke");
        let of_head = error.downcast_ref::<VerifyError>().map(|error| error.refusal(ErrorFormat::S3Xml));
        let of_chunk = error.downcast_ref::<ChunkError>().map(|error| error.refusal(ErrorFormat::S3Xml));
        of_head.or(of_chunk).map_or("", |refusal| refusal.code())
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn is_refusal(&self) -> bool {
        matches!(self.status, 400 | 403) && !self.code().is_empty() && !self.body.contains("handled")
    }

    /// The code in API Gateway's header.
    fn code(&self) -> &str {
        self.headers.get("x-amzn-errortype").map_or("", |code| code.to_str().unwrap())
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

async fn answer_of<S, Q, R>(mut service: S, request: Request<Q>) -> Result<Answer, S::Error>
where
    S: Service<Request<Q>, Response = Response<R>>,
    R: Body<Data = Bytes, Error: std::fmt::Debug>,
{
    poll_fn(|cx| service.poll_ready(cx)).await?;
    let (parts, body) = service.call(request).await?.into_parts();
    let (data, _, error) = read(body).await;
    assert!(error.is_none(), "{error:?}");
    let body = String::from_utf8(data).unwrap();
    Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
}

/// Sends a request through the layer to the handler.
fn call<K, F, V>(layer: &VerifyLayer<K>, handler: &Handler, request: Request<Frames>) -> Answer
where
    K: Fn(Caller) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Option<V>, io::Error>> + Send + 'static,
    V: CallerKey + 'static,
{
    runtime().block_on(answer_of(layer.layer(handler.clone()), request)).unwrap()
}

/// How a request is signed, and its body sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Hashed,
    /// The hash is signed but not sent.
    NoHash,
    Unsigned,
    Chunked,
    ChunkedTrailer,
    UnsignedTrailer,
    PresignedGet,
    PresignedPut,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Hashed,
        Self::NoHash,
        Self::Unsigned,
        Self::Chunked,
        Self::ChunkedTrailer,
        Self::UnsignedTrailer,
        Self::PresignedGet,
        Self::PresignedPut,
    ];

    fn service(self) -> &'static str {
        if self == Self::NoHash { "execute-api" } else { "s3" }
    }

    fn verifier(self) -> Verifier {
        if self == Self::NoHash { verifier("execute-api") } else { s3() }
    }

    /// Signs a request for `/key?part=1` with [`DATA`].
    fn signed(self, credentials: &Credentials, now: Timestamp) -> Request<Vec<u8>> {
        self.signed_for("https://bucket.example/key?part=1", credentials, now)
    }

    fn signed_for(self, uri: &str, credentials: &Credentials, now: Timestamp) -> Request<Vec<u8>> {
        self.signed_with(uri, DATA, credentials, now)
    }

    fn signed_with(self, uri: &str, data: &[u8], credentials: &Credentials, now: Timestamp) -> Request<Vec<u8>> {
        use countersign::streaming::Checksum::Crc32c;
        let mut signer = Signer::new(credentials.clone(), "us-east-1", self.service()).unwrap();
        if self != Self::NoHash {
            signer = signer.with_rules(rules());
        }
        let length = data.len() as u64;
        let put = Request::put(uri).body(data.to_vec()).unwrap();
        let mut request = put.clone();
        request.headers_mut().insert("x-amz-meta-a", "1".parse().unwrap());
        match self {
            Self::Hashed | Self::NoHash => drop(signer.sign_http(&mut request, now).unwrap()),
            Self::Unsigned => drop(signer.sign_http_with_payload(&mut request, Payload::Unsigned, now).unwrap()),
            Self::Chunked => return chunked(&signer, request, &Chunked::signed(length), now),
            Self::ChunkedTrailer => {
                return chunked(&signer, request, &Chunked::signed(length).with_checksum(Crc32c), now);
            }
            Self::UnsignedTrailer => {
                return chunked(&signer, request, &Chunked::unsigned(length).with_checksum(Crc32c), now);
            }
            Self::PresignedPut => {
                let url = signer.presign(&put, Duration::from_secs(600), now).unwrap();
                return Request::put(url.url()).body(data.to_vec()).unwrap();
            }
            Self::PresignedGet => {
                let get = Request::get(uri).body(()).unwrap();
                let url = signer.presign(&get, Duration::from_secs(600), now).unwrap();
                return Request::get(url.url()).body(Vec::new()).unwrap();
            }
        }
        request
    }
}

fn chunked(signer: &Signer, mut request: Request<Vec<u8>>, how: &Chunked, now: Timestamp) -> Request<Vec<u8>> {
    let signed = signer
        .sign_chunked(&request, &how.clone().with_chunk_size(request.body().len().div_ceil(4).max(32)), now)
        .unwrap();
    signed.apply_to(request.headers_mut()).unwrap();
    let (mut encoder, mut body) = (signed.encoder(), Vec::new());
    encoder.push(request.body(), |piece| body.extend_from_slice(piece)).unwrap();
    encoder.finish(|piece| body.extend_from_slice(piece)).unwrap();
    *request.body_mut() = body;
    request
}

/// In one frame.
fn framed(request: Request<Vec<u8>>) -> Request<Frames> {
    request.map(|body| Frames::of([body]))
}
