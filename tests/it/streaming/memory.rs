//! Measures memory: announced data takes no memory until it arrives.

use countersign::streaming::{Checksum, Chunked};
use countersign::{Limits, Rules};

use super::{decoder_of, decoder_within, sign, signer};
use crate::support::allocator::most_held;
use crate::support::fixtures::now;

const GIBIBYTE: u64 = 1 << 30;

#[test]
fn an_announced_gibibyte_takes_no_memory() {
    let mut limits = Limits::default();
    limits.max_chunk_size = GIBIBYTE;
    let signed = sign(&Chunked::signed(GIBIBYTE));
    let header = format!("40000000;chunk-signature={}\r\n", "0".repeat(64));
    let ((), peak) = most_held(|| {
        let mut decoder = decoder_within(&signed, Rules::S3, limits).unwrap();
        decoder.push(header.as_bytes(), |_| panic!("released")).unwrap();
        decoder.push(&[0; 1024], |_| panic!("released")).unwrap();
        assert!(decoder.finish().is_err());
    });
    assert!(peak < 16_384, "{peak} bytes");
}

#[test]
fn lines_without_an_end_are_not_buffered() {
    for (chunked, start) in [
        (Chunked::signed(3), &b""[..]),
        (Chunked::unsigned(0).with_checksum(Checksum::Sha256), b"0\r\nx-amz-checksum-sha256:"),
    ] {
        let signed = sign(&chunked);
        let ((), peak) = most_held(|| {
            let mut decoder = decoder_of(&signed, Rules::S3).unwrap();
            decoder.push(start, |_| {}).unwrap();
            let refused = (0..100_000).find(|_| decoder.push(&[b'1'; 1024], |_| panic!("released")).is_err());
            assert!(refused.is_some());
        });
        assert!(peak < 65_536, "{peak} bytes");
    }
}

/// A large chunk that arrives in many parts is buffered only once, whatever its length.
#[test]
fn a_chunk_is_buffered_once() {
    const LENGTH: usize = (8 << 20) + 4096;
    let view = countersign::Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let chunked = Chunked::signed(LENGTH as u64).with_chunk_size(LENGTH);
    let signed = signer().sign_chunked(view, &chunked, now()).unwrap();
    let data = vec![b'a'; LENGTH];
    let mut body = Vec::with_capacity(LENGTH + 512);
    let ((), sending) = most_held(|| {
        let mut encoder = signed.encoder();
        data.chunks(50_000).for_each(|piece| encoder.push(piece, |frame| body.extend_from_slice(frame)).unwrap());
        encoder.finish(|frame| body.extend_from_slice(frame)).unwrap();
    });
    let ((), receiving) = most_held(|| {
        let mut decoder = decoder_of(&signed, Rules::S3).unwrap();
        body.chunks(50_000).for_each(|piece| decoder.push(piece, |_| {}).unwrap());
        decoder.finish().unwrap();
    });
    let limit = LENGTH + 16_384;
    assert!(sending < limit && receiving < limit, "{sending} and {receiving} bytes");
}

/// 64 MiB through both sides: memory use is a chunk or two, not the body.
#[test]
fn a_body_of_64_mebibytes_takes_the_memory_of_a_chunk() {
    const LENGTH: u64 = 64 << 20;
    let view = countersign::Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let signed = signer().sign_chunked(view, &Chunked::signed(LENGTH), now()).unwrap();
    let piece = vec![b'a'; 50_000];
    let ((), peak) = most_held(|| {
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
