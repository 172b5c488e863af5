//! A server that verifies with the layer of the library, and knows the real key only.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use countersign::event_stream::EventVerifier;
use countersign::tower::{Caller, Verified, VerifiedBody, VerifyLayer};
use countersign::{Credentials, ErrorFormat, Request, Rules, StreamingPayload, Timestamp, Verifier};
use http::{HeaderMap, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::service::TowerToHyperService;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tower::{Layer, Service, service_fn};

pub const REAL_ID: &str = "ASIAREALREALREAL";
pub const REAL_SECRET: &str = "real/SECRETSECRETSECRET";
pub const REAL_TOKEN: &str = "IQoJrealTOKENrealTOKEN//realTOKEN==";

type BoxError = Box<dyn std::error::Error + Send + Sync>;
type AnswerBody = UnsyncBoxBody<Bytes, BoxError>;
pub type Answer = Response<AnswerBody>;
/// Answers a request before its signature is looked at.
type Before = Arc<dyn Fn(&http::request::Parts) -> Option<Answer> + Send + Sync>;

/// A verified request.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub target: String,
    pub headers: HeaderMap,
    pub length: usize,
    pub sha256: [u8; 32],
    /// The body was read to its end, and verified.
    pub is_complete: bool,
    pub trailers: HeaderMap,
    pub id: String,
    pub region: String,
    pub region_set: Option<String>,
    pub signed: Vec<String>,
}

impl Seen {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    pub fn has(&self, body: &[u8]) -> bool {
        self.is_complete && self.length == body.len() && self.sha256 == sha256(body)
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

pub struct Upstream {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    _runtime: tokio::runtime::Runtime,
}

pub fn text(status: u16, body: impl Into<Bytes>) -> Answer {
    let body = Full::new(body.into()).map_err(|never| match never {}).boxed_unsync();
    Response::builder().status(status).header("x-upstream", "1").body(body).expect("a response")
}

impl Upstream {
    pub fn new() -> Self {
        Self::knowing(REAL_ID, |_| None)
    }

    /// With TLS and HTTP/2. Returns the certificate, too.
    pub fn with_http2() -> (Self, String) {
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).expect("a key");
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config =
            config.expect("versions").with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key);
        let mut config = config.expect("a configuration");
        config.alpn_protocols = vec![b"h2".into(), b"http/1.1".into()];
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let (seen, acceptor) = (Arc::<Mutex<Vec<Seen>>>::default(), TlsAcceptor::from(Arc::new(config)));
        let all = seen.clone();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (service, acceptor) = (service(REAL_ID, all.clone(), Arc::new(|_| None)), acceptor.clone());
                tokio::spawn(async move {
                    let Ok(stream) = acceptor.accept(stream).await else { return };
                    let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                    drop(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await);
                });
            }
        });
        (Self { address, seen, _runtime: runtime }, own.cert.pem())
    }

    /// Accepts ids that begin so.
    pub fn knowing(
        id: &'static str,
        before: impl Fn(&http::request::Parts) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (all, before): (_, Before) = (seen.clone(), Arc::new(before));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let service = service(id, all.clone(), before.clone());
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                tokio::spawn(async move {
                    drop(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)).await);
                });
            }
        });
        Self { address, seen, _runtime: runtime }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("the lock").clone()
    }

    /// Waits for that many verified requests whose end was reached, in one way or the other.
    pub fn wait_for(&self, count: usize) -> Vec<Seen> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let seen = self.seen();
            if seen.len() >= count {
                assert_eq!(seen.len(), count, "{seen:#?}");
                return seen;
            }
            assert!(Instant::now() < end, "{count} of {seen:#?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn only(&self) -> Seen {
        self.wait_for(1).into_iter().next().expect("a request")
    }

    pub fn complete(&self) -> usize {
        self.seen().iter().filter(|seen| seen.is_complete).count()
    }
}

fn verifier() -> Verifier {
    let verifier = Verifier::new("us-east-1", "s3").expect("a verifier").with_region("eu-west-1").expect("a region");
    let others = ["execute-api", "sts", "transcribe", "sqs"];
    others.into_iter().fold(verifier.with_sigv4a(), |verifier, service| {
        verifier.with_service(service, Rules::for_service(service)).expect("a service")
    })
}

fn found(known: &str, id: &str, token: Option<&str>) -> Option<Credentials> {
    let credentials = Credentials::new(id, REAL_SECRET).ok().filter(|_| id.starts_with(known))?;
    match token {
        Some(REAL_TOKEN) => credentials.with_session_token(REAL_TOKEN).ok(),
        _ => Some(credentials),
    }
}

fn service(
    known: &'static str,
    seen: Arc<Mutex<Vec<Seen>>>,
    before: Before,
) -> impl Service<http::Request<Incoming>, Response = Answer, Error = Infallible, Future: Send> + Clone {
    let keys = move |caller: Caller| async move {
        Ok::<_, Infallible>(found(known, caller.access_key_id(), caller.session_token()))
    };
    let layer = VerifyLayer::new(verifier(), keys).error_format(ErrorFormat::S3Xml).stream_bodies();
    let inner = service_fn(move |request: http::Request<VerifiedBody<Incoming>>| {
        let seen = seen.clone();
        async move { Ok::<_, Infallible>(store(&seen, request).await) }
    });
    let verifying = layer.layer(inner);
    service_fn(move |request: http::Request<Incoming>| -> Answering {
        let (head, body) = request.into_parts();
        if let Some(answer) = before(&head) {
            return Box::pin(std::future::ready(Ok(answer)));
        }
        if head.headers.get("x-amz-content-sha256").is_some_and(|own| own == StreamingPayload::Events.as_str()) {
            return Box::pin(std::future::ready(Ok(events(known, head, body))));
        }
        let answering = verifying.clone().call(http::Request::from_parts(head, body));
        Box::pin(async move { answering.await.map(|answer| answer.map(BodyExt::boxed_unsync)) })
    })
}

type Answering = Pin<Box<dyn Future<Output = Result<Answer, Infallible>> + Send>>;

async fn store(seen: &Mutex<Vec<Seen>>, request: http::Request<VerifiedBody<Incoming>>) -> Answer {
    let (head, mut body) = request.into_parts();
    let verified = head.extensions.get::<Verified>().expect("it is verified").clone();
    let (mut length, mut hash, mut is_complete, mut trailers) = (0, Sha256::new(), true, HeaderMap::new());
    while let Some(frame) = body.frame().await {
        match frame.map(Frame::into_data) {
            Ok(Ok(data)) => {
                length += data.len();
                hash.update(&data);
            }
            Ok(Err(frame)) => trailers = frame.into_trailers().unwrap_or_default(),
            Err(_) => {
                is_complete = false;
                break;
            }
        }
    }
    let target = head.uri.path_and_query().expect("a path").to_string();
    seen.lock().expect("the lock").push(Seen {
        method: head.method.to_string(),
        target,
        headers: head.headers,
        length,
        sha256: hash.finalize().into(),
        is_complete,
        trailers,
        id: verified.access_key_id().into(),
        region: verified.scope().region().into(),
        region_set: verified.region_set().map(Into::into),
        signed: verified.signed_headers().map(Into::into).collect(),
    });
    text(200, "stored")
}

/// Answers each message with its length, while the others are still to come.
fn events(known: &'static str, head: http::request::Parts, body: Incoming) -> Answer {
    let (now, version) = (Timestamp::now(), head.version);
    let verifier = verifier();
    let verified = verifier.parse(Request::from(&head), now).and_then(|unverified| {
        let key = found(known, unverified.access_key_id(), unverified.session_token());
        unverified.verify_head(key.as_ref())
    });
    match verified {
        Err(error) => text(403, error.to_string()),
        Ok(head) => {
            let echo = Echo { body, verifier: head.events().expect("events"), ready: VecDeque::new(), is_ended: false };
            let mut answer = text(200, "").map(|_| echo.boxed_unsync());
            let version = format!("{version:?}").parse().expect("a value");
            answer.headers_mut().insert("x-version", version);
            answer
        }
    }
}

struct Echo {
    body: Incoming,
    verifier: EventVerifier,
    ready: VecDeque<Bytes>,
    is_ended: bool,
}

impl Body for Echo {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        use std::task::Poll;
        loop {
            if let Some(line) = self.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(line))));
            }
            if self.is_ended {
                return Poll::Ready(None);
            }
            let this = &mut *self;
            match std::task::ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Ok(frame)) => {
                    let data = frame.into_data().unwrap_or_default();
                    let mut rest = data.as_ref();
                    loop {
                        match this.verifier.verify(&mut rest, Timestamp::now()) {
                            Ok(Some(message)) => this.ready.push_back(format!("{}\n", message.len()).into()),
                            Ok(None) => break,
                            Err(error) => {
                                this.ready.push_back(format!("error: {error}\n").into());
                                this.is_ended = true;
                                break;
                            }
                        }
                    }
                }
                Some(Err(_)) => return Poll::Ready(Some(Err("the client went away".into()))),
                None => {
                    this.is_ended = true;
                    let end = if this.verifier.clone().finish().is_ok() { "closed\n" } else { "truncated\n" };
                    this.ready.push_back(end.into());
                }
            }
        }
    }
}
