//! What a person reads, and what a program does with the data.

use countersign::explain::{Cause, Explanation, Sent};
use countersign::{
    Credentials, Dialect, Payload, Presented, Request, Signed, Signer, Timestamp, Verifier, VerifyError,
};

const HOST: &str = "abc123.execute-api.us-east-1.amazonaws.com";

fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap()
}

fn now() -> Timestamp {
    "20260830T123600Z".parse().unwrap()
}

fn sign(headers: &[(&str, &[u8])], body: &[u8], now: Timestamp) -> Signed {
    let signer = Signer::new(credentials(), "us-east-1", "execute-api").also_sign(["x-trace"]);
    signer
        .sign(&Request::new("POST", "/dev/items?a=1&b=2", headers).with_host(HOST), Payload::Bytes(body), now)
        .unwrap()
}

/// What a gateway answers to a request that was signed and then changed.
fn answer(signed: &Signed, target: &str, headers: &[(&str, &[u8])], body: &[u8], now: Timestamp) -> VerifyError {
    let mut all = headers.to_vec();
    all.extend(signed.headers().map(|(name, value)| (name, value.as_bytes())));
    let request = Request::new("POST", target, &all).with_host(HOST);
    let presented = Presented::parse(request).unwrap().with_body(body);
    let key = presented.derive_key(Some(&credentials()));
    Verifier::new("us-east-1", "execute-api").echo_computed_raw().verify(presented, &key, now).unwrap_err()
}

fn explain(error: &VerifyError, signed: &Signed) -> Explanation {
    let code = [("x-amzn-ErrorType", error.code(Dialect::RestJson).as_bytes())];
    let body = error.body(Dialect::RestJson, "");
    Explanation::from_response(error.status(Dialect::RestJson), &code, body.as_bytes(), Some(signed))
}

#[test]
fn a_mismatch_reads_as_cause_evidence_fix_and_difference() {
    let signed = sign(&[("content-type", b"application/json")], b"{}", now());
    let arrived: [(&str, &[u8]); 1] = [("content-type", b"application/json; charset=utf-8")];
    let error = answer(&signed, "/dev/items?a=1&b=2", &arrived, b"{}", now());
    assert_eq!(
        explain(&error, &signed).to_string(),
        "403 InvalidSignatureException: The request signature we calculated does not match the signature you provided. \
         Check your AWS Secret Access Key and signing meth…\n\
         1. the content type differs in its character set\n   \
         seen: the line of content-type differs\n   \
         fix:  sign the content type as the client sends it, with its charset\n\
         signed (-) and computed by the server (+):\n\
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
            &Cause::ParameterChanged { name: "b".into() },
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
fn a_clock_is_corrected_by_what_the_server_says() {
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
fn the_clock_is_told_by_the_date_header_of_any_answer() {
    let headers: [(&str, &[u8]); 1] = [("Date", b"Sun, 30 Aug 2026 12:36:20 GMT")];
    let signed = sign(&[], b"", now());
    assert_eq!(Explanation::from_response(403, &headers, b"", Some(&signed)).clock_offset(), Some(20));
    assert_eq!(Explanation::from_response(403, &headers, b"", None).clock_offset(), None);
}

#[test]
fn two_texts_are_compared_without_a_response() {
    let ours = "AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-east-1/s3/aws4_request\n00";
    for (theirs, cause) in [
        (ours.to_owned(), Cause::WrongSecret),
        (ours.replace("us-east-1", "eu-west-1"), Cause::WrongRegion { expected: Some("eu-west-1".into()) }),
        (ours.replace("/s3/", "/s3express/"), Cause::WrongService { expected: Some("s3express".into()) }),
        (ours.replace("20260830/", "20260829/"), Cause::ScopeMalformed),
        (ours.replace("aws4_request", "aws4"), Cause::ScopeMalformed),
        (ours.replace("\n00", "\n01"), Cause::TextDiffers { line: 4 }),
    ] {
        let explanation = Explanation::between(&theirs, ours);
        assert_eq!(explanation.findings().next().unwrap().cause(), &cause, "{theirs}");
        assert_eq!(explanation.diff().unwrap().is_empty(), cause == Cause::WrongSecret);
    }
    let ours = "GET\n/\nb=2&a=1\nhost:h\n\nhost\nUNSIGNED-PAYLOAD";
    for (theirs, cause) in [
        (ours.to_owned(), Cause::WrongSecret),
        (ours.replace("b=2&a=1", "a=1&b=2"), Cause::QueryOrder),
        (ours.replace("b=2", "b"), Cause::ParameterChanged { name: "b".into() }),
        (ours.replace("b=2", "b=+2"), Cause::ParameterChanged { name: "b".into() }),
        (ours.replace("host:h", "host:h\nx-new:1"), Cause::HeaderAdded { name: "x-new".into() }),
        (
            ours.replace("UNSIGNED-PAYLOAD", &"0".repeat(64)),
            Cause::PayloadMode { signed: "UNSIGNED-PAYLOAD".into(), verified: "0".repeat(64) },
        ),
        ("not canonical".to_owned(), Cause::TextDiffers { line: 1 }),
    ] {
        let explanation = Explanation::between(&theirs, ours);
        assert_eq!(explanation.findings().next().unwrap().cause(), &cause, "{theirs}");
    }
    let with_pair = |pair: &str| format!("GET\n/\n{pair}\nhost:h\n\nhost\nUNSIGNED-PAYLOAD");
    for (ours, theirs, cause) in [
        ("a=", "a", Cause::MissingEquals { name: "a".into() }),
        ("a=b+c", "a=b%20c", Cause::PlusForSpace),
        ("a=%2f", "a=%2F", Cause::EscapeCase),
        ("a=%2F", "a=%252F", Cause::QueryEncoding { name: "a".into() }),
        ("a=1&c=1", "a=1", Cause::ParameterRemoved { name: "c".into() }),
        ("a%20b=1", "a%20b=1&c%20d=2", Cause::ParameterAdded { name: "c d".into() }),
    ] {
        let explanation = Explanation::between(with_pair(theirs), with_pair(ours));
        let causes: Vec<_> = explanation.findings().map(|finding| finding.cause().clone()).collect();
        assert_eq!(causes, [cause], "{theirs} {ours}");
    }
}

#[test]
fn what_is_hidden_counts_as_equal_and_what_differs_under_it_is_marked() {
    let text = |token: &str, query: &str| {
        format!("GET\n/\n{query}\nhost:h\nx-amz-security-token:{token}\n\nhost;x-amz-security-token\nUNSIGNED-PAYLOAD")
    };
    let explanation = Explanation::between(text("[redacted]", ""), text("TOKEN", ""));
    assert_eq!(explanation.findings().next().unwrap().cause(), &Cause::WrongSecret);

    let explanation = Explanation::between(text("OTHER", ""), text("TOKEN", ""));
    assert_eq!(explanation.findings().next().unwrap().cause(), &Cause::TokenInvalid);
    let shown = explanation.to_string();
    assert!(
        shown.ends_with("  ^ what is not shown differs") && !shown.contains("TOKEN") && !shown.contains("OTHER"),
        "{shown}"
    );

    let hidden = text("[redacted]", "X-Amz-Security-Token=[redacted]&a=1");
    let explanation = Explanation::between(hidden, text("T", "X-Amz-Security-Token=T&a=2"));
    let causes: Vec<_> = explanation.findings().map(|finding| finding.cause().clone()).collect();
    assert_eq!(causes, [Cause::ParameterChanged { name: "a".into() }]);
}

#[test]
fn a_request_as_it_was_sent_serves_where_another_signer_signed() {
    let signed = sign(&[], b"", now());
    let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let sent = Sent::from(&Request::new("POST", "/dev/items", &headers).with_host(HOST));
    let body = br#"{"message":"Credential should be scoped to a valid region, not 'eu-west-1'. "}"#;
    let explanation = Explanation::from_response(403, &[], body, sent);
    let right = Cause::WrongRegion { expected: Some("us-east-1".into()) };
    assert_eq!(explanation.findings().next().unwrap().cause(), &right);
}
