use alloc::string::String;
use alloc::vec::Vec;

use super::checked::Checked;
use super::checks::check_hops;
use super::compare::Hosts;
use super::error::VerifyError;
use super::in_query::HeadersInQuery;
use super::payload::PayloadMode;
use super::presented::Presented;
use super::unverified::UnverifiedRequest;
use crate::sigv4::canonical_request::{QueryIndex, SignedHeaderList};
use crate::sigv4::request::{Request, check_host};
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::scope::{Scope, ScopeError};
use crate::sigv4::timestamp::Timestamp;

/// Verifies requests for its regions and services.
///
/// The checks run in the following order; [`VerifyError::check_number`] returns the number of the one that failed.
/// [`Verifier::parse`] does those that need no key:
///
/// 1. The method, target and headers are valid in HTTP and within the limits: 1024 headers, 1024 query parameters,
///    65536 bytes of path and query. The target is a path and query without `#`, or `*`. There is at most one `Host`.
/// 2. `Authorization`, `x-amz-date`, `date`, `x-amz-content-sha256` and the session token appear at most once.
/// 3. There is a signature in the header or in the query, but not in both.
/// 4. The algorithm is `AWS4-HMAC-SHA256`, or SigV4A's `AWS4-ECDSA-P256-SHA256` (feature `sigv4a`). The latter needs a
///    region set, and is refused unless the verifier accepts it; both are checked after 8.
/// 5. The `Authorization` header (at most 65536 bytes) or the query has every parameter of the signature exactly once;
///    the header has no others.
/// 6. The signed headers are at most 1024 lower-case names in ascending order without duplicates. The credential has an
///    access key id and a scope with four parts (SigV4A: three). The signature is 64 lower-case hexadecimal digits
///    (SigV4A: DER).
/// 7. The time is present and of the form `YYYYMMDDTHHMMSSZ` (a `date` header may also use the HTTP date format), and
///    `X-Amz-Expires` is a number.
/// 8. `x-amz-content-sha256`, if present, is a hash or a known literal, and is the same in header and query.
/// 9. An `Authorization` header of another scheme next to a presigned query is refused, unless
///    [`Verifier::ignore_foreign_authorization`] is set.
/// 10. A `Host` header and an `:authority` (or the host of an absolute URI) name the same host.
/// 11. `host`, every `x-amz-*` header that arrived, and the headers of [`Verifier::require_signed`] are signed. The
///     exceptions are `x-amz-content-sha256`, which the payload line covers, the session token if the rules say that it
///     is added after signing, and the headers of [`Verifier::allow_unsigned`].
/// 12. Every header listed as signed is present. In a presigned request to S3, an `x-amz-*` header may appear in the
///     query instead, once; if it appears in both, it appears once in each, with the same value. A payload hash or session
///     token in the query counts only under its usual spelling (`X-Amz-Content-Sha256`).
/// 13. `Connection` lists no signed header: the next hop would remove it.
/// 14. Signed single-valued headers (`x-amz-*` except `x-amz-meta-*`, `content-type`, `content-md5`, `range`) appear
///     once, unless [`Verifier::accept_repeated_headers`] is set.
/// 15. If the rules normalize the path, it has no dot segments, unless [`Verifier::accept_dot_segments`] is set.
/// 16. No query parameter is repeated, if [`Verifier::refuse_repeated_parameters`] is set.
/// 17. A presigned URL is valid for 1 second up to [`Limits::max_presign`], has not expired, and is dated at most 15
///     minutes in the future. Any other request was signed within `max_skew` of the current time.
/// 18. The scope has the date of that time and a region and service of this verifier, and ends in `aws4_request`. With
///     SigV4A, the region set includes one of the regions.
/// 19. The rules accept the payload hash. Without external hosts, there is a valid `Host` header or authority.
///
/// [`UnverifiedWithBody::verify`] and [`UnverifiedRequest::verify_head`] do the others:
///
/// 20. The access key is known, the session token belongs to it, and the credentials have not expired; detected earlier
///     but reported only after the work of 21, to avoid a timing side channel.
/// 21. The signature matches the request and the key, compared in constant time.
/// 22. The body, if it was passed in, matches the signed hash. A body sent in chunks or messages can't be passed in,
///     since each of them is verified separately; a body whose hash is not sent must be passed in. If
///     `UNSIGNED-PAYLOAD` is signed, a hash given as well counts only if it is itself signed.
///
/// The caller remains responsible for: looking up the credentials by access key id *and* session token; limiting how
/// much of the body is read; using only what the [`VerifiedRequest`](crate::VerifiedRequest) shows as signed (its host,
/// path and headers), and nothing else that arrived; handling repeats, since the same signed request is accepted again
/// until it expires; and deciding what the signer is allowed to do.
///
/// ```
/// use countersign::{Credentials, Signer, Verifier};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// let now = "20150830T123600Z".parse()?;
/// let mut request = http::Request::get("https://example.com/dev/get-list").body("")?;
/// Signer::new(credentials.clone(), "us-east-1", "execute-api")?.sign_http(&mut request, now)?;
///
/// let verifier = Verifier::new("us-east-1", "execute-api")?;
/// let unverified = verifier.parse(&request, now)?;
/// let found = (unverified.access_key_id() == "AKIDEXAMPLE").then_some(&credentials);
/// let verified = unverified.with_body(b"").verify(found)?;
/// assert_eq!((verified.access_key_id(), verified.host()), ("AKIDEXAMPLE", "example.com"));
///
/// request.headers_mut().insert("x-amz-acl", "public-read".parse()?);
/// let error = verifier.parse(&request, now).unwrap_err();
/// assert_eq!(error.to_string(), "headers that must be signed are not signed: x-amz-acl");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`UnverifiedWithBody::verify`]: crate::UnverifiedWithBody::verify
#[derive(Debug, Clone)]
pub struct Verifier {
    /// Never empty.
    pub(super) regions: Vec<String>,
    /// Never empty.
    pub(super) services: Vec<(String, Rules)>,
    pub(crate) limits: Limits,
    pub(super) external_hosts: Vec<String>,
    pub(super) required: Vec<String>,
    pub(super) unsigned: Vec<String>,
    pub(super) accept_dot_segments: bool,
    pub(super) accept_repeated_headers: bool,
    pub(super) refuse_repeated_parameters: bool,
    pub(super) ignore_foreign_authorization: bool,
    pub(super) echo: Echo,
    pub(super) sigv4a: bool,
}

/// What a signature mismatch shows of the computed texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Echo {
    Nothing,
    Redacted,
    Raw,
}

impl Verifier {
    /// Creates a verifier that expects this region and service in the scope, with the rules of the service. An empty
    /// region accepts only an empty region.
    ///
    /// # Errors
    /// [`ScopeError`], as for [`Scope::new`].
    pub fn new(region: impl Into<String>, service: impl Into<String>) -> Result<Self, ScopeError> {
        let (region, service) = (region.into(), service.into());
        Scope::new(SOME_DATE, &region, &service)?;
        let rules = Rules::for_service(&service);
        Ok(Self {
            regions: alloc::vec![region],
            services: alloc::vec![(service, rules)],
            limits: Limits::DEFAULT,
            external_hosts: Vec::new(),
            required: Vec::new(),
            unsigned: Vec::new(),
            accept_dot_segments: false,
            accept_repeated_headers: false,
            refuse_repeated_parameters: false,
            ignore_foreign_authorization: false,
            echo: Echo::Nothing,
            sigv4a: false,
        })
    }

    /// Sets the rules of the service that was passed to [`Verifier::new`].
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.services.iter_mut().take(1).for_each(|(_, own)| *own = rules);
        self
    }

    /// Accepts another region as well, e.g. for a store with several regions.
    /// [`VerifiedHead::scope`](crate::VerifiedHead::scope) shows which one a request was signed for.
    ///
    /// ```
    /// use countersign::Verifier;
    ///
    /// let verifier = Verifier::new("us-east-1", "s3")?.with_region("eu-west-1")?;
    /// # Ok::<(), countersign::ScopeError>(())
    /// ```
    ///
    /// # Errors
    /// [`ScopeError`], as for [`Scope::new`].
    pub fn with_region(mut self, region: impl Into<String>) -> Result<Self, ScopeError> {
        let region = region.into();
        Scope::new(SOME_DATE, &region, SOME_SERVICE)?;
        self.regions.push(region);
        Ok(self)
    }

    /// Accepts another service as well, with its own rules, e.g. for a gateway in front of several services. For a service that
    /// the verifier already accepts, it replaces the rules.
    /// [`VerifiedHead::scope`](crate::VerifiedHead::scope) shows which one a request was signed for.
    ///
    /// ```
    /// use countersign::{Rules, Verifier};
    ///
    /// let verifier = Verifier::new("us-east-1", "execute-api")?.with_service("s3", Rules::S3)?;
    /// # Ok::<(), countersign::ScopeError>(())
    /// ```
    ///
    /// # Errors
    /// [`ScopeError`], as for [`Scope::new`].
    pub fn with_service(mut self, service: impl Into<String>, rules: Rules) -> Result<Self, ScopeError> {
        let service = service.into();
        Scope::new(SOME_DATE, "", &service)?;
        match self.services.iter_mut().find(|(own, _)| *own == service) {
            Some((_, own)) => *own = rules,
            None => self.services.push((service, rules)),
        }
        Ok(self)
    }

    /// Sets the limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds hosts by which clients know this server (with the port, unless it is the default one), for a server behind
    /// a proxy that rewrites `Host`. A signature for any of them is accepted; the `Host` header that arrives is no
    /// longer used to verify the signature.
    pub fn with_external_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> Self {
        self.external_hosts.extend(hosts.into_iter().map(Into::into));
        self
    }

    /// Names headers that must be signed if they are present, because the application trusts them.
    pub fn require_signed<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// Names `x-amz-*` headers that may arrive unsigned, because a proxy in front of this verifier adds them:
    /// CloudFront adds `x-amz-cf-id`, and a server may add its own `x-amz-request-id`. Nothing is proven about these
    /// headers. `x-amz-date`, the session token and `x-amz-region-set` have to be signed all the same.
    pub fn allow_unsigned<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.unsigned.extend(names.into_iter().map(Into::into));
        self
    }

    /// Accepts paths with dot segments (`/admin/../bob`), which AWS removes before verifying. Use this only if nothing
    /// after this verifier routes or authorizes by the path as it was sent.
    pub fn accept_dot_segments(mut self) -> Self {
        self.accept_dot_segments = true;
        self
    }

    /// Accepts signed single-valued headers (`x-amz-*` except `x-amz-meta-*`, `content-type`, `content-md5`, `range`)
    /// that appear more than once, as AWS does. Use this only if nothing after this verifier reads just one of the
    /// values.
    pub fn accept_repeated_headers(mut self) -> Self {
        self.accept_repeated_headers = true;
        self
    }

    /// Refuses query parameters that appear more than once. Equal names are sorted by value before signing, so a sender
    /// can swap them without changing the signature. Use this if the application reads just one of them.
    pub fn refuse_repeated_parameters(mut self) -> Self {
        self.refuse_repeated_parameters = true;
        self
    }

    /// Accepts an `Authorization` header of another scheme (`Bearer`, `Basic`) next to a presigned query, and ignores
    /// it.
    pub fn ignore_foreign_authorization(mut self) -> Self {
        self.ignore_foreign_authorization = true;
        self
    }

    /// Includes the canonical request and string to sign that this verifier computed in a signature mismatch, as AWS
    /// does, with session tokens, cookies and customer keys redacted. They reveal only what the client sent, the hash
    /// of the body, and the first external host if there are any.
    pub fn echo_computed(mut self) -> Self {
        self.echo = Echo::Redacted;
        self
    }

    /// Like [`Verifier::echo_computed`], but redacts nothing. Use this only for a local gateway whose responses are not
    /// logged.
    pub fn echo_computed_raw(mut self) -> Self {
        self.echo = Echo::Raw;
        self
    }

    /// Parses the signature of a request and does every check that needs no key. `now` is the current time.
    ///
    /// # Errors
    /// [`VerifyError`], with AWS's wording for the client and the reason for the operator.
    pub fn parse<'a>(
        &'a self,
        request: impl Into<Request<'a>>,
        now: Timestamp,
    ) -> Result<UnverifiedRequest<'a>, VerifyError> {
        self.parse_request(request.into(), now)
    }

    fn parse_request<'a>(&'a self, request: Request<'a>, now: Timestamp) -> Result<UnverifiedRequest<'a>, VerifyError> {
        let mut index = QueryIndex::new();
        let presented = Presented::parse_with(request, &mut index)?;
        let [.., named] = presented.claims.scope_parts();
        let service = self.services.iter().find(|(own, _)| own.as_bytes() == named);
        // An unknown service is refused later, whatever its rules.
        let rules = service.or(self.services.first()).map_or(const { &Rules::GENERIC }, |(_, rules)| rules);
        self.check_algorithm(&presented)?;
        self.check_mechanism(&presented)?;
        self.check_hosts(&presented)?;
        let hosts = match self.external_hosts.as_slice() {
            [] => Hosts::Own(presented.given_host()),
            external => Hosts::External(external),
        };
        let mut headers = SignedHeaderList::new();
        self.check_coverage(&presented, rules, hosts.first(), &mut headers)?;
        let in_query = HeadersInQuery::find(&presented, rules, &headers)?;
        check_hops(&presented)?;
        self.check_repeats(&headers)?;
        self.check_path(&presented, rules)?;
        self.check_parameters(&presented)?;
        self.check_time(&presented, rules, now)?;
        let scope = self.check_scope(&presented, service.map(|(own, _)| own.as_str()))?;
        let payload = PayloadMode::check(&presented, rules)?;
        if let Hosts::Own(host) = hosts {
            check_host(host)?;
        }
        let start = presented.canonical_start(rules, &headers, &in_query, &mut index);
        let (verifier, body_sha256) = (self, None);
        let checked = Checked { verifier, presented, rules, in_query, hosts, scope, payload, body_sha256, now };
        Ok(UnverifiedRequest { checked, start })
    }
}

/// Placeholders for validating a single part of a scope.
const SOME_DATE: &str = "00000000";
const SOME_SERVICE: &str = "service";
