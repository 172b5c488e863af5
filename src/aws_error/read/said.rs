use alloc::string::String;
use alloc::vec::Vec;

/// The message of a refusal. Sentences are found in it whatever their case and white space, which gateways change; quoted
/// values keep their case.
pub(crate) struct Said {
    /// With single spaces.
    original: String,
    /// The same in ASCII lower case, so that positions are the same in both.
    lower: String,
}

impl Said {
    pub(crate) fn new(message: &str) -> Self {
        let words: Vec<&str> = message.split(' ').filter(|word| !word.is_empty()).collect();
        // A full stop and a space at the end tell two refusals apart from those without.
        let original = words.join(" ") + if message.ends_with(' ') { " " } else { "" };
        Self { lower: original.to_ascii_lowercase(), original }
    }

    /// All of it, in lower case.
    pub(crate) fn as_str(&self) -> &str {
        &self.lower
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.lower.eq_ignore_ascii_case(text)
    }

    pub(crate) fn holds(&self, text: &str) -> bool {
        self.lower.contains(&text.to_ascii_lowercase())
    }

    pub(crate) fn starts_with(&self, text: &str) -> bool {
        self.lower.starts_with(&text.to_ascii_lowercase())
    }

    pub(crate) fn ends_with(&self, text: &str) -> bool {
        self.lower.ends_with(&text.to_ascii_lowercase())
    }

    /// What follows a text, up to the end, in lower case.
    pub(crate) fn after(&self, text: &str) -> Option<&str> {
        self.lower.split_once(&text.to_ascii_lowercase()).map(|(_, rest)| rest)
    }

    /// The same in its own case.
    fn original_after(&self, text: &str) -> Option<&str> {
        let rest = self.after(text)?;
        self.original.get(self.original.len() - rest.len()..)
    }

    /// What precedes each occurrence of a text, up to the one before it; and finally what follows all of them.
    pub(crate) fn around(&self, text: &str) -> impl Iterator<Item = &str> {
        let pieces: Vec<&str> = self.lower.split(&text.to_ascii_lowercase()).collect();
        pieces.into_iter()
    }

    /// The word that follows a text, in lower case.
    pub(crate) fn word_after(&self, text: &str) -> Option<&str> {
        self.after(text)?.split(' ').next()
    }

    /// The word that follows a text, without punctuation at its end, in its own case.
    pub(crate) fn name_after(&self, text: &str) -> Option<&str> {
        let word = self.original_after(text)?.split(' ').next()?;
        Some(word.trim_end_matches(['.', ',', ';'])).filter(|word| !word.is_empty())
    }

    /// `'x'` or `"x"` right after a text, in its own case.
    pub(crate) fn quoted_after(&self, text: &str) -> Option<&str> {
        let rest = self.original_after(text)?;
        let quote = rest.chars().next().filter(|c| ['\'', '"'].contains(c))?;
        rest.get(1..)?.split_once(quote).map(|(quoted, _)| quoted)
    }
}

#[cfg(test)]
mod tests {
    use super::Said;

    #[test]
    fn values_keep_their_case_and_sentences_are_found_in_any() {
        let said = Said::new("The  region is WRONG; expecting 'zh_CN'.  Only in: us-west-2. ");
        assert_eq!(said.quoted_after("the region is wrong; expecting "), Some("zh_CN"));
        assert_eq!(said.name_after("only in: "), Some("us-west-2"));
        assert_eq!(said.word_after("expecting "), Some("'zh_cn'."));
        assert!(said.ends_with(" ") && said.starts_with("the region") && said.holds("WRONG"));
        assert_eq!((said.quoted_after("region "), said.name_after("nothing")), (None, None));
    }
}
