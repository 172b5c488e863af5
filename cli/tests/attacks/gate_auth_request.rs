//! `--auth-request`: the request that is described, and the one that is forwarded by somebody else.

use crate::gate::{Gate, Sent, keys};

const OWN: &[&str] =
    &["--auth-request", "--service", "execute-api", "--region", "us-east-1", "--route", "ANY /public=NONE"];

fn gate(arguments: &[&str]) -> Gate {
    Gate::start(&[OWN, arguments].concat(), &keys())
}

fn ask(gate: &Gate, method: &str, target: &str, more: &str) -> u16 {
    let head = format!("GET /auth HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx-original-method: {method}\r\n");
    gate.raw(format!("{head}x-original-uri: {target}\r\n{more}\r\n").as_bytes()).status
}

/// Whoever forwards the request sends all of the target.
#[test]
fn targets_that_end_early() {
    let gate = gate(&[]);
    assert_eq!((ask(&gate, "GET", "/public/a", ""), ask(&gate, "GET", "/public?a#b", "")), (204, 403));
    for target in [
        "/public#/../dev/a",
        "/public%23/../dev/a",
        "/public/..%2fdev",
        "/public/../dev",
        "//x/public",
        "http://x/public",
        "/public\\..\\dev",
        "/public /dev",
        "*",
        "",
        "public",
    ] {
        assert_ne!(ask(&gate, "GET", target, ""), 204, "{target}");
    }
    // A description that the client adds to that of nginx, and other names for it.
    let more = "x-original-uri: /public\r\nx-original-method: GET\r\n";
    assert_ne!(ask(&gate, "GET", "/dev/a", more), 204);
    for more in ["x_original_uri: /public\r\n", "x-original-url: /public\r\n", "x-rewrite-url: /public\r\n"] {
        assert_ne!(ask(&gate, "GET", "/dev/a", more), 204, "{more}");
    }
    for method in ["get", "GET POST", "G\u{e9}T", ""] {
        assert_ne!(ask(&gate, method, "/dev/a", ""), 204, "{method}");
    }
}

/// A signature of an empty body must not let a body in, as far as the gate hears of it.
#[test]
fn bodies_that_are_announced() {
    let (strict, open) = (gate(&[]), gate(&["--allow-unchecked-bodies"]));
    let status = |gate: &Gate, more: &[(&'static str, &str)]| {
        let bytes = String::from_utf8(Sent::get("/dev/a").bytes(gate.address)).expect("text");
        let (_, headers) = bytes.split_once("\r\n").expect("headers");
        let more: String = more.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("GET /auth HTTP/1.1\r\nx-original-method: GET\r\nx-original-uri: /dev/a\r\n{more}{headers}");
        let body = if head.contains("\ncontent-length: 5") { "hello" } else { "" };
        gate.raw((head + body).as_bytes()).status
    };
    for none in [
        &[][..],
        &[("x-original-content-length", "0")],
        &[("x-original-content-length", "")],
        &[("content-length", "0")],
    ] {
        assert_eq!(status(&strict, none), 204, "{none:?}");
    }
    for some in [
        &[("x-original-content-length", "5")][..],
        &[("x-original-content-length", "x")],
        &[("x-original-content-length", "0"), ("x-original-content-length", "5")],
        &[("x-original-transfer-encoding", "chunked")],
        &[("content-length", "5")],
    ] {
        assert_eq!((status(&strict, some), status(&open, some)), (403, 204), "{some:?}");
    }
}

/// nginx may forward the path as it arrived, while repeated slashes have the same signature.
#[test]
fn paths_outside_of_the_allow_list() {
    let gate = Gate::start(OWN, &(keys() + "[[key.allow]]\npath_prefixes = [\"/dev/reports\"]\n"));
    let status = |target: &str| {
        let bytes = String::from_utf8(Sent::get(target).bytes(gate.address)).expect("text");
        let (_, headers) = bytes.split_once("\r\n").expect("headers");
        let head = format!("GET /auth HTTP/1.1\r\nx-original-method: GET\r\nx-original-uri: {target}\r\n");
        gate.raw((head + headers).as_bytes()).status
    };
    assert_eq!(status("/dev/reports/a"), 204);
    for target in ["//dev/reports/a", "/dev//reports/a", "/dev/reports//a", "/dev/admin", "/dev/reports/..%2fadmin"] {
        assert_eq!(status(target), 403, "{target}");
    }
}
