//! What the upstream gets.

use crate::gate::{Gate, ID, Sent, only, upstream};

#[test]
fn the_caller_can_not_be_forged() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--route", "GET /dev/public=NONE"]);
    let forged = |sent: &mut Sent| {
        for name in ["x-countersign-caller", "X_Countersign_Caller", "x_countersign-caller", "X-COUNTERSIGN-CALLER"] {
            sent.unsigned.push((name, "admin".into()));
        }
        sent.unsigned.push(("x-forwarded-for", "10.0.0.1".into()));
        sent.unsigned.push(("X-HTTP-Method-Override", "DELETE".into()));
        sent.unsigned.push(("X-Original-URL", "/dev/admin".into()));
    };
    // Signed, the headers are still not those of the gate.
    let signed = |sent: &mut Sent| sent.headers.push(("x-countersign-caller".into(), "admin".into()));
    assert_eq!(gate.send(&Sent::get("/dev/items").with(forged)).status, 200);
    assert_eq!(gate.send(&Sent::get("/dev/public").with(forged).with(|sent| sent.is_signed = false)).status, 200);
    assert_eq!(gate.send(&Sent::get("/dev/items").with(signed)).status, 200);
    let arrived = upstream.arrived();
    let callers = |index: usize| -> Vec<&str> {
        let headers = arrived[index].headers.iter();
        headers
            .filter(|(name, _)| name.to_lowercase().replace('_', "-").contains("caller"))
            .map(|(_, value)| value.as_str())
            .collect()
    };
    assert_eq!((callers(0), callers(1), callers(2)), (vec![ID], vec![], vec![ID]));
    for request in &arrived {
        assert_eq!(request.header("x-forwarded-for"), Some("127.0.0.1"));
        assert_eq!((request.header("x-http-method-override"), request.header("x-original-url")), (None, None));
    }
}

#[test]
fn the_signature_is_removed_unless_it_is_kept() {
    for is_kept in [false, true] {
        let upstream = upstream();
        let gate = Gate::new(&upstream, if is_kept { &["--keep-signature"] } else { &[] });
        let got = gate.send(&Sent::get("/dev/a%20b/%2F?b=1&a=x+y").with(|sent| {
            (sent.method, sent.body) = ("POST", b"hello".to_vec());
            sent.headers.push(("content-type".into(), "text/plain".into()));
        }));
        assert_eq!(
            (got.status, got.body.as_str(), got.header("x-upstream")),
            (200, "from the upstream", Some("1")),
            "{got:?}"
        );
        assert!(got.header("x-amzn-requestid").is_some());
        let arrived = only(&upstream);
        let target = if is_kept { "/dev/a%20b/%2F?b=1&a=x+y" } else { "/dev/a%20b/%2F?b=1&a=x%20y" };
        assert_eq!((arrived.target.as_str(), arrived.body.as_slice()), (target, b"hello".as_slice()));
        assert_eq!(arrived.header("content-type"), Some("text/plain"));
        assert_eq!(
            (arrived.header("authorization").is_some(), arrived.header("x-amz-date").is_some()),
            (is_kept, is_kept)
        );
        assert_eq!(arrived.header("host"), Some(upstream.address.to_string().as_str()));
        assert_eq!(arrived.header("x-forwarded-host"), Some(gate.address.to_string().as_str()));
    }
}

/// An upstream may tell `?acl` from `?acl=`, and read `+` and `;` in its own way.
#[test]
fn the_query_is_written_as_the_client_wrote_it() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &[]);
    for (query, expected) in [
        ("?acl", "?acl"),
        ("?acl=", "?acl="),
        ("?acl&a=1", "?acl&a=1"),
        ("?b=1&&a=2&", "?b=1&a=2"),
        ("?", ""),
        ("?=x", "?=x"),
        ("?a=b=c", "?a=b=c"),
        ("?a=x%2fy/z", "?a=x%2fy/z"),
        ("?a=x+y", "?a=x%20y"),
        ("?a=x%2By", "?a=x%2By"),
        ("?a=1;b=2", "?a=1%3Bb%3D2"),
        ("?a=%zz", "?a=%25zz"),
        ("?X-Amz-Date=1&x-amz-own", "?X-Amz-Date=1&x-amz-own"),
    ] {
        let got = gate.send(&Sent::get(&format!("/dev/a{query}")));
        assert_eq!(got.status, 200, "{query}: {got:?}");
        assert_eq!(upstream.arrived().last().expect("a request").target, format!("/dev/a{expected}"), "{query}");
    }
}

#[test]
fn the_stage_is_signed_and_not_forwarded() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--stage", "dev", "--route", "GET /dev/public=NONE"]);
    assert_eq!(gate.send(&Sent::get("/dev/items?a=1")).status, 200);
    assert_eq!(gate.send(&Sent::get("/dev")).status, 200);
    assert_eq!(gate.send(&Sent::get("/dev/public/x").with(|sent| sent.is_signed = false)).status, 200);
    for target in ["/items", "/prod/items", "/devil"] {
        let got = gate.send(&Sent::get(target));
        assert_eq!((got.status, got.body.as_str()), (403, r#"{"message":"Forbidden"}"#), "{target}");
    }
    let targets: Vec<_> = upstream.arrived().into_iter().map(|arrived| arrived.target).collect();
    assert_eq!(targets, ["/items?a=1", "/", "/public/x"]);
}

#[test]
fn routes_without_authorization_are_not_left() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--route", "GET /=NONE", "--route", "ANY /dev/admin=AWS_IAM"]);
    let status = |method, target: &str| {
        gate.send(&Sent::get(target).with(|sent| (sent.method, sent.is_signed) = (method, false))).status
    };
    assert_eq!(
        (status("GET", "/dev/items"), status("POST", "/dev/items"), status("GET", "/dev/admin/x")),
        (200, 403, 403)
    );
    for target in [
        "/dev/x/../admin",
        "/dev/%61dmin",
        "/DEV/ADMIN",
        "//dev/admin",
        "/dev//admin",
        "/dev/./admin",
        "/dev/%2e/admin",
        "/dev%2fadmin",
        "/dev/admin;x",
        "/dev;x/admin",
        "/dev/x/..%2fadmin",
        "/dev/x/..%5cadmin",
        "/dev/%2561dmin",
    ] {
        assert_ne!(status("GET", target), 200, "{target}");
    }
    assert_eq!(upstream.arrived().len(), 1);
}
