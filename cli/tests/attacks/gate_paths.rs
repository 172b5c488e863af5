//! Methods, paths and hosts with two readings.

use countersign::{Payload, Request, Timestamp};

use crate::gate::{Gate, Got, Sent, keys, only, upstream};
use crate::support::Server;

fn unsigned(gate: &Gate, method: &str, target: &str, host: &str) -> Got {
    gate.raw(format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes())
}

/// Werkzeug and others write a method in capitals before they look at it.
#[test]
fn methods_in_small_letters() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--route", "ANY /=NONE", "--route", "POST /admin=AWS_IAM"]);
    for method in ["POST", "post", "Post", "pOST"] {
        let got = unsigned(&gate, method, "/admin/x", "x");
        assert_ne!(got.status, 200, "{method}");
    }
    assert!(upstream.arrived().is_empty());
    assert_eq!(unsigned(&gate, "GET", "/admin/x", "x").status, 200);
    // A route opens no other method than its own.
    let gate = Gate::new(&upstream, &["--route", "GET /=NONE"]);
    for method in ["get", "HEAD", "GETS", "ANY"] {
        assert_ne!(unsigned(&gate, method, "/x", "x").status, 200, "{method}");
    }
}

/// What the upstream sees is what the route was found for.
#[test]
fn targets_that_are_not_paths() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--route", "ANY /public=NONE"]);
    for (target, forwarded) in [
        ("*", None),
        ("http://x", None),
        ("http://x/admin", None),
        ("http://x/public/../admin", None),
        ("http://user@x/admin", None),
        ("//x/public", None),
        ("public", None),
        ("/public/..;/admin", None),
        ("/public\\..\\admin", None),
        ("/public/%2e%2e%2fadmin", None),
        ("/public/%252e%252e/admin", None),
        ("/public%00/../admin", None),
        ("/public/\u{ff0e}\u{ff0e}/admin", Some("/public/\u{ff0e}\u{ff0e}/admin")),
        // Nothing of a fragment arrives.
        ("/public#/../admin", Some("/public")),
        ("/public?/../admin", Some("/public?/../admin")),
        ("http://evil.example/public", Some("/public")),
    ] {
        let before = upstream.arrived().len();
        let got = unsigned(&gate, "GET", target, "x");
        let arrived: Vec<_> = upstream.arrived().split_off(before).into_iter().map(|arrived| arrived.target).collect();
        match forwarded {
            None => assert!(got.status >= 400 && arrived.is_empty(), "{target}: {got:?} {arrived:?}"),
            // Refused is fine, too.
            Some(path) => {
                assert!(got.status >= 400 && arrived.is_empty() || arrived == [path], "{target}: {got:?} {arrived:?}")
            }
        }
    }
}

/// S3 reads `..` in a key as it is; the server behind the base path may not.
#[test]
fn the_path_of_the_upstream_is_not_left() {
    let upstream = upstream();
    let url = upstream.url("/base");
    let gate = Gate::start(&["--upstream", &url, "--service", "s3", "--region", "us-east-1"], &keys());
    for (target, expected) in [
        ("/bucket/a..b/...", Some("/base/bucket/a..b/...")),
        ("/bucket//a/./b", Some("/base/bucket//a/./b")),
        ("/../admin", None),
        ("/bucket/../../admin", None),
        ("/bucket/%2e%2e/%2E./admin", None),
        ("/bucket/..%2f..%2fadmin", None),
        ("/bucket/..%5c..%5cadmin", None),
        ("/bucket/%252e%252e/admin", None),
        ("/bucket/..;/..;/admin", None),
    ] {
        let before = upstream.arrived().len();
        let got = gate.send(&Sent::get(target).with(|sent| sent.service = "s3"));
        let arrived: Vec<_> = upstream.arrived().split_off(before).into_iter().map(|arrived| arrived.target).collect();
        match expected {
            Some(expected) => assert_eq!((got.status, arrived), (200, vec![expected.to_owned()]), "{target}"),
            None => assert!(got.status >= 400 && arrived.is_empty(), "{target}: {got:?} {arrived:?}"),
        }
    }
}

/// With --keep-signature, the upstream gets the path as it arrived; a signature doesn't tell repeated slashes apart.
#[test]
fn a_kept_path_is_what_was_allowed() {
    let upstream = upstream();
    let url = upstream.url("");
    let arguments = ["--upstream", &url, "--service", "execute-api", "--region", "us-east-1", "--keep-signature"];
    let gate = Gate::start(&arguments, &(keys() + "[[key.allow]]\npath_prefixes = [\"/dev/reports\"]\n"));
    for target in ["//dev/reports", "/dev//reports/a", "/dev/reports//../admin", "/dev/reports/;/a"] {
        assert_ne!(gate.send(&Sent::get(target)).status, 200, "{target}");
    }
    assert!(upstream.arrived().is_empty());
    assert_eq!(gate.send(&Sent::get("/dev/reports/a")).status, 200);
    // The stage is taken away from every target.
    let gate = Gate::start(&[&arguments[..], &["--stage", "dev"]].concat(), &keys());
    let sent = ["/dev?a=1", "/dev", "/dev/", "/dev/a?b", "/dev/dev?c"];
    sent.iter().for_each(|target| assert_eq!(gate.send(&Sent::get(target)).status, 200, "{target}"));
    let targets: Vec<_> = upstream.arrived().into_iter().skip(1).map(|arrived| arrived.target).collect();
    assert_eq!(targets, ["/?a=1", "/", "/", "/a?b", "/dev?c"]);
}

fn vhosts(upstream: &Server, arguments: &[&str]) -> Gate {
    let url = upstream.url("");
    let own = ["--upstream", &url, "--service", "s3", "--region", "us-east-1", "--virtual-host", "s3.local"];
    Gate::start(&[&own, arguments].concat(), &(keys() + "[[key.allow]]\npath_prefixes = [\"/public\"]\n"))
}

/// Hosts that the gate takes for its own name, and the upstream for that of a bucket.
#[test]
fn hosts_with_two_readings() {
    let upstream = upstream();
    for arguments in [&[][..], &["--preserve-host"], &["--preserve-host", "--keep-signature"]] {
        let gate = vhosts(&upstream, &[&["--route", "GET /public=NONE"], arguments].concat());
        for host in [
            "secret.s3.local:80:90",
            "secret.s3.local:80x",
            "secret.s3.local..",
            "secret.s3.local:-1",
            "secret.s3.local,x",
            "secret.s3.local/",
            "secret.s3.local#",
            "secret.s3.local?",
            "secret.s3.local\\x",
            "x@secret.s3.local",
            "[secret.s3.local]",
            "secret.s3.local\u{e9}",
            "secret.s3%2elocal",
        ] {
            assert_ne!(unsigned(&gate, "GET", "/public/key", host).status, 200, "{host}");
            let pairs = [("host", host.as_bytes())];
            let request = Request::new("GET", "/public/key", &pairs).with_scheme("http");
            let signer = Sent::get("").with(|sent| sent.service = "s3").signer();
            // The signer refuses some of them itself.
            let Ok(signed) = signer.sign(request, Payload::EMPTY, Timestamp::now()) else { continue };
            let mut text = format!("GET /public/key HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
            for (name, value) in signed.headers().filter(|(name, _)| *name != "host") {
                text.push_str(&format!("{name}: {value}\r\n"));
            }
            assert_ne!(gate.raw((text + "\r\n").as_bytes()).status, 200, "{host}");
        }
        // One host is in the target, another in a header, or two in headers: no bucket but the one that was decided on.
        for request in [
            "GET http://secret.s3.local/key HTTP/1.1\r\nhost: public.s3.local\r\nconnection: close\r\n\r\n",
            "GET http://public.s3.local/key HTTP/1.1\r\nhost: secret.s3.local\r\nconnection: close\r\n\r\n",
            "GET /key HTTP/1.1\r\nhost: public.s3.local\r\nhost: secret.s3.local\r\nconnection: close\r\n\r\n",
            "GET /key HTTP/1.1\r\nhost: secret.s3.local\r\nhost: public.s3.local\r\nconnection: close\r\n\r\n",
        ] {
            gate.raw(request.as_bytes());
        }
        for arrived in upstream.arrived() {
            assert!(
                arrived.headers.iter().all(|(name, value)| name != "host" || !value.contains("secret")),
                "{arrived:?}"
            );
            assert!(!arrived.target.contains("secret"), "{arrived:?}");
        }
    }
}

/// The stage and what follows it are one path: no second reading begins at the end of the stage.
#[test]
fn stages_are_not_left() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--stage", "dev", "--route", "GET /dev/public=NONE"]);
    for target in [
        "/dev/../public",
        "/public",
        "/dev//public",
        "/dev%2fpublic",
        "/dev/public/../x",
        "/DEV/public",
        "/dev/dev/public",
    ] {
        assert_ne!(unsigned(&gate, "GET", target, "x").status, 200, "{target}");
    }
    assert!(upstream.arrived().is_empty());
    // `//host/path` isn't the URL of another host for the upstream.
    assert_eq!(gate.send(&Sent::get("/dev//evil.example/x")).status, 200);
    assert_eq!(only(&upstream).target, "/evil.example/x");
}
