use alloc::vec::Vec;

use crate::sigv4::rules::Rules;
use crate::text::any_pair;
use crate::text::percent::{write_encoded_but_slash, write_path_decoded_then_encoded};

/// Writes the canonical path of a wire path.
pub(super) fn write_path(out: &mut Vec<u8>, path: &[u8], rules: &Rules) {
    if path.is_empty() || path == b"/" {
        out.push(b'/');
    } else if rules.normalize_path && !is_normal(path) {
        write_normalized(out, path, rules);
    } else {
        if !path.starts_with(b"/") {
            out.push(b'/');
        }
        if rules.double_encode_path {
            write_encoded_but_slash(out, path);
        } else {
            let mut rest = write_path_decoded_then_encoded(out, path, b"/");
            while let [b'/', segment @ ..] = rest {
                out.push(b'/');
                rest = write_path_decoded_then_encoded(out, segment, b"/");
            }
        }
    }
}

/// Whether no segment is empty and none begins with a dot, so that there is nothing to remove.
fn is_normal(path: &[u8]) -> bool {
    !path.starts_with(b".") && !any_pair(path, |one, next| (one == b'/') & matches!(next, b'/' | b'.'))
}

/// [RFC 3986 5.2.4](https://www.rfc-editor.org/rfc/rfc3986#section-5.2.4), and no empty segments. Dots count as they
/// stand on the wire: `%2e%2e` is a name.
fn write_normalized(out: &mut Vec<u8>, path: &[u8], rules: &Rules) {
    let root = out.len();
    out.push(b'/');
    let mut segments = path.split(|byte| *byte == b'/').peekable();
    // `out` ends in a slash whenever a segment begins, so a path that ends in `/`, `/.` or `/..` keeps one.
    while let Some(segment) = segments.next() {
        match segment {
            b"" | b"." => {}
            b".." => {
                // An encoded segment holds no slash.
                let parent = out.get(root..out.len() - 1).and_then(|up| up.iter().rposition(|byte| *byte == b'/'));
                out.truncate(root + parent.unwrap_or(0) + 1);
            }
            name => {
                if rules.double_encode_path {
                    write_encoded_but_slash(out, name);
                } else {
                    write_path_decoded_then_encoded(out, name, b"");
                }
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
    fn s3_as_on_the_wire_and_encoded_once() {
        for (wire, canonical) in [
            ("", "/"),
            ("/", "/"),
            ("//a", "//a"),
            ("/a//b/", "/a//b/"),
            ("/./../a", "/./../a"),
            ("/a%2fb", "/a%2Fb"),
            ("/a%20b c", "/a%20b%20c"),
            ("/a+b%2B", "/a%2Bb%2B"),
            ("/%7Euser/%41", "/~user/A"),
            ("/%2541", "/%2541"),
            ("/a%zz%", "/a%25zz%25"),
        ] {
            assert_eq!(path(wire, &Rules::S3), canonical, "{wire}");
        }
    }
}
