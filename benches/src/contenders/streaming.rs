use std::hint::black_box;
use std::io::Read;
use std::num::NonZeroUsize;

use bytes::Bytes;
use countersign::streaming::{Chunked, HashAhead, ParallelEncodedRead, SignedChunked};
use countersign::{Rules, VerifiedHead, Verifier};
use sha2::{Digest, Sha256};

use super::countersign::signer;
use crate::measure::Contender;
use crate::requests::{Case, REGION, now};

/// Bytes of data in a chunk.
const CHUNK: usize = 65_536;

pub const WHO: &str = "countersign";
pub const IN_PIECES: &str = "countersign, in pieces of 16 KiB";
pub const TWO_THREADS: &str = "countersign, on two threads";
pub const TWO_THREADS_READ: &str = "countersign, on two threads, as `Read`";
pub const IN_BYTES: &str = "countersign, in `Bytes` of 16 KiB";

/// SHA-256 of the data and nothing else.
pub fn floor(case: &'static Case) -> Contender {
    Contender::new("floor", || Sha256::digest(&case.body))
}

fn sign(case: &Case) -> SignedChunked {
    let headers = case.wire_headers();
    let chunked = Chunked::signed(case.body.len() as u64).with_chunk_size(CHUNK);
    signer(case).sign_chunked(case.wire(&headers), &chunked, now()).unwrap()
}

fn encode(signed: &SignedChunked, data: &[u8], piece: usize, mut out: impl FnMut(&[u8])) {
    let mut encoder = signed.encoder();
    for piece in data.chunks(piece) {
        encoder.push(piece, &mut out).unwrap();
    }
    encoder.finish(&mut out).unwrap();
}

/// What goes out is looked at, and not kept.
pub fn encode_all(case: &'static Case) -> Contender {
    encode_pieces(WHO, case, case.body.len())
}

pub fn encode_in_pieces(case: &'static Case) -> Contender {
    encode_pieces(IN_PIECES, case, 16_384)
}

fn encode_pieces(who: &'static str, case: &'static Case, piece: usize) -> Contender {
    let signed = sign(case);
    let run = move || {
        let mut length = 0;
        encode(&signed, &case.body, piece, |frame| length += black_box(frame).len() as u64);
        assert_eq!(length, signed.content_length());
    };
    Contender::new(who, run)
}

pub fn decode_all(case: &'static Case) -> Contender {
    decode_pieces(WHO, case, usize::MAX)
}

pub fn decode_in_pieces(case: &'static Case) -> Contender {
    decode_pieces(IN_PIECES, case, 16_384)
}

fn decode_pieces(who: &'static str, case: &'static Case, piece: usize) -> Contender {
    let (head, body) = arriving(case);
    let decode = move || {
        let mut decoder = head.chunk_decoder().unwrap();
        let mut length = 0;
        for piece in body.chunks(piece.min(body.len())) {
            decoder.push(piece, |data| length += black_box(data).len()).unwrap();
        }
        decoder.finish().unwrap();
        assert_eq!(length, case.body.len());
    };
    Contender::new(who, decode)
}

pub fn encode_on_two_threads(case: &'static Case) -> Contender {
    let signed = sign(case);
    let run = move || {
        let mut length = 0;
        let mut encoder = signed.encoder();
        let chunks = case.body.chunks(CHUNK).map(Bytes::from_static);
        for chunk in HashAhead::new(chunks, NonZeroUsize::new(2).unwrap()) {
            encoder.push_hashed(&chunk.unwrap(), |frame| length += black_box(frame).len() as u64).unwrap();
        }
        encoder.finish(|frame| length += black_box(frame).len() as u64).unwrap();
        assert_eq!(length, signed.content_length());
    };
    Contender::new(TWO_THREADS, run)
}

/// As a client sends them that reads the body: what is read and what comes out is copied.
pub fn read_on_two_threads(case: &'static Case) -> Contender {
    let signed = sign(case);
    let mut buffer = vec![0; 2 * CHUNK];
    let run = move || {
        let mut encoded = ParallelEncodedRead::new(&signed, case.body.as_slice(), NonZeroUsize::new(2).unwrap());
        let mut length = 0;
        loop {
            match encoded.read(&mut buffer).unwrap() {
                0 => break,
                count => length += black_box(&buffer[..count]).len() as u64,
            }
        }
        assert_eq!(length, signed.content_length());
    };
    Contender::new(TWO_THREADS_READ, run)
}

/// As a server receives them from hyper.
pub fn decode_bytes(case: &'static Case) -> Contender {
    let (head, body) = arriving(case);
    let body = Bytes::from(body);
    let decode = move || {
        let mut decoder = head.chunk_decoder().unwrap();
        let (mut length, mut rest) = (0, body.clone());
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(16_384));
            decoder.push_bytes(&piece, |data| length += black_box(data).len()).unwrap();
        }
        decoder.finish().unwrap();
        assert_eq!(length, case.body.len());
    };
    Contender::new(IN_BYTES, decode)
}

/// The verified head and the chunks as the encoder gives them.
fn arriving(case: &'static Case) -> (VerifiedHead<'static>, Vec<u8>) {
    let signed = sign(case);
    let mut body = Vec::new();
    encode(&signed, &case.body, CHUNK, |frame| body.extend_from_slice(frame));
    let mut headers = case.headers.clone();
    headers.extend(signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
    let arriving: &'static Case = Box::leak(Box::new(Case { headers, ..case.clone() }));
    let wire_headers: &'static _ = arriving.wire_headers().leak();
    let head: VerifiedHead<'static> = {
        let verifier = Verifier::new(REGION, case.service).unwrap().with_rules(Rules::S3);
        let unverified = verifier.parse(arriving.wire(wire_headers), now()).unwrap();
        unverified.verify_head(Some(&case.credentials())).unwrap().into_owned()
    };
    (head, body)
}

/// The signatures of the chunks alone, without their frames.
pub fn aws_sigv4_sign_chunks(case: &'static Case) -> Contender {
    use crate::requests::{ACCESS_KEY_ID, SECRET, system_time};
    use aws_sigv4::sign::v4::{SigningParams, sign_chunk};

    let identity = aws_credential_types::Credentials::new(ACCESS_KEY_ID, SECRET, None, None, "benches").into();
    let params: SigningParams<'static, ()> = SigningParams::builder()
        .identity(Box::leak(Box::new(identity)))
        .region(REGION)
        .name(case.service)
        .time(system_time())
        .settings(())
        .build()
        .unwrap();
    let chunks: Vec<Bytes> = case.body.chunks(CHUNK).chain([&[][..]]).map(Bytes::from_static).collect();
    let signed = sign(case);
    let seed = signed.signed().signature().to_hex();
    let run = move || {
        let mut previous = seed.clone();
        for chunk in &chunks {
            previous = sign_chunk(chunk, &previous, &params).unwrap().into_parts().1;
        }
        previous
    };
    let mut end = Vec::new();
    encode(&signed, &case.body, CHUNK, |frame| end = frame.to_vec());
    assert!(String::from_utf8_lossy(&end).contains(&run()), "{}", case.name);
    Contender::new("aws-sigv4, signatures alone", run)
}
