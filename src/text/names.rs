//! Header names.

use core::cmp::Ordering;

use super::ByteSet;

pub(crate) fn compare_ignoring_case(a: &str, b: &str) -> Ordering {
    compare_bytes_ignoring_case(a.as_bytes(), b.as_bytes())
}

pub(crate) fn compare_bytes_ignoring_case(a: &[u8], b: &[u8]) -> Ordering {
    for (a, b) in a.iter().zip(b).filter(|(a, b)| a != b) {
        let order = a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase());
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

/// Compares header names without regard to case. Most are in the same case, which is compared faster.
#[inline]
pub(crate) fn is_name(name: &str, other: &str) -> bool {
    name.len() == other.len() && (name == other || name.eq_ignore_ascii_case(other))
}

pub(crate) fn starts_with_ignoring_case(name: &str, prefix: &str) -> bool {
    strip_start(name, prefix).is_some()
}

/// Returns the rest of a string that starts with `start`, ignoring ASCII case.
pub(crate) fn strip_start<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let (head, rest) = text.split_at_checked(start.len())?;
    head.eq_ignore_ascii_case(start).then_some(rest)
}

/// `token` of RFC 9110 5.6.2.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

/// `tchar` of RFC 9110 5.6.2.
fn is_token_byte(byte: u8) -> bool {
    static TOKEN: ByteSet = ByteSet::alphanumeric_and(b"!#$%&'*+-.^_`|~");
    TOKEN.contains(byte)
}

/// `tchar` without upper-case letters.
pub(crate) fn is_lowercase_token_byte(byte: u8) -> bool {
    static TOKEN: ByteSet = ByteSet::alphanumeric_and(b"!#$%&'*+-.^_`|~").without_uppercase();
    TOKEN.contains(byte)
}
