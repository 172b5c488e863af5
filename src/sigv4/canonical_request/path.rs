use alloc::vec::Vec;

use crate::sigv4::rules::Rules;
use crate::text::any_pair;
use crate::text::percent::{write_encoded_but_slash, write_path_decoded_then_encoded};

/// Writes the canonical form of a path as sent.
pub(super) fn write_path(out: &mut Vec<u8>, path: &[u8], rules: &Rules) {
    if path.is_empty() || path == b"/" {
        out.push(b'/');
    } else if !rules.normalize_path || is_normal(path) {
        if !path.starts_with(b"/") {
            out.push(b'/');
        }
        if rules.double_encode_path {
            write_encoded_but_slash(out, path);
        } else {
            write_path_decoded_then_encoded(out, path);
        }
    } else if rules.double_encode_path {
        write_normalized(out, path, write_encoded_but_slash);
    } else {
        // Normalizing comes before decoding: an encoded slash does not separate segments.
        let mut normalized = Vec::with_capacity(path.len() + 1);
        write_normalized(&mut normalized, path, Vec::extend_from_slice);
        write_path_decoded_then_encoded(out, &normalized);
    }
}

/// Returns `true` if no segment is empty or starts with a dot, so that there is nothing to remove.
fn is_normal(path: &[u8]) -> bool {
    !path.starts_with(b".") && !any_pair(path, |one, next| (one == b'/') & matches!(next, b'/' | b'.'))
}

/// Removes dot segments ([RFC 3986 5.2.4](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4)) and empty segments.
/// Only literal dots count: `%2e%2e` is an ordinary name.
fn write_normalized(out: &mut Vec<u8>, path: &[u8], write_segment: impl Fn(&mut Vec<u8>, &[u8])) {
    let root = out.len();
    out.push(b'/');
    let mut segments = path.split(|byte| *byte == b'/').peekable();
    // `out` ends with a slash whenever a segment begins, so a path that ends in `/`, `/.` or `/..` keeps its slash.
    while let Some(segment) = segments.next() {
        match segment {
            b"" | b"." => {}
            b".." => {
                // A written segment contains no slash.
                let parent = out.get(root..out.len() - 1).and_then(|up| up.iter().rposition(|byte| *byte == b'/'));
                out.truncate(root + parent.unwrap_or(0) + 1);
            }
            name => {
                write_segment(out, name);
                if segments.peek().is_some() {
                    out.push(b'/');
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn path(path: &str, rules: &Rules) -> String {
        let mut out = b"GET\n".to_vec();
        write_path(&mut out, path.as_bytes(), rules);
        String::from_utf8(out).unwrap().split_off(4)
    }

    #[test]
    fn normalized_and_encoded_again() {
        for (wire, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//", "/"),
            ("/.", "/"),
            ("/..", "/"),
            ("/../../a", "/a"),
            ("/a/.", "/a/"),
            ("/a/..", "/"),
            ("/a/b/..", "/a/"),
            ("/a/b/../c", "/a/c"),
            ("/a//b///c//", "/a/b/c/"),
            ("/a/b/c/../../../..", "/"),
            ("/...", "/..."),
            ("/.a/b.", "/.a/b."),
            ("/%2e%2e/a", "/%252e%252e/a"),
            ("/a%2Fb", "/a%252Fb"),
            ("/a%3ab", "/a%253ab"),
            ("/a b%20c", "/a%20b%2520c"),
            ("/ሴ", "/%E1%88%B4"),
            ("/@connections/x=", "/%40connections/x%3D"),
            ("/a%zz%", "/a%25zz%25"),
            ("*", "/%2A"),
            (".", "/"),
            ("..", "/"),
            ("./a", "/a"),
            ("../a/.b", "/a/.b"),
            ("a/.", "/a/"),
            (".a", "/.a"),
        ] {
            assert_eq!(path(wire, &Rules::GENERIC), canonical, "{wire}");
        }
    }

    #[test]
    fn s3_decoded_and_encoded_once() {
        for (wire, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//a", "//a"),
            ("/a//b/", "/a//b/"),
            ("/./../a", "/./../a"),
            ("/a%2fb%2Fc", "/a/b/c"),
            ("/%2Fa%2F%2f", "//a//"),
            ("/a%2F..%2F./b", "/a/.././b"),
            ("/%252F", "/%252F"),
            ("/@a:=%40", "/%40a%3A%3D%40"),
            ("/a%20b c", "/a%20b%20c"),
            ("/a+b%2B", "/a%2Bb%2B"),
            ("/%7Euser/%41", "/~user/A"),
            ("/%2541", "/%2541"),
            ("/a%zz%", "/a%25zz%25"),
        ] {
            assert_eq!(path(wire, &Rules::S3), canonical, "{wire}");
        }
    }

    /// No AWS service combines the two, but rules can.
    #[test]
    fn normalized_before_it_is_decoded() {
        let rules = Rules { normalize_path: true, ..Rules::S3 };
        for (wire, canonical) in [
            ("/a%2Fb/../c", "/c"),
            ("/a%2F../b//c", "/a/../b/c"),
            ("/a/%2e%2e/./b", "/a/../b"),
            ("/a%2Fb", "/a/b"),
            ("/a/%2F/.", "/a///"),
        ] {
            assert_eq!(path(wire, &rules), canonical, "{wire}");
        }
    }
}
