use alloc::vec::Vec;

use crate::text::inline::Inline;
use crate::text::percent::write_query_decoded_then_encoded;
use crate::text::wiped::Wiped;
use crate::text::{split, split_once};

/// Returns the pairs of a query without decoding them. The query is split only at `&`, empty pairs are skipped, and a
/// pair without `=` has an empty value.
pub(crate) fn pairs(query: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    split(query, b'&').filter(|piece| !piece.is_empty()).map(|piece| split_once(piece, b'=').unwrap_or((piece, b"")))
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
    let mut in_order = true;
    let mut rest = query;
    while let Some(next) = rest.first() {
        if *next == b'&' {
            rest = rest.get(1..).unwrap_or_default();
            continue;
        }
        let before = out.len();
        if !written.is_empty() {
            out.push(b'&');
        }
        let pair = write_pair(out, &mut rest);
        if !left_out.is_empty() && left_out.iter().any(|name| name.as_bytes() == pair.key(out).0) {
            out.truncate(before);
            continue;
        }
        in_order = in_order && written.last().is_none_or(|last| last.key(out) <= pair.key(out));
        written.push(pair);
    }
    if !in_order {
        sort(out, first, written.as_mut_slice());
    }
}

/// Writes the pair at the beginning of `rest` and advances `rest` past it.
#[inline]
fn write_pair(out: &mut Vec<u8>, rest: &mut &[u8]) -> Pair {
    let start = out.len();
    *rest = write_query_decoded_then_encoded(out, rest, b"=&");
    let equals = out.len();
    out.push(b'=');
    if let [b'=', value @ ..] = *rest {
        *rest = write_query_decoded_then_encoded(out, value, b"&");
    }
    Pair { start, equals, end: out.len() }
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
    fn more_pairs_than_fit_inline() {
        let pairs = |order: &mut dyn Iterator<Item = u32>| {
            order.map(|i| alloc::format!("k{i:04}=v")).collect::<Vec<_>>().join("&")
        };
        assert_eq!(query(&pairs(&mut (0..2000).rev())), pairs(&mut (0..2000)));
    }
}
