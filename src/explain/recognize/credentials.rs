//! Recognises responses about the credentials: whether they arrived, their scope, key and token.

use alloc::string::String;

use super::Found;
use crate::aws_error::read::Said;
use crate::aws_error::text;
use crate::endpoint::Endpoint;
use crate::endpoint::forms::global_region;
use crate::endpoint::partition::{AWS, is_region};
use crate::explain::cause::Cause;
use crate::explain::certainty::Certainty;
use crate::explain::sent::{Auth, Sent};
use crate::explain::text::shown;
use crate::text::excerpt;

impl Found<'_> {
    pub(super) fn authentication(&mut self, said: &Said) {
        self.missing_token(said);
        self.not_key_value(said);
        self.missing_parameters(said);
    }

    fn missing_token(&mut self, said: &Said) {
        let code = self.reply.code.as_str();
        // The owner of an API can change the message, but not the code. The JSON services answer 400.
        let in_code = code == "MissingAuthenticationTokenException" && self.reply.status != 400;
        if !said.holds(text::MISSING_TOKEN.known) && !in_code && !code.starts_with("MissingAuthenticationToken") {
            return;
        }
        let api_gateway = self.reply.status != 400
            && (in_code || said.is(text::MISSING_TOKEN.known) && !code.starts_with("AccessDenied"));
        match &self.sent.auth {
            Auth::None if self.sent.method == "OPTIONS" => {
                self.push(Cause::PreflightNeedsSignature);
                self.no_such_route(Certainty::Possible);
            }
            Auth::None => {
                self.push(Cause::NotSigned);
                if api_gateway {
                    self.no_such_route(Certainty::Possible);
                }
            }
            Auth::Other { .. } => self.push(Cause::OtherAuthorization),
            Auth::Signed | Auth::Presigned => {
                if api_gateway {
                    self.no_such_route(Certainty::Likely);
                }
                self.likely(Cause::SignatureLost);
            }
            _ if api_gateway => {
                self.no_such_route(Certainty::Likely);
                self.possible(&[Cause::NotSigned, Cause::SignatureLost, Cause::PreflightNeedsSignature]);
            }
            _ => self.push_all(Certainty::Likely, &[Cause::NotSigned, Cause::SignatureLost, Cause::OtherAuthorization]),
        }
    }

    fn not_key_value(&mut self, said: &Said) {
        if !said.holds(text::NOT_KEY_VALUE) {
            return;
        }
        // The response echoes the header or its hash.
        let echoed = said.after(text::ECHOED_HEADER).unwrap_or_default();
        let is_ours = echoed.starts_with("aws4-");
        if is_ours || echoed.starts_with("authorization:") {
            let doubled = echoed.contains("authorization:");
            match doubled {
                true => self.push(Cause::MalformedAuthorization),
                false => self.likely(Cause::WhitespaceInCredentials),
            }
        } else {
            self.other_authorization();
            let is_other_scheme =
                ["bearer", "basic", "token", "digest"].iter().any(|scheme| echoed.starts_with(scheme));
            if !is_other_scheme && !matches!(self.sent.auth, Auth::Other { .. }) {
                self.possible(&[Cause::WhitespaceInCredentials]);
            }
        }
    }

    fn missing_parameters(&mut self, said: &Said) {
        if !said.starts_with(text::HEADER_REQUIRES) {
            return;
        }
        let missing = ["'Credential'", "'Signature'", "'SignedHeaders'"].iter().filter(|name| said.holds(name));
        match missing.count() {
            0 => self.push(Cause::DateMalformed),
            3 => self.other_authorization(),
            _ => self.push(Cause::MalformedAuthorization),
        }
    }

    /// Handles an authorization that is not a signature.
    pub(super) fn other_authorization(&mut self) {
        match self.sent.auth {
            Auth::Other { .. } => self.push(Cause::OtherAuthorization),
            _ => self.likely(Cause::OtherAuthorization),
        }
        if self.sent.is_signed() {
            self.possible(&[Cause::SignatureLost]);
        }
        // Only API Gateway answers so for a route that it doesn't have.
        let endpoint = Endpoint::parse(&self.sent.host);
        if endpoint.is_none_or(|endpoint| endpoint.service() == "execute-api") {
            self.no_such_route(Certainty::Possible);
        }
    }

    pub(super) fn no_such_route(&mut self, certainty: Certainty) {
        let Sent { method, path, host, .. } = self.sent;
        if method.is_empty() {
            self.push_as(certainty, Cause::NoSuchRoute);
        } else {
            let route = alloc::format!("{method} {path}");
            let on_host =
                if host.is_empty() { String::new() } else { alloc::format!(" on {}", excerpt(host.as_bytes())) };
            self.push_with(certainty, Cause::NoSuchRoute, excerpt(route.as_bytes()) + &on_host);
        }
    }

    pub(super) fn scope(&mut self, said: &Said) {
        self.generic_scope(said);
        self.s3_scope(said);
        self.scope_date(said);
        if said.holds(text::VALID_TERMINATOR) || said.holds(text::INCORRECT_TERMINAL) {
            self.push(Cause::ScopeMalformed);
        }
    }

    fn generic_scope(&mut self, said: &Said) {
        if said.holds(text::VALID_REGION) && self.needs_sigv4a() {
            self.push_with(Certainty::Observed, Cause::SigV4aRequired, shown(&self.sent.host));
        } else if said.holds(text::VALID_REGION) {
            let got = said.quoted_after(&[text::VALID_REGION, text::NOT].concat());
            let expected = self.region_to_use(got.unwrap_or(&self.sent.region));
            self.push(Cause::WrongRegion { expected });
        }
        if said.holds(text::REGION_SET_MISMATCH.known) {
            let expected = self.reply.element("RequestedRegion").map(shown);
            self.push(Cause::WrongRegion { expected });
        }
        if said.holds(text::REGION_SET_REGION) {
            self.push(Cause::WrongRegion { expected: self.region_to_use("") });
        }
        if let Some(service) = said.quoted_after(text::CORRECT_SERVICE) {
            self.push(Cause::WrongService { expected: Some(shown(service)) });
        }
    }

    /// These answer a signature for one region with the region to which the request happened to be routed.
    fn needs_sigv4a(&self) -> bool {
        let host = self.sent.host.as_str();
        let of_several_regions =
            host.contains(".mrap.accesspoint.s3-global.") || host.contains(".cloudfront-kvs.global.");
        of_several_regions && !self.sent.region.is_empty()
    }

    fn s3_scope(&mut self, said: &Said) {
        if said.holds(text::REGION_IS_WRONG) && self.needs_sigv4a() {
            self.push_with(Certainty::Observed, Cause::SigV4aRequired, shown(&self.sent.host));
        } else if said.holds(text::REGION_IS_WRONG) {
            let expected = said.quoted_after(text::REGION_IS_WRONG).or(self.reply.element("Region"));
            self.push(Cause::WrongRegion { expected: expected.map(shown) });
        }
        if said.holds(text::INCORRECT_SERVICE) {
            let expected = said.quoted_after(text::BELONGS_TO).map(shown);
            self.push(Cause::WrongService { expected });
        }
        // The response to a HEAD request has no body, only this header.
        if let Some(region) = self.reply.hint("x-amz-bucket-region")
            && !self.sent.region.is_empty()
            && region != self.sent.region
        {
            let evidence = alloc::format!("x-amz-bucket-region: {}", shown(region));
            self.push_with(Certainty::Observed, Cause::WrongRegion { expected: Some(shown(region)) }, evidence);
        }
    }

    fn scope_date(&mut self, said: &Said) {
        // `… from HTTP: '20260829' != '20260830', from '20260830T005204Z'.`
        if let Some(signed) = said.quoted_after(text::DATE_FROM_HTTP) {
            let expected = said.quoted_after(text::DATES_DIFFER).map(shown);
            self.push(Cause::ScopeDate { signed: Some(shown(signed)), expected });
        }
        if said.holds(text::INVALID_DATE) || said.holds(text::INCORRECT_DATE_FORMAT) {
            let invalid = said.quoted_after(&[text::INVALID_DATE, " "].concat());
            let signed = invalid.or_else(|| said.quoted_after(text::INCORRECT_DATE_FORMAT));
            let expected = said.quoted_after(text::SAME_AS_DATE).and_then(|time| time.get(..8));
            self.push(Cause::ScopeDate { signed: signed.map(shown), expected: expected.map(shown) });
        }
    }

    /// Returns the region from the host name, for messages that contain only the wrong region.
    pub(super) fn region_to_use(&self, wrong: &str) -> Option<String> {
        let host = self.sent.host.as_str();
        let endpoint = Endpoint::parse(host);
        let in_endpoint = endpoint.as_ref().and_then(Endpoint::region).filter(|region| is_region(region));
        // The endpoint of a service that isn't listed. From the end: a bucket may be named like a region.
        let in_host = || host.rsplit('.').find(|label| is_region(label));
        let global = || global_region(&self.sent.service, &AWS);
        let region = in_endpoint.or_else(in_host).or_else(global);
        region.filter(|region| *region != wrong).map(|region| excerpt(region.as_bytes()))
    }

    pub(super) fn keys(&mut self, said: &Said) {
        let token_was_sent = self.sent.session_token().is_some();
        let id = match self.sent.access_key_id.as_str() {
            "" => self.reply.element("AWSAccessKeyId").unwrap_or_default(),
            id => id,
        };
        let is_temporary = id.starts_with("ASIA") || id.starts_with("STS.");
        let without_token = is_temporary && !token_was_sent;
        let unknown_client =
            self.reply.code.starts_with("UnrecognizedClient") || self.reply.code == "InvalidClientTokenId";
        let unknown_key = said.holds(text::UNKNOWN_KEY.known);
        let of_token_id = self.reply.code == "InvalidTokenId";
        if unknown_key || unknown_client || !of_token_id && said.starts_with(text::SECURITY_TOKEN_INVALID.known) {
            if without_token {
                self.likely(Cause::TokenMissing);
            }
            // If the message ends with a full stop, the key is unknown; otherwise, the token (if any) is invalid.
            if !unknown_key && (token_was_sent || self.sent.auth == Auth::Unknown) {
                let of_the_token = said.ends_with("is invalid");
                let mut causes = [Cause::UnknownAccessKey, Cause::TokenInvalid];
                if of_the_token {
                    causes.reverse();
                }
                self.push_all(Certainty::Likely, &causes);
            }
            match unknown_key && !without_token {
                true => self.push(Cause::UnknownAccessKey),
                false => self.likely(Cause::UnknownAccessKey),
            }
            if self.sent.auth == Auth::Unknown {
                self.possible(&[Cause::TokenMissing]);
            }
        }
        if self.reply.code == "InvalidTokenId" {
            match token_was_sent {
                true => self.push(Cause::TokenInvalid),
                false => self.push_all(Certainty::Likely, &[Cause::TokenMissing, Cause::TokenInvalid]),
            }
            return;
        }
        if self.reply.code == "AuthFailure" {
            // EC2 answers so for a wrong clock, too; only the `Date` header tells.
            let causes = [Cause::UnknownAccessKey, Cause::WrongSecret];
            match self.reply.clock_offset(self.sent) {
                Some(offset) if offset.abs() > 5 * 60 => {
                    self.clock(Some(offset));
                    self.possible(&causes);
                }
                Some(_) => self.push_all(Certainty::Likely, &causes),
                None => {
                    self.push_all(Certainty::Likely, &causes);
                    self.possible(&[Cause::ClockSkew { offset: None }]);
                }
            }
        }
    }
}
