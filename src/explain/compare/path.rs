use alloc::string::String;

use super::{decoded, shown, upper_case_escapes};
use crate::canonical_request::normalized;
use crate::explain::cause::Cause;

pub(super) fn path_difference(ours: &str, theirs: &str) -> Cause {
    let without_slash = |path: &str| path.strip_suffix('/').map(String::from);
    if ours.replace('+', "%20") == theirs.replace('+', "%20") {
        return Cause::PlusForSpace;
    }
    if ours.eq_ignore_ascii_case(theirs) && upper_case_escapes(ours) == upper_case_escapes(theirs) {
        return Cause::EscapeCase;
    }
    let has_dots = |path: &str| path.contains("//") || path.contains("/.");
    if (has_dots(ours) || has_dots(theirs)) && normalized(ours) == normalized(theirs) {
        return Cause::PathNormalization;
    }
    if without_slash(ours).as_deref() == Some(theirs) || without_slash(theirs).as_deref() == Some(ours) {
        return Cause::TrailingSlash;
    }
    // One more encoding on one side; three are as many as anybody has seen.
    let (mut our_decoded, mut their_decoded) = (ours.as_bytes().to_vec(), theirs.as_bytes().to_vec());
    for _ in 0..3 {
        our_decoded = decoded(&our_decoded);
        their_decoded = decoded(&their_decoded);
        if our_decoded == theirs.as_bytes() {
            return Cause::PathEncodedTooOften;
        }
        if their_decoded == ours.as_bytes() {
            return Cause::PathEncodedTooRarely;
        }
    }
    if our_decoded == their_decoded {
        let cases = upper_case_escapes(ours) == upper_case_escapes(theirs);
        return match ours.len().cmp(&theirs.len()) {
            _ if cases => Cause::EscapeCase,
            core::cmp::Ordering::Greater => Cause::PathEncodedTooOften,
            _ => Cause::PathEncodedTooRarely,
        };
    }
    for (long, short, signed) in [(ours, theirs, true), (theirs, ours, false)] {
        let prefix = match short {
            "/" if long.trim_matches('/').contains('/') => "",
            "/" => long,
            _ => long.strip_suffix(short).unwrap_or_default(),
        };
        if prefix.len() > 1 && prefix.starts_with('/') {
            let prefix = shown(prefix.trim_end_matches('/'));
            return Cause::PathPrefix { prefix, signed };
        }
    }
    Cause::PathChanged { signed: shown(ours), verified: shown(theirs) }
}
