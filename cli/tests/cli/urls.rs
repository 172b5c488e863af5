//! The URL goes out as typed, signed, or is refused with the character to encode.

use countersign::{ErrorFormat, Verifier};

use crate::support::{Server, request};

const PATHS: [&str; 30] = [
    "/",
    "//",
    "///a",
    "//a//b/",
    "/a/./b",
    "/./",
    "/.",
    "/a/../b",
    "/..",
    "/a%2Fb",
    "/a%2fb",
    "/%2F",
    "/%2e%2e/a",
    "/a+b",
    "/a%2Bb",
    "/a:b",
    "/a@b",
    "/%C3%A9",
    "/%c3%a9",
    "/a%20b",
    "/a%25b",
    "/%252F",
    "/a[1]",
    "/~a",
    "/%7Ea",
    "/a;b=c",
    "/a,b",
    "/(a)!*'",
    "/$a&b=c",
    "/a-._b",
];

const QUERIES: [&str; 25] = [
    "?",
    "?a",
    "?a=",
    "?a&a=",
    "?a=1&a=2&a=1",
    "?b=1&a=2",
    "?A=1&a=2",
    "?a=/",
    "?a=%2F",
    "?a=+",
    "?a=%2B",
    "?a=%20",
    "?a==",
    "?a=b=c",
    "?a?b",
    "?&",
    "?a&&b",
    "?a=%C3%A9",
    "?%C3%A9=a",
    "?a=[1]",
    "?a[]=1&a[]=2",
    "?a=:@",
    "?=a",
    "?=",
    "?a=~%7E!*'()",
];

fn verifier(service: &str) -> Verifier {
    Verifier::new("us-east-1", service).unwrap().accept_dot_segments()
}

/// Returns how the URL differs from what a verifying server expects.
fn failure(server: &Server, target: &str, service: &str) -> Option<String> {
    let before = server.arrived().len();
    let done = request(&[&server.url(target), "--service", service, "-w", "%{http_code}"]);
    let arrived = server.arrived();
    let got = arrived.get(before..).unwrap_or_default();
    let as_typed = matches!(got, [only] if only.target == target);
    let is_ok = (done.code, done.out.as_str()) == (0, "ok200");
    (!as_typed || !is_ok)
        .then(|| format!("{service} {target}: {done:?}, on the wire {:?}", got.first().map(|a| &a.target)))
}

fn all_as_typed(service: &str) {
    let server = Server::verifying(verifier(service), ErrorFormat::RestJson);
    let targets = PATHS.iter().map(|path| (*path).to_owned()).chain(QUERIES.iter().map(|query| format!("/p{query}")));
    let failures: Vec<_> = targets.filter_map(|target| failure(&server, &target, service)).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(server.arrived().len(), PATHS.len() + QUERIES.len());
}

#[test]
fn every_url_arrives_as_typed_and_verifies() {
    all_as_typed("execute-api");
}

#[test]
fn every_url_arrives_as_typed_and_verifies_with_the_rules_of_s3() {
    all_as_typed("s3");
}

#[test]
fn a_url_without_a_path_has_a_slash() {
    let server = Server::verifying(verifier("execute-api"), ErrorFormat::RestJson);
    for (typed, target) in [("", "/"), ("?a=b", "/?a=b")] {
        let done = request(&[&server.url(typed)]);
        assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{done:?}");
        assert_eq!(server.arrived().last().unwrap().target, target);
    }
}

#[test]
fn characters_that_must_be_encoded_are_named() {
    let server = Server::verifying(verifier("execute-api"), ErrorFormat::RestJson);
    let cases = [
        ("/é", "%C3%A9", "/%C3%A9"),
        ("/a b", "%20", "/a%20b"),
        ("/{proxy+}", "%7B", "/%7Bproxy+%7D"),
        ("/a|b", "%7C", "/a%7Cb"),
        ("/a^b", "%5E", "/a%5Eb"),
        ("/a\"b", "%22", "/a%22b"),
        ("/a\\b", "%5C", "/a%5Cb"),
        ("/<a>", "%3C", "/%3Ca%3E"),
        ("/a`b", "%60", "/a%60b"),
        ("/a#b", "%23", "/a%23b"),
        ("/100%", "%25", "/100%25"),
        ("/%zz", "%25", "/%25zz"),
        ("/%é", "%25", "/%25%C3%A9"),
        ("/p?q=ü", "%C3%BC", "/p?q=%C3%BC"),
        ("/p?q={}", "%7B", "/p?q=%7B%7D"),
        ("/a\nb", "%0A", "/a%0Ab"),
        ("/a\u{7f}", "%7F", "/a%7F"),
    ];
    for (target, encoded, whole) in cases {
        let done = request(&[&server.url(target)]);
        assert_eq!((done.code, done.out.as_str()), (2, ""), "{target}: {done:?}");
        assert!(done.err.contains(&format!("encoded as {encoded}")), "{target}: {}", done.err);
        assert!(done.err.trim_end().ends_with(&format!(" {whole}")), "{target}: {}", done.err);
        // What is suggested is accepted.
        let done = request(&[&server.url(whole)]);
        assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{whole}: {done:?}");
    }
    assert_eq!(server.arrived().len(), cases.len(), "nothing else was sent");
}

#[test]
fn urls_that_name_no_server_are_wrong_usage() {
    for (url, part) in [
        ("ftp://example.com/", "ftp://"),
        ("http:///a", "no host"),
        ("http://user:pass@127.0.0.1/", "--user"),
        ("http://127.0.0.1:99999/", "99999"),
        ("http://[::1/", "IPv6"),
        ("http://a b/", "host"),
        ("", "no host"),
    ] {
        let done = request(&[url]);
        assert_eq!(done.code, 2, "{url}: {done:?}");
        assert!(done.err.contains(part) && !done.err.contains("pass@"), "{url}: {}", done.err);
    }
}

#[test]
fn data_goes_to_the_query_with_get() {
    let server = Server::verifying(verifier("execute-api"), ErrorFormat::RestJson);
    let done = request(&["-G", "-d", "b=1", "--data-urlencode", "c=é &", &server.url("/p?a=2")]);
    assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{done:?}");
    let arrived = server.arrived();
    assert_eq!((arrived[0].method.as_str(), arrived[0].target.as_str()), ("GET", "/p?a=2&b=1&c=%C3%A9%20%26"));
    assert_eq!(arrived[0].header("content-type"), None);
    let done = request(&["-G", "--data-urlencode", "c=\u{e9}", "-d", "b=1", &server.url("/p")]);
    assert_eq!((done.code, server.arrived()[1].target.as_str()), (0, "/p?c=%C3%A9&b=1"), "{done:?}");
}
