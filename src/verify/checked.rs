use alloc::boxed::Box;
use alloc::vec::Vec;

use super::body::SignedPayload;
use super::compare::Hosts;
use super::error::VerifyError;
use super::in_query::HeadersInQuery;
use super::key::{Found, VerifyingKey};
use super::payload::{Body, PayloadMode, proven_payload};
use super::presented::Presented;
use super::received::Received;
use super::verified::VerifiedHead;
use super::verifier::Verifier;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::rules::Rules;
use crate::sigv4::signing_key::AnyKey;
use crate::sigv4::timestamp::Timestamp;
use crate::text::wiped::Wiped;

/// What passed every check that needs no key.
#[derive(Clone)]
pub(super) struct Checked<'a> {
    pub(super) verifier: &'a Verifier,
    pub(super) presented: Presented<'a>,
    /// The rules of the service in the scope.
    pub(super) rules: &'a Rules,
    pub(super) in_query: HeadersInQuery,
    pub(super) hosts: Hosts<'a>,
    /// The region and service of the scope; the region is empty for SigV4A.
    pub(super) scope: (&'a str, &'a str),
    pub(super) payload: PayloadMode,
    /// The hash of the body, if it was passed in.
    pub(super) body_sha256: Option<[u8; 32]>,
    pub(super) now: Timestamp,
}

impl<'a> Checked<'a> {
    /// `start` is the canonical request up to the payload line.
    pub(super) fn prove_with_credentials(
        &self,
        start: Wiped<Vec<u8>>,
        found: Option<&Credentials>,
    ) -> Result<Proven<'a>, VerifyError> {
        let (body, claims) = (self.body()?, &self.presented.claims);
        Found::with_credentials(found, claims, &claims.scope(), |found| self.prove(start, &body, found))
    }

    /// The same with a key.
    pub(super) fn prove_with_key(
        &self,
        start: Wiped<Vec<u8>>,
        found: Option<&VerifyingKey>,
    ) -> Result<Proven<'a>, VerifyError> {
        let body = self.body()?;
        Found::with_key(found, &self.presented.claims, |found| self.prove(start, &body, found))
    }

    /// Checked before a key is derived: without the body, that would be for nothing.
    fn body(&self) -> Result<Body<'_>, VerifyError> {
        self.payload.body(&self.presented, self.body_sha256)
    }

    fn prove(&self, start: Wiped<Vec<u8>>, body: &Body<'_>, found: &Found<'_>) -> Result<Proven<'a>, VerifyError> {
        found.compare(&self.presented.claims, self.now, |key| {
            let matched = self.compare(start, body, key)?;
            let payload = proven_payload(&self.presented, body.payload, &matched);
            self.payload.check_body(payload, self.body_sha256)?;
            let key = payload.is_streaming().then(|| Box::new(key.clone()));
            Ok(Proven { host: matched.host, payload, key, expires_at: found.expires_at })
        })?
    }

    /// Keeps what a verified request shows. It is moved once, directly to where the result is stored.
    #[inline(always)]
    pub(super) fn into_head(self, proven: Proven<'a>) -> VerifiedHead<'a> {
        VerifiedHead {
            timestamp: self.presented.timestamp,
            request: Received::Whole(self.presented.request),
            claims: self.presented.claims,
            in_query: self.in_query,
            host: proven.host.into(),
            payload: proven.payload,
            key: proven.key,
            credentials_expire_at: proven.expires_at,
            rules: *self.rules,
            limits: self.verifier.limits,
        }
    }
}

/// What is proven about a request, except for a body that was not passed in.
pub(super) struct Proven<'a> {
    host: &'a [u8],
    payload: SignedPayload,
    /// For bodies sent in chunks or messages.
    key: Option<Box<AnyKey>>,
    expires_at: Option<Timestamp>,
}
