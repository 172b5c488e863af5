//! Headers that pretend to be those of the gate, or that change what was verified.

use countersign::{Payload, Request, Timestamp};

use crate::gate::{Gate, ID, Sent, keys, only, upstream};
use crate::http2::{DATA, END_HEADERS, END_STREAM, End, HEADERS, Http2, block};
use crate::support::{Arrived, Server};
use crate::wire::Wire;

fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
}

/// What a server in the manner of CGI finds under this name.
fn values<'a>(arrived: &'a Arrived, name: &str) -> Vec<&'a str> {
    arrived.headers.iter().filter(|(own, _)| plain(own) == name).map(|(_, value)| value.as_str()).collect()
}

/// PHP reads a dot as an underscore; CGI programs did so with every sign.
#[test]
fn the_caller_in_all_spellings() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--route", "GET /public=NONE"]);
    let forged = |sent: &mut Sent| {
        for name in [
            "x-countersign-caller",
            "X_Countersign_Caller",
            "x.countersign.caller",
            "X.Countersign-Caller",
            "x~countersign~caller",
            "x!countersign!caller",
            "x+countersign_caller",
            "x|countersign|caller",
        ] {
            sent.unsigned.push((name, "admin".into()));
            // Twice, and named by `Connection`.
            sent.unsigned.push((name, "root".into()));
        }
        sent.unsigned.push(("connection", "x-countersign-caller, x.countersign.caller".into()));
    };
    assert_eq!(gate.send(&Sent::get("/a").with(forged)).status, 200);
    assert_eq!(gate.send(&Sent::get("/public").with(forged).with(|sent| sent.is_signed = false)).status, 200);
    let arrived = upstream.arrived();
    assert_eq!(values(&arrived[0], "x-countersign-caller"), [ID]);
    assert!(values(&arrived[1], "x-countersign-caller").is_empty(), "{:?}", arrived[1]);
}

/// The signer may send what it likes, but not who it is and where it comes from.
#[test]
fn signed_headers_about_the_connection() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &[]);
    let got = gate.send(&Sent::get("/a").with(|sent| {
        for name in
            ["x-forwarded-for", "x_forwarded_for", "x.forwarded.host", "x_forwarded-proto", "x_countersign_caller"]
        {
            sent.headers.push((name.into(), "10.9.8.7".into()));
        }
    }));
    assert_eq!(got.status, 200, "{got:?}");
    let arrived = only(&upstream);
    assert_eq!(values(&arrived, "x-forwarded-for"), ["127.0.0.1"]);
    assert_eq!(values(&arrived, "x-forwarded-proto"), ["http"]);
    assert_eq!(values(&arrived, "x-forwarded-host"), [gate.address.to_string()]);
    assert_eq!(values(&arrived, "x-countersign-caller"), [ID]);
}

/// A key that may only GET below a prefix must not name another method or path in a header that it signs.
#[test]
fn signed_overrides_do_not_leave_the_allow_list() {
    let upstream = upstream();
    let url = upstream.url("");
    let arguments = ["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"];
    let limited = keys() + "[[key.allow]]\nmethods = [\"GET\"]\npath_prefixes = [\"/dev/reports\"]\n";
    let gate = Gate::start(&arguments, &limited);
    let status = |gate: &Gate, name: &str| {
        let header = (name.to_owned(), "/dev/admin".to_owned());
        gate.send(&Sent::get("/dev/reports/a").with(|sent| sent.headers.push(header))).status
    };
    for name in ["x-http-method-override", "x-http-method", "x_http_method_override", "x-original-url", "x.rewrite.url"]
    {
        assert_eq!(status(&gate, name), 403, "{name}");
    }
    assert!(upstream.arrived().is_empty());
    assert_eq!(status(&gate, "x-own"), 200);
    // A key without a list may do everything.
    assert_eq!(status(&Gate::start(&arguments, &keys()), "x-http-method-override"), 200);
}

/// Trailers become headers at some servers.
#[test]
fn trailers_are_not_forwarded() {
    let upstream = Wire::ok();
    let url = upstream.url();
    let gate = Gate::start(
        &["--upstream", &url, "--service", "execute-api", "--region", "us-east-1", "--route", "ANY /public=NONE"],
        &keys(),
    );
    let trailers =
        "X-Countersign-Caller: admin\r\ncontent-length: 100\r\ntransfer-encoding: identity\r\nhost: evil\r\n";
    let got = gate.raw(
        format!("POST /public HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntrailer: x-countersign-caller\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n{trailers}\r\n").as_bytes(),
    );
    assert!(matches!(got.status, 200 | 400), "{got:?}");
    let mut http2 = Http2::open(gate.address);
    http2.headers(1, &[(":method", "POST"), (":scheme", "http"), (":path", "/public"), (":authority", "x")], false);
    http2.frame(DATA, 0, 1, b"ab");
    let trailers = block(&[("x-countersign-caller", "admin"), ("x-own", "1")]);
    http2.frame(HEADERS, END_HEADERS | END_STREAM, 1, &trailers);
    assert_eq!(http2.end_of(1), End::Ok);
    for request in upstream.requests() {
        assert_eq!(
            (request.count("x-countersign-caller"), request.count("x-own"), request.count("trailer")),
            (0, 0, 0)
        );
        assert_eq!(request.body, b"ab");
    }
}

fn s3(upstream: &Server, keys: &str) -> Gate {
    let url = upstream.url("");
    Gate::start(&["--upstream", &url, "--service", "s3", "--region", "us-east-1"], keys)
}

/// Who has a URL to write one object must not turn it into a copy of another.
#[test]
fn headers_that_are_not_signed_with_a_url() {
    let upstream = upstream();
    let gate = s3(&upstream, &keys());
    let host = gate.address.to_string();
    let request = Request::new("PUT", "/bucket/mine", &[]).with_host(&host).with_scheme("http");
    let signer = Sent::get("").with(|sent| sent.service = "s3").signer();
    let url = signer.presign(request, std::time::Duration::from_secs(60), Timestamp::now()).expect("a URL");
    let target = url.url().split_once(&host).expect("its host").1.to_owned();
    let put = |header: &str| {
        let head = format!("PUT {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: 0\r\n");
        gate.raw(format!("{head}{header}: /bucket/secret\r\n\r\n").as_bytes()).status
    };
    for name in ["x-amz-copy-source", "X-Amz-Copy-Source", "x-amz-acl", "x-amz-tagging"] {
        assert_eq!(put(name), 403, "{name}");
    }
    assert!(upstream.arrived().is_empty());
    // They aren't those headers to the verifier, but to some servers.
    for name in ["x_amz_copy_source", "X.Amz.Copy.Source", "x_amz-acl"] {
        assert_eq!(put(name), 200, "{name}");
    }
    for arrived in upstream.arrived() {
        assert!(arrived.headers.iter().all(|(name, _)| !plain(name).starts_with("x-amz-")), "{arrived:?}");
    }
}

/// The same with a key that may read one folder, and signs the header.
#[test]
fn disguised_sources_of_copies() {
    let upstream = upstream();
    let gate = s3(&upstream, &(keys() + "[[key.allow]]\npath_prefixes = [\"/bucket/mine\"]\n"));
    let host = gate.address.to_string();
    for (name, status) in [("x-amz-copy-source", 403), ("x_amz_copy_source", 200), ("x-amz.copy-source", 403)] {
        let pairs = [("host", host.as_bytes()), (name, b"/bucket/secret")];
        let signer = Sent::get("").with(|sent| sent.service = "s3").signer().also_sign([name]);
        let request = Request::new("PUT", "/bucket/mine/a", &pairs).with_scheme("http");
        let signed = signer.sign(request, Payload::EMPTY, Timestamp::now()).expect("a signature");
        let mut text =
            format!("PUT /bucket/mine/a HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{name}: /bucket/secret\r\n");
        signed.headers().filter(|(own, _)| *own != "host" && *own != name).for_each(|(own, value)| {
            text.push_str(&format!("{own}: {value}\r\n"));
        });
        let got = gate.raw((text + "\r\n").as_bytes());
        assert!(got.status == status || status == 403 && got.status == 200, "{name}: {got:?}");
    }
    for arrived in upstream.arrived() {
        assert!(arrived.headers.iter().all(|(name, _)| !plain(name).contains("copy-source")), "{arrived:?}");
    }
}
