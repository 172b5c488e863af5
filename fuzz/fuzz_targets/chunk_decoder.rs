#![no_main]

use std::sync::LazyLock;

use countersign::streaming::{Checksum, ChunkDecoder, Chunked, SignedChunked};
use countersign::{Request, Rules, Signer, Verifier};
use countersign_fuzz::credentials;
use libfuzzer_sys::fuzz_target;

const LENGTH: u64 = 40;
const DATA: &[u8; LENGTH as usize] = b"forty bytes, in three chunks, of sixteen";

fn rules() -> Rules {
    let mut rules = Rules::S3;
    rules.min_chunk_size = 1;
    rules
}

/// One request of each mode.
static SIGNED: LazyLock<[SignedChunked; 3]> = LazyLock::new(|| {
    let signer = Signer::new(credentials(), "us-east-1", "s3").unwrap().with_rules(rules());
    let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
    let with_note = |chunked: Chunked| chunked.with_checksum(Checksum::Crc32c).with_trailer("x-amz-meta-note", 3);
    [Chunked::signed(LENGTH), with_note(Chunked::signed(LENGTH)), with_note(Chunked::unsigned(LENGTH))]
        .map(|chunked| chunked.with_chunk_size(16))
        .map(|chunked| signer.sign_chunked(&request, &chunked, "20150830T123600Z".parse().unwrap()).unwrap())
});

fn decoder(signed: &SignedChunked) -> ChunkDecoder {
    let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
    let now = "20150830T123600Z".parse().unwrap();
    let verifier = Verifier::new("us-east-1", "s3").unwrap().with_rules(rules());
    verifier.parse(request, now).unwrap().verify_head(Some(&credentials())).unwrap().chunk_decoder().unwrap()
}

type Outcome = (Vec<u8>, Option<Vec<(String, Vec<u8>)>>);

/// What comes out of a body that arrives in pieces of `split` bytes.
fn decode(signed: &SignedChunked, body: &[u8], split: usize) -> Outcome {
    let (mut decoder, mut data) = (decoder(signed), Vec::new());
    for piece in body.chunks(split.max(1)) {
        if decoder.push(piece, |released| data.extend_from_slice(released)).is_err() {
            return (data, None);
        }
    }
    (data, decoder.finish().ok())
}

fn encode(signed: &SignedChunked, note: &str) -> Vec<u8> {
    let (mut encoder, mut body) = (signed.encoder(), Vec::new());
    encoder.push(DATA, |piece| body.extend_from_slice(piece)).unwrap();
    let _ = encoder.set_trailer("x-amz-meta-note", note);
    encoder.finish(|piece| body.extend_from_slice(piece)).unwrap();
    body
}

// A body after two bytes: how it is split, and which mode it is of. A byte above 0xf0 first, and what follows is a
// change of a good body: position and byte.
fuzz_target!(|input: &[u8]| {
    let [split, mode, rest @ ..] = input else { return };
    let index = usize::from(*mode) % 3;
    let signed = &SIGNED[index];
    let proven = index < 2;
    let body = match rest {
        _ if *split < 0xf0 => rest.to_vec(),
        [position, change, ..] => {
            let mut body = encode(signed, "abc");
            let position = usize::from(*position) * body.len() / 256;
            body[position] ^= change;
            body
        }
        _ => return,
    };
    let whole = decode(signed, &body, body.len());
    assert_eq!(whole, decode(signed, &body, usize::from(*split) % 32), "depends on the split");
    if proven {
        assert!(DATA.starts_with(&whole.0), "bytes that nobody signed");
    }
    if let Some(trailers) = whole.1 {
        assert_eq!(whole.0.len() as u64, LENGTH);
        assert!(!proven || whole.0 == DATA);
        assert_eq!(trailers.len(), if index == 0 { 0 } else { 2 });
        if index == 1 {
            assert!(trailers.iter().any(|(name, value)| name == "x-amz-meta-note" && value.trim_ascii() == b"abc"));
        }
    }
});
