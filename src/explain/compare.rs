//! What the first difference between two canonical requests, or two strings to sign, comes from.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::canonical::{Canonical, ToSign};
use super::cause::{Cause, Finding};
use crate::canonical_request::percent::write_decoded;
use crate::canonical_request::{REDACTED, is_secret_header, is_secret_parameter, normalized};
use crate::payload::{EMPTY_SHA256, hex_of};
use crate::text::excerpt;

/// How many parameters, and how many headers, get a finding of their own.
const MOST_NAMED: usize = 16;

/// How many parameters of one name are compared with each of the other side, so that their number isn't squared.
const MOST_COMPARED: usize = 64;

/// The differences of two canonical requests, in the order of their parts.
pub(super) fn canonical_requests(ours: &Canonical<'_>, theirs: &Canonical<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if ours.method != theirs.method {
        let cause = Cause::MethodChanged { signed: shown(ours.method), verified: shown(theirs.method) };
        findings.push(Finding::new(cause, "the first line differs"));
    }
    if ours.path != theirs.path {
        let evidence = alloc::format!("signed {}, computed {}", shown(ours.path), shown(theirs.path));
        findings.push(Finding::new(path_difference(ours.path, theirs.path), evidence));
    }
    if ours.query != theirs.query {
        query_differences(ours, theirs, &mut findings);
    }
    let payload = payload_difference(ours.payload, theirs.payload);
    header_differences(ours, theirs, payload.is_some(), &mut findings);
    findings.extend(payload);
    findings
}

/// The differences of two strings to sign, but for the hash of the canonical request.
pub(super) fn strings_to_sign(ours: &ToSign<'_>, theirs: &ToSign<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut differs = |cause: Cause, what: &str, ours: &str, theirs: &str| {
        if ours != theirs {
            let evidence = alloc::format!("{what}: signed {}, computed {}", shown(ours), shown(theirs));
            findings.push(Finding::new(cause, evidence));
        }
    };
    let [our_date, our_region, our_service, our_terminator] = ours.scope_parts();
    let [their_date, their_region, their_service, their_terminator] = theirs.scope_parts();
    differs(Cause::WrongRegion { expected: Some(shown(their_region)) }, "region", our_region, their_region);
    differs(Cause::WrongService { expected: Some(shown(their_service)) }, "service", our_service, their_service);
    differs(Cause::ScopeMalformed, "terminator", our_terminator, their_terminator);
    differs(Cause::ScopeMalformed, "date of the scope", our_date, their_date);
    let name = || String::from("x-amz-date");
    let changed =
        Cause::HeaderChanged { name: name(), signed: shown(ours.timestamp), verified: shown(theirs.timestamp) };
    differs(changed, "time", ours.timestamp, theirs.timestamp);
    differs(Cause::MalformedAuthorization, "algorithm", ours.algorithm, theirs.algorithm);
    findings
}

fn path_difference(ours: &str, theirs: &str) -> Cause {
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

type Pair<'a> = (&'a str, Option<&'a str>);

fn query_differences(ours: &Canonical<'_>, theirs: &Canonical<'_>, findings: &mut Vec<Finding>) {
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

fn header_differences(
    ours: &Canonical<'_>,
    theirs: &Canonical<'_>,
    payload_differs: bool,
    findings: &mut Vec<Finding>,
) {
    let most = findings.len() + MOST_NAMED;
    let of_ours: BTreeMap<&str, &str> = ours.headers().collect();
    let of_theirs: BTreeMap<&str, &str> = theirs.headers().collect();
    for (name, signed) in &of_ours {
        let cause = match of_theirs.get(name) {
            Some(verified) if signed == verified || *signed == REDACTED || *verified == REDACTED => continue,
            // Said by the payload's line, which is what stands for it.
            _ if payload_differs && *name == "x-amz-content-sha256" => continue,
            // Some services compute a header that didn't arrive as an empty one.
            None | Some(&"") => header_removed(name),
            Some(verified) => header_change(name, signed, verified),
        };
        if findings.len() < most {
            findings.push(Finding::new(cause, alloc::format!("the line of {} differs", shown(name))));
        }
    }
    for name in of_theirs.keys().filter(|name| !of_ours.contains_key(*name)) {
        if findings.len() < most {
            let evidence = alloc::format!("the line of {} is on one side only", shown(name));
            findings.push(Finding::new(Cause::HeaderAdded { name: shown(name) }, evidence));
        }
    }
    if of_ours.keys().eq(of_theirs.keys()) && ours.signed_headers != theirs.signed_headers {
        let evidence = alloc::format!(
            "SignedHeaders: signed {}, computed {}",
            shown(ours.signed_headers),
            shown(theirs.signed_headers)
        );
        findings.push(Finding::new(Cause::MalformedAuthorization, evidence));
    }
}

/// The headers whose values differ and are never shown.
pub(super) fn hidden_differences<'a>(ours: &Canonical<'a>, theirs: &Canonical<'a>) -> impl Iterator<Item = &'a str> {
    let theirs = *theirs;
    ours.headers().filter(|(name, _)| is_secret_header(name)).take(MOST_NAMED).filter_map(move |(name, signed)| {
        let verified = theirs.header(name)?;
        (signed != verified && signed != REDACTED && verified != REDACTED).then_some(name)
    })
}

pub(super) fn header_removed(name: &str) -> Cause {
    if is_token_header(name) { Cause::TokenMissing } else { Cause::HeaderRemoved { name: shown(name) } }
}

pub(super) fn is_token_header(name: &str) -> bool {
    crate::authorization::SESSION_TOKEN_HEADERS.contains(&name)
}

fn header_change(name: &str, signed: &str, verified: &str) -> Cause {
    if is_token_header(name) {
        return Cause::TokenInvalid;
    }
    let squeezed = |text: &str| text.replace([' ', '\t'], "");
    if squeezed(signed) == squeezed(verified) {
        return Cause::HeaderRespaced { name: shown(name) };
    }
    if is_secret_header(name) {
        let redacted = || String::from(REDACTED);
        return Cause::HeaderChanged { name: shown(name), signed: redacted(), verified: redacted() };
    }
    let (signed, verified) = (shown_long(signed), shown_long(verified));
    if name == "host" {
        let same_name = without_port(&signed).eq_ignore_ascii_case(without_port(&verified));
        return match same_name && !signed.eq_ignore_ascii_case(&verified) {
            true => Cause::PortChanged { signed, verified },
            false => Cause::HostChanged { signed, verified },
        };
    }
    if name == "content-type" && without_charset(&signed) == without_charset(&verified) {
        return Cause::ContentTypeCharset;
    }
    Cause::HeaderChanged { name: shown(name), signed, verified }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

fn without_charset(content_type: &str) -> String {
    let parts = content_type.split(';').map(str::trim);
    let kept = parts.filter(|part| !part.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("charset=")));
    kept.collect::<Vec<_>>().join(";").to_ascii_lowercase()
}

pub(super) fn payload_difference(ours: &str, theirs: &str) -> Option<Finding> {
    if ours == theirs {
        return None;
    }
    let is_hash = |text: &str| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let of_nothing = hex_of(EMPTY_SHA256);
    let is_empty = |text: &str| text.as_bytes() == of_nothing;
    let (signed, verified) = (shown(ours), shown(theirs));
    let evidence = alloc::format!("the body: signed {signed}, computed {verified}");
    let cause = match (is_hash(ours), is_hash(theirs)) {
        (true, true) if is_empty(theirs) => Cause::BodyDropped,
        (true, true) if is_empty(ours) => Cause::BodyNotHashed,
        (true, true) => Cause::BodyChanged,
        _ => Cause::PayloadMode { signed, verified },
    };
    Some(Finding::new(cause, evidence))
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

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    write_decoded(&mut out, text);
    out
}

/// `%2f` as `%2F`, also where it is `%252f`.
fn upper_case_escapes(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut out = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        let escape = piece.get(..4).filter(|start| start.starts_with("25")).or_else(|| piece.get(..2));
        let (escape, rest) = piece.split_at(escape.map_or(0, str::len));
        out.push('%');
        out.push_str(&escape.to_ascii_uppercase());
        out.push_str(rest);
    }
    out
}

fn shown(text: &str) -> String {
    excerpt(text.as_bytes())
}

/// Whole, if it is as short as headers usually are: what differs may stand far behind.
fn shown_long(text: &str) -> String {
    const LONG: usize = 512;
    if text.len() <= LONG && !text.chars().any(char::is_control) { text.into() } else { shown(text) }
}

fn shown_decoded(name: &str) -> String {
    let decoded: Cow<'_, [u8]> =
        if name.contains('%') { decoded(name.as_bytes()).into() } else { name.as_bytes().into() };
    excerpt(&decoded)
}
