//! Decoding `Bytes`: the same as decoding slices, without copies of what is large.

use bytes::Bytes;
use countersign::Rules;
use countersign::streaming::{ChunkDecoder, ChunkError, Chunked};

use super::{Trailers, decode, decoder_of, encode, modes, rules, sign};
use crate::support::allocator::most_held;
use crate::support::random::Random;

/// Pushes the body in pieces of random length, each as `Bytes` or as a slice. Returns the released data and the result.
fn decode_mixed(
    mut decoder: ChunkDecoder,
    body: &[u8],
    most: usize,
    random: &mut Random,
) -> (Vec<u8>, Result<Trailers, ChunkError>) {
    let (body, mut rest, mut data) = (Bytes::copy_from_slice(body), body.len(), Vec::new());
    while rest > 0 {
        let length = (1 + random.below(most)).min(rest);
        let piece = body.slice(body.len() - rest..).slice(..length);
        rest -= length;
        let result = if random.below(4) > 0 {
            decoder.push_bytes(&piece, |released| {
                assert!(!released.is_empty());
                data.extend_from_slice(&released);
            })
        } else {
            decoder.push(&piece, |released| data.extend_from_slice(released))
        };
        if let Err(error) = result {
            let again = decoder.push_bytes(&piece, |_| panic!("released after an error"));
            assert_eq!(again, Err(error.clone()));
            return (data, Err(error));
        }
    }
    (data, decoder.finish())
}

#[test]
fn any_mixture_of_slices_and_bytes_gives_the_same_result() {
    let mut random = Random(19);
    let data: Vec<u8> = (0..100_000).map(|_| random.below(256) as u8).collect();
    for (chunked, given) in modes(data.len() as u64) {
        let signed = sign(&chunked.with_chunk_size(40_000));
        let body = encode(&signed, &data, &given);
        let (expected, trailers) = decode(decoder_of(&signed, rules()).unwrap(), &[&body]);
        assert!(expected == data);
        for most in [10, 5000, 20_000, 90_000] {
            let (received, result) = decode_mixed(decoder_of(&signed, rules()).unwrap(), &body, most, &mut random);
            assert!(received == data, "pieces up to {most}");
            assert_eq!(result, trailers);
        }
    }
}

/// Whatever is kept, data is released only after its chunk is verified.
#[test]
fn a_changed_byte_releases_nothing_of_its_chunk() {
    let mut random = Random(20);
    let data: Vec<u8> = (0..100_000).map(|_| random.below(256) as u8).collect();
    let signed = sign(&Chunked::signed(data.len() as u64).with_chunk_size(40_000));
    let body = encode(&signed, &data, &[]);
    for most in [5000, 20_000, 90_000] {
        for _ in 0..20 {
            let mut changed = body.clone();
            changed[random.below(body.len())] ^= 1 << random.below(8);
            let (received, result) = decode_mixed(decoder_of(&signed, rules()).unwrap(), &changed, most, &mut random);
            let (expected, error) = decode(decoder_of(&signed, rules()).unwrap(), &[&changed]);
            assert!(received == expected && data.starts_with(&received) && received.len() % 40_000 % 20_000 == 0);
            assert_eq!(result, error);
            assert!(result.is_err());
        }
    }
}

#[test]
fn only_large_pieces_are_kept() {
    let signed = sign(&Chunked::signed(200_000).with_chunk_size(100_000));
    let body = encode(&signed, &[b'a'; 200_000], &[]);
    let second = 100_000 + body.len() - 200_000;
    // The second chunk has begun at the end of the longer of these.
    for (from, to, is_kept) in [
        (0, 4000, false),
        (0, 5000, true),
        (200, 5000, true),
        (0, second + 4000, false),
        (0, second + 20_000, false),
        (0, second + 60_000, true),
        (90_000, second + 20_000, true),
    ] {
        let mut decoder = decoder_of(&signed, rules()).unwrap();
        decoder.push(&body[..from], |_| {}).unwrap();
        let piece = Bytes::copy_from_slice(&body[from..to]);
        decoder.push_bytes(&piece, |_| {}).unwrap();
        assert_eq!(!piece.is_unique(), is_kept, "{from} to {to}");
        drop(decoder);
        assert!(piece.is_unique());
    }
}

#[test]
fn keeping_a_chunk_allocates_no_copy() {
    const LENGTH: usize = 4 << 20;
    let signed = sign(&Chunked::signed(LENGTH as u64).with_chunk_size(LENGTH));
    let body = Bytes::from(encode(&signed, &vec![b'a'; LENGTH], &[]));
    for (size, limit) in [(16_384, 65_536), (4096, LENGTH / 16), (1000, LENGTH + 65_536)] {
        let ((), peak) = most_held(|| {
            let (mut decoder, mut received) = (decoder_of(&signed, Rules::S3).unwrap(), 0);
            for piece in body.chunks(size) {
                decoder.push_bytes(&body.slice_ref(piece), |data| received += data.len()).unwrap();
            }
            decoder.finish().unwrap();
            assert_eq!(received, LENGTH);
        });
        assert!(peak < limit, "{peak} bytes for pieces of {size}");
    }
}
