//! `--service s3`.

use std::time::Duration;

use countersign::post_policy::Policy;
use countersign::{Request, Timestamp};

use crate::gate::{Gate, Got, ID, SECRET, Sent, keys, only, upstream};
use crate::support::{Server, folder, run, text, without_credentials};

fn gate(upstream: &Server) -> Gate {
    let url = upstream.url("");
    Gate::start(&["--upstream", &url, "--service", "s3", "--region", "us-east-1"], &keys())
}

fn put(target: &str, body: &[u8]) -> Sent {
    Sent::get(target).with(|sent| (sent.method, sent.service, sent.body) = ("PUT", "s3", body.to_vec()))
}

#[test]
fn hashed_bodies() {
    let upstream = upstream();
    let gate = gate(&upstream);
    let got = gate
        .send(&put("/bucket/a%20b+c", b"hello").with(|sent| sent.headers.push(("x-amz-meta-own".into(), "1".into()))));
    assert_eq!(got.status, 200, "{got:?}");
    let arrived = only(&upstream);
    assert_eq!((arrived.target.as_str(), arrived.body.as_slice()), ("/bucket/a%20b%2Bc", b"hello".as_slice()));
    assert_eq!((arrived.header("x-amz-meta-own"), arrived.header("x-amz-content-sha256")), (Some("1"), None));
    assert_eq!((arrived.header("content-length"), arrived.header("x-countersign-caller")), (Some("5"), Some(ID)));
    for (change, code) in [(None, "SignatureDoesNotMatch"), (Some(b'X'), "XAmzContentSHA256Mismatch")] {
        let sent = put("/bucket/b", b"hello").with(|sent| {
            if change.is_none() {
                sent.secret = "another"
            }
        });
        let mut bytes = sent.bytes(gate.address);
        if let Some(byte) = change {
            *bytes.last_mut().expect("a body") = byte;
        }
        let got = gate.raw(&bytes);
        assert!(got.status >= 400 && got.body.contains(&format!("<Code>{code}</Code>")), "{got:?}");
        assert_eq!(got.header("content-type"), Some("application/xml"));
        let id = got.header("x-amz-request-id").expect("an id");
        assert!(got.body.contains(&format!("<RequestId>{id}</RequestId>")));
    }
    // What arrived of a changed body is incomplete: the store gets its head at most.
    assert!(upstream.arrived().iter().all(|arrived| arrived.target != "/bucket/b" || arrived.body.len() < 5));
}

/// `countersign request`, through TLS with HTTP/2 and without.
#[test]
fn each_payload_mode_over_http_and_tls() {
    let upstream = upstream();
    let url = upstream.url("");
    let plain = gate(&upstream);
    let files = folder();
    let (cert, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    std::fs::write(&cert, own.cert.pem()).expect("a file");
    std::fs::write(&key, own.signing_key.serialize_pem()).expect("a file");
    let tls = ["--cert", text(&cert), "--key-file", text(&key)];
    let arguments = ["--upstream", &url, "--service", "s3", "--region", "us-east-1"];
    let tls = Gate::start(&[&arguments[..], &tls].concat(), &keys());
    let file = files.path().join("data");
    let data: Vec<u8> = (0..200_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    std::fs::write(&file, &data).expect("a file");
    for (base, gate) in [("http", &plain), ("https", &tls)] {
        for (mode, arguments) in [
            ("hashed", &["--payload", "hashed"][..]),
            ("unsigned", &["--payload", "unsigned"]),
            ("chunked", &["--payload", "chunked"]),
            ("trailer", &["--payload", "chunked", "--checksum", "crc32c"]),
            ("unsigned trailer", &["--payload", "unsigned", "--checksum", "sha256"]),
        ] {
            let before = upstream.arrived().len();
            let url = format!("{base}://{}/bucket/key", gate.address);
            let put = |secret: &str| {
                let user = format!("{ID}:{secret}");
                let own =
                    ["request", "--max-time", "20", "-i", "--cacert", text(&cert), "--user", &user, "--service", "s3"];
                let to = ["--region", "us-east-1", "-T", text(&file), &url];
                run(&mut without_credentials(&[&own, arguments, &to].concat()))
            };
            let done = put(SECRET);
            assert!(done.out.contains(" 200"), "{base} {mode}: {done:?} {:?}", gate.printed());
            let arrived = upstream.arrived();
            assert_eq!(arrived.len(), before + 1, "{base} {mode}");
            let arrived = arrived.last().expect("a request");
            assert!(arrived.body == data, "{base} {mode}: {} bytes", arrived.body.len());
            assert_eq!(arrived.header("content-length"), Some("200000"), "{base} {mode}");
            for name in ["content-encoding", "x-amz-decoded-content-length", "x-amz-trailer", "transfer-encoding"] {
                assert_eq!(arrived.header(name), None, "{base} {mode}");
            }
            let done = put("another");
            assert!(done.out.contains(" 403") && done.out.contains("SignatureDoesNotMatch"), "{base} {mode}: {done:?}");
            assert_eq!(upstream.arrived().len(), before + 1, "{base} {mode}");
        }
    }
}

#[test]
fn presigned_urls() {
    let upstream = upstream();
    let gate = gate(&upstream);
    let host = gate.address.to_string();
    let request =
        Request::new("GET", "/bucket/key?versionId=3&x-id=GetObject", &[]).with_host(&host).with_scheme("http");
    let signer = Sent::get("").with(|sent| sent.service = "s3").signer();
    let presigned = signer.presign(request, Duration::from_secs(60), Timestamp::now()).expect("a URL");
    let target = presigned.url().split_once(&host).expect("its host").1.to_owned();
    let get = |target: &str| {
        gate.raw(format!("GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").as_bytes())
    };
    assert_eq!(get(&target).status, 200);
    assert_eq!(only(&upstream).target, "/bucket/key?versionId=3&x-id=GetObject");
    for changed in [
        target.replace("versionId=3", "versionId=4"),
        target.replace("/key", "/other"),
        target.replace("Expires=60", "Expires=600"),
    ] {
        let got = get(&changed);
        assert_eq!(got.status, 403, "{got:?}");
    }
    assert_eq!(upstream.arrived().len(), 1);
}

#[test]
fn forms() {
    let upstream = upstream();
    let gate = gate(&upstream);
    let signer = Sent::get("").with(|sent| sent.service = "s3").signer();
    let now = Timestamp::now();
    let policy = Policy::new("bucket", now.saturating_add(60))
        .with_starts_with("key", "up/")
        .with_field("Content-Type", "text/plain")
        .with_field("success_action_status", "201")
        .with_content_length(1..=100);
    let signed = signer.sign_post_policy(&policy, now).expect("a form");
    let send = |key: &str, file: &str, change: &dyn Fn(&str, &str) -> String| -> Got {
        let mut body = String::new();
        let mut add = |name: &str, value: &str| {
            body.push_str(&format!("--BOUND\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
        };
        add("key", key);
        signed.fields().filter(|(name, _)| *name != "key").for_each(|(name, value)| add(name, &change(name, value)));
        body.push_str(&format!("--BOUND\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\n\r\n{file}\r\n--BOUND--\r\n"));
        let head = format!(
            "POST /bucket HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: multipart/form-data; boundary=BOUND\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        gate.raw((head + &body).as_bytes())
    };
    let same = |_: &str, value: &str| value.to_owned();
    let got = send("up/${filename}", "hello", &same);
    assert_eq!(got.status, 201, "{got:?}");
    assert!(got.body.contains("<Key>up/a.txt</Key>"), "{got:?}");
    let arrived = only(&upstream);
    assert_eq!(
        (arrived.method.as_str(), arrived.target.as_str(), arrived.body.as_slice()),
        ("PUT", "/bucket/up/a.txt", b"hello".as_slice())
    );
    assert_eq!(
        (arrived.header("content-type"), arrived.header("x-countersign-caller")),
        (Some("text/plain"), Some(ID))
    );

    let resigned = |name: &str, value: &str| match name.to_lowercase().as_str() {
        "x-amz-signature" => "0".repeat(64),
        _ => value.to_owned(),
    };
    let typed = |name: &str, value: &str| {
        if name.eq_ignore_ascii_case("content-type") { "text/html".into() } else { value.to_owned() }
    };
    for (name, got, code) in [
        ("signature", send("up/a", "hello", &resigned), "SignatureDoesNotMatch"),
        ("field", send("up/a", "hello", &typed), "AccessDenied"),
        ("key", send("down/a", "hello", &same), "AccessDenied"),
        ("dots", send("up/../down/a", "hello", &same), "AccessDenied"),
        ("too long", send("up/a", &"x".repeat(101), &same), "EntityTooLarge"),
        ("too short", send("up/a", "", &same), "EntityTooSmall"),
    ] {
        assert!(got.status >= 400 && got.body.contains(&format!("<Code>{code}</Code>")), "{name}: {got:?}");
    }
    assert_eq!(upstream.arrived().len(), 1);
}
