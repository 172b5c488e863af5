//! `--virtual-host`: buckets in the host.

use countersign::post_policy::Policy;
use countersign::{Payload, Request, Timestamp};

use crate::gate::{Gate, Got, Sent, keys, upstream};
use crate::support::Server;

const HOST: &[&str] = &["--virtual-host", "s3.local"];

fn gate(upstream: &Server, keys: &str, arguments: &[&str]) -> Gate {
    let url = upstream.url("");
    let own = ["--upstream", &url, "--service", "s3", "--region", "us-east-1"];
    Gate::start(&[&own, HOST, arguments].concat(), keys)
}

/// A signed request for a host, with headers that are signed, too.
fn get(host: &str, target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut pairs = vec![("host", host.as_bytes())];
    pairs.extend(headers.iter().map(|(name, value)| (*name, value.as_bytes())));
    let request = Request::new("GET", target, &pairs).with_scheme("http");
    let signer = Sent::get("").with(|sent| sent.service = "s3").signer();
    let signed = signer.sign(request, Payload::EMPTY, Timestamp::now()).expect("a signature");
    let mut text = format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    headers.iter().for_each(|(name, value)| text.push_str(&format!("{name}: {value}\r\n")));
    let is_new = |name: &str| name != "host" && !headers.iter().any(|(own, _)| *own == name);
    signed.headers().filter(|(name, _)| is_new(name)).for_each(|(name, value)| {
        text.push_str(&format!("{name}: {value}\r\n"));
    });
    (text + "\r\n").into_bytes()
}

#[test]
fn the_upstream_gets_the_bucket_in_the_path() {
    let upstream = upstream();
    let gate = gate(&upstream, &keys(), &[]);
    let address = gate.address.to_string();
    for (host, target, expected) in [
        ("bucket.s3.local", "/a%20b/c?versionId=3", "/bucket/a%20b/c?versionId=3"),
        ("bucket.s3.local:9000", "/", "/bucket/"),
        ("a.b.s3.local", "/key?acl", "/a.b/key?acl"),
        ("Bucket.S3.Local", "/key", "/bucket/key"),
        ("bucket.s3.local.", "/key", "/bucket/key"),
        // The path names a key, even if it looks like another bucket.
        ("bucket.s3.local", "/other/key", "/bucket/other/key"),
        ("s3.local", "/bucket/key", "/bucket/key"),
        (&address, "/bucket/key", "/bucket/key"),
        ("evils3.local", "/bucket/key", "/bucket/key"),
    ] {
        let got = gate.raw(&get(host, target, &[]));
        assert_eq!(got.status, 200, "{host}{target}: {got:?}");
        let arrived = upstream.arrived();
        let arrived = arrived.last().expect("a request");
        assert_eq!(arrived.target, expected, "{host}{target}");
        assert_eq!(arrived.header("host"), Some(upstream.address.to_string().as_str()));
        assert_eq!(arrived.header("x-forwarded-host"), Some(host));
    }
    let count = upstream.arrived().len();
    for host in [".s3.local", "a..b.s3.local", "a_b.s3.local", "a%2fb.s3.local", "-a.s3.local"] {
        let got = gate.raw(&get(host, "/key", &[]));
        assert!(got.status == 400 && got.body.contains("<Code>InvalidBucketName</Code>"), "{host}: {got:?}");
    }
    // Signed for one bucket, sent to another.
    let text = String::from_utf8(get("one.s3.local", "/key", &[])).expect("text");
    let got = gate.raw(text.replace("host: one.s3.local", "host: two.s3.local").as_bytes());
    assert!(got.status == 403 && got.body.contains("<Code>SignatureDoesNotMatch</Code>"), "{got:?}");
    let got = gate.raw(text.replace("host: one.s3.local", "host: one.s3.local\r\nhost: two.s3.local").as_bytes());
    assert_ne!(got.status, 200, "{got:?}");
    let got = gate.raw(text.replace("GET /key", "GET http://two.s3.local/key").as_bytes());
    assert_ne!(got.status, 200, "{got:?}");
    assert_eq!(upstream.arrived().len(), count);
}

#[test]
fn the_host_can_be_kept() {
    for is_signature_kept in [false, true] {
        let upstream = upstream();
        let arguments: &[&str] =
            if is_signature_kept { &["--preserve-host", "--keep-signature"] } else { &["--preserve-host"] };
        let keys = keys() + "[[key.allow]]\npath_prefixes = [\"/bucket/a\"]\n";
        let gate = gate(&upstream, &keys, arguments);
        assert_eq!(gate.raw(&get("bucket.s3.local", "/a/b", &[])).status, 200);
        assert_eq!(gate.raw(&get("other.s3.local", "/a/b", &[])).status, 403);
        assert_eq!(gate.raw(&get("other.s3.local", "/bucket/a/b", &[])).status, 403);
        let arrived = upstream.arrived();
        assert_eq!(arrived.len(), 1);
        assert_eq!((arrived[0].target.as_str(), arrived[0].header("host")), ("/a/b", Some("bucket.s3.local")));
    }
    let upstream = upstream();
    let gate = gate(&upstream, &keys(), &["--keep-signature"]);
    assert_eq!(gate.raw(&get("bucket.s3.local", "/a?acl", &[])).status, 200);
    assert_eq!(upstream.arrived()[0].target, "/bucket/a?acl");
}

#[test]
fn allow_lists_see_the_bucket() {
    let upstream = upstream();
    let keys = keys() + "[[key.allow]]\npath_prefixes = [\"/mine\"]\n";
    let gate = gate(&upstream, &keys, &[]);
    for (host, target, status) in [
        ("mine.s3.local", "/key", 200),
        ("MINE.s3.local", "/key", 200),
        ("s3.local", "/mine/key", 200),
        ("other.s3.local", "/mine/key", 403),
        ("other.s3.local", "/key", 403),
        ("mine.other.s3.local", "/key", 403),
        ("mine.s3.local", "/%2e%2e/other/key", 403),
        ("mine.s3.local.evil", "/key", 403),
    ] {
        let got = gate.raw(&get(host, target, &[]));
        assert_eq!(got.status, status, "{host}{target}: {got:?}");
    }
    // A copy also reads.
    for (source, status) in [
        ("/mine/key?versionId=3", 200),
        ("mine/k%20ey", 200),
        ("/other/key", 403),
        ("other/key", 403),
        ("/mine/../other/key", 403),
        ("/mine%2f..%2f..%2fother/key", 403),
        ("//other/key", 403),
        ("arn:aws:s3:us-east-1:123456789012:accesspoint/mine/object/key", 403),
    ] {
        let got = gate.raw(&get("mine.s3.local", "/copy", &[("x-amz-copy-source", source)]));
        assert_eq!(got.status, status, "{source}: {got:?}");
    }
}

#[test]
fn routes_see_the_bucket() {
    let upstream = upstream();
    let gate = gate(&upstream, &keys(), &["--route", "GET /public=NONE"]);
    let anonymous = |host: &str, target: &str| -> Got {
        gate.raw(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes())
    };
    for (host, target, status) in [
        ("public.s3.local", "/key?acl", 200),
        ("s3.local", "/public/key", 200),
        ("secret.s3.local", "/public/key", 403),
        ("public.secret.s3.local", "/key", 403),
        ("public.s3.local", "/../secret/key", 403),
        ("public/..%2f.s3.local", "/key", 400),
    ] {
        let got = anonymous(host, target);
        assert_eq!(got.status, status, "{host}{target}: {got:?}");
    }
    let targets: Vec<_> = upstream.arrived().into_iter().map(|arrived| arrived.target).collect();
    assert_eq!(targets, ["/public/key?acl", "/public/key"]);
}

#[test]
fn forms() {
    let upstream = upstream();
    let gate = gate(&upstream, &keys(), &[]);
    let signer = Sent::get("").with(|sent| sent.service = "s3").signer();
    let now = Timestamp::now();
    let policy = Policy::new("bucket", now.saturating_add(60)).with_starts_with("key", "");
    let signed = signer.sign_post_policy(&policy, now).expect("a form");
    let send = |host: &str, target: &str| {
        let mut body = String::new();
        let mut add = |name: &str, value: &str| {
            body.push_str(&format!("--BOUND\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        };
        add("key", "up/a");
        signed.fields().filter(|(name, _)| *name != "key").for_each(|(name, value)| add(name, value));
        body.push_str("--BOUND\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nhello\r\n--BOUND--\r\n");
        let head = format!(
            "POST {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-type: multipart/form-data; boundary=BOUND\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        gate.raw((head + &body).as_bytes()).status
    };
    assert_eq!((send("bucket.s3.local", "/"), send("s3.local", "/bucket")), (204, 204));
    // The policy is for one bucket, and the path of a bucket's host can't name another.
    for (host, target) in [("other.s3.local", "/"), ("other.s3.local", "/bucket"), ("bucket.s3.local", "/other")] {
        assert!(send(host, target) >= 400, "{host}{target}");
    }
    let targets: Vec<_> = upstream.arrived().into_iter().map(|arrived| arrived.target).collect();
    assert_eq!(targets, ["/bucket/up/a", "/bucket/up/a"]);
}
