//! Explains a signature mismatch if the response shows what the server computed.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::canonical::ToSign;
use super::cause::Cause;
use super::certainty::Certainty;
use super::compare;
use super::diff::Diff;
use super::finding::Finding;
use super::sent::{Sent, UNKNOWN_BODY};
use crate::aws_error::read::Reply;
use crate::hash::hex_of;
use crate::redact::text::request_without_token;
use crate::redact::{REDACTED, is_secret_header};
use crate::sigv4::authorization::X_AMZ_DATE;

/// Compares what the server computed with what was signed. Returns nothing if either is unknown.
pub(super) fn mismatch(reply: &Reply, sent: &Sent) -> (Vec<Finding>, Option<Diff>) {
    if sent.canonical_request.is_empty() {
        return (Vec::new(), None);
    }
    let computed = Computed { request: reply.canonical_request(), to_sign: reply.string_to_sign() };
    let ours = our_request(sent, computed.request);
    let (mut findings, same_hash) = computed.compare_to_sign(sent);
    let diff = match computed.request.filter(|_| same_hash != Some(true)) {
        Some(theirs) => {
            let (of_request, diff) = compare::texts(&ours, theirs);
            // The time of the request is part of both the canonical request and the string to sign.
            if of_request.iter().any(is_of_time) {
                findings.retain(|finding| !is_of_time(finding));
            }
            findings.splice(0..0, of_request);
            Some(diff)
        }
        None => computed.to_sign.map(|theirs| Diff::of(&sent.string_to_sign, theirs)),
    };
    if findings.is_empty() && same_hash.is_none() && computed.request.is_some() && !sent.is_what_was_signed {
        let evidence = if has_unknown_body(sent) {
            "the path, query and headers arrived as sent, so the secret, the body or the signer's canonical request is wrong"
        } else {
            "the signed parts arrived as sent, so the secret or the signer's canonical request is wrong"
        };
        return (Vec::from([Finding::new(Cause::Mismatch, evidence)]), None);
    }
    findings.extend(computed.conclusion(same_hash, findings.is_empty(), &ours));
    (findings, diff)
}

/// What the response shows of the server's computation.
struct Computed<'r> {
    request: Option<&'r str>,
    to_sign: Option<&'r str>,
}

impl Computed<'_> {
    /// Returns the differences of the strings to sign, and whether their hashes of the canonical request are equal.
    fn compare_to_sign(&self, sent: &Sent) -> (Vec<Finding>, Option<bool>) {
        match (self.to_sign.and_then(ToSign::parse), ToSign::parse(&sent.string_to_sign)) {
            (Some(their), Some(our)) => {
                let same_hash = our.canonical_request_sha256 == their.canonical_request_sha256;
                (compare::strings_to_sign(&our, &their), Some(same_hash))
            }
            _ => (Vec::new(), None),
        }
    }

    /// Draws a conclusion from the hashes of the canonical requests and from texts that don't differ.
    fn conclusion(&self, same_hash: Option<bool>, no_difference: bool, ours: &str) -> Option<Finding> {
        match (same_hash, self.request) {
            (Some(true), _) | (None, Some(_)) if no_difference => Some(wrong_secret()),
            (Some(false), Some(_)) if no_difference => Some(hidden_difference(ours)),
            (Some(false), None) => {
                let evidence = "the hashes of the canonical request in the strings to sign differ";
                Some(Finding::new(Cause::CanonicalRequestDiffers, evidence))
            }
            _ => None,
        }
    }
}

/// Returns the canonical request that was sent, without its session token. An unknown payload hash is replaced by the
/// server's.
fn our_request(sent: &Sent, theirs: Option<&str>) -> Zeroizing<String> {
    let ours = request_without_token(&String::from_utf8_lossy(&sent.canonical_request), sent.session_token());
    let theirs = theirs.filter(|_| !sent.is_what_was_signed);
    match (ours.rsplit_once('\n'), theirs.and_then(|theirs| theirs.rsplit_once('\n'))) {
        (Some((start, _)), Some((_, body))) if has_unknown_body(sent) => Zeroizing::new([start, "\n", body].concat()),
        _ => ours,
    }
}

/// Returns `true` if neither a header nor the caller told what was signed for the body.
fn has_unknown_body(sent: &Sent) -> bool {
    !sent.is_what_was_signed && sent.canonical_request.ends_with(&hex_of(UNKNOWN_BODY))
}

fn is_of_time(finding: &Finding) -> bool {
    match finding.cause() {
        Cause::HeaderChanged { name, .. } => name == "x-amz-date",
        Cause::ParameterChanged { name, .. } => name == X_AMZ_DATE,
        _ => false,
    }
}

/// Returns a finding for a difference in a part that the response hides: only the hash reveals it.
fn hidden_difference(ours: &str) -> Finding {
    let names = ours.lines().filter_map(|line| line.split_once(':')).map(|(name, _)| name);
    let hidden: Vec<&str> = names.filter(|name| is_secret_header(name)).collect();
    // A wrong token is refused on its own, before the signature is checked.
    let cause = match hidden.iter().find(|name| !compare::is_token_header(name)) {
        Some(name) => {
            let redacted = || String::from(REDACTED);
            Cause::HeaderChanged { name: (*name).into(), signed: redacted(), verified: redacted() }
        }
        None if hidden.is_empty() => Cause::CanonicalRequestDiffers,
        None => Cause::TokenInvalid,
    };
    Finding::new(cause, "everything that the response shows is equal, but the hashes differ")
}

pub(super) fn wrong_secret() -> Finding {
    // Another inference is a signer that derives the key wrongly.
    Finding::new(Cause::WrongSecret, "the canonical request and the string to sign are the same on both sides")
        .with_certainty(Certainty::Likely)
}
