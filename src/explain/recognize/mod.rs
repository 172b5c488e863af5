//! Recognises AWS's responses: by their text first, since it is the most specific, then by the code, then by the
//! status.

mod credentials;
mod denials;
mod texts;
mod times;

use alloc::string::String;
use alloc::vec::Vec;

use texts::{CODES, TEXTS};

use super::cause::Cause;
use super::compare::{header_removed, payload_difference};
use super::finding::Finding;
use super::sent::{Auth, Sent};
use super::text::sentences;
use crate::aws_error::read::{Reply, Said};
use crate::aws_error::text;
use crate::redact::text::redacted;
use crate::text::excerpt;

/// The maximum number of headers that a finding names.
const MOST_NAMED: usize = 16;

/// Returns the findings from the response itself, most likely first. For a mismatch, the caller replaces
/// [`Cause::Mismatch`] if a comparison of the texts shows the causes.
pub(super) fn recognize(reply: &Reply, sent: &Sent) -> Vec<Finding> {
    let mut found = Found { reply, sent, evidence: reply.evidence(), findings: Vec::new() };
    let said = Said::new(reply.short_message());
    found.authentication(&said);
    found.scope(&said);
    found.times(&said);
    found.keys(&said);
    found.headers(&said);
    found.body(&said);
    for (known, causes) in TEXTS {
        if said.holds(known) {
            found.push_all(causes);
        }
    }
    found.denials(&said);
    if said.holds(text::MISMATCH.known) {
        found.mismatch();
    }
    if found.findings.is_empty() {
        found.by_code_or_status();
    }
    found.by_the_request();
    found.findings
}

struct Found<'a> {
    reply: &'a Reply,
    sent: &'a Sent,
    evidence: String,
    findings: Vec<Finding>,
}

impl Found<'_> {
    fn push(&mut self, cause: Cause) {
        let evidence = self.evidence.clone();
        self.push_with(cause, evidence);
    }

    fn push_with(&mut self, cause: Cause, evidence: String) {
        let same_kind = |finding: &Finding| core::mem::discriminant(finding.cause()) == core::mem::discriminant(&cause);
        if !self.findings.iter().any(same_kind) {
            self.findings.push(Finding::new(cause, evidence));
        }
    }

    fn push_all(&mut self, causes: &[Cause]) {
        causes.iter().cloned().for_each(|cause| self.push(cause));
    }

    /// Puts a defect of the request as it was sent first, if the refusal gives no more specific reason.
    fn by_the_request(&mut self) {
        let says_more = |finding: &Finding| {
            !matches!(
                finding.cause(),
                Cause::NotSigned
                    | Cause::SignatureLost
                    | Cause::NoSuchRoute
                    | Cause::OtherAuthorization
                    | Cause::WhitespaceInCredentials
                    | Cause::MalformedAuthorization
                    | Cause::Mismatch
                    | Cause::ForbiddenWithoutReason
                    | Cause::RefusedWithoutReason
                    | Cause::Unrecognised
            )
        };
        if self.findings.first().is_none_or(says_more) {
            return;
        }
        let (cause, evidence) = match &self.sent.auth {
            Auth::Both => (Cause::TwoCredentials, "the request has both, as it was sent".into()),
            Auth::Version2 => (Cause::SignatureVersion2, "the request as it was sent".into()),
            Auth::Malformed { problem, white_space } => {
                let cause = match white_space {
                    true => Cause::WhitespaceInCredentials,
                    false => Cause::MalformedAuthorization,
                };
                (cause, redacted(problem))
            }
            _ => return,
        };
        self.findings.retain(|finding| *finding.cause() != cause);
        self.findings.insert(0, Finding::new(cause, evidence));
    }

    fn mismatch(&mut self) {
        if self.sent.auth == Auth::None {
            let evidence =
                "the request was not signed; CloudFront signs for its origin, using the hash that the viewer sends";
            self.push_with(Cause::ContentSha256, evidence.into());
        }
        self.push(Cause::Mismatch);
    }

    fn headers(&mut self, said: &Said) {
        if said.holds(text::MUST_BE_SIGNED) {
            let names = names_before_must_be_signed(said);
            self.push(Cause::UnsignedHeaders { names });
        }
        if said.holds(text::HEADERS_NOT_SIGNED.known) {
            let names = self.reply.element("HeadersNotSigned").unwrap_or_default();
            let names = names.split(',').map(|name| excerpt(name.trim().as_bytes())).take(MOST_NAMED);
            let names = names.filter(|name| !name.is_empty()).collect();
            self.push(Cause::UnsignedHeaders { names });
        }
        if said.holds(text::SIGNED_HEADER_ABSENT)
            && let Some(name) = said.as_str().split('\'').nth(1)
        {
            let cause = header_removed(name);
            self.push(cause);
        }
        if let Some(name) = self.reply.element("MissingHeaderName") {
            let signed = said.holds(text::MISMATCH.known);
            let name = name.to_ascii_lowercase();
            let cause = match signed {
                true => header_removed(&name),
                false => Cause::RequiredHeaderMissing { name: Some(excerpt(name.as_bytes())) },
            };
            self.push(cause);
        } else if self.reply.code == "MissingContentLength" {
            self.push(Cause::RequiredHeaderMissing { name: Some("content-length".into()) });
            self.push(Cause::BodyFraming);
        } else if self.reply.code == "MissingSecurityHeader" {
            self.push(Cause::RequiredHeaderMissing { name: None });
        }
    }

    fn body(&mut self, said: &Said) {
        if !said.holds(text::CONTENT_SHA256_MISMATCH.known) && !said.holds(text::PAYLOAD_HASH) {
            return;
        }
        let signed = self.reply.element("ClientComputedContentSHA256").or_else(|| said.word_after(text::EXPECTED_HASH));
        let computed = self.reply.element("S3ComputedContentSHA256").or_else(|| said.word_after(text::COMPUTED_DIGEST));
        match signed.zip(computed).and_then(|(signed, computed)| payload_difference(signed, computed)) {
            Some(finding) => self.findings.push(finding),
            None => self.push(Cause::BodyChanged),
        }
    }

    fn by_code_or_status(&mut self) {
        let code = self.reply.code.as_str();
        let code = code.strip_suffix("Exception").unwrap_or(code);
        if code == "IncompleteSignature" && matches!(self.sent.auth, Auth::Other { .. }) {
            self.other_authorization();
            return;
        }
        if let Some((_, causes)) = CODES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)) {
            self.push_all(causes);
            return;
        }
        match self.reply.status {
            200..300 if code.is_empty() => {}
            407 => self.push(Cause::BlockedByIntermediary),
            400 if code.is_empty() && self.reply.message.is_empty() => self.push(Cause::MalformedRequest),
            401 | 403 if self.reply.is_html => self.push(Cause::BlockedByIntermediary),
            401 if code.is_empty() => self.push(Cause::OtherAuthorizationExpected),
            401 | 403 if self.sent.auth == Auth::None => {
                self.push_all(&[Cause::NotSigned, Cause::RefusedWithoutReason])
            }
            401 | 403 if self.reply.message.is_empty() && code.is_empty() => self.push(Cause::RefusedWithoutReason),
            _ if !code.is_empty() => self.push(Cause::Unrelated),
            400 | 401 | 403 => self.push(Cause::Unrecognised),
            _ => self.push(Cause::Unrelated),
        }
    }
}

/// Returns the names from a series of sentences, one for each header.
fn names_before_must_be_signed(said: &Said) -> Vec<String> {
    let end = text::IN_AUTHORIZATION.to_ascii_lowercase();
    let names = said.around(text::MUST_BE_SIGNED).filter_map(|before| {
        let sentence = before.rsplit_once(". ").or_else(|| before.rsplit_once(&end)).map_or(before, |(_, rest)| rest);
        Some(excerpt(sentence.split('\'').nth(1)?.as_bytes()))
    });
    names.take(MOST_NAMED).collect()
}

impl Reply {
    /// Returns the part of the response to show: its message without the values that it echoes, or else its code or
    /// status.
    fn evidence(&self) -> String {
        let message = redacted(self.short_message());
        match (message.is_empty(), self.code.is_empty()) {
            (false, _) => sentences(&message),
            (true, false) => excerpt(self.code.as_bytes()),
            (true, true) => alloc::format!("status {}", self.status),
        }
    }
}
