//! TLS and HTTP/2.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use countersign::{Request, Timestamp, Verifier};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::support::{countersign, credentials, folder, request, run, text};

/// A server with a certificate of its own for `localhost`.
struct TlsServer {
    address: SocketAddr,
    certificate: String,
    targets: Arc<Mutex<Vec<String>>>,
    // Stops the server when it is dropped.
    _runtime: tokio::runtime::Runtime,
}

impl TlsServer {
    fn new() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let targets = Arc::new(Mutex::new(Vec::new()));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        runtime.spawn(serve(listener, acceptor, targets.clone()));
        Self { address, certificate: made.cert.pem(), targets, _runtime: runtime }
    }

    fn url(&self, target: &str) -> String {
        format!("https://localhost:{}{target}", self.address.port())
    }
}

async fn serve(listener: std::net::TcpListener, acceptor: TlsAcceptor, targets: Arc<Mutex<Vec<String>>>) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (tcp, _) = listener.accept().await.unwrap();
        let Ok(stream) = acceptor.accept(tcp).await else { continue };
        let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let targets = targets.clone();
        let service = service_fn(move |request| answer(request, targets.clone()));
        tokio::spawn(async move {
            let io = TokioIo::new(stream);
            let _ = if is_http2 {
                hyper::server::conn::http2::Builder::new(TokioExecutor::new()).serve_connection(io, service).await
            } else {
                hyper::server::conn::http1::Builder::new().serve_connection(io, service).await
            };
        });
    }
}

async fn answer(
    request: http::Request<Incoming>,
    targets: Arc<Mutex<Vec<String>>>,
) -> Result<http::Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    if parts.uri.path() == "/early" {
        let refused = Full::new(Bytes::from_static(b"{\"message\":\"Missing Authentication Token\"}"));
        return Ok(http::Response::builder().status(403).body(refused).unwrap());
    }
    let body = body.collect().await.unwrap().to_bytes();
    let target = parts.uri.path_and_query().unwrap().as_str().to_owned();
    let pairs: Vec<_> = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let mut request = Request::new(parts.method.as_str(), &target, &pairs);
    if let Some(authority) = parts.uri.authority() {
        request = request.with_host(authority.as_str());
    }
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap().accept_dot_segments();
    let verified = verifier
        .parse(request, Timestamp::now())
        .and_then(|request| request.with_body(&body).verify(Some(&credentials())).map(|_| ()));
    targets.lock().unwrap().push(target.clone());
    let text = verified.map_or_else(|error| error.to_string(), |()| format!("{:?}", parts.version));
    Ok(http::Response::new(Full::from(text)))
}

#[test]
fn urls_arrive_as_typed_over_both_versions() {
    let server = TlsServer::new();
    let mut expected = Vec::new();
    for target in ["/", "//a//b", "/a/./b/../c", "/a%2Fb", "/%C3%A9?a=%2B+&a&a==", "/p?", "/p?[]=1"] {
        for (flags, version) in [(&["-k"] as &[&str], "HTTP/2.0"), (&["-k", "--http1.1"], "HTTP/1.1")] {
            let done = request(&[flags, &["-d", "body", &server.url(target)]].concat());
            assert_eq!((done.code, done.out.as_str()), (0, version), "{target}: {done:?}");
            expected.push(target);
        }
    }
    assert_eq!(*server.targets.lock().unwrap(), expected);
}

#[test]
fn uploads_over_http2() {
    let server = TlsServer::new();
    let folder = folder();
    let file = folder.path().join("data");
    std::fs::write(&file, vec![7; 3_000_000]).unwrap();
    let done = request(&["-k", "-T", text(&file), "-w", " %{http_version}", &server.url("/p")]);
    assert_eq!((done.code, done.out.as_str()), (0, "HTTP/2.0 2"), "{done:?}");
}

#[test]
fn the_host_header_is_the_authority() {
    let server = TlsServer::new();
    let done = request(&["-k", "-H", "Host: api.example.com", &server.url("/p")]);
    assert_eq!((done.code, done.out.as_str()), (0, "HTTP/2.0"), "{done:?}");
}

#[test]
fn certificates_are_checked() {
    let server = TlsServer::new();
    let done = request(&[&server.url("/")]);
    assert_eq!(done.code, 60, "{done:?}");
    assert!(done.err.contains("--cacert"), "{done:?}");
    let folder = folder();
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &server.certificate).unwrap();
    let done = request(&["--cacert", text(&file), &server.url("/")]);
    assert_eq!((done.code, done.out.as_str()), (0, "HTTP/2.0"), "{done:?}");
    let url = server.url("/");
    let done = run(countersign(&["request", &url]).env("AWS_CA_BUNDLE", &file));
    assert_eq!((done.code, done.out.as_str()), (0, "HTTP/2.0"), "{done:?}");
    // The certificate is for localhost, not for the address.
    let by_address = server.url("/").replace("localhost", "127.0.0.1");
    assert_eq!(request(&["--cacert", text(&file), &by_address]).code, 60);
    std::fs::write(&file, "nothing").unwrap();
    assert_eq!(request(&["--cacert", text(&file), &server.url("/")]).code, 2);
    assert_eq!(server.targets.lock().unwrap().len(), 2);
}

/// The server answers without having read the body.
#[test]
fn an_early_answer_is_not_lost_over_both_versions() {
    let server = TlsServer::new();
    let folder = folder();
    let (certificate, file) = (folder.path().join("ca.pem"), folder.path().join("data"));
    std::fs::write(&certificate, &server.certificate).unwrap();
    std::fs::write(&file, vec![7; 16 * 1024 * 1024]).unwrap();
    for version in [&[][..], &["--http1.1"]] {
        for turn in 0..10 {
            let url = server.url("/early");
            let arguments = [version, &["--cacert", text(&certificate), "-T", text(&file), &url]].concat();
            let done = request(&arguments);
            let is_whole = done.code == 0 && done.out.contains("Missing Authentication Token");
            assert!(is_whole && done.err.contains("no such route"), "{turn} {version:?}: {done:?}");
        }
    }
}
