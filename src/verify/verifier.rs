use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::body::SignedBody;
use super::checks::{Hosts, check_body, check_hops, check_presence, check_standing, proven_body};
use super::error::VerifyError;
use super::unverified::UnverifiedRequest;
use super::verified::{Received, VerifiedRequest};
use crate::sigv4::canonical_request::SignedHeaderList;
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::scope::{Scope, ScopeError};
use crate::sigv4::signing_key::{SigningKey, VerifyingKey};
use crate::sigv4::timestamp::Timestamp;

/// Verifies requests for one region and service.
///
/// These are its checks, in the order in which they run. [`UnverifiedRequest::parse`] does the first eight:
///
/// 1. Method, target and headers can be those of an HTTP message, and are within the limits: 1024 headers, 1024 query
///    parameters, 65536 bytes of path and query. The target is path and query without a `#`, or `*`. There is at most
///    one `Host`.
/// 2. `Authorization`, `x-amz-date`, `date`, `x-amz-content-sha256` and the session token appear at most once.
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
/// 10. A `Host` header and an `:authority` (or the host of an absolute URI) name the same host.
/// 11. `host`, every `x-amz-*` header that arrived and the headers of [`Verifier::require_signed`] are signed. Exempt
///     are `x-amz-content-sha256`, which the payload line binds, the session token where the rules say that it is
///     added after signing, and the headers of [`Verifier::allow_unsigned`].
/// 12. Every header that is named as signed is there.
/// 13. No signed header is named by `Connection`: the next hop would remove it.
/// 14. Signed headers that have one value arrive once: `x-amz-*` except `x-amz-meta-*`, `content-type`, `content-md5`,
///     `range`; unless [`Verifier::accept_repeated_headers`].
/// 15. Where the rules normalise the path, it has no dot segments, unless [`Verifier::accept_dot_segments`].
/// 16. A presigned URL has a lifetime from 1 second to [`Limits::max_presign`], has not ended, and is not signed for
///     more than 15 minutes ahead; any other request was signed within `max_skew` of now.
/// 17. The scope has the date of that time, the region and service of this verifier, and ends in `aws4_request`; with
///     SigV4A the region set names the region.
/// 18. The rules accept what is said of the body. A body is given where its hash is not sent, and is not given where it
///     is sent in chunks or messages, which are checked one by one.
/// 19. The access key is known, the session token is the key's own, and it has not ended (if the key came from
///     [`UnverifiedRequest::derive_key`]); detected earlier but reported only after the work of 20, to avoid a timing side
///     channel.
/// 20. The signature is the one of this request and key, compared in constant time.
/// 21. The body, if it was given, is the one that was signed. A hash beside a signed `UNSIGNED-PAYLOAD` counts only if it is
///     signed itself.
///
/// What stays with the caller: finding the key by access key id *and* session token; reading no more of the body than
/// it wants to; checking a body that was not given beforehand ([`VerifiedRequest::check_body`]); that the same signed request
/// may come twice within its time; what the signer is allowed to do; and going by the `Host` header that was signed, not
/// by another authority (`:authority`, an absolute URI) that came beside it.
///
/// ```
/// use countersign::{Credentials, UnverifiedRequest, Signer, Verifier};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// let now = "20150830T123600Z".parse()?;
/// let mut request = http::Request::get("https://example.com/dev/get-list").body("")?;
/// Signer::new(credentials.clone(), "us-east-1", "execute-api")?.sign_http(&mut request, now)?;
///
/// let verifier = Verifier::new("us-east-1", "execute-api")?;
/// let presented = UnverifiedRequest::parse(&request)?.with_body(b"");
/// let key = presented.derive_key(Some(&credentials)); // found by presented.access_key_id()
/// let verified = verifier.verify(presented, &key, now)?;
/// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
///
/// request.headers_mut().insert("x-amz-acl", "public-read".parse()?);
/// let presented = UnverifiedRequest::parse(&request)?;
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
    pub(super) unsigned: Vec<String>,
    pub(super) accept_dot_segments: bool,
    pub(super) accept_repeated_headers: bool,
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
        Ok(Self {
            region,
            rules: Rules::for_service(&service),
            limits: Limits::DEFAULT,
            service,
            external_hosts: Vec::new(),
            required: Vec::new(),
            unsigned: Vec::new(),
            accept_dot_segments: false,
            accept_repeated_headers: false,
            ignore_foreign_authorization: false,
            echo: Echo::Nothing,
            sigv4a: false,
        })
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

    /// Names `x-amz-*` headers that may arrive unsigned, because a hop in front of this verifier adds them: CloudFront adds
    /// `x-amz-cf-id`, and a server may add its own `x-amz-request-id`. Nothing is proven about them.
    pub fn allow_unsigned<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.unsigned.extend(names.into_iter().map(Into::into));
        self
    }

    /// Accepts paths with dot segments (`/admin/../bob`), which AWS removes before it verifies: only where nothing behind
    /// this verifier goes by the path as it was sent.
    pub fn accept_dot_segments(mut self) -> Self {
        self.accept_dot_segments = true;
        self
    }

    /// Accepts signed headers that have one value (`x-amz-*` except `x-amz-meta-*`, `content-type`, `content-md5`,
    /// `range`) more than once, as AWS does: only where nothing behind this verifier reads just one of the lines.
    pub fn accept_repeated_headers(mut self) -> Self {
        self.accept_repeated_headers = true;
        self
    }

    /// Accepts an `Authorization` header of another kind (`Bearer`, `Basic`) beside a presigned query; it is not
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
    /// [`VerifyError`], with AWS's wording for the client and the reason for the operator.
    pub fn verify<'a>(
        &self,
        presented: UnverifiedRequest<'a>,
        key: &SigningKey,
        now: Timestamp,
    ) -> Result<VerifiedRequest<'a>, VerifyError> {
        self.verify_by(presented, &VerifyingKey::Signing(Cow::Borrowed(key)), now)
    }

    pub(super) fn verify_by<'a>(
        &self,
        presented: UnverifiedRequest<'a>,
        key: &VerifyingKey<'_>,
        now: Timestamp,
    ) -> Result<VerifiedRequest<'a>, VerifyError> {
        self.check_algorithm(&presented)?;
        self.check_mechanism(&presented)?;
        self.check_hosts(&presented)?;
        let mut headers = SignedHeaderList::new();
        self.check_coverage(&presented, &mut headers)?;
        check_presence(&presented, &headers)?;
        check_hops(&presented)?;
        self.check_repeats(&headers)?;
        self.check_path(&presented)?;
        self.check_time(&presented, now)?;
        self.check_scope(&presented)?;
        let (body, lines) = self.check_payload(&presented)?;

        let own_host = if self.external_hosts.is_empty() { Some(presented.host()?) } else { None };
        let hosts = own_host.map_or(Hosts::External(&self.external_hosts), Hosts::Own);
        let (found, computed) = self.compare(&presented, &mut headers, lines, key, hosts);
        check_standing(key.standing(), presented.access_key_id(), now)?;
        let found = found.ok_or(VerifyError::SignatureMismatch { computed })?;
        let body = proven_body(&presented, body, &found);
        check_body(&presented, body)?;
        let key = matches!(body, SignedBody::Streaming(_)).then(|| key.to_owned());
        let host = own_host.map_or_else(|| Cow::Owned(found.host.into()), Cow::Borrowed);
        let (rules, limits) = (self.rules, self.limits);
        let UnverifiedRequest { request, claims, timestamp, .. } = presented;
        Ok(VerifiedRequest { claims, timestamp, request: Received::Whole(request), host, body, key, rules, limits })
    }
}
