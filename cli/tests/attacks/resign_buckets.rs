//! Buckets in the host, forms, and presigned URLs of SDKs.

use countersign::Timestamp;
use countersign::post_policy::Policy;

use crate::client::{Got, Mode, Sent, exchange};
use crate::proxy::{Proxy, keys};
use crate::upstream::Upstream;
use crate::{presigned, refused, send};

const HOST: [&str; 2] = ["--virtual-host", "s3.local"];
const OWN: &str = "[[key.allow]]\npath_prefixes = [\"/bucket/own\"]\n";

fn at(host: &str, target: &str) -> Sent {
    Sent::get(target).with(|sent| sent.host = Some(host.into()))
}

#[test]
fn the_allow_list_sees_the_bucket_of_the_host() {
    let upstream = Upstream::new();
    let proxy = Proxy::with(&upstream, &keys(OWN), &HOST, &[]);
    for (host, target) in [
        ("other.s3.local", "/own/a"),
        // It is the key `bucket/own/a` in the bucket `other`.
        ("other.s3.local", "/bucket/own/a"),
        ("bucket.s3.local", "/bucket/own/a"),
        ("bucket.s3.local", "/other"),
        ("bucket.s3.local", "/"),
        ("bucket.s3.local", "/own/../other"),
        ("bucket.s3.local", "//own/a"),
        ("bucket.s3.local", "/own%2f..%2fother"),
        ("bucket.s3.local.example", "/own/a"),
        ("bucket.evils3.local", "/own/a"),
        ("a_b.s3.local", "/own/a"),
        ("-.s3.local", "/bucket/own/a"),
        ("bucket.localhost", "/own/a"),
        ("bucket.localhost:8081", "/bucket/own/a"),
    ] {
        refused(&upstream, &at(host, target).send(&proxy), &format!("{host}{target}"));
    }
    let copy = |source: &str| {
        at("bucket.s3.local", "/own/a").with(|sent| sent.method = "PUT").header("x-amz-copy-source", source)
    };
    refused(&upstream, &copy("/own/b").send(&proxy), "a source is never in the bucket of the host");
    // Signed for one bucket, sent to another.
    let (head, _) = at("bucket.s3.local", "/own/a").parts(proxy.address);
    for other in [
        head.replace("host: bucket", "host: other"),
        head.replace("host: bucket.s3.local", "host: bucket.s3.local\r\nhost: other.s3.local"),
        head.replace("GET /", "GET http://other.s3.local/"),
        head.replace("host: bucket.s3.local", "host: bucket/own.s3.local"),
        head.replace("host: bucket.s3.local", "host: bucket%2fown.s3.local"),
        head.replace("host: bucket.s3.local", "host: x@bucket.s3.local"),
        head.replace("host: bucket.s3.local", "host: ..s3.local"),
    ] {
        refused(&upstream, &exchange(proxy.address, other.as_bytes()), &other);
    }
}

#[test]
fn buckets_of_hosts_are_forwarded_in_the_path() {
    let upstream = Upstream::new();
    let proxy = Proxy::with(&upstream, &keys(OWN), &HOST, &[]);
    for (host, target) in [
        ("bucket.s3.local", "/own/a%20b?acl"),
        ("Bucket.S3.Local:8081", "/own/a%20b?acl"),
        ("s3.local", "/bucket/own/a%20b?acl"),
        ("127.0.0.1", "/bucket/own/a%20b?acl"),
    ] {
        let got = at(host, target).send(&proxy);
        assert_eq!(got.status, 200, "{host}{target}: {got:?} {:?}", proxy.printed());
        let seen = upstream.seen().pop().expect("a request");
        assert_eq!(seen.target, "/bucket/own/a%20b?acl", "{host}{target}");
        assert_eq!(seen.header("host"), Some(upstream.address.to_string().as_str()));
    }
    let body = vec![7; 100_000];
    for mode in [Mode::Hashed, Mode::Chunked(None), Mode::Unsigned] {
        let put = Sent::put("/own/b", &body, mode).with(|sent| sent.host = Some("bucket.s3.local".into()));
        assert_eq!(put.send(&proxy).status, 200, "{mode:?}");
        let seen = upstream.seen().pop().expect("a request");
        assert!(seen.has(&body) && seen.target == "/bucket/own/b", "{seen:?}");
    }
    let url = presigned(&proxy, &at("bucket.s3.local", "/own/c?versionId=3"));
    let head = format!("GET {url} HTTP/1.1\r\nhost: bucket.s3.local\r\nconnection: close\r\n\r\n");
    assert_eq!(exchange(proxy.address, head.as_bytes()).status, 200, "{:?}", proxy.printed());
    assert_eq!(upstream.seen().pop().expect("a request").target, "/bucket/own/c?versionId=3");
}

/// Sends the file `hello` with a form of the policy.
fn form(proxy: &Proxy, (host, path): (&str, &str), policy: &Policy, key: &str) -> Got {
    let form = Sent::get("").signer().sign_post_policy(policy, Timestamp::now()).expect("a form");
    let own = [("key", key)];
    let fields = own.into_iter().chain(form.fields().filter(|(name, _)| *name != "key"));
    let lines = |(name, value)| format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    let file = "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\nhello\r\n--B--\r\n";
    let body = fields.map(lines).collect::<String>() + file;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {}\r\n\
         content-type: multipart/form-data; boundary=B\r\n\r\n",
        body.len()
    );
    exchange(proxy.address, (head + &body).as_bytes())
}

fn policy(bucket: &str, seconds: i64) -> Policy {
    Policy::new(bucket, Timestamp::now().saturating_add(seconds)).with_starts_with("key", "")
}

#[test]
fn forms_for_other_buckets() {
    let upstream = Upstream::new();
    let allow = format!("{OWN}max_expires = 60\n");
    let proxy = Proxy::with(&upstream, &keys(&allow), &HOST, &[]);
    let (own, other) = (policy("bucket", 50), policy("other", 50));
    for (name, got) in [
        ("bucket of the host", form(&proxy, ("other.s3.local", "/"), &other, "own/a")),
        ("bucket of the host, policy of another", form(&proxy, ("other.s3.local", "/"), &own, "own/a")),
        ("key", form(&proxy, ("bucket.s3.local", "/"), &own, "other")),
        ("key that looks like a path", form(&proxy, ("other.s3.local", "/"), &other, "bucket/own/a")),
        ("both", form(&proxy, ("other.s3.local", "/bucket"), &own, "own/a")),
        ("bucket of dots", form(&proxy, ("x", "/.."), &policy("..", 50), "bucket/own/a")),
        ("long-lived", form(&proxy, ("x", "/bucket"), &policy("bucket", 3600), "own/a")),
    ] {
        refused(&upstream, &got, name);
    }
    let got = form(&proxy, ("bucket.s3.local", "/"), &own, "own/a");
    assert_eq!(got.status, 204, "{got:?} {:?}", proxy.printed());
    assert_eq!(upstream.only().target, "/bucket/own/a");
}

#[test]
fn forms_do_not_leave_the_path_of_the_upstream() {
    let upstream = Upstream::new();
    let url = format!("{}/tenant/a", upstream.url());
    let flags = ["--upstream", &url, "--service", "s3", "--region", "us-east-1"];
    let proxy = Proxy::start(&flags, &keys(""), &[]);
    for key in ["a/%2e%2e/%2e%2e/x", "a//b", "..;/x", "a\\..\\x", "../x", "/x"] {
        refused(&upstream, &form(&proxy, ("x", "/bucket"), &policy("bucket", 50), key), key);
    }
    assert_eq!(form(&proxy, ("x", "/bucket"), &policy("bucket", 50), "a/b").status, 204);
    assert_eq!(upstream.only().target, "/tenant/a/bucket/a/b");
}

/// The SDK for JavaScript presigns an upload with the checksum of an empty body, which S3 ignores in a URL.
#[test]
fn checksums_of_presigned_urls() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let query =
        "x-amz-checksum-crc32=AAAAAA%3D%3D&x-amz-sdk-checksum-algorithm=CRC32&X-Amz-Checksum-Sha256=x&x-id=PutObject";
    let url = presigned(&proxy, &Sent::put(&format!("/bucket/a?{query}"), b"", Mode::Hashed));
    assert_eq!(send(&proxy, "PUT", &url, &[], b"hello").status, 200, "{:?}", proxy.printed());
    let seen = upstream.only();
    assert!(seen.has(b"hello") && seen.target == "/bucket/a?x-id=PutObject", "{seen:?}");
    assert!(!seen.headers.keys().any(|name| name.as_str().contains("checksum")), "{seen:?}");
    let query = "uploads&x-amz-checksum-algorithm=SHA256&x-amz-checksum-type=COMPOSITE";
    let url = presigned(&proxy, &Sent::get(&format!("/bucket/a?{query}")).with(|sent| sent.method = "POST"));
    assert_eq!(send(&proxy, "POST", &url, &[], b"").status, 200, "{:?}", proxy.printed());
    let seen = upstream.seen().pop().expect("a request");
    assert_eq!(seen.header("x-amz-checksum-algorithm"), Some("SHA256"));
    assert_eq!(seen.header("x-amz-checksum-type"), Some("COMPOSITE"));
}
