//! Requests that try to mean two things, and clients that are slow or want too much.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::gate::{Gate, Got, Sent, only, upstream};
use crate::support::{Server, answer};

#[test]
fn smuggling() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--route", "ANY /public=NONE"]);
    let head = |rest: &str| format!("POST /public HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{rest}");
    for (name, request) in [
        ("two lengths", head("content-length: 5\r\ncontent-length: 6\r\n\r\nhello")),
        ("list of lengths", head("content-length: 5, 6\r\n\r\nhello")),
        ("signed length", head("content-length: +5\r\n\r\nhello")),
        ("unknown coding", head("transfer-encoding: xchunked\r\n\r\n0\r\n\r\n")),
        ("chunked not last", head("transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n")),
        ("folded", head("x-a: b\r\n transfer-encoding: chunked\r\n\r\n")),
        ("space before colon", head("transfer-encoding : chunked\r\n\r\n0\r\n\r\n")),
        ("bad chunk", head("transfer-encoding: chunked\r\n\r\nzz\r\n\r\n")),
        ("no path", "GET http://x HTTP/1.1\r\nhost: y\r\nbad name: 1\r\n\r\n".into()),
        ("connect", "CONNECT x:80 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".into()),
    ] {
        let got = gate.raw(request.as_bytes());
        assert!(got.status == 400 || got.status == 0, "{name}: {got:?}");
    }
    assert!(upstream.arrived().is_empty(), "{:?}", upstream.arrived());
    // Both: the length is dropped, and nothing of the body is read as a request.
    let both = head(
        "content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /admin HTTP/1.1\r\nhost: x\r\n\r\n",
    );
    let got = gate.raw(both.as_bytes());
    assert!(got.status == 200 || got.status == 400, "{got:?}");
    assert!(
        upstream
            .arrived()
            .iter()
            .all(|arrived| arrived.target == "/public" && arrived.header("content-length").is_none())
    );
}

#[test]
fn connection_does_not_remove_what_the_gate_adds() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &[]);
    let hops = "x-countersign-caller, x-forwarded-for, content-length, x-own".to_owned();
    let got = gate.send(&Sent::get("/a").with(|sent| {
        (sent.method, sent.body) = ("POST", b"hello".to_vec());
        sent.unsigned =
            vec![("connection", hops), ("x-own", "1".into()), ("te", "trailers".into()), ("upgrade", "h2c".into())];
    }));
    assert_eq!(got.status, 200, "{got:?}");
    let arrived = only(&upstream);
    assert_eq!((arrived.header("x-countersign-caller"), arrived.header("x-own")), (Some("AKIDGATE"), None));
    assert_eq!(
        (arrived.header("te"), arrived.header("upgrade"), arrived.body.as_slice()),
        (None, None, b"hello".as_slice())
    );
    // A signed header that the connection would drop.
    let got = gate.send(&Sent::get("/a").with(|sent| sent.unsigned.push(("connection", "x-amz-date".into()))));
    assert_eq!(got.status, 403);
}

#[test]
fn limits() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--max-body-bytes", "1000", "--max-header-bytes", "8192"]);
    let post = |length: usize| Sent::get("/a").with(|sent| (sent.method, sent.body) = ("POST", vec![b'x'; length]));
    assert_eq!(gate.send(&post(1000)).status, 200);
    assert_eq!(gate.send(&post(1001)).status, 413);
    let long = gate.send(&Sent::get("/a").with(|sent| sent.unsigned.push(("x-long", "x".repeat(20_000)))));
    assert!(long.status == 431 || long.status == 0, "{long:?}");
    let tight = Gate::new(&upstream, &["--max-buffered-bytes", "1000"]);
    assert_eq!((tight.send(&post(999)).status, tight.send(&post(2000)).status), (200, 503));
    // The memory is free again.
    assert_eq!(tight.send(&post(999)).status, 200);
}

#[test]
fn refused_bodies_use_no_memory_and_delay_no_answer() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--max-buffered-bytes", "1000"]);
    let post = |length: usize| Sent::get("/a").with(|sent| (sent.method, sent.body) = ("POST", vec![b'x'; length]));
    // All but the last 50 bytes: the gate waits for the rest.
    let begin = |sent: &Sent| {
        let mut stream = gate.connect();
        let bytes = sent.bytes(gate.address);
        stream.write_all(&bytes[..bytes.len() - 50]).expect("most of the body");
        stream
    };
    let unsigned = post(950).with(|sent| sent.is_signed = false);
    let begun = Instant::now();
    let mut refused = begin(&unsigned);
    // Its 900 bytes are not counted.
    assert_eq!(gate.send(&post(950)).status, 200);

    let valid = post(950);
    let bytes = valid.bytes(gate.address);
    let mut slow = gate.connect();
    slow.write_all(&bytes[..bytes.len() - 50]).expect("most of the body");
    // Until its part of the body has been counted.
    let end = Instant::now() + Duration::from_secs(10);
    while gate.send(&post(200)).status != 503 {
        assert!(Instant::now() < end, "the memory is never used up");
    }
    // With the memory nearly used up, refusals are still what they are, even if their bodies are larger than the rest.
    for length in [10, 500, 5000] {
        let got = gate.send(&post(length).with(|sent| sent.is_signed = false));
        assert_eq!((got.status, got.body.as_str()), (403, r#"{"message":"Missing Authentication Token"}"#), "{length}");
        let got = gate.send(&post(length).with(|sent| sent.id = "AKIDOTHER"));
        assert!(if length > 50 { got.status == 503 } else { got.status == 403 }, "{length}: {got:?}");
    }
    slow.write_all(&bytes[bytes.len() - 50..]).expect("the rest");
    assert_eq!(Got::read(&mut slow).status, 200);
    // The first one was answered although its body never ended, and its connection is closed soon after.
    assert_eq!(Got::read(&mut refused).status, 403);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

/// A client that reads the answer only after it has sent everything must not find a broken connection.
#[test]
fn a_refused_upload_is_read_before_the_connection_ends() {
    let upstream = upstream();
    let url = upstream.url("");
    for (service, length) in [("execute-api", 5 << 20), ("s3", 5 << 20)] {
        let arguments = ["--upstream", &url, "--service", service, "--region", "us-east-1"];
        let gate = Gate::start(&arguments, &crate::gate::keys());
        let sent = Sent::get("/a")
            .with(|sent| (sent.method, sent.body, sent.secret) = ("POST", vec![b'x'; length], "another"))
            .with(|sent| (sent.service, sent.id) = (service, "AKIDOTHER"));
        let bytes = sent.bytes(gate.address);
        let mut stream = gate.connect();
        stream.write_all(&bytes).expect("everything is taken");
        assert_eq!(Got::read(&mut stream).status, 403, "{service}");
    }
}

#[test]
fn slow_clients_are_closed_and_harm_nobody() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--header-timeout", "1", "--idle-timeout", "1", "--max-connections", "3"]);
    let mut silent = gate.connect();
    let mut half = gate.connect();
    half.write_all(b"GET /a HTTP/1.1\r\nhost").expect("half of a head");
    let mut body = gate.connect();
    body.write_all(
        b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\nauthorization: AWS4-HMAC-SHA256 x\r\n\r\nabc",
    )
    .expect("half");
    // All connections are taken; this one gets its turn when they are closed.
    let begun = Instant::now();
    assert_eq!(gate.send(&Sent::get("/b")).status, 200);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!((Got::read(&mut silent).status, Got::read(&mut half).status), (0, 0));
    assert_ne!(Got::read(&mut body).status, 200);
    assert_eq!(only(&upstream).target, "/b");
}

#[test]
fn an_upstream_that_is_down_or_slow_or_cuts() {
    let gone = upstream();
    let address = gone.address;
    drop(gone);
    let url = format!("http://{address}");
    let arguments = ["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"];
    let gate = Gate::start(&arguments, &crate::gate::keys());
    let got = gate.send(&Sent::get("/a"));
    assert_eq!((got.status, got.body.as_str()), (502, r#"{"message":"Internal server error"}"#));

    let slow = Server::new(|_| {
        std::thread::sleep(Duration::from_secs(3));
        answer(200, &[("connection", "close")], "late")
    });
    let gate = Gate::new(&slow, &["--upstream-timeout", "1"]);
    let got = gate.send(&Sent::get("/a"));
    assert_eq!((got.status, got.body.as_str()), (504, r#"{"message":"Endpoint request timed out"}"#));

    let silent = Server::new(|_| Vec::new());
    let got = Gate::new(&silent, &[]).send(&Sent::get("/a"));
    assert_eq!(got.status, 502, "{got:?}");

    // An answer that ends early must not look complete.
    let cutting = Server::new(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf".to_vec());
    let gate = Gate::new(&cutting, &[]);
    let got = gate.send(&Sent::get("/a"));
    assert!(got.status == 502 || got.header("content-length") == Some("100") && got.body.len() < 100, "{got:?}");
    gate.wait_for("\"decision\":\"upstream_failed\"");
}
