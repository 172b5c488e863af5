//! Bodies that aren't the signed ones. None of them is stored.

use countersign::streaming::Checksum;

use crate::client::{Got, Mode, Sent, exchange};
use crate::presigned;
use crate::proxy::{Proxy, keys};
use crate::upstream::Upstream;

/// 5 chunks of 16 KiB, all of them different.
fn data() -> Vec<u8> {
    (0..80_000_u32).map(|number| (number / 16_384) as u8).collect()
}

/// An answer that isn't a success, and that nothing complete is at the upstream.
fn not_stored(upstream: &Upstream, got: &Got, name: &str) {
    assert!(got.status >= 400 && got.status != 504, "{name}: {got:?}");
    assert_eq!(upstream.complete(), 0, "{name}: {:?}", upstream.seen());
}

/// The pieces of a body of chunks, each with its line.
fn chunks(body: &[u8]) -> Vec<Vec<u8>> {
    let (mut rest, mut all) = (body, Vec::new());
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let line = String::from_utf8_lossy(&rest[..end]).into_owned();
        let length = usize::from_str_radix(line.split(';').next().expect("a length"), 16);
        let Ok(length) = length.map(|length| end + 4 + length).map(|length| length.min(rest.len())) else { break };
        all.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    if !rest.is_empty() {
        all.push(rest.to_vec());
    }
    all
}

#[test]
fn chunks_in_another_order_or_number() {
    let (upstream, body) = (Upstream::new(), data());
    let proxy = Proxy::new(&upstream, &keys(""));
    let (head, bytes) = Sent::put("/bucket/a", &body, Mode::Chunked(None)).parts(proxy.address);
    let all = chunks(&bytes);
    assert!(all.len() >= 6 && all.concat() == bytes, "{}", all.len());
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut own = all.clone();
        change(&mut own);
        own.concat()
    };
    let last = all.len() - 1;
    for (name, changed) in [
        ("swapped", with(&|own| own.swap(0, 1))),
        ("twice", with(&|own| own.insert(1, all[0].clone()))),
        ("left out", with(&|own| drop(own.remove(2)))),
        ("without the last", with(&|own| drop(own.remove(last)))),
        ("without the last of data", with(&|own| drop(own.remove(last - 1)))),
        ("two ends", with(&|own| own.push(all[last].clone()))),
        ("more after the end", with(&|own| own.push(b"x".to_vec()))),
        ("an extension", with(&|own| own[1].splice(4..4, b";x=y".iter().copied()).for_each(drop))),
        ("an unsigned chunk", with(&|own| own.insert(1, b"1\r\nx\r\n".to_vec()))),
        ("a huge chunk", with(&|own| own.insert(1, b"ffffffffffffffff;chunk-signature=0\r\n".to_vec()))),
        ("a chunk line without an end", with(&|own| own.insert(1, vec![b'0'; 100_000]))),
    ] {
        let head =
            head.replace(&format!("content-length: {}", bytes.len()), &format!("content-length: {}", changed.len()));
        not_stored(&upstream, &exchange(proxy.address, &[head.as_bytes(), &changed].concat()), name);
    }
    // Chunks of another upload.
    let other = Sent::put("/bucket/b", &body, Mode::Chunked(None)).parts(proxy.address).1;
    not_stored(&upstream, &exchange(proxy.address, &[head.as_bytes(), &other].concat()), "of another upload");
}

#[test]
fn trailers_that_are_not_the_announced_ones() {
    let (upstream, body) = (Upstream::new(), data());
    let proxy = Proxy::new(&upstream, &keys(""));
    let mut tried = 0;
    for mode in [Mode::Chunked(Some(Checksum::Crc32)), Mode::UnsignedChunked(Checksum::Crc32)] {
        let (head, bytes) = Sent::put("/bucket/a", &body, mode).parts(proxy.address);
        let at = bytes.windows(21).position(|part| part == b"x-amz-checksum-crc32:").expect("a trailer");
        let (before, trailer) = (&bytes[..at], String::from_utf8_lossy(&bytes[at..]).into_owned());
        let line = trailer.split("\r\n").next().expect("a line").to_owned();
        for (name, changed) in [
            ("missing", trailer.replace(&format!("{line}\r\n"), "")),
            ("another name", trailer.replace("crc32", "sha256")),
            ("another value", trailer.replace(&line, "x-amz-checksum-crc32:AAAAAA==")),
            ("twice", trailer.replace(&line, &format!("{line}\r\n{line}"))),
            ("one more", trailer.replace(&line, &format!("{line}\r\nx-amz-acl:public-read"))),
            ("one more before", trailer.replace(&line, &format!("x-amz-meta-a:b\r\n{line}"))),
            ("without its end", line[..line.len() - 2].to_owned()),
            ("nothing", String::new()),
        ] {
            let changed = [before, changed.as_bytes()].concat();
            let length = |length: usize| format!("content-length: {length}\r\n");
            let head = head.replace(&length(bytes.len()), &length(changed.len()));
            not_stored(
                &upstream,
                &exchange(proxy.address, &[head.as_bytes(), &changed].concat()),
                &format!("{mode:?} {name}"),
            );
            tried += 1;
        }
    }
    assert_eq!(tried, 16);
}

/// What describes the body is signed, or isn't believed.
#[test]
fn descriptions_of_the_body() {
    let (upstream, body) = (Upstream::new(), data());
    let proxy = Proxy::new(&upstream, &keys(""));
    for mode in [Mode::Chunked(None), Mode::Chunked(Some(Checksum::Crc32)), Mode::UnsignedChunked(Checksum::Crc32)] {
        let (head, bytes) = Sent::put("/bucket/a", &body, mode).parts(proxy.address);
        let declared = head.lines().find(|line| line.starts_with("x-amz-content-sha256")).expect("a hash");
        let length = "x-amz-decoded-content-length: 80000";
        for (name, changed) in [
            ("unsigned", head.replace(declared, "x-amz-content-sha256: UNSIGNED-PAYLOAD")),
            (
                "unsigned chunks",
                head.replace("AWS4-HMAC-SHA256-PAYLOAD", "UNSIGNED-PAYLOAD")
                    .replace(declared, "x-amz-content-sha256: STREAMING-UNSIGNED-PAYLOAD"),
            ),
            ("no hash", head.replace(&format!("{declared}\r\n"), "")),
            ("twice", head.replace(declared, &format!("{declared}\r\nx-amz-content-sha256: UNSIGNED-PAYLOAD"))),
            ("shorter", head.replace(length, "x-amz-decoded-content-length: 16384")),
            ("longer", head.replace(length, "x-amz-decoded-content-length: 80001")),
            ("no decoded length", head.replace(&format!("{length}\r\n"), "")),
            ("two decoded lengths", head.replace(length, &format!("{length}\r\nx-amz-decoded-content-length: 5"))),
            (
                "another trailer",
                head.replace("x-amz-trailer: x-amz-checksum-crc32", "x-amz-trailer: x-amz-checksum-sha1"),
            ),
        ] {
            if changed != head {
                not_stored(
                    &upstream,
                    &exchange(proxy.address, &[changed.as_bytes(), &bytes].concat()),
                    &format!("{mode:?} {name}"),
                );
            }
        }
    }
    // A presigned URL does not cover the body, and chunks would be stored as they are, or decoded without a signature.
    let bytes = Sent::put("/bucket/a", &body, Mode::UnsignedChunked(Checksum::Crc32)).parts(proxy.address).1;
    let url = presigned(&proxy, &Sent::put("/bucket/a", b"", Mode::Hashed));
    for value in [
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-EVENTS",
        "x",
    ] {
        let headers = [("x-amz-content-sha256", value), ("content-encoding", "aws-chunked")];
        not_stored(&upstream, &crate::send(&proxy, "PUT", &url, &headers, &bytes), value);
    }
    // A hash that is added to a presigned URL can be wrong, and then nothing is stored.
    let headers = [("x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")];
    let got = crate::send(&proxy, "PUT", &url, &headers, b"hello");
    assert!(got.status != 200 || upstream.seen().iter().all(|seen| seen.has(b"hello")), "{got:?}");
}

/// The last bytes are held back until all of them are verified, whatever lengths say.
#[test]
fn hashed_bodies_with_wrong_lengths() {
    let (upstream, body) = (Upstream::new(), data());
    let proxy = Proxy::new(&upstream, &keys(""));
    let (head, _) = Sent::put("/bucket/a", &body, Mode::Hashed).parts(proxy.address);
    let chunked = head.replace("content-length: 80000", "transfer-encoding: chunked");
    assert_ne!(chunked, head);
    for (name, length) in [("shorter", 79_999), ("longer", 80_001)] {
        let own = head.replace("content-length: 80000", &format!("content-length: {length}"));
        let sent = [own.as_bytes(), &body, b"x"].concat();
        not_stored(&upstream, &exchange(proxy.address, &sent), name);
        let mut data = body.clone();
        data.resize(length, 0);
        let sent = [chunked.as_bytes(), format!("{length:x}\r\n").as_bytes(), &data, b"\r\n0\r\n\r\n"].concat();
        not_stored(&upstream, &exchange(proxy.address, &sent), &format!("chunked, {name}"));
    }
    let sent = [chunked.as_bytes(), b"13880\r\n", &body, b"\r\n0\r\nx-amz-acl: public-read\r\n\r\n"].concat();
    let got = exchange(proxy.address, &sent);
    assert_eq!(got.status, 200, "{got:?}");
    let seen = upstream.seen().pop().expect("a request");
    assert!(seen.trailers.is_empty() && seen.header("x-amz-acl").is_none(), "{seen:?}");
}
