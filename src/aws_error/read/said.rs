use alloc::string::String;

/// The message of a refusal. Sentences are found in it whatever their case, which gateways change; the values between them
/// come out in lower case.
pub(crate) struct Said(String);

impl Said {
    pub(crate) fn new(message: &str) -> Self {
        Self(message.to_ascii_lowercase())
    }

    /// All of it, in lower case.
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

    /// What follows a text, up to the end.
    pub(crate) fn after(&self, text: &str) -> Option<&str> {
        self.0.split_once(&text.to_ascii_lowercase()).map(|(_, rest)| rest)
    }

    /// What precedes each occurrence of a text, up to the one before it; and at last what follows all of them.
    pub(crate) fn around(&self, text: &str) -> impl Iterator<Item = &str> {
        let pieces: alloc::vec::Vec<&str> = self.0.split(&text.to_ascii_lowercase()).collect();
        pieces.into_iter()
    }

    /// The word right behind a text.
    pub(crate) fn word_after(&self, text: &str) -> Option<&str> {
        self.after(text)?.split(' ').next()
    }

    /// `'x'` or `"x"` right behind a text.
    pub(crate) fn quoted_after(&self, text: &str) -> Option<&str> {
        let rest = self.after(text)?;
        let quote = rest.chars().next().filter(|c| ['\'', '"'].contains(c))?;
        rest.get(1..)?.split_once(quote).map(|(quoted, _)| quoted)
    }
}
