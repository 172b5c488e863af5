//! Many uploads at once, in bounded memory.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crate::chunked_upload;
use crate::client::{Got, Mode, Sent, connect, exchange};
use crate::presigned;
use crate::proxy::{Proxy, keys};
use crate::upstream::Upstream;

fn upload(proxy: &Proxy, body: &[u8], chunk: usize) -> Vec<u8> {
    let signer = Sent::get("/bucket/a").signer();
    chunked_upload::upload(&signer, proxy.address, body, chunk)
}

/// Chunks are in memory until they are verified. Clients that never end theirs use no more than --max-buffered-bytes.
#[test]
fn chunks_that_never_end() {
    let upstream = Upstream::new();
    let limits = ["--max-body-bytes", "16777216", "--max-buffered-bytes", "33554432"];
    let proxy = Proxy::with(&upstream, &keys(""), &limits, &[]);
    let before = proxy.most_memory();
    let whole = upload(&proxy, &vec![1; 16 << 20], 16 << 20);
    let part = &whole[..whole.len() - 1000];
    let mut waiting: Vec<TcpStream> = Vec::new();
    for _ in 0..12 {
        let mut stream = connect(proxy.address);
        // It is refused while it is sent, once there is no more memory.
        let _ = stream.write_all(part);
        waiting.push(stream);
    }
    proxy.wait_for("memory");
    let grown = proxy.most_memory() - before;
    println!("{grown} KiB for 12 chunks of 16 MiB");
    assert!(grown < 110 * 1024, "{grown} KiB");
    drop(waiting);
    // It is given back.
    let end = Instant::now() + Duration::from_secs(20);
    while exchange(proxy.address, &whole).status != 200 {
        assert!(Instant::now() < end, "{:?}", proxy.printed());
        std::thread::sleep(Duration::from_millis(100));
    }
    // Far more than the budget passes, as long as it isn't there at once.
    let small = upload(&proxy, &vec![2; 64 << 20], 64 << 10);
    assert_eq!(exchange(proxy.address, &small).status, 200, "{:?}", proxy.printed());
}

/// A hash that isn't signed does not get a body out of the budget.
#[test]
fn bodies_that_have_to_be_collected() {
    let upstream = Upstream::new();
    let proxy = Proxy::with(&upstream, &keys(""), &["--max-buffered-bytes", "100000"], &[]);
    let body = vec![b'x'; 500_000];
    let post = Sent::post("execute-api", "").with(|sent| sent.body = body.clone());
    assert_eq!(post.send(&proxy).status, 503, "{:?}", proxy.printed());
    let url = presigned(&proxy, &Sent::get("/dev/items").with(|sent| sent.service = "execute-api"));
    let hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    for headers in [&[][..], &[("x-amz-content-sha256", hash)], &[("x-amz-content-sha256", "UNSIGNED-PAYLOAD")]] {
        let got = crate::send(&proxy, "GET", &url, headers, &body);
        assert!(matches!(got.status, 400 | 403 | 503), "{headers:?}: {got:?}");
    }
    assert_eq!(upstream.complete(), 0, "{:?}", upstream.seen());
    // A refusal stays one, whatever follows.
    let put = Sent::put("/bucket/a", &body, Mode::Hashed);
    assert_eq!(put.clone().with(|sent| sent.secret = "another").send(&proxy).status, 403);
    assert_eq!(put.send(&proxy).status, 200, "{:?}", proxy.printed());
}

/// The proxy reads no faster than the upstream does.
#[test]
fn an_upstream_that_does_not_read() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let kept = std::thread::spawn(move || listener.incoming().flatten().take(64).collect::<Vec<_>>());
    let flags = ["--upstream", &url, "--service", "s3", "--region", "us-east-1"];
    let proxy = Proxy::start(&flags, &keys(""), &[]);
    let before = proxy.most_memory();
    let whole = upload(&proxy, &vec![1; 32 << 20], 64 << 10);
    std::thread::scope(|scope| {
        for _ in 0..64 {
            let (proxy, whole) = (&proxy, &whole);
            scope.spawn(move || {
                let mut stream = connect(proxy.address);
                stream.set_write_timeout(Some(Duration::from_secs(2))).expect("a limit");
                assert!(stream.write_all(whole).is_err(), "all of it was read");
            });
        }
    });
    let grown = proxy.most_memory() - before;
    println!("{grown} KiB for 64 uploads of 32 MiB");
    assert!(grown < 96 * 1024, "{grown} KiB");
    drop(kept.join());
    // The others are as before.
    assert!(matches!(
        exchange(proxy.address, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"),
        Got { status: 400 | 403, .. }
    ));
}
