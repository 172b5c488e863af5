//! A server on loopback that verifies each request as AWS would, for clients of the command line. It answers an accepted
//! request with the target as it was on the wire, and a refused one as API Gateway or S3 does.
//!
//! ```sh
//! cargo run --manifest-path tests/interop/Cargo.toml --bin verifying -- 127.0.0.1:PORT SERVICE [SECONDS]
//! ```
//!
//! The server's clock is ahead by SECONDS. The path `/no-such-route` has no route, which API Gateway answers in its own way.

use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use countersign::{Credentials, ErrorFormat, Request, Timestamp, Verifier};

const ID: &str = "AKIDEXAMPLE";
const SECRET: &str = "secretEXAMPLE";
/// No request is larger.
const LIMIT: usize = 1024 * 1024;

type Fallible<T> = Result<T, Box<dyn Error>>;

/// Head and body.
type Received = (String, Vec<u8>);

struct Server {
    verifier: Verifier,
    format: ErrorFormat,
    ahead: i64,
}

fn main() -> Fallible<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (address, service, ahead) = match &arguments[..] {
        [address, service] => (address, service, 0),
        [address, service, seconds] => (address, service, seconds.parse()?),
        _ => return Err("ADDRESS SERVICE [SECONDS]".into()),
    };
    let format = if service == "s3" { ErrorFormat::S3Xml } else { ErrorFormat::RestJson };
    let verifier = Verifier::new("us-east-1", service)?.accept_dot_segments().echo_computed();
    let server = Server { verifier, format, ahead };
    for stream in TcpListener::bind(address)?.incoming() {
        // A client that hangs up is its own problem.
        let _ = server.answer(stream?);
    }
    Ok(())
}

impl Server {
    fn answer(&self, mut stream: TcpStream) -> Fallible<()> {
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let Some((head, body)) = read(&mut stream)? else { return Ok(()) };
        let mut lines = head.split("\r\n");
        let mut first = lines.next().unwrap_or_default().splitn(2, ' ');
        let method = first.next().unwrap_or_default();
        let (target, _) = first.next().and_then(|rest| rest.rsplit_once(' ')).ok_or("no request line")?;
        let headers: Vec<(&str, &[u8])> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name, value.trim().as_bytes()))
            .collect();
        let (status, headers, body) = self.respond(method, target, &headers, &body);
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status} Status\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        )?;
        Ok(())
    }

    /// Status, headers and body.
    fn respond(&self, method: &str, target: &str, headers: &[(&str, &[u8])], body: &[u8]) -> (u16, String, String) {
        if target.starts_with("/no-such-route") {
            let headers = "x-amzn-ErrorType: MissingAuthenticationTokenException\r\nContent-Type: application/json\r\n";
            return (403, headers.into(), r#"{"message":"Missing Authentication Token"}"#.into());
        }
        let now = Timestamp::now().saturating_add(self.ahead);
        let request = Request::new(method, target, headers).with_scheme("http");
        let verified = self.verifier.parse(request, now).and_then(|unverified| {
            let known = Credentials::new(ID, SECRET).ok().filter(|_| unverified.access_key_id() == ID);
            unverified.with_body(body).verify(known.as_ref()).map(|_| ())
        });
        match verified {
            Ok(()) => (200, "Content-Type: text/plain\r\n".into(), target.into()),
            Err(error) => {
                let refusal = error.refusal(self.format);
                let headers =
                    format!("x-amzn-ErrorType: {}\r\nContent-Type: {}\r\n", refusal.code(), refusal.content_type());
                (refusal.status(), headers, refusal.body("00000000-0000-0000-0000-000000000000"))
            }
        }
    }
}

/// Reads head and body. `None` is a connection without a request.
fn read(stream: &mut TcpStream) -> Fallible<Option<Received>> {
    let (mut bytes, mut piece) = (Vec::new(), [0; 16 * 1024]);
    let mut more = |bytes: &mut Vec<u8>| -> Fallible<bool> {
        let read = stream.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..read]);
        if bytes.len() > LIMIT { Err("too large".into()) } else { Ok(read > 0) }
    };
    let end = loop {
        match bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            Some(end) => break end,
            None if more(&mut bytes)? => {}
            None => return Ok(None),
        }
    };
    let mut body = bytes.split_off(end + 4);
    bytes.truncate(end);
    // Bytes that are no text stay distinguishable: one character each.
    let head: String = match String::from_utf8(bytes) {
        Ok(head) => head,
        Err(error) => error.into_bytes().into_iter().map(char::from).collect(),
    };
    let length = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let length = length.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length = length.last().map_or(Ok(0), |(_, value)| value.trim().parse())?;
    while body.len() < length && more(&mut body)? {}
    Ok(Some((head, body)))
}
