use alloc::string::String;

/// The message of a refusal. Texts are found regardless of case, since gateways change it; the values between them are
/// returned in lower case.
pub(crate) struct Said(String);

impl Said {
    pub(crate) fn new(message: &str) -> Self {
        Self(message.to_ascii_lowercase())
    }

    /// Returns the whole message in lower case.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is(&self, text: &str) -> bool {
        self.0.eq_ignore_ascii_case(text)
    }

    pub(crate) fn holds(&self, text: &str) -> bool {
        self.0.contains(&text.to_ascii_lowercase())
    }

    pub(crate) fn starts_with(&self, text: &str) -> bool {
        self.0.starts_with(&text.to_ascii_lowercase())
    }

    pub(crate) fn ends_with(&self, text: &str) -> bool {
        self.0.ends_with(&text.to_ascii_lowercase())
    }

    /// Returns everything after a text.
    pub(crate) fn after(&self, text: &str) -> Option<&str> {
        self.0.split_once(&text.to_ascii_lowercase()).map(|(_, rest)| rest)
    }

    /// Returns the parts between the occurrences of a text, including those before the first and after the last.
    pub(crate) fn around(&self, text: &str) -> impl Iterator<Item = &str> {
        let pieces: alloc::vec::Vec<&str> = self.0.split(&text.to_ascii_lowercase()).collect();
        pieces.into_iter()
    }

    /// Returns the word directly after a text.
    pub(crate) fn word_after(&self, text: &str) -> Option<&str> {
        self.after(text)?.split(' ').next()
    }

    /// Returns the content of `'x'` or `"x"` directly after a text.
    pub(crate) fn quoted_after(&self, text: &str) -> Option<&str> {
        let rest = self.after(text)?;
        let quote = rest.chars().next().filter(|c| ['\'', '"'].contains(c))?;
        rest.get(1..)?.split_once(quote).map(|(quoted, _)| quoted)
    }
}
