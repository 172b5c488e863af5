//! `proxy`: where requests are sent, and what a client can add to them.

use crate::gate::only;
use crate::http2::{End, Http2};
use crate::proxy::{get, proxy, start, verifying};
use crate::support::{Server, answer};

/// Forms of other hosts, and of addresses.
#[test]
fn hosts_that_look_like_those_of_the_list() {
    let upstream = verifying();
    let address = upstream.address.to_string();
    let port = upstream.address.port();
    let proxy = start(&[
        "--allow-host",
        &address,
        "--allow-host",
        "*.allowed.test",
        "--upstream-scheme",
        "http",
        "--connect-timeout",
        "1",
    ]);
    for host in [
        "169.254.169.254".to_owned(),
        "[::ffff:169.254.169.254]".into(),
        "evil.com#.allowed.test".into(),
        "evil.com?.allowed.test".into(),
        "evil.com/.allowed.test".into(),
        "evil.com\\.allowed.test".into(),
        "evil.com:80.allowed.test".into(),
        "evil.com%00.allowed.test".into(),
        "evil.com%2f.allowed.test".into(),
        "evil.com@a.allowed.test".into(),
        "a.allowed.test@evil.com".into(),
        "a.allowed.test:80@evil.com".into(),
        "a.allowed.test:".into(),
        "a.allowed.test:0x50".into(),
        "a.allowed.test:+80".into(),
        "a.allowed.test:65616".into(),
        "a.allowed.test.".into(),
        ".allowed.test".into(),
        "allowed.test".into(),
        "a..allowed.test".into(),
        "a.allowed.test,evil.com".into(),
        "a.allowed.test evil.com".into(),
        "\u{430}.allowed.test".into(),
        "a.allowed\u{3002}test".into(),
        "\u{2468}.allowed.test".into(),
        format!("127.1:{port}"),
        format!("0x7f000001:{port}"),
        format!("2130706433:{port}"),
        format!("0177.0.0.1:{port}"),
        format!("127.0.0.1.:{port}"),
        format!("[::ffff:127.0.0.1]:{port}"),
        format!("0.0.0.0:{port}"),
        format!("127.0.0.1:0{port}x"),
    ] {
        for target in ["/a".to_owned(), format!("http://{host}/a")] {
            let got = get(&proxy, &target, &[("host", &host)]);
            assert!(matches!(got.status, 400 | 403), "{target} {host}: {got:?}");
        }
    }
    assert!(upstream.arrived().is_empty());
    // The same over HTTP/2, where the host is a pseudo-header.
    let ask = |authority: &str, host: Option<&str>| {
        let mut list = vec![(":method", "GET"), (":scheme", "http"), (":path", "/a"), (":authority", authority)];
        list.extend(host.map(|host| ("host", host)));
        let mut http2 = Http2::open(proxy.address);
        http2.headers(1, &list, true);
        http2.end_of(1)
    };
    assert_eq!((ask(&address, None), ask(&address, Some(&address))), (End::Ok, End::Ok));
    for (authority, host) in
        [("evil.com", Some(address.as_str())), (&address, Some("evil.com")), ("a.allowed.test@evil.com", None)]
    {
        assert_ne!(ask(authority, host), End::Ok, "{authority} {host:?}");
    }
    assert_eq!(upstream.arrived().len(), 2);
}

/// A redirect to the credentials of a machine is for the client to follow, without a signature.
#[test]
fn redirects_are_not_followed() {
    let metadata = verifying();
    let location = metadata.url("/latest/meta-data/iam/security-credentials/");
    let upstream = Server::new(move |_| answer(307, &[("location", &location)], ""));
    let proxy = proxy(&upstream, &[]);
    let got = get(&proxy, "/a", &[]);
    assert_eq!((got.status, got.header("location").is_some(), metadata.arrived().len()), (307, true, 0), "{got:?}");
}

/// The path of `--upstream` precedes every path.
#[test]
fn the_path_of_the_upstream_is_not_left() {
    let upstream = verifying();
    let proxy = start(&["--upstream", &upstream.url("/base")]);
    for target in
        ["/../admin", "/a/../../admin", "/%2e%2e/admin", "/..%2fadmin", "/..\\admin", "/..;/admin", "/%252e%252e/admin"]
    {
        let got = get(&proxy, target, &[]);
        assert_eq!(got.status, 400, "{target}: {got:?}");
    }
    assert!(upstream.arrived().is_empty());
    assert_eq!(get(&proxy, "/a..b/...", &[]).status, 200);
    assert_eq!(only(&upstream).target, "/base/a..b/...");
}

/// Nothing of an arriving signature is left, or becomes part of the new one.
#[test]
fn parts_of_signatures_that_arrive() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &[]);
    let got = get(
        &proxy,
        "/a?X-Amz-Signature=1&x-amz-credential=AKIDEVIL&%58-Amz-Security-Token=evil&X-Amz-Algorithm=AWS4-HMAC-SHA256&b=1",
        &[
            ("authorization", "AWS4-HMAC-SHA256 Credential=AKIDEVIL/x"),
            ("Authorization", "Basic ZXZpbA=="),
            ("x-amz-date", "20200101T000000Z"),
            ("date", "Wed, 01 Jan 2020 00:00:00 GMT"),
            ("x-amz-security-token", "evil"),
            ("x-amz-s3session-token", "evil"),
            ("x-amz-region-set", "*"),
            ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
            ("connection", "close, x-amz-date, authorization, host, x-amz-content-sha256"),
            ("proxy-authorization", "Basic ZXZpbA=="),
        ],
    );
    assert_eq!(got.status, 200, "{got:?}");
    let arrived = only(&upstream);
    let text = format!("{arrived:?}");
    assert!(!text.to_lowercase().contains("evil") && !text.contains("ZXZpbA"), "{text}");
    assert_eq!((arrived.target.as_str(), arrived.header("x-amz-region-set")), ("/a?b=1", None));
    for name in ["authorization", "x-amz-date", "host"] {
        let count = arrived.headers.iter().filter(|(own, _)| own.eq_ignore_ascii_case(name)).count();
        assert_eq!(count, 1, "{name}: {text}");
    }
}
