//! Ways around the allow-list, and headers for which the proxy must not lend its signature.

use std::time::Duration;

use countersign::{Credentials, Identity, Payload, Request, Signer, Timestamp};

use crate::client::{Mode, Sent, exchange};
use crate::proxy::{ID, Proxy, SECRET, keys};
use crate::upstream::Upstream;
use crate::{presigned, refused, send};

const OWN: &str = "[[key.allow]]\nservices = [\"s3\"]\nmethods = [\"GET\", \"PUT\", \"POST\"]\n\
                   path_prefixes = [\"/bucket/own\", \"/bucket/a+b\"]\n";

/// Someone between client and proxy adds what would change the operation.
#[test]
fn headers_that_are_added_on_the_way() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let put = Sent::put("/bucket/own/a", b"hello", Mode::Hashed);
    let url = presigned(&proxy, &put);
    for (name, value) in [
        ("x-amz-acl", "public-read-write"),
        ("X-Amz-Acl", "public-read-write"),
        ("x-amz-copy-source", "/other/secret"),
        ("x-amz-meta-own", "1"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-website-redirect-location", "https://example.com"),
        ("x-amz-server-side-encryption-customer-key", "x"),
        ("x-amz-target", "X.Y"),
        ("x-amz-security-token", "forged"),
        ("x-amz-s3session-token", "forged"),
        ("x-amz-trailer", "x-amz-checksum-crc32"),
        ("x-amz-decoded-content-length", "5"),
        ("x-amz-region-set", "*"),
    ] {
        let added = put.clone().with(|sent| sent.unsigned.push((name, value.into())));
        refused(&upstream, &added.send(&proxy), name);
        refused(&upstream, &send(&proxy, "PUT", &url, &[(name, value)], b"hello"), &format!("presigned, {name}"));
    }
    // A server in the manner of CGI reads these as the ones above.
    let alike = put.with(|sent| {
        sent.unsigned =
            ["x_amz_acl", "X_Amz_Copy_Source", "x-amz_acl", "x_amz-acl"].map(|own| (own, "x".into())).into();
    });
    let got = alike.send(&proxy);
    for seen in upstream.seen() {
        assert!(seen.headers.keys().all(|name| !name.as_str().contains('_')), "{seen:?}");
    }
    assert!(matches!(got.status, 200 | 400 | 403), "{got:?}");
}

#[test]
fn operations_outside_of_the_prefix() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(OWN));
    let delete = "<Delete><Object><Key>other</Key></Object></Delete>";
    for (name, sent) in [
        ("delete", Sent::put("/bucket?delete", delete.as_bytes(), Mode::Hashed).with(|sent| sent.method = "POST")),
        ("list", Sent::get("/bucket?list-type=2&prefix=own")),
        ("list, with a slash", Sent::get("/bucket/?prefix=own/")),
        ("buckets", Sent::get("/?x-id=ListBuckets")),
        ("policy", Sent::put("/bucket?policy", b"{}", Mode::Hashed)),
        ("uploads", Sent::get("/bucket?uploads")),
        ("key in the query", Sent::get("/bucket?key=/bucket/own/a")),
        ("path in the query", Sent::get("/bucket/other?/bucket/own/a")),
        ("case of the method", Sent::get("/bucket/own/a").with(|sent| sent.method = "get")),
        ("another method", Sent::get("/bucket/own/a").with(|sent| sent.method = "DELETE")),
        ("service", Sent::post("sqs", "{}").with(|sent| sent.target = "/bucket/own/a".into())),
        ("encoded twice", Sent::get("/bucket/own/%25252e%25252e/other")),
        ("a dot of UTF-8", Sent::get("/bucket/own/%c0%ae%c0%ae/other")),
        ("a slash of UTF-8", Sent::get("/bucket/own%c0%af../other")),
        ("a line feed", Sent::get("/bucket/own/%0a/../other")),
        ("the end of a text", Sent::get("/bucket/own%00/../other")),
    ] {
        let (head, body) = sent.parts(proxy.address);
        refused(&upstream, &exchange(proxy.address, &[head.as_bytes(), &body].concat()), name);
        let (line, rest) = head.split_once(' ').expect("a method");
        let absolute = format!("{line} http://{}{rest}", proxy.address);
        refused(
            &upstream,
            &exchange(proxy.address, &[absolute.as_bytes(), &body].concat()),
            &format!("absolute, {name}"),
        );
        if sent.service == "s3" {
            let target = presigned(&proxy, &sent);
            refused(&upstream, &send(&proxy, sent.method, &target, &[], &body), &format!("presigned, {name}"));
        }
    }
}

#[test]
fn other_objects_that_a_request_names() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(OWN));
    let copy = |name: &str, value: &str| Sent::put("/bucket/own/a", b"", Mode::Hashed).header(name, value);
    for (name, sent) in [
        // S3 reads `/bucket/a b/secret`.
        ("plus", copy("x-amz-copy-source", "/bucket/a+b/secret")),
        ("case", copy("X-AMZ-COPY-SOURCE", "/other/secret")),
        ("space", copy("x-amz-copy-source", "  /other/secret")),
        ("fragment", copy("x-amz-copy-source", "/bucket/own/a#/../../other/secret")),
        ("encoded question mark", copy("x-amz-copy-source", "/bucket/own/a%3Fx")),
        ("URL", copy("x-amz-copy-source", "http://s3/bucket/own/a")),
        ("empty", copy("x-amz-copy-source", "")),
        ("twice", copy("x-amz-copy-source", "/bucket/own/b").header("x-amz-copy-source", "/other/secret")),
        ("part", copy("x-amz-copy-source", "/other/secret").with(|sent| sent.target += "?partNumber=1&uploadId=x")),
        // It isn't there afterwards, and the key must not delete.
        ("rename", copy("x-amz-rename-source", "/bucket/own/b").with(|sent| sent.target += "?renameObject")),
    ] {
        refused(&upstream, &sent.send(&proxy), name);
    }
    for value in ["%2Fother%2Fsecret", "/bucket/own/%252e%252e/other", "%20/other/secret", "/other/secret%0d%0ax:y"] {
        for name in ["X-Amz-Copy-Source", "x-amz-copy-source", "%58-amz-copy-sourc%65"] {
            let sent = Sent::put(&format!("/bucket/own/a?{name}={value}"), b"", Mode::Hashed);
            refused(&upstream, &send(&proxy, "PUT", &presigned(&proxy, &sent), &[], b""), value);
        }
    }
    let may_delete = Proxy::new(&upstream, &keys("[[key.allow]]\npath_prefixes = [\"/bucket/own\"]\n"));
    let rename = copy("x-amz-rename-source", "/bucket/own/b");
    assert_eq!(rename.send(&may_delete).status, 200, "{:?}", may_delete.printed());
}

/// The session token of a placeholder key that has none, in every place.
#[test]
fn tokens_of_the_client() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    // Signed with one that the key doesn't have.
    let credentials = Credentials::new(ID, SECRET).and_then(|own| own.with_session_token("forged"));
    let identity = Identity::new(credentials.expect("credentials"));
    let (signer, host) = (Signer::new(identity, "us-east-1", "s3").expect("a signer"), proxy.address.to_string());
    let request = || Request::new("GET", "/bucket/a", &[]).with_host(&host).with_scheme("http");
    let signed = signer.sign(request(), Payload::EMPTY, Timestamp::now()).expect("a signature");
    let headers: Vec<_> = signed.headers().filter(|(name, _)| *name != "host").collect();
    refused(&upstream, &send(&proxy, "GET", "/bucket/a", &headers, b""), "header");
    let url = signer.presign(request(), Duration::from_secs(60), Timestamp::now()).expect("a URL").url().to_owned();
    let (_, target) = url.split_once(&host).expect("its host");
    refused(&upstream, &send(&proxy, "GET", target, &[], b""), "query");
    let url = presigned(&proxy, &Sent::get("/bucket/a"));
    refused(&upstream, &send(&proxy, "GET", &url, &[("x-amz-security-token", "forged")], b""), "both");
    refused(&upstream, &send(&proxy, "GET", &format!("{url}&X-Amz-Security-Token=forged"), &[], b""), "added");
    // Both kinds of a signature.
    let (head, _) = Sent::get("/bucket/a").parts(proxy.address);
    let both = head.replacen("/bucket/a", &url, 1);
    refused(&upstream, &exchange(proxy.address, both.as_bytes()), "two signatures");
}

/// No tunnel is opened, through which nothing would be verified.
#[test]
fn upgrades_are_not_passed_on() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    for protocol in ["websocket", "h2c"] {
        let sent = Sent::get("/dev/items").with(|sent| sent.service = "execute-api");
        let (head, _) = sent.parts(proxy.address);
        let upgrade =
            format!("connection: Upgrade, close\r\nupgrade: {protocol}\r\nsec-websocket-key: eHh4eHh4eHh4eHh4eHh4eA==");
        let head = head.replace("connection: close", &upgrade);
        let got = exchange(proxy.address, format!("{head}GET /other HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
        assert!(got.status != 101 && !got.contains("101 Switching"), "{protocol}: {got:?}");
    }
    assert!(upstream.seen().iter().all(|seen| seen.header("upgrade").is_none() && seen.target == "/dev/items"));
}
