//! No freed memory contains a session token, either literally or in Base64.

use std::sync::LazyLock;
use std::time::Duration;

use base64ct::{Base64, Base64UrlUnpadded, Encoding};
use countersign::explain::Explanation;
use countersign::post_policy::Policy;
use countersign::streaming::Chunked;
use countersign::{Credentials, Payload, Request, Signer, tokens};

use crate::support::allocator::freed_with;
use crate::support::fixtures::{HOST, added, now, verifier, verify, views};

/// Consists of bytes that no encoding changes.
const SESSION_TOKEN: &str = "FwoGZXIvYXdz-a.session_token~that.is.found.nowhere.else-0123456789";

static NEEDLES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut needles = vec![SESSION_TOKEN.as_bytes().to_vec()];
    for offset in 0..3 {
        let text = ["x".repeat(offset).as_str(), SESSION_TOKEN, "x"].concat();
        for encoded in [Base64::encode_string(text.as_bytes()), Base64UrlUnpadded::encode_string(text.as_bytes())] {
            needles.push(encoded[4..encoded.len() - 4].into());
        }
    }
    needles
});

/// The number of freed blocks that contained a token, by the name of the operation.
#[derive(Default)]
struct Finds(Vec<(&'static str, usize)>);

impl Finds {
    /// Returns the result of `run` without dropping it.
    fn during<T>(&mut self, name: &'static str, run: impl FnOnce() -> T) -> T {
        let (kept, found) = freed_with(&NEEDLES, run);
        self.0.push((name, found));
        kept
    }

    fn are_none(&self) {
        for (name, found) in &self.0 {
            println!("{name}: {found} blocks");
        }
        assert!(self.0.iter().all(|(_, found)| *found == 0), "freed with a session token: {:?}", self.0);
    }
}

fn temporary() -> Credentials {
    Credentials::new("ASIAEXAMPLE", "secret").unwrap().with_session_token(SESSION_TOKEN).unwrap()
}

fn signer(service: &str) -> Signer {
    Signer::new(temporary(), "us-east-1", service).unwrap()
}

/// Sorting its canonical form takes more memory than is reserved for most queries.
fn unsorted_target() -> String {
    format!("/a/../b?b={}&a={}", "/".repeat(2000), ":".repeat(2000))
}

/// Services that sign the token, add it unsigned, or use another name for it.
const SERVICES: [&str; 4] = ["execute-api", "s3", "iotdevicegateway", "s3express"];

#[test]
fn signing() {
    let mut finds = Finds::default();
    let target = unsorted_target();
    for service in SERVICES {
        let signer = signer(service);
        for target in ["/", target.as_str()] {
            let request = Request::new("GET", target, &[]).with_host(HOST);
            finds.during("sign wire", || drop(signer.sign(request, Payload::EMPTY, now()).unwrap().clone()));
            let week = Duration::from_secs(60);
            finds.during("presign", || drop(signer.presign(request, week, now()).unwrap().clone()));
        }
        let kept = finds.during("sign http", || {
            let mut request = http::Request::get(format!("https://{HOST}/")).body("").unwrap();
            let signed = signer.sign_http(&mut request, now()).unwrap();
            let value = request.headers().iter().find(|(_, value)| *value == SESSION_TOKEN).unwrap().1.clone();
            // The value shares the memory of the others, and outlives them.
            drop((signed, request));
            value
        });
        assert_eq!(kept, SESSION_TOKEN);
        finds.during("the last header value", || drop(kept));
    }
    let signer = signer("s3");
    let request = Request::new("PUT", "/key", &[]).with_host(HOST);
    finds.during("sign chunked", || {
        drop(signer.sign_chunked(request, &Chunked::signed(100), now()).unwrap().encoder());
    });
    let long_name = "x-amz-meta-".to_owned() + &"!".repeat(2000);
    let headers = [(long_name.as_str(), b"1".as_slice())];
    let request = Request::new("PUT", "/key", &headers).with_host(HOST);
    finds.during("presign, a header whose name is encoded", || {
        drop(signer.presign(request, Duration::from_secs(60), now()).unwrap());
    });
    finds.are_none();
}

#[test]
fn verifying() {
    let mut finds = Finds::default();
    let (credentials, others) = (temporary(), Credentials::new("ASIAEXAMPLE", "other").unwrap());
    let others = others.with_session_token(SESSION_TOKEN).unwrap();
    let target = unsorted_target();
    for service in SERVICES {
        let (signer, server) = (signer(service), verifier(service).accept_dot_segments());
        let raw = server.clone().echo_computed_raw();
        let several = server.clone().echo_computed().with_external_hosts(["a.example", "a.longer.name.example", HOST]);
        let request = Request::new("GET", &target, &[]).with_host(HOST);
        let headers = added(&signer.sign(request, Payload::EMPTY, now()).unwrap());
        let headers = views(&headers);
        let by_header = Request::new("GET", &target, &headers).with_host(HOST);
        let presigned = signer.presign(request, Duration::from_secs(60), now()).unwrap();
        let by_query = Request::new("GET", presigned.target(), &[]).with_host(HOST);
        for (request, [right, owned, wrong, unknown]) in [
            (by_header, ["verify header", "into_owned", "wrong signature", "unknown key"]),
            (by_query, ["verify presigned", "into_owned, presigned", "wrong, presigned", "unknown key, presigned"]),
        ] {
            for server in [&server, &several] {
                finds.during(right, || {
                    drop(verify(server, request, b"", &credentials, now()).unwrap());
                });
                finds.during(owned, || {
                    let unverified = server.parse(request, now()).unwrap().with_body(b"");
                    let verified = unverified.clone().verify(Some(&credentials)).unwrap().into_owned();
                    assert_eq!(verified.session_token(), Some(SESSION_TOKEN));
                    verified.clone().into_owned()
                });
            }
            for server in [&server, &several, &raw] {
                finds.during(wrong, || {
                    let error = verify(server, request, b"", &others, now()).map(drop).unwrap_err();
                    drop((error.clone(), error));
                });
                finds.during(unknown, || {
                    let unverified = server.parse(request, now()).unwrap();
                    drop(unverified.clone().with_body(b"").verify(None).map(drop).unwrap_err());
                    drop(unverified.with_body(b"").verify_with_key(None).map(drop).unwrap_err());
                });
            }
            let kept = verify(&server, request, b"", &credentials, now()).unwrap().into_owned();
            finds.during(owned, || drop(kept));
        }
    }
    let [twice, broken] = ["X-Amz-Security-Token=x", "X-Amz-Date=%ff"]
        .map(|more| format!("/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Security-Token={SESSION_TOKEN}&{more}"));
    let server = verifier("s3");
    for target in [&twice, &broken] {
        let request = Request::new("GET", target, &[]).with_host(HOST);
        finds.during("a query that is not a signature", || drop(server.parse(request, now()).map(drop).unwrap_err()));
    }
    finds.are_none();
}

#[test]
fn credentials_and_identities() {
    let mut finds = Finds::default();
    let kept = finds.during("Credentials", || {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret").unwrap().with_session_token(SESSION_TOKEN).unwrap();
        let signer = Signer::new(credentials.clone(), "us-east-1", "s3").unwrap();
        drop(signer.with_identity(credentials.clone()).clone());
        drop(credentials.clone().with_session_token("another"));
        credentials
    });
    finds.during("the last Credentials", || drop(kept));
    let mut broken = String::with_capacity(100);
    broken.push_str(SESSION_TOKEN);
    broken.push('\n');
    let credentials = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
    finds.during("a refused token", || drop(credentials.with_session_token(broken)));
    finds.are_none();
}

#[test]
fn sigv4a() {
    let mut finds = Finds::default();
    let credentials = temporary();
    let signer = Signer::sigv4a(credentials.clone(), "*", "s3").unwrap();
    let server = verifier("s3").with_sigv4a();
    let request = Request::new("GET", "/key?b&a", &[]).with_host(HOST);
    let signed = finds.during("SigV4A, sign", || signer.sign(request, Payload::EMPTY, now()).unwrap());
    let presigned =
        finds.during("SigV4A, presign", || signer.presign(request, Duration::from_secs(60), now()).unwrap());
    let headers = added(&signed);
    let headers = views(&headers);
    let by_header = Request::new("GET", "/key?b&a", &headers).with_host(HOST);
    let by_query = Request::new("GET", presigned.target(), &[]).with_host(HOST);
    for request in [by_header, by_query] {
        finds.during("SigV4A, verify", || {
            drop(verify(&server, request, b"", &credentials, now()).unwrap().into_owned());
        });
    }
    finds.during("SigV4A, signed and presigned", || drop((signed, presigned)));
    finds.are_none();
}

#[test]
fn connection_tokens() {
    let mut finds = Finds::default();
    let credentials = temporary();
    finds.during("tokens", || {
        for (name, _, token) in crate::tokens::every_kind(&credentials, "us-east-1", now()) {
            let token = token.unwrap_or_else(|error| panic!("{name}: {error}"));
            drop(tokens::exec_credential(&token));
            drop(token.clone());
        }
    });
    finds.are_none();
}

#[test]
fn post_policies() {
    let mut finds = Finds::default();
    let (credentials, signer, server) = (temporary(), signer("s3"), verifier("s3"));
    let policy = Policy::new("bucket", now().saturating_add(3600)).with_field("key", "user/${filename}");
    let page = finds.during("sign a policy", || {
        let form = signer.sign_post_policy(&policy, now()).unwrap();
        form.clone().hidden_inputs()
    });
    assert!(page.contains(SESSION_TOKEN));
    let form = signer.sign_post_policy(&policy, now()).unwrap();
    let mut wrong: Vec<(&str, &str)> = form.fields().collect();
    finds.during("verify a form", || {
        let unverified = server.parse_form("bucket", form.fields(), now()).unwrap();
        drop(unverified.clone().with_file_name("a.jpg").unwrap().verify(Some(&credentials)).unwrap());
    });
    wrong.push(("x-amz-meta-more", "1"));
    finds.during("a form that is refused", || {
        let unverified = server.parse_form("bucket", wrong.iter().copied(), now()).unwrap();
        drop(unverified.verify(Some(&credentials)).map(drop).unwrap_err());
    });
    finds.during("the form", || drop(form));
    finds.are_none();
}

#[test]
fn explanations() {
    let mut finds = Finds::default();
    let signer = signer("s3");
    let request = Request::new("GET", "/key?b=1&a=2", &[]).with_host(HOST);
    let signed = signer.sign(request, Payload::EMPTY, now()).unwrap();
    let presigned = signer.presign(request, Duration::from_secs(60), now()).unwrap();
    let mut http_request = http::Request::get(format!("https://{HOST}/key?b=1&a=2")).body("").unwrap();
    signer.sign_http(&mut http_request, now()).unwrap();
    let theirs = signed.canonical_request().raw().to_string().replace("a=2", "a=3");
    let of_url = presigned.canonical_request().raw().to_string().replace("a=2", "a=3");
    let other_token = theirs.replace(SESSION_TOKEN, "another-token").replace('\n', "\r\n");
    let bytes: String = theirs.bytes().map(|byte| format!("{byte:02x} ")).collect();
    // No JSON with escapes, since serde_json makes its own copy, which it doesn't wipe.
    let bodies = [
        format!(r#"{{"__type": "InvalidSignatureException", "message": "The token {SESSION_TOKEN} is wrong"}}"#),
        format!(
            "<Error><Code>SignatureDoesNotMatch</Code><Message>{SESSION_TOKEN} &amp; more</Message>\
             <CanonicalRequest>{}</CanonicalRequest><CanonicalRequestBytes>{bytes}</CanonicalRequestBytes></Error>",
            theirs.replace('&', "&amp;"),
        ),
        format!("no format at all, {SESSION_TOKEN}"),
    ];
    for body in &bodies {
        let location = format!("https://other.example/?X-Amz-Security-Token={SESSION_TOKEN}");
        let headers = [("location", location.as_bytes())];
        finds.during("explain, signed", || {
            let explanation = Explanation::from_response(403, &headers, body.as_bytes(), &signed);
            drop(explanation.clone());
            assert!(!explanation.to_string().contains(SESSION_TOKEN));
        });
        finds.during("explain, presigned", || {
            drop(Explanation::from_response(403, &headers, body.as_bytes(), &presigned));
        });
        finds.during("explain, http", || {
            drop(Explanation::from_response(403, &headers, body.as_bytes(), &http_request));
        });
    }
    for (theirs, ours) in [
        (&theirs, signed.canonical_request().as_bytes()),
        (&other_token, signed.canonical_request().as_bytes()),
        (&of_url, presigned.canonical_request().as_bytes()),
        (&of_url.replace(SESSION_TOKEN, "another-token"), presigned.canonical_request().as_bytes()),
    ] {
        finds.during("compare", || drop(Explanation::compare(theirs, ours)));
    }
    finds.are_none();
}
