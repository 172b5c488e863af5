//! The wording of stores that are compatible with S3, and of services that say more than their code.

use super::Found;
use crate::aws_error::read::Said;
use crate::explain::cause::Cause;
use crate::explain::certainty::Certainty;
use crate::explain::text::shown;

impl Found<'_> {
    pub(super) fn stores(&mut self, said: &Said) {
        self.garage(said);
        self.cloudflare(said);
        self.region_of_store(said);
        if said.holds("-PAYLOAD") && (said.holds("not implemented") || said.holds("not supported")) {
            self.push(Cause::ContentSha256);
        }
        let needs_sigv4a = ["SigV4A", "Signature Version 4A", "use AWS4-ECDSA-P256-SHA256"];
        if needs_sigv4a.iter().any(|text| said.holds(text)) {
            self.push(Cause::SigV4aRequired);
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
