//! No secret in what is printed, nor in what other programs see.

use std::net::TcpListener;

use countersign::{ErrorFormat, Verifier};

use crate::support::{
    Arrived, Done, ID, SECRET, Server, TOKEN, answer, countersign, folder, run, run_with_stdin, text,
    without_credentials,
};

/// Everything that must not be printed for this request: the credentials, and what was sent as a signature.
fn secrets(arrived: &[Arrived]) -> Vec<String> {
    let signatures = arrived.iter().filter_map(|arrived| arrived.header("authorization")?.rsplit_once("Signature="));
    let mut all: Vec<_> = signatures.map(|(_, signature)| signature.to_owned()).collect();
    all.extend([SECRET.to_owned(), TOKEN.to_owned()]);
    all
}

fn assert_silent(done: &Done, secrets: &[String], what: &str) {
    for secret in secrets {
        assert!(!done.out.contains(secret) && !done.err.contains(secret), "{what} prints {secret}: {done:?}");
    }
}

/// Temporary credentials in the environment.
fn temporary(arguments: &[&str]) -> std::process::Command {
    let mut command = countersign(arguments);
    command.env("AWS_SESSION_TOKEN", TOKEN);
    command
}

/// Status, headers and body.
type Canned = (u16, &'static [(&'static str, &'static str)], &'static str);

/// Each kind of answer, with the flags that print the most.
#[test]
fn no_secret_whatever_the_answer() {
    let folder = folder();
    let file = folder.path().join("data");
    std::fs::write(&file, vec![7; 200_000]).unwrap();
    let answers: [Canned; 7] = [
        (200, &[], "ok"),
        (302, &[("Location", "/elsewhere")], ""),
        (302, &[("Location", "https://other.example/?X-Amz-Security-Token=t")], ""),
        (
            403,
            &[("x-amzn-ErrorType", "InvalidSignatureException")],
            "{\"message\":\"Signature expired: 20150830T123600Z is now earlier than 20150830T124100Z (20150830T124600Z - 5 min.)\"}",
        ),
        (403, &[], "{\"message\":\"Missing Authentication Token\"}"),
        (403, &[], "{\"message\":\"The request signature we calculated does not match the signature you provided.\"}"),
        (500, &[], "\u{1b}[2J"),
    ];
    for (status, headers, body) in answers {
        let headers: Vec<(String, String)> = headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        let server = Server::new(move |_| {
            let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            answer(status, &headers, body)
        });
        let url = server.url("/p?a=b");
        let uploads: [&[&str]; 3] =
            [&[], &["-T", text(&file)], &["--service", "s3", "--payload", "chunked", "-T", text(&file)]];
        for upload in uploads {
            let flags = ["request", "-v", "-i", "-L", "--retry-skew", "--max-redirs", "2", "--max-time", "30", "-w"];
            let variables = ["%{url_effective} %{method} %{http_code}\n"];
            let done = run(&mut temporary(&[&flags[..], &variables, upload, &[&url]].concat()));
            assert!(!server.arrived().is_empty() && done.err.contains("* canonical request:"), "{done:?}");
            assert_silent(&done, &secrets(&server.arrived()), &format!("{status} {upload:?}"));
        }
    }
}

/// A server, or a proxy before it, that repeats what it got. The answer is printed as it is, and nothing else repeats it.
#[test]
fn an_answer_that_repeats_the_request_is_not_repeated_in_the_explanation() {
    let server = Server::new(|arrived| {
        let echo: String = arrived.headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        answer(
            403,
            &[("content-type", "text/plain")],
            &format!("SignatureDoesNotMatch\nThe Canonical String for this request should have been\n'{echo}'"),
        )
    });
    let done = run(&mut temporary(&["request", "-v", "-o", "/dev/null", &server.url("/")]));
    assert_eq!(done.code, 0, "{done:?}");
    assert_silent(&done, &secrets(&server.arrived()), "the explanation");
}

/// The connection fails in each way.
#[test]
fn no_secret_when_the_connection_fails() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let garbage = Server::new(|_| b"garbage\r\n\r\n".to_vec());
    let urls = [
        format!("http://{closed}/"),
        format!("http://{}/", silent.local_addr().unwrap()),
        format!("https://{}/", garbage.address),
        garbage.url("/"),
        "http://host.invalid/".into(),
    ];
    for url in urls {
        let done = run(&mut temporary(&["request", "-v", "--max-time", "1", &url]));
        assert!(matches!(done.code, 6 | 7 | 28 | 35 | 56), "{url}: {done:?}");
        assert_silent(&done, &secrets(&[]), &url);
    }
}

/// Credentials that no signature can be made with, in each place where they can be given.
#[test]
fn malformed_credentials_are_not_quoted() {
    let folder = folder();
    let (config, bad) = (folder.path().join("config"), format!("{SECRET}\u{1}"));
    std::fs::write(&config, format!("[default]\naws_access_key_id={ID}\naws_secret_access_key={SECRET}\naws_session_token={TOKEN}\n{SECRET}\n[broken\n")).unwrap();
    let user = format!("{ID} x:{bad}");
    let cases: [(&[&str], &str); 6] = [
        (&["--user", &user], ""),
        (&["--access-key", SECRET, "--secret-key", &bad], ""),
        (&["--user", "ID:secret", "--session-token", &format!("{TOKEN}\n{TOKEN}")], ""),
        (&["--credentials-stdin"], &format!("{{\"AccessKeyId\":\"{bad}\",\"SecretAccessKey\":\"{SECRET}\\u0001\"}}")),
        (&["--credentials-stdin"], &format!("AWS_ACCESS_KEY_ID=\u{1}\nAWS_SECRET_ACCESS_KEY={bad}")),
        (&[], ""),
    ];
    for (arguments, stdin) in cases {
        let all = [&["request", "-v", "--region", "us-east-1", "--service", "s3"], arguments, &["http://127.0.0.1:1/"]];
        let mut command = without_credentials(&all.concat());
        let done = run_with_stdin(command.env("AWS_CONFIG_FILE", text(&config)), stdin.as_bytes());
        assert!(done.code != 0 && !done.err.contains("internal error"), "{arguments:?}: {done:?}");
        assert_silent(&done, &secrets(&[]), &format!("{arguments:?}"));
    }
}

/// --offline and --curl are for sending the request elsewhere, so they print the session token and the signature. The secret
/// access key is in neither.
#[test]
fn a_printed_request_has_the_token_but_not_the_secret() {
    let server = Server::verifying(Verifier::new("us-east-1", "execute-api").unwrap(), ErrorFormat::RestJson);
    for flag in ["--offline", "--curl"] {
        let done = run(&mut temporary(&["request", "-v", flag, &server.url("/p")]));
        assert_eq!(done.code, 0, "{done:?}");
        assert!(done.out.contains(TOKEN) && done.out.contains("Signature="), "{done:?}");
        assert!(!done.err.contains(TOKEN), "{done:?}");
        assert!(!done.out.contains(SECRET) && !done.err.contains(SECRET), "{done:?}");
    }
    assert_eq!(server.arrived().len(), 0, "nothing was sent");
    let help = run(&mut without_credentials(&["request", "--help"])).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("It can be sent by anyone who sees it until it expires"), "the help warns");
}
