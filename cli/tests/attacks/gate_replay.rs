//! The same signature, in other words.

use std::time::Duration;

use countersign::{Request, Timestamp};

use crate::gate::{Gate, Sent, keys, upstream};

#[test]
fn the_same_signature_written_differently() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--replay", "memory"]);
    let text = String::from_utf8(Sent::get("/a?b=1&c=2").bytes(gate.address)).expect("text");
    assert_eq!(gate.raw(text.as_bytes()).status, 200);
    let line = text.lines().find(|line| line.to_lowercase().starts_with("authorization: ")).expect("a signature");
    let signature = line.rsplit_once("Signature=").expect("a signature").1;
    let credential = line.split_once("Credential=").expect("a credential").1.split_once(',').expect("its end").0;
    let signed = line.split_once("SignedHeaders=").expect("a list").1.split_once(',').expect("its end").0;
    let written = |value: String| text.replace(line, &format!("Authorization: {value}"));
    for (name, changed) in [
        ("the same", text.clone()),
        ("the order of parameters", text.replace("b=1&c=2", "c=2&b=1")),
        ("their encoding", text.replace("b=1", "%62=%31")),
        ("an empty parameter", text.replace("b=1&c=2", "b=1&&c=2")),
        ("another header", text.replacen("\r\n", "\r\nx-own: 1\r\n", 1)),
        ("names in capitals", text.replace("authorization:", "AUTHORIZATION:").replace("x-amz-date", "X-AMZ-DATE")),
        ("a slash more", text.replace("GET /a", "GET //a")),
        ("an absolute target", text.replace("GET /a", &format!("GET http://{}/a", gate.address))),
        (
            "another order",
            written(format!("AWS4-HMAC-SHA256 Signature={signature},SignedHeaders={signed},Credential={credential}")),
        ),
        (
            "no spaces",
            written(format!("AWS4-HMAC-SHA256 Credential={credential},SignedHeaders={signed},Signature={signature}")),
        ),
        (
            "more spaces",
            written(format!(
                "AWS4-HMAC-SHA256   Credential={credential} ,  SignedHeaders={signed} ,  Signature={signature}  "
            )),
        ),
        (
            "in capitals",
            written(format!(
                "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={}",
                signature.to_uppercase()
            )),
        ),
        (
            "two",
            written(format!(
                "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}, Signature={}",
                "0".repeat(64)
            )),
        ),
        (
            "two, the other first",
            written(format!(
                "AWS4-HMAC-SHA256 Signature={}, Credential={credential}, SignedHeaders={signed}, Signature={signature}",
                "0".repeat(64)
            )),
        ),
        (
            "an unknown part",
            written(format!(
                "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, X=Signature={}, Signature={signature}",
                "0".repeat(64)
            )),
        ),
        (
            "an empty part",
            written(format!(
                "AWS4-HMAC-SHA256 Credential={credential}, , SignedHeaders={signed}, Signature={signature}"
            )),
        ),
        (
            "a quote",
            written(format!(
                "AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature=\"{signature}\""
            )),
        ),
        (
            "a tab",
            written(format!(
                "AWS4-HMAC-SHA256\tCredential={credential},\tSignedHeaders={signed},\tSignature={signature}"
            )),
        ),
    ] {
        assert_ne!(gate.raw(changed.as_bytes()).status, 200, "{name}");
    }
    // Another connection and another version of HTTP are not another request.
    assert_ne!(gate.raw(text.replace("HTTP/1.1", "HTTP/1.0").as_bytes()).status, 200);
    assert_eq!(upstream.arrived().len(), 1);
}

#[test]
fn a_presigned_url_written_differently() {
    let upstream = upstream();
    let url = upstream.url("");
    let gate =
        Gate::start(&["--upstream", &url, "--service", "s3", "--region", "us-east-1", "--replay", "memory"], &keys());
    let host = gate.address.to_string();
    let request = Request::new("GET", "/bucket/key", &[]).with_host(&host).with_scheme("http");
    let signer = Sent::get("").with(|sent| sent.service = "s3").signer();
    let presigned = signer.presign(request, Duration::from_secs(60), Timestamp::now()).expect("a URL");
    let target = presigned.url().split_once(&host).expect("its host").1.to_owned();
    let get = |target: &str| {
        gate.raw(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes())
    };
    assert_eq!(get(&target).status, 200);
    let (rest, signature) = target.split_once("&X-Amz-Signature=").expect("a signature");
    let (path, rest) = rest.split_once('?').expect("a query");
    let zeros = "0".repeat(64);
    for changed in [
        target.clone(),
        format!("{path}?X-Amz-Signature={signature}&{rest}"),
        format!("{path}?{rest}&X-Amz%2DSignature={signature}"),
        format!("{path}?{rest}&X-Amz-Signature=%{:02x}{}", signature.as_bytes()[0], &signature[1..]),
        format!("{path}?{rest}&x-amz-signature={signature}"),
        format!("{path}?{rest}&X-Amz-Signature={}", signature.to_uppercase()),
        format!("{path}?X-Amz-Signature={zeros}&{rest}&X-Amz-Signature={signature}"),
        format!("{path}?{rest}&X-Amz-Signature={signature}&X-Amz-Signature={zeros}"),
        format!("{path}?{rest}&X-Amz-Signature={signature}&"),
        format!("{path}?{rest}&X-Amz-Signature={signature}+"),
        format!("{path}?{rest}&X-Amz-Signature={signature}#x"),
        format!("/bucke%74/key?{rest}&X-Amz-Signature={signature}"),
    ] {
        assert_ne!(get(&changed).status, 200, "{changed}");
    }
    assert_eq!(upstream.arrived().len(), 1);
}
