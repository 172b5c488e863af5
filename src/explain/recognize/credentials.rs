//! What the response says of the credentials: whether they arrived, their scope, key and token.

use alloc::string::String;

use super::Found;
use crate::endpoint::Endpoint;
use crate::endpoint::forms::global_region;
use crate::endpoint::partition::{AWS, is_region};
use crate::explain::cause::Cause;
use crate::explain::sent::{Auth, Sent};
use crate::text::excerpt;

impl Found<'_> {
    pub(super) fn authentication(&mut self, text: &str) {
        let code = self.reply.code.as_str();
        // The owner of an API may word the answer; the code stays. The JSON services answer 400.
        let in_code = code == "MissingAuthenticationTokenException" && self.reply.status != 400;
        let in_text = text.contains("missing authentication token");
        let api_gateway = self.reply.status != 400
            && (in_code || text == "missing authentication token" && !code.starts_with("AccessDenied"));
        if in_text || in_code || code.starts_with("MissingAuthenticationToken") {
            match &self.sent.auth {
                Auth::None if self.sent.method == "OPTIONS" => {
                    self.push(Cause::PreflightNeedsSignature);
                    self.no_such_route();
                }
                Auth::None => {
                    self.push(Cause::NotSigned);
                    if api_gateway {
                        self.no_such_route();
                    }
                }
                Auth::Other { .. } => self.push(Cause::OtherAuthorization),
                Auth::Signed | Auth::Presigned => {
                    if api_gateway {
                        self.no_such_route();
                    }
                    self.push(Cause::SignatureLost);
                }
                _ if api_gateway => {
                    self.no_such_route();
                    self.push_all(&[Cause::NotSigned, Cause::SignatureLost, Cause::PreflightNeedsSignature]);
                }
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
                self.other_authorization();
                self.push(Cause::WhitespaceInCredentials);
            }
        }
        if text.starts_with("authorization header requires") {
            let missing = ["'credential'", "'signature'", "'signedheaders'"].iter().filter(|name| text.contains(*name));
            match missing.count() {
                0 => self.push(Cause::DateMalformed),
                3 => self.other_authorization(),
                _ => self.push(Cause::MalformedAuthorization),
            }
        }
    }

    /// Something that is no signature arrived as one.
    pub(super) fn other_authorization(&mut self) {
        self.push(Cause::OtherAuthorization);
        if self.sent.is_signed() {
            self.push(Cause::SignatureLost);
        }
        self.no_such_route();
    }

    pub(super) fn no_such_route(&mut self) {
        let Sent { method, path, host, .. } = self.sent;
        if method.is_empty() {
            self.push(Cause::NoSuchRoute);
        } else {
            let route = alloc::format!("{method} {path}");
            let on_host =
                if host.is_empty() { String::new() } else { alloc::format!(" on {}", excerpt(host.as_bytes())) };
            self.push_with(Cause::NoSuchRoute, excerpt(route.as_bytes()) + &on_host);
        }
    }

    pub(super) fn scope(&mut self, text: &str) {
        let got = |marker: &str| quoted_after(text, marker);
        if text.contains("credential should be scoped to a valid region") {
            let expected = self.region_to_use(got("valid region, not ").unwrap_or(&self.sent.region));
            self.push(Cause::WrongRegion { expected });
        }
        if text.contains("x-amz-region-set doesn't match") {
            let expected = self.reply.element("RequestedRegion").map(|region| excerpt(region.as_bytes()));
            self.push(Cause::WrongRegion { expected });
        }
        if text.contains("x-amz-region-set should name a valid region") {
            self.push(Cause::WrongRegion { expected: self.region_to_use("") });
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
            let region = excerpt(region.as_bytes());
            self.push_with(Cause::WrongRegion { expected: Some(region) }, "x-amz-bucket-region".into());
        }
        self.scope_form(text);
    }

    fn scope_form(&mut self, text: &str) {
        // `… from HTTP: '20260829' != '20260830', from '20260830T005204Z'.`
        if let Some(signed) = quoted_after(text, "iso-8601 version of date from http: ") {
            let expected = quoted_after(text, "' != ").map(|date| excerpt(date.as_bytes()));
            self.push(Cause::ScopeDate { signed: Some(excerpt(signed.as_bytes())), expected });
        }
        if text.contains("invalid credential date") || text.contains("incorrect date format ") {
            let signed = quoted_after(text, "invalid credential date ").or(quoted_after(text, "date format "));
            let expected = quoted_after(text, "the same as x-amz-date: ").and_then(|time| time.get(..8));
            let [signed, expected] = [signed, expected].map(|date| date.map(|date| excerpt(date.as_bytes())));
            self.push(Cause::ScopeDate { signed, expected });
        }
        if text.contains("scoped with a valid terminator") || text.contains("incorrect terminal ") {
            self.push(Cause::ScopeMalformed);
        }
    }

    /// From the host name, for texts that name the wrong region only.
    fn region_to_use(&self, wrong: &str) -> Option<String> {
        let host = self.sent.host.as_str();
        let endpoint = Endpoint::parse(host);
        let in_endpoint = endpoint.as_ref().and_then(Endpoint::region).filter(|region| is_region(region));
        // The endpoint of a service that isn't listed. From the end: a bucket may be named like a region.
        let in_host = || host.rsplit('.').find(|label| is_region(label));
        let global = || global_region(&self.sent.service, &AWS);
        let region = in_endpoint.or_else(in_host).or_else(global);
        region.filter(|region| *region != wrong).map(|region| excerpt(region.as_bytes()))
    }

    pub(super) fn keys(&mut self, text: &str) {
        let temporary_without_token = |id: &str| id.starts_with("ASIA") && self.sent.session_token().is_none();
        let id = match self.sent.access_key_id.as_str() {
            "" => self.reply.element("AWSAccessKeyId").unwrap_or_default(),
            id => id,
        };
        let without_token = temporary_without_token(id);
        let unknown_client =
            self.reply.code.starts_with("UnrecognizedClient") || self.reply.code == "InvalidClientTokenId";
        let unknown_key = text.contains("does not exist in our records");
        if unknown_key || unknown_client || text.starts_with("the security token included in the request is invalid") {
            if without_token {
                self.push(Cause::TokenMissing);
            }
            // With a full stop the key is unknown, without one the token is bad, if there is one.
            let token_was_sent = self.sent.session_token().is_some();
            if !unknown_key && (token_was_sent || self.sent.auth == Auth::Unknown) {
                let of_the_token = text.ends_with("is invalid");
                let mut causes = [Cause::UnknownAccessKey, Cause::TokenInvalid];
                if of_the_token {
                    causes.reverse();
                }
                self.push_all(&causes);
            }
            self.push(Cause::UnknownAccessKey);
            if self.sent.auth == Auth::Unknown {
                self.push(Cause::TokenMissing);
            }
        }
        if self.reply.code == "AuthFailure" {
            let offset = self.reply.clock_offset(self.sent).filter(|offset| offset.abs() > 5 * 60);
            if offset.is_some() {
                self.clock(offset);
            }
            self.push_all(&[Cause::UnknownAccessKey, Cause::WrongSecret, Cause::ClockSkew { offset }]);
        }
    }
}

/// `'x'` or `"x"` right behind a marker.
fn quoted_after<'t>(text: &'t str, marker: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(marker)?;
    let quote = rest.chars().next().filter(|c| ['\'', '"'].contains(c))?;
    rest.get(1..)?.split_once(quote).map(|(quoted, _)| quoted)
}
