//! SHA-256, HMAC, and hexadecimal encoding of hashes.

use hmac::digest::FixedOutput;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::Zeroize;

/// The SHA-256 of the empty string.
pub(crate) const EMPTY_SHA256: [u8; 32] = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41,
    0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

pub(crate) const EMPTY_SHA256_HEX: &[u8; 64] = b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    if bytes.is_empty() { EMPTY_SHA256 } else { Sha256::digest(bytes).into() }
}

/// Encodes a hash as 64 lowercase hexadecimal digits. No lookup table is used, so that the compiler can vectorize the
/// code and cache timing reveals nothing: both digits of a byte are computed at once, in the halves of a `u16`.
///
/// The `hex` crate looks up one digit at a time, which takes several times as many instructions in both directions. See
/// `benches/NOTES.md`.
pub(crate) fn hex_of(hash: [u8; 32]) -> [u8; 64] {
    let mut text = [0; 64];
    for (digits, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(hash) {
        let values = u16::from(byte) >> 4 | u16::from(byte & 15) << 8;
        let is_letter = (values + 0x0606) >> 4 & 0x0101;
        *digits = (values + 0x3030 + is_letter * u16::from(b'a' - b'0' - 10)).to_le_bytes();
    }
    text
}

/// Decodes 64 hexadecimal digits in either case. It doesn't stop at an invalid digit, for the same reasons as
/// [`hex_of`].
pub(crate) fn from_hex(text: impl AsRef<[u8]>) -> Option<[u8; 32]> {
    digits(text.as_ref(), |digit| digit.is_ascii_digit() | (b'a'..=b'f').contains(&(digit | 0x20)))
}

/// Like [`from_hex`], but only for lowercase digits.
pub(crate) fn from_lowercase_hex(text: impl AsRef<[u8]>) -> Option<[u8; 32]> {
    digits(text.as_ref(), |digit| digit.is_ascii_digit() | (b'a'..=b'f').contains(&digit))
}

#[inline]
fn digits(text: &[u8], is_digit: impl Fn(u8) -> bool) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.try_into().ok()?;
    let is_wrong = digits.iter().fold(0, |wrong, digit| wrong | u8::from(!is_digit(*digit)));
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
        let pair = u16::from_le_bytes(*pair);
        // Letters differ from digits in this bit. The lowest four bits of an `a` are 1.
        let is_letter = pair >> 6 & 0x0101;
        let values = (pair & 0x0f0f) + is_letter * 9;
        *byte = (values << 4 | values >> 8) as u8;
    }
    (is_wrong == 0).then_some(bytes)
}

/// Returns the HMAC state for a key. A key longer than a block is hashed first: [RFC 2104
/// 2](https://www.rfc-editor.org/rfc/rfc2104#section-2).
#[inline(never)]
pub(crate) fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    if let Some(start) = block.get_mut(..key.len()) {
        start.copy_from_slice(key);
    } else {
        let mut hash = Sha256::digest(key);
        block.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
        hash.as_mut_slice().zeroize();
    }
    let keyed = Hmac::new(&block);
    block.as_mut_slice().zeroize();
    keyed
}

/// Writes the HMAC of a message to a buffer that the caller wipes. Returning a key by value could leave copies on the
/// stack.
#[inline(never)]
pub(crate) fn hmac_into(out: &mut [u8; 32], key: &[u8], message: &[&[u8]]) {
    let mut mac = keyed(key);
    message.iter().for_each(|piece| mac.update(piece));
    mac.finalize_into(out.into());
}

/// Overwrites the stack below its caller, where library functions may leave a padded key or a private key: the `hmac`
/// crate doesn't wipe its blocks. This is best effort, since the compiler guarantees nothing about the stack layout.
#[inline(never)]
pub(crate) fn wipe_stack<const WORDS: usize>() {
    [0_u64; WORDS].zeroize();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_match_the_hash_of_the_empty_string() {
        assert_eq!(EMPTY_SHA256, <[u8; 32]>::from(Sha256::digest(b"")));
        assert_eq!(*EMPTY_SHA256_HEX, hex_of(EMPTY_SHA256));
    }

    #[test]
    fn hex_digits_match_the_hex_crate() {
        for start in 0..=255_u8 {
            let hash = core::array::from_fn(|index| start.wrapping_add(index as u8));
            let text = hex::encode(hash);
            assert_eq!(hex_of(hash), text.as_bytes());
            assert_eq!(from_hex(&text), Some(hash));
            assert_eq!(from_hex(text.to_uppercase()), Some(hash));
            assert_eq!(from_lowercase_hex(&text), Some(hash));
            let has_letters = text.bytes().any(|digit| digit.is_ascii_alphabetic());
            assert_eq!(from_lowercase_hex(text.to_uppercase()).is_none(), has_letters);
        }
        for length in 0..=130 {
            assert_eq!(from_hex("0".repeat(length)).is_some(), length == 64, "{length}");
        }
        for (position, code) in (0..64).flat_map(|position| (0..=0x17f).map(move |code| (position, code))) {
            let other = char::from_u32(code).unwrap();
            let mut text = "a".repeat(64);
            text.replace_range(position..(position + other.len_utf8()).min(64), other.encode_utf8(&mut [0; 4]));
            let mut theirs = [0; 32];
            let theirs = hex::decode_to_slice(&text, &mut theirs).is_ok().then_some(theirs);
            assert_eq!(from_hex(&text), theirs, "{text}");
            let theirs = theirs.filter(|_| text == text.to_lowercase());
            assert_eq!(from_lowercase_hex(&text), theirs, "{text}");
        }
    }

    #[test]
    fn keys_of_any_length_match_the_hmac_crate() {
        for length in [0, 1, 32, 44, 63, 64, 65, 200] {
            let key = alloc::vec![0x5a; length];
            let theirs = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update("message").finalize();
            let mut ours = [0; 32];
            hmac_into(&mut ours, &key, &[b"mess", b"age"]);
            assert_eq!(ours, *theirs.into_bytes(), "{length}");
        }
    }
}
