//! WebSocket connections, through the proxy and the gate.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::gate::{Gate, Got, ID as GATE_ID, SECRET as GATE_SECRET, keys};
use crate::proxy::COMMON;
use crate::support::{folder, without_credentials};

const HANDSHAKE: &str = "connection: keep-alive, Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// Accepts each handshake, and sends back what arrives. Its heads are kept.
struct Echo {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

fn head(stream: &mut TcpStream) -> String {
    let (mut bytes, mut byte) = (Vec::new(), [0]);
    while !bytes.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).expect("text")
}

fn echo() -> Echo {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let echo = Echo { address: listener.local_addr().expect("an address"), heads: Arc::default() };
    let heads = Arc::clone(&echo.heads);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, heads) = (stream.expect("a connection"), Arc::clone(&heads));
            std::thread::spawn(move || {
                let head = head(&mut stream).to_lowercase();
                let is_handshake = head.contains("upgrade: websocket");
                heads.lock().expect("the lock").push(head);
                if !is_handshake {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nconnection: close\r\n\r\nplain");
                    return;
                }
                let accepted = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                                Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
                stream.write_all(accepted.as_bytes()).expect("it is sent");
                let mut piece = [0; 4096];
                while let Ok(read) = stream.read(&mut piece)
                    && read > 0
                    && stream.write_all(&piece[..read]).is_ok()
                {}
            });
        }
    });
    echo
}

/// A proxy in front of a gate in front of this server.
fn both(echo: &Echo, arguments: &[&str]) -> (Gate, Gate) {
    let scope = ["--service", "execute-api", "--region", "us-east-1"];
    let gate = Gate::start(&[&["--upstream", &format!("http://{}", echo.address)], &scope[..]].concat(), &keys());
    let url = format!("http://{}", gate.address);
    let mut command = without_credentials(&[&COMMON[..], &["--upstream", &url], &scope, arguments].concat());
    command.env("AWS_ACCESS_KEY_ID", GATE_ID).env("AWS_SECRET_ACCESS_KEY", GATE_SECRET);
    (Gate::launch(command, folder()), gate)
}

fn open(proxy: &Gate, headers: &str) -> (TcpStream, String) {
    let mut stream = proxy.connect();
    let request = format!("GET /dev/chat?room=1 HTTP/1.1\r\nhost: {}\r\n{headers}\r\n", proxy.address);
    stream.write_all(request.as_bytes()).expect("it is sent");
    let head = head(&mut stream).to_lowercase();
    (stream, head)
}

#[test]
fn bytes_are_copied_after_the_handshake() {
    let echo = echo();
    let (proxy, gate) = both(&echo, &[]);
    let (mut stream, answer) = open(&proxy, HANDSHAKE);
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    for part in ["upgrade: websocket", "connection: upgrade", "sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="] {
        assert!(answer.contains(part), "{answer}");
    }
    for message in [&b"hello"[..], &[0x81; 3000], b"\0\xff\n"] {
        stream.write_all(message).expect("it is sent");
        let mut back = vec![0; message.len()];
        stream.read_exact(&mut back).expect("the echo");
        assert_eq!(back, message);
    }
    for server in [&proxy, &gate] {
        assert_eq!(server.metric("countersign_connections_open"), 1);
    }
    let heads = echo.heads.lock().expect("the lock").clone();
    assert!(heads[0].contains("x-countersign-caller: akidgate"), "{heads:?}");
    assert!(heads[0].contains("sec-websocket-key: dghlihnhbxbszsbub25jzq=="), "{heads:?}");
    drop(stream);
    let end = std::time::Instant::now() + Duration::from_secs(10);
    while proxy.metric("countersign_connections_open") + gate.metric("countersign_connections_open") > 0 {
        assert!(std::time::Instant::now() < end, "the connections end with that of the client");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn only_signed_handshakes_pass_the_gate() {
    let echo = echo();
    let (_, gate) = both(&echo, &[]);
    let (_, answer) = open(&gate, HANDSHAKE);
    assert!(answer.starts_with("http/1.1 403 "), "{answer}");
    assert!(echo.heads.lock().expect("the lock").is_empty());
}

/// Neither a way around the gate, nor another protocol.
#[test]
fn other_upgrades_are_plain_requests() {
    let echo = echo();
    let (proxy, _gate) = both(&echo, &[]);
    for headers in [
        "connection: close, Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
        "connection: close, Upgrade\r\nupgrade: websocket, h2c\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "connection: close\r\nupgrade: websocket\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "connection: close, Upgrade\r\nupgrade: websocket\r\n",
        "connection: close, Upgrade\r\nupgrade: tls/1.0\r\n",
    ] {
        let (_, answer) = open(&proxy, headers);
        assert!(answer.starts_with("http/1.1 200 "), "{headers}: {answer}");
    }
    for head in &*echo.heads.lock().expect("the lock") {
        assert!(!head.contains("upgrade:") && !head.contains("http2-settings"), "{head}");
    }
}

#[test]
fn pages_of_other_origins_open_no_connection() {
    let echo = echo();
    let (proxy, _gate) = both(&echo, &[]);
    let (_, answer) = open(&proxy, &format!("{HANDSHAKE}origin: https://evil.test\r\n"));
    assert!(answer.starts_with("http/1.1 403 "), "{answer}");
    assert!(echo.heads.lock().expect("the lock").is_empty());
}

#[test]
fn idle_connections_and_the_end() {
    let echo = echo();
    let flags = ["--websocket-idle-timeout", "2", "--idle-timeout", "1", "--shutdown-timeout", "1"];
    let (mut proxy, _gate) = both(&echo, &flags);
    let (mut stream, _) = open(&proxy, HANDSHAKE);
    // Longer than --idle-timeout, which is not for them.
    for _ in 0..3 {
        std::thread::sleep(Duration::from_millis(1200));
        stream.write_all(b"a").expect("it is sent");
        stream.read_exact(&mut [0]).expect("the echo");
    }
    assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0, "it is closed");
    let (mut stream, answer) = open(&proxy, HANDSHAKE);
    assert!(answer.starts_with("http/1.1 101 "), "{answer}");
    proxy.signal("TERM");
    proxy.wait_for("ending");
    stream.write_all(b"a").expect("it is sent");
    stream.read_exact(&mut [0]).expect("the echo: it may go on for a while");
    assert_eq!(proxy.exit_code(), Some(0));
    assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0, "it is closed");
}

#[test]
fn a_handshake_that_the_upstream_refuses() {
    let upstream = crate::support::Server::new(|_| crate::support::answer(426, &[("connection", "close")], "no"));
    let proxy = crate::proxy::proxy(&upstream, &[]);
    let got: Got = proxy.raw(format!("GET /a HTTP/1.1\r\nhost: {}\r\n{HANDSHAKE}\r\n", proxy.address).as_bytes());
    assert_eq!((got.status, got.body.as_str()), (426, "no"));
}
