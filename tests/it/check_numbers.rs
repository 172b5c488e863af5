//! Each error names the number of the check that failed, as the documentation of `Verifier` lists them.

use std::time::Duration;

use countersign::{Location, Payload, Request, Rules, StreamingPayload, Verifier, VerifyError};

use crate::support::fixtures::{HOST, added, at, credentials, now, signer, temporary, verify, views};

type Change = fn(&mut String, &mut Vec<(String, Vec<u8>)>);

/// The number for a signed request with a change.
fn number(verifier: &Verifier, change: Change) -> u8 {
    let (mut target, given) = (String::from("/dev/items?a=1"), [("content-type", b"text/plain".as_slice())]);
    let signed =
        signer("execute-api").sign(Request::new("GET", &target, &given).with_host(HOST), Payload::EMPTY, now());
    let mut headers = added(&signed.unwrap());
    headers.push(("content-type".into(), b"text/plain".to_vec()));
    change(&mut target, &mut headers);
    let headers = views(&headers);
    let request = Request::new("GET", &target, &headers).with_host(HOST);
    let error = verify(verifier, request, b"", &credentials(), now()).unwrap_err();
    error.check_number(request)
}

fn push(headers: &mut Vec<(String, Vec<u8>)>, name: &str, value: &str) {
    headers.push((name.into(), value.into()));
}

fn replace(headers: &mut [(String, Vec<u8>)], from: &str, to: &str) {
    for (_, value) in headers {
        *value = String::from_utf8(value.clone()).unwrap().replace(from, to).into_bytes();
    }
}

#[test]
fn of_requests_that_are_signed_in_their_header() {
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap();
    let cases: [(u8, Change); 17] = [
        (1, |target, _| target.push('#')),
        (1, |_, headers| push(headers, "x y", "1")),
        (2, |_, headers| push(headers, "X-Amz-Date", "20150830T123600Z")),
        (3, |_, headers| headers.retain(|(name, _)| name != "authorization")),
        (3, |target, _| target.push_str("&X-Amz-Algorithm=AWS4-HMAC-SHA256")),
        (4, |_, headers| replace(headers, "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA1")),
        (4, |_, headers| replace(headers, "AWS4-HMAC-SHA256", "Bearer")),
        (5, |_, headers| replace(headers, "Signature=", "Other=")),
        (5, |_, headers| replace(headers, "Signature=", "Credential=a, Signature=")),
        (6, |_, headers| replace(headers, "/us-east-1/", "/")),
        (7, |_, headers| replace(headers, "20150830T123600Z", "now")),
        (8, |_, headers| push(headers, "x-amz-content-sha256", "x")),
        (11, |_, headers| push(headers, "x-amz-acl", "private")),
        (12, |_, headers| headers.retain(|(name, _)| name != "content-type")),
        (13, |_, headers| push(headers, "connection", "x-amz-date")),
        (15, |target, _| *target = "/./dev".into()),
        (21, |target, _| *target = "/other".into()),
    ];
    for (index, (expected, change)) in cases.into_iter().enumerate() {
        assert_eq!(number(&verifier, change), expected, "case {index}");
    }
    assert_eq!(number(&verifier, |_, headers| push(headers, "host", "example.com")), 10);
    assert_eq!(number(&verifier, |_, headers| push(headers, "content-type", "b")), 14);
    assert_eq!(number(&verifier, |_, headers| push(headers, "x-amz-content-sha256", "UNSIGNED-PAYLOAD")), 19);
    let strict = verifier.clone().refuse_repeated_parameters();
    assert_eq!(number(&strict, |target, _| target.push_str("&a=2")), 16);
    assert_eq!(number(&Verifier::new("eu-west-1", "execute-api").unwrap(), |_, _| {}), 18);
    let late = at("20150830T133600Z");
    let rules = Verifier::new("us-east-1", "execute-api").unwrap().with_rules(Rules::S3);
    assert_eq!(number(&rules, |_, _| {}), 19);

    let signed =
        signer("execute-api").sign(Request::new("GET", "/", &[]).with_host(HOST), Payload::EMPTY, now()).unwrap();
    let headers = added(&signed);
    let headers = views(&headers);
    let request = Request::new("GET", "/", &headers).with_host(HOST);
    let of = |body: &[u8], known, now| verify(&verifier, request, body, &known, now).unwrap_err().check_number(request);
    assert_eq!(of(b"", credentials(), late), 17);
    assert_eq!(of(b"", temporary(), now()), 20);
    assert_eq!(of(b"other", credentials(), now()), 21);
    let needed = verifier.parse(request, now()).unwrap().verify_head(Some(&credentials())).unwrap_err();
    assert_eq!((needed.check_number(request), needed), (22, VerifyError::BodyNeeded));
    // Without a host, behind external hosts there would be one.
    let request = Request::new("GET", "/", &headers);
    assert_eq!(verify(&verifier, request, b"", &credentials(), now()).unwrap_err().check_number(request), 19);
}

#[test]
fn of_presigned_requests() {
    let verifier = Verifier::new("us-east-1", "s3").unwrap();
    let request = Request::new("GET", "/key", &[]).with_host(HOST);
    let presigned = signer("s3").presign(request, Duration::from_secs(900), now()).unwrap();
    let of = |target: &str, headers: &[(&str, &[u8])], now| {
        let request = Request::new("GET", target, headers).with_host(HOST);
        verify(&verifier, request, b"", &credentials(), now).unwrap_err().check_number(request)
    };
    let target = presigned.target();
    assert_eq!(of(&format!("{target}&X-Amz-Date=20150830T123600Z"), &[], now()), 5);
    assert_eq!(of(&target.replace("X-Amz-Credential", "other"), &[], now()), 5);
    assert_eq!(of(&target.replace("X-Amz-Expires=900&", ""), &[], now()), 17);
    assert_eq!(of(&target.replace("=900&", "=0&"), &[], now()), 17);
    assert_eq!(of(&target.replace("=900&", "=x&"), &[], now()), 7);
    assert_eq!(of(target, &[("authorization", b"Bearer a")], now()), 9);
    assert_eq!(of(target, &[("authorization", b"AWS4-HMAC-SHA256 a")], now()), 3);
    let token = format!("{target}&X-Amz-Security-Token=a");
    assert_eq!(of(&token, &[("x-amz-security-token", b"a")], now()), 2);
    assert_eq!(of(&format!("{token}&X-Amz-Security-Token=b"), &[], now()), 5);
    assert_eq!(of(target, &[], at("20150830T130000Z")), 17);
    let hash = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD";
    assert_eq!(of(&format!("{target}&X-Amz-Content-Sha256={hash}"), &[], now()), 19);
    let other = [("x-amz-content-sha256", b"UNSIGNED-PAYLOAD".as_slice())];
    assert_eq!(of(&format!("{target}&X-Amz-Content-Sha256={hash}"), &other, now()), 8);
    // A signed header that is in the query only.
    let signed = target.replace("SignedHeaders=host", "SignedHeaders=host%3Bx-amz-acl");
    assert_eq!(of(&signed, &[], now()), 12);
    assert_eq!(of(&format!("{signed}&x-amz-acl=a&x-amz-acl=b"), &[], now()), 12);
    assert_eq!(of(&format!("{signed}&x-amz-acl=a%0A"), &[], now()), 12);
    assert_eq!(of(&format!("{signed}&x-amz-acl=a"), &[("x-amz-acl", b"b")], now()), 12);
}

/// Errors that only one check returns don't depend on the request.
#[test]
fn of_errors_alone() {
    let request = Request::new("GET", "/", &[]);
    let location = Location::Header;
    for (number, error) in [
        (4, VerifyError::MissingRegionSet { location }),
        (18, VerifyError::WrongRegionSet { got: "x".into(), regions: Vec::new() }),
        (20, VerifyError::UnknownAccessKey { access_key_id: "x".into() }),
        (20, VerifyError::ExpiredSessionToken { access_key_id: "x".into(), expires_at: now() }),
        (22, VerifyError::BodyMismatch { signed: "x".into(), computed: "x".into() }),
        (22, VerifyError::BodyIsStreamed { streaming: StreamingPayload::Signed }),
    ] {
        assert_eq!(error.check_number(request), number, "{error}");
    }
}
