//! What a person pasted: a response, and what is known of the request.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign::explain::{Explanation, Sent};
use countersign::{Payload, Rules, SessionTokenName, Signer};
use serde::Deserialize;
use serde_json::Value;

use super::plain::{Context, Location};
use super::wire::Wire;
use super::{Difference, HeaderValue, Remark, Remarks, Request, from_base64};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    id: String,
    #[serde(flatten)]
    _remarks: Remarks,
    #[serde(default, rename = "policy")]
    _policy: Remark,
    sent: Option<SentAs>,
    response: Response,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SentAs {
    request: Request,
    /// Of a request that is signed here. Without it, the request is as it was sent.
    #[serde(default)]
    context: Option<Context>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Response {
    status: u16,
    headers: Vec<(String, HeaderValue)>,
    #[serde(rename = "body_b64", deserialize_with = "from_base64")]
    body: Vec<u8>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    /// One of them is the cause of the first finding.
    first: Vec<String>,
    #[serde(default)]
    values: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    never: Option<Vec<String>>,
}

impl Explain {
    pub fn run(&self) -> Result<(), Box<Difference>> {
        let differs = |stage: &str, expected: &dyn std::fmt::Debug, got: String| {
            Err(Difference::new(&self.id, stage, format!("{expected:?}"), got))
        };
        let explanation = self.explanation()?;
        let names: Vec<&str> = explanation.findings().map(|finding| finding.cause().name()).collect();
        let Some(first) = explanation
            .findings()
            .next()
            .filter(|first| self.expect.first.iter().any(|expected| expected == first.cause().name()))
        else {
            return differs("first finding", &self.expect.first, names.join(", "));
        };
        for (name, expected) in self.expect.values.iter().flatten() {
            let expected = expected.as_str().map_or_else(|| expected.to_string(), str::to_owned);
            let got = first.cause().values().into_iter().find(|(found, _)| found == name).map(|(_, value)| value);
            if got.as_deref() != Some(&expected) {
                return differs(name, &expected, got.unwrap_or_default());
            }
        }
        match self.expect.never.iter().flatten().find(|never| names.contains(&never.as_str())) {
            Some(never) => differs("a finding that contradicts what is known", &self.expect.first, never.clone()),
            None => Ok(()),
        }
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    pub fn explanation(&self) -> Result<Explanation, Box<Difference>> {
        let headers: Vec<(&str, &[u8])> =
            self.response.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        Ok(Explanation::from_response(self.response.status, &headers, &self.response.body, self.sent()?))
    }

    fn sent(&self) -> Result<Sent, Box<Difference>> {
        let Some(sent) = &self.sent else { return Ok(Sent::default()) };
        let wire = Wire::of(&sent.request);
        let Some(context) = &sent.context else { return Ok(wire.with_view(|request| Sent::from(&request))) };
        let unusable = |error: String| Difference::new(&self.id, "signing", "a request that can be signed", error);
        let (credentials, now) = (context.credentials(&self.id)?, context.timestamp(&self.id)?);
        let mut rules = Rules::for_service(&context.service);
        if !context.double_encode {
            (rules.normalize_path, rules.double_encode_path) = (context.normalize_path, false);
        }
        rules.content_sha256_header |= context.payload.ends_with("+header");
        let is_express = context.service == "s3express";
        rules.session_token =
            if is_express { SessionTokenName::S3SessionToken } else { SessionTokenName::SecurityToken };
        let signer = match context.is_sigv4a() {
            true => Signer::sigv4a(credentials, &context.region, &context.service),
            false => Signer::new(credentials, &context.region, &context.service),
        };
        let signer = signer.map_err(|error| unusable(error.to_string()))?.with_rules(rules);
        let payload = match context.payload.trim_end_matches("+header") {
            "unsigned" => Payload::Unsigned,
            _ => Payload::Bytes(&sent.request.body),
        };
        wire.with_view(|request| match context.location {
            Location::Header => signer.sign(request, payload, now).map(|signed| Sent::from(&signed)),
            Location::Query => signer
                .presign(request, Duration::from_secs(context.expires.unwrap_or(900)), now)
                .map(|presigned| Sent::from(&presigned)),
        })
        .map_err(|error| unusable(error.to_string()))
    }
}
