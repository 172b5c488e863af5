//! The signature of a verified request, as a key for `--replay`.

use countersign::Timestamp;
use countersign::tower::Verified;
use http::request::Parts;
use sha2::{Digest as _, Sha256};

use crate::serve::path::decoded_once;
use crate::serve::replay::Digest;

/// A request is not valid for longer than this after it was signed, unless it is presigned.
const LONGEST_SKEW: i64 = 900;
const LENGTH: usize = 64;

/// A hash of caller and signature. The text around the signature can be written in several ways; the signature can't.
pub fn digest(head: &Parts, verified: &Verified) -> Option<Digest> {
    let signature = if verified.is_presigned() { in_query(head)? } else { in_header(head)? };
    let mut hash = Sha256::new();
    hash.update(verified.access_key_id().as_bytes());
    hash.update([0]);
    hash.update(&signature);
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().copied()
}

fn in_header(head: &Parts) -> Option<Vec<u8>> {
    let value = head.headers.get(http::header::AUTHORIZATION)?.as_bytes();
    const NAME: &[u8] = b"Signature=";
    let start = value.windows(NAME.len()).position(|window| window == NAME)? + NAME.len();
    value.get(start..start + LENGTH).map(<[u8]>::to_vec)
}

fn in_query(head: &Parts) -> Option<Vec<u8>> {
    let pairs = head.uri.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut found =
        pairs.filter(|(name, _)| decoded_once(name) == b"X-Amz-Signature").map(|(_, value)| decoded_once(value));
    found.next().filter(|signature| signature.len() == LENGTH)
}

/// When the signature stops being valid.
pub fn valid_until(verified: &Verified) -> Timestamp {
    let expires = verified.is_presigned().then(|| expires(verified)).flatten();
    verified.timestamp().saturating_add(expires.unwrap_or(LONGEST_SKEW))
}

/// The `X-Amz-Expires` of a presigned request, in seconds.
pub fn expires(verified: &Verified) -> Option<i64> {
    let mut pairs = verified.query_pairs();
    let (_, value) = pairs.find(|(name, _)| **name == *b"X-Amz-Expires")?;
    std::str::from_utf8(&value).ok()?.parse().ok()
}
