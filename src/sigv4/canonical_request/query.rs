use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;

use crate::text::inline::Inline;
use crate::text::percent::{begins_canonical_escape, reserved_positions, write_query_decoded_then_encoded};
use crate::text::wiped::Wiped;
use crate::text::{split, split_once};

/// Returns the pairs of a query without decoding them. The query is split only at `&`, empty pairs are skipped, and a
/// pair without `=` has an empty value.
pub(crate) fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    split(query, b'&').filter(|piece| !piece.is_empty()).map(|piece| split_once(piece, b'=').unwrap_or((piece, b"")))
}

/// A pair of a query: the name begins at `start`, the `=` is at `equals`, and the value ends at `end`. The positions
/// refer to the query as sent or, if the pair is sent in another form than the canonical one, to the buffer, in which
/// it is encoded anew. A target is at most `MAX_TARGET` bytes long.
#[derive(Clone, Copy, Default)]
struct Pair {
    /// The first eight bytes of the name, by which most pairs can be sorted.
    prefix: u64,
    start: u32,
    equals: u32,
    end: u32,
    is_in_buffer: bool,
    /// Something in it may be encoded.
    is_encoded: bool,
}

impl Pair {
    #[inline]
    fn new(text: &[u8], start: usize, equals: usize, end: usize, is_in_buffer: bool) -> Self {
        let prefix = prefix(text.get(start..).unwrap_or_default(), equals - start);
        let (start, equals, end) = (start as u32, equals as u32, end as u32);
        Self { prefix, start, equals, end, is_in_buffer, is_encoded: false }
    }

    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns the name and the value.
    #[inline]
    fn key<'t>(self, query: &'t [u8], buffer: &'t [u8]) -> (&'t [u8], &'t [u8]) {
        let text = if self.is_in_buffer { buffer } else { query };
        let (start, equals, end) = (self.start as usize, self.equals as usize, self.end as usize);
        (text.get(start..equals).unwrap_or_default(), text.get(equals + 1..end).unwrap_or_default())
    }

    /// Compares the names, then the values. Comparing `name=value` strings would put `a-b=` before `a=`, since `-` sorts
    /// before `=`.
    #[inline]
    fn compare(&self, other: &Self, query: &[u8], buffer: &[u8]) -> Ordering {
        match self.prefix.cmp(&other.prefix) {
            Ordering::Equal => self.key(query, buffer).cmp(&other.key(query, buffer)),
            order => order,
        }
    }
}

/// Returns the first eight bytes of a name with this length, at the start of a text, as a number that sorts like the
/// name. A shorter name is filled up with zeros.
#[inline]
fn prefix(text: &[u8], length: usize) -> u64 {
    let eight = match text.first_chunk() {
        Some(eight) => u64::from_be_bytes(*eight),
        None => text.iter().rev().fold(0, |eight, byte| eight >> 8 | u64::from(*byte) << 56),
    };
    let after_name = u64::MAX.checked_shr(8 * length.min(8) as u32).unwrap_or(0);
    eight & !after_name
}

/// A pair as sent.
pub(crate) struct SentPair<'q> {
    pub(crate) name: &'q [u8],
    pub(crate) value: &'q [u8],
    /// The position of the value in the query.
    pub(crate) range: Range<u32>,
    /// The name or the value contains a `%` or a `+`.
    pub(crate) is_encoded: bool,
}

/// The pairs of a query, found in one pass for all that read it: the parameters of a signature, and the canonical query.
pub(crate) struct QueryIndex<'q> {
    query: &'q [u8],
    pairs: Inline<Pair, 16>,
    /// All pairs are sent in their canonical form, though maybe not in order.
    are_canonical: bool,
    /// A name begins with an `X` or an escape.
    may_have_own: bool,
}

impl<'q> QueryIndex<'q> {
    #[inline]
    pub(crate) fn new() -> Self {
        Self { query: b"", pairs: Inline::new(), are_canonical: true, may_have_own: false }
    }

    /// Finds the pairs of a query; the index must be new. The query is split only at `&`, and empty pairs are skipped.
    pub(crate) fn read(&mut self, query: &'q [u8]) {
        self.query = query;
        let mut reserved = reserved_positions(query);
        let (mut start, mut equals, mut is_canonical, mut is_encoded) = (0, None, true, false);
        loop {
            let position = reserved.next().unwrap_or(query.len());
            match query.get(position) {
                Some(b'=') if equals.is_none() => equals = Some(position),
                Some(b'%') => {
                    is_encoded = true;
                    is_canonical &= begins_canonical_escape(query, position);
                }
                end @ (Some(b'&') | None) => {
                    if start < position {
                        is_canonical &= equals.is_some();
                        let pair = Pair::new(query, start, equals.unwrap_or(position), position, !is_canonical);
                        self.push(Pair { is_encoded, ..pair });
                    }
                    if end.is_none() {
                        return;
                    }
                    (start, equals, is_canonical, is_encoded) = (position + 1, None, true, false);
                }
                Some(byte) => {
                    is_canonical = false;
                    is_encoded |= *byte == b'+';
                }
            }
        }
    }

    #[inline]
    fn push(&mut self, pair: Pair) {
        self.are_canonical &= !pair.is_in_buffer;
        self.may_have_own |= matches!(pair.prefix.to_be_bytes(), [b'X' | b'%', ..]);
        self.pairs.push(pair);
    }

    pub(crate) fn query(&self) -> &'q [u8] {
        self.query
    }

    pub(crate) fn are_canonical(&self) -> bool {
        self.are_canonical
    }

    /// Returns `true` if a name may be one of our parameters, which all begin with an `X`, either literal or escaped.
    pub(crate) fn may_have_own(&self) -> bool {
        self.may_have_own
    }

    /// Returns the names of the pairs as sent. Call this before writing.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'q [u8]> {
        let range = |pair: &Pair| pair.start as usize..pair.equals as usize;
        self.pairs.as_slice().iter().map(move |pair| self.query.get(range(pair)).unwrap_or_default())
    }

    /// Returns the same as [`pairs`]. Call this before writing.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = SentPair<'q>> {
        self.pairs.as_slice().iter().map(|pair| {
            let Pair { equals, end, is_encoded, .. } = *pair;
            let (name, value) = pair.key(self.query, self.query);
            SentPair { name, value, range: (equals + 1).min(end)..end, is_encoded }
        })
    }

    /// Writes the canonical query, except the parameters named in `left_out`, whose names need no encoding.
    pub(super) fn write_to(&mut self, out: &mut Wiped<Vec<u8>>, left_out: &[&str]) {
        let (query, first) = (self.query, out.len());
        let pairs = self.pairs.as_mut_slice();
        if !self.are_canonical {
            encode(out, query, pairs);
        }
        let pairs = leave_out(pairs, left_out, query, out);
        let encoded = out.as_slice();
        if !pairs.is_sorted_by(|one, next| one.compare(next, query, encoded).is_le()) {
            pairs.sort_unstable_by(|one, other| one.compare(other, query, encoded));
        }
        let encoded_end = out.len();
        if encoded_end == first {
            return write_pairs(out, query, pairs);
        }
        out.reserve(encoded_end - first + query.len());
        write_pairs(out, query, pairs);
        let length = out.len() - encoded_end;
        out.copy_within(encoded_end.., first);
        out.truncate(first + length);
    }
}

/// Removes the pairs with these names.
fn leave_out<'p>(pairs: &'p mut [Pair], names: &[&str], query: &[u8], encoded: &[u8]) -> &'p mut [Pair] {
    if names.is_empty() {
        return pairs;
    }
    let mut kept = 0;
    for index in 0..pairs.len() {
        let Some(pair) = pairs.get(index).copied() else { break };
        let (name, _) = pair.key(query, encoded);
        if !names.iter().any(|left_out| left_out.as_bytes() == name) {
            if let Some(slot) = pairs.get_mut(kept) {
                *slot = pair;
            }
            kept += 1;
        }
    }
    pairs.get_mut(..kept).unwrap_or_default()
}

/// Encodes the pairs that are not sent in their canonical form at the end of the buffer.
#[cold]
fn encode(out: &mut Wiped<Vec<u8>>, query: &[u8], pairs: &mut [Pair]) {
    for pair in pairs.iter_mut().filter(|pair| pair.is_in_buffer) {
        let (name, value) = Pair { is_in_buffer: false, ..*pair }.key(query, b"");
        // A byte takes at most three bytes encoded.
        out.reserve(3 * (name.len() + value.len()) + 1);
        let start = out.len();
        write_query_decoded_then_encoded(out, name);
        let equals = out.len();
        out.push(b'=');
        write_query_decoded_then_encoded(out, value);
        *pair = Pair::new(out, start, equals, out.len(), true);
    }
}

/// Writes sorted pairs. Those that are adjacent in the query as well are copied at once.
fn write_pairs(out: &mut Vec<u8>, query: &[u8], pairs: &[Pair]) {
    let first = out.len();
    let mut run = 0..0;
    let end_run = |out: &mut Vec<u8>, run: Range<usize>, is_in_buffer: bool| {
        if run.is_empty() {
            return;
        }
        if out.len() > first {
            out.push(b'&');
        }
        match is_in_buffer {
            true => out.extend_from_within(run),
            false => out.extend_from_slice(query.get(run).unwrap_or_default()),
        }
    };
    for pair in pairs {
        let range = pair.range();
        if pair.is_in_buffer {
            end_run(out, core::mem::take(&mut run), false);
            end_run(out, range, true);
        } else if !run.is_empty() && range.start == run.end + 1 {
            run.end = range.end;
        } else {
            end_run(out, core::mem::replace(&mut run, range), false);
        }
    }
    end_run(out, run, false);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn query(query: &str) -> String {
        let mut out = Wiped::new(b"GET\n/\n".to_vec(), true);
        let mut index = QueryIndex::new();
        index.read(query.as_bytes());
        index.write_to(&mut out, &["X-Amz-Signature"]);
        out.into_text().unwrap().split_off(6)
    }

    #[test]
    fn canonical_queries() {
        for (wire, canonical) in [
            ("", ""),
            ("&", ""),
            ("a", "a="),
            ("a=", "a="),
            ("=", "="),
            ("=x", "=x"),
            ("&&b=2&&a=1&", "a=1&b=2"),
            ("a=1&b=2&a=0", "a=0&a=1&b=2"),
            ("a=b=c", "a=b%3Dc"),
            ("a=b+c", "a=b%20c"),
            ("a+b=+", "a%20b=%20"),
            ("a=b;c=d", "a=b%3Bc%3Dd"),
            ("a=%2b%7e%41", "a=%2B~A"),
            ("a=%zz%", "a=%25zz%25"),
            ("q.p=1&q=2&q-a=3", "q=2&q-a=3&q.p=1"),
            ("p[10]=&p[1]=", "p%5B1%5D=&p%5B10%5D="),
            ("P=1&ሴ=2", "%E1%88%B4=2&P=1"),
            ("a=2&a=10", "a=10&a=2"),
            ("a?b=?", "a%3Fb=%3F"),
            ("X-Amz-Signature=00&b&X%2DAmz-Signature=1&a", "a=&b="),
            ("x-amz-signature=00", "x-amz-signature=00"),
            ("a=1&&b=2", "a=1&b=2"),
            ("X-Amz-Signature=0&a=1&b=2", "a=1&b=2"),
            ("a=1&X-Amz-Signature=0&b=2", "a=1&b=2"),
            ("a=1&b=2&X-Amz-Signature=0", "a=1&b=2"),
            ("X-Amz-Signature=0", ""),
            ("c=%2F&b=%2f&a=/&d=1&e=2", "a=%2F&b=%2F&c=%2F&d=1&e=2"),
            ("a=%2&b=%&c=%2B", "a=%252&b=%25&c=%2B"),
            ("b=1&a=%41&a=%42", "a=A&a=B&b=1"),
        ] {
            assert_eq!(query(wire), canonical, "{wire}");
        }
    }

    #[test]
    fn every_pair_is_indexed_once_in_order() {
        const BYTES: [u8; 5] = *b"&=%+a";
        let last = 5_u32.pow(7);
        let short = (0..last).map(|n| (0..7).map(|digit| BYTES[(n / 5_u32.pow(digit) % 5) as usize]).collect());
        let long = (0..5_u64).map(|seed| (0..300_u64).map(|n| BYTES[(n * (n + seed) / 7 % 5) as usize]).collect());
        for query in short.chain(long) {
            let query: Vec<u8> = query;
            let is_encoded = |text: &[u8]| text.iter().any(|byte| matches!(byte, b'%' | b'+'));
            let mut index = QueryIndex::new();
            index.read(&query);
            let expected = pairs(&query).map(|(name, value)| (name, value, is_encoded(name) || is_encoded(value)));
            let in_query = |range: &Range<u32>| &query[range.start as usize..range.end as usize];
            assert!(index.pairs().all(|pair| in_query(&pair.range) == pair.value));
            assert!(
                expected.eq(index.pairs().map(|pair| (pair.name, pair.value, pair.is_encoded))),
                "{:?}",
                String::from_utf8_lossy(&query)
            );
        }
    }

    #[test]
    fn more_pairs_than_fit_inline() {
        let pairs = |order: &mut dyn Iterator<Item = u32>| {
            order.map(|i| alloc::format!("k{i:04}=v")).collect::<Vec<_>>().join("&")
        };
        assert_eq!(query(&pairs(&mut (0..2000).rev())), pairs(&mut (0..2000)));
    }
}
