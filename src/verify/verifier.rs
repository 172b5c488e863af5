use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::body::SignedBody;
use super::checks::{check_body, check_presence, check_standing};
use super::error::VerifyError;
use super::unverified::Presented;
use super::verified::Verified;
use crate::sigv4::canonical_request::SignedHeaderList;
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::scope::{Scope, ScopeError};
use crate::sigv4::signing_key::{SigningKey, VerifyingKey};
use crate::sigv4::timestamp::Timestamp;

/// Verifies requests for one region and service.
///
/// These are its checks, in the order in which they run. [`Presented::parse`] does the first eight:
///
/// 1. Method, target and headers can be those of an HTTP message, and are within the limits: 1024 headers, 1024 query
///    parameters, 65536 bytes of path and query. The target is path and query without a `#`, or `*`. There is at most
///    one `Host`.
/// 2. `Authorization`, `x-amz-date`, `date`, `x-amz-content-sha256` and the session token stand there at most once.
/// 3. There is a signature, in the header or in the query, not in both.
/// 4. The algorithm is `AWS4-HMAC-SHA256`, or SigV4A's `AWS4-ECDSA-P256-SHA256` (feature `sigv4a`), which
///    [`Verifier::verify`] refuses unless it is told to take it; the latter has a region set.
/// 5. The `Authorization` header (at most 65536 bytes) or the query has all parameters, each once, and no others.
/// 6. The signed headers are at most 1024 lower-case names in ascending order, each once; the credential has an access
///    key id and four parts of a scope, with SigV4A three; the signature is 64 lower-case hexadecimal digits, with SigV4A
///    DER.
/// 7. The time is there and of the form `YYYYMMDDTHHMMSSZ` (a `date` header also as HTTP writes it), and
///    `X-Amz-Expires` is a number.
/// 8. `x-amz-content-sha256`, if there, is a hash or a known literal, and the same in header and query.
///
/// [`Verifier::verify`] does the others:
///
/// 9. An `Authorization` header of another kind beside a presigned query is refused, unless
///    [`Verifier::ignore_foreign_authorization`].
/// 10. `host`, every `x-amz-*` header that arrived and the headers of [`Verifier::require_signed`] are signed. Exempt
///     are `x-amz-content-sha256`, which the payload line binds, and the session token where the rules say that it is
///     added after signing.
/// 11. Every header that is named as signed is there.
/// 12. A presigned URL has a lifetime from 1 second to [`Limits::max_presign`], has not ended, and is not signed for
///     more than 15 minutes ahead; any other request was signed within `max_skew` of now.
/// 13. The scope has the date of that time, the region and service of this verifier, and ends in `aws4_request`; with
///     SigV4A the region set names the region.
/// 14. What stands for the body is something that the rules take, and the body is given where its hash isn't.
/// 15. The access key is known, the session token is the key's own, and it has not ended (if the key came from
///     [`Presented::derive_key`]); found out earlier, and said only after the work of 16.
/// 16. The signature is the one of this request and key, compared in constant time.
/// 17. The body, if it was given, is the one that was signed.
///
/// What stays with the caller: finding the key by access key id *and* session token; reading no more of the body than
/// it wants to; checking a body that was not given beforehand ([`Verified::check_body`]); that the same signed request
/// may come twice within its time; what the signer is allowed to do; and going by the `Host` header that was signed, not
/// by another authority (`:authority`, an absolute URI) that came beside it.
///
/// ```
/// use countersign::{Credentials, Payload, Presented, Signer, Verifier};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// let now = "20150830T123600Z".parse()?;
/// let mut request = http::Request::get("https://example.com/dev/get-list").body(())?;
/// Signer::new(credentials.clone(), "us-east-1", "execute-api")?.sign_http(&mut request, Payload::EMPTY, now)?;
///
/// let verifier = Verifier::new("us-east-1", "execute-api")?;
/// let presented = Presented::parse(&request)?.with_body(b"");
/// let key = presented.derive_key(Some(&credentials)); // of whom presented.access_key_id() names
/// let verified = verifier.verify(presented, &key, now)?;
/// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
///
/// request.headers_mut().insert("x-amz-acl", "public-read".parse()?);
/// let presented = Presented::parse(&request)?;
/// let error = verifier.verify(presented, &key, now).unwrap_err();
/// assert_eq!(error.to_string(), "headers that have to be signed are not: x-amz-acl");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Verifier {
    pub(super) region: String,
    pub(super) service: String,
    pub(crate) rules: Rules,
    pub(crate) limits: Limits,
    pub(super) external_hosts: Vec<String>,
    pub(super) required: Vec<String>,
    pub(super) ignore_foreign_authorization: bool,
    pub(super) echo: Echo,
    pub(super) sigv4a: bool,
}

/// Whether a mismatch says what was computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    Nothing,
    Redacted,
    Raw,
}

impl Verifier {
    /// A verifier with the rules of the service: region and service as they have to be in the scope. With an empty region
    /// it accepts an empty region only.
    ///
    /// # Errors
    /// [`ScopeError`], as for [`Scope::new`].
    pub fn new(region: impl Into<String>, service: impl Into<String>) -> Result<Self, ScopeError> {
        let (region, service) = (region.into(), service.into());
        Scope::new("00000000", &region, &service)?;
        Ok(Self::unchecked(region, service))
    }

    /// For names that arrived.
    pub(crate) fn unchecked(region: String, service: String) -> Self {
        Self {
            region,
            rules: Rules::for_service(&service),
            limits: Limits::DEFAULT,
            service,
            external_hosts: Vec::new(),
            required: Vec::new(),
            ignore_foreign_authorization: false,
            echo: Echo::Nothing,
            sigv4a: false,
        }
    }

    /// Other rules than those of the service.
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Other limits than the default ones.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The names (with port, if it isn't the scheme's default one) that clients know this server by, for a server
    /// behind a proxy that rewrites `Host`. A signature for any of them is good; the `Host` that arrives no longer
    /// counts.
    pub fn with_external_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.external_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Names headers that have to be signed if a request has them, because something behind this verifier trusts them.
    pub fn require_signed<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// Lets an `Authorization` header of another kind (`Bearer`, `Basic`) stand beside a presigned query; it is not
    /// looked at.
    pub fn ignore_foreign_authorization(mut self) -> Self {
        self.ignore_foreign_authorization = true;
        self
    }

    /// Lets a mismatch say which canonical request and string to sign this verifier computed, as AWS does, with session
    /// tokens, cookies and customer keys redacted. It tells a client nothing that it didn't send.
    pub fn echo_computed(mut self) -> Self {
        self.echo = Echo::Redacted;
        self
    }

    /// Like [`Verifier::echo_computed`], with nothing redacted: for a local gateway whose answers no log keeps.
    pub fn echo_computed_raw(mut self) -> Self {
        self.echo = Echo::Raw;
        self
    }

    /// Verifies the signature with the key that was found for it, at the time `now`.
    ///
    /// # Errors
    /// [`VerifyError`], with AWS's words for the client and the reason for the operator.
    pub fn verify<'a>(
        &self,
        presented: Presented<'a>,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        self.verify_by(presented, &VerifyingKey::Signing(Cow::Borrowed(key)), now)
    }

    pub(crate) fn accepting_sigv4a(mut self) -> Self {
        self.sigv4a = true;
        self
    }

    pub(super) fn verify_by<'a>(
        &self,
        presented: Presented<'a>,
        key: &VerifyingKey<'_>,
        now: Timestamp,
    ) -> Result<Verified<'a>, VerifyError> {
        self.check_algorithm(&presented)?;
        self.check_mechanism(&presented)?;
        let mut headers = SignedHeaderList::new();
        self.check_coverage(&presented, &mut headers)?;
        check_presence(&presented, &headers)?;
        self.check_time(&presented, now)?;
        self.check_scope(&presented)?;
        let (body, lines) = self.check_payload(&presented)?;

        let (matches, computed) = self.compare(&presented, &mut headers, lines, key)?;
        check_standing(key.standing(), presented.access_key_id(), now)?;
        if !matches {
            return Err(VerifyError::SignatureMismatch { computed });
        }
        check_body(&presented, body)?;
        let key = matches!(body, SignedBody::Streaming(_)).then(|| key.to_owned());
        Ok(Verified { presented, body, key, rules: self.rules, limits: self.limits })
    }
}
