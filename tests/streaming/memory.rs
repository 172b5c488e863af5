//! Memory, counted: what a body announces costs nothing until it arrives.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use countersign::Rules;
use countersign::streaming::{Checksum, Chunked};

use crate::{decoder_of, sign, signer};

struct Counting;

thread_local! {
    static LIVE: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

fn count(bytes: isize) {
    LIVE.with(|live| {
        live.set(live.get() + bytes);
        MOST.with(|most| most.set(most.get().max(live.get())));
    });
}

// SAFETY: hands every call on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size() as isize);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-(layout.size() as isize));
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size as isize - layout.size() as isize);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes that lived at once during `run`, beyond those before.
fn most(run: impl FnOnce()) -> isize {
    let before = LIVE.get();
    MOST.set(before);
    run();
    MOST.get() - before
}

const GIBIBYTE: u64 = 1 << 30;

#[test]
fn a_gibibyte_announced_and_a_kibibyte_sent() {
    let mut rules = Rules::S3;
    rules.max_chunk_size = GIBIBYTE;
    let signed = sign(&Chunked::signed(GIBIBYTE));
    let header = format!("40000000;chunk-signature={}\r\n", "0".repeat(64));
    let peak = most(|| {
        let mut decoder = decoder_of(&signed, rules).unwrap();
        decoder.push(header.as_bytes(), |_| panic!("released")).unwrap();
        decoder.push(&[0; 1024], |_| panic!("released")).unwrap();
        assert!(decoder.finish().is_err());
    });
    assert!(peak < 16_384, "{peak} bytes");
}

#[test]
fn lines_without_an_end_are_not_kept() {
    for (chunked, start) in [
        (Chunked::signed(3), &b""[..]),
        (Chunked::unsigned(0).with_checksum(Checksum::Sha256), b"0\r\nx-amz-checksum-sha256:"),
    ] {
        let signed = sign(&chunked);
        let peak = most(|| {
            let mut decoder = decoder_of(&signed, Rules::S3).unwrap();
            decoder.push(start, |_| {}).unwrap();
            let refused = (0..100_000).find(|_| decoder.push(&[b'1'; 1024], |_| panic!("released")).is_err());
            assert!(refused.is_some());
        });
        assert!(peak < 65_536, "{peak} bytes");
    }
}

/// A large chunk that arrives in pieces is held once, whatever its length.
#[test]
fn a_chunk_is_held_once() {
    const LENGTH: usize = (8 << 20) + 4096;
    let view = countersign::Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let chunked = Chunked::signed(LENGTH as u64).with_chunk_size(LENGTH);
    let signed = signer().sign_chunked(&view, &chunked, crate::now()).unwrap();
    let data = vec![b'a'; LENGTH];
    let mut body = Vec::with_capacity(LENGTH + 512);
    let sending = most(|| {
        let mut encoder = signed.encoder();
        data.chunks(50_000).for_each(|piece| encoder.push(piece, |frame| body.extend_from_slice(frame)).unwrap());
        encoder.finish(|frame| body.extend_from_slice(frame)).unwrap();
    });
    let receiving = most(|| {
        let mut decoder = decoder_of(&signed, Rules::S3).unwrap();
        body.chunks(50_000).for_each(|piece| decoder.push(piece, |_| {}).unwrap());
        decoder.finish().unwrap();
    });
    let limit = LENGTH as isize + 16_384;
    assert!(sending < limit && receiving < limit, "{sending} and {receiving} bytes");
}

/// 64 MiB through both sides: what lives is a chunk or two, not the body.
#[test]
fn a_body_of_64_mebibytes_holds_a_chunk() {
    const LENGTH: u64 = 64 << 20;
    let view = countersign::Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let signed = signer().sign_chunked(&view, &Chunked::signed(LENGTH), crate::now()).unwrap();
    let piece = vec![b'a'; 50_000];
    let peak = most(|| {
        let (mut encoder, mut decoder) = (signed.encoder(), decoder_of(&signed, Rules::S3).unwrap());
        let (mut left, mut received) = (LENGTH, 0);
        while left > 0 {
            let data = &piece[..piece.len().min(left as usize)];
            left -= data.len() as u64;
            encoder.push(data, |frame| decoder.push(frame, |data| received += data.len() as u64).unwrap()).unwrap();
        }
        encoder.finish(|frame| decoder.push(frame, |data| received += data.len() as u64).unwrap()).unwrap();
        decoder.finish().unwrap();
        assert_eq!(received, LENGTH);
    });
    assert!(peak < 4 * 65_536, "{peak} bytes");
}
