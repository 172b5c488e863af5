//! The texts of explanations, and the data for programs.

use countersign::explain::{Cause, Explanation, Sent};
use countersign::{Credentials, ErrorFormat, Payload, Request, Signed, Signer, Timestamp, VerifyError};

use super::catalogue::now;
use crate::support::fixtures::{FORMATS, HOST, SECRET, credentials, signer, verifier, verify};

fn changed(name: &str, signed: &str, verified: &str) -> Cause {
    Cause::ParameterChanged { name: name.into(), signed: signed.into(), verified: verified.into() }
}

fn sign(headers: &[(&str, &[u8])], body: &[u8], now: Timestamp) -> Signed {
    let signer = signer("execute-api").also_sign(["x-trace"]);
    signer.sign(Request::new("POST", "/dev/items?a=1&b=2", headers).with_host(HOST), Payload::Bytes(body), now).unwrap()
}

/// Returns the response to a request that was changed after signing.
fn answer(signed: &Signed, target: &str, headers: &[(&str, &[u8])], body: &[u8], now: Timestamp) -> VerifyError {
    let mut all = headers.to_vec();
    all.extend(signed.headers().map(|(name, value)| (name, value.as_bytes())));
    let request = Request::new("POST", target, &all).with_host(HOST);
    verify(&verifier("execute-api").echo_computed_raw(), request, body, &credentials(), now).unwrap_err()
}

fn explain(error: &VerifyError, signed: &Signed) -> Explanation {
    let code = [("x-amzn-ErrorType", error.refusal(ErrorFormat::RestJson).code().as_bytes())];
    let body = error.refusal(ErrorFormat::RestJson).body("");
    Explanation::from_response(error.refusal(ErrorFormat::RestJson).status(), &code, body.as_bytes(), Some(signed))
}

#[test]
fn a_mismatch_displays_cause_evidence_fix_and_difference() {
    let signed = sign(&[("content-type", b"application/json")], b"{}", now());
    let arrived: [(&str, &[u8]); 1] = [("content-type", b"application/json; charset=utf-8")];
    let error = answer(&signed, "/dev/items?a=1&b=2", &arrived, b"{}", now());
    assert_eq!(
        explain(&error, &signed).to_string(),
        "403 InvalidSignatureException: The request signature we calculated does not match the signature you provided. \
         Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\
         1. the charset of the content type differs: it was signed as \"application/json\", but arrived as \
         \"application/json; charset=utf-8\"\n   \
         evidence: the line of content-type differs\n   \
         fix:      sign the content type exactly as the client sends it, including its charset\n\
         signed (-), computed by the server (+):\n\
         - content-type:application/json\n\
         + content-type:application/json; charset=utf-8\n                               ^"
    );
}

#[test]
fn the_difference_is_shown_line_by_line() {
    let signed = sign(&[("x-trace", b"1")], b"{}", now());
    let error = answer(&signed, "/dev/items?a=1&b=3", &[("x-trace", b"2")], b"{ }", now());
    let explanation = explain(&error, &signed);
    let causes: Vec<&Cause> = explanation.findings().map(|finding| finding.cause()).collect();
    assert_eq!(
        causes,
        [
            &changed("b", "2", "3"),
            &Cause::HeaderChanged { name: "x-trace".into(), signed: "1".into(), verified: "2".into() },
            &Cause::BodyChanged,
        ]
    );
    assert_eq!(
        explanation.diff().unwrap().to_string(),
        "  POST\n  /dev/items\n- a=1&b=2\n+ a=1&b=3\n        ^\n  host:abc123.execute-api.us-east-1.amazonaws.com\n  \
         x-amz-date:20260830T123600Z\n- x-trace:1\n+ x-trace:2\n  \n  host;x-amz-date;x-trace\n\
         - 44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a\n\
         + 257c1be96ae69f4b01c2c69bdb6d78605f59175819fb007d0bf245bf48444c4a"
    );
}

#[test]
fn the_clock_offset_corrects_the_clock() {
    let slow = now().saturating_add(-1200);
    let signed = sign(&[], b"{}", slow);
    let error = answer(&signed, "/dev/items?a=1&b=2", &[], b"{}", now());
    let explanation = explain(&error, &signed);
    let offset = explanation.clock_offset().unwrap();
    assert_eq!(offset, 1200);
    assert_eq!(explanation.findings().next().unwrap().cause(), &Cause::ClockSkew { offset: Some(1200) });

    let signed = sign(&[], b"{}", slow.saturating_add(offset));
    let error = answer(&signed, "/dev/items?a=1&b=2", &[], b"{ }", now());
    assert!(matches!(error, VerifyError::SignatureMismatch { .. }), "{error:?}: the clock is no trouble any more");
}

#[test]
fn the_clock_offset_is_read_from_the_date_header() {
    let headers: [(&str, &[u8]); 1] = [("Date", b"Sun, 30 Aug 2026 12:36:20 GMT")];
    let signed = sign(&[], b"", now());
    assert_eq!(Explanation::from_response(403, &headers, b"", Some(&signed)).clock_offset(), Some(20));
    assert_eq!(Explanation::from_response(403, &headers, b"", None).clock_offset(), None);
}

#[test]
fn redacted_values_count_as_equal_and_hidden_differences_are_marked() {
    let text = |token: &str, query: &str| {
        format!("GET\n/\n{query}\nhost:h\nx-amz-security-token:{token}\n\nhost;x-amz-security-token\nUNSIGNED-PAYLOAD")
    };
    let explanation = Explanation::compare(text("[redacted]", ""), text("TOKEN", ""));
    assert_eq!(explanation.findings().next().unwrap().cause(), &Cause::WrongSecret);

    let explanation = Explanation::compare(text("OTHER", ""), text("TOKEN", ""));
    assert_eq!(explanation.findings().next().unwrap().cause(), &Cause::TokenInvalid);
    let shown = explanation.to_string();
    assert!(
        shown.ends_with("  ^ differs in a part that is not shown")
            && !shown.contains("TOKEN")
            && !shown.contains("OTHER"),
        "{shown}"
    );

    let hidden = text("[redacted]", "X-Amz-Security-Token=[redacted]&a=1");
    let explanation = Explanation::compare(hidden, text("T", "X-Amz-Security-Token=T&a=2"));
    let causes: Vec<_> = explanation.findings().map(|finding| finding.cause().clone()).collect();
    assert_eq!(causes, [changed("a", "2", "1")]);
}

#[test]
fn a_request_of_another_signer_is_explained_as_sent() {
    let signed = sign(&[], b"", now());
    let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let sent = Sent::from(&Request::new("POST", "/dev/items", &headers).with_host(HOST));
    let body = br#"{"message":"Credential should be scoped to a valid region, not 'eu-west-1'. "}"#;
    let explanation = Explanation::from_response(403, &[], body, sent);
    let right = Cause::WrongRegion { expected: Some("us-east-1".into()) };
    assert_eq!(explanation.findings().next().unwrap().cause(), &right);
}

#[test]
fn the_region_to_use_is_read_from_the_host() {
    let body = br#"{"message":"Credential should be scoped to a valid region, not 'us-west-2'. "}"#;
    for (host, service, expected) in [
        ("abc123.execute-api.eu-west-1.amazonaws.com", "execute-api", Some("eu-west-1")),
        ("abc123.execute-api.eusc-de-east-1.amazonaws.eu", "execute-api", Some("eusc-de-east-1")),
        ("iam.us-gov.amazonaws.com", "iam", Some("us-gov-west-1")),
        ("route53.amazonaws.com.cn", "route53", Some("cn-northwest-1")),
        ("us-east-1.queue.amazonaws.com", "sqs", Some("us-east-1")),
        ("unheard-of.eu-west-1.amazonaws.com", "unheard-of", Some("eu-west-1")),
        ("gateway.example.com", "iam", Some("us-east-1")),
        ("gateway.example.com", "execute-api", None),
        ("abc123.execute-api.us-west-2.amazonaws.com", "execute-api", None),
    ] {
        let signer = Signer::new(credentials(), "us-west-2", service).unwrap();
        let signed = signer.sign(Request::new("GET", "/", &[]).with_host(host), Payload::EMPTY, now()).unwrap();
        let explanation = Explanation::from_response(403, &[], body, Some(&signed));
        let cause = Cause::WrongRegion { expected: expected.map(Into::into) };
        assert_eq!(explanation.findings().next().unwrap().cause(), &cause, "{host}");
    }
}

#[test]
fn a_request_of_another_signer_is_compared_with_what_the_server_computed() {
    let signed = sign(&[("content-type", b"application/json")], b"{}", now());
    let mut headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    headers.push(("content-type", b"application/json"));
    let request = Request::new("POST", "/dev/items?a=1&b=2", &headers).with_host(HOST);
    let refused = |target: &str, content_type: &[u8], key: &str| {
        let mut arrived = headers.clone();
        arrived.last_mut().unwrap().1 = content_type;
        let arrived = Request::new("POST", target, &arrived).with_host(HOST);
        let verifier = verifier("execute-api").echo_computed();
        let known = Credentials::new("AKIDEXAMPLE", key).unwrap();
        let error = verify(&verifier, arrived, b"{}", &known, now()).unwrap_err();
        Explanation::from_response(403, &[], error.refusal(ErrorFormat::RestJson).body("").as_bytes(), &request)
    };
    let causes =
        |explanation: &Explanation| -> Vec<Cause> { explanation.findings().map(|f| f.cause().clone()).collect() };

    let on_the_way = refused("/prod/items?a=1&b=3", b"text/plain", SECRET);
    let header = Cause::HeaderChanged {
        name: "content-type".into(),
        signed: "application/json".into(),
        verified: "text/plain".into(),
    };
    let path = Cause::PathChanged { signed: "/dev/items".into(), verified: "/prod/items".into() };
    assert_eq!(causes(&on_the_way), [path, changed("b", "2", "3"), header]);
    // The body is unknown and does not count as a difference.
    assert_eq!(on_the_way.diff().unwrap().to_string().matches("\n- ").count(), 3);

    let as_sent = refused("/dev/items?a=1&b=2", b"application/json", "another");
    assert_eq!(causes(&as_sent), [Cause::Mismatch]);
    // Without a hash in a header, a changed body can't be told from a wrong secret.
    assert!(as_sent.findings().next().unwrap().evidence().contains("arrived as sent, so the secret, the body or the"));
    assert_eq!(as_sent.computed(), Some(signed.canonical_request().to_string().as_str()));
}

#[test]
fn a_body_whose_hash_was_sent_is_not_suspected() {
    let mut request = http::Request::post("https://example.com/key").body("{}").unwrap();
    signer("s3").sign_http(&mut request, now()).unwrap();
    let wrong = Credentials::new("AKIDEXAMPLE", "another").unwrap();
    let error = verify(&verifier("s3").echo_computed(), &request, b"{}", &wrong, now()).unwrap_err();
    let body = error.refusal(ErrorFormat::S3Xml).body("");
    let explanation = Explanation::from_response(403, &[], body.as_bytes(), &request);
    let first = explanation.findings().next().unwrap();
    assert_eq!(first.cause(), &Cause::Mismatch);
    assert!(first.evidence().contains("so the secret or the signer's"), "{}", first.evidence());
}

#[test]
fn what_the_server_computed_is_shown_if_the_request_is_unknown() {
    let signed = sign(&[], b"{}", now());
    let error = answer(&signed, "/dev/items?a=1&b=3", &[], b"{}", now());
    for format in FORMATS {
        let explanation = Explanation::from_response(403, &[], error.refusal(format).body("1").as_bytes(), None);
        assert_eq!(explanation.findings().next().unwrap().cause(), &Cause::Mismatch);
        let computed = explanation.computed().unwrap();
        assert!(explanation.to_string().contains("computed by the server:\n  POST\n  /dev/items\n  a=1&b=3\n  host:"));
        // It is compared with the text of another signer.
        let between = Explanation::compare(computed, signed.canonical_request().as_bytes());
        assert_eq!(between.findings().next().unwrap().cause(), &changed("b", "2", "3"));
    }
}

#[test]
fn cached_responses_give_no_clock_offset_and_presigned_urls_only_a_negative_one() {
    let date: (&str, &[u8]) = ("Date", b"Sun, 30 Aug 2026 12:36:20 GMT");
    let signed = sign(&[], b"", now());
    let offset = |headers: &[(&str, &[u8])]| Explanation::from_response(403, headers, b"", &signed).clock_offset();
    assert_eq!(offset(&[date, ("Age", b"17")]), None);
    assert_eq!(offset(&[date, ("age", b"0")]), Some(20));

    let signer = signer("s3");
    let request = Request::new("GET", "/key", &[]).with_host("bucket.s3.amazonaws.com");
    for (ahead, expected) in [(3600, Some(-3580)), (-3600, None)] {
        let presigned =
            signer.presign(request, std::time::Duration::from_secs(60), now().saturating_add(ahead)).unwrap();
        let body = b"<Error><Code>AccessDenied</Code><Message>Request is not valid yet</Message></Error>";
        assert_eq!(Explanation::from_response(403, &[date], body, &presigned).clock_offset(), expected);
    }
}

#[test]
fn long_lines_are_clipped_around_the_difference() {
    let text = |value: &str| format!("GET\n/\na={value}\nhost:h\n\nhost\nUNSIGNED-PAYLOAD");
    let (long, other) = ("x".repeat(300) + "1" + &"y".repeat(300), "x".repeat(300) + "2" + &"y".repeat(300));
    let explanation = Explanation::compare(text(&other), text(&long));
    let shown = explanation.to_string();
    let start = "…".to_owned() + &"x".repeat(60);
    let lines: Vec<&str> = shown.lines().rev().take(3).collect();
    assert!(lines[2].starts_with(&format!("- {start}1y")) && lines[2].ends_with("y…"), "{shown}");
    assert!(lines[1].starts_with(&format!("+ {start}2y")) && lines[1].ends_with("y…"), "{shown}");
    let column = |line: &str, c: char| line.chars().position(|other| other == c).unwrap();
    assert_eq!(column(lines[0], '^'), column(lines[1], '2'));
    assert!(shown.lines().all(|line| line.chars().count() < 160), "{shown}");
    // Complete in the diff itself.
    assert!(explanation.diff().unwrap().to_string().contains(&long));
}

#[test]
fn bytes_that_are_not_utf8_are_compared_as_bytes() {
    let text = |value: &[u8]| [b"GET\n/\n\nhost:h\nx-name:caf".as_slice(), value, b"\n\nhost;x-name\nx"].concat();
    let causes = |theirs: &[u8], ours: &[u8]| -> Vec<String> {
        Explanation::compare(text(theirs), text(ours)).findings().map(|f| format!("{:?}", f.cause())).collect()
    };
    let changed = "HeaderChanged { name: \"x-name\", signed: \"caf\\\\xE9\", verified: \"café\" }";
    assert_eq!(causes("é".as_bytes(), b"\xe9"), [changed]);
    assert_eq!(causes(b"\xe8", b"\xe9").len(), 1);
    assert_eq!(causes(b"\xe9", b"\xe9"), ["WrongSecret"]);
    // Text that a server converted lossily.
    assert_eq!(causes("\u{fffd}".as_bytes(), b"\xe9"), ["WrongSecret"]);
}

#[test]
fn an_unsigned_header_that_was_not_there_when_the_request_was_signed_was_added_on_the_way() {
    let signed = sign(&[("x-amz-meta-own", b"1")], b"", now());
    for (arrived, evidence) in [
        ("x-amz-cf-id", "x-amz-cf-id was not there when the request was signed; likely a proxy or CDN added it"),
        ("x-amz-meta-own", "There were headers present in the request which were not signed"),
    ] {
        let refusal = VerifyError::HeadersNotSigned { names: vec![arrived.into()] };
        let body = refusal.refusal(ErrorFormat::S3Xml).body("");
        let explanation = Explanation::from_response(403, &[], body.as_bytes(), Some(&signed));
        let first = explanation.findings().next().unwrap();
        assert_eq!(*first.cause(), Cause::UnsignedHeaders { names: vec![arrived.into()] });
        assert!(first.evidence().contains(evidence), "{}", first.evidence());
        let unknown = Explanation::from_response(403, &[], body.as_bytes(), Sent::default());
        assert!(!unknown.to_string().contains("likely a proxy"));
    }
}
