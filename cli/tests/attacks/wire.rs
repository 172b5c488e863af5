//! An upstream that keeps connections open and reads them strictly: what was hidden in a request shows up as another.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug)]
pub struct Read1 {
    pub line: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// The body was as long as announced.
    pub is_complete: bool,
}

impl Read1 {
    pub fn count(&self, name: &str) -> usize {
        self.headers.iter().filter(|(own, _)| own == name).count()
    }
}

pub struct Wire {
    pub address: SocketAddr,
    all: Arc<Mutex<Vec<Read1>>>,
}

impl Wire {
    /// Its threads end with the test.
    pub fn new(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let all = Arc::new(Mutex::new(Vec::new()));
        let kept = all.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let all = kept.clone();
                std::thread::spawn(move || serve(stream, answer, &all));
            }
        });
        Self { address, all }
    }

    pub fn ok() -> Self {
        Self::new(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn requests(&self) -> Vec<Read1> {
        self.all.lock().expect("the lock").clone()
    }

    /// Those of which everything arrived.
    pub fn complete(&self) -> Vec<Read1> {
        self.requests().into_iter().filter(|request| request.is_complete).collect()
    }
}

fn serve(stream: TcpStream, answer: &[u8], all: &Mutex<Vec<Read1>>) {
    let mut writer = stream.try_clone().expect("a copy");
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        let is_complete = request.is_complete;
        all.lock().expect("the lock").push(request);
        if !is_complete || writer.write_all(answer).is_err() {
            return;
        }
    }
}

fn line(reader: &mut BufReader<TcpStream>) -> Option<String> {
    let mut bytes = Vec::new();
    reader.read_until(b'\n', &mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.strip_suffix("\r\n").map(str::to_owned)
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Read1> {
    let first = line(reader)?;
    let mut headers = Vec::new();
    loop {
        let next = line(reader)?;
        if next.is_empty() {
            break;
        }
        let (name, value) = next.split_once(':').unwrap_or((&next, ""));
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let mut request = Read1 { line: first, headers, body: Vec::new(), is_complete: true };
    let find = |name: &str| request.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
    let (length, coding) = (find("content-length"), find("transfer-encoding"));
    assert!(request.count("content-length") + request.count("transfer-encoding") <= 1, "{request:?}");
    if let Some(length) = length {
        request.body = vec![0; length.parse().expect("a length")];
        request.is_complete = reader.read_exact(&mut request.body).is_ok();
    } else if let Some(coding) = coding {
        assert_eq!(coding, "chunked");
        request.is_complete = chunks(reader, &mut request.body).is_some();
    }
    Some(request)
}

fn chunks(reader: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Option<()> {
    loop {
        let length = usize::from_str_radix(&line(reader)?, 16).expect("a length without extensions");
        let mut chunk = vec![0; length];
        reader.read_exact(&mut chunk).ok()?;
        body.extend_from_slice(&chunk);
        let end = line(reader)?;
        assert_eq!(end, "", "no trailers, and nothing after a chunk");
        if length == 0 {
            return Some(());
        }
    }
}
