//! What the first difference between two canonical requests, or two strings to sign, comes from.

mod headers;
mod path;
mod query;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

pub(super) use headers::{header_removed, hidden_differences, is_token_header};

use super::canonical::{Canonical, ToSign};
use super::cause::{Cause, Finding};
use crate::canonical_request::percent::write_decoded;
use crate::payload::{EMPTY_SHA256, hex_of};
use crate::text::excerpt;
use headers::header_differences;
use path::path_difference;
use query::query_differences;

/// How many parameters, and how many headers, get a finding of their own.
const MOST_NAMED: usize = 16;

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
