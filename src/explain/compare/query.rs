use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{MOST_NAMED, decoded, shown_long, signed_and_computed, upper_case_escapes};
use crate::explain::canonical::Canonical;
use crate::explain::cause::Cause;
use crate::explain::finding::Finding;
use crate::redact::{REDACTED, is_secret_parameter};
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
        let mut sides = ours.query_pairs().zip(theirs.query_pairs());
        let other = |(our, their): &(_, _)| without_secret(*our, hidden) != without_secret(*their, hidden);
        if let Some((_, (name, _))) = sides.find(other) {
            let name = shown_decoded(name);
            let evidence = alloc::format!("the same parameters stand in another order from {name} on");
            findings.push(Finding::new(Cause::QueryOrder, evidence));
        }
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
            Some(partner) => {
                let cause = pair_difference(pair, partner);
                let evidence = match cause {
                    Cause::ParameterChanged { .. } => String::from("the third line differs"),
                    _ => of_both(pair, partner),
                };
                written.push((cause, evidence));
            }
            None => removed.push(pair.0),
        }
    }
    let only = |cause: Cause, what: &str| (cause, String::from(what));
    let removed = removed
        .into_iter()
        .map(|name| only(Cause::ParameterRemoved { name: shown_decoded(name) }, "in the signed query only"));
    let added = partners
        .values()
        .flatten()
        .map(|(name, _)| only(Cause::ParameterAdded { name: shown_decoded(name) }, "in the computed query only"));
    for (cause, evidence) in written.into_iter().chain(removed).chain(added).take(MOST_NAMED) {
        if !findings.iter().any(|finding| *finding.cause() == cause) {
            findings.push(Finding::new(cause, evidence));
        }
    }
}

fn of_both(our: Pair<'_>, their: Pair<'_>) -> String {
    let written = |(name, value): Pair<'_>| match value {
        Some(value) => alloc::format!("{name}={value}"),
        None => name.into(),
    };
    signed_and_computed(&written(our), &written(their))
}

fn without_secret(pair: Pair<'_>, hidden: bool) -> Pair<'_> {
    if hidden && is_secret_parameter(pair.0) { (pair.0, Some(REDACTED)) } else { pair }
}

fn pair_difference((our_name, our_value): Pair<'_>, (their_name, their_value): Pair<'_>) -> Cause {
    // The one that is encoded less often.
    let name = shown_decoded(if our_name.len() <= their_name.len() { our_name } else { their_name });
    let (ours, theirs) = (our_value.unwrap_or_default(), their_value.unwrap_or_default());
    let plus = |text: &str| text.replace("%20", "+").replace("%2B", "+");
    let both = |f: &dyn Fn(&str) -> String| f(our_name) == f(their_name) && f(ours) == f(theirs);
    if is_secret_parameter(our_name) {
        return Cause::ParameterChanged { name, signed: REDACTED.into(), verified: REDACTED.into() };
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
        Cause::ParameterChanged { name, signed: shown_long(ours), verified: shown_long(theirs) }
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
