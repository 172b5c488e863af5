//! Requests, accepted and refused.

use countersign::streaming::{Checksum, Chunked};
use countersign::{Credentials, Request, Signer};

use crate::support::{File, HOST, ID, SECRET, TIME, USER, at, http, run, signed, signer};

const AT: [&str; 5] = ["verify", "--user", USER, "--date", TIME];

fn verify(more: &[&str], request: impl Into<Vec<u8>>) -> crate::support::Outcome {
    run(&[AT.as_slice(), more].concat(), request)
}

fn request() -> Vec<u8> {
    let headers = [("Content-Type", "application/json"), ("X-Amz-Meta-A", "1")];
    signed(&signer(SECRET, "us-east-1", "execute-api"), "POST", "/dev/items?b=2&a=1", &headers, b"{}")
}

/// The request with a text replaced in its head.
fn with(from: &str, to: &str) -> Vec<u8> {
    let text = String::from_utf8(request()).unwrap();
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1).into_bytes()
}

#[test]
fn accepted() {
    let outcome = verify(&[], request()).expect(
        0,
        &[
            "accepted\n",
            "caller          AKIDEXAMPLE\n",
            "scope           20150830/us-east-1/execute-api/aws4_request\n",
            "signed at       20150830T123600Z, 0 seconds before 20150830T123600Z\n",
            "request         POST /dev/items on abc123.execute-api.us-east-1.amazonaws.com\n",
            "signed headers  content-type, host, x-amz-date, x-amz-meta-a\n",
            "other headers   content-length (not signed: anyone could have added them)\n",
            "body            matches the signed SHA-256\n",
            "note: region us-east-1 and service execute-api are taken from the request itself",
        ],
    );
    assert_eq!(outcome.err, "");
    // Both are checked, so there is nothing to note.
    let both = verify(&["--region", "us-east-1", "--service", "execute-api"], request()).expect(0, &["accepted"]);
    assert!(!both.out.contains("note:"));
    let lf = String::from_utf8(request()).unwrap().replace("\r\n", "\n");
    verify(&[], lf).expect(0, &["accepted"]);
    let json = verify(&["--json"], request()).expect(0, &[]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(
        (&json["accepted"], &json["access_key_id"], &json["age_seconds"]),
        (&true.into(), &ID.into(), &0.into())
    );
}

#[test]
fn the_first_check_that_fails_is_named() {
    let refused =
        |check: u8, request: Vec<u8>| verify(&[], request).expect(1, &[&format!("refused by check {check}:")]);
    refused(1, with("POST /dev/items?b=2&a=1", "POST /dev/items#b"));
    refused(2, with("x-amz-date:", "X-Amz-Date: 20150830T123600Z\r\nx-amz-date:"));
    refused(3, with("authorization:", "x-authorization:"));
    refused(4, with("AWS4-HMAC-SHA256 ", "AWS4-HMAC-SHA1 "));
    refused(5, with("Signature=", "Signed="));
    refused(6, with("/20150830/us-east-1/", "/us-east-1/"));
    refused(7, with("x-amz-date: 20150830T123600Z", "x-amz-date: yesterday"));
    refused(8, with("x-amz-date:", "x-amz-content-sha256: x\r\nx-amz-date:"));
    refused(10, with("POST /dev", "POST http://example.com/dev"));
    refused(11, with("x-amz-date:", "x-amz-acl: private\r\nx-amz-date:"));
    refused(12, with("X-Amz-Meta-A: 1\r\n", ""));
    refused(13, with("x-amz-date:", "Connection: x-amz-date\r\nx-amz-date:"));
    refused(14, with("Content-Type:", "Content-Type: text/plain\r\nContent-Type:"));
    refused(15, with("POST /dev", "POST /./dev"));
    refused(19, with("x-amz-date:", "x-amz-content-sha256: UNSIGNED-PAYLOAD\r\nx-amz-date:"));
    refused(21, with("a=1", "a=2"));
    refused(21, with("\r\n\r\n{}", "\r\n\r\n[]"));
    let now = ["verify", "--user", USER, "--region", "us-east-1", "--service", "execute-api"];
    run(&now, request()).expect(1, &["refused by check 17: request expired"]);
    run(&[now.as_slice(), &["--date", "request"]].concat(), request()).expect(0, &["accepted"]);
    verify(&["--region", "eu-west-1"], request()).expect(1, &["refused by check 18:", "eu-west-1"]);
    verify(&["--service", "s3"], request()).expect(1, &["refused by check 18:"]);
    let other = run(&["verify", "--user", "OTHER:x", "--date", TIME], request());
    other.expect(1, &["refused by check 20:", "the credentials that were given are those of \"OTHER\""]);
    let json = verify(&["--json", "-v"], with("a=1", "a=2")).expect(1, &[]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&json["accepted"], &json["check"]), (&false.into(), &21.into()));
    assert!(json["computed"]["canonical_request"].as_str().unwrap().contains("\na=2&b=2\n"));
}

#[test]
fn a_presigned_url() {
    let signer = signer(SECRET, "us-east-1", "s3");
    let request = Request::new("GET", "/key", &[]).with_host("bucket.s3.amazonaws.com");
    let presigned = signer.presign(request, std::time::Duration::from_secs(900), at(TIME)).unwrap();
    let text = http("GET", presigned.target(), &[("Host", "bucket.s3.amazonaws.com")], b"");
    verify(&[], text.as_slice()).expect(0, &["in the query", "not signed; any body is accepted"]);
    let later = |time| run(&["verify", "--user", USER, "--date", time], text.as_slice());
    later("2015-08-30T12:51:00Z").expect(0, &["15 minutes before"]);
    later("2015-08-30T12:51:01Z").expect(1, &["refused by check 17: presigned URL expired"]);
    run(&["verify", "--user", USER, "--date", "request"], text).expect(0, &[]);
}

#[test]
fn behind_a_proxy() {
    let request = with(HOST, "internal:8080");
    verify(&[], request.as_slice()).expect(1, &["refused by check 21:"]);
    verify(&["--external-host", "other.example", "--external-host", HOST], request).expect(0, &[HOST]);
}

#[test]
fn paths_and_headers_that_aws_accepts() {
    let signer = signer(SECRET, "us-east-1", "execute-api");
    let dots = signed(&signer, "GET", "/dev/../dev/list", &[], b"");
    verify(&[], dots.as_slice()).expect(1, &["refused by check 15:"]);
    verify(&["--accept-dot-segments"], dots).expect(0, &["GET /dev/list on"]);
    let twice = signed(&signer, "GET", "/dev", &[("X-Amz-Acl", "a"), ("X-Amz-Acl", "b")], b"");
    verify(&[], twice.as_slice()).expect(1, &["refused by check 14:"]);
    verify(&["--accept-repeated-headers"], twice).expect(0, &[]);
}

#[test]
fn bodies() {
    let chunked = |text: &str| {
        let request = with("Content-Length: 2", "Transfer-Encoding: chunked");
        String::from_utf8(request).unwrap().replace("\r\n\r\n{}", &format!("\r\n\r\n{text}"))
    };
    verify(&[], chunked("1\r\n{\r\n1\r\n}\r\n0\r\n\r\n")).expect(0, &["decoded from chunks: 2 bytes"]);
    verify(&[], chunked("{}")).expect(2, &["not valid in that coding", "--body"]);
    let (head, body) =
        (File::new(String::from_utf8(with("Content-Length: 2\r\n", "")).unwrap().replace("{}", "")), File::new("{}"));
    verify(&[head.path(), "--body", body.path()], "").expect(0, &["accepted"]);
    verify(&[head.path(), "--body", "-"], "{}").expect(0, &["accepted"]);
    verify(&[head.path(), "--body", "-"], "{} ").expect(1, &["refused by check 21:"]);
    verify(&["--body", body.path()], request()).expect(2, &["has a body of its own"]);
    verify(&["--body", "-"], request()).expect(2, &["one thing only"]);
    verify(&[], with("Content-Length: 2", "Content-Length: 3")).expect(2, &["only 2 bytes of body follow"]);
    verify(&[], with("Content-Length: 2", "Content-Length: 2\r\nTransfer-Encoding: chunked")).expect(2, &["both"]);
}

/// An upload in chunks, with its last byte changed if asked for.
fn upload(upload: &Chunked, data: &[u8], change: bool) -> Vec<u8> {
    let signer = signer(SECRET, "us-east-1", "s3");
    let request = Request::new("PUT", "/key", &[]).with_host("bucket.s3.amazonaws.com");
    let signed = signer.sign_chunked(request, upload, at(TIME)).unwrap();
    let (mut encoder, mut body) = (signed.encoder(), Vec::new());
    encoder.push(data, |bytes| body.extend_from_slice(bytes)).unwrap();
    encoder.finish(|bytes| body.extend_from_slice(bytes)).unwrap();
    if change {
        let at = body.windows(data.len().min(64)).position(|window| data.starts_with(window)).unwrap();
        body[at] ^= 1;
    }
    let mut headers = vec![("Host", "bucket.s3.amazonaws.com")];
    headers.extend(signed.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length")));
    http("PUT", "/key", &headers, &body)
}

#[test]
fn chunks_are_verified_one_by_one() {
    let data = vec![b'a'; 200_000];
    let plain = Chunked::signed(data.len() as u64);
    verify(&[], upload(&plain, &data, false)).expect(0, &["200000 bytes; the signature of each chunk matches\n"]);
    verify(&[], upload(&plain, &data, true))
        .expect(1, &["refused by check 22: the signature of chunk 1 does not match"]);
    let trailer = plain.with_checksum(Checksum::Crc32c);
    verify(&[], upload(&trailer, &data, false)).expect(0, &["with x-amz-checksum-crc32c"]);
    let unsigned = Chunked::unsigned(data.len() as u64).with_checksum(Checksum::Sha256);
    verify(&[], upload(&unsigned, &data, false))
        .expect(0, &["in chunks that are not signed, with x-amz-checksum-sha256"]);
    verify(&[], upload(&unsigned, &data, true))
        .expect(1, &["refused by check 22: x-amz-checksum-sha256 does not match"]);
    // In a file of its own, it is read piece by piece.
    let all = upload(&trailer, &data, false);
    let split = all.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let (head, body) = (File::new(&all[..split]), File::new(&all[split..]));
    verify(&[head.path(), "--body", body.path()], "").expect(0, &["200000 bytes"]);
}

#[test]
fn sigv4a_and_session_tokens() {
    let credentials = Credentials::new(ID, SECRET).unwrap().with_session_token("FwoGZXIvYXdztoken").unwrap();
    let sigv4a = Signer::sigv4a(credentials.clone(), "us-west-*,eu-west-1", "execute-api").unwrap();
    let request = signed(&sigv4a, "GET", "/dev", &[], b"");
    let token = ["--session-token", "FwoGZXIvYXdztoken"];
    let outcome =
        verify(&token, request.as_slice()).expect(0, &["region set us-west-*,eu-west-1", "with a session token"]);
    assert!(!outcome.all().contains("FwoGZXIvYXdztoken"));
    verify(&[], request.as_slice()).expect(1, &["refused by check 20: the session token"]);
    verify(&[&token[..], &["--region", "us-east-1"]].concat(), request).expect(1, &["refused by check 18:"]);
}
