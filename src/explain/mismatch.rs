//! A signature that does not match, where the response says what was computed.

use alloc::string::String;
use alloc::vec::Vec;

use super::canonical::ToSign;
use super::cause::Cause;
use super::compare;
use super::diff::Diff;
use super::finding::Finding;
use super::sent::{Sent, UNKNOWN_BODY};
use crate::aws_error::read::Reply;
use crate::hash::hex_of;
use crate::redact::text::request_without_token;
use crate::redact::{REDACTED, is_secret_header};
use crate::sigv4::authorization::X_AMZ_DATE;

/// What the server computed against what was signed. Nothing where one of them isn't known.
pub(super) fn mismatch(reply: &Reply, sent: &Sent) -> (Vec<Finding>, Option<Diff>) {
    if sent.canonical_request.is_empty() {
        return (Vec::new(), None);
    }
    let theirs = reply.canonical_request();
    let mut ours = request_without_token(&String::from_utf8_lossy(&sent.canonical_request), sent.session_token());
    if let Some(theirs) = theirs.filter(|_| !sent.is_what_was_signed) {
        let of_unknown = hex_of(UNKNOWN_BODY);
        let is_unknown = |line: &str| line.as_bytes() == of_unknown;
        if let (Some((start, line)), Some((_, body))) = (ours.rsplit_once('\n'), theirs.rsplit_once('\n'))
            && is_unknown(line)
        {
            ours = alloc::format!("{start}\n{body}");
        }
    }
    let to_sign = reply.string_to_sign();
    let mut findings = Vec::new();
    let mut same_hash = None;
    if let (Some(their), Some(our)) = (to_sign.and_then(ToSign::parse), ToSign::parse(&sent.string_to_sign)) {
        findings = compare::strings_to_sign(&our, &their);
        same_hash = Some(our.canonical_request_sha256 == their.canonical_request_sha256);
    }
    let diff = match theirs.filter(|_| same_hash != Some(true)) {
        Some(theirs) => {
            let (of_request, diff) = compare::texts(&ours, theirs);
            // The time of a request stands in both texts.
            if of_request.iter().any(is_of_time) {
                findings.retain(|finding| !is_of_time(finding));
            }
            findings.splice(0..0, of_request);
            Some(diff)
        }
        None => to_sign.map(|theirs| Diff::of(&sent.string_to_sign, theirs)),
    };
    match (same_hash, theirs) {
        (None, Some(_)) if findings.is_empty() && !sent.is_what_was_signed => {
            let evidence =
                "what is signed arrived as it was sent: the secret is wrong, or the signer's canonical request";
            findings.push(Finding::new(Cause::Mismatch, evidence));
            return (findings, None);
        }
        (Some(true), _) | (None, Some(_)) if findings.is_empty() => findings.push(wrong_secret()),
        (Some(false), Some(_)) if findings.is_empty() => findings.push(hidden_difference(&ours)),
        (Some(false), None) => {
            findings.push(Finding::new(Cause::CanonicalRequestDiffers, "the hash of it in the string to sign"));
        }
        _ => {}
    }
    (findings, diff)
}

fn is_of_time(finding: &Finding) -> bool {
    match finding.cause() {
        Cause::HeaderChanged { name, .. } => name == "x-amz-date",
        Cause::ParameterChanged { name, .. } => name == X_AMZ_DATE,
        _ => false,
    }
}

/// The response hides what differs, and says so only by its hash.
fn hidden_difference(ours: &str) -> Finding {
    let names = ours.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name);
    let hidden: Vec<&str> = names.filter(|name| is_secret_header(name)).collect();
    // A wrong token is refused for itself, before the signature.
    let cause = match hidden.iter().find(|name| !compare::is_token_header(name)) {
        Some(name) => {
            let redacted = || String::from(REDACTED);
            Cause::HeaderChanged { name: (*name).into(), signed: redacted(), verified: redacted() }
        }
        None if hidden.is_empty() => Cause::CanonicalRequestDiffers,
        None => Cause::TokenInvalid,
    };
    Finding::new(cause, "all that the response shows is equal, and the hashes differ")
}

pub(super) fn wrong_secret() -> Finding {
    Finding::new(Cause::WrongSecret, "both sides have the same canonical request and string to sign")
}
