use core::fmt;

use super::checks::{Hosts, PayloadMode, check_body, proven_payload};
use super::error::VerifyError;
use super::in_query::HeadersInQuery;
use super::key::{Found, VerifyingKey};
use super::presented::Presented;
use super::verified::{Received, VerifiedHead, VerifiedRequest};
use super::verifier::Verifier;
use crate::hash::sha256;
use crate::redact::REDACTED;
use crate::sigv4::authorization::Claims;
use crate::sigv4::canonical_request::SignedHeaderList;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::rules::Rules;
use crate::sigv4::scope::Scope;
use crate::sigv4::timestamp::Timestamp;

/// A request that passed every check for which no key is needed. It proves nothing: everything here may be forged.
/// [`Verifier::parse`] makes it.
///
/// With access key id and session token the caller looks up the credentials, and hands over what was found, also if that
/// is nothing: the answer then takes as long as for a wrong signature. There are two ways on, and which to take depends on
/// the body:
///
/// - It is at hand, or there is none: [`UnverifiedRequest::with_body`], then [`UnverifiedWithBody::verify`].
/// - It is still to arrive: [`UnverifiedRequest::verify_head`], whose result holds the ways to check it.
///
/// ```
/// use countersign::{Credentials, Payload, Request, Signer, Verifier};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// let now = "20150830T123600Z".parse()?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "execute-api")?;
/// # let request = Request::new("POST", "/dev/items", &[]).with_host("example.com");
/// # let signed = signer.sign(request, Payload::Bytes(b"{}"), now)?;
/// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// # let (request, body) = (Request::new("POST", "/dev/items", &headers).with_host("example.com"), b"{}");
/// let verifier = Verifier::new("us-east-1", "execute-api")?;
/// let unverified = verifier.parse(&request, now)?;
/// assert_eq!((unverified.access_key_id(), unverified.session_token()), ("AKIDEXAMPLE", None));
/// let found = Some(&credentials); // of a database, by these two
/// let verified = unverified.with_body(body).verify(found)?;
/// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing is verified yet: go on with `with_body` or `verify_head`"]
pub struct UnverifiedRequest<'a> {
    pub(super) verifier: &'a Verifier,
    pub(super) presented: Presented<'a>,
    /// Of the service that the scope names.
    pub(super) rules: &'a Rules,
    /// As they arrived, in order.
    pub(super) headers: SignedHeaderList<'a>,
    pub(super) in_query: HeadersInQuery,
    pub(super) hosts: Hosts<'a>,
    pub(super) payload: PayloadMode,
    pub(super) now: Timestamp,
}

impl<'a> UnverifiedRequest<'a> {
    /// Takes the whole body; `b""` if there is none. It is hashed here and compared while verifying.
    pub fn with_body(self, body: &[u8]) -> UnverifiedWithBody<'a> {
        self.with_body_sha256(sha256(body))
    }

    /// Takes the SHA-256 that the caller computed of the body it received. Never one that the request itself names.
    pub fn with_body_sha256(self, body_sha256: [u8; 32]) -> UnverifiedWithBody<'a> {
        UnverifiedWithBody { request: self, body_sha256 }
    }

    /// Verifies the signature with the credentials that were found for access key id and session token, and leaves the
    /// body to be checked when it arrives.
    ///
    /// # Errors
    /// [`VerifyError`]; [`VerifyError::BodyNeeded`] where the signature covers the body and no `x-amz-content-sha256` says
    /// its hash, which is everywhere but at S3 and its like: there the body has to be read first.
    pub fn verify_head(self, found: Option<&Credentials>) -> Result<VerifiedHead<'a>, VerifyError> {
        self.verify_by(None, |claims, now| Found::of_credentials(found, claims, &claims.scope(), now))
    }

    /// [`UnverifiedRequest::verify_head`] with a key instead of credentials.
    ///
    /// # Errors
    /// Those of [`UnverifiedRequest::verify_head`].
    pub fn verify_head_with_key(self, found: Option<&VerifyingKey>) -> Result<VerifiedHead<'a>, VerifyError> {
        self.verify_by(None, |claims, now| Found::of_key(found, claims, now))
    }

    /// Who claims to have signed. It may hold a `/`.
    pub fn access_key_id(&self) -> &str {
        self.presented.claims.access_key_id()
    }

    /// The session token, from header or query. Look up key and token together: a token issued for another key is invalid.
    pub fn session_token(&self) -> Option<&str> {
        self.presented.claims.session_token()
    }

    /// The scope it claims to be signed for: one that the verifier accepts.
    pub fn scope(&self) -> Scope<'_> {
        self.presented.claims.scope()
    }

    fn verify_by<'k>(
        self,
        body_sha256: Option<[u8; 32]>,
        find: impl FnOnce(&Claims<'_>, Timestamp) -> Found<'k>,
    ) -> Result<VerifiedHead<'a>, VerifyError> {
        let Self { verifier, presented, rules, headers, in_query, hosts, payload, now } = self;
        let (payload, lines) = payload.lines(&presented, body_sha256)?;
        let found = find(&presented.claims, now);
        let mut headers: SignedHeaderList<'_> = headers;
        in_query.add_to(&mut headers);
        let (matched, computed) = verifier.compare(&presented, rules, &mut headers, lines, &found.key, hosts);
        found.standing?;
        let matched = matched.ok_or(VerifyError::SignatureMismatch { computed })?;
        let payload = proven_payload(&presented, payload, &matched);
        check_body(payload, body_sha256)?;
        let host = matched.host.into();
        let key = payload.is_streaming().then(|| found.key.into_owned());
        let Presented { request, claims, timestamp, .. } = presented;
        Ok(VerifiedHead {
            claims,
            timestamp,
            request: Received::Whole(request),
            in_query,
            host,
            payload,
            key,
            credentials_expire_at: found.expires_at,
            rules: *rules,
            limits: verifier.limits,
        })
    }
}

impl fmt::Debug for UnverifiedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnverifiedRequest")
            .field("request", &self.presented.request)
            .field("access_key_id", &self.access_key_id())
            .field("scope", &self.scope())
            .field("timestamp", &self.presented.timestamp)
            .field("signed_headers", &self.presented.claims.signed_headers())
            .field("session_token", &self.session_token().map(|_| REDACTED))
            .finish_non_exhaustive()
    }
}

/// An [`UnverifiedRequest`] with its whole body, or the hash of it.
#[derive(Debug, Clone)]
#[must_use = "nothing is verified yet: go on with `verify`"]
pub struct UnverifiedWithBody<'a> {
    request: UnverifiedRequest<'a>,
    body_sha256: [u8; 32],
}

impl<'a> UnverifiedWithBody<'a> {
    /// Verifies signature and body with the credentials that were found for access key id and session token.
    ///
    /// `None`, or credentials with another id, token or an expiration in the past, are refused after the same work as a
    /// wrong signature. So the time of an answer doesn't tell whether an access key exists. A server whose answers must not
    /// tell either replaces [`VerifyError::UnknownAccessKey`] with [`VerifyError::SignatureMismatch`].
    ///
    /// With SigV4A it derives a key pair, which takes about as long as verifying. A server that minds keeps a
    /// [`VerifyingKey`] of each access key.
    ///
    /// # Errors
    /// [`VerifyError`], with AWS's wording for the client and the reason for the operator;
    /// [`VerifyError::BodyIsStreamed`] if the body is sent in chunks or messages, which [`UnverifiedRequest::verify_head`] is
    /// for.
    pub fn verify(self, found: Option<&Credentials>) -> Result<VerifiedRequest<'a>, VerifyError> {
        let Self { request, body_sha256 } = self;
        let find = |claims: &Claims<'_>, now| Found::of_credentials(found, claims, &claims.scope(), now);
        request.verify_by(Some(body_sha256), find).map(VerifiedRequest::of_proven)
    }

    /// [`UnverifiedWithBody::verify`] with a key instead of credentials.
    ///
    /// # Errors
    /// Those of [`UnverifiedWithBody::verify`].
    pub fn verify_with_key(self, found: Option<&VerifyingKey>) -> Result<VerifiedRequest<'a>, VerifyError> {
        let Self { request, body_sha256 } = self;
        request
            .verify_by(Some(body_sha256), |claims, now| Found::of_key(found, claims, now))
            .map(VerifiedRequest::of_proven)
    }
}
