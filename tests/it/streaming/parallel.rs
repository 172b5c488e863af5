//! Chunks that are hashed before they are encoded, by one thread or several.

use std::io::{self, ErrorKind, Read};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use countersign::streaming::{Checksum, Chunked, EncodeError, HashAhead, HashedChunk, ParallelEncodedRead};

use super::adapters::{Trickle, error_that_stays};
use super::{DATA, encode, modes, sign};
use crate::support::allocator::most_held;
use crate::support::random::Random;

fn threads(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

fn random_data(random: &mut Random, length: usize) -> Vec<u8> {
    (0..length).map(|_| random.below(256) as u8).collect()
}

fn encode_error(error: &io::Error) -> &EncodeError {
    error.get_ref().unwrap().downcast_ref().unwrap()
}

/// Any number of threads, and any reader, produces the same bytes as the encoder without threads.
#[test]
fn all_encoders_write_the_same_body() {
    let mut random = Random(41);
    for length in [0, 1, 63, 64, 65, 128, 1000, 5000] {
        let data = random_data(&mut random, length);
        for (chunked, given) in modes(length as u64) {
            let signed = sign(&chunked.with_chunk_size(64));
            let expected = encode(&signed, &data, &given);
            let count = 1 + random.below(5);
            let (mut encoder, mut body) = (signed.encoder(), Vec::new());
            for chunk in HashAhead::new(data.chunks(64).map(Bytes::copy_from_slice), threads(count)) {
                encoder.push_hashed(&chunk.unwrap(), |piece| body.extend_from_slice(piece)).unwrap();
            }
            given.iter().for_each(|(name, value)| encoder.set_trailer(name, value).unwrap());
            encoder.finish(|piece| body.extend_from_slice(piece)).unwrap();
            assert!(body == expected, "{length} bytes on {count} threads");

            let read =
                ParallelEncodedRead::new(&signed, Trickle::new(&data), threads(count)).before_trailer(move |encoder| {
                    given.iter().try_for_each(|(name, value)| encoder.set_trailer(name, value))
                });
            assert!(Trickle::read_all(read).unwrap() == expected, "{length} bytes on {count} threads, read");
        }
    }
}

#[test]
fn hashed_and_other_chunks_can_be_mixed() {
    let mut random = Random(42);
    let data = random_data(&mut random, 1000);
    let signed = sign(&Chunked::signed(1000).with_chunk_size(64).with_checksum(Checksum::Sha256));
    let expected = encode(&signed, &data, &[]);
    for _ in 0..20 {
        let (mut encoder, mut body) = (signed.encoder(), Vec::new());
        let mut out = |piece: &[u8]| body.extend_from_slice(piece);
        for chunk in data.chunks(64) {
            match random.below(3) {
                0 => encoder.push_hashed(&HashedChunk::new(chunk), &mut out).unwrap(),
                1 => encoder.push_hashed(&HashedChunk::new(Arc::<[u8]>::from(chunk)), &mut out).unwrap(),
                _ => encoder.push(chunk, &mut out).unwrap(),
            }
        }
        encoder.finish(&mut out).unwrap();
        assert!(body == expected);
    }
}

/// After each refusal the encoder continues as if nothing had happened.
#[test]
fn what_is_not_the_next_chunk_is_refused() {
    let signed = sign(&Chunked::signed(40).with_chunk_size(16));
    let nothing = |_: &[u8]| panic!("encoded");
    let (mut encoder, mut body) = (signed.encoder(), Vec::new());
    let refused = |length, expected, pending| Err(EncodeError::NotAChunk { length, expected, pending });
    for length in [0, 1, 15, 17, 32, 40] {
        assert_eq!(encoder.push_hashed(&HashedChunk::new(&DATA[..length]), nothing), refused(length, 16, 0));
    }
    let too_much = Err(EncodeError::DecodedLength { announced: 40, given: 41 });
    assert_eq!(encoder.push_hashed(&HashedChunk::new(&DATA[..41]), nothing), too_much);
    encoder.push(&DATA[..10], nothing).unwrap();
    for length in [0, 6, 16] {
        assert_eq!(encoder.push_hashed(&HashedChunk::new(&DATA[10..10 + length]), nothing), refused(length, 16, 10));
    }
    encoder.push(&DATA[10..16], |piece| body.extend_from_slice(piece)).unwrap();
    encoder.push_hashed(&HashedChunk::new(&DATA[16..32]), |piece| body.extend_from_slice(piece)).unwrap();
    assert_eq!(encoder.push_hashed(&HashedChunk::new(&DATA[32..36]), nothing), refused(4, 8, 0));
    encoder.push_hashed(&HashedChunk::new(&DATA[32..40]), |piece| body.extend_from_slice(piece)).unwrap();
    encoder.push_hashed(&HashedChunk::new(&DATA[..0]), nothing).unwrap();
    encoder.finish(|piece| body.extend_from_slice(piece)).unwrap();
    assert_eq!(body, encode(&signed, &DATA[..40], &[]));
    assert_eq!(encoder.push_hashed(&HashedChunk::new(&b""[..]), nothing), Err(EncodeError::Finished));
}

#[test]
fn data_of_the_wrong_length_never_ends_cleanly() {
    let signed = sign(&Chunked::signed(50).with_chunk_size(16));
    let expected = encode(&signed, &DATA[..50], &[]);
    for (data, given) in [(DATA, 51), (&DATA[..51], 51), (&DATA[..49], 49), (&DATA[..32], 32), (&DATA[..0], 0)] {
        let mut body = Vec::new();
        let error = ParallelEncodedRead::new(&signed, data, threads(3)).read_to_end(&mut body).unwrap_err();
        assert_eq!(encode_error(&error), &EncodeError::DecodedLength { announced: 50, given });
        // Whole chunks are sent before the end is known.
        assert!(expected.starts_with(&body));
        error_that_stays(ParallelEncodedRead::new(&signed, data, threads(3)));
    }
}

/// Reads what is available, and fails while there is no more.
struct Available<'d> {
    data: &'d [u8],
    read: usize,
    available: Arc<AtomicUsize>,
    error: ErrorKind,
}

impl Read for Available<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let available = &self.data[self.read..self.available.load(Ordering::Relaxed)];
        if available.is_empty() && self.read < self.data.len() {
            return Err(io::Error::new(self.error, "the disk is gone"));
        }
        let count = available.len().min(to.len()).min(7);
        to[..count].copy_from_slice(&available[..count]);
        self.read += count;
        Ok(count)
    }
}

#[test]
fn an_error_of_the_inner_reader_is_permanent() {
    let signed = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16));
    for available in [0, 1, 16, 40, DATA.len() - 1] {
        let error = ErrorKind::ConnectionReset;
        let available = Arc::new(AtomicUsize::new(available));
        let below = Available { data: DATA, read: 0, available, error };
        let error = error_that_stays(ParallelEncodedRead::new(&signed, below, threads(2)));
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::ConnectionReset, "the disk is gone"));
    }
}

/// No data is lost after a timeout, and chunks that are complete are not held back by it.
#[test]
fn an_inner_reader_that_is_not_ready_is_read_again() {
    let signed = sign(&Chunked::signed(DATA.len() as u64).with_chunk_size(16));
    let expected = encode(&signed, DATA, &[]);
    // Chunks of 16 bytes, with their header lines and line ends.
    let framed = 2 + 81 + 2 + 16 + 2;
    for error in [ErrorKind::WouldBlock, ErrorKind::TimedOut] {
        let available = Arc::new(AtomicUsize::new(0));
        let below = Available { data: DATA, read: 0, available: Arc::clone(&available), error };
        let mut reader = ParallelEncodedRead::new(&signed, below, threads(2));
        let mut body = Vec::new();
        for (length, chunks) in [(3, 0), (15, 0), (16, 1), (40, 2), (DATA.len() - 1, 4)] {
            available.store(length, Ordering::Relaxed);
            for _ in 0..2 {
                assert_eq!(reader.read_to_end(&mut body).unwrap_err().kind(), error);
                assert_eq!(body.len(), chunks * framed, "{length} bytes");
            }
        }
        available.store(DATA.len(), Ordering::Relaxed);
        reader.read_to_end(&mut body).unwrap();
        assert_eq!(body, expected);
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 0);
    }
}

struct Panics<'d>(&'d [u8]);

impl Read for Panics<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        assert!(!self.0.is_empty(), "a panic that the test expects");
        self.0.read(to)
    }
}

/// The threads end although the caller unwinds, so the test ends.
#[test]
fn a_reader_that_panics_does_not_hang() {
    let data = vec![b'a'; 1_000_000];
    let signed = sign(&Chunked::signed(2_000_000));
    let reader = ParallelEncodedRead::new(&signed, Panics(&data), threads(4));
    let read = std::panic::AssertUnwindSafe(|| {
        let mut reader = reader;
        reader.read_to_end(&mut Vec::new())
    });
    assert!(std::panic::catch_unwind(read).is_err());
}

/// Dropped before its end, it neither hangs nor reads on.
#[test]
fn a_body_can_be_dropped_at_any_point() {
    let data = vec![b'a'; 300_000];
    let signed = sign(&Chunked::signed(300_000).with_chunk_size(10_000));
    for length in (0..300_000).step_by(30_011) {
        let mut reader = ParallelEncodedRead::new(&signed, data.as_slice(), threads(4));
        reader.read_exact(&mut vec![0; length]).unwrap();
    }
}

/// At most `2 * threads + 2` chunks, however long the body is, and nothing is allocated for each chunk but its header line
/// and what the threads exchange.
#[test]
fn memory_is_bounded_by_the_number_of_threads() {
    const CHUNK: usize = 65_536;
    const LENGTH: usize = 32 << 20;
    let signed = sign(&Chunked::signed(LENGTH as u64).with_chunk_size(CHUNK));
    for count in [1, 2, 4] {
        let mut buffer = vec![0; 20_000];
        let (length, peak) = most_held(|| {
            let source = io::repeat(b'a').take(LENGTH as u64);
            let mut reader = ParallelEncodedRead::new(&signed, source, threads(count));
            let mut length = 0;
            loop {
                match reader.read(&mut buffer).unwrap() {
                    0 => break length,
                    count => length += count as u64,
                }
            }
        });
        assert_eq!(length, signed.content_length());
        // The counter is that of this thread, which allocates the buffers; the others only read them.
        assert!(peak < (2 * count + 2) * CHUNK + 65_536, "{peak} bytes with {count} threads");
    }
}

/// At most `2 * threads` chunks are taken ahead, and the iterator is not called again after its end.
#[test]
fn chunks_are_taken_as_they_are_used() {
    let taken = AtomicUsize::new(0);
    let chunks = std::iter::from_fn(|| {
        let number = taken.fetch_add(1, Ordering::Relaxed);
        assert!(number <= 100, "called after its end");
        (number < 100).then(|| vec![number as u8; 1000])
    });
    let mut ahead = HashAhead::new(chunks, threads(3));
    for number in 0..100 {
        assert_eq!(ahead.next().unwrap().unwrap().data(), vec![number as u8; 1000]);
        assert!(taken.load(Ordering::Relaxed) <= number + 7);
    }
    for _ in 0..3 {
        assert!(ahead.next().is_none());
    }
}
