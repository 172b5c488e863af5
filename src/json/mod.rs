//! JSON: escapes text for responses, and parses documents within limits.

#[cfg(any(feature = "credentials", feature = "explain", feature = "post-policy"))]
pub(crate) mod read;
#[cfg(any(feature = "credentials", feature = "explain", feature = "post-policy"))]
pub(crate) mod write;

use core::fmt::Write;

/// Appends a string, escaped for use between quotation marks.
pub(crate) fn push_escaped(json: &mut impl Write, text: &str) {
    for c in text.chars() {
        let _ = match c {
            '"' => json.write_str("\\\""),
            '\\' => json.write_str("\\\\"),
            '\n' => json.write_str("\\n"),
            c if c.is_control() => write!(json, "\\u{:04x}", u32::from(c)),
            c => json.write_char(c),
        };
    }
}
