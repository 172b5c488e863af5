//! The real key reaches no client: operations that give credentials, and answers that quote the signature.

use crate::client::{Mode, Sent};
use crate::proxy::{Proxy, keys};
use crate::upstream::{REAL_ID, REAL_TOKEN, Upstream, text};

#[test]
fn operations_that_give_credentials() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let form = |body: &str| Sent::post("sts", body).header("content-type", "application/x-www-form-urlencoded");
    for (name, sent) in [
        ("CreateSession", Sent::get("/bucket?session")),
        ("CreateSession, encoded", Sent::get("/bucket?%73ession=")),
        ("data access", Sent::get("/v20180820/accessgrantsinstance/dataaccess?target=x")),
        ("AssumeRole", form("Action=AssumeRole&Version=2011-06-15")),
        ("two actions", form("Action=GetCallerIdentity&Action=AssumeRole")),
        ("in the query", form("").with(|sent| sent.target = "/?Action=GetSessionToken".into())),
        ("target", Sent::post("sqs", "{}").header("x-amz-target", "X_V1.GetAuthorizationToken")),
    ] {
        let got = sent.send(&proxy);
        assert_eq!(got.status, 403, "{name}: {got:?}");
    }
    proxy.wait_for("credentials_in_answer");
    assert!(upstream.seen().is_empty(), "{:?}", upstream.seen());
    assert_eq!(form("Action=GetCallerIdentity&Version=2011-06-15").send(&proxy).status, 200);
    assert!(upstream.only().has(b"Action=GetCallerIdentity&Version=2011-06-15"));
    let open = Proxy::with(&upstream, &keys(""), &["--allow-credentials-in-answers"], &[]);
    assert_eq!(form("Action=AssumeRole&Version=2011-06-15").send(&open).status, 200);
    assert_eq!(Sent::get("/bucket?session").send(&open).status, 200);
}

/// Every way in which services say that the signature is wrong, with what they quote.
#[test]
fn refusals_of_the_upstream_are_not_passed_on() {
    let upstream = Upstream::knowing(REAL_ID, |head| {
        let header =
            |name: &str| head.headers.get(name).map(|value| value.to_str().unwrap_or_default()).unwrap_or_default();
        let authorization = header("authorization");
        let signature = authorization.rsplit('=').next().unwrap_or_default();
        let quoted = |code: &str| {
            format!(
                "<Error><Code>{code}</Code><AWSAccessKeyId>{REAL_ID}</AWSAccessKeyId><SignatureProvided>{signature}\
                 </SignatureProvided><Token-0>{}</Token-0></Error>",
                header("x-amz-security-token")
            )
        };
        match head.uri.path() {
            "/b/s3" => Some(text(403, quoted("SignatureDoesNotMatch"))),
            "/b/expired" => Some(text(400, quoted("ExpiredToken"))),
            "/b/json" => Some(text(
                400,
                "{\"__type\":\"com.amazon.coral.service#UnrecognizedClientException\",\"message\":\"x\"}",
            )),
            "/b/header" => {
                let mut answer = text(403, "{\"message\":\"x\"}");
                let value = "InvalidSignatureException:http://internal.amazon.com/coral/".parse().expect("a value");
                answer.headers_mut().insert("x-amzn-errortype", value);
                Some(answer)
            }
            "/b/quoted" => Some(text(404, format!("<Error><Code>NoSuchKey</Code><x>{REAL_ID}</x></Error>"))),
            "/b/signature" => Some(text(500, format!("you sent {signature}"))),
            "/b/token" => Some(text(403, format!("token {}", REAL_TOKEN.replace('/', "\\/").replace('=', "%3D")))),
            "/b/compressed" => {
                let mut answer = text(403, [31, 139, 8, 0, 1, 2, 3].to_vec());
                answer.headers_mut().insert("content-encoding", "gzip".parse().expect("a value"));
                Some(answer)
            }
            "/b/long" => Some(text(403, "x".repeat(600 << 10))),
            "/b/denied" => Some(text(403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>")),
            "/b/missing" => Some(text(404, "<Error><Code>NoSuchKey</Code></Error>")),
            "/b/headers" => {
                let mut answer = text(200, "fine");
                answer.headers_mut().insert("x-echo", authorization.parse().expect("a value"));
                Some(answer)
            }
            _ => None,
        }
    });
    let proxy = Proxy::new(&upstream, &keys(""));
    for name in ["s3", "expired", "json", "header", "quoted", "signature", "token", "compressed", "long"] {
        let got = Sent::get(&format!("/b/{name}")).send(&proxy);
        assert_eq!(got.status, 502, "{name}: {got:?}");
        assert!(!got.contains(REAL_ID) && !got.contains("realTOKEN") && !got.contains("AWS4-HMAC"), "{name}: {got:?}");
    }
    proxy.wait_for("it refuses the signature of the proxy: SignatureDoesNotMatch");
    for (name, status, part) in
        [("denied", 403, "AccessDenied"), ("missing", 404, "NoSuchKey"), ("headers", 200, "fine")]
    {
        let got = Sent::get(&format!("/b/{name}")).send(&proxy);
        assert!(got.status == status && got.body.contains(part), "{name}: {got:?}");
        assert!(!got.contains(REAL_ID), "{name}: {got:?}");
    }
}

#[test]
fn an_upstream_with_another_key() {
    let upstream = Upstream::knowing("AKIDSOMEONEELSE", |_| None);
    let proxy = Proxy::new(&upstream, &keys(""));
    for mode in [Mode::Hashed, Mode::Unsigned, Mode::Chunked(None)] {
        let got = Sent::put("/bucket/key", b"hello", mode).send(&proxy);
        assert_eq!(got.status, 502, "{mode:?}: {got:?}");
        assert!(!got.contains(REAL_ID), "{got:?}");
    }
    proxy.wait_for("InvalidAccessKeyId");
}

#[test]
fn an_upstream_that_is_down_slow_or_breaks_off() {
    let flags = |url: &str| -> Vec<String> {
        ["--upstream", url, "--service", "s3", "--region", "us-east-1", "--upstream-timeout", "1"]
            .map(Into::into)
            .into()
    };
    let started = |url: &str| {
        let flags = flags(url);
        Proxy::start(&flags.iter().map(String::as_str).collect::<Vec<_>>(), &keys(""), &[])
    };
    // Nothing listens, one that never answers, and one that ends each connection.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let ending = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let (slow, broken) = (silent.local_addr().expect("an address"), ending.local_addr().expect("an address"));
    std::thread::spawn(move || ending.incoming().flatten().for_each(drop));
    for (name, address, status) in [("down", nobody, 502), ("slow", slow, 504), ("broken", broken, 502)] {
        let proxy = started(&format!("http://{address}"));
        for mode in [Mode::Hashed, Mode::Chunked(None)] {
            let got = Sent::put("/bucket/key", b"hello", mode).send(&proxy);
            assert_eq!(got.status, status, "{name} {mode:?}: {got:?}");
            assert!(!got.contains(REAL_ID), "{name}: {got:?}");
        }
    }
}
