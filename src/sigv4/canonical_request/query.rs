use alloc::vec::Vec;

use crate::text::inline::Inline;
use crate::text::percent::{Separator, write_query_decoded_then_encoded};
use crate::text::wiped::Wiped;
use crate::text::{each_position, split, split_once};

/// Returns the pairs of a query without decoding them. The query is split only at `&`, empty pairs are skipped, and a
/// pair without `=` has an empty value.
pub(crate) fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    split(query, b'&').filter(|piece| !piece.is_empty()).map(|piece| split_once(piece, b'=').unwrap_or((piece, b"")))
}

/// Calls `visit` with the name and value of each of the [`pairs`], and with whether either may be encoded. It reads the
/// query once, where the iterator reads it once for each separator and the caller once more for escapes.
#[inline]
pub(crate) fn each_pair<'q>(query: &'q [u8], mut visit: impl FnMut(&'q [u8], &'q [u8], bool)) {
    let mut visit_piece = |start: usize, equals: Option<usize>, end: usize, is_encoded: bool| {
        let part = |from: usize, to: usize| query.get(from..to).unwrap_or_default();
        match equals {
            Some(equals) => visit(part(start, equals), part(equals + 1, end), is_encoded),
            None if start < end => visit(part(start, end), b"", is_encoded),
            None => {}
        }
    };
    let is_special = |byte: u8| (byte == b'&') | (byte == b'=') | (byte == b'%') | (byte == b'+');
    let (mut start, mut equals, mut is_encoded) = (0, None, false);
    each_position(query, is_special, |position| match query.get(position) {
        Some(b'&') => {
            visit_piece(start, equals, position, is_encoded);
            (start, equals, is_encoded) = (position + 1, None, false);
        }
        Some(b'=') => equals = equals.or(Some(position)),
        _ => is_encoded = true,
    });
    visit_piece(start, equals, query.len(), is_encoded);
}

/// An encoded pair in the buffer: the name begins at `start`, the `=` is at `equals`, and the value ends at `end`.
#[derive(Clone, Copy, Default)]
struct Pair {
    start: usize,
    equals: usize,
    end: usize,
}

impl Pair {
    /// Returns the sort key: the encoded name, then the encoded value. Comparing `name=value` strings would put `a-b=`
    /// before `a=`, since `-` sorts before `=`.
    fn key(self, out: &[u8]) -> (&[u8], &[u8]) {
        (out.get(self.start..self.equals).unwrap_or_default(), out.get(self.equals + 1..self.end).unwrap_or_default())
    }
}

/// Writes the canonical query, except the parameters named in `left_out`, whose names need no encoding.
pub(super) fn write_query(out: &mut Wiped<Vec<u8>>, query: &[u8], left_out: &[&str]) {
    let first = out.len();
    let mut written: Inline<Pair, 16> = Inline::new();
    let mut start = first;
    let mut equals = None;
    write_query_decoded_then_encoded(out, query, |byte, position| match (byte, equals) {
        (b'=', None) => {
            equals = Some(position);
            Separator::Keep
        }
        (b'=', Some(_)) => Separator::Encode,
        _ if position == start => Separator::Remove,
        (_, with_value) => {
            let end = position + usize::from(with_value.is_none());
            written.push(Pair { start, equals: with_value.unwrap_or(position), end });
            (start, equals) = (end + 1, None);
            if with_value.is_some() { Separator::Keep } else { Separator::AfterEquals }
        }
    });
    if out.len() > start {
        let equals = equals.unwrap_or_else(|| {
            out.push(b'=');
            out.len() - 1
        });
        written.push(Pair { start, equals, end: out.len() });
    } else if start > first {
        // The query ended with a separator.
        out.truncate(start - 1);
    }
    let pairs = leave_out(out, first, written.as_mut_slice(), left_out);
    if !pairs.is_sorted_by(|one, next| one.key(out) <= next.key(out)) {
        sort(out, first, pairs);
    }
}

/// Removes the parameters with these names from the pairs that were written from `first` on; returns the others.
fn leave_out<'p>(out: &mut Vec<u8>, first: usize, pairs: &'p mut [Pair], names: &[&str]) -> &'p mut [Pair] {
    let is_left_out = |out: &[u8], pair: Pair| {
        let (name, _) = pair.key(out);
        names.iter().any(|left_out| left_out.as_bytes() == name)
    };
    let (mut kept, mut end) = (0, first);
    for index in 0..pairs.len() {
        let Some(pair) = pairs.get(index).copied().filter(|pair| !is_left_out(out, *pair)) else { continue };
        let start = if kept == 0 { first } else { end + 1 };
        let back = pair.start - start;
        if back > 0 {
            // With the `&` that precedes it, unless it is the first.
            let separator = usize::from(kept > 0);
            out.copy_within(pair.start - separator..pair.end, start - separator);
        }
        end = pair.end - back;
        if let Some(slot) = pairs.get_mut(kept) {
            *slot = Pair { start, equals: pair.equals - back, end };
        }
        kept += 1;
    }
    out.truncate(end);
    pairs.get_mut(..kept).unwrap_or_default()
}

/// Sorts the pairs that were written from `first` on, by means of a copy after them.
fn sort(out: &mut Wiped<Vec<u8>>, first: usize, pairs: &mut [Pair]) {
    pairs.sort_unstable_by(|a, b| a.key(out).cmp(&b.key(out)));
    let unsorted = out.len();
    out.reserve(unsorted - first);
    for (index, pair) in pairs.iter().enumerate() {
        if index > 0 {
            out.push(b'&');
        }
        out.extend_from_within(pair.start..pair.end);
    }
    out.copy_within(unsorted.., first);
    out.truncate(unsorted);
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn query(query: &str) -> String {
        let mut out = Wiped::new(b"GET\n/\n".to_vec(), true);
        write_query(&mut out, query.as_bytes(), &["X-Amz-Signature"]);
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
        ] {
            assert_eq!(query(wire), canonical, "{wire}");
        }
    }

    #[test]
    fn every_pair_is_visited_once_in_order() {
        const BYTES: [u8; 5] = *b"&=%+a";
        let last = 5_u32.pow(7);
        let short = (0..last).map(|n| (0..7).map(|digit| BYTES[(n / 5_u32.pow(digit) % 5) as usize]).collect());
        let long = (0..5_u64).map(|seed| (0..300_u64).map(|n| BYTES[(n * (n + seed) / 7 % 5) as usize]).collect());
        for query in short.chain(long) {
            let query: Vec<u8> = query;
            let is_encoded = |text: &[u8]| text.iter().any(|byte| matches!(byte, b'%' | b'+'));
            let mut visited = Vec::new();
            each_pair(&query, |name, value, encoded| visited.push((name, value, encoded)));
            let expected = pairs(&query).map(|(name, value)| (name, value, is_encoded(name) || is_encoded(value)));
            assert!(expected.eq(visited), "{:?}", String::from_utf8_lossy(&query));
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
