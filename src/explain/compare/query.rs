use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::{MOST_NAMED, shown_long, signed_and_computed, upper_case_escapes};
use crate::explain::canonical::Canonical;
use crate::explain::cause::Cause;
use crate::explain::finding::Finding;
use crate::redact::{REDACTED, is_secret_parameter};
use crate::text::excerpt;
use crate::text::percent::decoded;

/// The maximum number of parameters of one name that are compared with each one of the other side, to avoid quadratic
/// time.
const MOST_COMPARED: usize = 64;

type Pair<'a> = (&'a str, Option<&'a str>);

pub(super) fn query_differences(ours: &Canonical<'_>, theirs: &Canonical<'_>, findings: &mut Vec<Finding>) {
    let hides = |canonical: &Canonical<'_>| canonical.query_pairs().any(|(_, value)| value == Some(REDACTED));
    let hidden = hides(ours) || hides(theirs);
    let (only_ours, only_theirs) = pairs_of_one_side(ours, theirs, hidden);
    if only_ours.is_empty() && only_theirs.is_empty() {
        findings.extend(order_difference(ours, theirs, hidden));
        return;
    }
    for finding in pair_differences(only_ours, only_theirs).take(MOST_NAMED) {
        if !findings.iter().any(|earlier| earlier.cause() == finding.cause()) {
            findings.push(finding);
        }
    }
}

/// Returns the pairs that only our side has, and those that only their side has. Values that one side hides count as
/// equal.
fn pairs_of_one_side<'a>(ours: &Canonical<'a>, theirs: &Canonical<'a>, hidden: bool) -> (Vec<Pair<'a>>, Vec<Pair<'a>>) {
    let mut counts: BTreeMap<Pair<'_>, i32> = BTreeMap::new();
    for pair in ours.query_pairs() {
        *counts.entry(without_secret(pair, hidden)).or_default() += 1;
    }
    for pair in theirs.query_pairs() {
        *counts.entry(without_secret(pair, hidden)).or_default() -= 1;
    }
    let (mut only_ours, mut only_theirs) = (Vec::new(), Vec::new());
    for (pair, count) in counts {
        let side = if count > 0 { &mut only_ours } else { &mut only_theirs };
        (0..count.unsigned_abs()).for_each(|_| side.push(pair));
    }
    (only_ours, only_theirs)
}

/// Returns the difference in order, given that both sides have the same pairs.
fn order_difference(ours: &Canonical<'_>, theirs: &Canonical<'_>, hidden: bool) -> Option<Finding> {
    let mut sides = ours.query_pairs().zip(theirs.query_pairs());
    let (_, (name, _)) = sides.find(|(our, their)| without_secret(*our, hidden) != without_secret(*their, hidden))?;
    let name = shown_decoded(name);
    let evidence = alloc::format!("the order of the parameters differs from {name} on");
    Some(Finding::new(Cause::QueryOrder, evidence))
}

/// Changed parameters first, then removed ones, then added ones.
fn pair_differences<'a>(
    only_ours: Vec<Pair<'a>>,
    only_theirs: Vec<Pair<'a>>,
) -> impl Iterator<Item = Finding> + use<'a> {
    let mut partners: BTreeMap<Vec<u8>, Vec<Pair<'_>>> = BTreeMap::new();
    for pair in only_theirs {
        partners.entry(meaning(pair.0).to_vec()).or_default().push(pair);
    }
    let (mut changed, mut removed) = (Vec::new(), Vec::new());
    for pair in only_ours {
        match take_partner(&mut partners, pair) {
            Some(partner) => changed.push(changed_pair(pair, partner)),
            None => removed.push(pair.0),
        }
    }
    let added = partners.into_values().flatten().map(|(name, _)| {
        let cause = Cause::ParameterAdded { name: shown_decoded(name) };
        Finding::new(cause, "only in the computed query")
    });
    let removed = removed.into_iter().map(|name| {
        let cause = Cause::ParameterRemoved { name: shown_decoded(name) };
        Finding::new(cause, "only in the signed query")
    });
    changed.into_iter().chain(removed).chain(added)
}

/// Returns the other side's pair with the same name: one with the same value in another encoding, or else any.
fn take_partner<'a>(partners: &mut BTreeMap<Vec<u8>, Vec<Pair<'a>>>, pair: Pair<'_>) -> Option<Pair<'a>> {
    let candidates = partners.get_mut(&*meaning(pair.0)).filter(|candidates| !candidates.is_empty())?;
    let value = meaning(pair.1.unwrap_or_default());
    let means_the_same = |(_, other): &Pair<'_>| meaning(other.unwrap_or_default()) == value;
    let position = candidates.iter().take(MOST_COMPARED).position(means_the_same);
    Some(candidates.swap_remove(position.unwrap_or_default()))
}

fn changed_pair(pair: Pair<'_>, partner: Pair<'_>) -> Finding {
    let cause = pair_difference(pair, partner);
    let evidence = match cause {
        Cause::ParameterChanged { .. } => String::from("the query (third line) differs"),
        _ => of_both(pair, partner),
    };
    Finding::new(cause, evidence)
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
    // The one with fewer encodings.
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

/// Decodes a text repeatedly, and reads a plus sign as a space.
fn meaning(text: &str) -> Zeroizing<Vec<u8>> {
    let mut meaning = Zeroizing::new(text.as_bytes().to_vec());
    for _ in 0..3 {
        meaning = Zeroizing::new(decoded(&meaning));
    }
    meaning.iter_mut().filter(|byte| **byte == b'+').for_each(|byte| *byte = b' ');
    meaning
}

fn shown_decoded(name: &str) -> String {
    let decoded: Cow<'_, [u8]> =
        if name.contains('%') { decoded(name.as_bytes()).into() } else { name.as_bytes().into() };
    excerpt(&decoded)
}
