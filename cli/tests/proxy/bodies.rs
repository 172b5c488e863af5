//! Bodies: hashed, streamed, too long, encoded by the client.

use std::io::Write;

use crate::gate::{Gate, Got, ID as GATE_ID, SECRET as GATE_SECRET, keys, only, upstream};
use crate::proxy::{COMMON, get, proxy, send, verifying};
use crate::support::{Server, answer, folder, text, without_credentials};

fn chunked(proxy: &Gate, path: &str, body: &[u8]) -> Got {
    let head = format!(
        "PUT {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n",
        proxy.address,
        body.len()
    );
    proxy.raw(&[head.as_bytes(), body, b"\r\n0\r\n\r\n"].concat())
}

#[test]
fn bodies_are_hashed_up_to_a_limit() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &["--max-body-bytes", "1000"]);
    assert_eq!(send(&proxy, "POST", "/a", &[], &[b'a'; 1000]).status, 200);
    let got = send(&proxy, "POST", "/a", &[], &[b'a'; 1001]);
    assert_eq!(got.status, 413);
    assert!(got.body.contains("--max-body-bytes"), "{got:?}");
    // Without a length, it is known once it has arrived.
    assert_eq!(chunked(&proxy, "/a", &[b'a'; 1000]).status, 200);
    assert_eq!(chunked(&proxy, "/a", &[b'a'; 1001]).status, 413);
    let arrived = upstream.arrived();
    assert_eq!(arrived.len(), 2);
    assert_eq!((arrived[1].header("content-length"), arrived[1].header("transfer-encoding")), (Some("1000"), None));
}

#[test]
fn all_bodies_together_have_a_limit() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &["--max-buffered-bytes", "1000"]);
    assert_eq!(send(&proxy, "POST", "/a", &[], &[b'a'; 900]).status, 200);
    assert_eq!(send(&proxy, "POST", "/a", &[], &[b'a'; 5000]).status, 503);
    // What was used is free again.
    assert_eq!(send(&proxy, "POST", "/a", &[], &[b'a'; 900]).status, 200);
}

/// To sign them again, they have to be decoded, and so verified.
#[test]
fn chunked_bodies_of_clients_are_refused() {
    let upstream = upstream();
    let proxy = proxy(&upstream, &["--service", "s3"]);
    for headers in [
        [("x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")],
        [("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER")],
        [("content-encoding", "gzip, AWS-chunked")],
    ] {
        let got = send(&proxy, "PUT", "/b/k", &headers, b"0\r\n\r\n");
        assert_eq!(got.status, 400, "{got:?}");
        assert!(got.body.contains("--resign"), "{got:?}");
    }
    assert!(upstream.arrived().is_empty());
}

fn s3_proxy(upstream: &str, arguments: &[&str]) -> Gate {
    let scope = ["--upstream", upstream, "--service", "s3", "--region", "us-east-1"];
    let mut command = without_credentials(&[&COMMON[..], &scope, arguments].concat());
    command.env("AWS_ACCESS_KEY_ID", GATE_ID).env("AWS_SECRET_ACCESS_KEY", GATE_SECRET);
    Gate::launch(command, folder())
}

/// The most memory that the process has used, in bytes.
fn peak_memory(server: &Gate) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).expect("its status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
}

/// The gate verifies each chunk, and decodes.
#[test]
fn large_uploads_to_s3_are_streamed_in_constant_memory() {
    const LENGTH: usize = 48 << 20;
    let upstream = Server::new(|arrived| {
        let is_right = arrived.body.iter().enumerate().all(|(at, byte)| *byte == (at % 251) as u8);
        answer(200, &[("connection", "close")], &format!("{} {is_right}", arrived.body.len()))
    });
    let url = upstream.url("");
    let gate = Gate::start(&["--upstream", &url, "--service", "s3", "--region", "us-east-1"], &keys());
    let proxy = s3_proxy(&format!("http://{}", gate.address), &[]);
    assert_eq!(send(&proxy, "PUT", "/bucket/small", &[], b"a").body, "1 false");
    let before = peak_memory(&proxy);
    let body: Vec<u8> = (0..LENGTH).map(|at| (at % 251) as u8).collect();
    let got = send(&proxy, "PUT", "/bucket/large", &[], &body);
    assert_eq!((got.status, got.body), (200, format!("{LENGTH} true")));
    let grown = peak_memory(&proxy) - before;
    assert!(grown < 16 << 20, "{grown} bytes more");
    let line = gate.wait_for("/bucket/large");
    assert!(line.contains("\"decision\":\"verified\""), "{line}");
}

#[test]
fn how_uploads_are_signed() {
    let upstream = upstream();
    let url = upstream.url("");
    let large = vec![b'a'; (1 << 20) + 1];
    let checksum = [("x-amz-checksum-sha256", "YWJj")];
    let hash = |proxy: &Gate, method: &str, headers: &[(&str, &str)], body: &[u8]| {
        let before = upstream.arrived().len();
        assert_eq!(send(proxy, method, "/b/k", headers, body).status, 200);
        let arrived = upstream.arrived().split_off(before);
        arrived[0].header("x-amz-content-sha256").expect("a hash").to_owned()
    };
    let auto = s3_proxy(&url, &[]);
    assert_eq!(hash(&auto, "PUT", &[], &large), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
    // Another checksum would be refused, and this one is signed.
    assert_eq!(hash(&auto, "PUT", &checksum, &large), "UNSIGNED-PAYLOAD");
    // Only uploads of objects and parts may be chunked.
    assert_eq!(hash(&auto, "POST", &[], &large).len(), 64);
    assert_eq!(hash(&auto, "PUT", &[], b"small").len(), 64);
    assert_eq!(hash(&s3_proxy(&url, &["--body", "buffer"]), "PUT", &[], &large).len(), 64);
    let unsigned = s3_proxy(&url, &["--body", "unsigned"]);
    unsigned.wait_for("--body unsigned without TLS");
    assert_eq!(hash(&unsigned, "PUT", &[], b"small"), "UNSIGNED-PAYLOAD");
    let signed = s3_proxy(&url, &["--body", "chunked"]);
    assert_eq!(hash(&signed, "PUT", &[], b"small"), "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER");
    assert_eq!(hash(&signed, "GET", &[], b"").len(), 64);
    // Its chunks can't be announced.
    let got = chunked(&signed, "/b/k", b"hello");
    assert_eq!(got.status, 411, "{got:?}");
}

/// Over TLS as the AWS SDKs upload, and not at all to a server that isn't trusted.
#[test]
fn uploads_over_tls() {
    let upstream = upstream();
    let files = folder();
    let (cert, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    std::fs::write(&cert, own.cert.pem()).expect("a file");
    std::fs::write(&key, own.signing_key.serialize_pem()).expect("a file");
    let url = upstream.url("");
    let scope = ["--upstream", &url, "--service", "s3", "--region", "us-east-1", "--keep-signature"];
    let tls = ["--cert", text(&cert), "--key-file", text(&key)];
    let gate = Gate::start(&[&scope[..], &tls].concat(), &keys());
    let url = format!("https://{}", gate.address);
    let large = vec![b'a'; (1 << 20) + 1];
    let untrusted = s3_proxy(&url, &[]);
    assert_eq!(send(&untrusted, "PUT", "/b/k", &[], &large).status, 502);
    untrusted.wait_for("\"check\":\"upstream\"");
    assert!(upstream.arrived().is_empty());
    let trusted = s3_proxy(&url, &["--cacert", text(&cert)]);
    let got = send(&trusted, "PUT", "/b/k", &[], &large);
    assert_eq!(got.status, 200, "{got:?}");
    let arrived = only(&upstream);
    assert_eq!(arrived.header("x-amz-content-sha256"), Some("STREAMING-UNSIGNED-PAYLOAD-TRAILER"));
    assert_eq!(arrived.body, large);
}

/// The upstream refuses, or the client goes away, in the middle of an upload.
#[test]
fn broken_uploads() {
    let upstream = upstream();
    let proxy = s3_proxy(&upstream.url(""), &["--idle-timeout", "1"]);
    let head = format!("PUT /b/k HTTP/1.1\r\nhost: {}\r\ncontent-length: 2000000\r\n\r\n", proxy.address);
    let mut stream = proxy.connect();
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&[b'a'; 1000])).expect("it is sent");
    // It stays open, and sends no more.
    assert_eq!(Got::read(&mut stream).status, 408);
    let mut stream = proxy.connect();
    stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&[b'a'; 1000])).expect("it is sent");
    drop(stream);
    assert_eq!(get(&proxy, "/b/k", &[]).status, 200);
    let complete: Vec<_> = upstream.arrived().into_iter().filter(|arrived| arrived.method == "GET").collect();
    assert_eq!(complete.len(), 1);
}

#[test]
fn responses_are_streamed() {
    use std::io::Read;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let server = std::thread::spawn(move || {
        let mut stream = listener.accept().expect("a connection").0;
        let _ = stream.read(&mut [0; 4096]);
        stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nfirst").expect("it is sent");
        wait.recv().expect("a signal");
        stream.write_all(b"second").expect("it is sent");
    });
    let proxy = crate::proxy::start(&["--upstream", &url]);
    let mut stream = proxy.connect();
    stream
        .write_all(format!("GET /a HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", proxy.address).as_bytes())
        .expect("sent");
    let (mut all, mut piece) = (Vec::new(), [0; 1024]);
    // The first part is there before the second is sent.
    while !String::from_utf8_lossy(&all).contains("first") {
        let read = stream.read(&mut piece).expect("a part");
        assert!(read > 0);
        all.extend_from_slice(&piece[..read]);
    }
    go.send(()).expect("the server waits");
    stream.read_to_end(&mut all).expect("the rest");
    assert!(String::from_utf8_lossy(&all).contains("second"));
    server.join().expect("the server ends");
}

#[test]
fn expect_continue_is_answered_by_the_proxy() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &[]);
    let got = send(&proxy, "POST", "/a", &[("expect", "100-continue")], b"hello");
    assert!(got.status == 100 && got.body.contains("HTTP/1.1 200 ") || got.status == 200, "{got:?}");
    assert_eq!(only(&upstream).header("expect"), None);
}
