use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;
use percent_encoding::percent_decode;

use crate::text::{ByteSet, any, any_of_chunk, split_at_first};

/// The unreserved characters of [RFC 3986 2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3), which are not
/// encoded. Form encoding (`+` for a space) and the character sets of URL libraries leave other characters unencoded,
/// which breaks signatures.
static UNRESERVED: ByteSet = ByteSet::alphanumeric_and(b"-._~");
static UNRESERVED_AND_SLASH: ByteSet = ByteSet::alphanumeric_and(b"-._~/");

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
    write_up_to(out, bytes, &UNRESERVED, b"", |byte, after| (byte, after));
}

pub(crate) fn write_encoded_but_slash(out: &mut Vec<u8>, bytes: &[u8]) {
    write_up_to(out, bytes, &UNRESERVED_AND_SLASH, b"", |byte, after| (byte, after));
}

/// Decodes a whole path once and encodes everything except `/` once, so that `%2F` becomes `/`. `+` is a literal plus,
/// and a `%` that doesn't begin an escape is literal.
pub(crate) fn write_path_decoded_then_encoded(out: &mut Vec<u8>, path: &[u8]) {
    write_up_to(out, path, &UNRESERVED_AND_SLASH, b"", |byte, after| match byte {
        b'%' => unescape(after),
        byte => (byte, after),
    });
}

/// Decodes a query parameter name or value once and encodes it once, up to the first byte in `ends`; returns the rest
/// of the input, starting with that byte. `+` is read as a space, as servers do, and a `%` that doesn't begin an escape
/// is literal.
pub(crate) fn write_query_decoded_then_encoded<'b>(out: &mut Vec<u8>, bytes: &'b [u8], ends: &[u8]) -> &'b [u8] {
    write_up_to(out, bytes, &UNRESERVED, ends, |byte, after| match byte {
        b'%' => unescape(after),
        b'+' => (b' ', after),
        byte => (byte, after),
    })
}

/// Copies runs of bytes in `kept` and encodes all others one at a time: `read` returns the byte to encode and the input
/// that follows it.
fn write_up_to<'b>(
    out: &mut Vec<u8>,
    bytes: &'b [u8],
    kept: &ByteSet,
    ends: &[u8],
    read: impl Fn(u8, &'b [u8]) -> (u8, &'b [u8]),
) -> &'b [u8] {
    let mut rest = bytes;
    loop {
        let (run, from) = rest.split_at(run_length(rest, kept));
        out.extend_from_slice(run);
        let (byte, after) = match from {
            [] => return from,
            [end, ..] if ends.contains(end) => return from,
            [byte, after @ ..] => read(*byte, after),
        };
        if kept.contains(byte) {
            out.push(byte);
        } else {
            let digit = |value: u8| value + if value < 10 { b'0' } else { b'A' - 10 };
            out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 15)]);
        }
        rest = after;
    }
}

/// Returns the number of leading bytes that are in `kept`.
fn run_length(bytes: &[u8], kept: &ByteSet) -> usize {
    let start = bytes.iter().take(16).take_while(|byte| kept.contains(**byte)).count();
    if start < 16 {
        return start;
    }
    // Long values are almost entirely alphanumeric: session tokens, hashes, signatures.
    let chunks = bytes.as_chunks::<16>().0.iter().skip(1);
    let passed =
        start + 16 * chunks.take_while(|chunk| !any_of_chunk(chunk, |byte| !byte.is_ascii_alphanumeric())).count();
    passed + bytes.iter().skip(passed).take_while(|byte| kept.contains(**byte)).count()
}

/// Decodes a query parameter name or value: `+` is a space, `%XX` is a byte, and a `%` that doesn't begin an escape is
/// literal.
pub(crate) fn write_query_decoded(out: &mut Vec<u8>, bytes: &[u8]) {
    write_decoded_with(out, bytes, |byte| (byte == b'%') | (byte == b'+'));
}

/// Like [`write_query_decoded`], but borrows the input if nothing in it is encoded.
pub(crate) fn query_decoded(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !any(bytes, |byte| (byte == b'%') | (byte == b'+')) {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    write_query_decoded(&mut out, bytes);
    Cow::Owned(out)
}

/// Decodes `%XX` once; a `%` that doesn't begin an escape is literal.
pub(crate) fn decoded(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    write_decoded_with(&mut out, bytes, |byte| byte == b'%');
    out
}

/// Copies bytes unchanged, except those for which `is_special` returns `true`: a `%` begins an escape, and any other is
/// a space.
fn write_decoded_with(out: &mut Vec<u8>, bytes: &[u8], is_special: impl Fn(u8) -> bool) {
    let mut rest = bytes;
    while let Some((run, special, after)) = split_at_first(rest, &is_special) {
        out.extend_from_slice(run);
        let (byte, after) = if special == b'%' { unescape(after) } else { (b' ', after) };
        out.push(byte);
        rest = after;
    }
    out.extend_from_slice(rest);
}

/// Returns `true` if `encoded`, decoded once, equals `name`, which must not contain a `%`.
pub(crate) fn decodes_to(encoded: &[u8], name: &str) -> bool {
    // Decoding either changes nothing or makes it shorter.
    match encoded.len().cmp(&name.len()) {
        Ordering::Less => false,
        Ordering::Equal => encoded == name.as_bytes(),
        Ordering::Greater => any(encoded, |byte| byte == b'%') && percent_decode(encoded).eq(name.bytes()),
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
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

    fn twice(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_path_decoded_then_encoded(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    fn query_twice(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_query_decoded_then_encoded(&mut out, text, b"");
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
}
