//! Compares two texts line by line.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::canonical::Canonical;
use crate::text::compare_ignoring_case;

/// A line-by-line comparison of what was signed and what the other side computed.
///
/// Displayed lines begin with ` ` if both sides agree, `- ` if they were signed, and `+ ` if the other side computed
/// them. A `^` marks the first character that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diff {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Line {
    Same(String),
    Changed {
        signed: String,
        computed: String,
        /// The position of the first difference, in characters from 0.
        at: usize,
        /// `true` for the first difference only.
        marked: bool,
    },
    Signed(String),
    Computed(String),
    /// The previous line differs in a part that is not shown.
    Hidden,
}

impl Diff {
    /// Compares two redacted texts. Lines of canonical requests are paired by the structure of the request.
    pub(super) fn of(ours: &str, theirs: &str) -> Self {
        let mut marked = false;
        let lines = aligned(ours, theirs).into_iter().filter_map(|pair| {
            let first = pair.0 != pair.1 && !core::mem::replace(&mut marked, true);
            Some(match pair {
                (Some(our), Some(their)) if our == their => Line::Same(our.into()),
                (Some(our), Some(their)) => {
                    let at = our.chars().zip(their.chars()).take_while(|(our, their)| our == their).count();
                    Line::Changed { signed: our.into(), computed: their.into(), at, marked: first }
                }
                (Some(our), None) => Line::Signed(our.into()),
                (None, Some(their)) => Line::Computed(their.into()),
                (None, None) => return None,
            })
        });
        Self { lines: lines.collect() }
    }

    /// Marks a redacted line as different in the part that it hides.
    pub(super) fn mark_hidden(&mut self, line: &str) {
        let is_it = |other: &Line| matches!(other, Line::Same(text) if text == line);
        if let Some(position) = self.lines.iter().position(is_it) {
            self.lines.insert(position + 1, Line::Hidden);
        }
    }

    /// Returns `true` if no line differs.
    pub fn is_empty(&self) -> bool {
        self.lines.iter().all(|line| matches!(line, Line::Same(_)))
    }

    /// Displays only the lines that differ, with the mark. Long lines are clipped to the part around the difference.
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
        let hidden = |index: usize| matches!(self.diff.lines.get(index + 1), Some(Line::Hidden));
        let lines = self.diff.lines.iter().enumerate();
        let shown = lines.filter(|(index, line)| self.all || hidden(*index) || !matches!(line, Line::Same(_)));
        let clipped = |text, at| if self.all { Clipped::whole(text) } else { Clipped::around(text, at) };
        for (number, (_, line)) in shown.enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            match line {
                Line::Same(text) => write!(f, "  {}", clipped(text, 0))?,
                Line::Signed(text) => write!(f, "- {}", clipped(text, 0))?,
                Line::Computed(text) => write!(f, "+ {}", clipped(text, 0))?,
                Line::Changed { signed, computed, at, marked } => {
                    let (signed, computed) = (clipped(signed, *at), clipped(computed, *at));
                    write!(f, "- {signed}\n+ {computed}")?;
                    if *marked {
                        // Not `{:>width$}`, which panics beyond 65,535.
                        f.write_str("\n  ")?;
                        (0..computed.column(*at)).try_for_each(|_| f.write_str(" "))?;
                        f.write_str("^")?;
                    }
                }
                Line::Hidden => f.write_str("  ^ differs in a part that is not shown")?,
            }
        }
        Ok(())
    }
}

/// A line, or the part of it around the difference, without control characters. Each character is replaced by one
/// character, so that the position of the mark is right.
pub(super) struct Clipped<'a> {
    text: &'a str,
    /// In characters.
    start: usize,
    length: usize,
}

impl<'a> Clipped<'a> {
    /// The number of characters before the difference, and in total.
    const BEFORE: usize = 60;
    const LENGTH: usize = 110;

    fn whole(text: &'a str) -> Self {
        Self { text, start: 0, length: usize::MAX }
    }

    pub(super) fn around(text: &'a str, at: usize) -> Self {
        // Clipping just a few characters isn't worth it.
        let start = if at > Self::BEFORE + 20 { at - Self::BEFORE } else { 0 };
        Self { text, start, length: Self::LENGTH }
    }

    /// Returns the column in which the character at `at` is printed.
    fn column(&self, at: usize) -> usize {
        if self.start > 0 { at - self.start + 1 } else { at }
    }
}

impl fmt::Display for Clipped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        if self.start > 0 {
            f.write_char('…')?;
        }
        let mut rest = self.text.chars().skip(self.start);
        for c in rest.by_ref().take(self.length) {
            f.write_char(if c.is_control() { char::REPLACEMENT_CHARACTER } else { c })?;
        }
        if rest.next().is_some() { f.write_char('…') } else { Ok(()) }
    }
}

/// Pairs up the lines: headers by name, all others by position, so that a header of one side doesn't shift the other
/// lines.
fn aligned<'t>(ours: &'t str, theirs: &'t str) -> Vec<(Option<&'t str>, Option<&'t str>)> {
    let (Some(our), Some(their)) = (Canonical::parse(ours), Canonical::parse(theirs)) else {
        return by_place(ours, theirs);
    };
    let mut pairs: Vec<_> = by_place(our.head, their.head);
    let (mut our_headers, mut their_headers) = (our.header_lines().peekable(), their.header_lines().peekable());
    loop {
        let order = match (our_headers.peek(), their_headers.peek()) {
            (None, None) => break,
            (Some(our), Some(their)) => compare_ignoring_case(name_of(our), name_of(their)),
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
