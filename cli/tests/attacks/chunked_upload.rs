//! An upload in signed chunks, as bytes.

use std::net::SocketAddr;

use countersign::streaming::Chunked;
use countersign::{Request, Signer, Timestamp};

/// The head and the body of `PUT /bucket/a` in chunks of that size.
pub fn upload(signer: &Signer, address: SocketAddr, body: &[u8], chunk: usize) -> Vec<u8> {
    let host = address.to_string();
    let request = Request::new("PUT", "/bucket/a", &[]).with_host(&host).with_scheme("http");
    let chunked = Chunked::signed(body.len() as u64).with_chunk_size(chunk);
    let signed = signer.sign_chunked(request, &chunked, Timestamp::now()).expect("a signature");
    let lines: String = signed.headers().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let mut all = format!("PUT /bucket/a HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n{lines}\r\n").into_bytes();
    let mut encoder = signed.encoder();
    encoder.push(body, |piece| all.extend_from_slice(piece)).expect("data");
    encoder.finish(|piece| all.extend_from_slice(piece)).expect("the end");
    all
}
