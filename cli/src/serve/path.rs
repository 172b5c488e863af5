//! Paths as routes and allow-lists compare them.

use std::fmt::Write;

/// Servers decode twice at most; what is encoded more often than this isn't looked into.
const MOST_ENCODED: usize = 4;

/// A path, decoded once.
#[derive(Clone, Debug)]
pub struct Path {
    decoded: String,
    is_clear: bool,
}

impl Path {
    pub fn parse(path: &str) -> Self {
        let decoded = decoded(path);
        let is_clear = decoded.as_deref().is_some_and(is_clear);
        Self { decoded: decoded.unwrap_or_default(), is_clear }
    }

    /// Returns `false` if servers could read the path in different ways: dot segments, repeated or encoded slashes,
    /// backslashes, parameters (`;`), something encoded twice, control characters. Such a path doesn't get around a rule.
    pub fn is_clear(&self) -> bool {
        self.is_clear
    }

    /// Returns `true` for the prefix itself, and for what follows it after a slash.
    pub fn is_below(&self, prefix: &str) -> bool {
        is_below(&self.decoded, prefix)
    }

    /// Like [`Path::is_below`], but ignores case and leaves no doubt to the upstream: for rules that forbid.
    pub fn may_be_below(&self, prefix: &str) -> bool {
        !self.is_clear || is_below(&self.decoded.to_lowercase(), &prefix.to_lowercase())
    }
}

fn is_below(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_clear(path: &str) -> bool {
    let segments = path.strip_prefix('/').map(|rest| rest.split('/'));
    let Some(segments) = segments else { return false };
    let last = segments.clone().count();
    segments.enumerate().all(|(position, segment)| {
        let is_dots = segment == "." || segment == "..";
        let is_empty = segment.is_empty() && position + 1 != last;
        let is_odd = |c: char| c.is_control() || matches!(c, '\\' | ';' | '%' | '#' | '?');
        !is_dots && !is_empty && !segment.contains(is_odd)
    })
}

/// Decodes once. `None` for an encoded slash, an escape that is none, and what isn't UTF-8.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
        let (high, low) = (digit()?, digit()?);
        match u8::try_from(high * 16 + low) {
            Ok(b'/') | Err(_) => return None,
            Ok(byte) => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Decodes the escapes of a canonical path that was encoded once more than it was sent.
pub fn decoded_once(canonical: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(canonical.len());
    let mut rest = canonical.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |digit: &u8| char::from(*digit).to_digit(16);
                match (digit(high), digit(low)) {
                    (Some(high), Some(low)) => {
                        bytes.push(u8::try_from(high * 16 + low).unwrap_or(b'%'));
                        rest = after;
                    }
                    _ => bytes.push(b'%'),
                }
            }
            _ => bytes.push(*first),
        }
    }
    bytes
}

/// Returns `true` if a server could leave the folder that precedes the path: it has a segment `..`, however it is encoded.
pub fn may_leave(path: &str) -> bool {
    let is_up = |segment: &str| segment.split(';').next() == Some("..");
    let mut text = path.to_owned();
    for _ in 0..MOST_ENCODED {
        let decoded = String::from_utf8_lossy(&decoded_once(&text)).into_owned();
        if decoded == text {
            return text.split(['/', '\\']).any(is_up);
        }
        text = decoded;
    }
    true
}

/// Encodes what can't be in a request target.
pub fn sendable(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path {
        if byte.is_ascii_graphic() && !b"?#\"<>`{}|\\^".contains(byte) {
            text.push(char::from(*byte));
        } else {
            // Writing to a text can't fail.
            let _ = write!(text, "%{byte:02X}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_two_readings_are_not_clear() {
        for path in ["/", "/a", "/a/", "/a/b.c", "/%C3%A9", "/a%20b", "/..a/b.."] {
            assert!(Path::parse(path).is_clear(), "{path}");
        }
        for path in [
            "",
            "a",
            "*",
            "//",
            "//a",
            "/a//b",
            "/.",
            "/..",
            "/a/./b",
            "/a/../b",
            "/%2e%2e/a",
            "/a/%2E",
            "/a%2fb",
            "/a%5cb",
            "/a\\b",
            "/a;b",
            "/a/..;/b",
            "/%252e",
            "/%zz",
            "/a%",
            "/%ff",
            "/a%00",
            "/a%0d%0ab",
            "/a%3fb",
            "/a%23",
        ] {
            assert!(!Path::parse(path).is_clear(), "{path}");
        }
    }

    #[test]
    fn prefixes_end_at_slashes() {
        let below = |path, prefix| Path::parse(path).is_below(prefix);
        assert!(
            below("/a/b", "/a") && below("/a/b", "/a/") && below("/a", "/a") && below("/a", "/") && below("/%61", "/a")
        );
        assert!(!below("/ab", "/a") && !below("/A", "/a"));
        assert!(Path::parse("/A").may_be_below("/a") && Path::parse("/x/../a").may_be_below("/b"));
    }

    #[test]
    fn paths_that_leave_their_folder() {
        for path in
            ["/..", "/a/../b", "/%2e%2E/b", "/a%2f..%2fb", "/a\\..\\b", "/a/..;x/b", "/%252e%252e/b", "/%25252525252e"]
        {
            assert!(may_leave(path), "{path}");
        }
        for path in ["", "/", "/a/...", "/..a/b..", "/a;../b", "/100%", "/a%20b", "/a//b/./c", "/%252525"] {
            assert!(!may_leave(path), "{path}");
        }
    }

    #[test]
    fn what_was_sent() {
        assert_eq!(decoded_once("/a%252Fb%40%"), b"/a%2Fb@%");
        assert_eq!(sendable("/a b\u{e9}?%2F".as_bytes()), "/a%20b%C3%A9%3F%2F");
    }
}
