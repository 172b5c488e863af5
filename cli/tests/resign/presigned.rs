//! Presigned URLs.

use std::time::Duration;

use countersign::{Request, Timestamp};

use crate::client::{Got, Sent, exchange};
use crate::proxy::{Proxy, keys};
use crate::upstream::Upstream;

/// The path and query of a URL that is valid for that many seconds.
fn presigned(proxy: &Proxy, sent: &Sent, seconds: u64) -> String {
    let host = proxy.address.to_string();
    let request = Request::new(sent.method, &sent.target, &[]).with_host(&host).with_scheme("http");
    let presigned = sent.signer().presign(request, Duration::from_secs(seconds), Timestamp::now()).expect("a URL");
    presigned.url().split_once(&host).expect("its host").1.to_owned()
}

fn send(proxy: &Proxy, method: &str, target: &str, body: &str) -> Got {
    let host = proxy.address;
    let length = body.len();
    let head =
        format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    exchange(proxy.address, format!("{head}{body}").as_bytes())
}

#[test]
fn they_are_signed_in_the_headers() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let target =
        presigned(&proxy, &Sent::get("/bucket/a%20b?versionId=3&x-id=GetObject&acl&X-Amz-Checksum-Mode=ENABLED"), 60);
    let got = send(&proxy, "GET", &target, "");
    assert_eq!(got.status, 200, "{got:?} {:?}", proxy.printed());
    let seen = upstream.only();
    assert_eq!(seen.target.split_once('?').expect("a query").0, "/bucket/a%20b");
    let mut pairs: Vec<_> = seen.target.split_once('?').expect("a query").1.split('&').collect();
    pairs.sort_unstable();
    assert!(
        pairs == ["acl", "versionId=3", "x-id=GetObject"] || pairs == ["acl=", "versionId=3", "x-id=GetObject"],
        "{pairs:?}"
    );
    assert_eq!(seen.header("x-amz-checksum-mode"), Some("ENABLED"));
    let target = presigned(&proxy, &Sent::get("/bucket/key").with(|sent| sent.method = "PUT"), 60);
    assert_eq!(send(&proxy, "PUT", &target, "hello").status, 200, "{:?}", proxy.printed());
    let seen = upstream.wait_for(2).pop().expect("a request");
    assert!(seen.has(b"hello"), "{seen:?}");
    assert_eq!(seen.header("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
}

#[test]
fn changed_urls_and_long_ones() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys("[[key.allow]]\nmax_expires = 60\nmethods = [\"GET\"]\n"));
    let target = presigned(&proxy, &Sent::get("/bucket/key?versionId=3"), 60);
    assert_eq!(send(&proxy, "GET", &target, "").status, 200, "{:?}", proxy.printed());
    for (name, method, target) in [
        ("expires", "GET", target.replace("Expires=60", "Expires=59")),
        ("version", "GET", target.replace("versionId=3", "versionId=4")),
        ("path", "GET", target.replace("/key", "/other")),
        ("parameter", "GET", format!("{target}&acl")),
        ("method", "PUT", target.clone()),
        ("twice", "GET", format!("{target}&X-Amz-Expires=60")),
        ("too long", "GET", presigned(&proxy, &Sent::get("/bucket/key"), 61)),
        ("not permitted", "PUT", presigned(&proxy, &Sent::get("/bucket/key").with(|sent| sent.method = "PUT"), 60)),
        ("session", "GET", presigned(&proxy, &Sent::get("/bucket?session"), 60)),
    ] {
        let got = send(&proxy, method, &target, "");
        assert!(got.status == 403 || got.status == 400, "{name}: {got:?}");
    }
    assert_eq!(upstream.seen().len(), 1, "{:?}", upstream.seen());
}

#[test]
fn a_copy_source_in_the_query() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys("[[key.allow]]\npath_prefixes = [\"/bucket/own\"]\n"));
    let copy = |source: &str| {
        let target = format!("/bucket/own/a?X-Amz-Copy-Source={source}");
        presigned(&proxy, &Sent::get(&target).with(|sent| sent.method = "PUT"), 60)
    };
    assert_eq!(send(&proxy, "PUT", &copy("%2Fother%2Fsecret"), "").status, 403);
    assert!(upstream.seen().is_empty());
    assert_eq!(send(&proxy, "PUT", &copy("%2Fbucket%2Fown%2Fb"), "").status, 200, "{:?}", proxy.printed());
    assert_eq!(upstream.only().header("x-amz-copy-source"), Some("/bucket/own/b"));
}

/// Services other than S3 sign the body of a presigned request.
#[test]
fn of_other_services() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let target = presigned(&proxy, &Sent::get("/dev/items?a=b").with(|sent| sent.service = "execute-api"), 60);
    assert_eq!(send(&proxy, "GET", &target, "").status, 200, "{:?}", proxy.printed());
    assert_eq!(upstream.only().target, "/dev/items?a=b");
    assert_eq!(send(&proxy, "GET", &target, "a body").status, 403);
    assert_eq!(upstream.seen().len(), 1);
}
