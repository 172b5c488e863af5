//! Counts heap allocations, with the signing key already cached.

use std::time::Duration;

use countersign::{Credentials, Payload, Request, Signer, VerifyingKey};

use crate::support::allocator::counted;
use crate::support::fixtures::{self, HOST, now, verifier};

struct Case {
    name: &'static str,
    service: &'static str,
    method: &'static str,
    target: &'static str,
    headers: Vec<(&'static str, &'static [u8])>,
    token: Option<String>,
    body: Vec<u8>,
}

fn cases() -> Vec<Case> {
    let case = |name, service, method, target| Case {
        name,
        service,
        method,
        target,
        headers: Vec::new(),
        token: None,
        body: Vec::new(),
    };
    let query = "/dev/get-list?limit=25&sort=name&filter=a%20b";
    vec![
        case("API Gateway GET with a query", "execute-api", "GET", query),
        Case { token: Some("t".repeat(400)), ..case("the same with a session token", "execute-api", "GET", query) },
        Case {
            headers: vec![
                ("content-type", b"application/x-amz-json-1.0"),
                ("x-amz-target", b"DynamoDB_20120810.GetItem"),
                ("accept", b"*/*"),
                ("user-agent", b"test"),
            ],
            body: vec![b'x'; 512],
            ..case("DynamoDB POST", "dynamodb", "POST", "/")
        },
        Case { token: Some("t".repeat(400)), ..case("S3 GET", "s3", "GET", "/photos/2026/a%20b.jpg") },
        Case {
            headers: vec![
                ("content-type", b"image/jpeg"),
                ("x-amz-meta-a", b"1"),
                ("x-amz-storage-class", b"STANDARD"),
            ],
            body: vec![b'x'; 4096],
            ..case("S3 PUT", "s3", "PUT", "/photos/2026/a%20b.jpg?partNumber=1&uploadId=abc")
        },
    ]
}

fn at_most(name: &str, what: &str, limit: usize, allocations: usize) {
    println!("{name}: {what}: {allocations} allocations, at most {limit}");
    assert!(allocations <= limit, "{name}: {what}: {allocations} allocations, at most {limit}");
}

#[test]
fn signing_and_verifying_stay_within_the_budget() {
    for case in cases() {
        let mut credentials = fixtures::credentials();
        if let Some(token) = &case.token {
            credentials = credentials.with_session_token(token).unwrap();
        }
        let signer = Signer::new(credentials.clone(), "us-east-1", case.service).unwrap();
        let request = Request::new(case.method, case.target, &case.headers).with_host(HOST);
        signer.sign(request, Payload::EMPTY, now()).unwrap();

        let (signed, allocations, _) = counted(|| signer.sign(request, Payload::Bytes(&case.body), now()).unwrap());
        at_most(case.name, "sign wire parts", 2, allocations);

        let uri = format!("https://{HOST}{}", case.target);
        let mut builder = http::Request::builder().method(case.method).uri(&uri);
        for (name, value) in &case.headers {
            builder = builder.header(*name, *value);
        }
        let mut http_request = builder.body(()).unwrap();
        let (_, allocations, _) =
            counted(|| signer.sign_http_with_payload(&mut http_request, Payload::Bytes(&case.body), now()).unwrap());
        at_most(case.name, "sign http::Request", 4, allocations);
        let verifier = verifier(case.service);
        let (_, allocations, _) = counted(|| verifier.parse(&http_request, now()).unwrap());
        at_most(case.name, "parse http::Request", 1, allocations);

        let (presigned, allocations, _) = counted(|| signer.presign(request, Duration::from_secs(900), now()).unwrap());
        at_most(case.name, "presign", 3, allocations);

        let mut headers = case.headers.clone();
        headers.extend(signed.headers().map(|(name, value)| (name, &*value.as_bytes().to_vec().leak())));
        let arrived = Request::new(case.method, case.target, &headers).with_host(HOST);
        let key = VerifyingKey::derive(&credentials, &verifier.parse(arrived, now()).unwrap().scope());
        let (_, allocations, _) = counted(|| {
            verifier.parse(arrived, now()).unwrap().with_body(&case.body).verify_with_key(Some(&key)).unwrap()
        });
        at_most(case.name, "verify", 2, allocations);

        let arrived = Request::new(case.method, presigned.target(), &case.headers).with_host(HOST);
        let (_, allocations, _) =
            counted(|| verifier.parse(arrived, now()).unwrap().with_body(b"").verify_with_key(Some(&key)).unwrap());
        at_most(case.name, "verify presigned", 2, allocations);
    }
}

#[test]
fn refused_requests_use_little_memory() {
    let signer = Signer::new(Credentials::new("AKID", "secret").unwrap(), "us-east-1", "s3").unwrap();
    let headers = vec![("x-amz-meta-a", b"1".as_slice()); 10_000];
    let many = Request::new("GET", "/", &headers).with_host("h");
    let verifier = verifier("s3");
    let (result, _, bytes) = counted(|| signer.sign(many, Payload::EMPTY, now()).map(|_| ()));
    assert!(result.is_err() && bytes < 1024, "{bytes}");
    let (result, _, bytes) = counted(|| verifier.parse(many, now()).map(|_| ()));
    assert!(result.is_err() && bytes < 1024, "{bytes}");

    let authorization = [b"AWS4-HMAC-SHA256 Credential=".as_slice(), &vec![b'a'; 1 << 20]].concat();
    let headers = [("authorization", authorization.as_slice())];
    let (result, _, bytes) = counted(|| verifier.parse(Request::new("GET", "/", &headers), now()).map(|_| ()));
    assert!(result.is_err() && bytes < 1024, "{bytes}");
}
