//! The curl commands that `sign` prints, run by a shell.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use countersign::{Request, Timestamp, Verifier};

use crate::support::{TOKEN, cli, known, temporary};

/// A server that knows one access key. It answers 200, or 403 with the reason.
fn serve() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            let reason = match answer(&stream) {
                Ok(()) => "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok".to_owned(),
                Err(error) => {
                    format!(
                        "HTTP/1.1 403 Forbidden\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{error}",
                        error.len()
                    )
                }
            };
            let _ = stream.write_all(reason.as_bytes());
        }
    });
    address
}

fn answer(stream: &TcpStream) -> Result<(), String> {
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).map_err(|error| error.to_string())?;
        let line = line.trim_end_matches(['\r', '\n']).to_owned();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let mut words = head.first().ok_or("nothing was sent")?.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers: Vec<(&str, &[u8])> =
        head.iter().skip(1).filter_map(|line| line.split_once(':')).map(|(n, v)| (n, v.trim().as_bytes())).collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.map_or(0, |(_, value)| std::str::from_utf8(value).unwrap().parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).map_err(|error| error.to_string())?;
    let verifier = Verifier::new("us-east-1", "execute-api").unwrap();
    let request = Request::new(method, target, &headers);
    let unverified = verifier.parse(request, Timestamp::now()).map_err(|error| error.to_string())?;
    // The known credentials have a token only if one was sent.
    let known = match unverified.session_token() {
        Some(_) => known().with_session_token(TOKEN).unwrap(),
        None => known(),
    };
    let result = unverified.with_body(&body).verify(Some(&known));
    result.map(drop).map_err(|error| error.to_string())
}

/// The printed commands are run by a shell. A server accepts what curl sends.
#[test]
fn curl_sends_what_was_signed() {
    let address = serve();
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("it's a file"), b"\0\xff\r\nbinary").unwrap();
    let file = format!("@{}", directory.path().join("it's a file").display());
    for (path, arguments) in [
        ("/", vec![]),
        ("/dev//get-list?b=2&a=1&a&c=&d=%2B+%20", vec![]),
        ("/%C3%A9%2F%7E?x=[1]&y='$(exit%201)'`", vec![]),
        ("/a{b}", vec![]),
        ("/a", vec!["-d", "it's $HOME `id` \"quoted\" \\ !"]),
        ("/a", vec!["-d", "@it's not", "--data-raw", "@raw"]),
        ("/a", vec!["--json", "{\"a\": \"é\n\"}"]),
        ("/a", vec!["--data-binary", &file]),
        ("/a", vec!["-T", file.trim_start_matches('@')]),
        ("/a", vec!["-X", "DELETE", "-H", "X-Amz-Meta-It: it's  here", "-H", "X-Amz-Empty;"]),
        ("/a", vec!["-X", "POST"]),
        ("/a", vec!["-I"]),
    ] {
        let url = format!("http://{address}{path}");
        for command in [cli("sign --format curl"), temporary("sign --format curl")] {
            let command = command.args(["--region", "us-east-1", "--service", "execute-api"]).args(arguments.clone());
            let ran = command.arg(&url).run();
            let is_refused = path.contains(['{', '`']) || arguments.contains(&"@it's not");
            if is_refused {
                // What can't be sent as typed, and a file that doesn't exist.
                assert!(matches!(ran.code, 2 | 26), "{path} {arguments:?}: {} {}", ran.code, ran.stderr);
                continue;
            }
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{path} {arguments:?}");
            let script = format!("{} --silent --noproxy '*' --max-time 20 --fail-with-body", ran.stdout.trim_end());
            let sent = Command::new("sh").args(["-c", &script]).current_dir(directory.path()).output().unwrap();
            let answer = String::from_utf8_lossy(&sent.stdout);
            assert_eq!(sent.status.code(), Some(0), "{path} {arguments:?}: {answer}\n{script}");
        }
    }
}

/// The server refuses what is changed, so that the test above can fail.
#[test]
fn curl_sends_nothing_else() {
    let address = serve();
    let url = format!("http://{address}/a");
    let command = cli("sign --format curl --region us-east-1 --service execute-api -d a=1").arg(&url).output();
    for (from, to) in [("a=1", "a=2"), ("/a'", "/b'"), ("'POST'", "'PUT'"), ("x-www-form-urlencoded", "octet-stream")] {
        assert!(command.contains(from), "{command}");
        let script = format!("{} --silent --noproxy '*' --max-time 20 --fail", command.replace(from, to));
        assert_eq!(Command::new("sh").args(["-c", &script]).output().unwrap().status.code(), Some(22), "{to}");
    }
}
