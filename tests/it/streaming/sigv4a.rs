//! Tests of chunks with SigV4A.

use countersign::streaming::{Checksum, ChunkDecoder, ChunkError, Chunked, SignedChunked};
use countersign::{Request, Rules, Signer, SigningKey, Verifier, VerifyingKey};

use super::{decode, encode, rules};
use crate::support::fixtures::{credentials, now};

const DATA: &[u8] = b"The quick brown fox jumps over the lazy dog";

pub(super) fn sign(chunked: &Chunked) -> SignedChunked {
    let signer = Signer::sigv4a(credentials(), "us-*,eu-west-1", "s3").unwrap().with_rules(rules());
    signer.sign_chunked(Request::new("PUT", "/key", &[]).with_host("bucket.example"), chunked, now()).unwrap()
}

/// Verifies with the public key only.
pub(super) fn decoder(signed: &SignedChunked, rules: Rules) -> ChunkDecoder {
    let public_key = SigningKey::derive_sigv4a(&credentials()).public_key().unwrap();
    let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
    let verifier = Verifier::new("us-west-2", "s3").unwrap().with_rules(rules).with_sigv4a();
    let key = VerifyingKey::from_public_key(credentials().access_key_id(), public_key);
    verifier.parse(request, now()).unwrap().verify_head_with_key(Some(&key)).unwrap().chunk_decoder().unwrap()
}

fn modes() -> [(Chunked, &'static str); 3] {
    let signed = Chunked::signed(DATA.len() as u64).with_chunk_size(16);
    [
        (signed.clone(), "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"),
        (signed.with_checksum(Checksum::Sha256), "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER"),
        (Chunked::unsigned(DATA.len() as u64).with_checksum(Checksum::Sha256), "STREAMING-UNSIGNED-PAYLOAD-TRAILER"),
    ]
}

#[test]
fn chunks_are_signed_and_verified() {
    for (chunked, payload) in modes() {
        let signed = sign(&chunked);
        assert!(signed.headers().any(|header| header == ("x-amz-content-sha256", payload)));
        let body = encode(&signed, DATA, &[]);
        assert_eq!(body.len() as u64, signed.content_length(), "{payload}");
        for split in [1, 100, body.len()] {
            let pieces: Vec<&[u8]> = body.chunks(split).collect();
            let (data, end) = decode(decoder(&signed, rules()), &pieces);
            assert_eq!(
                (data.as_slice(), end.map(|trailers| trailers.len())),
                (DATA, Ok(usize::from(!payload.ends_with("PAYLOAD"))))
            );
        }
    }
}

/// The length of a signature varies, but that of the body doesn't. Signatures without padding are accepted as well.
#[test]
fn signatures_are_padded_to_one_length() {
    let (chunked, _) = &modes()[1];
    let signed = sign(chunked);
    let body = encode(&signed, DATA, &[]);
    let text = String::from_utf8_lossy(&body);
    let signatures: Vec<&str> = text
        .split("\r\n")
        .filter_map(|line| line.split_once("chunk-signature=").or(line.split_once("trailer-signature:")))
        .map(|(_, signature)| signature)
        .collect();
    assert_eq!(signatures.len(), 5);
    assert!(signatures.iter().all(|signature| signature.len() == 144));
    assert!(signatures.iter().any(|signature| signature.ends_with('*')));
    let (data, end) = decode(decoder(&signed, rules()), &[text.replace('*', "").as_bytes()]);
    assert_eq!((data.as_slice(), end.is_ok()), (DATA, true));
}

#[test]
fn a_changed_body_is_refused_before_a_wrong_byte_is_released() {
    for (chunked, payload) in modes().into_iter().take(2) {
        let signed = sign(&chunked);
        let body = encode(&signed, DATA, &[]);
        for position in (0..body.len()).step_by(3) {
            let mut changed = body.clone();
            changed[position] ^= 1;
            let (data, end) = decode(decoder(&signed, rules()), &[&changed]);
            assert!(DATA.starts_with(&data) && end.is_err(), "{payload}: {position}");
        }
    }
    // A signature in the form of an HMAC is refused.
    let signed = sign(&modes()[0].0);
    let body = format!("10;chunk-signature={}\r\n", "0".repeat(64));
    let (_, end) = decode(decoder(&signed, rules()), &[body.as_bytes()]);
    assert!(matches!(end, Err(ChunkError::MalformedHeader { .. })));
}
