//! `--auth-request`.

use crate::gate::{Gate, ID, Sent, keys};

fn gate(arguments: &[&str]) -> Gate {
    let own = ["--auth-request", "--service", "execute-api", "--region", "us-east-1", "--route", "GET /public=NONE"];
    Gate::start(&[&own, arguments].concat(), &keys())
}

/// The subrequest of nginx for a request.
fn subrequest(gate: &Gate, sent: &Sent) -> Vec<u8> {
    let bytes = String::from_utf8(sent.bytes(gate.address)).expect("text");
    let (head, _) = bytes.split_once("\r\n\r\n").expect("a head");
    let (first, rest) = head.split_once("\r\n").expect("headers");
    let mut words = first.split(' ');
    let (method, target) = (words.next().expect("a method"), words.next().expect("a target"));
    let rest: Vec<_> = rest.split("\r\n").filter(|line| !line.starts_with("content-length")).collect();
    format!(
        "GET /auth HTTP/1.0\r\nX-Original-Method: {method}\r\nX-Original-URI: {target}\r\n{}\r\n\r\n",
        rest.join("\r\n")
    )
    .into_bytes()
}

#[test]
fn three_statuses() {
    let gate = gate(&[]);
    let status = |sent: Sent| gate.raw(&subrequest(&gate, &sent));
    let got = status(Sent::get("/dev/a?b=1"));
    assert_eq!((got.status, got.header("x-countersign-caller"), got.body.as_str()), (204, Some(ID), ""), "{got:?}");
    let got = status(Sent::get("/dev/a").with(|sent| sent.is_signed = false));
    assert_eq!((got.status, got.header("www-authenticate")), (401, Some("AWS4-HMAC-SHA256")), "{got:?}");
    assert_eq!(status(Sent::get("/dev/a").with(|sent| sent.secret = "another")).status, 403);
    assert_eq!(status(Sent::get("/dev/a").with(|sent| sent.at = -1000)).status, 403);
    let got = status(Sent::get("/public/a").with(|sent| sent.is_signed = false));
    assert_eq!((got.status, got.header("x-countersign-caller")), (204, None), "{got:?}");
    assert_eq!(status(Sent::get("/public/a").with(|sent| (sent.method, sent.is_signed) = ("POST", false))).status, 401);
    // Another path or method than the signed one.
    let changed = |from: &str, to: &str| {
        let bytes = String::from_utf8(subrequest(&gate, &Sent::get("/dev/a"))).expect("text");
        gate.raw(bytes.replace(from, to).as_bytes()).status
    };
    assert_eq!((changed("URI: /dev/a", "URI: /dev/b"), changed("Method: GET", "Method: PUT")), (403, 403));
    assert_eq!((changed("X-Original-URI", "X-Other"), changed("X-Original-Method", "X-Other")), (403, 403));
    assert_eq!(changed("X-Original-URI: /dev/a", "X-Original-URI: /public\r\nX-Original-URI: /dev/a"), 403);
}

#[test]
fn bodies_are_refused_unless_they_may_be_unchecked() {
    let post = || {
        Sent::get("/dev/a").with(|sent| {
            (sent.method, sent.body) = ("POST", b"hello".to_vec());
            let hash = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
            sent.headers.push(("x-amz-content-sha256".into(), hash.into()));
        })
    };
    let (strict, open) = (gate(&[]), gate(&["--allow-unchecked-bodies"]));
    assert_eq!(strict.raw(&subrequest(&strict, &post())).status, 403);
    strict.wait_for("\"check\":\"22\"");
    let got = open.raw(&subrequest(&open, &post()));
    assert_eq!(got.status, 204, "{got:?} {:?}", open.printed());
    assert_eq!(open.raw(&subrequest(&open, &post().with(|sent| sent.secret = "another"))).status, 403);
}
