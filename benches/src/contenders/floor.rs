use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::measure::Contender;

const WHO: &str = "floor";

pub fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(message).finalize().into_bytes().into()
}

/// One SHA-256, one HMAC with the key's state kept; and the hash of the body where there is one.
pub fn signature(canonical_request: &[u8], string_to_sign: String, body: &'static [u8], expected: String) -> Contender {
    let key = derive_key("20150830", service_of(&string_to_sign));
    let state = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let canonical_request = canonical_request.to_vec();
    let run = move || {
        let body = if body.is_empty() { None } else { Some(Sha256::digest(body)) };
        let hash: [u8; 32] = Sha256::digest(&canonical_request).into();
        let mut mac = state.clone();
        mac.update(string_to_sign.as_bytes());
        let signature: [u8; 32] = mac.finalize().into_bytes().into();
        (body, hash, signature)
    };
    assert_eq!(hex::encode(run().2), expected);
    Contender::new(WHO, run)
}

fn service_of(string_to_sign: &str) -> &str {
    string_to_sign.split('/').nth(2).unwrap()
}

fn derive_key(date: &str, service: &str) -> [u8; 32] {
    use crate::requests::{REGION, SECRET};
    let secret = format!("AWS4{SECRET}");
    [date, REGION, service, "aws4_request"]
        .iter()
        .fold(Vec::from(secret), |key, part| hmac(&key, part.as_bytes()).to_vec())
        .try_into()
        .unwrap()
}

/// Four HMACs from secret to key, and the key absorbed.
pub fn key_derivation() -> Contender {
    let secret = format!("AWS4{}", crate::requests::SECRET);
    Contender::new(WHO, move || {
        let date = hmac(secret.as_bytes(), b"20150830");
        let region = hmac(&date, crate::requests::REGION.as_bytes());
        let service = hmac(&region, b"iam");
        let key = hmac(&service, b"aws4_request");
        Hmac::<Sha256>::new_from_slice(&key).unwrap()
    })
}
