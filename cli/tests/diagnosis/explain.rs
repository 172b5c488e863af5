//! Refusals in the wording of AWS, and of our own verifier.

use countersign::{Credentials, ErrorFormat, Payload, Request, Verifier};

use crate::support::{File, HOST, ID, SECRET, TIME, USER, answer, at, folder, run, signed, signer};

const MISMATCH: &str = r#"{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}"#;

fn curl(more: &str) -> String {
    format!("curl {more} https://{HOST}/dev/list")
}

/// `--aws-sigv4` for a region and service.
fn sigv4(region: &str, service: &str) -> String {
    curl(&format!("--aws-sigv4 aws:amz:{region}:{service} -u {ID}:{SECRET}"))
}

#[test]
fn refusals_have_a_cause() {
    let apigw =
        |kind: &str, text: &str| answer(403, &format!("{kind}Exception"), &format!(r#"{{"message":"{text}"}}"#));
    let s3 = |status, code: &str, more: &str| {
        answer(status, "", &format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code>{more}</Error>"))
    };
    let asia =
        format!("curl --aws-sigv4 aws:amz:us-east-1:execute-api -u ASIAIOSFODNN7EXAMPLE:{SECRET} https://{HOST}/dev");
    let cases = [
        (curl(""), apigw("MissingAuthenticationToken", "Missing Authentication Token"), "1. the request is not signed"),
        (
            sigv4("us-east-1", "execute-api"),
            apigw("MissingAuthenticationToken", "Missing Authentication Token"),
            "1. likely: the API has no such route (path, method or stage)\n   evidence: GET /dev/list on abc123",
        ),
        (
            curl("-H 'Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.e30.c2ln'"),
            apigw(
                "IncompleteSignature",
                "'eyJhbGciOiJIUzI1NiJ9' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer eyJhbGciOiJIUzI1NiJ9'.",
            ),
            "1. the Authorization header is not an AWS4-HMAC-SHA256 signature",
        ),
        (
            sigv4("us-east-1", "execute-api"),
            apigw(
                "InvalidSignature",
                "Signature expired: 20260830T123600Z is now earlier than 20260830T130134Z (20260830T130634Z - 5 min.)",
            ),
            "the client's clock is 30 minutes 34 seconds behind the server's",
        ),
        (
            sigv4("us-west-2", "execute-api"),
            apigw("InvalidSignature", "Credential should be scoped to a valid region, not 'us-west-2'. "),
            "1. signed for the wrong region; the expected region is us-east-1",
        ),
        (
            sigv4("us-east-1", "s3"),
            apigw("InvalidSignature", "Credential should be scoped to correct service: 'execute-api'. "),
            "1. signed for the wrong service; the expected service is execute-api",
        ),
        (
            asia.clone(),
            apigw("UnrecognizedClient", "The security token included in the request is invalid."),
            "the session token of the temporary credentials is missing",
        ),
        (
            format!("{} -H 'X-Amz-Security-Token: FwoGZXIvYXdztoken'", asia.clone()),
            apigw("ExpiredToken", "The security token included in the request is expired"),
            "1. the session token has expired",
        ),
        (
            sigv4("us-east-1", "execute-api"),
            apigw(
                "AccessDenied",
                "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:123456789012:abc123/dev/GET/list",
            ),
            "a policy denies the call",
        ),
        (
            "curl https://bucket.s3.amazonaws.com/key".into(),
            s3(
                400,
                "AuthorizationHeaderMalformed",
                "<Message>The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-west-1'</Message><Region>eu-west-1</Region>",
            ),
            "the expected region is eu-west-1",
        ),
        (
            "curl https://bucket.s3.amazonaws.com/key".into(),
            s3(
                403,
                "RequestTimeTooSkewed",
                "<Message>The difference between the request time and the current time is too large.</Message><RequestTime>20260830T123600Z</RequestTime><ServerTime>2026-08-30T13:36:00Z</ServerTime>",
            ),
            "clock",
        ),
        (
            "curl https://bucket.s3.amazonaws.com/key".into(),
            s3(
                403,
                "InvalidAccessKeyId",
                "<Message>The AWS Access Key Id you provided does not exist in our records.</Message>",
            ),
            "the server doesn't know the access key id",
        ),
    ];
    for (command, answer, cause) in cases {
        let outcome = run(&["explain", "--curl", &command], answer.as_bytes()).expect(0, &[cause]);
        assert!(!outcome.all().contains(SECRET) && !outcome.all().contains("FwoGZXIvYXdztoken"), "{command}");
        // The same from files, and as JSON.
        let (answer, command) = (File::new(&answer), File::new(format!("$ {command}\n")));
        assert_eq!(run(&["explain", answer.path(), "--sent", command.path()], "").expect(0, &[cause]).out, outcome.out);
        let json = run(&["explain", answer.path(), "--sent", command.path(), "--json"], "").expect(0, &[]);
        let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!((&json["cause_named"], &json["signer"]), (&true.into(), &serde_json::Value::Null));
        assert!(outcome.out.contains(json["findings"][0]["message"].as_str().unwrap()));
    }
}

#[test]
fn without_a_cause_the_code_is_1() {
    run(&["explain"], answer(403, "InvalidSignatureException", MISMATCH)).expect(1, &["1. the signature is wrong"]);
    run(&["explain"], answer(500, "", r#"{"message":"Internal Server Error"}"#)).expect(1, &[]);
    run(&["explain"], answer(200, "", "{}")).expect(1, &["nothing to explain"]);
}

#[test]
fn a_body_alone_needs_its_status() {
    let body = r#"{"message":"Missing Authentication Token"}"#;
    run(&["explain"], body).expect(2, &["--status 403"]);
    run(&["explain"], "<Error><Code>AccessDenied</Code></Error>").expect(2, &["--status 403"]);
    run(&["explain"], "Forbidden").expect(2, &["status line", "--status 403"]);
    run(&["explain", "--status", "403"], body).expect(0, &["the API has no such route"]);
    let header = "x-amzn-ErrorType: ExpiredTokenException";
    run(&["explain", "--status", "403", "--response-header", header], "{}")
        .expect(0, &["the session token has expired"]);
    run(&["explain", "--response-header", header], "{}").expect(2, &["--status"]);
    run(&["explain", "--status", "4"], body).expect(2, &[]);
}

#[test]
fn what_curl_prints_contains_the_request() {
    let printed = format!(
        "* Connected to {HOST}\n> GET /dev/list HTTP/2\n> Host: {HOST}\n> accept: */*\n> \n< HTTP/2 403\n< x-amzn-errortype: \
         MissingAuthenticationTokenException\n< \n{{\"message\":\"Missing Authentication Token\"}}\n* Connection #0 left intact\n"
    );
    run(&["explain"], printed.as_bytes()).expect(0, &["1. the request is not signed"]);
    run(&["explain"], printed.replace('\n', "\r\n")).expect(0, &["1. the request is not signed"]);
}

#[test]
fn har_files_contain_both() {
    let entry = |status, authorization: &str| {
        format!(
            r#"{{"request":{{"method":"GET","url":"https://{HOST}/dev/list","headers":[{{"name":"authorization","value":"{authorization}"}}]}},"response":{{"status":{status},"headers":[],"content":{{"text":"{{\"message\":\"Missing Authentication Token\"}}"}}}}}}"#
        )
    };
    let har = format!(
        r#"{{"log":{{"entries":[{},{},{}]}}}}"#,
        entry(403, "Bearer abc"),
        entry(403, "AWS4-HMAC-SHA256 Credential=redacted"),
        entry(200, "")
    );
    let file = File::new(&har);
    run(&["explain", file.path(), "--entry", "0"], "").expect(0, &["not an AWS4-HMAC-SHA256 signature"]);
    // The last refusal.
    let last = run(&["explain", file.path()], "").expect(0, &[]);
    assert_eq!(last.out, run(&["explain", file.path(), "--entry", "1"], "").out);
    run(&["explain", file.path(), "--entry", "9"], "").expect(2, &[]);
    run(&["explain", file.path(), "--curl", "curl https://a/"], "").expect(2, &["leave out --sent"]);
    run(&["explain", "--entry", "1"], answer(403, "", "")).expect(2, &["--entry needs a HAR file"]);
    // The request of one file with the answer of another.
    let sent = ["explain", "--sent", file.path(), "--entry", "0"];
    run(&sent, answer(403, "", r#"{"message":"Missing Authentication Token"}"#)).expect(0, &["Authorization header"]);
}

/// The answer of our verifier to a request that was changed in transit, with what it computed.
fn changed(format: ErrorFormat) -> String {
    let (signer, verifier) = (signer(SECRET, "us-east-1", "execute-api"), Verifier::new("us-east-1", "execute-api"));
    let request = Request::new("GET", "/dev/list?b=2&a=1", &[]).with_host(HOST);
    let signed = signer.sign(request, Payload::EMPTY, at(TIME)).unwrap();
    let headers: Vec<(&str, &[u8])> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let arrived = Request::new("GET", "/dev/list?b=3&a=1", &headers).with_host(HOST);
    let verifier = verifier.unwrap().echo_computed();
    let credentials = Credentials::new(ID, SECRET).unwrap();
    let error = verifier.parse(arrived, at(TIME)).unwrap().with_body(b"").verify(Some(&credentials)).unwrap_err();
    let refusal = error.refusal(format);
    answer(refusal.status(), "InvalidSignatureException", &refusal.body("1"))
}

#[test]
fn a_url_is_signed_at_the_time_of_the_answer_and_compared() {
    let url = format!("https://{HOST}/dev/list?b=2&a=1");
    for format in [ErrorFormat::RestJson, ErrorFormat::S3Xml, ErrorFormat::QueryXml] {
        let outcome = run(&["explain", "--url", &url, "--user", USER], changed(format));
        let cause = "1. the parameter b was signed as \"2\", but arrived as \"3\"";
        let outcome = outcome.expect(0, &[cause, "- a=1&b=2\n+ a=1&b=3\n"]);
        assert!(outcome.err.is_empty() && !outcome.out.contains("x-amz-date"), "{}", outcome.all());
    }
    // Neither the answer nor a flag says when it was signed.
    let answer = answer(403, "", MISMATCH);
    run(&["explain", "--url", &url, "--user", USER], answer.as_bytes()).expect(1, &["warning:", "--date"]);
    let quiet = run(&["explain", "--url", &url, "--user", USER, "--date", TIME], answer.as_bytes()).expect(1, &[]);
    assert_eq!(quiet.err, "");
    run(&["explain", "--url", &url, "--user", USER, "--date", "yesterday"], answer.as_bytes()).expect(2, &["--date"]);
    run(&["explain", "--url", "https://example.com/", "--user", USER], answer.as_bytes()).expect(2, &["--service"]);
    run(&["explain", "-d", "a"], answer.as_bytes()).expect(2, &["--url"]);
    // An old answer is no sign of a wrong clock.
    let old = "HTTP/1.1 403 Forbidden\r\nDate: Sun, 30 Aug 2015 12:36:00 GMT\r\n\r\n";
    let outcome = run(&["explain", "--url", &url, "--user", USER], old);
    assert!(!outcome.all().contains("clock"), "{}", outcome.all());
}

#[test]
fn with_credentials_the_mistake_of_a_signer_is_named() {
    let sent = "GET /dev/list?b=2&a=1 HTTP/1.1\nHost: example.com\nX-Amz-Date: 20150830T123600Z\nAuthorization: \
                AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request, SignedHeaders=host;x-amz-date, \
                Signature=eba18c95746db0aebf4d5df9ed0a7b5b993ab08852fbf2cfedf08a2b5f2c8233\n\n";
    let (sent, answer) = (File::new(sent), File::new(answer(403, "InvalidSignatureException", MISMATCH)));
    let arguments = ["explain", answer.path(), "--sent", sent.path()];
    let with = |more: &[&'static str]| [arguments.as_slice(), more].concat();
    run(&arguments, "").expect(1, &["With --profile"]);
    let named = "checked with the credentials: the query parameters were not sorted";
    run(&with(&["--user", USER]), "").expect(0, &[named]);
    run(&with(&["--credentials-stdin"]), USER).expect(0, &[named]);
    let other = run(&with(&["--user", "AKIDEXAMPLE:another"]), "").expect(1, &["no known deviation", "another one"]);
    assert!(!other.all().contains("AKIDEXAMPLE:another"));
    run(&with(&["--user", "OTHER:another"]), "").expect(1, &["the access key id \"AKIDEXAMPLE\" is unknown"]);
    run(&with(&["--with-credentials"]), "").expect(2, &["no credentials"]);
    let json = run(&with(&["--user", USER, "--json"]), "").expect(0, &[]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(json["signer"]["deviations"][0]["name"], "query_not_sorted");

    let right = File::new(signed(&signer(SECRET, "us-east-1", "execute-api"), "GET", "/dev", &[], b""));
    let outcome = run(&["explain", answer.path(), "--sent", right.path(), "--user", USER], "");
    outcome.expect(1, &["the signature is right"]);
}

#[test]
fn canonical_requests_are_compared() {
    let ours = File::new("GET\n/dev/list\nb=2&a=1\nhost:example.com\n\nhost\nUNSIGNED-PAYLOAD\n");
    let theirs = File::new("GET\n/dev/list\na=1&b=2\nhost:example.com\n\nhost\nUNSIGNED-PAYLOAD");
    let arguments = ["explain", "--canonical-ours", ours.path(), "--canonical-theirs", theirs.path()];
    run(&arguments, "").expect(0, &["- b=2&a=1\n+ a=1&b=2\n"]);
    run(&arguments[..3], "").expect(2, &["--canonical-theirs"]);
    run(
        &["explain", "--canonical-ours", ours.path(), "--canonical-theirs", "-"],
        std::fs::read(theirs.path()).unwrap(),
    )
    .expect(0, &["- b=2&a=1"]);
    run(&["explain", "--canonical-ours", "-", "--canonical-theirs", "-"], "").expect(2, &["one thing only"]);
    let (_folder, path) = folder();
    let none = path.join("none");
    run(&["explain", "--canonical-ours", none.to_str().unwrap(), "--canonical-theirs", theirs.path()], "")
        .expect(2, &["can't be read"]);
}
