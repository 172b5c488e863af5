//! The query that the upstream gets.

use std::borrow::Cow;

use countersign::encode_segment;

use crate::serve::path::decoded_once;

/// Returns the parameters that are not unwanted, with their `?`, in the order received. Each is written as the client
/// wrote it if every server reads that in the same way, and else encoded again. One without `=` stays so: servers may
/// tell `?acl` from `?acl=`, which a signature doesn't.
pub fn forwarded(query: &str, is_unwanted: impl Fn(&[u8]) -> bool) -> String {
    let mut text = String::new();
    for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
        let (name, value) = parameter.split_once('=').map_or((parameter, None), |(name, value)| (name, Some(value)));
        if is_unwanted(&decoded(name)) {
            continue;
        }
        text.push(if text.is_empty() { '?' } else { '&' });
        write(name, &mut text);
        if let Some(value) = value {
            text.push('=');
            write(value, &mut text);
        }
    }
    text
}

/// As it is signed: a plus is a space.
fn decoded(part: &str) -> Cow<'_, [u8]> {
    if part.contains(['%', '+']) { decoded_once(&part.replace('+', " ")).into() } else { part.as_bytes().into() }
}

fn write(part: &str, text: &mut String) {
    if is_clear(part) {
        text.push_str(part);
    } else {
        text.push_str(&encode_segment(&*decoded(part)).to_string());
    }
}

/// A plus is a space or not, `;` separates parameters or not, and an escape that is none is data or an error.
fn is_clear(part: &str) -> bool {
    let mut bytes = part.bytes();
    while let Some(byte) = bytes.next() {
        let is_clear = match byte {
            b'%' => {
                let mut is_digit = || bytes.next().is_some_and(|digit| digit.is_ascii_hexdigit());
                is_digit() && is_digit()
            }
            byte => byte.is_ascii_alphanumeric() || b"-._~/:@!$'()*,=".contains(&byte),
        };
        if !is_clear {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_clear_stays() {
        for (query, expected) in [
            ("", ""),
            ("&&", ""),
            ("acl", "?acl"),
            ("acl=", "?acl="),
            ("acl&versionId=3", "?acl&versionId=3"),
            ("b=1&a=2&b=0", "?b=1&a=2&b=0"),
            ("prefix=a/b%2fc%20d", "?prefix=a/b%2fc%20d"),
            ("a=b=c", "?a=b=c"),
            ("=x&=", "?=x&="),
            ("a=x+y&b+c", "?a=x%20y&b%20c"),
            ("a=%2B", "?a=%2B"),
            ("a=1;b=2", "?a=1%3Bb%3D2"),
            ("a=%zz&b=%&c=%4", "?a=%25zz&b=%25&c=%254"),
            ("a={b}|", "?a=%7Bb%7D%7C"),
            ("a=?", "?a=%3F"),
            ("own=1&a=2&%6Fwn&own", "?a=2"),
        ] {
            assert_eq!(forwarded(query, |name| name == b"own"), expected, "{query}");
        }
    }
}
