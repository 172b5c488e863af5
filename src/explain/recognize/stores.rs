//! The wording of stores that are compatible with S3, and of services that say more than their code.

use super::Found;
use crate::aws_error::read::Said;
use crate::explain::cause::Cause;
use crate::explain::certainty::Certainty;
use crate::explain::sent::Auth;
use crate::explain::text::shown;

impl Found<'_> {
    pub(super) fn stores(&mut self, said: &Said) {
        self.garage(said);
        self.cloudflare(said);
        self.oracle(said);
        self.other_regions(said);
        self.region_of_store(said);
        if said.holds("-PAYLOAD") && (said.holds("not implemented") || said.holds("not supported")) {
            self.push(Cause::ContentSha256);
        }
        if said.holds("require AWS Signature Version 4") {
            match self.sent.auth == Auth::None {
                true => self.push(Cause::NotSigned),
                false => self.push(Cause::SignatureVersion2),
            }
        }
        for (known, causes) in STORES {
            if said.holds(known) {
                self.push_all(Certainty::Observed, causes);
            }
        }
    }

    /// The secret is looked up by key and region.
    fn oracle(&mut self, said: &Said) {
        if !said.holds("The region must be specified if this is not the home region") {
            return;
        }
        let expected = self.sent.host.split('.').rev().nth(2).map(shown);
        match &expected {
            Some(region) if !self.sent.region.is_empty() && *region != self.sent.region => {
                self.push(Cause::WrongRegion { expected });
            }
            _ => self.push_all(Certainty::Likely, &[Cause::UnknownAccessKey, Cause::WrongRegion { expected: None }]),
        }
    }

    fn other_regions(&mut self, said: &Said) {
        if self.reply.code.starts_with("IllegalLocationConstraint") {
            self.push(Cause::WrongRegion { expected: None });
        }
        if let Some(region) = said.name_after("only available in the following Regions: ") {
            let expected = Some(shown(region));
            self.push(Cause::WrongRegion { expected });
        }
    }

    fn garage(&mut self, said: &Said) {
        if said.holds("Forbidden: Invalid signature") {
            self.push(Cause::Mismatch);
        }
        if said.holds("Forbidden: No such key") {
            self.push(Cause::UnknownAccessKey);
        }
        // "unexpected scope: 20260830/us-east-1/s3/aws4_request[, expected: '20260830/garage/s3/aws4_request']"
        if said.holds("unexpected scope: ") {
            let in_text = said.quoted_after("expected: ").and_then(|scope| scope.split('/').nth(1));
            let expected = self.reply.element("Region").or(in_text).map(shown);
            self.push(Cause::WrongRegion { expected });
        }
    }

    fn cloudflare(&mut self, said: &Said) {
        if said.holds("Credential access key has length") {
            self.push(Cause::UnknownAccessKey);
        }
        if self.reply.code == "InvalidRegionName" || said.holds("The region name '") && said.holds("is not valid") {
            let auto = said.holds("auto").then(|| "auto".into());
            self.push(Cause::WrongRegion { expected: auto });
        }
    }

    /// The element that names the region, where the code is about the scope and the text says no more.
    fn region_of_store(&mut self, said: &Said) {
        let about_scope = ["AuthorizationHeaderMalformed", "AuthorizationQueryParametersError"];
        let Some(region) = self.reply.element("Region").filter(|_| about_scope.contains(&self.reply.code.as_str()))
        else {
            return;
        };
        if !region.is_empty() && region != self.sent.region && said.holds("region") {
            self.push_as(Certainty::Observed, Cause::WrongRegion { expected: Some(shown(region)) });
        }
    }
}

/// What stores and services write, by the part of it that does not vary.
const STORES: &[(&str, &[Cause])] = &[
    ("SigV2 authorization is not supported", &[Cause::SignatureVersion2]),
    ("V2 signature authorization mechanism", &[Cause::SignatureVersion2]),
    ("may not be signed using AWS V4", &[Cause::SignatureVersion2, Cause::MalformedAuthorization, Cause::NotSigned]),
    ("Malformed Access Key Id", &[Cause::UnknownAccessKey]),
    ("Access Key Id format you provided is invalid", &[Cause::UnknownAccessKey]),
    ("STS Access Id", &[Cause::TokenMissing]),
    ("Signature does not match.", &[Cause::Mismatch]),
    ("The Signature you specified is invalid", &[Cause::Mismatch]),
    ("Code=InvalidSignature", &[Cause::Mismatch, Cause::ContentSha256]),
    ("No AWSAccessKey was presented", &[Cause::NotSigned, Cause::SignatureLost]),
    ("Anonymous access is forbidden", &[Cause::NotSigned, Cause::SignatureLost]),
    ("Anonymous caller does not have", &[Cause::NotSigned, Cause::SignatureLost]),
    ("Public use of objects is not allowed", &[Cause::NotSigned, Cause::SignatureLost]),
    ("requires the Signature, Expires and AWSAccessKeyId parameters", &[Cause::MalformedAuthorization]),
    ("non-empty region must be provided", &[Cause::WrongRegion { expected: None }]),
    ("non-empty Access Key (AKID) must be provided", &[Cause::MalformedAuthorization]),
    ("authorization header you provided is invalid", &[Cause::MalformedAuthorization]),
    ("information to complete authentication was not provided", &[Cause::MalformedAuthorization]),
    ("x-amz-content-sha256 must be", &[Cause::ContentSha256]),
    ("API Key is valid", &[Cause::OtherAuthorization]),
    ("Bearer Token has expired", &[Cause::OtherAuthorization]),
    ("Authorization Token has expired", &[Cause::OtherAuthorizationExpected]),
    ("Invalid according to Policy", &[Cause::FormPolicy]),
    ("Invalid Policy:", &[Cause::FormPolicy]),
];
