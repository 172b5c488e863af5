//! JSON: escapes text for responses, and reads documents within limits.

#[cfg(any(feature = "explain", feature = "post-policy"))]
pub(crate) mod read;

use alloc::string::String;
use core::fmt::Write;

/// Appends a text, escaped as it is between quotation marks.
pub(crate) fn push_escaped(json: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\n' => json.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(json, "\\u{:04x}", u32::from(c));
            }
            c => json.push(c),
        }
    }
}
