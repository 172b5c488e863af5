//! What lies between clients and servers.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Forwards to a server, and turns each `!` that a client sends into a `?`. Nothing but the bodies of the tests has any.
pub struct Changing {
    pub address: SocketAddr,
}

impl Changing {
    pub fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = TcpStream::connect(server).unwrap();
                let (from_server, to_client) = (server.try_clone().unwrap(), client.try_clone().unwrap());
                thread::spawn(move || forward(client, server, |byte| if byte == b'!' { b'?' } else { byte }));
                thread::spawn(move || forward(from_server, to_client, |byte| byte));
            }
        });
        Self { address }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, change: impl Fn(u8) -> u8) {
    from.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut buffer = [0; 16_384];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        buffer[..count].iter_mut().for_each(|byte| *byte = change(*byte));
        // A server may refuse an upload and close before it has read all of it. A client that is still writing would
        // then fail without reading the refusal, so the rest of it is dropped here.
        let _ = to.write_all(&buffer[..count]);
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Answers every request with a redirect to itself. Returns the number of requests, too.
pub fn redirecting() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    thread::spawn(move || {
        for mut client in listener.incoming().map_while(Result::ok) {
            counted.fetch_add(1, Ordering::SeqCst);
            client.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            let mut request = [0; 16_384];
            // The head and the body may come in two packets, and closing early would reset the connection.
            while let Ok(1..) = client.read(&mut request) {}
            let answer = "HTTP/1.1 307 Temporary Redirect\r\nlocation: /elsewhere\r\n\
                content-length: 0\r\nconnection: close\r\n\r\n";
            client.write_all(answer.as_bytes()).unwrap();
        }
    });
    (address, count)
}
