//! `--sigv4a`.

use std::time::Duration;

use countersign::streaming::{Checksum, Chunked};
use countersign::{Credentials, Payload, Request, Signer, Timestamp};

use crate::gate::{Gate, ID, SECRET, only, upstream};
use crate::support::Server;

const HOST: &str = "api.example";

fn gate(upstream: &Server, service: &str, arguments: &[&str]) -> Gate {
    let url = upstream.url("");
    let own = ["--upstream", &url, "--service", service, "--region", "us-east-1", "--sigv4a"];
    Gate::start(&[&own, arguments].concat(), &crate::gate::keys())
}

fn signer(service: &str, secret: &str, regions: &str) -> Signer {
    Signer::sigv4a(Credentials::new(ID, secret).expect("credentials"), regions, service).expect("a signer")
}

fn get(signer: &Signer, target: &str) -> String {
    let pairs = [("host", HOST.as_bytes())];
    let request = Request::new("GET", target, &pairs).with_scheme("http");
    let signed = signer.sign(request, Payload::EMPTY, Timestamp::now()).expect("a signature");
    let mut text = format!("GET {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n");
    signed.headers().filter(|(name, _)| *name != "host").for_each(|(name, value)| {
        text.push_str(&format!("{name}: {value}\r\n"));
    });
    text + "\r\n"
}

#[test]
fn the_region_set_has_to_include_the_region() {
    let upstream = upstream();
    let gate = gate(&upstream, "execute-api", &[]);
    for (secret, regions, status) in [
        (SECRET, "us-east-1", 200),
        (SECRET, "eu-west-1,us-*", 200),
        (SECRET, "*", 200),
        (SECRET, "us-east-2", 403),
        (SECRET, "eu-*", 403),
        ("another", "*", 403),
    ] {
        let got = gate.raw(get(&signer("execute-api", secret, regions), "/dev/a?b=1").as_bytes());
        assert_eq!(got.status, status, "{regions}: {got:?}");
    }
    // The region set is signed.
    let text = get(&signer("execute-api", SECRET, "us-east-2"), "/dev/a");
    let got = gate.raw(text.replace("x-amz-region-set: us-east-2", "x-amz-region-set: us-east-1").as_bytes());
    assert_eq!(got.status, 403, "{got:?}");
    for arrived in upstream.arrived() {
        assert_eq!(arrived.target, "/dev/a?b=1");
        for name in ["authorization", "x-amz-date", "x-amz-region-set"] {
            assert_eq!(arrived.header(name), None, "{name}");
        }
        assert_eq!(arrived.header("x-countersign-caller"), Some(ID));
    }
    assert_eq!(upstream.arrived().len(), 3);
    // Without --sigv4a.
    let strict = Gate::new(&upstream, &[]);
    assert_ne!(strict.raw(get(&signer("execute-api", SECRET, "*"), "/dev/a").as_bytes()).status, 200);
    assert_eq!(upstream.arrived().len(), 3);
}

#[test]
fn chunks_signed_with_ecdsa() {
    let data: Vec<u8> = (0..20_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    for checksum in [None, Some(Checksum::Crc32c)] {
        let upstream = upstream();
        let gate = gate(&upstream, "s3", &[]);
        let put = |target: &str, change: &dyn Fn(&mut Vec<u8>)| {
            let chunked = Chunked::signed(data.len() as u64).with_chunk_size(8192);
            let chunked = checksum.map_or(chunked.clone(), |checksum| chunked.with_checksum(checksum));
            let pairs = [("host", HOST.as_bytes())];
            let request = Request::new("PUT", target, &pairs).with_scheme("http");
            let signer = signer("s3", SECRET, "us-east-1");
            let signed = signer.sign_chunked(request, &chunked, Timestamp::now()).expect("a signature");
            let mut text = format!("PUT {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n");
            for (name, value) in signed.headers().filter(|(name, _)| *name != "host" && *name != "content-length") {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            let (mut encoder, mut body) = (signed.encoder(), Vec::new());
            encoder.push(&data, |piece| body.extend_from_slice(piece)).expect("chunks");
            encoder.finish(|piece| body.extend_from_slice(piece)).expect("the last chunk");
            change(&mut body);
            text.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
            gate.raw(&[text.as_bytes(), &body].concat())
        };
        let got = put("/bucket/a", &|_| {});
        assert_eq!(got.status, 200, "{checksum:?}: {got:?}");
        let arrived = only(&upstream);
        assert!(arrived.body == data, "{checksum:?}: {} bytes", arrived.body.len());
        assert_eq!(arrived.header("content-length"), Some("20000"));
        // A byte of the second chunk, and the signature of the last one.
        for position in [10_000, usize::MAX] {
            let got = put("/bucket/b", &|body: &mut Vec<u8>| {
                let last = body.windows(17).rposition(|window| window == b";chunk-signature=").expect("a chunk") + 60;
                let byte = body.get_mut(position.min(last)).expect("a byte");
                *byte = if *byte == b'0' { b'1' } else { b'0' };
            });
            assert!(got.status >= 400 && got.body.contains("<Code>"), "{checksum:?} {position}: {got:?}");
        }
        let complete = upstream.arrived().iter().filter(|arrived| arrived.body.len() == data.len()).count();
        assert_eq!(complete, 1, "{checksum:?}");
    }
}

#[test]
fn presigned_urls() {
    let upstream = upstream();
    let gate = gate(&upstream, "s3", &[]);
    let presign = |regions: &str| {
        let request = Request::new("GET", "/bucket/key?acl", &[]).with_host(HOST).with_scheme("http");
        let signer = signer("s3", SECRET, regions);
        let presigned = signer.presign(request, Duration::from_secs(60), Timestamp::now()).expect("a URL");
        presigned.url().split_once(HOST).expect("its host").1.to_owned()
    };
    let status = |target: &str| {
        gate.raw(format!("GET {target} HTTP/1.1\r\nhost: {HOST}\r\nconnection: close\r\n\r\n").as_bytes()).status
    };
    // S3 calls errors of the query bad requests.
    assert_eq!((status(&presign("*")), status(&presign("eu-west-1"))), (200, 400));
    assert_eq!(only(&upstream).target, "/bucket/key?acl");
}

/// `(r, n - s)` is valid if `(r, s)` is.
#[test]
fn the_other_form_of_a_signature_is_a_repeat() {
    let upstream = upstream();
    let (open, strict) = (gate(&upstream, "execute-api", &[]), gate(&upstream, "execute-api", &["--replay", "memory"]));
    let text = get(&signer("execute-api", SECRET, "*"), "/dev/a");
    let start = text.find("Signature=").expect("a signature") + "Signature=".len();
    let signature = text[start..].split("\r\n").next().expect("a line").to_owned();
    let other = text.replace(&signature, &with_other_s(&signature));
    assert_ne!(other, text);
    assert_eq!((open.raw(text.as_bytes()).status, open.raw(other.as_bytes()).status), (200, 200));
    assert_eq!((strict.raw(text.as_bytes()).status, strict.raw(other.as_bytes()).status), (200, 403));
    // Another request is not a repeat.
    assert_eq!(strict.raw(get(&signer("execute-api", SECRET, "*"), "/dev/b").as_bytes()).status, 200);
}

fn with_other_s(hex: &str) -> String {
    const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    };
    let der = bytes(hex);
    let r_end = 4 + usize::from(der[3]);
    let s = &der[r_end + 2..];
    let padded: Vec<u8> = [vec![0; 33_usize.saturating_sub(s.len())], s.to_vec()].concat();
    let n = [vec![0], bytes(N)].concat();
    let mut borrow = 0;
    let mut difference = vec![0; 33];
    for at in (0..33).rev() {
        let value = i32::from(n[at]) - i32::from(padded[at]) - borrow;
        borrow = i32::from(value < 0);
        difference[at] = u8::try_from(value.rem_euclid(256)).expect("a byte");
    }
    // The shortest form that is positive.
    while difference[0] == 0 && difference[1] < 0x80 {
        difference.remove(0);
    }
    let rest = [&der[2..r_end], &[2, u8::try_from(difference.len()).expect("short")], &difference].concat();
    let whole = [&[0x30, u8::try_from(rest.len()).expect("short")], rest.as_slice()].concat();
    whole.iter().map(|byte| format!("{byte:02x}")).collect()
}
