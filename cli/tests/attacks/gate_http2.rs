//! HTTP/2 to HTTP/1, and floods.

use std::time::{Duration, Instant};

use crate::gate::{Gate, Sent, keys};
use crate::http2::{
    CONTINUATION, DATA, END_HEADERS, END_STREAM, End, HEADERS, Http2, PING, RST_STREAM, SETTINGS, block,
};
use crate::wire::Wire;

fn gate(upstream: &Wire, arguments: &[&str]) -> Gate {
    let url = upstream.url();
    let own = ["--upstream", &url, "--service", "execute-api", "--region", "us-east-1", "--route", "ANY /public=NONE"];
    Gate::start(&[&own, arguments].concat(), &keys())
}

const GET: [(&str, &str); 4] = [(":method", "GET"), (":scheme", "http"), (":path", "/public"), (":authority", "x")];

fn with(more: &[(&'static str, &'static str)]) -> Vec<(&'static str, &'static str)> {
    [&GET, more].concat()
}

fn instead(name: &str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    GET.iter().map(|(own, old)| (*own, if *own == name { value } else { old })).collect()
}

/// What HTTP/1 would read as another header or request.
#[test]
fn requests_that_are_no_http1() {
    let upstream = Wire::ok();
    let gate = gate(&upstream, &[]);
    for list in [
        with(&[("x-a", "b\r\nx-countersign-caller: admin")]),
        with(&[("x-a", "b\nx-b: c")]),
        with(&[("x-a", "b\rx-b: c")]),
        with(&[("x-a", "b\0c")]),
        with(&[("x-a: b\r\nx-b", "c")]),
        with(&[("x-a:", "c")]),
        with(&[("x a", "c")]),
        with(&[("X-Countersign-Caller", "admin")]),
        with(&[("", "c")]),
        with(&[("transfer-encoding", "chunked")]),
        with(&[("connection", "x-countersign-caller")]),
        with(&[("keep-alive", "1")]),
        with(&[("proxy-connection", "x")]),
        with(&[("upgrade", "websocket")]),
        with(&[("te", "gzip")]),
        with(&[("content-length", "5")]),
        with(&[("content-length", "+0")]),
        with(&[("content-length", "0"), ("content-length", "5")]),
        with(&[(":path", "/admin")]),
        with(&[("x-a", "b"), (":path", "/admin")]),
        with(&[(":status", "200")]),
        with(&[(":own", "x")]),
        with(&[(":protocol", "websocket")]),
        instead(":path", "/public HTTP/1.1\r\nx-countersign-caller: admin\r\nx: "),
        instead(":path", "/public\n"),
        instead(":path", "/public x"),
        instead(":path", "/public/../admin"),
        instead(":path", "public"),
        instead(":path", ""),
        instead(":path", "*"),
        instead(":path", "http://x/public"),
        instead(":path", "//x/public"),
        instead(":method", "GET /admin HTTP/1.1\r\nx: "),
        instead(":method", "GET\n"),
        instead(":method", ""),
        instead(":method", "CONNECT"),
        instead(":authority", "x\r\nx-countersign-caller: admin"),
        instead(":authority", "x/admin"),
        instead(":scheme", "http://x/admin?"),
        GET[..2].to_vec(),
        [&GET[1..], &GET[..1], &[(":method", "POST")]].concat(),
    ] {
        let mut http2 = Http2::open(gate.address);
        http2.headers(1, &list, true);
        let end = http2.end_of(1);
        // The route is decided for this method only after the request is found to be one.
        let arrived = upstream.requests();
        if end == End::Ok {
            let last = arrived.last().expect("a request");
            assert_eq!(last.line, "GET /public HTTP/1.1", "{list:?}");
            assert_eq!((last.count("x-countersign-caller"), last.count("host")), (0, 1), "{list:?}: {last:?}");
        }
        assert!(arrived.iter().all(|request| request.line == "GET /public HTTP/1.1"), "{list:?}: {arrived:?}");
    }
    // `Host` next to `:authority` doesn't get through twice.
    let mut http2 = Http2::open(gate.address);
    http2.headers(1, &with(&[("host", "other")]), true);
    assert_ne!(http2.end_of(1), End::Closed);
    assert!(
        upstream.requests().iter().all(|request| request.count("host") == 1 && request.count("x-forwarded-host") <= 1)
    );
    assert_eq!(gate.send(&Sent::get("/after")).status, 200);
}

/// The length is not that of the data.
#[test]
fn lengths_that_lie() {
    let upstream = Wire::ok();
    let gate = gate(&upstream, &[]);
    let post = |length: &'static str, data: &[u8]| {
        let mut http2 = Http2::open(gate.address);
        let list = [&instead(":method", "POST")[..], &[("content-length", length)]].concat();
        http2.headers(1, &list, false);
        http2.frame(DATA, END_STREAM, 1, data);
        http2.end_of(1)
    };
    assert_eq!(post("5", b"hello"), End::Ok);
    for (length, data) in [
        ("5", &b"hell"[..]),
        ("5", b""),
        ("5", b"helloGET /hidden HTTP/1.1\r\nhost: x\r\n\r\n"),
        ("0", b"hello"),
        ("4294967300", b"hell"),
        ("18446744073709551616", b"a"),
    ] {
        assert_ne!(post(length, data), End::Ok, "{length}");
    }
    assert_eq!(upstream.complete().len(), 1, "{:?}", upstream.complete());
}

/// The name that was signed and the one that routes are compared.
#[test]
fn signed_for_another_host() {
    let upstream = Wire::ok();
    let gate = gate(&upstream, &[]);
    let address = gate.address.to_string();
    let bytes = String::from_utf8(Sent::get("/a").bytes(gate.address)).expect("text");
    let headers: Vec<_> = bytes.lines().filter_map(|line| line.split_once(": ")).collect();
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.to_lowercase(), *value)).collect();
    let send = |authority: &str, host: Option<&str>| {
        let mut list = vec![(":method", "GET"), (":scheme", "http"), (":path", "/a"), (":authority", authority)];
        let own = headers.iter().filter(|(name, _)| !["host", "connection"].contains(&name.as_str()));
        list.extend(own.map(|(name, value)| (name.as_str(), *value)));
        list.extend(host.map(|host| ("host", host)));
        let mut http2 = Http2::open(gate.address);
        http2.headers(1, &list, true);
        http2.end_of(1)
    };
    assert_eq!(send(&address, None), End::Ok);
    assert_eq!(send(&address, Some(&address)), End::Ok);
    for (authority, host) in [
        ("evil.example", None),
        ("evil.example", Some(address.as_str())),
        (&address, Some("evil.example")),
        (&format!("{address}."), None),
    ] {
        assert_ne!(send(authority, host), End::Ok, "{authority} {host:?}");
    }
    assert_eq!(upstream.requests().len(), 2);
}

/// After each of them, others are served at once.
#[test]
fn floods_harm_nobody() {
    let upstream = Wire::ok();
    let gate = gate(&upstream, &["--access-log", "none", "--max-time", "5", "--idle-timeout", "3"]);
    let check = |name: &str| {
        let begun = Instant::now();
        assert_eq!(gate.send(&Sent::get("/b")).status, 200, "{name}");
        assert!(begun.elapsed() < Duration::from_secs(3), "{name}: {:?}", begun.elapsed());
        assert!(gate.peak_memory() < 200, "{name}: {} MiB", gate.peak_memory());
    };
    // Rapid reset.
    let mut http2 = Http2::open(gate.address);
    let mut stream = 1;
    while stream < 40_000
        && http2.headers(stream, &GET, true)
        && http2.frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes())
    {
        stream += 2;
    }
    check("rapid reset");
    // Headers without an end.
    let mut http2 = Http2::open(gate.address);
    http2.frame(HEADERS, 0, 1, &block(&GET));
    let part = block(&[("x-long", &"x".repeat(16_000))]);
    let is_closed = (0..5000).any(|_| !http2.frame(CONTINUATION, 0, 1, &part));
    assert!(is_closed, "80 MB of headers were taken");
    check("continuation");
    // Empty ones, which have no length.
    let mut http2 = Http2::open(gate.address);
    http2.frame(HEADERS, 0, 1, &block(&GET));
    let _ = (0..50_000).any(|_| !http2.frame(CONTINUATION, 0, 1, b""));
    check("empty continuation");
    // Answers that are not read.
    for kind in [PING, SETTINGS] {
        let mut http2 = Http2::open(gate.address);
        http2.0.set_write_timeout(Some(Duration::from_secs(1))).expect("a limit");
        let payload: &[u8] = if kind == PING { &[0; 8] } else { &[] };
        let _ = (0..200_000).any(|_| !http2.frame(kind, 0, 0, payload));
        check("pings and settings");
    }
    // Empty data, and more streams than allowed.
    let mut http2 = Http2::open(gate.address);
    http2.headers(1, &instead(":method", "POST"), false);
    let _ = (0..50_000).any(|_| !http2.frame(DATA, 0, 1, b""));
    check("empty data");
    let mut http2 = Http2::open(gate.address);
    let _ = (0..5000).any(|number| !http2.headers(number * 2 + 1, &instead(":method", "POST"), false));
    check("many streams");
    // One byte of headers that refers to a large one in the table.
    let mut http2 = Http2::open(gate.address);
    let mut bomb = block(&GET);
    // Literal with indexing: `a` and 4,000 bytes.
    bomb.extend_from_slice(&[0x40, 1, b'a', 127]);
    bomb.extend_from_slice(&[(4000_u32 - 127) as u8 | 128, ((4000 - 127) >> 7) as u8]);
    bomb.extend_from_slice(&[b'x'; 4000]);
    bomb.extend_from_slice(&[0xbe; 12_000]);
    http2.frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb);
    assert_ne!(http2.end_of(1), End::Ok);
    check("bomb of the table");
}

/// Answers that a client asks for and never takes: a window of nothing.
#[test]
fn answers_that_are_never_taken() {
    let large: &'static [u8] = {
        let mut answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", 4 << 20).into_bytes();
        answer.resize(answer.len() + (4 << 20), b'x');
        answer.leak()
    };
    let upstream = Wire::new(large);
    let gate = gate(&upstream, &["--max-time", "2", "--idle-timeout", "1", "--max-connections", "12"]);
    // SETTINGS_INITIAL_WINDOW_SIZE is 4.
    let mut stalled: Vec<_> = (0..10).map(|_| Http2::with_settings(gate.address, &[(4, 0)])).collect();
    for http2 in &mut stalled {
        for number in 0..50 {
            http2.headers(number * 2 + 1, &GET, true);
        }
    }
    std::thread::sleep(Duration::from_secs(1));
    assert!(gate.peak_memory() < 600, "{} MiB", gate.peak_memory());
    // The connections are closed, although nothing in HTTP/2 says so.
    let end = Instant::now() + Duration::from_secs(15);
    while gate.metric("countersign_connections_open") > 0 {
        assert!(Instant::now() < end, "{} connections stay", gate.metric("countersign_connections_open"));
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(gate.send(&Sent::get("/b")).status, 200);
}
