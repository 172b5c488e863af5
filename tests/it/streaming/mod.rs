//! Tests of chunked bodies, in both directions.

mod adapters;
mod changes;
mod checksums;
mod frames;
mod limits;
mod memory;
mod parallel;
mod shared;
mod sigv4a;

use countersign::streaming::{Checksum, ChunkDecoder, ChunkError, Chunked, SignedChunked};
use countersign::{Limits, Request, Rules, Signer, Verifier};

use crate::support::fixtures::{self, credentials, now, verifier, verify_head};

const DATA: &[u8] = b"The quick brown fox jumps over the lazy dog, and over that one too.";

/// S3's rules, with chunks of any size.
fn rules() -> Rules {
    let mut rules = Rules::S3;
    rules.min_chunk_size = 1;
    rules
}

fn signer() -> Signer {
    fixtures::signer("s3").with_rules(rules())
}

fn sign(chunked: &Chunked) -> SignedChunked {
    signer().sign_chunked(Request::new("PUT", "/key", &[]).with_host("bucket.example"), chunked, now()).unwrap()
}

fn chunks_are_signed(signed: &SignedChunked) -> bool {
    !signed.headers().any(|header| header == ("x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"))
}

fn has_trailer(signed: &SignedChunked) -> bool {
    signed.headers().any(|(name, _)| name == "x-amz-trailer")
}

/// Returns the encoded body, with the caller's trailers.
fn encode(signed: &SignedChunked, data: &[u8], trailers: &[(&str, &str)]) -> Vec<u8> {
    let (mut encoder, mut body) = (signed.encoder(), Vec::new());
    encoder.push(data, |piece| body.extend_from_slice(piece)).unwrap();
    for (name, value) in trailers {
        encoder.set_trailer(name, value).unwrap();
    }
    encoder.finish(|piece| body.extend_from_slice(piece)).unwrap();
    body
}

/// Returns a decoder for the body of the signed request.
fn decoder_of(signed: &SignedChunked, rules: Rules) -> Result<ChunkDecoder, ChunkError> {
    decoder_within(signed, rules, Limits::default())
}

fn decoder_within(signed: &SignedChunked, rules: Rules, limits: Limits) -> Result<ChunkDecoder, ChunkError> {
    let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    decoder_of_verifier(&headers, verifier("s3").with_rules(rules).with_limits(limits))
}

fn decoder_of_headers(headers: &[(&str, &[u8])], rules: Rules) -> Result<ChunkDecoder, ChunkError> {
    decoder_of_verifier(headers, verifier("s3").accept_repeated_headers().with_rules(rules))
}

fn decoder_of_verifier(headers: &[(&str, &[u8])], verifier: Verifier) -> Result<ChunkDecoder, ChunkError> {
    let request = Request::new("PUT", "/key", headers).with_host("bucket.example");
    verify_head(&verifier, request, &credentials(), now()).unwrap().chunk_decoder()
}

type Trailers = Vec<(String, Vec<u8>)>;

/// Returns the released data and the result.
fn decode(mut decoder: ChunkDecoder, pieces: &[&[u8]]) -> (Vec<u8>, Result<Trailers, ChunkError>) {
    let mut data = Vec::new();
    for piece in pieces {
        if let Err(error) = decoder.push(piece, |released| data.extend_from_slice(released)) {
            // The error is permanent.
            assert_eq!(decoder.push(b"0", |_| panic!("released after an error")), Err(error.clone()));
            assert_eq!(decoder.finish(), Err(error.clone()));
            return (data, Err(error));
        }
    }
    (data, decoder.finish())
}

/// Returns one body of each mode, for data of the given length.
fn modes(length: u64) -> Vec<(Chunked, Vec<(&'static str, &'static str)>)> {
    let note = vec![("x-amz-meta-note", " a:b ")];
    let mut all = vec![
        (Chunked::signed(length), vec![]),
        (Chunked::signed(length).with_checksum(Checksum::Sha256), vec![]),
        (Chunked::signed(length).with_trailer("x-amz-meta-note", 5).with_checksum(Checksum::Sha256), note.clone()),
        (Chunked::unsigned(length).with_checksum(Checksum::Sha256), vec![]),
        (Chunked::unsigned(length).with_checksum(Checksum::Sha256).with_trailer("x-amz-meta-note", 5), note),
    ];
    for checksum in [
        Checksum::Crc32,
        Checksum::Crc32c,
        Checksum::Crc64Nvme,
        Checksum::Sha1,
        Checksum::Sha512,
        Checksum::Md5,
        Checksum::XxHash64,
        Checksum::XxHash3,
        Checksum::XxHash128,
    ] {
        all.push((Chunked::signed(length).with_checksum(checksum), vec![]));
        all.push((Chunked::unsigned(length).with_checksum(checksum), vec![]));
    }
    all
}
