//! Input that is no request and no answer.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::support::{File, USER, answer, run};

/// Each is an error with a message, and no panic.
#[track_caller]
fn refused(arguments: &[&str], stdin: &[u8], text: &str) {
    let outcome = run(arguments, stdin).expect(2, &[text]);
    assert_eq!(outcome.out, "");
    assert!(outcome.err.starts_with("countersign: ") && !outcome.err.contains("internal error"), "{}", outcome.err);
}

#[test]
fn what_is_not_text_is_named() {
    let verify = ["verify", "--user", USER];
    for (bytes, text) in [
        (b"".as_slice(), "is empty"),
        (b"\r\n \n", "is empty"),
        (b"\x1f\x8b\x08\0\0", "gzip"),
        (b"\xff\xfeH\0T\0", "UTF-16"),
        (b"\x7fELF\x02\0\0", "binary"),
        (b"\xc3\x28\xff no http", "status line"),
    ] {
        refused(&["explain"], bytes, text);
        let answer = File::new(answer(403, "", "{}"));
        let text = if text == "status line" { "neither a curl command, nor HTTP" } else { text };
        refused(&["explain", answer.path(), "--sent", "-"], bytes, text);
    }
    for bytes in [b"\xff\xfe".as_slice(), b"\0\0\0", b"GET", b"GET /\xff HTTP/1.1\nno colon\n", b"\xff / HTTP/1.1\n"] {
        refused(&verify, bytes, "");
    }
    refused(&verify, b"", "is empty");
    refused(&["explain", "/no/such/file"], b"", "can't be read from /no/such/file");
    refused(&["verify", "/no/such/file", "--user", USER], b"", "can't be read from /no/such/file");
}

#[test]
fn bytes_that_are_not_utf8_are_no_error_in_themselves() {
    let answer = b"HTTP/1.1 403 Forbidden\r\nX: \xff\xfe\r\n\r\n{\"message\":\"Missing Authentication Token \xff\"}";
    run(&["explain"], answer.as_slice()).expect(0, &["the request is not signed"]);
    let compressed = b"HTTP/1.1 403 Forbidden\r\nContent-Encoding: gzip\r\n\r\n\x1f\x8b\x08\0\0\0";
    run(&["explain"], compressed.as_slice()).expect(1, &["curl --compressed", "refused without a reason"]);
    let request = b"GET /\xff HTTP/1.1\r\nHost: a\r\nX: \xff\r\n\r\n";
    run(&["verify", "--user", USER], request.as_slice()).expect(1, &["refused by check 3:"]);
}

#[test]
fn control_characters_do_not_reach_the_terminal() {
    let answer = answer(403, "", "{\"message\":\"a\\u001b[31mb\"}");
    assert!(!run(&["explain"], answer).all().contains('\u{1b}'));
    let request = b"GET / HTTP/1.1\r\nAuthorization: \x1b[31m x\r\nHost: a\x1b[2J\r\n\r\n";
    assert!(!run(&["verify", "--user", USER], request.as_slice()).all().contains('\u{1b}'));
}

/// Sends a gibibyte without a line end, if the program reads it.
#[track_caller]
fn endless(arguments: &[&str], start: &[u8]) {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .args(arguments)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pipe = child.stdin.take().unwrap();
    let block = vec![b'a'; 1024 * 1024];
    let mut written = 0;
    if pipe.write_all(start).is_ok() {
        while written < 1024 && pipe.write_all(&block).is_ok() {
            written += 1;
        }
    }
    drop(pipe);
    let output = child.wait_with_output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(error.contains("longer than 32 MiB"), "{error}");
    assert!(written < 40, "it read {written} MiB");
    assert!(begun.elapsed().as_secs() < 60);
}

#[test]
fn a_line_without_end_is_not_read_to_its_end() {
    endless(&["explain"], b"HTTP/1.1 403 ");
    endless(&["explain"], b"{\"log\": \"");
    endless(&["verify", "--user", USER], b"GET /");
    let answer = File::new(answer(403, "", "{}"));
    endless(&["explain", answer.path(), "--sent", "-"], b"curl ");
}

#[test]
fn only_one_thing_comes_from_standard_input() {
    refused(&["explain", "--credentials-stdin"], b"HTTP/1.1 403 a\n\n", "one thing only");
    refused(&["explain", "--sent", "-"], b"HTTP/1.1 403 a\n\n", "one thing only");
    refused(&["verify", "--credentials-stdin"], b"GET / HTTP/1.1\n\n", "one thing only");
}
