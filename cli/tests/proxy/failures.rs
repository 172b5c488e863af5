//! The upstream is down, slow or cuts its answer; and the proxy has nothing to sign with.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::gate::Gate;
use crate::proxy::{COMMON, get, proxy, send, start, verifying};
use crate::support::{countersign, folder, run, text, without_credentials};

/// Answers each connection with these bytes, after a while.
fn raw_upstream(bytes: &'static [u8], wait: Duration) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let _ = stream.read(&mut [0; 4096]);
            std::thread::sleep(wait);
            let _ = stream.write_all(bytes);
        }
    });
    url
}

#[test]
fn upstreams_that_fail() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    let down = start(&["--upstream", &format!("http://{free}")]);
    assert_eq!(get(&down, "/a", &[]).status, 502);
    assert!(down.wait_for("upstream_failed").contains("\"check\":\"upstream\""));

    let begun = Instant::now();
    let slow = start(&["--upstream", &raw_upstream(b"", Duration::from_secs(30)), "--upstream-timeout", "1"]);
    assert_eq!(get(&slow, "/a", &[]).status, 504);
    assert!(begun.elapsed() < Duration::from_secs(20));

    for bytes in
        [&b""[..], b"HTTP/1.1 200 OK\r\ncontent-le", b"nonsense\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"]
    {
        let cuts = start(&["--upstream", &raw_upstream(bytes, Duration::ZERO)]);
        assert_eq!(get(&cuts, "/a", &[]).status, 502, "{bytes:?}");
    }
    let cuts =
        start(&["--upstream", &raw_upstream(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", Duration::ZERO)]);
    let got = get(&cuts, "/a", &[]);
    // The client sees that it is not all.
    assert_eq!((got.status, got.header("content-length"), got.body.as_str()), (200, Some("10"), "half"));
    cuts.wait_for("the response broke off");
}

#[test]
fn a_tls_handshake_that_is_not_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = start(&[
        "--upstream",
        &format!("https://{}", listener.local_addr().expect("an address")),
        "--connect-timeout",
        "1",
    ]);
    // It accepts, and never says anything.
    assert_eq!(get(&proxy, "/a", &[]).status, 504);
}

#[test]
fn without_credentials_there_is_no_403() {
    let upstream = verifying();
    let url = upstream.url("");
    let folder_of_config = folder();
    let config = folder_of_config.path().join("config");
    std::fs::write(
        &config,
        "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = base\n\
                             aws_secret_access_key = FILESECRET\n[profile base]\nregion = us-east-1\n",
    )
    .expect("a file");
    let scope = ["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"];
    for profile in [&[][..], &["--profile", "dev"], &["--profile", "missing"]] {
        let mut command = without_credentials(&[&COMMON[..], &scope, profile].concat());
        command.env("AWS_CONFIG_FILE", text(&config));
        let proxy = Gate::launch(command, folder());
        proxy.wait_for("no credentials yet");
        let got = get(&proxy, "/a", &[]);
        assert_eq!(got.status, 503, "{got:?}");
        assert!(got.body.contains("no credentials") && got.body.contains("countersign credentials"), "{got:?}");
        assert!(proxy.wait_for("\"check\":\"credentials\"").contains("no credentials to sign with"));
        assert_eq!((proxy.managed("/healthz").status, proxy.managed("/readyz").status), (200, 503));
        assert_eq!(proxy.metric("countersign_credentials_valid"), 0);
        assert!(!proxy.printed().concat().contains("FILESECRET"));
    }
    assert!(upstream.arrived().is_empty());
}

/// That the proxy would sign a shorter or a joined message is not possible.
#[test]
fn malformed_requests_are_not_forwarded() {
    let upstream = verifying();
    let proxy = proxy(&upstream, &[]);
    let address = proxy.address;
    let smuggled = format!(
        "POST /a HTTP/1.1\r\nhost: {address}\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n\
         0\r\n\r\nGET /b HTTP/1.1\r\nhost: {address}\r\n\r\n"
    );
    let _ = proxy.raw(smuggled.as_bytes());
    let lengths = send(&proxy, "POST", "/a", &[("content-length", "3"), ("content-length", "4")], b"");
    assert_eq!(lengths.status, 400);
    let short = proxy.raw(format!("POST /c HTTP/1.1\r\nhost: {address}\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n5\r\nab\r\n0\r\n\r\n").as_bytes());
    assert_eq!(short.status, 400, "{short:?}");
    let arrived = upstream.arrived();
    assert!(arrived.iter().all(|arrived| arrived.target == "/a" && arrived.body.is_empty()), "{arrived:?}");
}

#[test]
fn another_address_than_loopback_is_warned_about() {
    let upstream = verifying();
    let url = upstream.url("");
    let proxy = Gate::launch(
        countersign(&["proxy", "--listen", "0.0.0.0:0", "--management", "127.0.0.1:0", "--upstream", &url]),
        folder(),
    );
    proxy.wait_for("reachable from other machines");
    let done = run(&mut countersign(&["proxy", "--upstream", "ftp://a"]));
    assert!(done.code == 2 && done.err.contains("upstream"), "{done:?}");
    for flags in [["--allow-origin", "evil"], ["--strip-header", "*"]] {
        assert_eq!(run(&mut countersign(&[&["proxy", "--upstream", &url], &flags[..]].concat())).code, 2, "{flags:?}");
    }
}
