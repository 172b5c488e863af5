//! The cause of a refusal is printed, and the exit code says whether there was an answer.

use std::io::Write;

use countersign::{ErrorFormat, Timestamp, Verifier};

use crate::support::{
    ID, SECRET, Server, TOKEN, answer, countersign, refusal, request, run, verify, without_credentials,
};

fn server(format: ErrorFormat) -> Server {
    Server::verifying(Verifier::new("us-east-1", "execute-api").unwrap().echo_computed(), format)
}

fn first_cause(err: &str) -> &str {
    err.lines().find_map(|line| line.strip_prefix("1. ")).unwrap_or("")
}

#[test]
fn what_is_wrong_with_a_signature_is_named() {
    let server = server(ErrorFormat::RestJson);
    let url = server.url("/dev/get-list?limit=25");
    let user = |user: &'static str| ["--user", user, "--region", "us-east-1"];
    let wrong_secret = user("AKIDEXAMPLE:wrong-secret");
    let unknown_key = user("AKIDUNKNOWN:wrong-secret");
    let cases: [(&[&str], &str); 5] = [
        (&wrong_secret, "secret"),
        (&unknown_key, "key"),
        (&["--region", "eu-west-1"], "region"),
        (&["--service", "lambda"], "service"),
        (
            &["--session-token", "not-the-token", "--user", "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"],
            "token",
        ),
    ];
    for (arguments, cause) in cases {
        let done = request(&[arguments, &[&url]].concat());
        assert_eq!(done.code, 0, "an answer arrived: {done:?}");
        assert!(done.out.contains("message"), "the answer is on standard output: {done:?}");
        assert!(first_cause(&done.err).contains(cause), "{cause}: {done:?}");
        assert!(!done.err.contains("wrong-secret") && !done.err.contains("not-the-token"), "{done:?}");
    }
}

#[test]
fn answers_of_other_servers_are_explained() {
    let cases = [
        (403, r#"{"message":"Missing Authentication Token"}"#, "application/json", "path"),
        (
            403,
            r#"{"Message":"User: arn:aws:iam::123456789012:user/a is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:us-east-1:********9012:abc/dev/GET/x"}"#,
            "application/json",
            "policy",
        ),
        (
            403,
            "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature you provided. Check your key and signing method.</Message></Error>",
            "application/xml",
            "signature",
        ),
        (
            400,
            r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"The security token included in the request is invalid."}"#,
            "application/json",
            "key",
        ),
        (
            403,
            r#"{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token included in the request is expired"}"#,
            "application/json",
            "expired",
        ),
    ];
    for (status, body, content_type, cause) in cases {
        let server = Server::new(move |_| answer(status, &[("content-type", content_type)], body));
        let url = server.url("/dev/x");
        let done = run(countersign(&["request", &url]).env("AWS_SESSION_TOKEN", TOKEN));
        assert_eq!((done.code, done.out.as_str()), (0, body));
        assert!(first_cause(&done.err).contains(cause), "{cause}: {}", done.err);
        let silent = request(&["-s", &server.url("/dev/x")]);
        assert_eq!((silent.out.as_str(), silent.err.as_str()), (body, ""));
        let unexplained = request(&["--no-explain", &server.url("/dev/x")]);
        assert_eq!((unexplained.out.as_str(), unexplained.err.as_str()), (body, ""));
    }
}

#[test]
fn a_status_that_has_nothing_to_do_with_signing_is_not_explained() {
    for status in [400, 404, 429, 500, 503] {
        let server = Server::new(move |_| answer(status, &[("content-type", "text/plain")], "no such thing"));
        let done = request(&[&server.url("/x")]);
        assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "no such thing", ""), "{status}");
    }
}

#[test]
fn fail_is_exit_code_22() {
    let server = Server::new(|arrived| answer(if arrived.target == "/ok" { 399 } else { 400 }, &[], "body"));
    let done = request(&["--fail", "--no-explain", &server.url("/x")]);
    assert_eq!((done.code, done.out.as_str()), (22, ""));
    assert!(done.err.contains("400"), "{done:?}");
    let done = request(&["--fail-with-body", "--no-explain", &server.url("/x")]);
    assert_eq!((done.code, done.out.as_str()), (22, "body"));
    assert_eq!(request(&["-f", "-s", &server.url("/x")]).err, "");
    assert!(request(&["-fsS", &server.url("/x")]).err.contains("400"));
    assert_eq!(request(&["-f", &server.url("/ok")]).code, 0);
}

/// A server whose clock is 20 minutes ahead.
fn server_with_another_clock() -> Server {
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap();
    Server::new(move |arrived| match verify(&verifier, arrived, Timestamp::now().saturating_add(1200)) {
        Ok(()) => answer(200, &[], "ok"),
        Err(error) => refusal(&error, ErrorFormat::RestJson),
    })
}

#[test]
fn a_wrong_clock_is_corrected_only_if_asked() {
    let server = server_with_another_clock();
    let done = request(&[&server.url("/x")]);
    assert_eq!(server.arrived().len(), 1);
    assert!(first_cause(&done.err).contains("20 minutes") && done.err.contains("--retry-skew"), "{done:?}");
    let done = request(&["--retry-skew", "-d", "body", &server.url("/x")]);
    assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{done:?}");
    assert_eq!(server.arrived().len(), 3);
    assert!(done.err.contains("1200") || done.err.contains("1199"), "{done:?}");
}

#[test]
fn the_clock_is_corrected_once() {
    let body = r#"{"message":"Signature expired: 20150830T123600Z is now earlier than 20150830T124100Z (20150830T124600Z - 5 min.)"}"#;
    let server = Server::new(move |_| answer(403, &[("x-amzn-ErrorType", "InvalidSignatureException")], body));
    let done = request(&["--retry-skew", &server.url("/x")]);
    assert_eq!((done.code, server.arrived().len()), (0, 2), "{done:?}");
}

#[test]
fn exit_codes_of_the_connection() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(request(&[&format!("http://{nobody}/")]).code, 7);
    assert_eq!(request(&["http://host.invalid/"]).code, 6);
    // Accepts connections in its backlog, and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let done = run(&mut countersign(&["request", "--max-time", "0.3", &url]));
    assert_eq!(done.code, 28, "{done:?}");
    let done = request(&["--connect-timeout", "0.3", &url.replace("http:", "https:")]);
    assert_eq!(done.code, 28, "{done:?}");
    let breaks = Server::new(|_| b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab".to_vec());
    assert_eq!(request(&[&breaks.url("/")]).code, 56);
    let garbage = Server::new(|_| b"garbage\r\n\r\n".to_vec());
    assert_eq!(request(&[&garbage.url("/")]).code, 56);
    let not_tls = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}/", not_tls.local_addr().unwrap());
    let server = std::thread::spawn(move || not_tls.accept().unwrap().0.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
    let done = request(&[&url]);
    server.join().unwrap().unwrap();
    assert_eq!(done.code, 35, "{done:?}");
}

#[test]
fn without_credentials_nothing_is_sent() {
    let server = server(ErrorFormat::RestJson);
    let arguments = ["request", "--region", "us-east-1", "--service", "execute-api", &server.url("/")];
    let done = run(&mut without_credentials(&arguments));
    assert_eq!(done.code, 1);
    assert!(done.err.contains("AWS_ACCESS_KEY_ID"), "{done:?}");
    assert_eq!(server.arrived().len(), 0);
}

#[test]
fn region_and_service_are_never_guessed() {
    let user = format!("{ID}:{SECRET}");
    let url = "http://example.com/";
    let done = run(&mut without_credentials(&["request", "--user", &user, "--region", "us-east-1", url]));
    assert_eq!(done.code, 2);
    assert!(done.err.contains("--service"), "{done:?}");
    let done = run(&mut without_credentials(&["request", "--user", &user, "--service", "s3", url]));
    assert_eq!(done.code, 2);
    assert!(done.err.contains("--region"), "{done:?}");
}
