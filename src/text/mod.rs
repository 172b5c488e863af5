//! Utilities for bytes and text: searching, percent-encoding, header names, and excerpts for error messages.

pub(crate) mod inline;
mod names;
pub(crate) mod percent;
mod positions;
pub(crate) mod wiped;

use alloc::string::String;

pub(crate) use names::{
    compare_bytes_ignoring_case, compare_ignoring_case, is_lowercase_token_byte, is_name, is_token,
    starts_with_ignoring_case, strip_start,
};
pub(crate) use positions::{last_position_of, position_of, positions};

/// Returns `true` if every byte satisfies the predicate. It examines all of them, as [`any`] does.
pub(crate) fn all(bytes: &[u8], is: impl Fn(u8) -> bool) -> bool {
    !any(bytes, |byte| !is(byte))
}

/// Returns `true` if a string consists of one or more ASCII digits.
pub(crate) fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns `true` for CR, LF and NUL, which a header value must not contain (RFC 9110, 5.5).
pub(crate) fn is_forbidden_in_value(byte: u8) -> bool {
    (byte == b'\r') | (byte == b'\n') | (byte == 0)
}

/// Returns `true` if any byte satisfies the predicate. It doesn't stop at the first match, so that the compiler can
/// process sixteen bytes at a time; the last chunk overlaps the one before it, so that no remainder is processed byte
/// by byte.
pub(crate) fn any(bytes: &[u8], is: impl Fn(u8) -> bool) -> bool {
    let seen = |bytes: &[u8]| bytes.iter().fold(0, |seen, byte| seen | u8::from(is(*byte)));
    if let Some(last) = bytes.last_chunk::<16>() {
        return any_of_chunk(last, &is) || seen(bytes.as_chunks::<16>().0.as_flattened()) != 0;
    }
    match (bytes.first_chunk::<8>(), bytes.last_chunk::<8>()) {
        (Some(first), Some(last)) => any_of_chunk(first, &is) | any_of_chunk(last, &is),
        _ => seen(bytes) != 0,
    }
}

/// [`any`] for a chunk of eight or sixteen bytes.
#[inline]
fn any_of_chunk<const N: usize>(chunk: &[u8; N], is: impl Fn(u8) -> bool) -> bool {
    let mut seen = 0;
    for byte in chunk {
        seen |= u8::from(is(*byte));
    }
    seen != 0
}

/// Returns `true` if any two adjacent bytes satisfy the predicate. Like [`any`], it examines all of them.
pub(crate) fn any_pair(bytes: &[u8], is: impl Fn(u8, u8) -> bool) -> bool {
    let (Some((_, one)), Some((_, next))) = (bytes.split_last(), bytes.split_first()) else { return false };
    let any = |one: &[u8], next: &[u8]| {
        let mut seen = 0;
        for (one, next) in one.iter().zip(next) {
            seen |= u8::from(is(*one, *next));
        }
        seen != 0
    };
    match (one.last_chunk::<16>(), next.last_chunk::<16>()) {
        (Some(last), Some(last_next)) => {
            let whole = 16 * (one.len() / 16);
            any(last, last_next) || any(one.get(..whole).unwrap_or(one), next.get(..whole).unwrap_or(next))
        }
        _ => any(one, next),
    }
}

pub(crate) fn split_once(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (before, after) = bytes.split_at_checked(position_of(bytes, at)?)?;
    Some((before, after.get(1..)?))
}

pub(crate) fn split(bytes: &[u8], at: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(bytes);
    core::iter::from_fn(move || {
        let (piece, after) = match split_once(rest?, at) {
            Some((piece, after)) => (piece, Some(after)),
            None => (rest?, None),
        };
        rest = after;
        Some(piece)
    })
}

/// [`split`] for text at an ASCII character.
pub(crate) fn split_text(text: &str, at: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    core::iter::from_fn(move || {
        let text = rest.take()?;
        let Some(position) = position_of(text.as_bytes(), at) else { return Some(text) };
        rest = text.get(position + 1..);
        text.get(..position)
    })
}

/// A set of bytes as a lookup table, since every byte of names, paths and queries is tested.
pub(crate) struct ByteSet([bool; 256]);

impl ByteSet {
    pub(crate) const fn alphanumeric_and(others: &[u8]) -> Self {
        let mut table = [false; 256];
        let mut rest: &mut [bool] = &mut table;
        let mut byte: u8 = 0;
        while let Some((contained, after)) = rest.split_first_mut() {
            *contained = byte.is_ascii_alphanumeric();
            let mut others = others;
            while let Some((other, after)) = others.split_first() {
                *contained |= *other == byte;
                others = after;
            }
            byte = byte.wrapping_add(1);
            rest = after;
        }
        Self(table)
    }

    pub(crate) const fn without_uppercase(self) -> Self {
        let Self(mut table) = self;
        let mut byte = b'A';
        while let (true, Some((_, rest))) = (byte <= b'Z', table.split_at_mut_checked(byte as usize)) {
            if let Some(contained) = rest.first_mut() {
                *contained = false;
            }
            byte += 1;
        }
        Self(table)
    }

    pub(crate) fn contains(&self, byte: u8) -> bool {
        self.0.get(usize::from(byte)).is_some_and(|contained| *contained)
    }
}

const EXCERPT: usize = 128;

/// Returns at most 128 bytes of `bytes` as text that is safe to print to a terminal or a log: control characters and
/// invalid UTF-8 are replaced, and `…` marks truncation.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    let shown = bytes.get(..EXCERPT).unwrap_or(bytes);
    let mut text: String = String::from_utf8_lossy(shown)
        .chars()
        .map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })
        .collect();
    if shown.len() < bytes.len() {
        text.push('…');
    }
    text
}
