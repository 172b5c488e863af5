//! What AWS's words mean: text first, since it says most, then the code, then the status.

mod credentials;
mod texts;
mod times;

use alloc::string::String;
use alloc::vec::Vec;

use texts::{CODES, MISMATCH, TEXTS};

use super::cause::Cause;
use super::compare::{header_removed, payload_difference};
use super::finding::Finding;
use super::sent::{Auth, Sent};
use super::text::sentences;
use crate::aws_error::read::Reply;
use crate::redact::text::redacted;
use crate::text::excerpt;

/// How many headers a finding names.
const MOST_NAMED: usize = 16;

/// What the response says of itself, likeliest first. Empty for a mismatch whose causes the two texts tell.
pub(super) fn recognize(reply: &Reply, sent: &Sent) -> Vec<Finding> {
    let mut found = Found { reply, sent, evidence: reply.evidence(), findings: Vec::new() };
    let text = reply.short_message().to_ascii_lowercase();
    found.authentication(&text);
    found.scope(&text);
    found.times(&text);
    found.keys(&text);
    found.headers(&text);
    found.body(&text);
    for (known, causes) in TEXTS {
        if text.contains(known) {
            found.push_all(causes);
        }
    }
    found.denials(&text);
    if text.contains(MISMATCH) {
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

    /// What is wrong with the request as it was sent explains every refusal that says no more than that the signature
    /// was not taken.
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
            Auth::Both => (Cause::TwoCredentials, "the request as it was sent has both".into()),
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
            let evidence = "nothing was signed: CloudFront signs for its origin, with the hash that the viewer sends";
            self.push_with(Cause::ContentSha256, evidence.into());
        }
        self.push(Cause::Mismatch);
    }

    fn headers(&mut self, text: &str) {
        if text.contains("must be a 'signedheader'") {
            let names = text.split("must be a 'signedheader'").filter_map(|before| {
                let names = before
                    .rsplit_once(". ")
                    .or_else(|| before.rsplit_once("authorization."))
                    .map_or(before, |(_, rest)| rest);
                let name = names.split('\'').nth(1)?;
                Some(excerpt(name.as_bytes()))
            });
            let names = names.take(MOST_NAMED).collect();
            self.push(Cause::UnsignedHeaders { names });
        }
        if text.contains("headers present in the request which were not signed") {
            let names = self.reply.element("HeadersNotSigned").unwrap_or_default();
            let names = names.split(',').map(|name| excerpt(name.trim().as_bytes())).take(MOST_NAMED);
            let names = names.filter(|name| !name.is_empty()).collect();
            self.push(Cause::UnsignedHeaders { names });
        }
        if text.contains("is named as a signedheader, but it does not exist")
            && let Some(name) = text.split('\'').nth(1)
        {
            let cause = header_removed(name);
            self.push(cause);
        }
        if let Some(name) = self.reply.element("MissingHeaderName") {
            let signed = text.contains(MISMATCH);
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

    fn body(&mut self, text: &str) {
        if !text.contains("'x-amz-content-sha256' header does not match")
            && !text.contains("does not match the computed payload hash")
        {
            return;
        }
        let word_after = |marker: &str| text.split_once(marker)?.1.split(' ').next();
        let signed = self.reply.element("ClientComputedContentSHA256").or_else(|| word_after("expected hash: "));
        let computed = self.reply.element("S3ComputedContentSHA256").or_else(|| word_after("computed digest: "));
        match signed.zip(computed).and_then(|(signed, computed)| payload_difference(signed, computed)) {
            Some(finding) => self.findings.push(finding),
            None => self.push(Cause::BodyChanged),
        }
    }

    fn denials(&mut self, text: &str) {
        let (status, code) = (self.reply.status, self.reply.code.as_str());
        let signed = self.sent.is_signed();
        if text.contains("not authorized to perform") || text.contains("not authorized to access this resource") {
            if text.contains("anonymous") {
                self.push_all(if signed {
                    &[Cause::SignatureLost, Cause::PolicyDenies]
                } else {
                    &[Cause::NotSigned, Cause::SignatureLost]
                });
            }
            self.push(Cause::PolicyDenies);
        }
        if self.reply.hint("x-aoss-response-hint").is_some()
            || self.sent.service == "aoss" && text.ends_with("forbidden")
        {
            if !self.sent.service.is_empty() && self.sent.service != "aoss" {
                self.push(Cause::WrongService { expected: Some("aoss".into()) });
            }
            self.push_all(&[Cause::PolicyDenies, Cause::ContentSha256]);
        }
        // Access denied of S3: nobody signed, or who signed may not.
        if code == "AccessDenied" && text == "access denied" {
            match self.sent.auth {
                Auth::None => self.push_all(&[Cause::NotSigned, Cause::PolicyDenies]),
                Auth::Other { .. } => self.push(Cause::OtherAuthorization),
                _ => self.push_all(&[Cause::PolicyDenies, Cause::SignatureLost]),
            }
        }
        let forbidden = status == 403
            && (text.trim_start_matches("403 ").starts_with("forbidden") || code.starts_with("Forbidden"));
        if forbidden && self.findings.is_empty() && !self.reply.is_html {
            let function_url = code.starts_with("AccessDenied");
            let http_api = self.reply.hint("apigw-requestid").is_some() || code.is_empty();
            match &self.sent.auth {
                // A REST API says of a missing signature that it is missing.
                _ if code.starts_with("Forbidden") => self.push(Cause::ForbiddenWithoutReason),
                Auth::None => self.push_all(&[Cause::NotSigned, Cause::ForbiddenWithoutReason]),
                Auth::Other { .. } => self.push_all(&[Cause::OtherAuthorization, Cause::ForbiddenWithoutReason]),
                _ if function_url && signed => self.push_all(&[Cause::PolicyDenies, Cause::SignatureLost]),
                _ if function_url => self.push_all(&[Cause::NotSigned, Cause::PolicyDenies]),
                _ if http_api => self.push_all(&[Cause::RefusedWithoutReason, Cause::ForbiddenWithoutReason]),
                _ => self.push(Cause::ForbiddenWithoutReason),
            }
        }
        if status == 404 && self.findings.is_empty() && ["not found", "", "no route matched"].contains(&text) {
            self.no_such_route();
        }
        let elsewhere = self.reply.location.as_deref().or(self.reply.element("Endpoint"));
        if let Some(location) = elsewhere.filter(|_| (300..400).contains(&status)) {
            // A presigned URL may stand there, or a password.
            let location = location.split(['?', '#']).next().unwrap_or_default();
            let location = match location.split_once("://") {
                Some((scheme, rest)) => {
                    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                    let host = authority.rsplit('@').next().unwrap_or_default();
                    alloc::format!("{scheme}://{host}{path}")
                }
                None => location.into(),
            };
            self.push(Cause::Redirected { location: excerpt(location.as_bytes()) });
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
            407 => self.push(Cause::RefusedOnTheWay),
            400 if code.is_empty() && self.reply.message.is_empty() => self.push(Cause::MalformedRequest),
            401 | 403 if self.reply.is_html => self.push(Cause::RefusedOnTheWay),
            401 if code.is_empty() => self.push(Cause::OtherAuthorizationExpected),
            401 | 403 if self.sent.auth == Auth::None => {
                self.push_all(&[Cause::NotSigned, Cause::RefusedWithoutReason])
            }
            401 | 403 if self.reply.message.is_empty() && code.is_empty() => self.push(Cause::RefusedWithoutReason),
            _ if !code.is_empty() => self.push(Cause::NotAboutSignature),
            400 | 401 | 403 => self.push(Cause::Unrecognised),
            _ => self.push(Cause::NotAboutSignature),
        }
    }
}

impl Reply {
    /// What of the response to show: its message without what it echoes, or else its code or status.
    fn evidence(&self) -> String {
        let message = redacted(self.short_message());
        match (message.is_empty(), self.code.is_empty()) {
            (false, _) => sentences(&message),
            (true, false) => excerpt(self.code.as_bytes()),
            (true, true) => alloc::format!("status {}", self.status),
        }
    }
}
