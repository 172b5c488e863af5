use alloc::string::String;
use alloc::vec::Vec;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};

/// All but the unreserved characters of [RFC 3986 2.3](https://www.rfc-editor.org/rfc/rfc3986#section-2.3).
/// Form encoding (`+` for a space) and the sets of URL libraries leave others as they are, and break signatures.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
const RESERVED_BUT_SLASH: &AsciiSet = &RESERVED.remove(b'/');

/// Encodes one path segment, query name or query value for the wire, as AWS does: everything but
/// `A-Z a-z 0-9 - . _ ~` becomes `%XX`.
///
/// For callers who put a target together; [`Request`](crate::Request) takes what is already encoded.
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
    percent_encode(raw.as_ref(), RESERVED).collect()
}

pub(crate) fn write_encoded(out: &mut Vec<u8>, bytes: &[u8]) {
    write_with(out, bytes, RESERVED);
}

pub(super) fn write_encoded_but_slash(out: &mut Vec<u8>, bytes: &[u8]) {
    write_with(out, bytes, RESERVED_BUT_SLASH);
}

fn write_with(out: &mut Vec<u8>, bytes: &[u8], reserved: &'static AsciiSet) {
    for run in percent_encode(bytes, reserved) {
        out.extend_from_slice(run.as_bytes());
    }
}

/// Decodes `%XX` once and encodes once. `+` is a plus, and a `%` that begins no escape is data.
pub(super) fn write_decoded_then_encoded(out: &mut Vec<u8>, bytes: &[u8]) {
    for_each_decoded(bytes, |run| write_encoded(out, run));
}

/// Decodes `%XX` once; a `%` that begins no escape is data.
pub(crate) fn write_decoded(out: &mut Vec<u8>, bytes: &[u8]) {
    for_each_decoded(bytes, |run| out.extend_from_slice(run));
}

/// Whether `encoded`, decoded once, is `name`.
pub(crate) fn decodes_to(encoded: &[u8], name: &str) -> bool {
    encoded == name.as_bytes() || encoded.contains(&b'%') && percent_decode(encoded).eq(name.bytes())
}

/// Hands over runs without an escape as they stand, and the bytes of escapes one by one.
fn for_each_decoded(bytes: &[u8], mut each: impl FnMut(&[u8])) {
    let mut rest = bytes;
    while let Some(position) = rest.iter().position(|byte| *byte == b'%') {
        let (run, escape) = rest.split_at(position);
        each(run);
        let (byte, after) = match escape {
            [b'%', high, low, after @ ..] => match (hex_digit(*high), hex_digit(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (b'%', escape.get(1..).unwrap_or_default()),
            },
            _ => (b'%', escape.get(1..).unwrap_or_default()),
        };
        each(&[byte]);
        rest = after;
    }
    each(rest);
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn twice(text: &[u8]) -> String {
        let mut out = Vec::new();
        write_decoded_then_encoded(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn decode_once_encode_once() {
        assert_eq!(twice(b""), "");
        assert_eq!(twice(b"a-Z_0.9~"), "a-Z_0.9~");
        assert_eq!(twice(b"+ %2b%20"), "%2B%20%2B%20");
        assert_eq!(twice(b"%41%7e%2F/"), "A~%2F%2F");
        assert_eq!(twice(b"%zz%4%"), "%25zz%254%25");
        assert_eq!(twice(b"%%41%4%41"), "%25A%254A");
        assert_eq!(twice(b"%25%2541"), "%25%2541");
        assert_eq!(twice(b"%80\xff%c3\xbc"), "%80%FF%C3%BC");
    }

    #[test]
    fn agrees_with_percent_decode_of_the_library_on_every_short_text() {
        for text in (0..5_u32.pow(5)).map(|n| {
            let mut digits = n;
            [(); 5].map(|()| {
                let byte = b"%2Fz+"[digits as usize % 5];
                digits /= 5;
                byte
            })
        }) {
            let decoded: Vec<u8> = percent_decode(&text).collect();
            assert_eq!(twice(&text), encode_segment(decoded));
        }
    }
}
