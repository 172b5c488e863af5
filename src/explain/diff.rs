//! Two texts side by side, line by line.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::canonical::Canonical;

/// What was signed and what was computed, line by line; the first difference is marked down to the character.
///
/// Printed, lines begin with `  ` where both sides agree, `- ` where they were signed, and `+ ` where the other side
/// computed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Same(String),
    Signed(String),
    Computed(String),
    /// Where the two lines before it begin to differ, in characters from 0.
    Mark(usize),
    /// The two lines before it differ in what is not shown.
    Hidden,
}

impl Diff {
    /// `ours` and `theirs` are redacted; pairs of lines that a canonical request's structure sets side by side.
    pub(super) fn of(ours: &str, theirs: &str) -> Self {
        let mut lines = Vec::new();
        let mut marked = false;
        for (our, their) in aligned(ours, theirs) {
            match (our, their) {
                (Some(our), Some(their)) if our == their => lines.push(Line::Same(our.into())),
                (Some(our), Some(their)) => {
                    lines.push(Line::Signed(our.into()));
                    lines.push(Line::Computed(their.into()));
                    if !core::mem::replace(&mut marked, true) {
                        lines.push(Line::Mark(common_characters(our, their)));
                    }
                }
                (Some(our), None) => {
                    lines.push(Line::Signed(our.into()));
                    marked = true;
                }
                (None, Some(their)) => {
                    lines.push(Line::Computed(their.into()));
                    marked = true;
                }
                (None, None) => {}
            }
        }
        Self { lines }
    }

    /// Says of a redacted line that what it hides differs.
    pub(super) fn mark_hidden(&mut self, name: &str) {
        let is_it = |line: &Line| matches!(line, Line::Same(text) if text.split(':').next() == Some(name));
        if let Some(position) = self.lines.iter().position(is_it) {
            self.lines.insert(position + 1, Line::Hidden);
        }
    }

    /// Whether no line differs.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| matches!(line, Line::Same(_)))
    }

    /// The lines that differ, and the marks, without those that agree.
    pub(super) fn changes(&self) -> impl fmt::Display + '_ {
        Printed { diff: self, all: false }
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printed { diff: self, all: true }.fmt(f)
    }
}

struct Printed<'a> {
    diff: &'a Diff,
    all: bool,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.diff.lines.iter().filter(|line| self.all || !matches!(line, Line::Same(_)));
        for (index, line) in shown.enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            match line {
                Line::Same(text) => write!(f, "  {}", Visible(text))?,
                Line::Signed(text) => write!(f, "- {}", Visible(text))?,
                Line::Computed(text) => write!(f, "+ {}", Visible(text))?,
                Line::Mark(column) => write!(f, "  {:>width$}", "^", width = column + 1)?,
                Line::Hidden => f.write_str("  ^ what is not shown differs")?,
            }
        }
        Ok(())
    }
}

/// A line without what a terminal obeys. One character stays one, so that the mark stands where it has to.
struct Visible<'a>(&'a str);

impl fmt::Display for Visible<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        self.0.chars().try_for_each(|c| f.write_char(if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }))
    }
}

fn common_characters(a: &str, b: &str) -> usize {
    a.chars().zip(b.chars()).take_while(|(a, b)| a == b).count()
}

/// Pairs of lines: headers by their names, all others by their place. A header that stands on one side only moves no
/// other line.
fn aligned<'t>(ours: &'t str, theirs: &'t str) -> Vec<(Option<&'t str>, Option<&'t str>)> {
    let (Some(our), Some(their)) = (Canonical::parse(ours), Canonical::parse(theirs)) else {
        return by_place(ours, theirs);
    };
    let mut pairs: Vec<_> = by_place(our.head, their.head);
    let (mut our_headers, mut their_headers) = (our.header_lines().peekable(), their.header_lines().peekable());
    loop {
        let order = match (our_headers.peek(), their_headers.peek()) {
            (None, None) => break,
            (Some(our), Some(their)) => name_of(our).cmp(name_of(their)),
            (Some(_), None) => core::cmp::Ordering::Less,
            (None, Some(_)) => core::cmp::Ordering::Greater,
        };
        let our = if order.is_le() { our_headers.next() } else { None };
        let their = if order.is_ge() { their_headers.next() } else { None };
        pairs.push((our, their));
    }
    pairs.push((Some(""), Some("")));
    pairs.push((Some(our.signed_headers), Some(their.signed_headers)));
    pairs.push((Some(our.payload), Some(their.payload)));
    pairs
}

fn by_place<'t>(ours: &'t str, theirs: &'t str) -> Vec<(Option<&'t str>, Option<&'t str>)> {
    let (mut ours, mut theirs) = (ours.split('\n'), theirs.split('\n'));
    let mut pairs = Vec::new();
    loop {
        match (ours.next(), theirs.next()) {
            (None, None) => return pairs,
            pair => pairs.push(pair),
        }
    }
}

fn name_of(line: &str) -> &str {
    line.split_once(':').map_or(line, |(name, _)| name)
}
