//! Pages in a browser can't use the proxy.

use crate::proxy::{get, proxy, send, verifying};

#[test]
fn other_origins_are_refused() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &["--allow-origin", "http://app.test:3000"]);
    let own = format!("http://{}", proxy.address);
    for headers in [
        vec![("origin", "https://evil.test"), ("sec-fetch-site", "cross-site")],
        vec![("origin", "https://evil.test")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
        vec![("origin", "http://localhost:3000"), ("sec-fetch-site", "same-site")],
    ] {
        // What a form or `fetch` can send without asking first.
        let headers = [headers, vec![("content-type", "text/plain")]].concat();
        for (method, body) in [("POST", &b"a"[..]), ("GET", b""), ("OPTIONS", b"")] {
            let got = send(&proxy, method, "/a", &headers, body);
            assert_eq!(got.status, 403, "{headers:?}: {got:?}");
            assert!(got.body.contains("--allow-origin"), "{got:?}");
            assert_eq!(got.header("access-control-allow-origin"), None);
        }
    }
    assert!(upstream.arrived().is_empty());
    for origin in ["http://app.test:3000", &own] {
        assert_eq!(send(&proxy, "POST", "/a", &[("origin", origin)], b"a").status, 200, "{origin}");
    }
    assert_eq!(get(&proxy, "/a", &[("sec-fetch-site", "none")]).status, 200);
}

/// DNS rebinding: the page has a name of its own site for this address, so that the browser lets it read the answer.
#[test]
fn names_of_others_are_refused() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &["--external-host", "proxy.internal"]);
    let port = proxy.address.port();
    for host in [format!("evil.test:{port}"), format!("127.0.0.1.evil.test:{port}"), "10.1.2.3".into()] {
        let origin = format!("http://{host}");
        let got = get(&proxy, "/a", &[("host", &host), ("origin", &origin), ("sec-fetch-site", "same-origin")]);
        assert_eq!(got.status, 403, "{host}: {got:?}");
        assert!(got.body.contains("--external-host"), "{got:?}");
    }
    assert!(upstream.arrived().is_empty());
    for host in ["localhost", "proxy.internal", "PROXY.internal:81", "[::1]:81"] {
        assert_eq!(get(&proxy, "/a", &[("host", host)]).status, 200, "{host}");
    }
}
