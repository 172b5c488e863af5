//! What is signed, and what the upstream gets.

use std::process::Command;

use crate::gate::{Gate, ID as GATE_ID, SECRET as GATE_SECRET, only, upstream};
use crate::proxy::{COMMON, get, proxy, send, verifying};
use crate::support::{ID, SECRET, answer, folder, without_credentials};

#[test]
fn requests_are_signed_for_the_upstream() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &[]);
    for (method, target, body) in [
        ("GET", "/dev/list?limit=25&a=b+c&x=%7e", &b""[..]),
        ("POST", "/dev/a%20b/%2F", b"{\"a\":1}"),
        ("DELETE", "/", b""),
        ("PUT", "/dev/empty", b""),
        ("PROPFIND", "/dev//x/y", b"<a/>"),
    ] {
        let got = send(&proxy, method, target, &[("content-type", "text/plain")], body);
        assert_eq!((got.status, got.body.as_str()), (200, "ok"), "{method} {target}: {got:?}");
    }
    let arrived = upstream.arrived();
    assert_eq!(arrived[0].target, "/dev/list?limit=25&a=b+c&x=%7e");
    assert_eq!(arrived[1].body, b"{\"a\":1}");
    for request in &arrived {
        assert_eq!(request.header("host"), Some(upstream.address.to_string().as_str()));
        let authorization = request.header("authorization").expect("a signature");
        assert!(authorization.contains(&format!("Credential={ID}/")), "{authorization}");
        assert!(authorization.contains("/us-east-1/execute-api/aws4_request"), "{authorization}");
    }
    assert_eq!(proxy.metric("countersign_requests_total{outcome=\"signed\"}"), 5);
}

#[test]
fn a_base_path_is_signed() {
    let upstream = verifying();
    let proxy = crate::proxy::start(&["--upstream", &upstream.url("/stage/")]);
    assert_eq!(get(&proxy, "/items?a=1", &[]).status, 200);
    assert_eq!(only(&upstream).target, "/stage/items?a=1");
}

/// A header that `Connection` names is gone before the signature is made, and so can't take a header of it away.
#[test]
fn connection_can_not_remove_the_signature() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &[]);
    let named = "close, X-Amz-Date, Authorization, X-Amz-Content-Sha256, Host, Content-Type, x-own, content-length";
    let headers = [("connection", named), ("x-own", "1"), ("x-amz-date", "20150830T123600Z"), ("content-type", "a/b")];
    let got = send(&proxy, "POST", "/a", &headers, b"hello");
    assert_eq!(got.status, 200, "{got:?}");
    let arrived = only(&upstream);
    assert_eq!((arrived.header("x-own"), arrived.header("content-type")), (None, None));
    assert_ne!(arrived.header("x-amz-date"), Some("20150830T123600Z"));
    assert_eq!(arrived.body, b"hello");
}

#[test]
fn hop_by_hop_headers_are_removed_and_forwarded_ones_not_signed() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &[]);
    let forwarded = [
        ("x-forwarded-for", "10.0.0.1"),
        ("forwarded", "for=10.0.0.1"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("x-amzn-trace-id", "Root=1-5759e988-bd862e3fe1be46a994272793"),
        ("accept", "text/html"),
    ];
    let hops =
        [("te", "trailers"), ("keep-alive", "5"), ("proxy-authorization", "Basic HOPSECRET"), ("upgrade", "h2c")];
    assert_eq!(get(&proxy, "/a", &[&forwarded[..], &hops].concat()).status, 200);
    let arrived = only(&upstream);
    let authorization = arrived.header("authorization").expect("a signature");
    assert!(authorization.contains("SignedHeaders=host;x-amz-date,"), "{authorization}");
    for (name, value) in forwarded {
        assert_eq!(arrived.header(name), Some(value));
    }
    for (name, _) in hops {
        assert_eq!(arrived.header(name), None, "{name}");
    }
}

/// Of another key, of another kind, in headers and in the query.
#[test]
fn signatures_that_arrive_are_replaced() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &[]);
    let headers = [
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=OTHER/20150830/x/y/aws4_request, SignedHeaders=host, Signature=00",
        ),
        ("x-amz-date", "20150830T123600Z"),
        ("x-amz-security-token", "OTHERTOKEN"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    ];
    assert_eq!(get(&proxy, "/a", &headers).status, 200);
    let query = "/b?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=O%2F1&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60\
                 &X-Amz-SignedHeaders=host&X-Amz-Security-Token=OTHERTOKEN&X-Amz-Signature=00&x-amz-%73ignature=1&keep=1";
    assert_eq!(get(&proxy, query, &[]).status, 200);
    assert_eq!(get(&proxy, "/c", &[("authorization", "Bearer OTHERTOKEN")]).status, 200);
    let arrived = upstream.arrived();
    assert_eq!(arrived[1].target, "/b?keep=1");
    for request in &arrived {
        assert!(!format!("{request:?}").contains("OTHER"), "{request:?}");
        assert_eq!(request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization")).count(), 1);
    }
}

#[test]
fn headers_and_parameters_are_stripped_by_name_and_prefix() {
    let upstream = verifying();
    let flags = ["--strip-header", "x-internal-*", "--strip-header", "Cookie", "--strip-query", "utm_*"];
    let proxy = proxy(&upstream, &flags);
    let headers = [("X-Internal-User", "1"), ("cookie", "a=b"), ("x-amz-target", "T"), ("x-internals", "1")];
    assert_eq!(get(&proxy, "/a?utm_source=1&b=2&utm_x=3", &headers).status, 200);
    let arrived = only(&upstream);
    assert_eq!(arrived.target, "/a?b=2");
    assert_eq!((arrived.header("x-internal-user"), arrived.header("cookie")), (None, None));
    assert_eq!((arrived.header("x-amz-target"), arrived.header("x-internals")), (Some("T"), Some("1")));
    // They can't take away the signature itself.
    let all = crate::proxy::proxy(&upstream, &["--strip-header", "x-amz-*", "--strip-header", "authorization"]);
    assert_eq!(get(&all, "/b", &[("x-amz-target", "T")]).status, 200);
}

#[test]
fn redirects_are_passed_on() {
    let upstream = crate::support::Server::new(|_| {
        answer(307, &[("location", "https://elsewhere.example.com/a"), ("connection", "close")], "")
    });
    let proxy = proxy(&upstream, &[]);
    let got = get(&proxy, "/a", &[]);
    assert_eq!((got.status, got.header("location")), (307, Some("https://elsewhere.example.com/a")));
    assert_eq!(upstream.arrived().len(), 1);
}

/// curl → proxy → gate → server.
#[test]
fn curl_through_the_proxy_and_a_gate() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &[]);
    let url = format!("http://{}", gate.address);
    let start = |secret: &str| {
        let scope = ["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"];
        let mut command = without_credentials(&[&COMMON[..], &scope].concat());
        command.env("AWS_ACCESS_KEY_ID", GATE_ID).env("AWS_SECRET_ACCESS_KEY", secret);
        Gate::launch(command, folder())
    };
    let (right, wrong) = (start(GATE_SECRET), start("another"));
    let curl = |proxy: &Gate, version: &str| {
        let url = format!("http://{}/dev/items?b=1&a=x%20y", proxy.address);
        let curl = Command::new("curl")
            .args(["-s", version, "--max-time", "20", "-d", "a=b", "-w", "\n%{http_code}", &url])
            .output();
        String::from_utf8(curl.expect("curl runs").stdout).expect("text")
    };
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        assert_eq!(curl(&right, version), "from the upstream\n200");
        assert!(curl(&wrong, version).ends_with("\n403"));
    }
    let arrived = upstream.arrived();
    assert_eq!(arrived.len(), 2);
    for request in arrived {
        assert_eq!((request.header("x-countersign-caller"), request.body.as_slice()), (Some(GATE_ID), &b"a=b"[..]));
    }
}

#[test]
fn logs_and_metrics_have_the_target_and_no_secrets() {
    let upstream = verifying();
    let mut proxy = proxy(&upstream, &[]);
    let headers = [("x-amz-security-token", "TOKENSECRET"), ("authorization", "Bearer TOKENSECRET")];
    assert_eq!(get(&proxy, "/a?token=TOKENSECRET", &headers).status, 200);
    let signature = only(&upstream).header("authorization").expect("one").rsplit('=').next().expect("one").to_owned();
    let metrics = proxy.managed("/metrics").body;
    assert_eq!(proxy.metric("countersign_credentials_valid"), 1);
    proxy.signal("TERM");
    assert_eq!(proxy.exit_code(), Some(0));
    let line = proxy.wait_for("\"decision\"");
    let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!((&line["decision"], &line["status"], &line["path"]), (&"signed".into(), &200.into(), &"/a".into()));
    assert_eq!((&line["service"], &line["region"]), (&"execute-api".into(), &"us-east-1".into()));
    assert_eq!(line["upstream"], upstream.address.to_string());
    let all = proxy.printed().concat() + &metrics;
    assert!(!all.contains(SECRET) && !all.contains("TOKENSECRET") && !all.contains(&signature), "{all}");
}
