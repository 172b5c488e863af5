use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::{MOST_NAMED, shown_long, signed_and_computed};
use crate::explain::canonical::Canonical;
use crate::explain::cause::Cause;
use crate::explain::finding::Finding;
use crate::explain::text::shown;
use crate::redact::{REDACTED, is_secret_header};
use crate::sigv4::rules::SessionTokenName;
use crate::text::wiped::Wiped;

/// A header of one side: its values, joined by commas, and the number of its lines.
struct Lines {
    value: Wiped<String>,
    count: usize,
}

/// Returns the headers by their names in lower case.
fn by_name(canonical: &Canonical<'_>) -> BTreeMap<String, Lines> {
    let mut found: BTreeMap<String, Lines> = BTreeMap::new();
    for (name, value) in canonical.headers() {
        found
            .entry(name.to_ascii_lowercase())
            .and_modify(|lines| {
                let _ = write!(lines.value, ",{value}");
                lines.count += 1;
            })
            .or_insert_with(|| Lines { value: Wiped::new(value.into(), is_secret_header(name)), count: 1 });
    }
    found
}

pub(super) fn header_differences(
    ours: &Canonical<'_>,
    theirs: &Canonical<'_>,
    payload_differs: bool,
    findings: &mut Vec<Finding>,
) {
    let (of_ours, of_theirs) = (by_name(ours), by_name(theirs));
    let signed = of_ours.iter().filter_map(|(name, signed)| {
        // The difference of the payload line has its own finding.
        let is_payload = payload_differs && name == "x-amz-content-sha256";
        line_difference(name, signed, of_theirs.get(name), is_payload)
    });
    let added = of_theirs.keys().filter(|name| !of_ours.contains_key(*name)).map(|name| {
        let evidence = alloc::format!("only the server's canonical request has the line of {}", shown(name));
        Finding::new(Cause::HeaderAdded { name: shown(name) }, evidence)
    });
    let form = form_difference(ours, theirs, of_ours.keys().eq(of_theirs.keys()));
    findings.extend(signed.chain(added).chain(form).take(MOST_NAMED));
}

/// Returns how a signed header differs on the other side.
fn line_difference(name: &str, signed: &Lines, computed: Option<&Lines>, is_payload: bool) -> Option<Finding> {
    // Some services treat a header that didn't arrive as an empty one.
    let arrived = computed.filter(|computed| !computed.value.is_empty() || signed.value.is_empty());
    let Some(computed) = arrived else {
        let hidden = computed.is_some() && signed.value.contains(REDACTED);
        let evidence = alloc::format!("only the signed canonical request has the line of {}", shown(name));
        return (!hidden && !is_payload).then(|| Finding::new(header_removed(name), evidence));
    };
    if *signed.value == *computed.value {
        let evidence = alloc::format!("{} lines were signed, {} were computed", signed.count, computed.count);
        let cause = || Cause::HeaderNotJoined { name: shown(name) };
        return (signed.count != computed.count).then(|| Finding::new(cause(), evidence));
    }
    if is_payload || [signed, computed].iter().any(|lines| lines.value.contains(REDACTED)) {
        return None;
    }
    let cause = header_change(name, &signed.value, &computed.value);
    let evidence = match &cause {
        Cause::HeaderRespaced { .. } if !is_secret_header(name) => signed_and_computed(&signed.value, &computed.value),
        _ => alloc::format!("the line of {} differs", shown(name)),
    };
    Some(Finding::new(cause, evidence))
}

/// Returns the difference if both sides have the same headers but write them differently.
fn form_difference(ours: &Canonical<'_>, theirs: &Canonical<'_>, same_names: bool) -> Option<Finding> {
    let upper_case = |canonical: &Canonical<'_>| {
        let names = canonical.headers().map(|(name, _)| name).chain(canonical.signed_headers.split(';'));
        names.filter(|name| name.bytes().any(|byte| byte.is_ascii_uppercase())).map(shown).next()
    };
    if let Some(name) = upper_case(ours).xor(upper_case(theirs)) {
        let evidence = alloc::format!("{name} on one side, {} on the other", name.to_ascii_lowercase());
        return Some(Finding::new(Cause::HeaderNameCase { name }, evidence));
    }
    if !same_names {
        return None;
    }
    let sorted = |canonical: &Canonical<'_>| {
        let mut names: Vec<String> = canonical.signed_headers.split(';').map(str::to_ascii_lowercase).collect();
        names.sort_unstable();
        names
    };
    let order = |canonical: &Canonical<'_>| {
        let mut names: Vec<String> = canonical.headers().map(|(name, _)| name.to_ascii_lowercase()).collect();
        names.dedup();
        names
    };
    if ours.signed_headers != theirs.signed_headers {
        let same = sorted(ours) == sorted(theirs);
        let cause = if same { Cause::HeaderOrder } else { Cause::MalformedAuthorization };
        Some(Finding::new(cause, signed_and_computed(ours.signed_headers, theirs.signed_headers)))
    } else if order(ours) != order(theirs) {
        let evidence = signed_and_computed(&order(ours).join(";"), &order(theirs).join(";"));
        Some(Finding::new(Cause::HeaderOrder, evidence))
    } else {
        None
    }
}

/// Returns the printed lines of headers whose values differ but are never shown.
pub(super) fn hidden_differences(ours: &Canonical<'_>, theirs: &Canonical<'_>) -> impl Iterator<Item = String> {
    let theirs = by_name(theirs);
    let secret = by_name(ours).into_iter().filter(|(name, _)| is_secret_header(name)).take(MOST_NAMED);
    secret.filter_map(move |(name, Lines { value: signed, .. })| {
        let Lines { value: verified, .. } = theirs.get(&name)?;
        let differs = *signed != **verified && !signed.contains(REDACTED) && !verified.contains(REDACTED);
        differs.then(|| alloc::format!("{name}:{REDACTED}"))
    })
}

pub(in crate::explain) fn header_removed(name: &str) -> Cause {
    if is_token_header(name) { Cause::TokenMissing } else { Cause::HeaderRemoved { name: shown(name) } }
}

pub(in crate::explain) fn is_token_header(name: &str) -> bool {
    SessionTokenName::of_header(name).is_some()
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
    let same_type = || name == "content-type" && without_charset(signed) == without_charset(verified);
    let same_host = || without_port(signed).eq_ignore_ascii_case(without_port(verified));
    let other_port = name == "host" && same_host() && !signed.eq_ignore_ascii_case(verified);
    let (signed, verified) = (shown_long(signed), shown_long(verified));
    match name {
        "host" if other_port => Cause::PortChanged { signed, verified },
        "host" => Cause::HostChanged { signed, verified },
        _ if same_type() => Cause::ContentTypeCharset { signed, verified },
        _ => Cause::HeaderChanged { name: shown(name), signed, verified },
    }
}

/// Removes the port. An IPv6 address contains colons, too, but within brackets.
fn without_port(host: &str) -> &str {
    let colons_end = host.rfind(']').unwrap_or_default();
    match host.rsplit_once(':') {
        Some((name, port)) if name.len() > colons_end && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn without_charset(content_type: &str) -> String {
    let parts = content_type.split(';').map(str::trim);
    let kept = parts.filter(|part| !part.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("charset=")));
    kept.collect::<Vec<_>>().join(";").to_ascii_lowercase()
}
