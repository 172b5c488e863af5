//! Requests within requests.

use std::io::{Read, Write};

use crate::gate::{Gate, Sent, exchange, keys};
use crate::wire::Wire;

const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nhost: x\r\n\r\n";

fn gate(upstream: &Wire) -> Gate {
    let url = upstream.url();
    let own = ["--upstream", &url, "--service", "execute-api", "--region", "us-east-1", "--route", "ANY /public=NONE"];
    Gate::start(&own, &keys())
}

/// The upstream never gets a request that the gate hasn't seen, and the gate sees none with two readings.
#[test]
fn nothing_is_hidden_in_a_body() {
    let upstream = Wire::ok();
    let gate = gate(&upstream);
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    let length = HIDDEN.len();
    // The headers of the body, and what follows them.
    let table: Vec<(String, String)> = vec![
        (format!("content-length: {length}"), HIDDEN.into()),
        ("transfer-encoding: chunked".into(), chunk.clone()),
        ("content-length: 0\r\ntransfer-encoding: chunked".into(), chunk.clone()),
        ("transfer-encoding: chunked\r\ncontent-length: 0".into(), chunk.clone()),
        ("transfer-encoding: chunked\r\ntransfer-encoding: chunked".into(), chunk.clone()),
        ("transfer-encoding: chunked, chunked".into(), chunk.clone()),
        ("transfer-encoding: chunked\r\ntransfer-encoding: identity".into(), chunk.clone()),
        ("transfer-encoding: identity, chunked".into(), chunk.clone()),
        ("transfer-encoding: gzip, chunked".into(), chunk.clone()),
        ("transfer-encoding: CHUNKED".into(), chunk.clone()),
        ("transfer-encoding:\tchunked".into(), chunk.clone()),
        ("transfer-encoding: \u{b}chunked".into(), chunk.clone()),
        ("transfer-encoding: \"chunked\"".into(), chunk.clone()),
        ("transfer-encoding: chunked;q=1".into(), chunk.clone()),
        ("transfer_encoding: chunked".into(), chunk.clone()),
        ("transfer-encoding\0: chunked".into(), chunk.clone()),
        ("transfer-encoding: chunked\0".into(), chunk.clone()),
        ("x: y\rtransfer-encoding: chunked".into(), chunk.clone()),
        ("x: y\ntransfer-encoding: chunked".into(), chunk.clone()),
        ("x: y\n\n".into(), HIDDEN.into()),
        ("x: y\r\r".into(), HIDDEN.into()),
        (" content-length: 5".into(), HIDDEN.into()),
        ("content-length : 5".into(), HIDDEN.into()),
        ("content-length: 5\r\n 0".into(), HIDDEN.into()),
        ("content-length: -1".into(), HIDDEN.into()),
        ("content-length: 0x5".into(), HIDDEN.into()),
        ("content-length: 5 5".into(), HIDDEN.into()),
        ("content-length: 0, 0".into(), HIDDEN.into()),
        ("content-length: 99999999999999999999".into(), HIDDEN.into()),
        ("content-length: ".into(), HIDDEN.into()),
        // Lines within the body of chunks.
        ("transfer-encoding: chunked".into(), format!("{:x};a=\"\r\n\"\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len())),
        ("transfer-encoding: chunked".into(), format!("{:x};a\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len())),
        ("transfer-encoding: chunked".into(), format!("{:x}\n{HIDDEN}\n0\n\n", HIDDEN.len())),
        ("transfer-encoding: chunked".into(), format!("0{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len())),
        ("transfer-encoding: chunked".into(), format!("+{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len())),
        ("transfer-encoding: chunked".into(), format!("0x{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len())),
        ("transfer-encoding: chunked".into(), format!("1{:016x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len())),
        ("transfer-encoding: chunked".into(), format!("ffffffffffffffff\r\n{HIDDEN}")),
        ("transfer-encoding: chunked".into(), format!("2\r\nab{HIDDEN}\r\n0\r\n\r\n")),
        ("transfer-encoding: chunked".into(), format!("2;{}\r\nab\r\n0\r\n\r\n", "x".repeat(100_000))),
        ("transfer-encoding: chunked".into(), format!("0\r\n{}\r\n", "x: y\r\n".repeat(50_000))),
        ("transfer-encoding: chunked".into(), format!("0\r\n{HIDDEN}")),
    ];
    for (headers, rest) in &table {
        for version in ["1.1", "1.0"] {
            let head = format!("POST /public HTTP/{version}\r\nhost: x\r\nconnection: close\r\n{headers}\r\n\r\n");
            let stream = gate.connect();
            stream.set_read_timeout(Some(std::time::Duration::from_secs(2))).expect("a limit");
            exchange(stream, (head + rest).as_bytes());
        }
    }
    for request in upstream.requests() {
        assert_eq!(request.line, "POST /public HTTP/1.1", "{request:?}");
    }
    assert!(upstream.complete().len() >= 2);
    // Nobody else gets an answer to what was left over.
    assert_eq!(gate.send(&Sent::get("/after")).status, 200);
}

/// Each of them is decided on its own, on one connection.
#[test]
fn a_thousand_pipelined_requests() {
    let upstream = Wire::ok();
    let gate = gate(&upstream);
    let mut stream = gate.connect();
    let mut all = Vec::new();
    for number in 0..1000 {
        let path = if number % 2 == 0 { "/public" } else { "/admin" };
        all.extend_from_slice(format!("GET {path}/{number} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
    }
    all.extend_from_slice(b"GET /public/end HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    let mut writer = stream.try_clone().expect("a copy");
    let writing = std::thread::spawn(move || writer.write_all(&all));
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("all answers");
    writing.join().expect("it ends").expect("it is sent");
    let statuses: Vec<_> = text.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    let expected: Vec<_> = (0..1001).map(|number| if number % 2 == 0 { "200" } else { "403" }).collect();
    assert_eq!(statuses, expected);
    let lines: Vec<_> = upstream.requests().into_iter().map(|request| request.line).collect();
    assert!(lines.len() == 501 && lines.iter().all(|line| line.starts_with("GET /public/")), "{lines:?}");
}

/// An answer of the upstream doesn't end where it wants, or is two.
#[test]
fn answers_with_two_readings() {
    for answer in [
        &b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 50\r\n\r\nok"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nx-hidden: 1\r\ncontent-length: 6\r\n\r\nhidden",
        b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhidden",
        b"HTTP/1.1 200 OK\r\nx: y\r\n\tx-hidden: 1\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 204 No Content\r\ncontent-length: 6\r\n\r\nhidden",
        b"HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n6\r\nhidden\r\n0\r\n\r\n",
    ] {
        let upstream = Wire::new(answer);
        let gate = gate(&upstream);
        for number in 0..3 {
            let got = gate.send(&Sent::get(&format!("/a{number}")));
            assert!(!got.body.contains("hidden") && got.header("x-hidden").is_none(), "{got:?}");
        }
    }
}
