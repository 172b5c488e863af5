//! Converts bytes to text that can be compared and shown.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt::Write;

use crate::text::excerpt;

/// Converts two texts for a comparison. If one was already converted lossily by the caller, the other is converted in
/// the same way.
pub(super) fn of_both<'t>(ours: &'t [u8], theirs: &'t [u8]) -> (Cow<'t, str>, Cow<'t, str>) {
    let replaced =
        |text: &[u8]| core::str::from_utf8(text).is_ok_and(|text| text.contains(char::REPLACEMENT_CHARACTER));
    if replaced(ours) || replaced(theirs) {
        (String::from_utf8_lossy(ours), String::from_utf8_lossy(theirs))
    } else {
        (readable(ours), readable(theirs))
    }
}

/// Returns a part of a request or response as an [`excerpt`].
pub(super) fn shown(part: &str) -> String {
    excerpt(part.as_bytes())
}

/// Returns a sentence or two of a response. It is long enough for policy messages, which name the policy at their end.
pub(super) fn sentences(text: &str) -> String {
    const LONG: usize = 320;
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut shown: String = text.chars().take(LONG).map(visible).collect();
    if text.chars().nth(LONG).is_some() {
        shown.push('…');
    }
    shown
}

/// Shows bytes that are not UTF-8 as `\xE9`, so that Latin-1 text on one side is a visible difference.
fn readable(text: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = core::str::from_utf8(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            let _ = write!(out, "\\x{byte:02X}");
        }
    }
    Cow::Owned(out)
}
