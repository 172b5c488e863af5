use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{MOST_NAMED, decoded, upper_case_escapes};
use crate::canonical_request::{REDACTED, is_secret_parameter};
use crate::explain::canonical::Canonical;
use crate::explain::cause::{Cause, Finding};
use crate::text::excerpt;

/// How many parameters of one name are compared with each of the other side, so that their number isn't squared.
const MOST_COMPARED: usize = 64;

type Pair<'a> = (&'a str, Option<&'a str>);

pub(super) fn query_differences(ours: &Canonical<'_>, theirs: &Canonical<'_>, findings: &mut Vec<Finding>) {
    let (mut only_ours, mut only_theirs) = (Vec::new(), Vec::new());
    let mut counts: BTreeMap<Pair<'_>, i32> = BTreeMap::new();
    // What one side hides counts as equal.
    let hides = |canonical: &Canonical<'_>| canonical.query_pairs().any(|(_, value)| value == Some(REDACTED));
    let hidden = hides(ours) || hides(theirs);
    for pair in ours.query_pairs() {
        *counts.entry(without_secret(pair, hidden)).or_default() += 1;
    }
    for pair in theirs.query_pairs() {
        *counts.entry(without_secret(pair, hidden)).or_default() -= 1;
    }
    for (pair, count) in counts {
        let side = if count > 0 { &mut only_ours } else { &mut only_theirs };
        (0..count.unsigned_abs()).for_each(|_| side.push(pair));
    }
    if only_ours.is_empty() && only_theirs.is_empty() {
        if hidden {
            return;
        }
        findings.push(Finding::new(Cause::QueryOrder, "the same parameters stand in another order"));
        return;
    }
    // What differs in writing only is set side by side by what it means.
    let mut partners: BTreeMap<Vec<u8>, Vec<Pair<'_>>> = BTreeMap::new();
    for pair in &only_theirs {
        partners.entry(meaning(pair.0)).or_default().push(*pair);
    }
    let mut written = Vec::new();
    let mut removed = Vec::new();
    for pair in only_ours {
        let name = meaning(pair.0);
        let found = partners.get_mut(&name).and_then(|candidates| {
            let value = meaning(pair.1.unwrap_or_default());
            let same = candidates
                .iter()
                .take(MOST_COMPARED)
                .position(|(_, other)| meaning(other.unwrap_or_default()) == value);
            (!candidates.is_empty()).then(|| candidates.swap_remove(same.unwrap_or_default()))
        });
        match found {
            Some(partner) => written.push(pair_difference(pair, partner)),
            None => removed.push(pair.0),
        }
    }
    let name = |name: &str| shown_decoded(name);
    let removed = removed.into_iter().map(|removed| Cause::ParameterRemoved { name: name(removed) });
    let added = partners.values().flatten().map(|(added, _)| Cause::ParameterAdded { name: name(added) });
    let evidence = "the third line differs";
    for cause in written.into_iter().chain(removed).chain(added).take(MOST_NAMED) {
        if !findings.iter().any(|finding| *finding.cause() == cause) {
            findings.push(Finding::new(cause, evidence));
        }
    }
}

fn without_secret(pair: Pair<'_>, hidden: bool) -> Pair<'_> {
    if hidden && is_secret_parameter(pair.0) { (pair.0, Some(REDACTED)) } else { pair }
}

fn pair_difference((our_name, our_value): Pair<'_>, (their_name, their_value): Pair<'_>) -> Cause {
    let name = shown_decoded(our_name);
    let (ours, theirs) = (our_value.unwrap_or_default(), their_value.unwrap_or_default());
    let plus = |text: &str| text.replace("%20", "+").replace("%2B", "+");
    let both = |f: &dyn Fn(&str) -> String| f(our_name) == f(their_name) && f(ours) == f(theirs);
    if is_secret_parameter(our_name) {
        return Cause::ParameterChanged { name };
    }
    if our_name == their_name && ours == theirs {
        Cause::MissingEquals { name }
    } else if both(&upper_case_escapes) {
        Cause::EscapeCase
    } else if both(&plus) {
        Cause::PlusForSpace
    } else if meaning(ours) == meaning(theirs) {
        Cause::QueryEncoding { name }
    } else {
        Cause::ParameterChanged { name }
    }
}

/// What a text means after every encoding, however often, with a plus for a space.
fn meaning(text: &str) -> Vec<u8> {
    let mut meaning = text.as_bytes().to_vec();
    for _ in 0..3 {
        meaning = decoded(&meaning);
    }
    meaning.iter_mut().filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
    meaning
}

fn shown_decoded(name: &str) -> String {
    let decoded: Cow<'_, [u8]> =
        if name.contains('%') { decoded(name.as_bytes()).into() } else { name.as_bytes().into() };
    excerpt(&decoded)
}
