//! Bodies from arguments, files and standard input, in each mode.

use std::fs::File;
use std::sync::{Arc, Mutex};

use countersign::{Request, SignedPayload, Timestamp, Verifier};

use crate::support::{Arrived, Server, answer, countersign, credentials, folder, request, run, run_with_stdin, text};

/// A store that verifies and decodes, and keeps the last body.
fn store() -> (Server, Arc<Mutex<Vec<u8>>>) {
    let stored = Arc::new(Mutex::new(Vec::new()));
    let keep = stored.clone();
    let server = Server::new(move |arrived| match decode(arrived) {
        Ok((how, body)) => {
            *keep.lock().unwrap() = body;
            answer(200, &[], &how)
        }
        Err(error) => answer(403, &[], &error),
    });
    (server, stored)
}

fn decode(arrived: &Arrived) -> Result<(String, Vec<u8>), String> {
    let verifier = Verifier::new("us-east-1", "s3").unwrap();
    let pairs = arrived.pairs();
    // Unsigned bodies are refused without TLS.
    let request = Request::new(&arrived.method, &arrived.target, &pairs).with_scheme("https");
    let unverified = verifier.parse(request, Timestamp::now()).map_err(|error| error.to_string())?;
    let head = unverified.verify_head(Some(&credentials())).map_err(|error| error.to_string())?;
    let how = match head.payload() {
        SignedPayload::Streaming(_) => {
            let mut body = Vec::new();
            let mut decoder = head.chunk_decoder().map_err(|error| error.to_string())?;
            decoder.push(&arrived.body, |data| body.extend_from_slice(data)).map_err(|error| error.to_string())?;
            let trailers = decoder.finish().map_err(|error| error.to_string())?;
            let names: Vec<_> = trailers.iter().map(|(name, _)| name.to_string()).collect();
            let mode = arrived.header("x-amz-content-sha256").unwrap_or_default().to_owned();
            return Ok((format!("{mode} {}", names.join(",")), body));
        }
        payload if payload.is_unsigned() => "unsigned",
        _ => "hashed",
    };
    head.check_body(&arrived.body).map_err(|error| error.to_string())?;
    Ok((how.into(), arrived.body.clone()))
}

fn data(length: usize) -> Vec<u8> {
    (0..length).map(|position| (position * 7 % 251) as u8).collect()
}

const S3: [&str; 4] = ["request", "--service", "s3", "-v"];

/// The flags, and how the store saw the body.
const MODES: [(&[&str], &str); 7] = [
    (&[], "hashed"),
    (&["--payload", "hashed"], "hashed"),
    (&["--payload", "unsigned"], "unsigned"),
    (&["--payload", "chunked"], "STREAMING-AWS4-HMAC-SHA256-PAYLOAD "),
    (
        &["--payload", "chunked", "--checksum", "crc32"],
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER x-amz-checksum-crc32",
    ),
    (&["--checksum", "CRC64NVME"], "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER x-amz-checksum-crc64nvme"),
    (&["--payload", "unsigned", "--checksum", "sha256"], "STREAMING-UNSIGNED-PAYLOAD-TRAILER x-amz-checksum-sha256"),
];

#[test]
fn a_file_in_each_mode_and_size() {
    let (server, stored) = store();
    let folder = folder();
    let file = folder.path().join("data");
    for length in [0, 1, 64 * 1024, 3 * 1024 * 1024 + 1] {
        let data = data(length);
        std::fs::write(&file, &data).unwrap();
        for (flags, how) in MODES {
            let done = run(&mut countersign(&[&S3, flags, &["-T", text(&file), &server.url("/key")]].concat()));
            assert_eq!((done.code, done.out.as_str()), (0, how), "{length} {flags:?}: {}", done.err);
            assert!(*stored.lock().unwrap() == data, "{length} {flags:?}: the store has other data");
        }
    }
}

#[test]
fn standard_input_in_each_mode() {
    let (server, stored) = store();
    for length in [0, 1, 3 * 1024 * 1024 + 1] {
        let data = data(length);
        for (flags, how) in MODES {
            let mut command = countersign(&[&S3, flags, &["-T", "-", &server.url("/key")]].concat());
            let done = run_with_stdin(&mut command, &data);
            assert_eq!((done.code, done.out.as_str()), (0, how), "{length} {flags:?}: {}", done.err);
            assert!(*stored.lock().unwrap() == data, "{length} {flags:?}: the store has other data");
        }
    }
}

#[test]
fn standard_input_of_a_known_size_is_sent_while_it_is_read() {
    let (server, stored) = store();
    let data = data(3 * 1024 * 1024 + 1);
    let size = data.len().to_string();
    let url = server.url("/key");
    for (flags, how) in MODES {
        let arguments = [&S3, flags, &["--body-size", &size, "-T", "-", &url]].concat();
        let done = run_with_stdin(&mut countersign(&arguments), &data);
        match flags {
            ["--payload", "hashed"] => assert_eq!(done.code, 2, "{done:?}"),
            [] => assert_eq!(done.out, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD ", "{done:?}"),
            _ => assert_eq!((done.code, done.out.as_str()), (0, how), "{flags:?}: {}", done.err),
        }
        assert!(*stored.lock().unwrap() == data || done.code != 0);
    }
    for wrong in [data.len() - 1, data.len() + 1] {
        let size = wrong.to_string();
        let arguments = [&S3[..], &["--body-size", &size, "-T", "-", &url]].concat();
        let done = run_with_stdin(&mut countersign(&arguments), &data);
        assert_eq!((done.code, done.out.as_str()), (26, ""), "{wrong}: {done:?}");
    }
}

#[test]
fn a_redirected_file_is_read_from_where_it_is() {
    use std::io::{Seek, SeekFrom};
    let (server, stored) = store();
    let folder = folder();
    let path = folder.path().join("data");
    std::fs::write(&path, b"0123456789").unwrap();
    let mut file = File::open(&path).unwrap();
    file.seek(SeekFrom::Start(4)).unwrap();
    let done = run(countersign(&[&S3[..], &["-T", "-", &server.url("/key")]].concat()).stdin(file));
    assert_eq!((done.code, done.out.as_str()), (0, "hashed"), "{done:?}");
    assert_eq!(*stored.lock().unwrap(), b"456789");
}

#[test]
fn other_services_get_the_hash() {
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap();
    let server = Server::verifying(verifier, countersign::ErrorFormat::RestJson);
    let done = run_with_stdin(&mut countersign(&["request", "-T", "-", &server.url("/key")]), &data(2_000_000));
    assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{done:?}");
    assert_eq!(server.arrived()[0].header("x-amz-content-sha256"), None);
    let done = run_with_stdin(&mut countersign(&["request", "--body-size", "1", "-T", "-", &server.url("/")]), b"a");
    assert_eq!(done.code, 2, "{done:?}");
}

#[test]
fn a_name_is_appended_to_a_folder() {
    let (server, _) = store();
    let folder = folder();
    let file = folder.path().join("ä b");
    std::fs::write(&file, "data").unwrap();
    let done = run(&mut countersign(&[&S3[..], &["-T", text(&file), &server.url("/a/?x=1")]].concat()));
    assert_eq!((done.code, done.out.as_str()), (0, "hashed"), "{done:?}");
    assert_eq!(server.arrived()[0].target, "/a/%C3%A4%20b?x=1");
}

/// `-d` and its relatives: the arguments, the body and the content type.
#[test]
fn data_as_curl_sends_it() {
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap();
    let server = Server::verifying(verifier, countersign::ErrorFormat::RestJson);
    let folder = folder();
    let file = folder.path().join("data");
    std::fs::write(&file, "a\r\nb\0c\n").unwrap();
    let at = format!("@{}", text(&file));
    let named = format!("n{at}");
    let form = Some("application/x-www-form-urlencoded");
    let mixed = ["--data-urlencode", "u=\u{e9}", "--data-raw", "@r", "-d", "d", "--data-binary", &at, "-d", "e"];
    let cases: [(&[&str], &[u8], Option<&str>); 14] = [
        (&["-d", "a=1", "-d", "b=2"], b"a=1&b=2", form),
        (&["-d", &at], b"abc", form),
        (&["--data-binary", &at], b"a\r\nb\0c\n", form),
        (&["--data_binary", &at, "-d", "x"], b"a\r\nb\0c\n&x", form),
        (&["-d", "x", "--data_binary", &at], b"x&a\r\nb\0c\n", form),
        (&mixed, b"u=%C3%A9&@r&d&a\r\nb\0c\n&e", form),
        (&["--data-raw", "@a"], b"@a", form),
        (&["--data-urlencode", "a b=c"], b"a b=c", form),
        (&["--data-urlencode", "=a&b"], b"a%26b", form),
        (&["--data-urlencode", "n=\u{e9}"], b"n=%C3%A9", form),
        (&["--data-urlencode", &named], b"n=a%0D%0Ab%00c%0A", form),
        (&["--json", "{\"a\":", "--json", "1}"], b"{\"a\":1}", Some("application/json")),
        (&["-d", "{}", "-H", "Content-Type: application/x-amz-json-1.0"], b"{}", Some("application/x-amz-json-1.0")),
        (&["-d", "-5", "-H", "Content-Type:"], b"-5", None),
    ];
    for (arguments, body, content_type) in cases {
        let done = request(&[arguments, &[&server.url("/p")]].concat());
        assert_eq!((done.code, done.out.as_str()), (0, "ok"), "{arguments:?}: {done:?}");
        let last = server.arrived().pop().unwrap();
        assert_eq!((last.method.as_str(), last.body.as_slice()), ("POST", body), "{arguments:?}");
        assert_eq!(last.header("content-type"), content_type, "{arguments:?}");
    }
}

#[test]
fn files_that_cannot_be_read_are_26() {
    for arguments in [["-T", "/nonexistent"], ["-d", "@/nonexistent"], ["-T", "/"], ["-H", "@/nonexistent"]] {
        let done = request(&[&arguments[..], &["http://127.0.0.1:1/"]].concat());
        assert_eq!(done.code, 26, "{done:?}");
    }
}

#[test]
fn standard_input_is_for_one_thing() {
    let done = request(&["-d", "@-", "--credentials-stdin", "http://127.0.0.1:1/"]);
    assert_eq!(done.code, 2, "{done:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn memory_does_not_grow_with_the_body() {
    use std::io::{Read, Write};
    const SIZE: usize = 96 * 1024 * 1024;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/key", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let (mut piece, mut head) = (vec![0; 256 * 1024], Vec::new());
        let end = loop {
            let read = stream.read(&mut piece).unwrap();
            head.extend_from_slice(&piece[..read]);
            if let Some(end) = head.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
        };
        // With the signatures of the chunks. An answer before the end would end the upload.
        let text = String::from_utf8_lossy(&head[..end]).to_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut left = length.parse::<usize>().unwrap() - (head.len() - end);
        while left > 0 {
            left -= stream.read(&mut piece).unwrap();
        }
        stream.write_all(&answer(200, &[], "ok")).unwrap();
    });
    let size = SIZE.to_string();
    let arguments = [&S3[..], &["--body-size", &size, "-T", "-", &url]].concat();
    let mut child = countersign(&arguments).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let piece = data(1024 * 1024);
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    for _ in 0..SIZE / piece.len() {
        stdin.write_all(&piece).unwrap();
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
        peak = peak.max(line.trim().trim_end_matches(" kB").parse::<usize>().unwrap());
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    server.join().unwrap();
    assert!((1..32 * 1024).contains(&peak), "{peak} KiB");
}

/// A server that answers after a part of the body and closes the connection, which resets it.
fn hasty(answers: usize, answer: Vec<u8>) -> (String, std::thread::JoinHandle<()>) {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/key", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        for _ in 0..answers {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    (url, server)
}

#[test]
fn an_answer_before_the_end_of_the_body_is_not_lost() {
    let folder = folder();
    let file = folder.path().join("data");
    std::fs::write(&file, data(16 * 1024 * 1024)).unwrap();
    let body = r#"{"message":"Missing Authentication Token"}"#;
    let headers = [("content-type", "application/json")];
    const TIMES: usize = 20;
    for flags in [&[][..], &["--payload", "chunked"]] {
        let (url, server) = hasty(TIMES, answer(403, &headers, body));
        for turn in 0..TIMES {
            let arguments = [&["request", "--service", "s3", "--max-time", "20"], flags, &["-T", text(&file), &url]];
            let done = run(&mut countersign(&arguments.concat()));
            assert_eq!((done.code, done.out.as_str()), (0, body), "{turn} {flags:?}: {done:?}");
            assert!(done.err.contains("no such route"), "{done:?}");
        }
        server.join().unwrap();
    }
}

#[test]
fn a_connection_that_ends_without_an_answer_is_56() {
    let folder = folder();
    let file = folder.path().join("data");
    std::fs::write(&file, data(16 * 1024 * 1024)).unwrap();
    let (url, server) = hasty(1, Vec::new());
    let done = run(&mut countersign(&[&S3[..], &["--max-time", "20", "-T", text(&file), &url]].concat()));
    assert_eq!((done.code, done.out.as_str()), (56, ""), "{done:?}");
    server.join().unwrap();
}

/// The head of a refusal arrives, and its body breaks off: what arrived is printed and explained, and the exit code says
/// that it isn't all.
#[test]
fn a_refusal_that_breaks_off_is_still_explained() {
    let body = "{\"message\":\"Missing Authentication Token\"}";
    let whole = String::from_utf8(answer(403, &[("content-type", "application/json")], body)).unwrap();
    let length = format!("Content-Length: {}", body.len());
    assert!(whole.contains(&length));
    let (url, server) = hasty(1, whole.replace(&length, "Content-Length: 500").into_bytes());
    let done = run(&mut countersign(&["request", "--max-time", "20", &url]));
    assert_eq!((done.code, done.out.as_str()), (56, body), "{done:?}");
    assert!(done.err.contains("no such route") && done.err.contains("connection broke"), "{done:?}");
    server.join().unwrap();
}
