use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{MOST_NAMED, shown};
use crate::canonical_request::{REDACTED, is_secret_header};
use crate::explain::canonical::Canonical;
use crate::explain::cause::{Cause, Finding};

pub(super) fn header_differences(
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
pub(in crate::explain) fn hidden_differences<'a>(
    ours: &Canonical<'a>,
    theirs: &Canonical<'a>,
) -> impl Iterator<Item = &'a str> {
    let theirs = *theirs;
    ours.headers().filter(|(name, _)| is_secret_header(name)).take(MOST_NAMED).filter_map(move |(name, signed)| {
        let verified = theirs.header(name)?;
        (signed != verified && signed != REDACTED && verified != REDACTED).then_some(name)
    })
}

pub(in crate::explain) fn header_removed(name: &str) -> Cause {
    if is_token_header(name) { Cause::TokenMissing } else { Cause::HeaderRemoved { name: shown(name) } }
}

pub(in crate::explain) fn is_token_header(name: &str) -> bool {
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

/// Whole, if it is as short as headers usually are: what differs may stand far behind.
fn shown_long(text: &str) -> String {
    const LONG: usize = 512;
    if text.len() <= LONG && !text.chars().any(char::is_control) { text.into() } else { shown(text) }
}
