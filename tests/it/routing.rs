//! The signature of `/bob/report.pdf` with other spellings of the path, in front of axum, which routes by what it receives.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use countersign::{Payload, VerifiedRequest, Verifier};
use tokio::runtime::Runtime;

use crate::support::fixtures::{credentials, now, signer, verifier, verify};

const HOST: &str = "api.example.com";

type Verified = Extension<VerifiedRequest<'static>>;

async fn only_signed(State(verifier): State<Arc<Verifier>>, mut request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let verified = match verify(&verifier, &parts, b"", &credentials(), now()) {
        Ok(verified) => verified.into_owned(),
        Err(error) => return (StatusCode::FORBIDDEN, error.to_string()).into_response(),
    };
    request = Request::from_parts(parts, body);
    request.extensions_mut().insert(verified);
    next.run(request).await
}

/// An API behind this verifier; it ends with the runtime.
fn serve(runtime: &Runtime, verifier: Verifier) -> SocketAddr {
    let handled_by = |name| async move |verified: Verified| format!("{name} handles {}", verified.canonical_path());
    let api = Router::new()
        .route("/admin/{*file}", get(handled_by("admin")))
        .route("/bob/{*file}", get(handled_by("bob")))
        .fallback(async |verified: Verified| {
            (StatusCode::NOT_FOUND, format!("nobody handles {}", verified.canonical_path()))
        })
        .layer(from_fn_with_state(Arc::new(verifier), only_signed));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async { axum::serve(listener, api).await });
    address
}

/// Sends what was signed for `/bob/report.pdf` with this target, byte for byte, and returns status and body.
fn send(address: SocketAddr, target: &str) -> (u16, String) {
    let request = countersign::Request::new("GET", "/bob/report.pdf", &[]).with_host(HOST);
    let signed = signer("execute-api").sign(request, Payload::EMPTY, now()).unwrap();
    let mut head = format!("GET {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n");
    signed.headers().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.into())
}

#[test]
fn the_signature_of_bob_opens_no_route_of_admin() {
    let runtime = Runtime::new().unwrap();
    let api = serve(&runtime, verifier("execute-api"));
    let answer = |target: &str| send(api, target);
    assert_eq!(answer("/bob/report.pdf"), (200, "bob handles /bob/report.pdf".into()));
    for target in ["/admin/../bob/report.pdf", "//admin/../bob/report.pdf", "/admin/./../bob/report.pdf"] {
        let (status, body) = answer(target);
        assert!(status == 403 && body.contains("dot segments"), "{target}: {status} {body}");
        assert_eq!(answer(&format!("http://{HOST}{target}")), (status, body));
    }
    for target in ["/admin/report.pdf", "/admin/%2e%2e/bob/report.pdf", "/admin/..%2Fbob/report.pdf"] {
        let (status, body) = answer(target);
        assert!(status == 403 && body.contains("signature"), "{target}: {status} {body}");
    }
    // hyper refuses it before the verifier would.
    assert_eq!(answer("bob/report.pdf"), (400, String::new()));
    // Signed as one slash, and to axum no route.
    assert_eq!(answer("//bob/report.pdf"), (404, "nobody handles /bob/report.pdf".into()));
}

/// Why dot segments are refused: axum keeps them, and only what was signed tells that this is bob's.
#[test]
fn with_dot_segments_accepted_the_signature_of_bob_reaches_admin() {
    let runtime = Runtime::new().unwrap();
    let api = serve(&runtime, verifier("execute-api").accept_dot_segments());
    for target in ["/admin/../bob/report.pdf", "http://api.example.com/admin/../bob/report.pdf"] {
        assert_eq!(send(api, target), (200, "admin handles /bob/report.pdf".into()));
    }
}
