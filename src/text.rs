//! Text of a request: looked over, and shown inside an error.

use alloc::string::String;

/// Whether every byte is of a kind. It stops at none, so that the compiler looks at many at a time.
pub(crate) fn all(bytes: &[u8], is: impl Fn(u8) -> bool) -> bool {
    !any(bytes, |byte| !is(byte))
}

/// Whether a byte is of a kind; as [`all`].
pub(crate) fn any(bytes: &[u8], is: impl Fn(u8) -> bool) -> bool {
    bytes.iter().fold(0, |seen, byte| seen | u8::from(is(*byte))) != 0
}

const EXCERPT: usize = 128;

/// Bounded, and with nothing that a terminal or a log obeys: at most 128 bytes of `bytes`, control characters and bytes that are not UTF-8 replaced, `…` where it was cut.
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
