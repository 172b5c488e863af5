//! A part of what is signed, with the texts that deviating signers write in its place.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Deref;

use zeroize::Zeroize;

use super::deviation::Deviation;
use crate::text::percent::write_encoded;

/// It may hold a session token, and is wiped when dropped.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text(Vec<u8>);

impl From<Vec<u8>> for Text {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl Deref for Text {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// A text that one or two deviations produce.
pub(super) struct Change {
    /// One or two.
    pub(super) deviations: Vec<Deviation>,
    /// Other single deviations that produce the same text.
    pub(super) equivalent: Vec<Deviation>,
    pub(super) text: Text,
}

impl Change {
    /// A single deviation that produces this text and the other one, in another part.
    pub(super) fn shared_with(&self, other: &Self) -> Option<&Deviation> {
        let mut own = self.deviations.iter().chain(&self.equivalent);
        own.find(|deviation| other.deviations.contains(deviation) || other.equivalent.contains(deviation))
    }
}

pub(super) struct Stage {
    pub(super) right: Text,
    /// Each text once, in the order in which the deviations are listed.
    pub(super) changes: Vec<Change>,
}

impl Stage {
    pub(super) fn new(right: &[u8]) -> Self {
        Self { right: Text(right.to_vec()), changes: Vec::new() }
    }

    /// Adds a text that a single deviation produces, unless it is the right one.
    pub(super) fn add(&mut self, deviation: Deviation, text: Text) {
        if *text == *self.right {
            return;
        }
        match self.changes.iter_mut().find(|change| *change.text == *text) {
            Some(known) if known.deviations.contains(&deviation) || known.equivalent.contains(&deviation) => {}
            Some(known) => known.equivalent.push(deviation),
            None => {
                self.changes.push(Change { deviations: [deviation].into(), equivalent: Vec::new(), text });
            }
        }
    }

    /// Adds a text that takes two deviations; to be called after those that take one.
    pub(super) fn add_pair(&mut self, one: &Deviation, other: &Deviation, text: Text) {
        if one == other {
            self.add(one.clone(), text);
        } else if *text != *self.right && !self.changes.iter().any(|change| *change.text == *text) {
            let deviations = [one.clone(), other.clone()].into();
            self.changes.push(Change { deviations, equivalent: Vec::new(), text });
        }
    }

    /// The changes that take a single deviation.
    pub(super) fn singles(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.deviations.len() == 1)
    }
}

/// One of two options of the same kind, if at most one of them is not the default.
pub(super) fn merged<T: Copy + Default + PartialEq>(one: T, other: T) -> Option<T> {
    match (one == T::default(), other == T::default()) {
        (true, _) => Some(other),
        (_, true) => Some(one),
        (false, false) => None,
    }
}

/// Joined in a buffer that doesn't grow.
pub(super) fn joined(pieces: &[&[u8]]) -> Text {
    let mut out = Vec::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    pieces.iter().for_each(|piece| out.extend_from_slice(piece));
    Text(out)
}

/// Writes into a buffer of that capacity.
pub(super) fn written(capacity: usize, write: impl FnOnce(&mut Vec<u8>)) -> Text {
    let mut out = Text(Vec::with_capacity(capacity));
    write(&mut out.0);
    out
}

pub(super) fn encoded(bytes: &[u8]) -> Text {
    written(3 * bytes.len(), |out| write_encoded(out, bytes))
}

/// Replaces a text that is not empty.
pub(super) fn replaced(text: &[u8], from: &[u8], to: &[u8]) -> Text {
    let capacity = text.len() / from.len().max(1) * to.len() + text.len();
    written(capacity, |out| {
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            if let Some(behind) = rest.strip_prefix(from) {
                out.extend_from_slice(to);
                rest = behind;
            } else {
                out.push(*first);
                rest = after;
            }
        }
    })
}

/// Writes escapes in lower case: `%2f`.
pub(super) fn lower_case_escapes(text: &[u8]) -> Text {
    rewritten_escapes(text, |out, digits| {
        out.push(b'%');
        out.extend(digits.iter().map(u8::to_ascii_lowercase));
    })
}

/// Leaves these characters as they are where they were escaped.
pub(super) fn unescaped(text: &[u8], characters: &[u8]) -> Text {
    rewritten_escapes(text, |out, digits| {
        let value = core::str::from_utf8(digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match value.filter(|byte| characters.contains(byte)) {
            Some(byte) => out.push(byte),
            None => {
                out.push(b'%');
                out.extend_from_slice(digits);
            }
        }
    })
}

/// `write` writes an escape, of which it gets the two digits. The text is as long as before at most.
fn rewritten_escapes(text: &[u8], write: impl Fn(&mut Vec<u8>, &[u8])) -> Text {
    written(text.len(), |out| {
        let mut rest = text;
        while let Some((first, after)) = rest.split_first() {
            match (first, after) {
                (b'%', [high, low, behind @ ..]) => {
                    write(out, &[*high, *low]);
                    rest = behind;
                }
                (byte, _) => {
                    out.push(*byte);
                    rest = after;
                }
            }
        }
    })
}

/// A part of the request for a field of a [`Deviation`].
pub(super) fn shown(bytes: &[u8]) -> String {
    crate::text::excerpt(bytes)
}
