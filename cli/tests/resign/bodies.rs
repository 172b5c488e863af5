//! Every payload mode, and what becomes of bodies that aren't the signed ones.

use std::io::Write;

use countersign::streaming::Checksum;

use crate::client::{Got, Mode, Sent, connect};
use crate::proxy::{Proxy, keys};
use crate::upstream::{REAL_ID, REAL_TOKEN, Upstream};

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|number| (number * 31 % 251) as u8).collect()
}

const MODES: [Mode; 6] = [
    Mode::Hashed,
    Mode::Unsigned,
    Mode::Chunked(None),
    Mode::Chunked(Some(Checksum::Crc32c)),
    Mode::UnsignedChunked(Checksum::Crc32),
    Mode::UnsignedChunked(Checksum::Sha256),
];

#[test]
fn every_mode_arrives_in_the_same_mode() {
    for (is_sigv4a, length) in [(false, 0), (false, 5), (false, 300_000), (true, 100_000)] {
        let body = data(length);
        let (upstream, mut count) = (Upstream::new(), 0);
        let proxy = Proxy::new(&upstream, &keys(""));
        for mode in MODES {
            let sent = Sent::put("/bucket/a%20b+c?x=&acl&y=%2F+z", &body, mode)
                .header("x-amz-meta-own", "1")
                .header("content-type", "text/own")
                .with(|sent| sent.region_set = is_sigv4a.then_some("us-*,eu-west-1"));
            let got = sent.send(&proxy);
            assert_eq!(got.status, 200, "{mode:?} {length}: {got:?} {:?}", proxy.printed());
            count += 1;
            let seen = upstream.wait_for(count).pop().expect("a request");
            assert!(seen.has(&body) && seen.method == "PUT", "{mode:?} {length}: {seen:?}");
            assert_eq!((seen.id.as_str(), seen.header("x-amz-security-token")), (REAL_ID, Some(REAL_TOKEN)));
            assert_eq!(seen.target, "/bucket/a%20b%2Bc?x=&acl&y=%2F+z");
            assert_eq!((seen.header("x-amz-meta-own"), seen.header("content-type")), (Some("1"), Some("text/own")));
            assert_eq!(seen.header("host"), Some(upstream.address.to_string().as_str()));
            assert_eq!(seen.region_set.as_deref(), is_sigv4a.then_some("us-*,eu-west-1"));
            let declared = seen.header("x-amz-content-sha256").expect("a payload");
            let expected = match mode {
                Mode::Hashed => hex(&body),
                Mode::Unsigned => "UNSIGNED-PAYLOAD".into(),
                Mode::UnsignedChunked(_) => "STREAMING-UNSIGNED-PAYLOAD-TRAILER".into(),
                Mode::Chunked(checksum) => {
                    let algorithm = if is_sigv4a { "ECDSA-P256" } else { "HMAC" };
                    let end = if checksum.is_some() { "-TRAILER" } else { "" };
                    format!("STREAMING-AWS4-{algorithm}-SHA256-PAYLOAD{end}")
                }
            };
            assert_eq!(declared, expected, "{mode:?}");
            if let Mode::Chunked(Some(checksum)) | Mode::UnsignedChunked(checksum) = mode {
                assert!(seen.trailers.contains_key(checksum.header_name()), "{mode:?}: {seen:?}");
            }
        }
    }
}

fn hex(body: &[u8]) -> String {
    crate::upstream::sha256(body).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_changed_byte_is_never_stored() {
    let (upstream, body) = (Upstream::new(), data(200_000));
    let proxy = Proxy::new(&upstream, &keys(""));
    for mode in MODES {
        let (head, bytes) = Sent::put("/bucket/key", &body, mode).parts(proxy.address);
        if matches!(mode, Mode::Unsigned) {
            continue;
        }
        let (last, end) = (bytes.len() - 1, bytes.len());
        // In the middle, and of what is at the end: data, a chunk signature, or the trailer.
        for (name, position) in [("middle", end / 2), ("last byte of data", 199_990), ("end", last.saturating_sub(6))] {
            let mut changed = bytes.clone();
            changed[position] ^= 1;
            let got = crate::client::exchange(proxy.address, &[head.as_bytes(), &changed].concat());
            assert!(got.status == 400 || got.status == 403, "{mode:?} {name}: {got:?}");
            assert!(!got.contains("stored"), "{mode:?} {name}");
        }
    }
    assert_eq!(upstream.complete(), 0, "{:?}", upstream.seen());
}

#[test]
fn a_body_that_is_cut_is_never_stored() {
    let (upstream, body) = (Upstream::new(), data(200_000));
    let proxy = Proxy::new(&upstream, &keys(""));
    for mode in MODES {
        let (head, bytes) = Sent::put("/bucket/key", &body, mode).parts(proxy.address);
        for missing in [1, 5, 100, 100_000] {
            let mut stream = connect(proxy.address);
            stream.write_all(head.as_bytes()).expect("it is read");
            stream.write_all(&bytes[..bytes.len() - missing]).expect("it is read");
            stream.shutdown(std::net::Shutdown::Write).expect("an end");
            let got = Got::read(&mut stream);
            assert!(got.status != 200 && !got.contains("stored"), "{mode:?} {missing}: {got:?}");
        }
        // The end of the chunks comes early, with a length that allows it.
        if !matches!(mode, Mode::Hashed | Mode::Unsigned) {
            let short = Sent::put("/bucket/key", &body[..100_000], mode).parts(proxy.address).1;
            let head = head.replace(&bytes.len().to_string(), &short.len().to_string());
            let got = crate::client::exchange(proxy.address, &[head.as_bytes(), &short].concat());
            assert!(got.status == 400 || got.status == 403, "{mode:?}: {got:?}");
        }
    }
    assert_eq!(upstream.complete(), 0, "{:?}", upstream.seen());
}

#[test]
fn without_a_hash_in_the_headers() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let sent = Sent::post("execute-api", "{\"a\":1}").with(|sent| sent.target = "/dev/items?b=c%20d".into());
    assert_eq!(sent.send(&proxy).status, 200, "{:?}", proxy.printed());
    let seen = upstream.only();
    assert!(seen.has(b"{\"a\":1}") && seen.header("x-amz-content-sha256").is_none(), "{seen:?}");
    let (head, _) = sent.parts(proxy.address);
    let got = crate::client::exchange(proxy.address, format!("{head}{{\"a\":2}}").as_bytes());
    assert_eq!(got.status, 403, "{got:?}");
    assert_eq!(upstream.seen().len(), 1);
}

#[test]
fn a_client_that_waits_for_100_continue() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let sent = Sent::put("/bucket/key", b"hello", Mode::Hashed)
        .with(|sent| sent.unsigned.push(("expect", "100-continue".into())));
    let (head, body) = sent.parts(proxy.address);
    let mut stream = connect(proxy.address);
    stream.write_all(head.as_bytes()).expect("it is read");
    let mut line = [0; 25];
    std::io::Read::read_exact(&mut stream, &mut line).expect("an interim answer");
    assert_eq!(&line, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(&body).expect("it is read");
    assert_eq!(Got::read(&mut stream).status, 200);
    assert!(upstream.only().has(b"hello"));
    // A refusal comes at once, and the body isn't asked for.
    let (head, _) = sent.with(|sent| sent.secret = "another").parts(proxy.address);
    let mut stream = connect(proxy.address);
    stream.write_all(head.as_bytes()).expect("it is read");
    assert_eq!(Got::read(&mut stream).status, 403);
}

#[test]
fn trailers_other_than_checksums() {
    use countersign::Request;
    use countersign::streaming::Chunked;
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let sent = Sent::put("/bucket/key", b"hello", Mode::Hashed);
    let host = proxy.address.to_string();
    let chunked = Chunked::signed(5).with_trailer("x-amz-meta-note", 4);
    let request = Request::new("PUT", "/bucket/key", &[]).with_host(&host).with_scheme("http");
    let signed = sent.signer().sign_chunked(request, &chunked, countersign::Timestamp::now()).expect("a signature");
    let (mut encoder, mut body) = (signed.encoder(), Vec::new());
    encoder.push(b"hello", |piece| body.extend_from_slice(piece)).expect("data");
    encoder.set_trailer("x-amz-meta-note", "done").expect("a trailer");
    encoder.finish(|piece| body.extend_from_slice(piece)).expect("the end");
    let lines: String = signed.headers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("PUT /bucket/key HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n");
    let got = crate::client::exchange(proxy.address, &[head.as_bytes(), &body].concat());
    assert_eq!(got.status, 501, "{got:?}");
    proxy.wait_for("only checksums can be signed again");
    assert!(upstream.seen().is_empty());
}
