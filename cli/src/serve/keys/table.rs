//! Reads tables of a TOML file, with the line of each mistake. Values are never part of a message: they may be secrets.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A mistake in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub line: usize,
    pub problem: String,
}

/// The text, and the mistakes found so far.
pub struct Reader<'t> {
    text: &'t str,
    pub mistakes: Vec<Mistake>,
}

impl<'t> Reader<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, mistakes: Vec::new() }
    }

    pub fn parse(&mut self) -> Spanned<DeTable<'t>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        for error in errors {
            // Only the message: the error itself would show the line.
            self.mistake(error.span().unwrap_or_default(), error.message());
        }
        table
    }

    pub fn mistake(&mut self, span: Range<usize>, problem: impl Into<String>) {
        let before = self.text.as_bytes().iter().take(span.start);
        let line = 1 + before.filter(|byte| **byte == b'\n').count();
        self.mistakes.push(Mistake { line, problem: problem.into() });
    }

    /// Names every field that isn't one of these.
    pub fn only(&mut self, table: &DeTable<'_>, fields: &[&str]) {
        for (name, _) in table.iter().filter(|(name, _)| !fields.contains(&name.get_ref().as_ref())) {
            let problem = format!("unknown field {:?}; there are {}", name.get_ref(), fields.join(", "));
            self.mistake(name.span(), problem);
        }
    }

    pub fn text<'v>(&mut self, table: &'v DeTable<'_>, name: &str) -> Option<(&'v str, Range<usize>)> {
        let value = table.get(name)?;
        let text = value.get_ref().as_str();
        if text.is_none_or(str::is_empty) {
            self.mistake(value.span(), format!("{name} must be a text that isn't empty"));
        }
        text.filter(|text| !text.is_empty()).map(|text| (text, value.span()))
    }

    /// A list of texts; a single one counts as a list.
    pub fn texts(&mut self, table: &DeTable<'_>, name: &str) -> Vec<(String, Range<usize>)> {
        let Some(value) = table.get(name) else { return Vec::new() };
        let read = |value: &Spanned<DeValue<'_>>| {
            value.get_ref().as_str().filter(|text| !text.is_empty()).map(|text| (text.to_owned(), value.span()))
        };
        let found = match value.get_ref() {
            DeValue::Array(values) => values.iter().map(read).collect::<Option<Vec<_>>>(),
            _ => read(value).map(|one| vec![one]),
        };
        match found {
            Some(found) if !found.is_empty() => found,
            _ => {
                self.mistake(value.span(), format!("{name} must be a list of texts, with at least one"));
                Vec::new()
            }
        }
    }

    pub fn flag(&mut self, table: &DeTable<'_>, name: &str) -> bool {
        let Some(value) = table.get(name) else { return false };
        value.get_ref().as_bool().unwrap_or_else(|| {
            self.mistake(value.span(), format!("{name} must be true or false"));
            false
        })
    }

    /// The tables of `[[name]]`.
    pub fn tables<'v, 'i>(&mut self, table: &'v DeTable<'i>, name: &str) -> Vec<(&'v DeTable<'i>, Range<usize>)> {
        let Some(value) = table.get(name) else { return Vec::new() };
        let DeValue::Array(values) = value.get_ref() else {
            self.mistake(value.span(), format!("write [[{name}]] with two brackets"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for value in values {
            match value.get_ref() {
                DeValue::Table(table) => tables.push((table, value.span())),
                _ => self.mistake(value.span(), format!("{name} must consist of [[{name}]] tables")),
            }
        }
        tables
    }
}
