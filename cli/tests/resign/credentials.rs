//! Where the real credentials come from.

use std::path::Path;

use crate::client::{Mode, Sent};
use crate::proxy::{ID, Proxy, SECRET, keys};
use crate::upstream::{REAL_ID, REAL_SECRET, Upstream};

fn key(resign: &str) -> String {
    format!("[[key]]\naccess_key_id = \"{ID}\"\nsecret_access_key = \"{SECRET}\"\n[key.resign]\n{resign}\n")
}

#[test]
fn profile_and_environment() {
    let upstream = Upstream::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("credentials");
    let profile = format!("[real]\naws_access_key_id = {REAL_ID}1\naws_secret_access_key = {REAL_SECRET}\n");
    std::fs::write(&file, profile).expect("a file");
    let file = file.to_str().expect("text");
    let environment = format!("{REAL_ID}2");
    let variables = [
        ("AWS_SHARED_CREDENTIALS_FILE", file),
        ("AWS_ACCESS_KEY_ID", environment.as_str()),
        ("AWS_SECRET_ACCESS_KEY", REAL_SECRET),
    ];
    for (resign, end) in [("profile = \"real\"", "1"), ("environment = true", "2")] {
        let proxy = Proxy::with(&upstream, &key(resign), &[], &variables);
        assert_eq!(Sent::get("/bucket/key").send(&proxy).status, 200, "{:?}", proxy.printed());
        let seen = upstream.seen().pop().expect("a request");
        assert_eq!(seen.id, format!("{REAL_ID}{end}"));
        // The token of the placeholder is not sent to the upstream, which would refuse it.
        assert_eq!(seen.header("x-amz-security-token"), None);
        let line = proxy.wait_for("\"decision\":\"signed\"");
        for part in [format!("\"caller\":\"{ID}\""), format!("\"upstream\":\"{}\"", upstream.address)] {
            assert!(line.contains(&part), "{line}");
        }
        let metrics = proxy.managed("/metrics");
        assert!(metrics.contains("countersign_credentials_valid 1"), "{metrics:?}");
        assert!(!metrics.contains(REAL_ID) && proxy.managed("/readyz").status == 200, "{metrics:?}");
    }
}

#[test]
fn without_credentials_the_answer_is_503() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &key("profile = \"missing\""));
    for mode in [Mode::Hashed, Mode::Chunked(None)] {
        let got = Sent::put("/bucket/key", b"hello", mode).send(&proxy);
        assert_eq!(got.status, 503, "{got:?}");
        assert!(got.body.contains("no credentials"), "{got:?}");
    }
    proxy.wait_for("\"check\":\"credentials\"");
    assert!(upstream.seen().is_empty());
}

#[test]
fn the_token_of_a_placeholder_is_not_forwarded() {
    let upstream = Upstream::new();
    let keys = format!(
        "[[key]]\naccess_key_id = \"{ID}\"\nsecret_access_key = \"{SECRET}\"\nsession_token = \"placeholderTOKEN\"\n\
         [key.resign]\naccess_key_id = \"{REAL_ID}\"\nsecret_access_key = \"{REAL_SECRET}\"\n"
    );
    let proxy = Proxy::new(&upstream, &keys);
    assert_eq!(Sent::get("/bucket/key").send(&proxy).status, 400);
    let credentials = countersign::Credentials::new(ID, SECRET).expect("credentials");
    let credentials = credentials.with_session_token("placeholderTOKEN").expect("a token");
    let signer = countersign::Signer::new(credentials, "us-east-1", "s3").expect("a signer");
    let host = proxy.address.to_string();
    let request = countersign::Request::new("GET", "/bucket/key", &[]).with_host(&host).with_scheme("http");
    let signed = signer.sign(request, countersign::Payload::EMPTY, countersign::Timestamp::now()).expect("a signature");
    let lines: String = signed.headers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("GET /bucket/key HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n");
    assert_eq!(crate::client::exchange(proxy.address, head.as_bytes()).status, 200, "{:?}", proxy.printed());
    assert_eq!(upstream.only().header("x-amz-security-token"), None);
}

/// Several keys, and a change of the file while a profile can't be read.
#[test]
fn credentials_are_read_again_with_the_keys() {
    let upstream = Upstream::new();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("credentials");
    let write = |file: &Path, end: &str| {
        let text = format!("[real]\naws_access_key_id = {REAL_ID}{end}\naws_secret_access_key = {REAL_SECRET}\n");
        std::fs::write(file, text).expect("a file");
    };
    write(&file, "1");
    let variables = [("AWS_SHARED_CREDENTIALS_FILE", file.to_str().expect("text"))];
    let proxy = Proxy::with(&upstream, &key("profile = \"real\""), &[], &variables);
    let id = || {
        assert_eq!(Sent::get("/bucket/key").send(&proxy).status, 200, "{:?}", proxy.printed());
        upstream.seen().pop().expect("a request").id
    };
    assert_eq!(id(), format!("{REAL_ID}1"));
    write(&file, "2");
    assert_eq!(id(), format!("{REAL_ID}1"));
    proxy.replace_keys(&(key("profile = \"real\"") + "# changed\n"));
    assert_eq!(id(), format!("{REAL_ID}2"));
    // What was there is used as long as it is valid.
    std::fs::remove_file(&file).expect("it is there");
    proxy.replace_keys(&(key("profile = \"real\"") + "# changed again\n"));
    assert_eq!(id(), format!("{REAL_ID}2"));
}

#[test]
fn another_region() {
    let upstream = Upstream::new();
    let arguments =
        ["--upstream", &upstream.url(), "--service", "s3", "--region", "eu-west-1", "--client-region", "us-east-1"];
    let proxy = Proxy::start(&arguments, &keys(""), &[]);
    assert_eq!(Sent::get("/bucket/key").send(&proxy).status, 200, "{:?}", proxy.printed());
    assert_eq!(upstream.only().region, "eu-west-1");
    assert_eq!(Sent::get("/bucket/key").with(|sent| sent.region = "eu-west-1").send(&proxy).status, 400);
}
