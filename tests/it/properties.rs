//! Random requests, compared with the naive transcription of the specification and checked in both directions.

use std::time::Duration;

use countersign::{Payload, Request, Rules, Scope, SignError, Signer, SigningKey, StringToSign, VerifyError};
use countersign_conformance::cases::plain::as_lenient_as_aws;

use crate::support::fixtures::{Headers, SECRET, TIME, added, credentials, now, signer, verifier, verify, views};
use crate::support::naive::{self, Naive};
use crate::support::random::Random;

const PATH: [&str; 24] = [
    "/", "/", "/", "//", ".", "..", "/.", "/..", "a", "B", "~", "-", "%2F", "%2f", "%20", "%zz", "%", " ", "+", "ü",
    ":", "@", "=", "%C3%BC",
];
const QUERY: [&str; 22] = [
    "&", "&", "&", "&&", "=", "=", "a", "b", "a-", "a.", "A", "%61", "%2b", "+", "%zz", "%", ";", "?", "/", "ü", "%3D",
    "1",
];
const VALUE: [&str; 10] = ["a", "b", " ", "  ", "\t", ",", "\"", "ü", "=", ";"];
const NAMES: [&str; 10] = [
    "Content-Type",
    "content-md5",
    "X-Amz-Meta-A",
    "x-amz-meta-a",
    "x-amz-meta-a-b",
    "X-AMZ-target",
    "My-Header",
    "my_header",
    "accept",
    "Range",
];

/// How many requests are tried.
fn cases() -> u64 {
    std::env::var("COUNTERSIGN_CASES").map_or(4000, |cases| cases.parse().expect("COUNTERSIGN_CASES is a number"))
}

struct Sent {
    method: &'static str,
    target: String,
    headers: Headers,
    body: Vec<u8>,
}

fn request(random: &mut Random) -> Sent {
    let mut target = format!("/{}", random.text(&PATH, 8));
    if random.below(4) > 0 {
        target = format!("{target}?{}", random.text(&QUERY, 14));
    }
    let headers =
        (0..random.below(24)).map(|_| (random.pick(&NAMES).to_owned(), random.text(&VALUE, 6).into_bytes())).collect();
    let body = random.text(&VALUE, 4).into_bytes();
    Sent { method: random.pick(&["GET", "PUT", "PATCH", "x-custom"]), target, headers, body }
}

fn rules(random: &mut Random) -> Rules {
    let mut rules = Rules::GENERIC;
    rules.normalize_path = random.below(2) == 0;
    rules.double_encode_path = random.below(2) == 0;
    rules.content_sha256_header = random.below(2) == 0;
    rules
}

#[test]
fn signing_matches_the_naive_transcription_and_verifies() {
    let credentials = credentials();
    let now = now();
    for seed in 0..cases() {
        let mut random = Random(seed);
        let (sent, rules) = (request(&mut random), rules(&mut random));
        let signer = Signer::new(credentials.clone(), "us-east-1", "service")
            .unwrap()
            .with_rules(rules)
            .also_sign(["my-header"]);
        let given = views(&sent.headers);
        let wire = Request::new(sent.method, &sent.target, &given).with_host("example.com");
        let signed = signer.sign(wire, Payload::Bytes(&sent.body), now).unwrap();

        let mut arrived = sent.headers.clone();
        arrived.push(("host".into(), b"example.com".to_vec()));
        arrived.extend(added(&signed));
        let names = ["content-type", "content-md5", "host", "my-header", "x-amz-content-sha256", "x-amz-date"];
        let naive = Naive {
            method: sent.method,
            target: sent.target.as_bytes(),
            headers: &arrived,
            signed_headers: &[&names[..], &["x-amz-meta-a", "x-amz-meta-a-b", "x-amz-target"]].concat(),
            payload: &naive::sha256_hex(&sent.body),
            normalize_path: rules.normalize_path,
            double_encode: rules.double_encode_path,
            left_out: &[],
        };
        let canonical_request = naive.canonical_request();
        assert_eq!(
            String::from_utf8_lossy(&canonical_request),
            signed.canonical_request().raw().to_string(),
            "seed {seed}: {}",
            sent.target
        );
        let signature = naive::signature(SECRET, TIME, "us-east-1", "service", &canonical_request);
        assert_eq!(signature, signed.signature().to_hex());

        let arrived = views(&arrived);
        let request = Request::new(sent.method, &sent.target, &arrived);
        let verifier = as_lenient_as_aws(verifier("service")).with_rules(rules);
        verify(&verifier, request, &sent.body, &credentials, now).unwrap();
    }
}

/// Bytes of every kind, in runs around the chunk size of sixteen, truncated anywhere.
fn boundary_bytes(random: &mut Random) -> Vec<u8> {
    const MARKS: [&[u8]; 24] = [
        b"%",
        b"%2",
        b"%2f",
        b"%2F",
        b"%41",
        b"%zz",
        b"%%",
        b"/",
        b"//",
        b"/.",
        b"/..",
        b".",
        b"..",
        b"&",
        b"&&",
        b"=",
        b"?",
        b"+",
        b" ",
        b"~",
        b"\xff",
        b"\xc3\xbc",
        b"%58",
        b"X-Amz-Signature=",
    ];
    let mut bytes = Vec::new();
    for _ in 0..random.below(6) {
        match random.below(3) {
            0 => bytes.extend_from_slice(MARKS[random.below(MARKS.len())]),
            1 => {
                let byte = b"aZ0-_.~%/=&\xe1"[random.below(12)];
                bytes.extend(vec![byte; [1, 2, 14, 15, 16, 17, 31, 32, 33][random.below(9)]]);
            }
            _ => bytes.push(random.below(256) as u8),
        }
    }
    bytes.truncate(random.below(71));
    bytes
}

#[test]
fn canonical_requests_of_any_bytes_match_the_naive_transcription() {
    let credentials = credentials();
    let now = now();
    let mut refused = 0;
    for seed in 0..cases() {
        let mut random = Random(seed);
        let rules = rules(&mut random);
        let mut target = if random.below(4) > 0 { b"/".to_vec() } else { Vec::new() };
        target.extend(boundary_bytes(&mut random));
        if random.below(2) == 0 {
            target.push(b'?');
            target.extend(boundary_bytes(&mut random));
        }
        target.retain(|byte| !byte.is_ascii_control());
        let headers: Headers = (0..random.below(40))
            .map(|_| {
                let mut value = boundary_bytes(&mut random);
                value.retain(|byte| !matches!(byte, b'\r' | b'\n' | 0));
                (random.pick(&["x-amz-a", "X-Amz-A", "x-amz-A-b", "X-AMZ-a_b", "x-amz-a^", "x-amz-a1"]).into(), value)
            })
            .collect();
        let given = views(&headers);
        let signer = Signer::new(credentials.clone(), "us-east-1", "service").unwrap().with_rules(rules);
        let request = Request::new("GET", &target, &given).with_host("example.com");
        let is_target = matches!(target[..], [] | [b'/' | b'?', ..] | [b'*'] | [b'*', b'?', ..]);
        if target.contains(&b'#') || !is_target {
            assert!(matches!(signer.sign(request, Payload::EMPTY, now), Err(SignError::Request(_))), "{target:?}");
            assert!(matches!(verifier("service").parse(request, now), Err(VerifyError::Request(_))), "{target:?}");
            refused += 1;
            continue;
        }
        let signed = signer.sign(request, Payload::EMPTY, now).unwrap();
        let mut arrived = headers.clone();
        arrived.push(("host".into(), b"example.com".to_vec()));
        arrived.extend(added(&signed));
        let naive = Naive {
            method: "GET",
            target: &target,
            headers: &arrived,
            signed_headers: &[
                "host",
                "x-amz-date",
                "x-amz-content-sha256",
                "x-amz-a",
                "x-amz-a-b",
                "x-amz-a_b",
                "x-amz-a^",
                "x-amz-a1",
            ],
            payload: &naive::sha256_hex(b""),
            normalize_path: rules.normalize_path,
            double_encode: rules.double_encode_path,
            left_out: &[],
        };
        let shown = target.escape_ascii();
        let canonical_request = naive.canonical_request();
        assert_eq!(
            canonical_request.escape_ascii().to_string(),
            signed.canonical_request().as_bytes().escape_ascii().to_string(),
            "seed {seed}: {shown}"
        );
        let arrived = views(&arrived);
        let request = Request::new("GET", &target, &arrived);
        let verifier = as_lenient_as_aws(verifier("service")).with_rules(rules);
        verify(&verifier, request, b"", &credentials, now).unwrap();
    }
    assert!((cases() / 10..cases() * 3 / 10).contains(&refused), "{refused}");
}

#[test]
fn presigned_urls_match_the_naive_transcription_and_verify() {
    let credentials = credentials().with_session_token("to/ken+==").unwrap();
    let now = now();
    for seed in 0..cases() {
        let mut random = Random(seed);
        let (sent, rules) = (request(&mut random), rules(&mut random));
        let signer = Signer::new(credentials.clone(), "us-east-1", "service").unwrap().with_rules(rules);
        let given = views(&sent.headers);
        let wire = Request::new(sent.method, &sent.target, &given).with_host("example.com");
        let presigned = signer.presign(wire, Duration::from_secs(60), now).unwrap();

        let mut arrived = sent.headers.clone();
        arrived.push(("host".into(), b"example.com".to_vec()));
        let naive = Naive {
            method: sent.method,
            target: presigned.target().as_bytes(),
            headers: &arrived,
            signed_headers: &["content-type", "content-md5", "host", "x-amz-meta-a", "x-amz-meta-a-b", "x-amz-target"],
            payload: &naive::sha256_hex(b""),
            normalize_path: rules.normalize_path,
            double_encode: rules.double_encode_path,
            left_out: &["X-Amz-Signature"],
        };
        assert_eq!(
            String::from_utf8_lossy(&naive.canonical_request()),
            presigned.canonical_request().raw().to_string(),
            "seed {seed}: {}",
            sent.target
        );
        let arrived = views(&arrived);
        let request = Request::new(sent.method, presigned.target(), &arrived);
        verify(&as_lenient_as_aws(verifier("service")).with_rules(rules), request, b"", &credentials, now).unwrap();
    }
}

/// Our signer always sends `x-amz-date`; others send only `date`, in the format of HTTP or of the string to sign.
#[test]
fn a_signature_over_a_date_header_verifies() {
    let credentials = credentials();
    let now = now();
    for date in ["Sun, 30 Aug 2015 12:36:00 GMT", TIME] {
        let mut headers = vec![("Host".to_owned(), b"example.com".to_vec()), ("Date".to_owned(), date.into())];
        let naive = Naive {
            method: "GET",
            target: b"/",
            headers: &headers,
            signed_headers: &["date", "host"],
            payload: &naive::sha256_hex(b""),
            normalize_path: true,
            double_encode: true,
            left_out: &[],
        };
        let signature = naive::signature(SECRET, TIME, "us-east-1", "service", &naive.canonical_request());
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
             SignedHeaders=date;host, Signature={signature}"
        );
        headers.push(("Authorization".into(), authorization.into_bytes()));
        let headers = views(&headers);
        verify(&verifier("service"), Request::new("GET", "/", &headers), b"", &credentials, now).unwrap();
    }
}

#[test]
fn random_bytes_never_panic() {
    let signer = signer("s3");
    let now = now();
    for seed in 0..20_000 {
        let mut random = Random(seed);
        let mut bytes = |most: usize| (0..random.below(most)).map(|_| random.below(256) as u8).collect::<Vec<u8>>();
        let (target, value, authorization) = (bytes(40), bytes(20), bytes(60));
        let authorization = [b"AWS4-HMAC-SHA256 Credential=", authorization.as_slice()].concat();
        let headers =
            [("host", value.as_slice()), ("x-amz-date", b"20150830T123600Z"), ("authorization", &authorization)];
        let request = Request::new("GET", &target, &headers);
        match signer.sign(request, Payload::EMPTY, now) {
            Ok(_) | Err(SignError::Request(_)) => {}
            Err(error) => panic!("{error}"),
        }
        let _ = signer.presign(request, Duration::from_secs(1), now);
        assert!(verifier("service").parse(request, now).is_err());
    }
}

/// The region and service are those that were signed, not their encoded form in the URL.
#[test]
fn the_string_to_sign_is_the_one_that_was_signed() {
    for (region, service) in [("us-east-1", "s3"), ("eu:west@1", "my+service"), ("%41", "a%2fb"), ("a=b&c", "d?e")] {
        let scope = Scope::new("20150830", region, service).unwrap();
        let key = SigningKey::derive(&credentials(), &scope);
        let signer = Signer::new(credentials(), region, service).unwrap();
        let request = Request::new("GET", "/key", &[]).with_host("example.com");
        let presigned = signer.presign(request, Duration::from_secs(60), now()).unwrap();
        let signed = signer.sign(request, Payload::EMPTY, now()).unwrap();
        for (string_to_sign, canonical_request, signature) in [
            (presigned.string_to_sign(), presigned.canonical_request(), presigned.signature()),
            (signed.string_to_sign(), signed.canonical_request(), signed.signature()),
        ] {
            assert_eq!(string_to_sign.to_string().lines().nth(2), Some(scope.to_string().as_str()));
            let same = StringToSign::new(now(), scope, &canonical_request);
            assert_eq!(string_to_sign.to_string(), same.to_string());
            assert!(key.sign(&string_to_sign).matches(&signature));
        }
    }
}
