use alloc::string::String;
use alloc::vec::Vec;

use super::upper_case_escapes;
use crate::explain::cause::Cause;
use crate::explain::text::shown;
use crate::sigv4::canonical_request::normalized;
use crate::text::percent::decoded;

/// Returns one cause, or two causes that occur together.
pub(super) fn path_differences(ours: &str, theirs: &str) -> Vec<Cause> {
    if let Some(cause) = single_difference(ours, theirs) {
        return alloc::vec![cause];
    }
    let both_begin = ours.starts_with('/') && theirs.starts_with('/');
    let normal = |path: &str| normalized(&String::from_utf8_lossy(&meant(path)));
    if both_begin && normal(ours) == normal(theirs) {
        return alloc::vec![encoded_otherwise(ours, theirs), Cause::PathNormalization];
    }
    let signed = ours.ends_with('/');
    if signed != theirs.ends_with('/')
        && let Some(cause) = single_difference(ours.trim_end_matches('/'), theirs.trim_end_matches('/'))
    {
        return alloc::vec![cause, Cause::TrailingSlash { signed }];
    }
    alloc::vec![Cause::PathChanged { signed: shown(ours), verified: shown(theirs) }]
}

fn single_difference(ours: &str, theirs: &str) -> Option<Cause> {
    if ours.replace('+', "%20") == theirs.replace('+', "%20") {
        return Some(Cause::PlusForSpace);
    }
    if meant(ours) == meant(theirs) {
        return Some(encoded_otherwise(ours, theirs));
    }
    let has_dots = |path: &str| path.contains("//") || path.contains("/.");
    if (has_dots(ours) || has_dots(theirs)) && normalized(ours) == normalized(theirs) {
        return Some(Cause::PathNormalization);
    }
    for (long, short, signed) in [(ours, theirs, true), (theirs, ours, false)] {
        if long.strip_suffix('/') == Some(short) {
            return Some(Cause::TrailingSlash { signed });
        }
    }
    prefix_difference(ours, theirs)
}

/// Returns the cause for two paths that decode to the same text.
fn encoded_otherwise(ours: &str, theirs: &str) -> Cause {
    if upper_case_escapes(ours) == upper_case_escapes(theirs) {
        Cause::EscapeCase
    } else if ours.len() > theirs.len() {
        Cause::PathOverEncoded
    } else {
        Cause::PathUnderEncoded
    }
}

/// Decodes a path repeatedly. Four times is one more than has been seen in practice.
fn meant(path: &str) -> Vec<u8> {
    let mut meant = path.as_bytes().to_vec();
    for _ in 0..4 {
        meant = decoded(&meant);
    }
    meant
}

fn prefix_difference(ours: &str, theirs: &str) -> Option<Cause> {
    [(ours, theirs, true), (theirs, ours, false)].into_iter().find_map(|(long, short, signed)| {
        let prefix = match short {
            "/" if long.trim_matches('/').contains('/') => "",
            "/" => long,
            _ => long.strip_suffix(short).unwrap_or_default(),
        };
        let whole = prefix.len() > 1 && prefix.starts_with('/') && short.starts_with('/');
        whole.then(|| Cause::PathPrefix { prefix: shown(prefix.trim_end_matches('/')), signed })
    })
}

/// Where two paths that mean the same are encoded differently for the first time: the character, and how each writes it.
///
/// `("`:`", "%3A", "%253A")`
pub(super) fn first_encoded_otherwise(ours: &str, theirs: &str) -> Option<(String, String, String)> {
    let (mut ours, mut theirs) = (units(ours), units(theirs));
    loop {
        let (our, their) = (ours.next()?, theirs.next()?);
        if our != their {
            let meant = |unit: &str| String::from_utf8_lossy(&meant(unit)).into_owned();
            let character = meant(our);
            return (character == meant(their)).then(|| (shown(&character), shown(our), shown(their)));
        }
    }
}

/// The characters of a path, each with all of its encodings: `%253A` is one.
fn units(path: &str) -> impl Iterator<Item = &str> {
    let mut rest = path;
    core::iter::from_fn(move || {
        let first = rest.chars().next()?.len_utf8();
        let escaped = rest.strip_prefix('%').map(str::as_bytes).unwrap_or_default();
        let percent_signs = escaped.chunks(2).take_while(|pair| *pair == b"25").count();
        let last = escaped.chunks(2).nth(percent_signs).unwrap_or_default();
        let is_escape = last.len() == 2 && last.iter().all(u8::is_ascii_hexdigit);
        let (unit, after) = rest.split_at_checked(first + 2 * (percent_signs + usize::from(is_escape)))?;
        rest = after;
        Some(unit)
    })
}

#[cfg(test)]
mod tests {
    use super::first_encoded_otherwise;
    use alloc::string::ToString;

    #[test]
    fn the_first_character_that_is_encoded_differently_is_found() {
        for (ours, theirs, expected) in [
            ("/a%3Ab", "/a%253Ab", Some((":", "%3A", "%253A"))),
            ("/a:b", "/a%3Ab", Some((":", ":", "%3A"))),
            ("/a%2525b%2F", "/a%25b%2F", Some(("%", "%2525", "%25"))),
            ("/%c3%a9", "/%C3%A9", Some(("\u{fffd}", "%c3", "%C3"))),
            ("/a", "/a", None),
            ("/a", "/b", None),
            ("/%", "/%25", Some(("%", "%", "%25"))),
            ("/%2", "/%252", Some(("%", "%", "%25"))),
            ("", "/", None),
        ] {
            let expected = expected.map(|(a, b, c)| (a.to_string(), b.to_string(), c.to_string()));
            assert_eq!(first_encoded_otherwise(ours, theirs), expected, "{ours} {theirs}");
        }
    }
}
