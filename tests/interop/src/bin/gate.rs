//! A gate that verifies signatures, in front of an S3 store that knows none: axum with `VerifyLayer`, over HTTP and over
//! TLS with a certificate of its own. `tests/interop/clients` starts it, and sends it requests of real clients.
//!
//! ```sh
//! cargo run --manifest-path tests/interop/Cargo.toml --bin gate -- STORE_ADDRESS FOLDER
//! ```
//!
//! It listens on four ports of loopback: `http` and `https`, and `changed-http` and `changed-https`, where one byte of each
//! upload is changed before it is verified. It writes the addresses to `FOLDER/addresses`, the certificate to
//! `FOLDER/ca.pem`, and prints a line for each request.

use std::convert::Infallible;
use std::error::Error;
use std::path::Path;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, EXPECT, HOST, HeaderName, TE, TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn, map_request};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use countersign::tower::{Caller, Verified, VerifyLayer};
use countersign::{Credentials, ErrorFormat, Verifier, encode_segment};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

type Fallible<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [store, folder] = &arguments[..] else { return Err("STORE_ADDRESS FOLDER".into()) };
    let store = Store { client: Client::builder(TokioExecutor::new()).build_http(), address: store.clone() };
    let gate = gate(store)?;
    let changed = gate.clone().layer(map_request(change));
    let acceptor = acceptor(Path::new(folder))?;

    let mut addresses = String::new();
    for (name, router) in [("", gate), ("changed-", changed)] {
        let router = router.layer(from_fn(log));
        let (plain, tls) = (listener().await?, Tls::new(listener().await?, acceptor.clone())?);
        addresses += &format!("{name}http={}\n{name}https={}\n", plain.local_addr()?, tls.address);
        tokio::spawn(axum::serve(plain, router.clone()).into_future());
        tokio::spawn(axum::serve(tls, router).into_future());
    }
    // The script that waits for the file never sees half of it.
    let unfinished = Path::new(folder).join("addresses.unfinished");
    std::fs::write(&unfinished, addresses)?;
    std::fs::rename(unfinished, Path::new(folder).join("addresses"))?;
    std::future::pending().await
}

async fn listener() -> std::io::Result<TcpListener> {
    TcpListener::bind("127.0.0.1:0").await
}

fn gate(store: Store) -> Fallible<Router> {
    let layer =
        VerifyLayer::new(Verifier::new("us-east-1", "s3")?, look_up).error_format(ErrorFormat::S3Xml).stream_bodies();
    Ok(Router::new().fallback(forward).with_state(store).layer(layer))
}

async fn look_up(caller: Caller) -> Result<Option<Credentials>, Infallible> {
    let known = caller.access_key_id() == "AKIDEXAMPLE" && caller.session_token().is_none();
    Ok(if known { Credentials::new("AKIDEXAMPLE", "secretEXAMPLE").ok() } else { None })
}

#[derive(Clone)]
struct Store {
    client: Client<HttpConnector, Body>,
    address: String,
}

/// Forwards a verified request to the store. A body that turns out not to be the signed one fails before its end, so that
/// the store gets an incomplete request and drops it.
async fn forward(State(store): State<Store>, Extension(verified): Extension<Verified>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(uri) = target(&store.address, &verified).parse::<Uri>() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let mut forwarded = Request::new(body);
    *forwarded.method_mut() = parts.method;
    *forwarded.uri_mut() = uri;
    *forwarded.headers_mut() = without_signature(parts.headers);
    match store.client.request(forwarded).await {
        Ok(response) => {
            let mut response = response.map(Body::new);
            HOP_BY_HOP.iter().for_each(|name| drop(response.headers_mut().remove(name)));
            response
        }
        // The layer replaces this answer by its own if the body was refused on the way.
        Err(error) => {
            eprintln!("the store can't be reached, or the upload was refused: {error:?}");
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}

/// Returns the URL at the store, made of what was signed.
fn target(store: &str, verified: &Verified) -> String {
    let mut target = format!("http://{store}{}", verified.canonical_path());
    let mut separator = '?';
    for (name, value) in verified.query_pairs() {
        let is_signature = name.len() >= 6 && name[..6].eq_ignore_ascii_case(b"x-amz-");
        if !is_signature {
            target.push(separator);
            target += &format!("{}={}", encode_segment(&*name), encode_segment(&*value));
            separator = '&';
        }
    }
    target
}

const HOP_BY_HOP: [HeaderName; 5] = [CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE];

fn without_signature(mut headers: HeaderMap) -> HeaderMap {
    for name in HOP_BY_HOP.iter().chain(&[AUTHORIZATION, EXPECT, HOST]) {
        headers.remove(name);
    }
    for name in [
        "x-amz-content-sha256",
        "x-amz-date",
        "x-amz-decoded-content-length",
        "x-amz-sdk-checksum-algorithm",
        "x-amz-security-token",
        "x-amz-trailer",
    ] {
        headers.remove(name);
    }
    // rclone stores them, and answers a range with the checksum of the whole object.
    let checksums: Vec<_> =
        headers.keys().filter(|name| name.as_str().starts_with("x-amz-checksum-")).cloned().collect();
    checksums.iter().for_each(|name| drop(headers.remove(name)));
    headers
}

/// Changes one byte of an upload: of its data, since the header of a chunk is shorter than this.
async fn change(request: Request) -> Request {
    const AT: usize = 1000;
    let is_large = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if request.method() != Method::PUT || is_large.is_some_and(|length| length <= AT) {
        return request;
    }
    let mut before = 0;
    request.map(|body| {
        Body::new(body.map_frame(move |frame| {
            frame.map_data(|data| {
                let (start, end) = (before, before + data.len());
                before = end;
                if !(start..end).contains(&AT) {
                    return data;
                }
                let mut data = data.to_vec();
                data[AT - start] ^= 1;
                Bytes::from(data)
            })
        }))
    })
}

/// Prints bucket, method, HTTP version, payload and status of each request.
async fn log(request: Request, next: Next) -> Response {
    let bucket = request.uri().path().split('/').nth(1).unwrap_or_default().to_owned();
    let payload = match request.headers().get("x-amz-content-sha256").and_then(|value| value.to_str().ok()) {
        Some(hash) if hash.len() == 64 => "hashed".to_owned(),
        Some(other) => other.to_owned(),
        None if request.uri().query().is_some_and(|query| query.contains("X-Amz-Signature=")) => "presigned".to_owned(),
        None => "unsigned".to_owned(),
    };
    let (method, version) = (request.method().clone(), request.version());
    let response = next.run(request).await;
    println!("{bucket} {method} {version:?} {payload} {}", response.status().as_u16());
    response
}

/// Creates a certificate for loopback, and writes it to the folder for the clients.
fn acceptor(folder: &Path) -> Fallible<TlsAcceptor> {
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned(), "localhost".to_owned()])?;
    std::fs::write(folder.join("ca.pem"), own.cert.pem())?;
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der())?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(own.cert.der().to_vec())], key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(std::sync::Arc::new(config)))
}

/// Connections after their handshake, each of which has a task of its own: a slow one holds up no other.
struct Tls {
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, std::net::SocketAddr)>,
    address: std::net::SocketAddr,
}

impl Tls {
    fn new(listener: TcpListener, acceptor: TlsAcceptor) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (sender, accepted) = mpsc::channel(16);
        tokio::spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let (acceptor, sender) = (acceptor.clone(), sender.clone());
                tokio::spawn(async move {
                    match tokio::time::timeout(Duration::from_secs(10), acceptor.accept(stream)).await {
                        Ok(Ok(stream)) => drop(sender.send((stream, peer)).await),
                        Ok(Err(error)) => eprintln!("handshake: {error}"),
                        Err(_) => eprintln!("handshake: timed out"),
                    }
                });
            }
        });
        Ok(Self { accepted, address })
    }
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(connection) => connection,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.address)
    }
}
