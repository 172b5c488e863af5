//! Large bodies in bounded memory, many clients, and credentials that expire meanwhile.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign::Request;
use countersign::Timestamp;
use countersign::streaming::{Checksum, Chunked};

use crate::client::{Got, Mode, Sent, connect};
use crate::proxy::{ID, Proxy, SECRET, keys};
use crate::upstream::{REAL_SECRET, Upstream};

/// KiB that an upload may add. The body has 256 MiB.
const MOST: u64 = 24 * 1024;

#[test]
fn a_large_upload_in_constant_memory() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    assert_eq!(Sent::put("/bucket/key", &[1; 1 << 20], Mode::Chunked(None)).send(&proxy).status, 200);
    let before = proxy.most_memory();
    const LENGTH: u64 = 256 << 20;
    let sent = Sent::get("/bucket/large");
    let host = proxy.address.to_string();
    let request = Request::new("PUT", "/bucket/large", &[]).with_host(&host).with_scheme("http");
    let chunked = Chunked::signed(LENGTH).with_checksum(Checksum::Crc32c);
    let signed = sent.signer().sign_chunked(request, &chunked, Timestamp::now()).expect("a signature");
    let lines: String = signed.headers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut stream = connect(proxy.address);
    let head = format!("PUT /bucket/large HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n");
    stream.write_all(head.as_bytes()).expect("it is read");
    let (mut encoder, piece) = (signed.encoder(), vec![5; 1 << 20]);
    for _ in 0..LENGTH >> 20 {
        encoder.push(&piece, |bytes| stream.write_all(bytes).expect("it is read")).expect("data");
    }
    encoder.finish(|bytes| stream.write_all(bytes).expect("it is read")).expect("the end");
    assert_eq!(Got::read(&mut stream).status, 200, "{:?}", proxy.printed());
    let seen = upstream.wait_for(2).pop().expect("a request");
    assert!(seen.is_complete && seen.length as u64 == LENGTH, "{seen:?}");
    let after = proxy.most_memory();
    println!("VmHWM {before} KiB before, {after} KiB after an upload of 256 MiB");
    assert!(after - before < MOST, "{before} KiB before, {after} KiB after");
}

/// Credentials live for 4 seconds: they expire several times while 8 clients send all kinds of requests.
#[test]
fn credentials_expire_under_load() {
    let upstream = Upstream::new();
    let folder = tempfile::tempdir().expect("a folder");
    let (config, count) = (folder.path().join("config"), folder.path().join("count"));
    let script = folder.path().join("process");
    let text = format!(
        "#!/bin/sh\necho x >> {}\nn=$(wc -l < {0})\nend=$(date -u -d '+4 seconds' +%Y-%m-%dT%H:%M:%SZ)\n\
         printf '{{\"Version\":1,\"AccessKeyId\":\"ASIAREALREALREAL%s\",\"SecretAccessKey\":\"{REAL_SECRET}\",\"Expiration\":\"%s\"}}' \
         \"$n\" \"$end\"\n",
        count.display()
    );
    std::fs::write(&script, text).expect("a file");
    std::fs::write(&config, format!("[profile real]\ncredential_process = /bin/sh {}\n", script.display()))
        .expect("a file");
    let keys = format!(
        "[[key]]\naccess_key_id = \"{ID}\"\nsecret_access_key = \"{SECRET}\"\n[key.resign]\nprofile = \"real\"\n"
    );
    let variables = [("AWS_CONFIG_FILE", config.to_str().expect("text"))];
    let proxy = Proxy::with(&upstream, &keys, &[], &variables);
    let (end, sent) = (Instant::now() + Duration::from_secs(13), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for number in 0..8 {
            let (proxy, sent) = (&proxy, &sent);
            scope.spawn(move || {
                let body = vec![number; 70_000];
                let modes = [Mode::Hashed, Mode::Chunked(Some(Checksum::Sha256)), Mode::Unsigned, Mode::Chunked(None)];
                while Instant::now() < end {
                    for mode in modes {
                        let got = Sent::put("/bucket/key", &body, mode).send(proxy);
                        assert_eq!(got.status, 200, "{mode:?}: {got:?}");
                        sent.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let total = sent.load(Ordering::Relaxed);
    assert_eq!(upstream.complete(), total);
    let mut ids: Vec<_> = upstream.seen().into_iter().map(|seen| seen.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let calls = std::fs::read_to_string(&count).expect("the calls").lines().count();
    println!("{total} requests, {} sets of credentials, {calls} calls of the process", ids.len());
    assert!(ids.len() >= 3, "{ids:?}");
    // One call for each set, whoever waits for it.
    assert!(calls <= ids.len() + 1, "{calls} calls for {ids:?}");
}
