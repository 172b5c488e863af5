//! Reads the leaf elements of XML, and of HTML as far as it parses as XML.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use quick_xml::events::{BytesRef, Event};
use zeroize::Zeroizing;

use crate::text::wiped::Wiped;

/// The maximum nesting depth; AWS uses three levels.
const MOST_DEPTH: usize = 16;
/// The maximum number of elements that are kept.
const MOST_ELEMENTS: usize = 256;

/// A parsed document.
pub(crate) struct Document {
    /// Whether it is an HTML page.
    pub(crate) is_html: bool,
    /// Whether it ends with the element it begins with. Truncated input doesn't.
    #[cfg_attr(not(feature = "credentials"), allow(dead_code, reason = "only credentials must not be cut short"))]
    pub(crate) is_complete: bool,
    /// The text of the leaf elements, the first of each name.
    pub(crate) leaves: BTreeMap<String, Zeroizing<String>>,
}

/// Parses the text as far as it is well-formed, so that truncated input yields everything before the cut. Only XML's
/// five predefined entities and character references are expanded.
pub(crate) fn parse(text: &str) -> Document {
    let start = text.get(..16).unwrap_or_default().to_ascii_lowercase();
    let is_html = start.starts_with("<!doctype html") || start.starts_with("<html");
    let mut reader = quick_xml::Reader::from_str(text);
    // `<meta>` and `<hr>` have no end tag.
    reader.config_mut().check_end_names = !is_html;
    let content = Wiped::new(String::new(), true);
    let mut leaves = Leaves { kept: BTreeMap::new(), names: Vec::new(), content, had_elements: false };
    let mut is_complete = false;
    while let Ok(event) = reader.read_event() {
        let goes_on = match event {
            Event::Start(start) => leaves.open(start.local_name().into_inner().into()),
            Event::End(_) => leaves.close(),
            Event::Text(text) => leaves.push(&text.xml10_content()),
            Event::CData(text) => leaves.push(&text.xml10_content()),
            Event::GeneralRef(reference) => leaves.push_reference(&reference),
            Event::Eof => {
                is_complete = leaves.had_elements && leaves.names.is_empty();
                false
            }
            _ => true,
        };
        if !goes_on {
            break;
        }
    }
    // Closes the element in which truncated input ends.
    leaves.close();
    Document { is_html, is_complete, leaves: leaves.kept }
}

/// Collects leaf elements. Each method returns `true` if parsing should continue.
struct Leaves {
    kept: BTreeMap<String, Zeroizing<String>>,
    /// The names of the open elements, outermost first.
    names: Vec<String>,
    /// The text of the innermost open element. It may be a canonical request that contains a session token.
    content: Wiped<String>,
    had_elements: bool,
}

impl Leaves {
    fn open(&mut self, name: String) -> bool {
        if self.names.len() == MOST_DEPTH {
            return false;
        }
        self.had_elements = true;
        self.names.push(name);
        self.content.clear();
        true
    }

    fn close(&mut self) -> bool {
        let Some(name) = self.names.pop() else { return false };
        if !self.content.trim().is_empty() {
            let content = Zeroizing::new(core::mem::take(&mut *self.content));
            if self.kept.len() < MOST_ELEMENTS {
                self.kept.entry(name).or_insert(content);
            }
        }
        true
    }

    fn push(&mut self, text: &str) -> bool {
        self.content.write_str(text).is_ok()
    }

    fn push_reference(&mut self, reference: &BytesRef<'_>) -> bool {
        match reference.resolve_char_ref() {
            Ok(Some(c)) => self.content.write_char(c).is_ok(),
            _ => self.push(quick_xml::escape::resolve_xml_entity(reference).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    fn leaf(text: &str, name: &str) -> Option<String> {
        parse(text).leaves.remove(name).map(|text| text.to_string())
    }

    #[test]
    fn leaves_of_truncated_input_are_read() {
        let text =
            "<Error xmlns=\"x\"><a:Code>A&amp;&#66;&own;</a:Code><Code>C</Code><D><![CDATA[<d>]]></D><E> </E><F>cut";
        let document = parse(text);
        assert!(!document.is_html);
        let leaves: Vec<(&str, &str)> =
            document.leaves.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        assert_eq!(leaves, [("Code", "A&B"), ("D", "<d>"), ("F", "cut")]);
        assert_eq!(leaf("<!DOCTYPE html><meta><title>Denied</title>", "title").as_deref(), Some("Denied"));
    }

    #[test]
    fn truncated_input_is_not_complete() {
        let text = "<?xml version=\"1.0\"?><a><b>text</b><c/></a>";
        assert!(parse(text).is_complete);
        for length in 0..text.len() {
            assert!(!parse(&text[..length]).is_complete, "{length}");
        }
        for text in ["text", "<a><b>text</a>", "<a>text</a></a>", "<a>text</a><a>"] {
            assert!(!parse(text).is_complete, "{text}");
        }
    }

    #[test]
    fn depth_and_number_of_elements_are_limited() {
        let nested = |depth: usize| "<a>".repeat(depth - 1) + "<b>text</b>";
        assert_eq!(leaf(&nested(16), "b").as_deref(), Some("text"));
        assert_eq!(leaf(&nested(17), "b"), None);
        let many: String = (0..300).map(|number| alloc::format!("<n{number}>text</n{number}>")).collect();
        assert_eq!(parse(&alloc::format!("<all>{many}</all>")).leaves.len(), 256);
    }
}
