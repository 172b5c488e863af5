//! What AWS's words mean: text first, since it says most, then the code, then the status.

use alloc::string::String;
use alloc::vec::Vec;

use super::cause::{Cause, Finding};
use super::compare::{header_removed, payload_difference};
use super::reply::Reply;
use super::sent::{Auth, Sent};
use crate::text::excerpt;
use crate::timestamp::Timestamp;

/// Texts that need no value of the response, in lower case. A text of AWS's is found by what it always holds.
const TEXTS: &[(&str, &[Cause])] = &[
    ("found both 'x-amz-algorithm'", &[Cause::TwoCredentials]),
    ("only one auth mechanism allowed", &[Cause::TwoCredentials]),
    ("authorization mechanism you have provided is not supported", &[Cause::SignatureVersion2]),
    ("require aws signature version 4", &[Cause::SignatureVersion2]),
    ("unsupported aws 'algorithm'", &[Cause::MalformedAuthorization]),
    ("x-amz-algorithm only supports", &[Cause::MalformedAuthorization]),
    ("query-string parameters must include", &[Cause::MalformedAuthorization]),
    ("query-string authentication version 4 requires", &[Cause::MalformedAuthorization]),
    ("one and only one ' '", &[Cause::MalformedAuthorization, Cause::WhitespaceInCredentials]),
    ("unsupported authorization type", &[Cause::OtherAuthorization]),
    ("iso-8601 'basic format'", &[Cause::DateMalformed]),
    ("must be in the iso8601 long format", &[Cause::DateMalformed]),
    ("requires a valid date or x-amz-date header", &[Cause::DateMalformed]),
    ("exactly 5 slash-delimited elements", &[Cause::MalformedAuthorization]),
    ("credential is mal-formed", &[Cause::MalformedAuthorization]),
    ("malformed; missing ", &[Cause::MalformedAuthorization]),
    ("the authorization component", &[Cause::MalformedAuthorization]),
    ("requires three components", &[Cause::MalformedAuthorization]),
    ("scoped with a valid terminator", &[Cause::ScopeMalformed]),
    ("date in credential scope does not match", &[Cause::ScopeMalformed]),
    ("incorrect terminal", &[Cause::ScopeMalformed]),
    ("incorrect date format", &[Cause::ScopeMalformed]),
    ("invalid credential date", &[Cause::ScopeMalformed]),
    ("x-amz-expires must be", &[Cause::PresignLifetime]),
    ("x-amz-expires should be", &[Cause::PresignLifetime]),
    ("anonymous requests don't support this x-amz-content-sha256", &[Cause::NotSigned, Cause::SignatureLost]),
    ("missing required header for this request: x-amz-content-sha256", &[Cause::ContentSha256]),
    ("value of x-amz-content-sha256 header is invalid", &[Cause::ContentSha256]),
    ("x-amz-content-sha256 must be", &[Cause::ContentSha256]),
    ("provided token is malformed", &[Cause::TokenInvalid]),
    ("only the last chunk is allowed", &[Cause::BodyFraming]),
    ("the request was not signed", &[Cause::NotSigned, Cause::SignatureLost]),
    ("does not support aws signature version 2", &[Cause::SignatureVersion2]),
    ("explicit deny", &[Cause::PolicyDenies]),
    ("no permissions for [", &[Cause::PolicyDenies]),
    ("the request could not be satisfied", &[Cause::RefusedOnTheWay]),
];

/// Codes, where no text said more. Without `Exception` at the end, which JSON services add.
const CODES: &[(&str, &[Cause])] = &[
    ("MissingAuthenticationToken", &[Cause::NotSigned, Cause::SignatureLost]),
    ("IncompleteSignature", &[Cause::MalformedAuthorization]),
    ("AuthorizationHeaderMalformed", &[Cause::MalformedAuthorization]),
    ("AuthorizationQueryParametersError", &[Cause::MalformedAuthorization]),
    ("InvalidSignature", &[Cause::Mismatch]),
    ("SignatureDoesNotMatch", &[Cause::Mismatch]),
    ("UnrecognizedClient", &[Cause::UnknownAccessKey, Cause::TokenInvalid]),
    ("InvalidClientTokenId", &[Cause::UnknownAccessKey, Cause::TokenInvalid]),
    ("InvalidAccessKeyId", &[Cause::UnknownAccessKey, Cause::TokenMissing]),
    ("ExpiredToken", &[Cause::TokenExpired]),
    ("TokenRefreshRequired", &[Cause::TokenExpired]),
    ("InvalidToken", &[Cause::TokenInvalid]),
    ("MissingSecurityElement", &[Cause::NotSigned]),
    ("InvalidSecurity", &[Cause::UnknownAccessKey, Cause::WrongSecret]),
    ("UnsupportedSignature", &[Cause::SignatureVersion2]),
    ("CredentialsNotSupported", &[Cause::TwoCredentials]),
    ("XAmzContentSHA256Mismatch", &[Cause::BodyChanged]),
    ("BadDigest", &[Cause::BodyChanged]),
    ("MissingContentLength", &[Cause::BodyFraming]),
    ("IncompleteBody", &[Cause::BodyFraming]),
    ("InvalidChunkSizeError", &[Cause::BodyFraming]),
    ("MalformedTrailerError", &[Cause::BodyFraming]),
    ("NotSignedUp", &[Cause::NotAboutSignature]),
    ("WAFFiltered", &[Cause::ForbiddenWithoutReason]),
    ("InvalidApiKey", &[Cause::ForbiddenWithoutReason]),
    ("AccessDenied", &[Cause::PolicyDenies]),
    ("AuthorizerFailure", &[Cause::OtherAuthorizationExpected]),
    ("AuthorizerConfiguration", &[Cause::OtherAuthorizationExpected]),
    ("Unauthorized", &[Cause::OtherAuthorizationExpected]),
];

/// Texts of a mismatch, in lower case.
const MISMATCH: &str = "the request signature we calculated does not match";

/// What the response says of itself, likeliest first. Empty for a mismatch whose causes the two texts tell.
pub(super) fn recognize(reply: &Reply, sent: &Sent) -> Vec<Finding> {
    let mut found = Found { reply, sent, evidence: reply.evidence(sent), findings: Vec::new() };
    let text = reply.short_message().to_ascii_lowercase();
    found.by_the_request();
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
        found.push(Cause::Mismatch);
    }
    if found.findings.is_empty() {
        found.by_code_or_status();
    }
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

    /// What is wrong with the request as it was sent explains every refusal.
    fn by_the_request(&mut self) {
        let (cause, evidence) = match &self.sent.auth {
            Auth::Both => (Cause::TwoCredentials, "the request as it was sent has both".into()),
            Auth::Version2 => (Cause::SignatureVersion2, "the request as it was sent".into()),
            Auth::Malformed { problem, white_space } => {
                let cause = match white_space {
                    true => Cause::WhitespaceInCredentials,
                    false => Cause::MalformedAuthorization,
                };
                (cause, problem.clone())
            }
            _ => return,
        };
        self.push_with(cause, evidence);
    }

    fn authentication(&mut self, text: &str) {
        let api_gateway = text == "missing authentication token"
            && self.reply.status != 400
            && !self.reply.code.starts_with("AccessDenied");
        if api_gateway || text.contains("missing authentication token") {
            match &self.sent.auth {
                Auth::None if self.sent.method == "OPTIONS" => {
                    self.push_all(&[Cause::PreflightNeedsSignature, Cause::NoSuchRoute]);
                }
                Auth::None if api_gateway => self.push_all(&[Cause::NotSigned, Cause::NoSuchRoute]),
                Auth::None => self.push(Cause::NotSigned),
                Auth::Other { .. } => self.push(Cause::OtherAuthorization),
                Auth::Signed | Auth::Presigned if api_gateway => {
                    self.push_all(&[Cause::NoSuchRoute, Cause::SignatureLost]);
                }
                Auth::Signed | Auth::Presigned => self.push(Cause::SignatureLost),
                _ if api_gateway => self.push_all(&[
                    Cause::NoSuchRoute,
                    Cause::NotSigned,
                    Cause::SignatureLost,
                    Cause::PreflightNeedsSignature,
                ]),
                _ => self.push_all(&[Cause::NotSigned, Cause::SignatureLost, Cause::OtherAuthorization]),
            }
        }
        if text.contains("key=value pair (missing equal-sign)") {
            // It echoes the header, or its hash.
            let echoed = text.split_once("authorization header: '").map_or("", |(_, echoed)| echoed);
            let is_ours = echoed.starts_with("aws4-");
            if is_ours || echoed.starts_with("authorization:") {
                let doubled = echoed.contains("authorization:");
                self.push(if doubled { Cause::MalformedAuthorization } else { Cause::WhitespaceInCredentials });
            } else {
                self.push_all(&[Cause::OtherAuthorization, Cause::NoSuchRoute, Cause::WhitespaceInCredentials]);
            }
        }
        if text.starts_with("authorization header requires") {
            let missing = ["'credential'", "'signature'", "'signedheaders'"].iter().filter(|name| text.contains(*name));
            match missing.count() {
                0 => self.push(Cause::DateMalformed),
                3 => self.push_all(&[Cause::OtherAuthorization, Cause::NoSuchRoute]),
                _ => self.push(Cause::MalformedAuthorization),
            }
        }
    }

    fn scope(&mut self, text: &str) {
        let got = |marker: &str| quoted_after(text, marker);
        if text.contains("credential should be scoped to a valid region") {
            let expected = self.region_to_use(got("valid region, not "));
            self.push(Cause::WrongRegion { expected });
        }
        if let Some(service) = got("scoped to correct service: ") {
            self.push(Cause::WrongService { expected: Some(excerpt(service.as_bytes())) });
        }
        if text.contains("is wrong; expecting ") {
            let expected = got("is wrong; expecting ").or(self.reply.element("Region"));
            self.push(Cause::WrongRegion { expected: expected.map(|region| excerpt(region.as_bytes())) });
        }
        if text.contains("incorrect service ") {
            let expected = got("belongs to ");
            self.push(Cause::WrongService { expected: expected.map(|service| excerpt(service.as_bytes())) });
        }
        // A HEAD has no body; the header is all that S3 says.
        if let Some(region) = self.reply.hint("x-amz-bucket-region")
            && !self.sent.region.is_empty()
            && region != self.sent.region
        {
            let region = String::from(region);
            self.push_with(Cause::WrongRegion { expected: Some(region) }, "x-amz-bucket-region".into());
        }
    }

    /// From the host name, for texts that name the wrong region only.
    fn region_to_use(&self, wrong: Option<&str>) -> Option<String> {
        const GLOBAL: [&str; 7] =
            ["iam", "sts", "cloudfront", "route53", "organizations", "importexport", "globalaccelerator"];
        let is_region = |label: &&str| {
            let parts: Vec<&str> = label.split('-').collect();
            parts.len() >= 3
                && parts.first().is_some_and(|part| part.len() == 2)
                && parts.last().is_some_and(|part| part.len() == 1 && part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let mut labels = self.sent.host.split('.');
        let in_host = labels.find(is_region);
        let global = (in_host.is_none() && GLOBAL.contains(&self.sent.service.as_str())).then_some("us-east-1");
        in_host.or(global).filter(|region| Some(*region) != wrong).map(|region| excerpt(region.as_bytes()))
    }

    fn times(&mut self, text: &str) {
        if text.starts_with("signature expired:") || text.starts_with("signature not yet current:") {
            if self.sent.is_presigned() && text.starts_with("signature expired:") {
                self.push(Cause::PresignExpired { at: self.sent.valid_until });
            } else {
                let offset = self.reply.clock_offset(self.sent);
                self.push(clock(offset));
            }
        }
        if self.reply.code == "RequestTimeTooSkewed" || text.contains("request is not valid yet") {
            let offset = self.reply.clock_offset(self.sent);
            self.push(clock(offset));
        }
        let expired = text.trim_end_matches('.').ends_with("request has expired");
        if expired && self.reply.code == "RequestExpired" {
            // EC2 says so of an old request and of old credentials.
            let offset = self.reply.clock_offset(self.sent);
            match offset {
                Some(offset) if offset.abs() < 5 * 60 => {
                    self.push_all(&[Cause::TokenExpired, Cause::ClockSkew { offset: Some(offset) }]);
                }
                offset => self.push_all(&[clock(offset), Cause::TokenExpired]),
            }
        } else if expired {
            let at = self.reply.element("Expires").and_then(Timestamp::parse_extended).or(self.sent.valid_until);
            if self.sent.outlives_credentials && at.is_some_and(|at| Some(at) == self.sent.valid_until) {
                self.push(Cause::PresignOutlivedCredentials);
            }
            self.push(Cause::PresignExpired { at });
        }
        let token_expired = (text.contains("token") && text.contains("expired"))
            || self.reply.code.trim_end_matches("Exception") == "ExpiredToken";
        if token_expired && !expired {
            if self.sent.is_presigned() {
                self.push(Cause::PresignOutlivedCredentials);
            }
            self.push(Cause::TokenExpired);
        }
    }

    fn keys(&mut self, text: &str) {
        let temporary_without_token = |id: &str| id.starts_with("ASIA") && self.sent.session_token().is_none();
        let id = match self.sent.access_key_id.as_str() {
            "" => self.reply.element("AWSAccessKeyId").unwrap_or_default(),
            id => id,
        };
        let without_token = temporary_without_token(id);
        if text.starts_with("the security token included in the request is invalid") {
            // With a full stop the key is unknown, without one the token is bad.
            let of_the_token = !text.ends_with('.');
            let mut causes = [Cause::UnknownAccessKey, Cause::TokenInvalid];
            if of_the_token && (self.sent.session_token().is_some() || self.sent.auth == Auth::Unknown) {
                causes.reverse();
            }
            if without_token {
                self.push(Cause::TokenMissing);
            }
            self.push_all(&causes);
        }
        if text.contains("does not exist in our records") {
            if without_token {
                self.push(Cause::TokenMissing);
            }
            self.push(Cause::UnknownAccessKey);
            if self.sent.auth == Auth::Unknown {
                self.push(Cause::TokenMissing);
            }
        }
        if self.reply.code == "AuthFailure" {
            let offset = self.reply.clock_offset(self.sent).filter(|offset| offset.abs() > 5 * 60);
            if offset.is_some() {
                self.push(clock(offset));
            }
            self.push_all(&[Cause::UnknownAccessKey, Cause::WrongSecret, Cause::ClockSkew { offset }]);
        }
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
            let names = names.collect();
            self.push(Cause::UnsignedHeaders { names });
        }
        if text.contains("headers present in the request which were not signed") {
            let names = self.reply.element("HeadersNotSigned").unwrap_or_default();
            let names = names.split(',').map(|name| excerpt(name.trim().as_bytes())).take(16);
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
        let (status, code) = (self.reply.status, self.reply.code.clone());
        let signed = self.sent.is_signed();
        if text.contains("not authorized to perform") || text.contains("not authorized to access this resource") {
            if text.contains("user: anonymous") || text.contains("anonymous is not authorized") {
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
            let of_service = !self.sent.service.is_empty() && self.sent.service != "aoss";
            if of_service {
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
        let forbidden = status == 403 && text.starts_with("forbidden");
        if forbidden && self.findings.is_empty() {
            let function_url = code.starts_with("AccessDenied");
            let http_api = self.reply.hint("apigw-requestid").is_some() || code.is_empty();
            match &self.sent.auth {
                Auth::None => self.push_all(&[Cause::NotSigned, Cause::ForbiddenWithoutReason]),
                Auth::Other { .. } => self.push_all(&[Cause::OtherAuthorization, Cause::ForbiddenWithoutReason]),
                _ if function_url && signed => self.push_all(&[Cause::PolicyDenies, Cause::SignatureLost]),
                _ if function_url => self.push_all(&[Cause::NotSigned, Cause::PolicyDenies]),
                _ if http_api => self.push_all(&[Cause::RefusedWithoutReason, Cause::ForbiddenWithoutReason]),
                _ => self.push(Cause::ForbiddenWithoutReason),
            }
        }
        if status == 404 && self.findings.is_empty() && ["not found", "", "no route matched"].contains(&text) {
            self.push(Cause::NoSuchRoute);
        }
        let elsewhere = ["Endpoint", "endpoint"].iter().find_map(|name| self.reply.element(name));
        let location = match (self.reply.location.as_deref(), elsewhere) {
            (Some(location), _) if (300..400).contains(&status) => Some(location),
            (_, Some(endpoint)) if (300..400).contains(&status) => Some(endpoint),
            _ => None,
        };
        if let Some(location) = location {
            // A presigned URL may stand there.
            let location = location.split('?').next().unwrap_or_default();
            self.push(Cause::Redirected { location: excerpt(location.as_bytes()) });
        }
    }

    fn by_code_or_status(&mut self) {
        let code = self.reply.code.as_str();
        let code = code.strip_suffix("Exception").unwrap_or(code);
        if let Some((_, causes)) = CODES.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)) {
            self.push_all(causes);
            return;
        }
        let status = self.reply.status;
        match status {
            200..300 => {}
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

/// Local time taken for UTC is off by quarters of an hour, up to the 14 hours of a time zone.
fn clock(offset: Option<i64>) -> Cause {
    const QUARTER: i64 = 15 * 60;
    const TOLERANCE: i64 = 30;
    match offset {
        Some(offset)
            if (2 * QUARTER - TOLERANCE..=56 * QUARTER + TOLERANCE).contains(&offset.abs())
                && (offset + TOLERANCE).rem_euclid(QUARTER) <= 2 * TOLERANCE =>
        {
            Cause::TimeZone { offset }
        }
        offset => Cause::ClockSkew { offset },
    }
}

/// `'x'` or `"x"` right behind a marker.
fn quoted_after<'t>(text: &'t str, marker: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(marker)?;
    let quote = rest.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    rest.get(1..)?.split_once(quote).map(|(quoted, _)| quoted)
}

impl Reply {
    /// What of the response to show: its message without what it echoes, or else its code or status.
    fn evidence(&self, sent: &Sent) -> String {
        let message = super::redact::redacted(self.short_message(), sent.session_token());
        match (message.is_empty(), self.code.is_empty()) {
            (false, _) => excerpt(message.as_bytes()),
            (true, false) => self.code.clone(),
            (true, true) => alloc::format!("status {}", self.status),
        }
    }

    /// Seconds to add to the clock that signed: from the text, which names both times, or from the `Date` header.
    pub(super) fn clock_offset(&self, sent: &Sent) -> Option<i64> {
        let message = self.short_message();
        let mut times = message.split([' ', '(', ')']).filter_map(|word| word.parse::<Timestamp>().ok());
        let in_text = match (times.next(), times.next(), times.next()) {
            (Some(signed), Some(_), Some(server)) => Some((signed, server)),
            _ => None,
        };
        let read = |name: &str| {
            let text = self.element(name)?;
            text.parse().ok().or_else(|| Timestamp::parse_extended(text)).or_else(|| Timestamp::parse_imf_fixdate(text))
        };
        let in_elements = || Some((read("RequestTime")?, read("ServerTime")?));
        let in_header = || Some((sent.timestamp?, self.date?));
        let (signed, server) = in_text.or_else(in_elements).or_else(in_header)?;
        Some(server.unix_seconds() - signed.unix_seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_of_an_hour_are_a_time_zone() {
        for (offset, zone) in [
            (7200, true),
            (-19_800, true),
            (20_700 + 20, true),
            (900, false),
            (7300, false),
            (60_000, false),
            (i64::MIN + 60, false),
        ] {
            let cause = clock(Some(offset));
            assert_eq!(matches!(cause, Cause::TimeZone { .. }), zone, "{cause}");
        }
    }
}
