use alloc::string::String;
use alloc::vec::Vec;

use super::checks::{Hosts, PayloadMode, check_hops};
use super::error::VerifyError;
use super::in_query::HeadersInQuery;
use super::presented::Presented;
use super::unverified::UnverifiedRequest;
use crate::sigv4::request::Request;
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::scope::{Scope, ScopeError};
use crate::sigv4::timestamp::Timestamp;

/// Verifies requests for its regions and services.
///
/// These are its checks, in the order in which they run. [`Verifier::parse`] does all that need no key:
///
/// 1. Method, target and headers can be those of an HTTP message, and are within the limits: 1024 headers, 1024 query
///    parameters, 65536 bytes of path and query. The target is path and query without a `#`, or `*`. There is at most
///    one `Host`.
/// 2. `Authorization`, `x-amz-date`, `date`, `x-amz-content-sha256` and the session token appear at most once.
/// 3. There is a signature, in the header or in the query, not in both.
/// 4. The algorithm is `AWS4-HMAC-SHA256`, or SigV4A's `AWS4-ECDSA-P256-SHA256` (feature `sigv4a`), which is refused unless
///    the verifier is told to accept it; the latter has a region set.
/// 5. The `Authorization` header (at most 65536 bytes) or the query has all parameters, each once, and no others.
/// 6. The signed headers are at most 1024 lower-case names in ascending order, each once; the credential has an access
///    key id and four parts of a scope, with SigV4A three; the signature is 64 lower-case hexadecimal digits, with SigV4A
///    DER.
/// 7. The time is there and of the form `YYYYMMDDTHHMMSSZ` (a `date` header also as HTTP writes it), and
///    `X-Amz-Expires` is a number.
/// 8. `x-amz-content-sha256`, if there, is a hash or a known literal, and the same in header and query.
/// 9. An `Authorization` header of another kind beside a presigned query is refused, unless
///    [`Verifier::ignore_foreign_authorization`].
/// 10. A `Host` header and an `:authority` (or the host of an absolute URI) name the same host; there is one of them, unless
///     there are external hosts.
/// 11. `host`, every `x-amz-*` header that arrived and the headers of [`Verifier::require_signed`] are signed. Exempt
///     are `x-amz-content-sha256`, which the payload line binds, the session token where the rules say that it is
///     added after signing, and the headers of [`Verifier::allow_unsigned`].
/// 12. Every header that is named as signed is there. An `x-amz-*` header of a presigned request to S3 may stand in the
///     query instead, once; what stands in both stands once in each, and is the same. Hash and token count only as
///     `X-Amz-Content-Sha256` and so on, letter for letter.
/// 13. No signed header is named by `Connection`: the next hop would remove it.
/// 14. Signed headers that have one value arrive once: `x-amz-*` except `x-amz-meta-*`, `content-type`, `content-md5`,
///     `range`; unless [`Verifier::accept_repeated_headers`].
/// 15. Where the rules normalise the path, it has no dot segments, unless [`Verifier::accept_dot_segments`].
/// 16. No query parameter is repeated, if [`Verifier::refuse_repeated_parameters`].
/// 17. A presigned URL has a lifetime from 1 second to [`Limits::max_presign`], has not ended, and is not signed for
///     more than 15 minutes ahead; any other request was signed within `max_skew` of now.
/// 18. The scope has the date of that time, a region and a service of this verifier, and ends in `aws4_request`; with
///     SigV4A the region set names one of the regions.
/// 19. The rules accept what is said of the body.
///
/// [`UnverifiedWithBody::verify`] and [`UnverifiedRequest::verify_head`] do the others:
///
/// 20. The access key is known, the session token is the one that belongs to it, and the credentials have not ended;
///     detected earlier but reported only after the work of 21, to avoid a timing side channel.
/// 21. The signature is the one of this request and key, compared in constant time.
/// 22. The body, if it was given, is the one that was signed. A body that is sent in chunks or messages, which are checked
///     one by one, can't be given; one whose hash is not sent has to be. A hash beside a signed `UNSIGNED-PAYLOAD` counts
///     only if it is signed itself.
///
/// What stays with the caller: finding the credentials by access key id *and* session token; reading no more of the body
/// than it wants to; going by what the [`VerifiedRequest`](crate::VerifiedRequest) says was signed (its host, its path, its
/// headers) and nothing else that arrived; that the same signed request may come twice within its time; and what the signer
/// is allowed to do.
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
/// assert_eq!(error.to_string(), "headers that have to be signed are not: x-amz-acl");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`UnverifiedWithBody::verify`]: crate::UnverifiedWithBody::verify
#[derive(Debug, Clone)]
pub struct Verifier {
    /// One at least.
    pub(super) regions: Vec<String>,
    /// One at least.
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

    /// Sets the rules of the service that was given to [`Verifier::new`].
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.services.iter_mut().take(1).for_each(|(_, own)| *own = rules);
        self
    }

    /// Accepts another region, too: for a store that has several. [`VerifiedHead::scope`](crate::VerifiedHead::scope) says
    /// which it was.
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

    /// Accepts another service, too, with its rules: for a gateway in front of several.
    /// [`VerifiedHead::scope`](crate::VerifiedHead::scope) says which it was.
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
        self.services.push((service, rules));
        Ok(self)
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

    /// Refuses a query parameter that appears more than once. Equal names are sorted by value before they are signed, so a
    /// sender may exchange them without changing the signature: for an application that reads just one of them.
    pub fn refuse_repeated_parameters(mut self) -> Self {
        self.refuse_repeated_parameters = true;
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

    /// Reads the signature of a request and does every check for which no key is needed, at the time `now`.
    ///
    /// # Errors
    /// [`VerifyError`], with AWS's wording for the client and the reason for the operator.
    pub fn parse<'a>(
        &'a self,
        request: impl Into<Request<'a>>,
        now: Timestamp,
    ) -> Result<UnverifiedRequest<'a>, VerifyError> {
        let presented = Presented::parse(request.into())?;
        let rules = self.rules_of(presented.claims.scope().service());
        self.check_algorithm(&presented)?;
        self.check_mechanism(&presented)?;
        self.check_hosts(&presented)?;
        let headers = self.check_coverage(&presented, rules)?;
        let in_query = HeadersInQuery::find(&presented, rules, &headers)?;
        check_hops(&presented)?;
        self.check_repeats(&headers)?;
        self.check_path(&presented, rules)?;
        self.check_parameters(&presented)?;
        self.check_time(&presented, rules, now)?;
        self.check_scope(&presented)?;
        let payload = PayloadMode::check(&presented, rules)?;
        let hosts = match self.external_hosts.as_slice() {
            [] => Hosts::Own(presented.host()?),
            external => Hosts::External(external),
        };
        Ok(UnverifiedRequest { verifier: self, presented, rules, headers, in_query, hosts, payload, now })
    }

    /// Those of the first service for one that is none of its own, which is refused later.
    fn rules_of(&self, service: &str) -> &Rules {
        let own = self.services.iter().find(|(own, _)| own == service).or(self.services.first());
        own.map_or(const { &Rules::GENERIC }, |(_, rules)| rules)
    }
}

/// To check a scope of which only a part is known.
const SOME_DATE: &str = "00000000";
const SOME_SERVICE: &str = "service";
