//! What is refused, in AWS's wording, and never reaches the upstream.

use std::io::{Read, Write};

use crate::gate::{Gate, ID, Sent, upstream};

#[test]
fn each_kind_of_wrong_request() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &[]);
    let get = || Sent::get("/dev/items");
    let body_changed = |gate: &Gate| {
        let mut bytes = Sent::get("/dev/items")
            .with(|sent| (sent.method, sent.body) = ("POST", b"hello".to_vec()))
            .bytes(gate.address);
        *bytes.last_mut().expect("a body") = b'O';
        gate.raw(&bytes)
    };
    for (name, got, check, code, part) in [
        (
            "unsigned",
            gate.send(&get().with(|sent| sent.is_signed = false)),
            "3",
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        (
            "secret",
            gate.send(&get().with(|sent| sent.secret = "another")),
            "21",
            "InvalidSignatureException",
            "The Canonical String for this request should have been",
        ),
        (
            "service",
            gate.send(&get().with(|sent| sent.service = "s3")),
            "18",
            "InvalidSignatureException",
            "Credential should be scoped to correct service: 'execute-api'",
        ),
        (
            "key",
            gate.send(&get().with(|sent| sent.id = "AKIDOTHER")),
            "20",
            "UnrecognizedClientException",
            "The security token included in the request is invalid",
        ),
        ("past", gate.send(&get().with(|sent| sent.at = -400)), "17", "InvalidSignatureException", "Signature expired"),
        (
            "future",
            gate.send(&get().with(|sent| sent.at = 400)),
            "17",
            "InvalidSignatureException",
            "Signature not yet current",
        ),
        (
            "header",
            gate.send(&get().with(|sent| sent.unsigned.push(("x-amz-acl", "public".into())))),
            "11",
            "InvalidSignatureException",
            "x-amz-acl",
        ),
        ("dots", gate.send(&Sent::get("/dev/a/../b")), "15", "", ""),
        ("body", body_changed(&gate), "21", "InvalidSignatureException", "does not match"),
    ] {
        assert!(got.status == 403 || check == "15", "{name}: {got:?}");
        assert!(got.header("x-amzn-errortype").is_some_and(|own| code.is_empty() || own == code), "{name}: {got:?}");
        assert!(got.body.contains(part), "{name}: {got:?}");
        assert_eq!(got.header("x-amzn-requestid").map(str::len), Some(36), "{name}");
        let id = got.header("x-amzn-requestid").expect("an id");
        let line: serde_json::Value = serde_json::from_str(&gate.wait_for(id)).expect("JSON");
        assert_eq!(
            (&line["check"], &line["decision"], &line["caller"]),
            (&check.into(), &"refused".into(), &().into()),
            "{name}"
        );
    }
    assert!(upstream.arrived().is_empty(), "{:?}", upstream.arrived());
    assert_eq!(gate.metric("countersign_refusals_total{check=\"21\"}"), 2);
    assert_eq!(gate.metric("countersign_refusals_total{check=\"3\"}"), 1);
    assert_eq!(gate.metric("countersign_requests_total{outcome=\"refused\"}"), 9);
}

#[test]
fn the_right_request_passes_and_a_repeat_only_without_replay() {
    let upstream = upstream();
    let (open, strict) = (Gate::new(&upstream, &[]), Gate::new(&upstream, &["--replay", "memory"]));
    for (gate, second) in [(&open, 200), (&strict, 403)] {
        let bytes = Sent::get("/dev/items").bytes(gate.address);
        assert_eq!(gate.raw(&bytes).status, 200);
        assert_eq!(gate.raw(&bytes).status, second);
        // The same signature, written differently.
        let text = String::from_utf8(bytes).expect("text").replace(", Signature=", ",  Signature=");
        assert_eq!(gate.raw(text.as_bytes()).status, second);
        // A request that was refused doesn't use up the signature of the right one.
        let right = Sent::get("/dev/other").bytes(gate.address);
        let wrong = String::from_utf8(right.clone()).expect("text").replace("/dev/other", "/dev/wrong");
        assert_eq!(gate.raw(wrong.as_bytes()).status, 403);
        assert_eq!(gate.raw(&right).status, 200);
    }
    assert_eq!(strict.metric("countersign_refusals_total{check=\"replay\"}"), 2);
}

#[test]
fn full_memory_lets_nothing_through() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--replay", "memory", "--replay-entries", "1"]);
    assert_eq!(gate.send(&Sent::get("/a")).status, 200);
    assert_eq!(gate.send(&Sent::get("/b")).status, 503);
}

#[test]
fn allow_lists() {
    let upstream = upstream();
    let keys = crate::gate::keys() + "[[key.allow]]\nmethods = [\"GET\"]\npath_prefixes = [\"/dev/reports\"]\n";
    let url = upstream.url("");
    let gate = Gate::start(&["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"], &keys);
    for (method, target, status) in [
        ("GET", "/dev/reports/1", 200),
        ("GET", "/dev/reports", 200),
        ("POST", "/dev/reports/1", 403),
        ("GET", "/dev/reportsx", 403),
        ("GET", "/dev/reports%2f..%2fitems", 403),
        ("GET", "/dev/items", 403),
    ] {
        let got = gate.send(&Sent::get(target).with(|sent| sent.method = method));
        assert_eq!(got.status, status, "{method} {target}: {got:?}");
    }
    let line = gate.wait_for("\"check\":\"allow\"");
    assert!(line.contains(ID), "{line}");
}

/// The client doesn't send the body then, and must not send its next request on a connection that ends.
#[test]
fn a_refusal_instead_of_100_continue_closes_the_connection() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &[]);
    // Sends a PUT without its body, and returns the connection and the head of the answer.
    let send = |is_signed: bool, expects: bool| {
        let sent = Sent::get("/a").with(|sent| (sent.method, sent.is_signed) = ("PUT", is_signed));
        let sent = sent.with(|sent| sent.body = b"hello".to_vec());
        let sent = if expects { sent.with(|sent| sent.unsigned.push(("expect", "100-continue".into()))) } else { sent };
        let text = String::from_utf8(sent.bytes(gate.address)).expect("text").replace("connection: close\r\n", "");
        let mut stream = gate.connect();
        let length = text.len() - if expects { sent.body.len() } else { 0 };
        stream.write_all(&text.as_bytes()[..length]).expect("the request");
        let head = head(&mut stream);
        (stream, head)
    };
    let (mut stream, refused) = send(false, true);
    assert!(refused.starts_with("HTTP/1.1 403") && refused.contains("connection: close\r\n"), "{refused}");
    assert!(stream.read_to_end(&mut Vec::new()).is_ok());

    // The connection stays open if the body was sent at once, or is asked for.
    let (_, refused) = send(false, false);
    assert!(refused.starts_with("HTTP/1.1 403") && !refused.contains("connection:"), "{refused}");
    let (mut stream, interim) = send(true, true);
    assert_eq!(interim, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").expect("the body");
    let accepted = head(&mut stream);
    assert!(accepted.starts_with("HTTP/1.1 200") && !accepted.contains("connection:"), "{accepted}");
}

fn head(stream: &mut std::net::TcpStream) -> String {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a head");
        bytes.extend(byte);
    }
    String::from_utf8(bytes).expect("text")
}
