//! Puts, gets, lists and presigns against an S3-compatible server on loopback, over a bare socket: what is sent is byte for
//! byte what was signed. `tests/interop/rclone` and `tests/interop/s3s` each start such a server and run it.
//!
//! ```sh
//! cargo run --manifest-path tests/interop/Cargo.toml -- 127.0.0.1:PORT ACCESS_KEY_ID SECRET
//! ```

use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use countersign::{Credentials, Payload, Request, Signer, Timestamp};

struct Server {
    address: String,
    signer: Signer,
}

impl Server {
    /// Signs a request, sends it, and returns status and body.
    fn call(&self, method: &str, target: &str, body: &[u8]) -> Result<(u16, String), Box<dyn Error>> {
        let request = Request::new(method, target, &[]).with_host(&self.address).with_scheme("http");
        let signed = self.signer.sign(request, Payload::Bytes(body), Timestamp::now())?;
        self.send(method, target, signed.headers(), body)
    }

    fn presigned(&self, method: &str, target: &str) -> Result<(u16, String), Box<dyn Error>> {
        let request = Request::new(method, target, &[]).with_host(&self.address).with_scheme("http");
        let presigned = self.signer.presign(request, Duration::from_secs(60), Timestamp::now())?;
        self.send(method, presigned.target(), [].into_iter(), b"")
    }

    fn send<'h>(
        &self,
        method: &str,
        target: &str,
        headers: impl Iterator<Item = (&'static str, &'h str)>,
        body: &[u8],
    ) -> Result<(u16, String), Box<dyn Error>> {
        let mut head = format!("{method} {target} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        head += &format!("content-length: {}\r\n", body.len());
        headers.for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(&[head.as_bytes(), b"\r\n", body].concat())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("no end of the headers")?;
        let status = head.split(' ').nth(1).ok_or("no status")?.parse()?;
        Ok((status, body.into()))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, access_key_id, secret] = &arguments[..] else { return Err("ADDRESS ACCESS_KEY_ID SECRET".into()) };
    let signer = |secret: &str| {
        Signer::new(Credentials::new(access_key_id, secret)?, "us-east-1", "s3").map_err(Box::<dyn Error>::from)
    };
    let server = Server { address: address.clone(), signer: signer(secret)? };
    let stranger = Server { address: address.clone(), signer: signer("another-secret")? };

    let mut wrong = 0;
    let mut check = |what: &str, answer: (u16, String), status: u16, holds: &str| {
        let good = answer.0 == status && answer.1.contains(holds);
        println!("{} {what}: {}", if good { "ok  " } else { "FAIL" }, answer.0);
        if !good {
            wrong += 1;
            println!("{}", answer.1);
        }
    };
    check("create the bucket", server.call("PUT", "/bucket", b"")?, 200, "");
    check("put", server.call("PUT", "/bucket/dir%20one/a.txt", b"hello")?, 200, "");
    check("put in another folder", server.call("PUT", "/bucket/dir%2Bone/b.txt", b"other")?, 200, "");
    check("get", server.call("GET", "/bucket/dir%20one/a.txt", b"")?, 200, "hello");
    check("get, presigned", server.presigned("GET", "/bucket/dir%20one/a.txt")?, 200, "hello");
    for (prefix, key) in
        [("dir+one/", "a.txt"), ("dir%20one/", "a.txt"), ("dir%20one%2F", "a.txt"), ("dir%2Bone/", "b.txt")]
    {
        let target = format!("/bucket?list-type=2&prefix={prefix}");
        check(&format!("list prefix={prefix}"), server.call("GET", &target, b"")?, 200, key);
        check(&format!("list prefix={prefix}, presigned"), server.presigned("GET", &target)?, 200, key);
    }
    check(
        "get with a wrong secret",
        stranger.call("GET", "/bucket/dir%20one/a.txt", b"")?,
        403,
        "SignatureDoesNotMatch",
    );
    if wrong > 0 { Err(format!("{wrong} answers are not as expected").into()) } else { Ok(()) }
}
