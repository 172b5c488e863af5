//! A request as it arrives, and whether a verifier may take it.

use std::time::Duration;

use countersign::{Credentials, Rules, Timestamp, Verifier};
use serde::Deserialize;

use super::wire::Wire;
use super::{Difference, Outcome, Remark, Remarks, Request};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyReject {
    pub id: String,
    #[serde(flatten)]
    _remarks: Remarks,
    pub expect: Verdict,
    #[serde(default, rename = "reason")]
    _reason: Remark,
    #[serde(default, rename = "policy")]
    _policy: Remark,
    #[serde(default, rename = "aws")]
    _aws: Remark,
    #[serde(default, rename = "mac_valid")]
    _mac_valid: Remark,
    #[serde(default, rename = "base")]
    _base: Remark,
    #[serde(default, rename = "format")]
    _format: Remark,
    request: Request,
    server: Server,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Accept,
    Refuse,
    Either,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    now: String,
    region: String,
    service: String,
    credentials: Vec<Known>,
    max_skew_seconds: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    access_key: String,
    secret_key: String,
    session_token: Option<String>,
}

impl VerifyReject {
    /// Whether its chunks have to be checked one by one.
    pub fn is_streamed(&self) -> bool {
        Wire::of(&self.request).is_streamed()
    }

    pub fn service(&self) -> &str {
        &self.server.service
    }

    pub fn run(&self) -> Result<Outcome, Box<Difference>> {
        let mut rules = Rules::for_service(&self.server.service);
        rules.max_skew = Duration::from_secs(self.server.max_skew_seconds);
        // Cases are short, and S3's minimum of 8 KiB is a column of its own.
        if self.expect != Verdict::Refuse {
            rules.min_chunk_size = 1;
        }
        self.run_with(rules)
    }

    pub fn run_with(&self, rules: Rules) -> Result<Outcome, Box<Difference>> {
        let unusable = |what: &'static str| {
            move |error: &dyn std::fmt::Display| Difference::new(&self.id, what, "something usable", error.to_string())
        };
        let mut known = Vec::new();
        for credentials in &self.server.credentials {
            let mut usable = Credentials::new(&credentials.access_key, &credentials.secret_key)
                .map_err(|error| unusable("server.credentials")(&error))?;
            if let Some(token) = &credentials.session_token {
                usable = usable.with_session_token(token).map_err(|error| unusable("server.credentials")(&error))?;
            }
            known.push(usable);
        }
        let now: Timestamp = self.server.now.parse().map_err(|error| unusable("server.now")(&error))?;
        let verifier = Verifier::new(&self.server.region, &self.server.service).unwrap().with_rules(rules);
        let verdict = match verify(&Wire::of(&self.request), &verifier, &known, now) {
            Some(verdict) => verdict,
            None => return Ok(Outcome::Skipped),
        };
        match (self.expect, verdict) {
            (Verdict::Accept, Err(error)) => Err(Difference::new(&self.id, "verifying", "accepted", error)),
            (Verdict::Refuse, Ok(())) => Err(Difference::new(&self.id, "verifying", "refused", "accepted")),
            _ => Ok(Outcome::Passed),
        }
    }
}

/// With the body; `None` if this build can't read its chunks.
fn verify(wire: &Wire, verifier: &Verifier, known: &[Credentials], now: Timestamp) -> Option<Result<(), String>> {
    if !wire.is_streamed() {
        return Some(wire.verify(verifier, known, now).map_err(|error| error.to_string()));
    }
    #[cfg(feature = "streaming")]
    let verdict = Some(wire.decode(verifier, known, now, &wire.body).map(drop).map_err(|error| error.to_string()));
    #[cfg(not(feature = "streaming"))]
    let verdict = wire.verify_seed(verifier, known, now).err().map(|error| Err(error.to_string()));
    verdict
}
