//! Connections that are kept, and end at a bad moment.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::gate::{Gate, Got, Sent, keys, upstream};
use crate::support::answer;

/// The same request on a connection that is kept.
fn kept(gate: &Gate, sent: &Sent) -> Vec<u8> {
    String::from_utf8(sent.bytes(gate.address)).expect("text").replace("connection: close\r\n", "").into_bytes()
}

fn read_answer(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    while !text.ends_with("from the upstream") && stream.read(&mut byte).expect("an answer") == 1 {
        text.push(char::from(byte[0]));
    }
    text
}

#[test]
fn a_kept_connection_waits_for_the_idle_timeout_only() {
    let upstream = upstream();
    let gate = Gate::new(&upstream, &["--header-timeout", "1", "--idle-timeout", "30"]);
    let mut stream = gate.connect();
    for _ in 0..2 {
        stream.write_all(&kept(&gate, &Sent::get("/a"))).expect("sent");
        assert!(read_answer(&mut stream).starts_with("HTTP/1.1 200"));
        std::thread::sleep(Duration::from_millis(2500));
    }
    stream.write_all(&Sent::get("/a").bytes(gate.address)).expect("sent");
    assert_eq!(Got::read(&mut stream).status, 200);
    // A head that has begun has less time, also if it isn't the first of its connection.
    let mut stream = gate.connect();
    stream.write_all(&kept(&gate, &Sent::get("/a"))).expect("sent");
    assert!(read_answer(&mut stream).starts_with("HTTP/1.1 200"));
    stream.write_all(b"GET /b HTTP/1.1\r\nhost").expect("half of a head");
    assert_eq!(Got::read(&mut stream).status, 0);
    assert!(upstream.arrived().iter().all(|arrived| arrived.target == "/a"));
}

/// An upstream that closes a connection that was kept when the second request arrives, and answers on new connections.
fn forgetful() -> (String, Receiver<String>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            for answers in [true, false] {
                let mut piece = [0; 4096];
                let read = stream.read(&mut piece).unwrap_or(0);
                if read == 0 || sender.send(String::from_utf8_lossy(&piece[..read]).into_owned()).is_err() {
                    break;
                }
                if answers {
                    stream.write_all(&answer(200, &[("connection", "keep-alive")], "kept")).expect("an answer");
                }
            }
        }
    });
    (url, receiver)
}

#[test]
fn requests_that_may_be_repeated_survive_the_end_of_a_connection() {
    for (method, body, status) in
        [("GET", &b""[..], 200), ("DELETE", b"", 200), ("PUT", b"", 200), ("POST", b"", 502), ("PUT", b"x", 502)]
    {
        let (url, arrived) = forgetful();
        let gate = Gate::start(&["--upstream", &url, "--service", "execute-api", "--region", "us-east-1"], &keys());
        let sent = || Sent::get("/a").with(|sent| (sent.method, sent.body) = (method, body.to_vec()));
        assert_eq!(gate.send(&sent()).status, 200, "{method}");
        assert_eq!(gate.send(&sent()).status, status, "{method} {body:?}");
        let count = arrived.try_iter().filter(|text| text.starts_with(method)).count();
        assert_eq!(count, if status == 200 { 3 } else { 2 }, "{method} {body:?}");
    }
}
