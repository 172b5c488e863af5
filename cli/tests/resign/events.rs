//! Event streams, answered while they are sent.

use std::io::{Read, Write};
use std::net::TcpStream;

use countersign::event_stream::{EventSigner, Message};
use countersign::{Request, Timestamp};

use crate::client::{Got, Sent, connect};
use crate::proxy::{Proxy, keys};
use crate::upstream::Upstream;

/// Opens a stream, up to the head of the request.
fn open(proxy: &Proxy, secret: &'static str) -> (TcpStream, EventSigner) {
    let sent = Sent::post("transcribe", "").with(|sent| sent.secret = secret);
    let host = proxy.address.to_string();
    let pairs = [("host", host.as_bytes()), ("content-type", b"application/vnd.amazon.eventstream".as_slice())];
    let request = Request::new("POST", "/stream-transcription", &pairs).with_scheme("http");
    let (signed, signer) = sent.signer().sign_events(request, Timestamp::now()).expect("a signature");
    let lines: String = signed.headers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "POST /stream-transcription HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
         content-type: application/vnd.amazon.eventstream\r\ntransfer-encoding: chunked\r\n{lines}\r\n"
    );
    let mut stream = connect(proxy.address);
    stream.write_all(head.as_bytes()).expect("it is read");
    (stream, signer)
}

fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(format!("{:x}\r\n", bytes.len()).as_bytes()).expect("it is read");
    stream.write_all(bytes).expect("it is read");
    stream.write_all(b"\r\n").expect("it is read");
}

fn message(length: usize) -> Vec<u8> {
    Message::new(vec![7; length]).with_header(":event-type", "AudioEvent").encode().expect("a message")
}

fn read_until(stream: &mut TcpStream, part: &str) -> String {
    let (mut text, mut piece) = (String::new(), [0; 1024]);
    while !text.contains(part) {
        let read = stream.read(&mut piece).expect("an answer");
        assert!(read > 0, "the answer ended: {text}");
        text.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    text
}

#[test]
fn messages_are_answered_while_others_are_to_come() {
    let upstream = Upstream::new();
    converse(&Proxy::new(&upstream, &keys("")), "HTTP/1.1");
    // As AWS has it.
    let (upstream, cert) = Upstream::with_http2();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("cert.pem");
    std::fs::write(&file, cert).expect("a file");
    let url = format!("https://{}", upstream.address);
    let flags = ["--upstream", &url, "--service", "transcribe", "--region", "us-east-1", "--cacert"];
    let proxy = Proxy::start(&[&flags[..], &[file.to_str().expect("text")]].concat(), &keys(""), &[]);
    converse(&proxy, "HTTP/2.0");
}

/// `version` is that between the proxy and the upstream.
fn converse(proxy: &Proxy, version: &str) {
    let (mut stream, mut signer) = open(proxy, crate::proxy::SECRET);
    let mut answered = String::new();
    for length in [10, 2000, 100_000] {
        let message = message(length);
        let signed = signer.sign(&message, Timestamp::now()).expect("a message");
        // In two pieces, neither of which is a message.
        let (first, second) = signed.split_at(signed.len() / 2);
        send(&mut stream, first);
        send(&mut stream, second);
        answered += &read_until(&mut stream, &format!("{}\n", message.len()));
    }
    assert!(answered.contains(&format!("x-version: {version}")), "{answered}");
    send(&mut stream, &signer.finish(Timestamp::now()).expect("the end"));
    stream.write_all(b"0\r\n\r\n").expect("it is read");
    read_until(&mut stream, "closed");
}

#[test]
fn wrong_messages_do_not_pass() {
    let upstream = Upstream::new();
    let proxy = Proxy::new(&upstream, &keys(""));
    let (mut stream, _) = open(&proxy, "another");
    assert_eq!(Got::read(&mut stream).status, 403);
    // A changed message, one that is sent twice, and one that is left out.
    for attempt in ["changed", "repeated", "left out"] {
        let (mut stream, mut signer) = open(&proxy, crate::proxy::SECRET);
        let message = message(64);
        let mut sign = || signer.sign(&message, Timestamp::now()).expect("a message");
        let (first, second, third) = (sign(), sign(), sign());
        send(&mut stream, &first);
        read_until(&mut stream, &format!("{}\n", message.len()));
        match attempt {
            "changed" => {
                let mut changed = second;
                changed[100] ^= 1;
                send(&mut stream, &changed);
            }
            "repeated" => send(&mut stream, &first),
            _ => send(&mut stream, &third),
        }
        let _ = stream.write_all(b"0\r\n\r\n");
        let rest = Got::read(&mut stream);
        let text = format!("{}{}", rest.head, rest.body);
        assert!(!text.contains(&format!("{}\n", message.len())) && !text.contains("closed"), "{attempt}: {text}");
    }
}
