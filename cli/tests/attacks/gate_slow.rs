//! Connections that are held with a few bytes.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use crate::gate::{Gate, upstream};
use crate::http2::{End, Http2};

/// How long the gate takes the bytes, one every 0.3 s.
fn held(gate: &Gate, bytes: &[u8]) -> Duration {
    let mut stream = gate.connect();
    stream.set_read_timeout(Some(Duration::from_millis(300))).expect("a limit");
    let begun = Instant::now();
    for byte in bytes {
        let mut one = [0; 256];
        let is_open = stream.write_all(&[*byte]).is_ok();
        let is_silent = stream.read(&mut one).is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        if !is_open || !is_silent || begun.elapsed() > Duration::from_secs(8) {
            break;
        }
    }
    begun.elapsed()
}

/// The preface of HTTP/2 has to arrive in the time of a head, and so has what only begins like it.
#[test]
fn heads_byte_by_byte() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--header-timeout", "1", "--idle-timeout", "30", "--route", "GET /public=NONE"]);
    for bytes in [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n......................"[..],
        b"PRI /public HTTP/1.1\r\nhost: x\r\nx: ......................",
        b"GET /public HTTP/1.1\r\nhost: x\r\nx: .....................",
        b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n",
    ] {
        let took = held(&gate, bytes);
        assert!(took < Duration::from_secs(4), "{}: {took:?}", String::from_utf8_lossy(bytes));
    }
    // A client whose first bytes come one by one is not cut off later.
    let mut stream = gate.connect();
    for piece in [&b"P"[..], b"RI * HTT", b"P/2.0\r\n\r\nSM\r\n\r\n", &[0, 0, 0, 4, 0, 0, 0, 0, 0]] {
        stream.write_all(piece).expect("it is open");
        std::thread::sleep(Duration::from_millis(100));
    }
    std::thread::sleep(Duration::from_secs(2));
    let mut http2 = Http2(stream);
    let list = [(":method", "GET"), (":scheme", "http"), (":path", "/public"), (":authority", "x")];
    assert!(http2.headers(1, &list, true));
    assert_eq!(http2.end_of(1), End::Ok);
}
