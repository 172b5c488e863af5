//! No output contains a secret, a session token, a key or the correct signature.

use std::fmt::{Debug, Display};
use std::time::Duration;

use countersign::{Credentials, Payload, Request, Scope, Signer, SigningKey, VerifyError, VerifyingKey};

use crate::support::fixtures::{FORMATS, TEMPORARY_SECRET, TOKEN, now, temporary, verifier};

const COOKIE: &str = "sessioncookie";
const CUSTOMER_KEY: &str = "customerkeycustomerkey";

/// The collected output, and the secrets that it must not contain.
struct Printed {
    texts: Vec<String>,
    secrets: Vec<String>,
}

impl Printed {
    fn new() -> Self {
        let scope = Scope::new("20150830", "us-east-1", "s3").unwrap();
        let key = SigningKey::derive_bytes_exposed(&temporary(), &scope);
        let mut printed = Self { texts: Vec::new(), secrets: Vec::new() };
        for secret in [TEMPORARY_SECRET, TOKEN, COOKIE, CUSTOMER_KEY] {
            printed.secrets.push(secret.into());
        }
        printed.forbid_bytes(&*key);
        printed
    }

    /// Forbids the bytes in hexadecimal and in the form that a derived `Debug` would print.
    fn forbid_bytes(&mut self, bytes: &[u8]) {
        self.secrets.push(hex::encode(bytes));
        let list: Vec<String> = bytes.iter().take(6).map(u8::to_string).collect();
        self.secrets.push(list.join(", "));
    }

    fn debug(&mut self, value: &dyn Debug) {
        self.texts.push(format!("{value:?}"));
        self.texts.push(format!("{value:#?}"));
    }

    fn both(&mut self, value: &(impl Debug + Display)) {
        self.debug(value);
        self.texts.push(value.to_string());
    }

    fn error(&mut self, error: &VerifyError) {
        self.both(error);
        for format in FORMATS {
            self.texts.push(error.refusal(format).code().into());
            self.texts.push(error.refusal(format).message().into());
            self.texts.push(error.refusal(format).body("id"));
        }
    }

    fn hold_nothing(&self) {
        assert!(self.texts.iter().all(|text| !text.is_empty()));
        for text in &self.texts {
            let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
            for secret in &self.secrets {
                assert!(!text.contains(secret) && !one_line.contains(secret), "{secret} in {text}");
            }
        }
    }
}

#[test]
fn public_types_hide_secrets() {
    let mut printed = Printed::new();
    let signer = Signer::new(temporary(), "us-east-1", "s3").unwrap().also_sign(["cookie"]);
    printed.debug(&temporary());
    printed.debug(&signer);
    let headers =
        [("Cookie", COOKIE.as_bytes()), ("x-amz-server-side-encryption-customer-key", CUSTOMER_KEY.as_bytes())];
    let request =
        Request::new("GET", "/key?X-Amz-Security-Token=FwoGZXIvYXdztoken", &headers).with_host("bucket.example");
    printed.debug(&request);
    let signed = signer.sign(request, Payload::EMPTY, now()).unwrap();
    printed.forbid_bytes(signed.signature().as_bytes());
    assert!(signed.canonical_request().raw().to_string().contains(TOKEN));
    printed.debug(&signed);
    printed.both(&signed.canonical_request());
    printed.texts.push(signed.canonical_request().redacted().to_string());
    printed.both(&signed.string_to_sign());
    printed.debug(&signed.signature());

    let presigned = signer.presign(request, Duration::from_secs(60), now()).unwrap();
    printed.forbid_bytes(presigned.signature().as_bytes());
    assert!(presigned.url().contains(TOKEN));
    printed.debug(&presigned);
    printed.both(&presigned.canonical_request());

    let mut headers = headers.to_vec();
    headers.extend(signed.headers().map(|(name, value)| (name, value.as_bytes())));
    let request =
        Request::new("GET", "/key?X-Amz-Security-Token=FwoGZXIvYXdztoken", &headers).with_host("bucket.example");
    let verifier = verifier("s3");
    printed.debug(&verifier);
    let unverified = verifier.parse(request, now()).unwrap();
    printed.debug(&unverified);
    let key = VerifyingKey::derive(&temporary(), &unverified.scope());
    printed.debug(&key);
    printed.debug(&unverified.clone().with_body(b""));
    let head = unverified.verify_head_with_key(Some(&key)).unwrap();
    printed.debug(&head);
    printed.debug(&head.clone().body_check().unwrap());
    printed.debug(&head.check_body(b"").unwrap());
    printed.hold_nothing();
}

#[test]
fn errors_hide_misplaced_secrets() {
    let mut printed = Printed::new();
    for (id, secret) in
        [("", TEMPORARY_SECRET), ("AKID", "wJalrXUtnFEMIsecret\n"), (" wJalrXUtnFEMIsecret", "x"), ("AKID", "")]
    {
        printed.both(&Credentials::new(id, secret).unwrap_err());
    }
    printed.both(&Credentials::new("AKID", "x").unwrap().with_session_token(format!("{TOKEN}\n")).unwrap_err());

    let signer = Signer::new(temporary(), "us-east-1", "s3").unwrap();
    for value in [format!("Bearer {TOKEN}"), TEMPORARY_SECRET.into(), format!("Basic {TEMPORARY_SECRET}")] {
        let headers = [("Authorization", value.as_bytes())];
        let request = Request::new("GET", "/", &headers).with_host("bucket.example");
        printed.both(&signer.sign(request, Payload::EMPTY, now()).unwrap_err());
        printed.error(&verifier("s3").parse(request, now()).unwrap_err());
    }
    let broken = format!("{TOKEN}\r\nx: y");
    let headers = [("x-amz-meta-a", broken.as_bytes())];
    let request = Request::new("GET", "/", &headers).with_host("bucket.example");
    printed.both(&signer.sign(request, Payload::EMPTY, now()).unwrap_err());
    printed.hold_nothing();
}

/// No error contains the signature that would have been correct, whatever the reason for refusing a request.
#[test]
fn errors_do_not_contain_the_correct_signature() {
    let signer = Signer::new(temporary(), "us-east-1", "s3").unwrap();
    let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let signed = signer.sign(request, Payload::Bytes(b"body"), now()).unwrap();
    let mut printed = Printed::new();
    let right = signed.signature().to_hex();
    printed.secrets.push(right.clone());
    let wrong = right.replace(['0', '1', '2', '3'], "4");

    let sent: Vec<(String, String)> =
        signed.headers().map(|(name, value)| (name.to_owned(), value.replace(&right, &wrong))).collect();
    let changes: [(&str, &str, &str); 9] = [
        ("authorization", &wrong, "zz"),
        ("authorization", "us-east-1", "us-east-2"),
        ("authorization", "host;", ""),
        ("authorization", "ASIAEXAMPLE", "ASIAOTHER"),
        ("authorization", "x-amz-date", "x-amz-date;zz"),
        ("x-amz-date", "20150830", "20150829"),
        ("x-amz-date", "20150830", "x"),
        ("x-amz-security-token", "F", "G"),
        ("none", "", ""),
    ];
    let mut kinds = std::collections::BTreeSet::new();
    for (name, from, to) in changes {
        let changed: Vec<(&str, String)> = sent
            .iter()
            .map(|(n, v)| (n.as_str(), if n == name { v.replacen(from, to, 1) } else { v.clone() }))
            .collect();
        let headers: Vec<(&str, &[u8])> = changed.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
        let error = verifier("s3")
            .parse(request, now())
            .and_then(|unverified| {
                let known = (unverified.access_key_id() == "ASIAEXAMPLE").then(temporary);
                unverified.verify_head(known.as_ref()).map(|_| ())
            })
            .unwrap_err();
        kinds.insert(format!("{:?}", std::mem::discriminant(&error)));
        printed.error(&error);
    }
    assert_eq!(kinds.len(), changes.len(), "each change causes a different error");
    printed.hold_nothing();
}

#[test]
fn secret_headers_are_marked_as_sensitive() {
    for (service, token) in [("s3", "x-amz-security-token"), ("s3express", "x-amz-s3session-token")] {
        let signer = Signer::new(temporary(), "us-east-1", service).unwrap();
        let mut request = http::Request::get("https://bucket.example/key").body("").unwrap();
        signer.sign_http(&mut request, now()).unwrap();
        let (sensitive, shown): (Vec<_>, Vec<_>) =
            request.headers().iter().partition(|(_, value)| value.is_sensitive());
        for (name, value) in request.headers() {
            assert_eq!(value.is_sensitive(), countersign::is_secret_header(name.as_str()), "{name}");
        }
        let names = |headers: Vec<(&http::HeaderName, _)>| {
            headers.into_iter().map(|(name, _)| name.to_string()).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!(names(sensitive), ["authorization", token].map(String::from).into());
        assert_eq!(names(shown), ["x-amz-content-sha256", "x-amz-date"].map(String::from).into());
    }
}
