//! XML: writes the elements of responses, and parses documents within limits.

#[cfg(any(feature = "credentials", feature = "explain"))]
pub(crate) mod read;

use alloc::string::String;
use core::fmt::Write;

/// Appends an element that contains only text.
pub(crate) fn push_element(xml: &mut String, name: &str, value: &str) {
    let _ = write!(xml, "<{name}>");
    for c in value.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            // XML 1.0 can't represent these, not even as character references.
            '\u{fffe}' | '\u{ffff}' => xml.push(char::REPLACEMENT_CHARACTER),
            c if c.is_control() && !matches!(c, '\n' | '\t') => xml.push(char::REPLACEMENT_CHARACTER),
            c => xml.push(c),
        }
    }
    let _ = write!(xml, "</{name}>");
}
