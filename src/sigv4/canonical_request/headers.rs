use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use crate::sigv4::authorization::Place;
use crate::text::inline::Inline;
use crate::text::{any, any_pair, compare_ignoring_case};

/// The list of headers to sign, from which the canonical request is written.
#[derive(Clone)]
pub(crate) struct SignedHeaderList<'a> {
    /// All are `Some`. An empty slot is a `None`, which takes less to write than an entry without a name.
    slots: Inline<Option<Entry<'a>>, 16>,
    /// The length of all names, each with a separator.
    names_length: usize,
    /// The length of all values.
    values_length: usize,
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    name: &'a str,
    value: &'a [u8],
    /// The position of the name in the list of signed headers, or [`NO_PLACE`].
    place: u32,
    has_uppercase: bool,
    /// The value is known to contain neither spaces nor tabs.
    is_plain: bool,
    /// The header before this one has the same name. Sorting sets this.
    is_repeated: bool,
}

/// Different from every place, so that [`SignedHeaderList::has_every_place`] never counts a header without one.
const NO_PLACE: u32 = u32::MAX;

impl<'a> Entry<'a> {
    #[inline]
    fn new(name: &'a str, value: &'a [u8]) -> Self {
        let has_uppercase = any(name.as_bytes(), |byte| byte.is_ascii_uppercase());
        Self { name, value, place: NO_PLACE, has_uppercase, is_plain: false, is_repeated: false }
    }

    #[inline]
    fn compare(&self, other: &Self) -> Ordering {
        match self.has_uppercase | other.has_uppercase {
            true => compare_ignoring_case(self.name, other.name),
            false => self.name.cmp(other.name),
        }
    }

    /// The same as [`Entry::compare`], faster for a few headers: most of their names already differ in the first byte.
    #[inline]
    fn compare_starts(&self, other: &Self) -> Ordering {
        let start = |entry: &Self| entry.name.as_bytes().first().map(u8::to_ascii_lowercase);
        start(self).cmp(&start(other)).then_with(|| self.compare(other))
    }

    #[inline]
    fn compare_places(&self, other: &Self) -> Ordering {
        self.place.cmp(&other.place)
    }

    fn write_name(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(self.name.as_bytes());
        if self.has_uppercase {
            out.get_mut(start..).unwrap_or_default().make_ascii_lowercase();
        }
    }
}

impl<'a> SignedHeaderList<'a> {
    pub(crate) fn new() -> Self {
        Self { slots: Inline::new(), names_length: 0, values_length: 0 }
    }

    fn entries(&self) -> impl Iterator<Item = &Entry<'a>> {
        self.slots.as_slice().iter().flatten()
    }

    pub(crate) fn push(&mut self, name: &'a str, value: &'a [u8]) {
        self.push_entry(Entry::new(name, value));
    }

    /// Adds a header whose name has no capital letters. `is_plain` says that its value has neither spaces nor tabs.
    pub(crate) fn push_lowercase(&mut self, name: &'a str, value: &'a [u8], is_plain: bool) {
        let (place, has_uppercase, is_repeated) = (NO_PLACE, false, false);
        self.push_entry(Entry { name, value, place, has_uppercase, is_plain, is_repeated });
    }

    /// Adds a header whose name is at this place in the list of signed headers.
    pub(crate) fn push_at(&mut self, place: Place, name: &'a str, value: &'a [u8]) {
        let Place { position, is_lowercase } = place;
        let (place, has_uppercase) = (u32::try_from(position).unwrap_or(NO_PLACE), !is_lowercase);
        self.push_entry(Entry { name, value, place, has_uppercase, is_plain: false, is_repeated: false });
    }

    #[inline]
    fn push_entry(&mut self, entry: Entry<'a>) {
        self.names_length += entry.name.len() + 1;
        self.values_length += entry.value.len();
        self.slots.push(Some(entry));
    }

    pub(crate) fn contains(&self, name: &str) -> bool {
        self.entries().any(|entry| entry.name.eq_ignore_ascii_case(name))
    }

    /// Sorts by name only, so that repeated headers keep the order received. Call this when all headers have been
    /// added.
    pub(crate) fn sort(&mut self) {
        let slots = self.slots.as_mut_slice();
        // Usually they are in order: signing adds its own headers where they belong.
        if !note_repeated(slots, Entry::compare_starts) {
            slots.iter_mut().flatten().for_each(|entry| entry.place = NO_PLACE);
            sort_by_place_and_name(slots);
        }
    }

    /// Sorts headers that were added with their places, with the same result as [`SignedHeaderList::sort`].
    pub(crate) fn sort_by_place(&mut self) {
        let slots = self.slots.as_mut_slice();
        if !note_repeated(slots, Entry::compare_places) {
            sort_by_place_and_name(slots);
        }
    }

    /// Returns `true` if there is a header at each of the first `count` places. The list must be sorted by place.
    pub(crate) fn has_every_place(&self, count: usize) -> bool {
        let mut next = 0;
        for entry in self.entries() {
            next += u32::from(entry.place == next);
        }
        next as usize == count
    }

    /// Returns each name once, as given. The list must be sorted.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'a str> {
        self.entries().filter(|entry| !entry.is_repeated).map(|entry| entry.name)
    }

    /// Returns the values of a header, in the order received. The list must be sorted.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &'a [u8]> {
        let slots = self.slots.as_slice();
        let is_before = |entry: &Entry<'_>| compare_ignoring_case(entry.name, name).is_lt();
        let start = slots.partition_point(|slot| slot.as_ref().is_some_and(is_before));
        let rest = slots.get(start..).unwrap_or_default().iter().flatten();
        rest.take_while(move |entry| entry.name.eq_ignore_ascii_case(name)).map(|entry| entry.value)
    }

    /// Returns the names that appear more than once. The list must be sorted.
    pub(crate) fn repeated(&self) -> impl Iterator<Item = &'a str> {
        self.entries().filter(|entry| entry.is_repeated).map(|entry| entry.name)
    }

    /// Returns an upper bound for the length of the list of names.
    pub(crate) fn names_length(&self) -> usize {
        self.names_length
    }

    /// Returns an upper bound for the number of bytes that [`SignedHeaderList::write_to`] writes.
    pub(super) fn written_length(&self) -> usize {
        // A separator for each name, a colon or comma for each value.
        2 * self.names_length + self.values_length + self.slots.as_slice().len()
    }

    /// Writes the canonical headers, an empty line and the signed headers, which are `names` if those are known. Returns
    /// the range of the signed headers.
    pub(super) fn write_to(&self, out: &mut Vec<u8>, names: Option<&[u8]>) -> Range<usize> {
        for (index, entry) in self.entries().enumerate() {
            if entry.is_repeated {
                out.push(b',');
            } else {
                if index > 0 {
                    out.push(b'\n');
                }
                entry.write_name(out);
                out.push(b':');
            }
            match entry.is_plain {
                true => out.extend_from_slice(entry.value),
                false => write_folded(out, entry.value),
            }
        }
        out.extend_from_slice(b"\n\n");
        let start = out.len();
        match names {
            Some(names) => out.extend_from_slice(names),
            None => self.write_names(out),
        }
        start..out.len()
    }

    fn write_names(&self, out: &mut Vec<u8>) {
        let first_of_each = self.entries().filter(|entry| !entry.is_repeated);
        for (index, entry) in first_of_each.enumerate() {
            if index > 0 {
                out.push(b';');
            }
            entry.write_name(out);
        }
    }
}

/// Sorts by place, and those without a place by name. Both kinds of lists share this function because sorting is a large
/// part of what the compiler has to translate.
fn sort_by_place_and_name(slots: &mut [Option<Entry<'_>>]) {
    let compare = |one: &Entry<'_>, other: &Entry<'_>| one.compare_places(other).then_with(|| one.compare(other));
    slots.sort_by(|one, other| {
        one.as_ref().zip(other.as_ref()).map_or(Ordering::Equal, |(one, other)| compare(one, other))
    });
    note_repeated(slots, compare);
}

/// Notes which headers have the name of the one before. Returns `false` if they are not in order.
#[inline]
fn note_repeated<'a>(slots: &mut [Option<Entry<'a>>], compare: impl Fn(&Entry<'a>, &Entry<'a>) -> Ordering) -> bool {
    let mut last = None;
    for entry in slots.iter_mut().flatten() {
        let order = last.map_or(Ordering::Less, |last| compare(last, entry));
        entry.is_repeated = order.is_eq();
        if order.is_gt() {
            return false;
        }
        last = Some(&*entry);
    }
    true
}

/// Trims spaces and tabs and collapses inner runs of them to one space, even inside quotes. Other whitespace is kept.
fn write_folded(out: &mut Vec<u8>, value: &[u8]) {
    let is_blank = |byte: u8| (byte == b' ') | (byte == b'\t');
    if !any(value, is_blank) || is_folded(value) {
        out.extend_from_slice(value);
        return;
    }
    for (index, word) in words(value).enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
}

/// Returns the words of a value; the canonical request separates them by single spaces.
pub(crate) fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty())
}

/// Returns `true` if all that a value contains of spaces and tabs is single spaces between words.
fn is_folded(value: &[u8]) -> bool {
    let is_wrong = |one: u8, next: u8| (one == b'\t') | ((one == b' ') & (next == b' '));
    !matches!(value, [b' ', ..] | [.., b' ' | b'\t']) && !any_pair(value, is_wrong)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn canonical(headers: &[(&str, &[u8])]) -> String {
        let mut list = SignedHeaderList::new();
        headers.iter().for_each(|(name, value)| list.push(name, value));
        list.sort();
        let mut out = Vec::new();
        let names = list.write_to(&mut out, None);
        assert_eq!(names.end, out.len());
        assert!(out.len() <= list.written_length() + 2);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn canonical_headers() {
        assert_eq!(
            canonical(&[
                ("X-Amz-Meta-Test-Two", b" a  \"b   c\"\t\td "),
                ("x-amz-meta-test", b"2"),
                ("HOST", b"example.com"),
                ("X-AMZ-Meta-Test", b"1"),
                ("My_Header", b"\t"),
                ("x-amz-meta-test", b" 3,4 "),
            ]),
            "host:example.com\nmy_header:\nx-amz-meta-test:2,1,3,4\nx-amz-meta-test-two:a \"b c\" d\n\n\
             host;my_header;x-amz-meta-test;x-amz-meta-test-two"
        );
        assert_eq!(canonical(&[("a", b"\x0b\xa0\x0c x")]), "a:\x0b\u{fffd}\x0c x\n\na");
        assert_eq!(canonical(&[("b", b"1"), ("B", b"2"), ("a-b", b"3"), ("a", b"4")]), "a:4\na-b:3\nb:1,2\n\na;a-b;b");
    }

    #[test]
    fn every_short_value_is_folded() {
        for number in 0..4_u32.pow(6) {
            let value: Vec<u8> = (0..6).map(|digit| b"a \tb"[(number / 4_u32.pow(digit) % 4) as usize]).collect();
            let text = core::str::from_utf8(&value).unwrap();
            let folded = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(canonical(&[("v", &value)]), alloc::format!("v:{folded}\n\nv"), "{text:?}");
        }
    }

    #[test]
    fn repeated_headers_keep_their_order() {
        let values: Vec<String> = (0..200).map(|n| alloc::format!("{n}")).collect();
        let headers: Vec<_> = values.iter().map(|value| ("v", value.as_bytes())).collect();
        assert_eq!(canonical(&headers), alloc::format!("v:{}\n\nv", values.join(",")));
    }
}
