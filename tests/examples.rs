//! Runs the example programs as a user would.
#![cfg(feature = "http")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::Duration;

use countersign::{Credentials, Presented, Request, Timestamp, Verifier};

/// `cargo test` builds the examples beside the tests.
fn example(name: &str) -> Command {
    let mut folder: PathBuf = std::env::current_exe().unwrap();
    folder.pop();
    folder.pop();
    let mut command = Command::new(folder.join("examples").join(name));
    command.env_remove("AWS_SESSION_TOKEN").env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    command
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_quickstart_shows_its_nine_calls_and_says_why_five_are_refused() {
    // A proxy is no way to loopback.
    let output = example("quickstart").env("HTTP_PROXY", "http://127.0.0.1:1").output().unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    for shown in [
        "1. The public route",
        r#"< 403 {"message":"Missing Authentication Token"}"#,
        "3. Signed",
        "> x-amz-security-token: FwoGZXIv…",
        "X-Amz-Expires=60",
        "The request signature we calculated does not match the signature you provided.",
        "1. both sides signed the same text: the secret is not the one of this access key id",
        "7. The body changed on the way",
        "+ content-type:application/json; charset=utf-8",
        "Signature expired: ",
        "1. the signer's clock is 60",
        "All as it has to be.",
    ] {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    assert!(!text.contains("wJalr") && !text.contains("EXAMPLETOKEN"), "{text}");
}

#[test]
fn the_quickstart_says_what_it_needs() {
    for (arguments, problem) in [
        (vec!["--no-such-option"], "unknown option --no-such-option"),
        (vec!["abc"], "no whole URL"),
        (vec!["https://api.example.com/"], "--region"),
        (vec!["https://api.example.com/", "--region"], "--region needs a value"),
    ] {
        let output = example("quickstart").args(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            text(&output).contains(problem) && text(&output).contains("usage:"),
            "{arguments:?}: {}",
            text(&output)
        );
    }
    let url = "https://abc123.execute-api.eu-west-1.amazonaws.com/dev/x";
    let output = example("quickstart").arg(url).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let text = text(&output);
    assert!(text.contains("region eu-west-1, service execute-api"), "{text}");
    assert!(text.contains("AWS_ACCESS_KEY_ID is not set"), "{text}");
}

struct Arrived {
    request_line: String,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

/// Answers one request with 200, and gives what arrived.
fn serve_once(listener: TcpListener) -> Arrived {
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let headers: Vec<(String, Vec<u8>)> = lines[1..]
        .iter()
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |(_, value)| String::from_utf8_lossy(value).parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").unwrap();
    Arrived { request_line: lines[0].clone(), headers, body }
}

#[test]
fn test_invoke_method_sends_a_call_that_verifies() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || serve_once(listener));
    let output = example("test_invoke_method")
        .args(["--region", "eu-west-1", "--rest-api-id", "abc123", "--resource-id", "xyz789", "--endpoint", &endpoint])
        .args(["--path-with-query-string", "/get-list?limit=25", "--body", "{\"a\":\"b\"}"])
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let Arrived { request_line, headers, body } = server.join().unwrap();
    assert_eq!(request_line, "POST /restapis/abc123/resources/xyz789/methods/GET HTTP/1.1");
    let sent: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(sent, serde_json::json!({"pathWithQueryString": "/get-list?limit=25", "body": "{\"a\":\"b\"}"}));

    let headers: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let request = Request::new("POST", "/restapis/abc123/resources/xyz789/methods/GET", &headers);
    let presented = Presented::parse(request).unwrap().with_body(&body);
    let key = presented.derive_key(Some(&Credentials::new("AKIDEXAMPLE", "secret").unwrap()));
    Verifier::new("eu-west-1", "apigateway").verify(presented, &key, Timestamp::now()).unwrap();
}

#[test]
fn conformance_counts_and_names_what_differs() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/test-vectors/documentation.jsonl");
    let output = example("conformance").arg(file).output().unwrap();
    assert_eq!(text(&output), "documentation: 7 passed, 0 failed, 0 skipped\n");

    let good = std::fs::read_to_string(file).unwrap();
    let line = good.lines().last().unwrap();
    let wrong = [
        line.replacen("ListUsers", "ListRoles", 1),
        line.replace("\"suite\"", "\"colour\":1,\"suite\""),
        line.replace("\"payload\":\"signed\"", "\"payload\":\"sealed\""),
        "{".into(),
        "{\"id\":\"later\",\"suite\":\"sigv4a\"}".into(),
    ];
    let folder = std::env::temp_dir().join(format!("countersign-conformance-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("wrong.jsonl");
    std::fs::write(&path, wrong.join("\n")).unwrap();
    let output = example("conformance").arg(&path).output().unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let text = text(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.ends_with("wrong: 0 passed, 4 failed, 1 skipped\n"), "{text}");
    assert!(text.contains("iam-list-users: canonical request\n"), "{text}");
    assert!(text.contains("unknown field `colour`"), "{text}");
}
