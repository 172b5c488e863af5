//! Upgrades that hide requests.

use std::io::{Read, Write};
use std::time::Duration;

use crate::gate::{Gate, Sent, keys};
use crate::wire::Wire;

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";
const WEBSOCKET: &[(&str, &str)] = &[
    ("connection", "upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("sec-websocket-version", "13"),
];

fn gate(upstream: &Wire) -> Gate {
    let url = upstream.url();
    Gate::start(&["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"], &keys())
}

/// Sends a request, and another in the same piece; returns all that comes back.
fn send(gate: &Gate, sent: &Sent, headers: &[(&str, &str)]) -> String {
    let text = String::from_utf8(sent.bytes(gate.address)).expect("text");
    let own: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let text = text.replacen("connection: close\r\n", &own, 1) + HIDDEN;
    let mut stream = gate.connect();
    stream.set_read_timeout(Some(Duration::from_secs(1))).expect("a limit");
    stream.write_all(text.as_bytes()).expect("it is sent");
    let (mut got, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut piece) {
        got.extend_from_slice(&piece[..read]);
    }
    String::from_utf8_lossy(&got).into_owned()
}

/// The upstream refuses the handshake: what the client has sent already is its next request, and needs a signature.
#[test]
fn a_handshake_that_is_refused() {
    for answer in [
        &b"HTTP/1.1 426 Upgrade Required\r\nsec-websocket-version: 13\r\ncontent-length: 0\r\n\r\n"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ] {
        let upstream = Wire::new(answer);
        let gate = gate(&upstream);
        let got = send(&gate, &Sent::get("/a"), WEBSOCKET);
        assert!(!got.contains(" 101 "), "{got}");
        assert!(
            upstream.requests().iter().all(|request| request.line == "GET /a HTTP/1.1"),
            "{:?}",
            upstream.requests()
        );
        assert!(!got.contains("HTTP/1.1 ") || got.matches("HTTP/1.1 ").count() < 2 || got.contains(" 403 "), "{got}");
    }
}

/// Neither other protocols, nor other methods, nor requests without a signature open a connection.
#[test]
fn what_is_no_handshake() {
    // It would agree to everything.
    let upstream = Wire::new(b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
    let gate = gate(&upstream);
    let instead = |name: &str, value: &'static str| -> Vec<(&'static str, &'static str)> {
        WEBSOCKET.iter().map(|(own, old)| (*own, if *own == name { value } else { *old })).collect()
    };
    let h2c = [instead("upgrade", "h2c"), vec![("http2-settings", "AAMAAABkAAQAAP__")]].concat();
    let twice = [WEBSOCKET, &[("upgrade", "h2c")]].concat();
    let body = [WEBSOCKET, &[("content-length", "5")]].concat();
    let chunked = [WEBSOCKET, &[("transfer-encoding", "chunked")]].concat();
    let get = Sent::get("/a");
    let post = Sent::get("/a").with(|sent| sent.method = "POST");
    let unsigned = Sent::get("/a").with(|sent| sent.is_signed = false);
    let wrong = Sent::get("/a").with(|sent| sent.secret = "another");
    for (name, sent, headers) in [
        ("h2c", &get, h2c.clone()),
        ("two", &get, twice),
        ("a list", &get, instead("upgrade", "websocket, h2c")),
        ("not named", &get, instead("connection", "keep-alive")),
        ("a body", &get, body),
        ("chunks", &get, chunked),
        ("POST", &post, WEBSOCKET.to_vec()),
        ("unsigned", &unsigned, WEBSOCKET.to_vec()),
        ("wrong", &wrong, WEBSOCKET.to_vec()),
    ] {
        let got = send(&gate, sent, &headers);
        assert!(!got.contains(" 101 "), "{name}: {got}");
    }
    for request in upstream.requests() {
        assert!(request.line.ends_with("/a HTTP/1.1"), "{request:?}");
        assert_eq!((request.count("upgrade"), request.count("http2-settings") <= 1), (0, true), "{request:?}");
    }
    // It is the one way to a connection.
    assert!(send(&gate, &get, WEBSOCKET).contains(" 101 "));
}
