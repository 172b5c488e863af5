//! An HTTP/2 client that sends what no library would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const GOAWAY: u8 = 7;
pub const CONTINUATION: u8 = 9;

pub const END_STREAM: u8 = 1;
pub const END_HEADERS: u8 = 4;

const LIMIT: Duration = Duration::from_secs(15);

pub struct Http2(pub TcpStream);

/// How a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End {
    Ok,
    OtherStatus,
    Reset,
    Closed,
}

impl Http2 {
    pub fn open(address: SocketAddr) -> Self {
        Self::with_settings(address, &[])
    }

    pub fn with_settings(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(LIMIT)).expect("a limit");
        stream.set_write_timeout(Some(LIMIT)).expect("a limit");
        let mut http2 = Self(stream);
        http2.0.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").expect("the preface");
        let payload: Vec<u8> =
            settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
        http2.frame(SETTINGS, 0, 0, &payload);
        http2
    }

    /// Returns `false` if the server has closed the connection.
    pub fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        let length = u32::try_from(payload.len()).expect("a length").to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.0.write_all(&[&head, payload].concat()).is_ok()
    }

    pub fn headers(&mut self, stream: u32, list: &[(&str, &str)], is_last: bool) -> bool {
        self.frame(HEADERS, END_HEADERS | if is_last { END_STREAM } else { 0 }, stream, &block(list))
    }

    /// Reads until the stream ends.
    pub fn end_of(&mut self, stream: u32) -> End {
        let begun = Instant::now();
        let mut end = None;
        while begun.elapsed() < LIMIT {
            let Some((kind, flags, number, payload)) = self.read() else { return end.unwrap_or(End::Closed) };
            match kind {
                GOAWAY if payload.get(4..8) != Some(&[0; 4]) => return End::Closed,
                RST_STREAM if number == stream => return End::Reset,
                // The table of headers begins empty: `:status: 200` is one byte.
                HEADERS if number == stream && end.is_none() => {
                    end = Some(if payload.first() == Some(&0x88) { End::Ok } else { End::OtherStatus });
                }
                _ => {}
            }
            if number == stream && matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
                return end.unwrap_or(End::Closed);
            }
        }
        panic!("the stream doesn't end")
    }

    fn read(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let [a, b, c, kind, flags, number @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.0.read_exact(&mut payload).ok()?;
        Some((kind, flags, u32::from_be_bytes(number), payload))
    }
}

/// Headers as they are, without compression.
pub fn block(list: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in list {
        block.push(0);
        text(&mut block, name);
        text(&mut block, value);
    }
    block
}

fn text(block: &mut Vec<u8>, text: &str) {
    let mut length = text.len();
    if length < 127 {
        block.push(u8::try_from(length).expect("a length"));
    } else {
        block.push(127);
        length -= 127;
        while length >= 128 {
            block.push(u8::try_from(length % 128).expect("a byte") | 128);
            length /= 128;
        }
        block.push(u8::try_from(length).expect("a byte"));
    }
    block.extend_from_slice(text.as_bytes());
}
