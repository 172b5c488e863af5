//! Servers on loopback: axum with HTTP/1 and HTTP/2, and clients that send byte for byte.

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::OriginalUri;
use axum::routing::{any, get, put};
use axum::{Extension, Router};
use countersign::tower::{Verified, VerifyLayer};
use countersign::{ErrorFormat, Payload, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;

use super::{BoxError, DATA, Keys, Kind, keys, layer, outage, read, s3, unexpected};
use crate::support::fixtures::{credentials, now, signer, temporary, verifier};

const HOST: &str = "api.example.com";

pub fn serve(runtime: &Runtime, router: Router) -> SocketAddr {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async { axum::serve(listener, router).await });
    address
}

async fn caller(Extension(verified): Extension<Verified>, body: Body) -> (axum::http::StatusCode, String) {
    match read(body).await {
        (data, _, None) => (axum::http::StatusCode::OK, format!("{} sent {}", verified.access_key_id(), data.len())),
        (_, _, Some(error)) => (axum::http::StatusCode::IM_A_TEAPOT, error.to_string()),
    }
}

fn api(layer: VerifyLayer<Keys>) -> Router {
    Router::new().route("/{*path}", any(caller)).layer(layer)
}

/// The head of a signed request, without the last line end.
fn head_of(service: &str, method: &str, target: &str, payload: Payload<'_>, more: &str) -> String {
    let request = Request::new(method, target, &[]).with_host(HOST);
    let signed = signer(service).sign(request, payload, now()).unwrap();
    let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n{more}");
    signed.headers().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
    head
}

/// Sends bytes and returns the answer, or what of it arrived.
fn send(address: SocketAddr, bytes: impl AsRef<[u8]>) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(bytes.as_ref()).unwrap();
    let mut answer = Vec::new();
    // A server that closes while more arrives may reset the connection.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or(answer)
}

#[test]
fn a_body_in_http_chunks_is_verified_and_limited() {
    let runtime = Runtime::new().unwrap();
    let body: String = DATA.iter().map(|byte| format!("1\r\n{}\r\n", *byte as char)).collect();
    for service in ["execute-api", "s3"] {
        let head = head_of(service, "PUT", "/a", Payload::Bytes(DATA), "transfer-encoding: chunked\r\n");
        for (most, expected) in [(DATA.len(), "200"), (DATA.len() - 1, "413")] {
            let address = serve(&runtime, api(layer(verifier(service)).max_body_bytes(most)));
            let answer = send(address, format!("{head}\r\n{body}0\r\n\r\n"));
            assert_eq!(status(&answer), expected, "{service}: {answer}");
            assert!(answer.contains("AKIDEXAMPLE sent 67") == (expected == "200"), "{answer}");
        }
    }
}

#[test]
fn a_large_content_length_is_refused_without_reading_the_body_or_a_look_up() {
    let runtime = Runtime::new().unwrap();
    let layer = VerifyLayer::new(s3(), unexpected as Keys).clock(now).max_body_bytes(100);
    let address = serve(&runtime, api(layer));
    let more = "content-length: 1000000\r\nexpect: 100-continue\r\n";
    let answer = send(address, head_of("s3", "PUT", "/a", Payload::Bytes(DATA), more) + "\r\n");
    assert_eq!(status(&answer), "413", "{answer}");
    assert!(!answer.contains("100 Continue"), "{answer}");
}

#[test]
fn only_a_client_whose_signature_is_right_is_asked_for_the_body() {
    let runtime = Runtime::new().unwrap();
    let address = serve(&runtime, api(layer(s3())));
    let more = "content-length: 67\r\nexpect: 100-continue\r\n";
    let head = head_of("s3", "PUT", "/a", Payload::Bytes(DATA), more);
    let body = std::str::from_utf8(DATA).unwrap();
    let answer = send(address, format!("{head}\r\n{body}"));
    assert!(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200"), "{answer}");
    let answer = send(address, format!("{}\r\n{body}", head.replace("AKIDEXAMPLE", "AKIDSTRANGER")));
    assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
}

#[test]
fn a_client_that_stops_sending_gets_no_success() {
    let runtime = Runtime::new().unwrap();
    for streams in [false, true] {
        let layer = layer(s3()).error_format(ErrorFormat::S3Xml);
        let address = serve(&runtime, api(if streams { layer.stream_bodies() } else { layer }));
        let head = head_of("s3", "PUT", "/a", Payload::Bytes(DATA), "content-length: 67\r\n");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(format!("{head}\r\nThe quick").as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        assert!(!answer.contains(" 200 "), "{answer}");
    }
}

#[test]
fn ambiguous_requests_are_refused() {
    let runtime = Runtime::new().unwrap();
    let address = serve(&runtime, api(layer(verifier("execute-api"))));
    let head = head_of("execute-api", "GET", "/a", Payload::EMPTY, "");
    assert_eq!(status(&send(address, format!("{head}\r\n"))), "200");
    let authorization = head.lines().find(|line| line.starts_with("authorization")).unwrap();
    for more in [
        authorization,
        "authorization: Bearer abc",
        "host: other.example",
        "x-amz-date: 20150830T123600Z",
        "connection: x-amz-date",
        "x-amz-security-token: forged",
    ] {
        let answer = send(address, format!("{head}{more}\r\n\r\n"));
        assert!(status(&answer).starts_with('4'), "{more}: {answer}");
    }
    // The absolute form: its host counts, and must agree with `host`.
    let absolute = |host: &str| head.replacen("GET /a", &format!("GET http://{host}/a"), 1) + "\r\n";
    assert_eq!(status(&send(address, absolute(HOST))), "200");
    assert!(status(&send(address, absolute("other.example"))).starts_with('4'));
}

#[test]
fn a_body_with_two_lengths_is_refused_or_has_one_end() {
    let runtime = Runtime::new().unwrap();
    let chunks = format!("43\r\n{}\r\n0\r\n\r\n", std::str::from_utf8(DATA).unwrap());
    let smuggled = "GET /admin HTTP/1.1\r\nhost: api.example.com\r\n\r\n";
    for (streams, length) in
        [false, true].into_iter().flat_map(|streams| [0, 4, 67, 500].map(|length| (streams, length)))
    {
        let layer = layer(s3());
        let address = serve(&runtime, api(if streams { layer.stream_bodies() } else { layer }));
        for more in [
            "content-length: N\r\ntransfer-encoding: chunked\r\n",
            "transfer-encoding: chunked\r\ncontent-length: N\r\n",
        ] {
            let more = more.replace('N', &length.to_string());
            let head = head_of("s3", "PUT", "/a", Payload::Bytes(DATA), &more);
            let answer = send(address, format!("{head}\r\n{chunks}{smuggled}"));
            // The connection ends with the first answer; nothing behind the body is a request.
            assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
            assert!(status(&answer).starts_with('4') || answer.ends_with("sent 67"), "{more}: {answer}");
        }
    }
}

#[test]
fn targets_that_are_no_path_are_refused() {
    let runtime = Runtime::new().unwrap();
    // Routes match only paths; the fallback gets all.
    let router = Router::new().fallback(any(caller)).layer(layer(verifier("execute-api")));
    let address = serve(&runtime, router);
    let head = head_of("execute-api", "GET", "/", Payload::EMPTY, "") + "\r\n";
    assert_eq!(status(&send(address, &head)), "200");
    for (method, target) in [("OPTIONS", "*"), ("CONNECT", HOST), ("CONNECT", "api.example.com:443")] {
        let head = head.replacen("GET /", &format!("{method} {target}"), 1);
        assert!(status(&send(address, &head)).starts_with('4'), "{method} {target}");
    }
}

#[test]
fn an_answer_to_head_has_no_body() {
    let runtime = Runtime::new().unwrap();
    let address = serve(&runtime, api(layer(s3())));
    let head = head_of("s3", "HEAD", "/a", Payload::EMPTY, "");
    assert_eq!(status(&send(address, format!("{head}\r\n"))), "200");
    let answer = send(address, format!("{}\r\n", head.replace("/a HTTP", "/b HTTP")));
    assert!(answer.starts_with("HTTP/1.1 403") && answer.ends_with("\r\n\r\n"), "{answer}");
    assert!(answer.contains("x-amzn-errortype: InvalidSignatureException"), "{answer}");
}

#[test]
fn nested_routers_verify_the_uri_that_was_sent() {
    let runtime = Runtime::new().unwrap();
    let shows = get(async |original: OriginalUri, uri: axum::http::Uri, verified: Extension<Verified>| {
        format!("{} {} {}", original.path(), uri.path(), verified.canonical_path())
    });
    let found = layer(verifier("execute-api"))
        .original_uri(|extensions| extensions.get::<OriginalUri>().map(|uri| uri.0.clone()));
    let inside =
        |layer: VerifyLayer<Keys>| Router::new().nest("/api", Router::new().route("/a", shows.clone()).layer(layer));
    let outside =
        Router::new().nest("/api", Router::new().route("/a", shows.clone())).layer(layer(verifier("execute-api")));
    let sent = head_of("execute-api", "GET", "/api/a", Payload::EMPTY, "") + "\r\n";
    let inner = head_of("execute-api", "GET", "/a", Payload::EMPTY, "").replace("GET /a", "GET /api/a") + "\r\n";
    for router in [inside(found), outside] {
        let address = serve(&runtime, router);
        let answer = send(address, &sent);
        assert!(answer.ends_with("/api/a /a /api/a"), "{answer}");
        assert_eq!(status(&send(address, &inner)), "403");
    }
    // Without `original_uri`, nothing that was sent is accepted.
    let address = serve(&runtime, inside(layer(verifier("execute-api"))));
    assert_eq!(status(&send(address, &sent)), "403");
}

#[test]
fn http_2_is_verified_with_its_authority() {
    let runtime = Runtime::new().unwrap();
    for streams in [false, true] {
        let layer = layer(s3());
        let address = serve(&runtime, api(if streams { layer.stream_bodies() } else { layer }));
        let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Body>();
        for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::NoHash) {
            for who in [credentials(), temporary()] {
                let request = kind.signed_for(&format!("http://{address}/key?part=1"), &who, now()).map(Body::from);
                let wrong = kind.signed_for(&format!("http://{address}/other?part=1"), &who, now());
                let response = runtime.block_on(client.request(request)).unwrap();
                assert_eq!((response.status(), response.version()), (200.try_into().unwrap(), http::Version::HTTP_2));
                let sent = if kind == Kind::PresignedGet { 0 } else { 67 };
                let (text, _, error) = runtime.block_on(read(response.into_body()));
                assert_eq!(text, format!("{} sent {sent}", who.access_key_id()).as_bytes(), "{kind:?} {error:?}");
                let (mut parts, body) = wrong.into_parts();
                parts.uri = parts.uri.to_string().replace("/other", "/key").parse().unwrap();
                let response = runtime.block_on(client.request(http::Request::from_parts(parts, body.into())));
                assert_eq!(response.unwrap().status(), 403, "{kind:?}");
            }
        }
    }
}

#[test]
fn a_host_next_to_another_authority_is_refused_with_http_2() {
    let runtime = Runtime::new().unwrap();
    let address = serve(&runtime, api(layer(s3())));
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http::<Body>();
    let mut request = Kind::Hashed.signed_for(&format!("http://{address}/key"), &credentials(), now()).map(Body::from);
    request.headers_mut().insert("host", "other.example".parse().unwrap());
    assert!(runtime.block_on(client.request(request)).unwrap().status().is_client_error());
}

#[test]
fn a_proxy_that_changes_the_host_is_told_about_the_external_one() {
    let runtime = Runtime::new().unwrap();
    let address = serve(&runtime, api(layer(verifier("execute-api").with_external_hosts([HOST]))));
    let head = head_of("execute-api", "GET", "/a", Payload::EMPTY, "");
    let rewritten = head.replace(&format!("host: {HOST}"), "host: 127.0.0.1") + "\r\n";
    assert_eq!(status(&send(address, &rewritten)), "200");
    let strict = serve(&runtime, api(layer(verifier("execute-api"))));
    assert_eq!(status(&send(strict, &rewritten)), "403");
}

#[test]
fn an_outage_is_answered_and_the_connection_goes_on() {
    let runtime = Runtime::new().unwrap();
    let failing = serve(&runtime, api(VerifyLayer::new(verifier("execute-api"), outage as Keys).clock(now)));
    let head = head_of("execute-api", "GET", "/a", Payload::EMPTY, "").replace("connection: close\r\n", "");
    let last = head_of("execute-api", "GET", "/a", Payload::EMPTY, "");
    let answers = send(failing, format!("{head}\r\n{last}\r\n"));
    assert_eq!(answers.matches("HTTP/1.1 503").count(), 2, "{answers}");
}

#[test]
fn a_look_up_that_panics_ends_only_its_own_connection() {
    let runtime = Runtime::new().unwrap();
    let picky: Keys = |caller| {
        assert_eq!(caller.access_key_id(), "AKIDEXAMPLE");
        keys(caller)
    };
    let address = serve(&runtime, api(VerifyLayer::new(verifier("execute-api"), picky).clock(now)));
    let head = head_of("execute-api", "GET", "/a", Payload::EMPTY, "") + "\r\n";
    assert_eq!(send(address, head.replace("AKIDEXAMPLE", "AKIDSTRANGER")), "");
    assert_eq!(status(&send(address, head)), "200");
}

/// A proxy that copies the headers and stops after `content-length` bytes of the body, as HTTP clients do.
#[test]
fn a_body_that_is_forwarded_arrives_whole_only_if_it_was_signed() {
    let runtime = Runtime::new().unwrap();
    let behind = serve(&runtime, Router::new().route("/{*path}", put(async |body: Bytes| body.len().to_string())));
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let forward = any(async move |mut request: axum::extract::Request| {
        *request.uri_mut() = format!("http://{behind}/a").parse().unwrap();
        let answer = client.request(request).await;
        Ok::<_, Infallible>(answer.map_or_else(|error| error.to_string(), |answer| answer.status().to_string()))
    });
    let proxy = serve(&runtime, Router::new().route("/{*path}", forward).layer(layer(s3()).stream_bodies()));
    for kind in [Kind::Hashed, Kind::Chunked, Kind::ChunkedTrailer, Kind::UnsignedTrailer] {
        let request = kind.signed_for(&format!("http://{proxy}/a"), &credentials(), now());
        let mut changed = request.clone();
        match kind {
            Kind::Hashed => changed.body_mut()[60] ^= 1,
            _ => {
                // After all of the data, before the end.
                let length = changed.body().len();
                changed.body_mut()[length - 6] ^= 1;
            }
        }
        let answer = |request: http::Request<Vec<u8>>| -> Result<String, BoxError> {
            let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
            let response = runtime.block_on(client.request(request.map(Body::from)))?;
            let (text, _, _) = runtime.block_on(read(response.into_body()));
            Ok(String::from_utf8(text)?)
        };
        assert_eq!(answer(request).unwrap(), "200 OK", "{kind:?}");
        let refused = answer(changed);
        assert!(!refused.as_ref().is_ok_and(|text| text == "200 OK"), "{kind:?}: {refused:?}");
    }
}

/// The client writes all before it reads, and the server has refused it by then.
#[test]
fn a_refused_upload_gets_its_answer() {
    let runtime = Runtime::new().unwrap();
    let address = serve(&runtime, api(layer(s3())));
    let body = vec![b'a'; 3 << 20];
    let more = format!("content-length: {}\r\n", body.len());
    let head = head_of("s3", "PUT", "/a", Payload::Bytes(&body), &more);
    let upload = |head: String| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all((head + "\r\n").as_bytes()).unwrap();
        for piece in body.chunks(1 << 20) {
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(piece).unwrap();
        }
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert_eq!(status(&upload(head.clone())), "200");
    for (from, to, code) in [
        ("AKIDEXAMPLE", "AKIDSTRANGER", "UnrecognizedClientException"),
        ("us-east-1", "us-east-2", "InvalidSignatureException"),
        ("authorization: ", "x-other: ", "MissingAuthenticationTokenException"),
    ] {
        let answer = upload(head.replacen(from, to, 1));
        assert!(answer.starts_with("HTTP/1.1 40") && answer.contains(code), "{to}: {answer}");
        assert!(answer.contains("{\"message\":"), "{to}: {answer}");
    }
}

/// A larger body isn't waited for, nor one that never ends.
#[test]
fn the_rest_of_a_refused_upload_is_read_up_to_the_limit() {
    let runtime = Runtime::new().unwrap();
    let address = serve(&runtime, api(layer(s3()).max_body_bytes(1000)));
    let refused = |more: &str, body: &[u8]| {
        let head = head_of("s3", "PUT", "/a", Payload::Unsigned, more).replace("AKIDEXAMPLE", "AKIDSTRANGER");
        send(address, [head.as_bytes(), b"\r\n", body].concat())
    };
    for (more, body) in [
        ("content-length: 1001\r\n", &b""[..]),
        ("content-length: 1000\r\nexpect: 100-continue\r\n", b""),
        ("transfer-encoding: chunked\r\n", &[&b"3e9\r\n"[..], &[b'a'; 1001], b"\r\n"].concat()),
    ] {
        let answer = refused(more, body);
        assert!(answer.starts_with("HTTP/1.1 403"), "{more}: {answer}");
    }
}

#[test]
fn how_much_of_a_refused_upload_is_read_can_be_set() {
    let runtime = Runtime::new().unwrap();
    for (most, length) in [(0, 1), (0, 1000), (10, 11)] {
        let layer = layer(s3()).max_body_bytes(1000).max_discarded_bytes(most);
        let address = serve(&runtime, api(layer));
        let head = head_of("s3", "PUT", "/a", Payload::Unsigned, &format!("content-length: {length}\r\n"));
        // Nothing of the body is sent: the answer doesn't wait for it.
        let answer = send(address, [head.replace("AKIDEXAMPLE", "AKIDSTRANGER").as_bytes(), b"\r\n"].concat());
        assert!(answer.starts_with("HTTP/1.1 403"), "{most} {length}: {answer}");
    }
}
