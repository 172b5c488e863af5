//! Host name labels, compared case-insensitively.

use crate::text::{is_digits, strip_start};

pub(super) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if is_digits(port) => name,
        _ => host,
    }
}

pub(super) fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Splits off the last label: returns the labels before it, and the label.
pub(super) fn pop(labels: &str) -> (&str, &str) {
    labels.rsplit_once('.').unwrap_or(("", labels))
}

pub(super) fn count(labels: &str) -> usize {
    if labels.is_empty() { 0 } else { labels.split('.').count() }
}

/// Returns what precedes a domain, without the separating dot.
pub(super) fn strip_suffix<'h>(host: &'h str, suffix: &str) -> Option<&'h str> {
    let (labels, end) = host.split_at_checked(host.len().checked_sub(suffix.len())?)?;
    if end.eq_ignore_ascii_case(suffix) { labels.strip_suffix('.') } else { None }
}

/// Returns `true` if a label is `name`, with or without the suffix `-fips`.
pub(super) fn is_named(label: &str, name: &str) -> bool {
    let rest = strip_start(label, name);
    rest.is_some_and(|rest| rest.is_empty() || rest.eq_ignore_ascii_case("-fips"))
}

/// Returns what precedes the labels `names`, which may each have the suffix `-fips`.
pub(super) fn strip_labels<'h>(labels: &'h str, names: &str) -> Option<&'h str> {
    names.rsplit('.').try_fold(labels, |rest, name| {
        let (before, label) = pop(rest);
        is_named(label, name).then_some(before)
    })
}

pub(super) fn is_exactly(labels: &str, names: &str) -> bool {
    count(labels) == count(names) && strip_labels(labels, names).is_some()
}
