//! Uploads in chunks that are changed on their way. The store must not get one that looks complete.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use crate::gate::{Gate, ID, SECRET, keys};
use crate::support::{folder, run, text, without_credentials};
use crate::wire::Wire;

type Change = fn(&mut Vec<u8>);

/// Sends what a client sends to the gate once it is all there and changed.
fn between(gate: &Gate, change: Change) -> std::net::SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    let to = gate.address;
    std::thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        client.set_read_timeout(Some(Duration::from_millis(500))).expect("a limit");
        let mut bytes = Vec::new();
        let mut piece = [0; 64 * 1024];
        while let Ok(read) = client.read(&mut piece) {
            bytes.extend_from_slice(&piece[..read]);
            if read == 0 {
                break;
            }
        }
        change(&mut bytes);
        let mut gate = TcpStream::connect(to).expect("the gate");
        gate.set_read_timeout(Some(Duration::from_secs(10))).expect("a limit");
        let _ = gate.write_all(&bytes);
        while let Ok(read @ 1..) = gate.read(&mut piece) {
            let _ = client.write_all(&piece[..read]);
        }
    });
    address
}

fn find(bytes: &[u8], part: &[u8], from: usize) -> usize {
    let found = bytes[from..].windows(part.len()).position(|window| window == part);
    from + found.unwrap_or_else(|| panic!("no {}", String::from_utf8_lossy(part)))
}

fn body(bytes: &[u8]) -> usize {
    find(bytes, b"\r\n\r\n", 0) + 4
}

/// Where the chunks begin.
fn chunks(bytes: &[u8]) -> Vec<usize> {
    let mut places = vec![body(bytes)];
    loop {
        let start = *places.last().expect("a chunk");
        let end = find(bytes, b"\r\n", start);
        let line = String::from_utf8_lossy(&bytes[start..end]).into_owned();
        let digits = line.split(';').next().expect("a length");
        let length = usize::from_str_radix(digits, 16).expect("a length");
        if length == 0 {
            return places;
        }
        places.push(end + 2 + length + 2);
    }
}

fn flip(bytes: &mut [u8], place: usize) {
    bytes[place] = if bytes[place] == b'1' { b'2' } else { b'1' };
}

fn after(bytes: &mut [u8], name: &[u8]) {
    let start = body(bytes);
    let place = find(bytes, name, start) + name.len();
    flip(bytes, place);
}

fn first_data(bytes: &mut Vec<u8>) {
    let start = body(bytes);
    let place = find(bytes, b"\r\n", start) + 2;
    flip(bytes, place);
}

fn last_data(bytes: &mut Vec<u8>) {
    let places = chunks(bytes);
    flip(bytes, places.last().expect("the end") - 3);
}

fn swapped(bytes: &mut Vec<u8>) {
    let places = chunks(bytes);
    assert!(places.len() >= 4, "{places:?}");
    let (one, other) = (bytes[places[0]..places[1]].to_vec(), bytes[places[1]..places[2]].to_vec());
    bytes.splice(places[0]..places[2], [other, one].concat());
}

fn repeated(bytes: &mut Vec<u8>) {
    let places = chunks(bytes);
    let one = bytes[places[0]..places[1]].to_vec();
    bytes.splice(places[1]..places[2], one);
}

fn without_last(bytes: &mut Vec<u8>) {
    let places = chunks(bytes);
    let (before, end) = (places[places.len() - 2], places[places.len() - 1]);
    bytes.drain(before..end);
}

fn without_end(bytes: &mut Vec<u8>) {
    let end = *chunks(bytes).last().expect("the end");
    bytes.truncate(end);
}

fn without_trailer(bytes: &mut Vec<u8>) {
    let end = *chunks(bytes).last().expect("the end");
    let line = find(bytes, b"\r\n", end) + 2;
    bytes.truncate(line);
    bytes.extend_from_slice(b"\r\n");
}

fn trailer(bytes: &mut Vec<u8>) {
    after(bytes, b"x-amz-checksum-crc32c:");
}

fn trailer_signature(bytes: &mut Vec<u8>) {
    after(bytes, b"x-amz-trailer-signature:");
}

fn chunk_signature(bytes: &mut Vec<u8>) {
    after(bytes, b"chunk-signature=");
}

fn end_signature(bytes: &mut Vec<u8>) {
    let end = *chunks(bytes).last().expect("the end");
    let place = find(bytes, b"chunk-signature=", end) + 16;
    flip(bytes, place);
}

fn another_trailer(bytes: &mut Vec<u8>) {
    let start = body(bytes);
    let place = find(bytes, b"x-amz-checksum-crc32c:", start);
    bytes.splice(place..place + 14, *b"x-amz-checksun");
}

fn nothing(_: &mut Vec<u8>) {}

const SIGNED: &[&str] = &["--payload", "chunked"];
const SIGNED_TRAILER: &[&str] = &["--payload", "chunked", "--checksum", "crc32c"];
const UNSIGNED_TRAILER: &[&str] = &["--payload", "unsigned", "--checksum", "crc32c"];

#[test]
fn nothing_complete_is_stored() {
    let upstream = Wire::ok();
    let url = upstream.url();
    let gate =
        Gate::start(&["--upstream", &url, "--service", "s3", "--region", "us-east-1", "--idle-timeout", "2"], &keys());
    let files = folder();
    let file = files.path().join("data");
    let data: Vec<u8> = (0..300_000_u32).map(|number| b'a' + (number / 7 % 26) as u8).collect();
    std::fs::write(&file, &data).expect("a file");
    let user = format!("{ID}:{SECRET}");
    let put = |mode: &[&str], change: Change| {
        let url = format!("http://{}/bucket/key", between(&gate, change));
        let own = ["request", "--max-time", "20", "-i", "--user", &user, "--service", "s3", "--region", "us-east-1"];
        run(&mut without_credentials(&[&own, mode, &["-T", text(&file), &url]].concat()))
    };
    for mode in [SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER] {
        let done = put(mode, nothing);
        assert!(done.out.contains(" 200"), "{mode:?}: {done:?}");
    }
    assert_eq!(upstream.complete().len(), 3);
    let table: &[(&[&str], &str, Change)] = &[
        (SIGNED, "first data", first_data),
        (SIGNED, "last data", last_data),
        (SIGNED, "swapped chunks", swapped),
        (SIGNED, "repeated chunk", repeated),
        (SIGNED, "no last chunk", without_last),
        (SIGNED, "no end", without_end),
        (SIGNED, "signature of a chunk", chunk_signature),
        (SIGNED, "signature of the end", end_signature),
        (SIGNED_TRAILER, "last data", last_data),
        (SIGNED_TRAILER, "trailer", trailer),
        (SIGNED_TRAILER, "signature of the trailer", trailer_signature),
        (SIGNED_TRAILER, "no trailer", without_trailer),
        (SIGNED_TRAILER, "another trailer", another_trailer),
        (UNSIGNED_TRAILER, "first data", first_data),
        (UNSIGNED_TRAILER, "last data", last_data),
        (UNSIGNED_TRAILER, "trailer", trailer),
        (UNSIGNED_TRAILER, "no trailer", without_trailer),
        (UNSIGNED_TRAILER, "another trailer", another_trailer),
        (UNSIGNED_TRAILER, "no last chunk", without_last),
    ];
    for (mode, name, change) in table {
        let done = put(mode, *change);
        assert!(!done.out.contains(" 200"), "{mode:?} {name}: {done:?}");
        assert_eq!(upstream.complete().len(), 3, "{mode:?} {name}: {done:?}");
    }
}
