//! What the key may do, and attempts to get around it.

use crate::client::{Mode, Sent, exchange};
use crate::proxy::{ID, Proxy, SECRET, keys};
use crate::upstream::Upstream;

/// A refusal, and that nothing arrived.
fn refused(proxy: &Proxy, upstream: &Upstream, sent: &Sent, name: &str) {
    let before = upstream.seen().len();
    let got = sent.send(proxy);
    assert!(got.status == 403 || got.status == 400, "{name}: {got:?}");
    assert_eq!(upstream.seen().len(), before, "{name}: {:?}", upstream.seen());
}

#[test]
fn keys_that_are_not_right() {
    let upstream = Upstream::new();
    let other = format!("[[key]]\naccess_key_id = \"AKIDOTHER\"\nsecret_access_key = \"{SECRET}\"\n");
    let proxy = Proxy::new(&upstream, &(keys("") + &other));
    let get = Sent::get("/bucket/key");
    refused(&proxy, &upstream, &get.clone().with(|sent| sent.secret = "another"), "wrong secret");
    refused(&proxy, &upstream, &get.clone().with(|sent| sent.id = "AKIDUNKNOWN"), "unknown key");
    refused(&proxy, &upstream, &get.clone().with(|sent| sent.id = "AKIDOTHER"), "no [key.resign]");
    proxy.wait_for("the key has no [key.resign]");
    refused(&proxy, &upstream, &get.clone().with(|sent| sent.at = -1000), "old");
    refused(&proxy, &upstream, &get.clone().with(|sent| sent.region = "ap-south-1"), "another region");
    refused(&proxy, &upstream, &get.clone().with(|sent| sent.service = "dynamodb"), "another service");
    let unsigned = exchange(proxy.address, b"GET /bucket/key HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    assert_eq!(unsigned.status, 403, "{unsigned:?}");
    assert!(upstream.seen().is_empty());
    assert_eq!(get.send(&proxy).status, 200);
}

#[test]
fn hosts_methods_paths_and_services() {
    let upstream = Upstream::new();
    let host = upstream.address;
    let allow = format!(
        "[[key.allow]]\nhosts = [\"{host}\"]\nmethods = [\"GET\", \"PUT\"]\npath_prefixes = [\"/bucket/own\"]\n\
         services = [\"s3\"]\nmax_expires = 60\n"
    );
    let proxy = Proxy::new(&upstream, &keys(&allow));
    let put = |target: &str| Sent::put(target, b"hello", Mode::Hashed);
    assert_eq!(put("/bucket/own/a").send(&proxy).status, 200, "{:?}", proxy.printed());
    for target in [
        "/bucket/other",
        "/bucket/ownother",
        "/bucket",
        "/",
        "/bucket/own/../other",
        "/bucket/own/%2e%2e/other",
        "/bucket/own/..%2fother",
        "/bucket/own%2f..%2fother",
        "/bucket/own/%252e%252e/other",
        "/bucket//own/a",
        "//bucket/own/a",
        "/bucket/OWN/a",
        "/bucket/own/..;/other",
        "/bucket/own\\..\\other",
        "/other/bucket/own/a",
    ] {
        refused(&proxy, &upstream, &put(target), target);
    }
    refused(&proxy, &upstream, &put("/bucket/own/a").with(|sent| sent.method = "DELETE"), "DELETE");
    refused(&proxy, &upstream, &Sent::get("/bucket/own/a").with(|sent| sent.service = "execute-api"), "service");
    // The key may go to its host only, whatever the client calls it.
    let elsewhere = allow.replace(&host.to_string(), "s3.example.com");
    let strict = Proxy::new(&upstream, &keys(&elsewhere));
    refused(&strict, &upstream, &put("/bucket/own/a"), "host");
    let named = put("/bucket/own/a").with(|sent| sent.host = Some("s3.example.com".into()));
    refused(&strict, &upstream, &named, "the host of the client");
}

#[test]
fn the_host_of_the_client_changes_nothing() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let other = Upstream::new();
    let sent = Sent::get("/bucket/key").with(|sent| sent.host = Some(other.address.to_string()));
    assert_eq!(sent.send(&proxy).status, 200);
    assert_eq!(upstream.only().header("host"), Some(upstream.address.to_string().as_str()));
    let (head, _) = sent.parts(proxy.address);
    let absolute = head.replace("GET /", &format!("GET http://{}/", other.address));
    assert_eq!(exchange(proxy.address, absolute.as_bytes()).status, 200);
    let bucket = Sent::get("/key").with(|sent| sent.host = Some("bucket.localhost:8081".into()));
    refused(&proxy, &upstream, &bucket, "bucket in the host");
    assert!(other.seen().is_empty());
}

/// What an upstream with a path must not be left for.
#[test]
fn the_path_of_the_upstream_is_not_left() {
    let upstream = Upstream::new();
    let url = format!("{}/tenant/a/", upstream.url());
    let flags = ["--upstream", &url, "--service", "s3", "--region", "us-east-1"];
    let proxy = Proxy::start(&flags, &keys(""), &[]);
    for target in ["/../b/key", "/%2e%2e/b/key", "/..%2fb/key", "/x/../../b/key", "//key", "/x;/key"] {
        refused(&proxy, &upstream, &Sent::get(target), target);
    }
    assert_eq!(Sent::get("/bucket/key?acl").send(&proxy).status, 200, "{:?}", proxy.printed());
    assert_eq!(upstream.only().target, "/tenant/a/bucket/key?acl");
}

#[test]
fn headers_that_replace_method_or_path() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys("[[key.allow]]\nmethods = [\"POST\"]\n"));
    let post = |name: &str| Sent::post("execute-api", "{}").header(name, "DELETE");
    for name in ["X-HTTP-Method-Override", "x-http-method", "x-method-override", "x-original-url", "x-rewrite-url"] {
        // They aren't signed by default, and then they don't pass.
        assert_eq!(post(name).send(&proxy).status, 200, "{name}");
        let seen = upstream.seen().pop().expect("a request");
        assert_eq!(seen.header(name), None, "{name}");
    }
    let count = upstream.seen().len();
    let (head, body) = {
        let signer = post("x").signer().also_sign(["x-http-method-override"]);
        let host = proxy.address.to_string();
        let pairs = [("host", host.as_bytes()), ("x-http-method-override", b"DELETE".as_slice())];
        let request = countersign::Request::new("POST", "/", &pairs).with_scheme("http");
        let signed = signer.sign(request, countersign::Payload::Bytes(b"{}"), countersign::Timestamp::now());
        let signed = signed.expect("a signature");
        let lines: String = signed.headers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head =
            format!("POST / HTTP/1.1\r\nhost: {host}\r\nx-http-method-override: DELETE\r\nconnection: close\r\n");
        (format!("{head}content-length: 2\r\n{lines}\r\n"), b"{}")
    };
    let got = exchange(proxy.address, &[head.as_bytes(), body].concat());
    assert_eq!(got.status, 403, "{got:?}");
    assert_eq!(upstream.seen().len(), count);
}

#[test]
fn copies_read_their_source() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys("[[key.allow]]\nservices = [\"s3\"]\npath_prefixes = [\"/bucket/own\"]\n"));
    let copy = |source: &str| Sent::put("/bucket/own/a", b"", Mode::Hashed).header("x-amz-copy-source", source);
    for source in [
        "/other/secret",
        "other/secret",
        "/bucket/other",
        "/bucket/own/../other",
        "/bucket/own/%2e%2e/other",
        "bucket%2Fother",
        "%2Fbucket%2Fother",
        "arn:aws:s3:us-east-1:123456789012:accesspoint/x/object/bucket/own/a",
    ] {
        refused(&proxy, &upstream, &copy(source), source);
    }
    for source in ["/bucket/own/b", "bucket/own/b?versionId=3"] {
        let got = copy(source).send(&proxy);
        assert_eq!(got.status, 200, "{source}: {got:?}");
        let seen = upstream.seen().pop().expect("a request");
        assert_eq!(seen.header("x-amz-copy-source"), Some(source));
        assert!(seen.signed.contains(&"x-amz-copy-source".to_owned()));
    }
}

#[test]
fn hop_by_hop_and_forwarded_headers() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let sent = Sent::get("/bucket/key").with(|sent| {
        sent.unsigned = vec![
            ("connection", "x-own, authorization-x".into()),
            ("x-own", "1".into()),
            ("te", "trailers".into()),
            ("x-forwarded-for", "1.2.3.4".into()),
            ("x-forwarded-host", "evil".into()),
            ("forwarded", "for=1".into()),
            ("range", "bytes=0-1".into()),
            ("x-amzn-trace-id", "Root=1".into()),
        ];
    });
    assert_eq!(sent.send(&proxy).status, 200, "{:?}", proxy.printed());
    let seen = upstream.only();
    for name in ["x-own", "te", "x-forwarded-for", "x-forwarded-host", "forwarded", "connection"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
    assert_eq!((seen.header("range"), seen.header("x-amzn-trace-id")), (Some("bytes=0-1"), Some("Root=1")));
    // The fresh signature stays, whatever `Connection` names.
    let sent = Sent::get("/bucket/key").with(|sent| {
        sent.unsigned = vec![("connection", "authorization, x-amz-security-token".into())];
    });
    assert_eq!(sent.send(&proxy).status, 200, "{:?}", proxy.printed());
}

#[test]
fn a_key_file_that_changes() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let get = Sent::get("/bucket/key");
    assert_eq!(get.send(&proxy).status, 200);
    proxy.replace_keys(&keys("[[key.allow]]\nmethods = [\"PUT\"]\n"));
    assert_eq!(get.send(&proxy).status, 403);
    proxy.replace_keys("");
    assert_eq!(Sent::put("/bucket/key", b"", Mode::Hashed).with(|sent| sent.id = ID).send(&proxy).status, 403);
}
