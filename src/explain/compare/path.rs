use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::{decoded, shown, upper_case_escapes};
use crate::canonical_request::normalized;
use crate::explain::cause::Cause;

/// One cause, or two that came together.
pub(super) fn path_differences(ours: &str, theirs: &str) -> Vec<Cause> {
    if let Some(cause) = single_difference(ours, theirs) {
        return alloc::vec![cause];
    }
    let without_dots = |path: &str| String::from_utf8_lossy(&normalized(path)).into_owned();
    let (our_normal, their_normal) = (without_dots(ours), without_dots(theirs));
    let signed = ours.ends_with('/');
    let (our_start, their_start) = (ours.trim_end_matches('/'), theirs.trim_end_matches('/'));
    let both_begin = ours.starts_with('/') && theirs.starts_with('/');
    if both_begin
        && has_dots(ours) != has_dots(theirs)
        && let Some(cause) = single_difference(&our_normal, &their_normal)
    {
        alloc::vec![cause, Cause::PathNormalization]
    } else if signed != theirs.ends_with('/')
        && let Some(cause) = single_difference(our_start, their_start)
    {
        alloc::vec![cause, Cause::TrailingSlash { signed }]
    } else {
        alloc::vec![Cause::PathChanged { signed: shown(ours), verified: shown(theirs) }]
    }
}

fn has_dots(path: &str) -> bool {
    path.contains("//") || path.contains("/.")
}

fn single_difference(ours: &str, theirs: &str) -> Option<Cause> {
    if ours.replace('+', "%20") == theirs.replace('+', "%20") {
        return Some(Cause::PlusForSpace);
    }
    if ours.eq_ignore_ascii_case(theirs) && upper_case_escapes(ours) == upper_case_escapes(theirs) {
        return Some(Cause::EscapeCase);
    }
    if (has_dots(ours) || has_dots(theirs)) && normalized(ours) == normalized(theirs) {
        return Some(Cause::PathNormalization);
    }
    for (long, short, signed) in [(ours, theirs, true), (theirs, ours, false)] {
        if long.strip_suffix('/') == Some(short) {
            return Some(Cause::TrailingSlash { signed });
        }
    }
    encoding_difference(ours, theirs).or_else(|| prefix_difference(ours, theirs))
}

/// One more encoding on one side; three are as many as anybody has seen.
fn encoding_difference(ours: &str, theirs: &str) -> Option<Cause> {
    let (mut our_decoded, mut their_decoded) = (ours.as_bytes().to_vec(), theirs.as_bytes().to_vec());
    for _ in 0..3 {
        our_decoded = decoded(&our_decoded);
        their_decoded = decoded(&their_decoded);
        if our_decoded == theirs.as_bytes() {
            return Some(Cause::PathEncodedTooOften);
        }
        if their_decoded == ours.as_bytes() {
            return Some(Cause::PathEncodedTooRarely);
        }
    }
    if our_decoded != their_decoded {
        return None;
    }
    Some(match ours.len().cmp(&theirs.len()) {
        _ if upper_case_escapes(ours) == upper_case_escapes(theirs) => Cause::EscapeCase,
        Ordering::Greater => Cause::PathEncodedTooOften,
        _ => Cause::PathEncodedTooRarely,
    })
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
