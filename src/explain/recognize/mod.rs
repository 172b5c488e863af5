//! Recognises AWS's responses: by their text first, since it is the most specific, then by the code, then by the
//! status.

mod credentials;
mod denials;
mod stores;
mod texts;
mod times;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use texts::{CODES, TEXTS, UNRELATED_CODES};

use super::canonical::Canonical;
use super::cause::Cause;
use super::certainty::Certainty;
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
    found.stores(&said);
    for (known, causes) in TEXTS {
        if said.holds(known) {
            found.push_all(Certainty::Observed, causes);
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
    found.keep_what_can_be();
    // Stable: within a certainty, the order in which they were found.
    found.findings.sort_by_key(Finding::certainty);
    found.findings
}

struct Found<'a> {
    reply: &'a Reply,
    sent: &'a Sent,
    evidence: String,
    findings: Vec<Finding>,
}

impl Found<'_> {
    /// What the response states, or what is known of the request.
    fn push(&mut self, cause: Cause) {
        self.push_as(Certainty::Observed, cause);
    }

    fn likely(&mut self, cause: Cause) {
        self.push_as(Certainty::Likely, cause);
    }

    fn possible(&mut self, causes: &[Cause]) {
        causes.iter().cloned().for_each(|cause| self.push_as(Certainty::Possible, cause));
    }

    fn push_as(&mut self, certainty: Certainty, cause: Cause) {
        let evidence = self.evidence.clone();
        self.push_with(certainty, cause, evidence);
    }

    fn push_with(&mut self, certainty: Certainty, cause: Cause, evidence: String) {
        let same_kind = |finding: &Finding| core::mem::discriminant(finding.cause()) == core::mem::discriminant(&cause);
        if !self.findings.iter().any(same_kind) {
            self.findings.push(Finding::new(cause, evidence).with_certainty(certainty));
        }
    }

    /// The first as that, and the others as possible.
    fn push_all(&mut self, certainty: Certainty, causes: &[Cause]) {
        if let [first, others @ ..] = causes {
            self.push_as(certainty, first.clone());
            self.possible(others);
        }
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
                    | Cause::NotRecognised
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

    /// A response to a HEAD request has no body that could say why: the same request as a GET would. Some stores leave the body
    /// out for others, too.
    fn without_body(&mut self) {
        let offset = self.reply.clock_offset(self.sent).filter(|offset| offset.unsigned_abs() > 15 * 60);
        if offset.is_some() && !self.sent.is_presigned() {
            self.clock(offset);
            self.possible(&[Cause::RefusedWithoutReason]);
            return;
        }
        match self.sent.auth {
            Auth::None => self.push_all(Certainty::Observed, &[Cause::NotSigned, Cause::RefusedWithoutReason]),
            _ => self.push(Cause::RefusedWithoutReason),
        }
        if self.sent.session_token().is_some() && self.reply.status == 400 {
            self.possible(&[Cause::TokenExpired, Cause::TokenInvalid]);
        }
        if self.sent.is_signed() && self.reply.status == 400 {
            self.possible(&[Cause::WrongRegion { expected: self.region_to_use(&self.sent.region) }]);
        }
    }

    fn mismatch(&mut self) {
        let has_body = !["GET", "HEAD", "DELETE", "OPTIONS"].contains(&self.sent.method.as_str());
        if self.sent.auth == Auth::None && has_body {
            let evidence =
                "the request was not signed: CloudFront signs for its origin, with the hash that the viewer sends";
            self.push_with(Certainty::Likely, Cause::ContentSha256, evidence.into());
            self.possible(&[Cause::Mismatch]);
        } else {
            self.push(Cause::Mismatch);
        }
    }

    /// Removes what contradicts the request that was sent.
    fn keep_what_can_be(&mut self) {
        let sent = self.sent;
        let before = self.findings.len();
        let is_stated = self.reply.code == "InvalidTokenId";
        let not_signed = self.findings.iter().any(|finding| *finding.cause() == Cause::NotSigned);
        self.findings.retain(|finding| match finding.cause() {
            Cause::NotSigned | Cause::PreflightNeedsSignature => {
                matches!(sent.auth, Auth::None | Auth::Unknown | Auth::Malformed { .. })
            }
            Cause::SignatureLost => sent.auth != Auth::None,
            Cause::TokenExpired | Cause::TokenInvalid => {
                sent.auth != Auth::None && (!sent.is_signed() || sent.session_token().is_some())
            }
            Cause::TokenMissing => {
                let of_temporary = |id: &str| id.is_empty() || id.starts_with("ASIA") || id.starts_with("STS.");
                sent.auth != Auth::None
                    && (sent.session_token().is_some() || of_temporary(&sent.access_key_id) || is_stated)
            }
            Cause::PresignExpired { .. } | Cause::PresignOutlivedCredentials | Cause::PresignLifetime => {
                matches!(sent.auth, Auth::Presigned | Auth::Unknown | Auth::Both | Auth::Malformed { .. })
            }
            _ => true,
        });
        if self.findings.is_empty() && before > 0 {
            match not_signed {
                true => self.likely(Cause::SignatureLost),
                false => self.push(Cause::NotRecognised),
            }
        }
    }

    /// If all that was signed is known, a header that isn't part of it was added on the way.
    fn unsigned_headers(&mut self, names: Vec<String>) {
        let text = core::str::from_utf8(&self.sent.canonical_request).unwrap_or_default();
        let request = Canonical::parse(text).filter(|_| self.sent.is_what_was_signed);
        let was_there =
            |name: &String| request.is_none_or(|request| request.header(&name.to_ascii_lowercase()).is_some());
        let evidence = match names.is_empty() || names.iter().any(was_there) {
            true => self.evidence.clone(),
            false => format!(
                "{} was not there when the request was signed; likely a proxy or CDN added it",
                names.join(", ")
            ),
        };
        self.push_with(Certainty::Observed, Cause::UnsignedHeaders { names }, evidence);
    }

    fn headers(&mut self, said: &Said) {
        if said.holds(text::MUST_BE_SIGNED) {
            self.unsigned_headers(names_before_must_be_signed(said));
        }
        if said.holds(text::HEADERS_NOT_SIGNED.known) {
            let names = self.reply.element("HeadersNotSigned").unwrap_or_default();
            let names = names.split(',').map(|name| excerpt(name.trim().as_bytes())).take(MOST_NAMED);
            self.unsigned_headers(names.filter(|name| !name.is_empty()).collect());
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
            self.possible(&[Cause::BodyFraming]);
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
        if let Some((_, certainty, causes)) = CODES.iter().find(|(known, ..)| known.eq_ignore_ascii_case(code)) {
            self.push_all(*certainty, causes);
            return;
        }
        if UNRELATED_CODES.iter().any(|known| known.eq_ignore_ascii_case(code)) {
            self.push(Cause::Unrelated);
            return;
        }
        let nothing_said = code.is_empty() && self.reply.message.is_empty();
        match self.reply.status {
            200..300 if code.is_empty() => {}
            407 => self.push(Cause::BlockedByIntermediary),
            400 | 403 if nothing_said && (self.sent.method == "HEAD" || self.sent.service == "s3") => {
                self.without_body();
            }
            400 if nothing_said => self.likely(Cause::MalformedRequest),
            401 | 403 if self.reply.is_html => self.likely(Cause::BlockedByIntermediary),
            401 if code.is_empty() => self.likely(Cause::OtherAuthorizationExpected),
            401 | 403 if self.sent.auth == Auth::None => {
                self.push(Cause::NotSigned);
                self.possible(&[Cause::RefusedWithoutReason]);
            }
            401 | 403 if nothing_said => self.push(Cause::RefusedWithoutReason),
            404 | 405 | 409 | 410 | 412 | 416 | 429 | 500..=599 if code.is_empty() => self.likely(Cause::Unrelated),
            _ => self.push(Cause::NotRecognised),
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
