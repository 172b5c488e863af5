use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::Range;
use percent_encoding::percent_decode;

use crate::text::{any, position_of, positions};

/// Returns `true` for the unreserved characters of [RFC 3986
/// 2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3), which are not encoded. Form encoding (`+` for a space) and
/// the character sets of URL libraries leave other characters unencoded, which breaks signatures.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'.') | (byte == b'_') | (byte == b'~')
}

fn is_unreserved_or_slash(byte: u8) -> bool {
    is_unreserved(byte) | (byte == b'/')
}

fn is_reserved(byte: u8) -> bool {
    !is_unreserved(byte)
}

fn is_reserved_but_slash(byte: u8) -> bool {
    !is_unreserved_or_slash(byte)
}

/// Returns `true` for the characters that may have another meaning in a query: `%` begins an escape, `+` is a space.
fn is_escape_or_plus(byte: u8) -> bool {
    (byte == b'%') | (byte == b'+')
}

/// Percent-encodes a path segment, query parameter name or query parameter value as AWS does: everything except `A-Z
/// a-z 0-9 - . _ ~` becomes `%XX`.
///
/// Use this to build a request target; [`Request`](crate::Request) expects one that is already encoded. For S3 object
/// keys, whose slashes are not encoded, use [`encode_path`].
///
/// ```
/// use countersign::encode_segment;
///
/// let target = format!("/{}?tag={}", encode_segment("q1/q2 report.pdf"), encode_segment("a+b=c"));
/// assert_eq!(target, "/q1%2Fq2%20report.pdf?tag=a%2Bb%3Dc");
/// ```
///
/// AWS: [UriEncode](https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html)
pub fn encode_segment(raw: impl AsRef<[u8]>) -> String {
    encode(raw.as_ref(), write_encoded)
}

/// Percent-encodes a whole path as AWS does: like [`encode_segment`], but `/` is not encoded.
///
/// Use this for S3 object keys. `+` becomes `%2B`, because S3 reads a literal `+` in a path as a space.
///
/// ```
/// use countersign::{Request, encode_path};
///
/// let target = format!("/{}", encode_path("photos/2024/été + mer (1).jpg"));
/// assert_eq!(target, "/photos/2024/%C3%A9t%C3%A9%20%2B%20mer%20%281%29.jpg");
/// let request = Request::new("GET", &target, &[]).with_host("examplebucket.s3.us-east-1.amazonaws.com");
/// # let _ = request;
/// ```
///
/// AWS: [UriEncode](https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html)
pub fn encode_path(raw: impl AsRef<[u8]>) -> String {
    encode(raw.as_ref(), write_encoded_but_slash)
}

fn encode(raw: &[u8], write: impl FnOnce(&mut Vec<u8>, &[u8])) -> String {
    let mut out = Vec::with_capacity(raw.len());
    write(&mut out, raw);
    String::from_utf8(out).unwrap_or_default()
}

pub(crate) fn write_encoded(out: &mut Vec<u8>, bytes: &[u8]) {
    if is_short_and_unreserved(bytes) {
        return out.extend_from_slice(bytes);
    }
    let mut copy = Copy::new(out, bytes, is_unreserved);
    positions(bytes, is_reserved).for_each(|position| copy.encode(position));
    copy.finish();
}

/// Returns `true` for most names, ids and times, which need no encoding. Longer text is not searched twice.
fn is_short_and_unreserved(bytes: &[u8]) -> bool {
    bytes.len() <= 32 && !any(bytes, is_reserved)
}

pub(crate) fn write_encoded_but_slash(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() <= 32 && !any(bytes, is_reserved_but_slash) {
        return out.extend_from_slice(bytes);
    }
    let mut copy = Copy::new(out, bytes, is_unreserved_or_slash);
    positions(bytes, is_reserved_but_slash).for_each(|position| copy.encode(position));
    copy.finish();
}

/// Decodes a whole path once and encodes everything except `/` once, so that `%2F` becomes `/`. `+` is a literal plus,
/// and a `%` that doesn't begin an escape is literal.
pub(crate) fn write_path_decoded_then_encoded(out: &mut Vec<u8>, path: &[u8]) {
    let mut copy = Copy::new(out, path, is_unreserved_or_slash);
    positions(path, is_reserved_but_slash).for_each(|position| copy.decode_and_encode(position));
    copy.finish();
}

/// Decodes the name or value of a query parameter once and encodes it once. `+` is read as a space, as servers do, and a
/// `%` that doesn't begin an escape is literal.
pub(crate) fn write_query_decoded_then_encoded(out: &mut Vec<u8>, bytes: &[u8]) {
    if is_short_and_unreserved(bytes) {
        return out.extend_from_slice(bytes);
    }
    let mut copy = Copy::new(out, bytes, is_unreserved);
    positions(bytes, is_reserved).for_each(|position| match bytes.get(position) {
        Some(b'+') => copy.replace(position..position + 1, b' '),
        _ => copy.decode_and_encode(position),
    });
    copy.finish();
}

/// Returns the position of every byte that is not unreserved.
#[inline]
pub(crate) fn reserved_positions(bytes: &[u8]) -> impl Iterator<Item = usize> {
    positions(bytes, is_reserved)
}

/// Returns `true` if there is an escape at this position that AWS would write as well: of a byte that is not unreserved,
/// with upper-case digits.
#[inline]
pub(crate) fn begins_canonical_escape(bytes: &[u8], position: usize) -> bool {
    let Some(([_, high, low], _)) = bytes.get(position..).and_then(<[u8]>::split_first_chunk) else { return false };
    let is_digit = |byte: u8| byte.is_ascii_digit() | (b'A'..=b'F').contains(&byte);
    let value = |digit: u8| (digit & 15) + 9 * (digit >> 6);
    is_digit(*high) & is_digit(*low) && !is_unreserved(value(*high) << 4 | value(*low))
}

/// Returns the byte that is encoded at this position, and whether its digits are in upper case.
#[inline]
fn escape_at(bytes: &[u8], position: usize) -> Option<(u8, bool)> {
    let ([b'%', high, low], _) = bytes.get(position..)?.split_first_chunk()? else { return None };
    let byte = hex_digit(*high)? << 4 | hex_digit(*low)?;
    Some((byte, (*high < b'a') & (*low < b'a')))
}

/// Copies bytes up to those that have to be replaced. What needs no change is copied in runs as long as possible.
struct Copy<'c, K> {
    out: &'c mut Vec<u8>,
    bytes: &'c [u8],
    is_kept: K,
    /// The position up to which the bytes are written.
    written: usize,
}

impl<'c, K: Fn(u8) -> bool> Copy<'c, K> {
    #[inline]
    fn new(out: &'c mut Vec<u8>, bytes: &'c [u8], is_kept: K) -> Self {
        Self { out, bytes, is_kept, written: 0 }
    }

    fn write_up_to(&mut self, position: usize) {
        self.out.extend_from_slice(self.bytes.get(self.written..position).unwrap_or_default());
        self.written = position;
    }

    fn encode(&mut self, position: usize) {
        if let Some(byte) = self.bytes.get(position) {
            self.replace(position..position + 1, *byte);
        }
    }

    /// Decodes the escape at this position, if there is one, and encodes the byte.
    #[inline]
    fn decode_and_encode(&mut self, position: usize) {
        let Some((byte, is_uppercase)) = escape_at(self.bytes, position) else { return self.encode(position) };
        let is_canonical = is_uppercase && !(self.is_kept)(byte);
        if !is_canonical {
            self.replace(position..position + 3, byte);
        }
    }

    /// Writes a byte in place of those in the range, encoded unless it is kept.
    fn replace(&mut self, range: Range<usize>, byte: u8) {
        self.write_up_to(range.start);
        self.written = range.end;
        if (self.is_kept)(byte) {
            self.out.push(byte);
        } else {
            let digit = |value: u8| value + if value < 10 { b'0' } else { b'A' - 10 };
            self.out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
    }

    #[inline]
    fn finish(mut self) {
        self.write_up_to(self.bytes.len());
    }
}

/// Decodes a query parameter name or value: `+` is a space, `%XX` is a byte, and a `%` that doesn't begin an escape is
/// literal.
pub(crate) fn write_query_decoded(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut written = 0;
    positions(bytes, is_escape_or_plus).for_each(|position| {
        let Some([special, after @ ..]) = bytes.get(position..) else { return };
        out.extend_from_slice(bytes.get(written..position).unwrap_or_default());
        let (byte, after) = if *special == b'%' { unescape(after) } else { (b' ', after) };
        out.push(byte);
        written = bytes.len() - after.len();
    });
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
}

/// Like [`write_query_decoded`], but borrows the input if nothing in it is encoded.
pub(crate) fn query_decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !any(bytes, is_escape_or_plus) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    write_query_decoded(&mut out, bytes);
    Cow::Owned(out)
}

/// Decodes `%XX` once; a `%` that doesn't begin an escape is literal.
pub(crate) fn decoded(bytes: &[u8]) -> Vec<u8> {
    percent_decode(bytes).collect()
}

/// Returns `true` if `encoded`, decoded once, equals `name`, which must not contain a `%`.
pub(crate) fn decodes_to(encoded: &[u8], name: &str) -> bool {
    // Decoding either changes nothing or makes it shorter.
    match encoded.len().cmp(&name.len()) {
        Ordering::Less => false,
        Ordering::Equal => encoded == name.as_bytes(),
        Ordering::Greater => position_of(encoded, b'%').is_some() && percent_decode(encoded).eq(name.bytes()),
    }
}

/// Returns the byte that a `%` and the bytes after it encode, and the rest of the input. A `%` that doesn't begin an
/// escape is itself.
fn unescape(after_percent: &[u8]) -> (u8, &[u8]) {
    match after_percent {
        [high, low, after @ ..] => match (hex_digit(*high), hex_digit(*low)) {
            (Some(high), Some(low)) => (high << 4 | low, after),
            _ => (b'%', after_percent),
        },
        _ => (b'%', after_percent),
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::last_position_of;
    use alloc::string::ToString;
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

    fn twice(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_path_decoded_then_encoded(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    fn query_twice(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_query_decoded_then_encoded(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decode_once_encode_once() {
        assert_eq!(twice(b""), "");
        assert_eq!(twice(b"a-Z_0.9~"), "a-Z_0.9~");
        assert_eq!(twice(b"+ %2b%20"), "%2B%20%2B%20");
        assert_eq!(twice(b"%41%7e%2F/"), "A~//");
        assert_eq!(query_twice(b"%41%7e%2F/"), "A~%2F%2F");
        assert_eq!(twice(b"%zz%4%"), "%25zz%254%25");
        assert_eq!(twice(b"%%41%4%41"), "%25A%254A");
        assert_eq!(twice(b"%25%2541"), "%25%2541");
        assert_eq!(twice(b"%80\xff%c3\xbc"), "%80%FF%C3%BC");
    }

    #[test]
    fn a_plus_is_a_space_only_in_a_query() {
        assert_eq!(query_twice(b"a+b%2Bc%2b+%20++"), "a%20b%2Bc%2B%20%20%20%20");
        assert_eq!(query_twice(b"+%zz+%+"), "%20%25zz%20%25%20");
        let mut decoded = Vec::new();
        write_query_decoded(&mut decoded, b"+a+b%2Bc%20%+");
        assert_eq!(decoded, b" a b+c % ");
    }

    #[test]
    fn decoding_matches_the_percent_encoding_crate_on_every_short_input() {
        for text in (0..5_u32.pow(5)).map(|n| {
            let mut digits = n;
            [(); 5].map(|()| {
                let byte = b"%2Fz+"[digits as usize % 5];
                digits /= 5;
                byte
            })
        }) {
            let decoded: Vec<u8> = percent_decode(&text).collect();
            assert_eq!(twice(&text), encode_path(decoded));
            let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
            let spaced: Vec<u8> = percent_decode(&spaced).collect();
            assert_eq!(query_twice(&text), encode_segment(&spaced));
            let mut decoded = Vec::new();
            write_query_decoded(&mut decoded, &text);
            assert_eq!(decoded, spaced);
        }
    }

    #[test]
    fn encoding_matches_the_percent_encoding_crate_on_every_byte() {
        const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
        const RESERVED_BUT_SLASH: &AsciiSet = &RESERVED.remove(b'/');
        for byte in 0..=255 {
            assert_eq!(encode_segment([byte]), percent_encode(&[byte], RESERVED).to_string(), "{byte}");
            assert_eq!(encode_path([byte]), percent_encode(&[byte], RESERVED_BUT_SLASH).to_string(), "{byte}");
        }
    }

    #[test]
    fn the_first_and_last_positions_are_found() {
        for length in 0..40_usize {
            for seed in 0..2000_u64 {
                let bytes: Vec<u8> = (0..length as u64)
                    .map(|n| ((n + 1).wrapping_mul(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1) >> 29) as u8 & 0x83)
                    .collect();
                for byte in [0, 1, 2, 0x80, 0x81, 0x83] {
                    let expected = bytes.iter().position(|other| *other == byte);
                    assert_eq!(position_of(&bytes, byte), expected, "{bytes:?} {byte}");
                    let expected = bytes.iter().rposition(|other| *other == byte);
                    assert_eq!(last_position_of(&bytes, byte), expected, "{bytes:?} {byte}");
                }
            }
        }
    }

    #[test]
    fn every_position_is_visited_once_in_order() {
        for length in 0..140_usize {
            for seed in 0..40_u64 {
                let bytes: Vec<u8> = (0..length as u64)
                    .map(|n| ((n + 1).wrapping_mul(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1) >> 29) as u8)
                    .collect();
                for limit in [0, 1, 16, 128, 255] {
                    let visited = positions(&bytes, |byte| byte <= limit);
                    let expected = bytes.iter().enumerate().filter(|(_, byte)| **byte <= limit);
                    assert!(expected.map(|(position, _)| position).eq(visited), "{bytes:?}");
                }
            }
        }
    }
}
