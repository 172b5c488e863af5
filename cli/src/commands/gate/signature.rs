//! The signature of a verified request, as a key for `--replay`.

use countersign::Timestamp;
use countersign::post_policy::VerifiedForm;
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
    let text = if verified.is_presigned() { in_query(head)? } else { in_header(head)? };
    let signature = if verified.region_set().is_some() { of_ecdsa(&text)? } else { of_hmac(text)? };
    of(verified.access_key_id(), &signature)
}

/// The same of a form. What was signed is the policy: all uploads with one form have the same signature.
pub fn of_form<'f>(
    verified: &VerifiedForm<'_>,
    mut fields: impl Iterator<Item = (&'f str, &'f str)>,
) -> Option<Digest> {
    let (_, signature) = fields.find(|(name, _)| name.eq_ignore_ascii_case("x-amz-signature"))?;
    of(verified.access_key_id(), &of_hmac(signature.into())?)
}

fn of(access_key_id: &str, signature: &[u8]) -> Option<Digest> {
    let mut hash = Sha256::new();
    hash.update(access_key_id.as_bytes());
    hash.update([0]);
    hash.update(signature);
    let hash: [u8; 32] = hash.finalize().into();
    hash.first_chunk().copied()
}

fn in_header(head: &Parts) -> Option<Vec<u8>> {
    let value = head.headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (_, parameters) = value.split_once(' ')?;
    let signature = parameters.split(',').find_map(|parameter| parameter.trim().strip_prefix("Signature="))?;
    Some(signature.into())
}

fn in_query(head: &Parts) -> Option<Vec<u8>> {
    let pairs = head.uri.query()?.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut found =
        pairs.filter(|(name, _)| decoded_once(name) == b"X-Amz-Signature").map(|(_, value)| decoded_once(value));
    found.next()
}

/// The verifier accepts it in lower case only.
fn of_hmac(text: Vec<u8>) -> Option<Vec<u8>> {
    Some(text).filter(|text| text.len() == LENGTH)
}

/// The first of the two integers of an ECDSA signature. Anyone can replace the second, `s`, by `n - s`, and the signature
/// is still valid; it would pass for one that wasn't used.
fn of_ecdsa(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16);
    let pair = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? * 16 + digit(low)?).ok(),
        _ => None,
    };
    let der: Vec<u8> = text.chunks(2).map(pair).collect::<Option<_>>()?;
    let [0x30, _, 0x02, length, rest @ ..] = der.as_slice() else { return None };
    let r = rest.get(..usize::from(*length))?;
    let zeros = r.iter().take_while(|byte| **byte == 0).count();
    r.get(zeros..).filter(|r| !r.is_empty()).map(<[u8]>::to_vec)
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
