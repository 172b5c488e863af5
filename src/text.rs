//! Text of a request inside an error: bounded, and with nothing that a terminal or a log obeys.

use alloc::string::String;

const EXCERPT: usize = 128;

/// At most 128 bytes of `bytes`, control characters and bytes that are not UTF-8 replaced, `…` where it was cut.
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
