//! Finds the causes of the differences between two canonical requests or two strings to sign.

mod headers;
mod path;
mod query;

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use zeroize::Zeroizing;

pub(super) use headers::{header_removed, is_token_header};

use super::canonical::{Canonical, ToSign, is_hash};
use super::cause::Cause;
use super::diff::Diff;
use super::finding::Finding;
use super::text::shown;
use crate::hash::{EMPTY_SHA256, hex_of};
use crate::redact::REDACTED;
use crate::sigv4::canonical_request::CanonicalRequest;
use headers::{header_differences, hidden_differences};
use path::{first_encoded_otherwise, path_differences};
use query::query_differences;

/// The maximum number of parameters, and of headers, that get their own finding.
const MOST_NAMED: usize = 16;

/// Returns the differences between two texts of the same kind, and their positions. There are none only if the texts
/// are the same except for what one of them hides.
pub(super) fn texts(ours: &str, theirs: &str) -> (Vec<Finding>, Diff) {
    let crlf = ours.contains("\r\n") != theirs.contains("\r\n");
    let unified =
        |text: &str| Zeroizing::new(if crlf { text.split("\r\n").collect::<Vec<_>>().join("\n") } else { text.into() });
    let (our_lines, their_lines) = (unified(ours), unified(theirs));
    let same_lines = filled_lines(&our_lines).eq(filled_lines(&their_lines));
    if ours == theirs || !crlf && !same_lines {
        return texts_of_lines(ours, theirs);
    }
    let evidence = match crlf {
        true => String::from("one side ends its lines with CRLF"),
        false => {
            let count = |text: &str| text.split('\n').count();
            alloc::format!("{} lines were signed, {} were computed", count(ours), count(theirs))
        }
    };
    let mut findings = alloc::vec![Finding::new(Cause::LineEnds, evidence)];
    if !same_lines {
        findings.extend(texts_of_lines(&our_lines, &their_lines).0);
    }
    (findings, Diff::of(&redacted(ours), &redacted(theirs)))
}

fn filled_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').filter(|line| !line.is_empty())
}

fn texts_of_lines(ours: &str, theirs: &str) -> (Vec<Finding>, Diff) {
    let (our_text, their_text) = (redacted(ours), redacted(theirs));
    let mut diff = Diff::of(&our_text, &their_text);
    let mut findings = Vec::new();
    let mut evidence = "the canonical requests differ";
    if let (Some(our), Some(their)) = (ToSign::parse(ours), ToSign::parse(theirs)) {
        findings = strings_to_sign(&our, &their);
        findings.extend(hash_difference(&our, &their));
        evidence = "the strings to sign differ";
    } else if let (Some(our), Some(their)) = (Canonical::parse(ours), Canonical::parse(theirs)) {
        hidden_differences(&our, &their).for_each(|line| diff.mark_hidden(&line));
        findings = canonical_requests(&our, &their);
        let of_secret =
            |finding: &Finding| matches!(finding.cause(), Cause::ParameterChanged { signed, .. } if signed == REDACTED);
        if findings.iter().any(of_secret)
            && let Some(query) = our_text.split('\n').nth(2)
        {
            diff.mark_hidden(query);
        }
    } else {
        evidence = "one of the texts is neither a canonical request nor a string to sign";
        if ours == theirs {
            findings.push(Finding::new(
                Cause::NotRecognised,
                "the texts are the same, but neither canonical requests nor strings to sign",
            ));
        }
    }
    if findings.is_empty() && our_text != their_text {
        let same = our_text.split('\n').zip(their_text.split('\n')).take_while(|(our, their)| our == their).count();
        findings.push(Finding::new(Cause::TextDiffers { line: same + 1 }, evidence));
    }
    (findings, diff)
}

/// Returns the text as it is printed, without secrets. A string to sign contains none.
pub(super) fn redacted(text: &str) -> String {
    CanonicalRequest::from_bytes(text.as_bytes()).to_string()
}

/// Returns the differences between two canonical requests, in the order of their parts.
fn canonical_requests(ours: &Canonical<'_>, theirs: &Canonical<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    if ours.method != theirs.method {
        let cause = Cause::MethodChanged { signed: shown(ours.method), verified: shown(theirs.method) };
        findings.push(Finding::new(cause, "the first line differs"));
    }
    if ours.path != theirs.path {
        let evidence = match first_encoded_otherwise(ours.path, theirs.path) {
            Some((character, our, their)) => alloc::format!(
                "`{character}` is signed as `{our}` and computed as `{their}`: {}",
                signed_and_computed(ours.path, theirs.path)
            ),
            None => signed_and_computed(ours.path, theirs.path),
        };
        let causes = path_differences(ours.path, theirs.path).into_iter();
        findings.extend(causes.map(|cause| Finding::new(cause, evidence.clone())));
    }
    if ours.query != theirs.query {
        query_differences(ours, theirs, &mut findings);
    }
    let payload = payload_difference(ours.payload, theirs.payload);
    header_differences(ours, theirs, payload.is_some(), &mut findings);
    findings.extend(payload);
    findings
}

/// Returns the differences between two strings to sign, except for the hash of the canonical request.
pub(super) fn strings_to_sign(ours: &ToSign<'_>, theirs: &ToSign<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut differs = |cause: Cause, what: &str, ours: &str, theirs: &str| {
        if ours != theirs {
            findings.push(Finding::new(cause, alloc::format!("{what}: {}", signed_and_computed(ours, theirs))));
        }
    };
    let (signed, verified) = (shown(ours.algorithm), shown(theirs.algorithm));
    differs(Cause::AlgorithmDiffers { signed, verified }, "algorithm", ours.algorithm, theirs.algorithm);
    match (ours.scope_parts(), theirs.scope_parts()) {
        (Some(our), Some(their)) => {
            // If one of the algorithms has no region, the algorithm is the difference.
            if ours.algorithm == theirs.algorithm {
                let cause = Cause::WrongRegion { expected: Some(shown(their.region)) };
                differs(cause, "region", our.region, their.region);
            }
            let cause = Cause::WrongService { expected: Some(shown(their.service)) };
            differs(cause, "service", our.service, their.service);
            let cause = Cause::ScopeDate { signed: Some(shown(our.date)), expected: Some(shown(their.date)) };
            differs(cause, "date of the scope", our.date, their.date);
            differs(Cause::ScopeMalformed, "end of the scope", our.terminator, their.terminator);
        }
        _ => differs(Cause::ScopeMalformed, "scope", ours.scope, theirs.scope),
    }
    let (signed, verified) = (shown(ours.timestamp), shown(theirs.timestamp));
    let cause = Cause::HeaderChanged { name: String::from("x-amz-date"), signed, verified };
    differs(cause, "time", ours.timestamp, theirs.timestamp);
    findings
}

fn hash_difference(ours: &ToSign<'_>, theirs: &ToSign<'_>) -> Option<Finding> {
    let (ours, theirs) = (ours.canonical_request_sha256, theirs.canonical_request_sha256);
    let cause = match ours.eq_ignore_ascii_case(theirs) {
        _ if ours == theirs => return None,
        true => Cause::HashCase,
        false => Cause::CanonicalRequestDiffers,
    };
    Some(Finding::new(cause, alloc::format!("hash of the canonical request: {}", signed_and_computed(ours, theirs))))
}

pub(super) fn payload_difference(ours: &str, theirs: &str) -> Option<Finding> {
    if ours == theirs {
        return None;
    }
    let of_nothing = hex_of(EMPTY_SHA256);
    let is_empty = |text: &str| text.as_bytes() == of_nothing;
    let cause = match (is_hash(ours), is_hash(theirs)) {
        (true, true) if ours.eq_ignore_ascii_case(theirs) => Cause::HashCase,
        (true, true) if is_empty(theirs) => Cause::BodyDropped,
        (true, true) if is_empty(ours) => Cause::BodyNotHashed,
        (true, true) => Cause::BodyChanged,
        _ => Cause::PayloadMode { signed: shown(ours), verified: shown(theirs) },
    };
    Some(Finding::new(cause, alloc::format!("payload hash: {}", signed_and_computed(ours, theirs))))
}

/// Converts `%2f` to `%2F`, and likewise `%252f`.
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

fn signed_and_computed(ours: &str, theirs: &str) -> String {
    alloc::format!("signed {}, computed {}", shown(ours), shown(theirs))
}

/// Returns the whole text if it is not much longer than headers usually are, since the difference may be near its end.
fn shown_long(text: &str) -> String {
    const LONG: usize = 512;
    if text.len() <= LONG && !text.chars().any(char::is_control) { text.into() } else { shown(text) }
}
