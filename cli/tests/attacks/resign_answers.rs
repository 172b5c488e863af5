//! Answers of the upstream: what they quote, what they cause, and those that come early or break off.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use crate::client::{Mode, Sent, connect};
use crate::proxy::{ID, Proxy, SECRET, keys};
use crate::upstream::{REAL_ID, REAL_SECRET, Upstream, text};

#[test]
fn redirects_and_headers_that_quote_the_key() {
    let upstream = Upstream::knowing(REAL_ID, |head| {
        let location = format!("https://other.example/?X-Amz-Credential={REAL_ID}%2F20260101");
        let status = head.uri.path().trim_start_matches("/b/").parse().ok()?;
        let mut answer = text(status, format!("<Error><AWSAccessKeyId>{REAL_ID}</AWSAccessKeyId></Error>"));
        answer.headers_mut().insert("location", location.parse().expect("a value"));
        answer.headers_mut().insert("x-amz-bucket-region", "eu-west-1".parse().expect("a value"));
        Some(answer)
    });
    let proxy = Proxy::new(&upstream, &keys(""));
    for status in [300, 301, 302, 307, 308, 400, 403, 404, 409, 500, 503] {
        let got = Sent::get(&format!("/b/{status}")).send(&proxy);
        assert!(got.status == 502 && !got.contains(REAL_ID), "{status}: {got:?}");
    }
    let metrics = proxy.managed("/metrics");
    assert!(!metrics.contains(REAL_ID) && !metrics.contains(REAL_SECRET), "{metrics:?}");
}

/// A client that can have the upstream answer as it likes must not have credentials loaded again with each request.
#[test]
fn credentials_are_not_loaded_with_each_answer() {
    let upstream = Upstream::knowing(REAL_ID, |_| Some(text(403, "{\"__type\":\"ExpiredTokenException\"}")));
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (script, count) = (path("process"), path("count"));
    let json = format!("{{\"Version\":1,\"AccessKeyId\":\"{REAL_ID}\",\"SecretAccessKey\":\"{REAL_SECRET}\"}}");
    std::fs::write(&script, format!("#!/bin/sh\necho x >> {count}\necho '{json}'\n")).expect("a file");
    let config = path("config");
    std::fs::write(&config, format!("[profile real]\ncredential_process = /bin/sh {script}\n")).expect("a file");
    let keys = format!(
        "[[key]]\naccess_key_id = \"{ID}\"\nsecret_access_key = \"{SECRET}\"\n[key.resign]\nprofile = \"real\"\n"
    );
    let proxy = Proxy::with(&upstream, &keys, &[], &[("AWS_CONFIG_FILE", &config)]);
    for _ in 0..30 {
        let got = Sent::get("/bucket/a").send(&proxy);
        assert_eq!(got.status, 502, "{got:?}");
    }
    let calls = std::fs::read_to_string(&count).expect("the calls").lines().count();
    // At the start, and after the first refusal.
    assert!(calls <= 2, "{calls} calls");
}

/// Answers each connection with these bytes as soon as the head has arrived, then reads on or not.
fn answering(answer: &'static [u8], is_read: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let (mut piece, mut head) = ([0; 4096], Vec::new());
                while !head.windows(4).any(|part| part == b"\r\n\r\n") {
                    match stream.read(&mut piece) {
                        Ok(read) if read > 0 => head.extend_from_slice(&piece[..read]),
                        _ => return,
                    }
                }
                let _ = stream.write_all(answer);
                while is_read && stream.read(&mut piece).is_ok_and(|read| read > 0) {}
                if !is_read {
                    std::thread::sleep(Duration::from_secs(1));
                }
            });
        }
    });
    address
}

fn to(address: SocketAddr) -> Proxy {
    let url = format!("http://{address}");
    let flags = ["--upstream", &url, "--service", "s3", "--region", "us-east-1", "--upstream-timeout", "10"];
    Proxy::start(&flags, &keys(""), &[])
}

/// An upstream that refuses before it has read the body, and one that never reads it.
#[test]
fn answers_before_the_body() {
    let answer = b"HTTP/1.1 403 Forbidden\r\ncontent-length: 39\r\nconnection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>";
    let body = vec![1; 20 << 20];
    for is_read in [true, false] {
        let proxy = to(answering(answer, is_read));
        for mode in [Mode::Hashed, Mode::Unsigned, Mode::Chunked(None)] {
            let begun = Instant::now();
            let got = Sent::put("/bucket/a", &body, mode).send(&proxy);
            assert!(matches!(got.status, 403 | 502 | 0), "{is_read} {mode:?}: {got:?}");
            assert!(begun.elapsed() < Duration::from_secs(9), "{is_read} {mode:?}: {:?}", begun.elapsed());
        }
        assert_eq!(proxy.managed("/healthz").status, 200);
    }
}

/// A cut answer must not look like a whole one.
#[test]
fn answers_that_break_off() {
    for (name, answer) in [
        ("length", &b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello"[..]),
        ("chunks", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        ("both lengths", b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        ("error", b"HTTP/1.1 404 Not Found\r\ncontent-length: 100\r\n\r\nhello"),
    ] {
        let proxy = to(answering(answer, false));
        let mut stream = connect(proxy.address);
        let (head, _) = Sent::get("/bucket/a").parts(proxy.address);
        stream.write_all(head.as_bytes()).expect("it is read");
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let got = String::from_utf8_lossy(&bytes);
        let is_whole = got.ends_with("0\r\n\r\n") || got.contains("content-length: 5\r\n");
        assert!(!got.starts_with("HTTP/1.1 200") || !is_whole, "{name}: {got}");
        assert!(name != "error" || got.starts_with("HTTP/1.1 502"), "{name}: {got}");
    }
}
