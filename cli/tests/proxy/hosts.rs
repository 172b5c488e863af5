//! Which hosts are signed for.

use crate::gate::only;
use crate::proxy::{get, proxy, send, start, verifying};
use crate::support::{countersign, run};

const EVIL: &str = "evil.example.com";

#[test]
fn a_fixed_upstream_ignores_the_host() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &["--external-host", "bucket.s3.amazonaws.com"]);
    assert_eq!(get(&proxy, "/a", &[("host", "bucket.s3.amazonaws.com")]).status, 200);
    let absolute = format!("http://{}/b", proxy.address);
    assert_eq!(get(&proxy, &absolute, &[]).status, 200);
    for arrived in upstream.arrived() {
        assert_eq!(arrived.header("host"), Some(upstream.address.to_string().as_str()));
    }
}

#[test]
fn only_hosts_of_the_list() {
    let upstream = verifying();
    let address = upstream.address.to_string();
    let proxy = start(&["--allow-host", &address, "--allow-host", "*.example.org", "--upstream-scheme", "http"]);
    // The host is in `Host`, or in an absolute URI as `http_proxy` sends it.
    assert_eq!(get(&proxy, "/a", &[("host", &address)]).status, 200);
    let absolute = format!("http://{address}/b?c=d");
    assert_eq!(get(&proxy, &absolute, &[("host", &address)]).status, 200);
    assert_eq!(upstream.arrived()[1].target, "/b?c=d");
    let port = upstream.address.port();
    for host in [
        EVIL.to_owned(),
        "127.0.0.1".into(),
        format!("localhost:{port}"),
        format!("127.0.0.1.example.com:{port}"),
        "example.org".into(),
        "aexample.org".into(),
        "a.example.org:8443".into(),
        "a.example.org.evil.com".into(),
        proxy.address.to_string(),
    ] {
        let got = get(&proxy, "/c", &[("host", &host)]);
        assert_eq!(got.status, 403, "{host}: {got:?}");
        assert!(got.body.contains("--allow-host"), "{got:?}");
        let absolute = format!("http://{host}/c");
        assert_eq!(get(&proxy, &absolute, &[("host", &host)]).status, 403, "{host}");
    }
    assert_eq!(upstream.arrived().len(), 2);
}

/// Whoever reads the other one would send the request elsewhere.
#[test]
fn a_request_has_one_host() {
    let upstream = verifying();
    let address = upstream.address.to_string();
    let proxy = start(&["--allow-host", &address, "--upstream-scheme", "http"]);
    let allowed = format!("http://{address}/a");
    let foreign = format!("http://{EVIL}/a");
    for (target, hosts) in [
        ("/a", vec![address.as_str(), EVIL]),
        ("/a", vec![EVIL, &address]),
        ("/a", vec![&address, &address]),
        (&allowed, vec![EVIL]),
        (&foreign, vec![&address]),
        ("/a", vec![""]),
        ("/a", vec!["user@evil.example.com"]),
        ("/a", vec!["a b"]),
    ] {
        let headers: Vec<_> = hosts.iter().map(|host| ("host", *host)).collect();
        let got = get(&proxy, target, &headers);
        assert!(matches!(got.status, 400 | 403), "{target} {hosts:?}: {got:?}");
    }
    let with_user = format!("http://{address}@{EVIL}/a");
    let none = proxy.raw(b"GET /a HTTP/1.0\r\n\r\n");
    assert_eq!((get(&proxy, &with_user, &[("host", EVIL)]).status, none.status), (400, 400));
    assert_eq!(send(&proxy, "CONNECT", &address, &[("host", &address)], b"").status, 400);
    assert!(upstream.arrived().is_empty());
}

#[test]
fn the_scope_is_that_of_the_host() {
    let mut command = countersign(&[
        "proxy",
        "--allow-host",
        "*.s3.eu-west-1.amazonaws.com",
        "--listen",
        "127.0.0.1:0",
        "--management",
        "127.0.0.1:0",
        "--connect-timeout",
        "1",
    ]);
    command.env_remove("COUNTERSIGN_SERVICE").env_remove("AWS_REGION");
    let proxy = crate::gate::Gate::launch(command, crate::support::folder());
    // There is no such host here; what it would have been signed for is in the log.
    let got = get(&proxy, "/a", &[("host", "bucket.s3.eu-west-1.amazonaws.com")]);
    assert!(matches!(got.status, 502 | 504), "{got:?}");
    let line = proxy.wait_for("\"upstream\":\"bucket.s3.eu-west-1.amazonaws.com\"");
    assert!(line.contains("\"service\":\"s3\"") && line.contains("\"region\":\"eu-west-1\""), "{line}");
    let unknown = run(countersign(&["proxy", "--allow-host", "example.com"]).env_remove("COUNTERSIGN_SERVICE"));
    assert!(unknown.code == 2 && unknown.err.contains("--service"), "{unknown:?}");
}

#[test]
fn lists_that_allow_every_host_are_refused() {
    for host in ["*", "*.com", "https://example.com", "a@b.com"] {
        let done = run(&mut countersign(&["proxy", "--allow-host", host]));
        assert!(done.code == 2 && done.err.contains("--allow-host"), "{host}: {done:?}");
    }
    for arguments in [&["proxy"][..], &["proxy", "--upstream", "http://127.0.0.1:9", "--allow-host", "example.com"]] {
        assert_eq!(run(&mut countersign(arguments)).code, 2, "{arguments:?}");
    }
}

#[test]
fn region_sets_are_signed_with_sigv4a() {
    let upstream = crate::gate::upstream();
    let proxy = proxy(&upstream, &["--region", "*"]);
    assert_eq!(get(&proxy, "/a", &[]).status, 200);
    let arrived = only(&upstream);
    assert_eq!(arrived.header("x-amz-region-set"), Some("*"));
    assert!(arrived.header("authorization").is_some_and(|value| value.starts_with("AWS4-ECDSA-P256-SHA256 ")));
}
