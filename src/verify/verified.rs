use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::ops::Deref;

use super::body::{BodyCheck, SignedPayload};
use super::error::VerifyError;
use super::in_query::HeadersInQuery;
use super::presented::unsigned_parameters;
use super::received::{Kept, Received};
use crate::redact::REDACTED;
use crate::sigv4::authorization::{Claims, Location};
use crate::sigv4::canonical_request::{self, pairs};
use crate::sigv4::chain::Chain;
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::scope::Scope;
use crate::sigv4::signing_key::AnyKey;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::query_decoded;

/// A request whose signature is verified, and whose body is still to be checked. Returned by
/// [`UnverifiedRequest::verify_head`].
///
/// It shows what was signed, so that a server can refuse a request before reading the body. To check the body:
///
/// - [`VerifiedHead::check_body`] and [`VerifiedHead::body_check`] return a [`VerifiedRequest`] once the body matches.
/// - `VerifiedHead::chunk_decoder` (feature `streaming`) reads a body sent in chunks, `VerifiedHead::events` (feature
///   `event-stream`) one sent in messages; both verify what they return.
///
/// [`UnverifiedRequest::verify_head`]: crate::UnverifiedRequest::verify_head
///
/// ```
/// use countersign::{Credentials, Payload, Request, SignedPayload, Signer, Verifier};
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// # let now = "20150830T123600Z".parse()?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// # let signed = signer.sign(&request, Payload::Bytes(b"hello"), now)?;
/// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// # let request = Request::new("PUT", "/key", &headers).with_host("bucket.example");
/// # let found = Some(&credentials);
///
/// let verifier = Verifier::new("us-east-1", "s3")?;
/// let head = verifier.parse(&request, now)?.verify_head(found)?;
/// assert_eq!((head.access_key_id(), head.canonical_path().as_str()), ("AKIDEXAMPLE", "/key"));
/// assert!(matches!(head.payload(), SignedPayload::Sha256(_)));
/// assert!(head.clone().check_body(b"Hello").is_err());
/// let verified = head.check_body(b"hello")?;
/// assert!(verified.signed_headers().eq(["host", "x-amz-content-sha256", "x-amz-date"]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// The compiler warns if a head is dropped, which would leave the body unchecked:
///
/// ```compile_fail
/// # #![deny(unused_must_use)]
/// # fn handle(unverified: countersign::UnverifiedRequest<'_>, found: Option<&countersign::Credentials>) -> Result<(), countersign::VerifyError> {
/// unverified.verify_head(found)?; // error: unused `VerifiedHead` that must be used
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "the body is not checked yet: call `check_body`, `body_check`, `chunk_decoder` or `events`"]
pub struct VerifiedHead<'a> {
    pub(super) claims: Claims<'a>,
    pub(super) timestamp: Timestamp,
    pub(super) request: Received<'a>,
    pub(super) in_query: HeadersInQuery,
    /// As signed.
    pub(super) host: Cow<'a, [u8]>,
    pub(super) payload: SignedPayload,
    /// For bodies sent in chunks or messages, which have signatures of their own.
    pub(super) key: Option<Box<AnyKey>>,
    pub(super) credentials_expire_at: Option<Timestamp>,
    pub(super) rules: Rules,
    pub(super) limits: Limits,
}

impl<'a> VerifiedHead<'a> {
    /// Converts to an owned value that no longer borrows the request: for another thread, or for the extensions of an
    /// `http::Request`. Only the signed headers are kept.
    pub fn into_owned(self) -> VerifiedHead<'static> {
        let request = Received::Signed(Kept::new(self.method(), self.request.path_and_query(), self.arrived_headers()));
        let Self { claims, timestamp, in_query, host, payload, key, credentials_expire_at, rules, limits, .. } = self;
        let (claims, host) = (claims.into_owned(), Cow::Owned(host.into_owned()));
        VerifiedHead { claims, timestamp, request, in_query, host, payload, key, credentials_expire_at, rules, limits }
    }

    /// Returns the request if `body` matches the signed hash. An unsigned body always matches.
    ///
    /// # Errors
    /// [`VerifyError::BodyMismatch`] if it does not match, [`VerifyError::BodyIsStreamed`] if the body is sent in
    /// chunks or messages.
    pub fn check_body(self, body: &[u8]) -> Result<VerifiedRequest<'a>, VerifyError> {
        let mut check = self.body_check()?;
        check.update(body);
        check.finish()
    }

    /// Returns a [`BodyCheck`], which checks a body that arrives in parts.
    ///
    /// # Errors
    /// [`VerifyError::BodyIsStreamed`] if the body is sent in chunks or messages.
    pub fn body_check(self) -> Result<BodyCheck<'a>, VerifyError> {
        match self.payload {
            SignedPayload::Streaming(streaming) => Err(VerifyError::BodyIsStreamed { streaming }),
            SignedPayload::Sha256(_) | SignedPayload::Unsigned => Ok(BodyCheck::new(self)),
        }
    }

    /// Returns the signed method.
    pub fn method(&self) -> &str {
        self.request.method()
    }

    /// Returns the signed path in its canonical form: for services other than S3, without dot segments and repeated
    /// slashes, and percent-encoded once more than it was sent. Use it for routing instead of a path that a proxy may
    /// have changed.
    pub fn canonical_path(&self) -> String {
        let (path, _) = self.request.path_and_query();
        String::from_utf8(canonical_request::path_of(path, &self.rules)).unwrap_or_default()
    }

    /// Returns the signed query parameters, decoded and in the order received, without the signature itself. Each pair
    /// is proven, but not the order: a sender can swap two parameters with the same name, unless
    /// [`Verifier::refuse_repeated_parameters`](crate::Verifier::refuse_repeated_parameters) is set.
    ///
    /// ```
    /// # use countersign::{Credentials, Payload, Request, Signer, Verifier};
    /// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
    /// # let now = "20150830T123600Z".parse()?;
    /// # let signer = Signer::new(credentials.clone(), "us-east-1", "execute-api")?;
    /// # let target = "/dev/items?name=a+b%2Bc&limit=25";
    /// # let request = Request::new("GET", target, &[]).with_host("example.com");
    /// # let signed = signer.sign(&request, Payload::EMPTY, now)?;
    /// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
    /// # let verifier = Verifier::new("us-east-1", "execute-api")?;
    /// let request = Request::new("GET", "/dev/items?name=a+b%2Bc&limit=25", &headers).with_host("example.com");
    /// let verified = verifier.parse(&request, now)?.with_body(b"").verify(Some(&credentials))?;
    /// let name = verified.query_pairs().find(|(name, _)| **name == *b"name").map(|(_, value)| value);
    /// assert_eq!(name.as_deref(), Some(b"a b+c".as_slice()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
        let (_, query) = self.request.path_and_query();
        let unsigned = unsigned_parameters(self.claims.location, &self.rules);
        let decoded = pairs(query).map(|(name, value)| (query_decoded(name), query_decoded(value)));
        decoded.filter(move |(name, _)| !unsigned.iter().any(|unsigned| unsigned.as_bytes() == &**name))
    }

    /// Returns the value of a signed header, or the first value if there are several; `None` for an unsigned header,
    /// even if it arrived. For the host, use [`VerifiedHead::host`].
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers().find(|(signed, _)| signed.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the signed headers except `host`, as they arrived and in the order received, followed by those that
    /// appear only in the query of a presigned URL ([`Rules::presign_headers_in_query`]).
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.arrived_headers().chain(self.in_query.iter())
    }

    fn arrived_headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.request.headers().filter(move |(name, _)| {
            self.claims.place_of(name.as_bytes()).is_some() && !name.eq_ignore_ascii_case("host")
        })
    }

    /// Returns how the body is streamed, and the chain of signatures that begins with the request's signature.
    pub(crate) fn streaming(&self) -> Option<(StreamingPayload, Chain<AnyKey>)> {
        match (self.payload, &self.key) {
            (SignedPayload::Streaming(streaming), Some(key)) => {
                let seed = *self.claims.signature();
                Some((streaming, Chain::new((**key).clone(), self.timestamp(), &self.scope(), seed)))
            }
            _ => None,
        }
    }

    /// Returns the values of a signed header.
    pub(crate) fn header_values(&self, wanted: &'static str) -> impl Iterator<Item = &[u8]> {
        self.headers().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn claims(&self) -> &Claims<'a> {
        &self.claims
    }

    pub(crate) fn credentials_expire_at(&self) -> Option<Timestamp> {
        self.credentials_expire_at
    }

    /// Returns what the signature covers of the body; [`SignedPayload::is_unsigned`] if nothing.
    pub fn payload(&self) -> SignedPayload {
        self.payload
    }

    /// Returns the signed host. With several external hosts, this is the one that the signature matched.
    pub fn host(&self) -> &str {
        // Checked to be visible ASCII, or one of the external hosts, so this never fails.
        core::str::from_utf8(&self.host).unwrap_or_default()
    }

    /// Returns the access key id of the signer.
    pub fn access_key_id(&self) -> &str {
        self.claims.access_key_id()
    }

    /// Returns the session token of the request, which equals that of the credentials.
    pub fn session_token(&self) -> Option<&str> {
        self.claims.session_token()
    }

    /// Returns the scope of the signature.
    pub fn scope(&self) -> Scope<'_> {
        self.claims.scope()
    }

    /// Returns the region set of a SigV4A signature, which includes a region of this verifier; `None` for SigV4.
    pub fn region_set(&self) -> Option<&str> {
        self.claims.region_set()
    }

    /// Returns the time of signing.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Returns `true` if the signature is in the query.
    pub fn is_presigned(&self) -> bool {
        self.claims.location == Location::Query
    }

    /// Returns the names of the signed headers, sorted and in lower case. Nothing is proven about any other header.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.claims.signed_header_names()
    }
}

impl fmt::Debug for VerifiedHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as("VerifiedHead", f)
    }
}

impl VerifiedHead<'_> {
    fn fmt_as(&self, name: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(name)
            .field("access_key_id", &self.access_key_id())
            .field("scope", &self.scope())
            .field("timestamp", &self.timestamp)
            .field("method", &self.method())
            .field("host", &self.host())
            .field("path", &self.canonical_path())
            .field("signed_headers", &String::from_utf8_lossy(self.claims.signed_headers()))
            .field("session_token", &self.session_token().map(|_| REDACTED))
            .finish_non_exhaustive()
    }
}

/// A request whose signature and body are verified. The body matches the signed hash, or is arbitrary if the signature
/// does not cover it: see [`VerifiedHead::payload`]. All methods of [`VerifiedHead`] are available.
///
/// Returned only by [`UnverifiedWithBody::verify`](crate::UnverifiedWithBody::verify),
/// [`UnverifiedWithBody::verify_with_key`](crate::UnverifiedWithBody::verify_with_key), [`VerifiedHead::check_body`]
/// and [`BodyCheck::finish`].
///
/// ```
/// # use countersign::{Credentials, Payload, Signer, VerifiedRequest, Verifier};
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// # let now = "20150830T123600Z".parse()?;
/// # let mut request = http::Request::get("https://example.com/dev/a?b=c").header("x-amz-meta-a", "1").body("")?;
/// # Signer::new(credentials.clone(), "us-east-1", "s3")?.sign_http(&mut request, now)?;
/// # let found = Some(&credentials);
/// let verifier = Verifier::new("us-east-1", "s3")?;
/// let unverified = verifier.parse(&request, now)?;
/// let verified: VerifiedRequest<'static> = unverified.with_body(b"").verify(found)?.into_owned();
///
/// request.extensions_mut().insert(verified);
/// let verified: &VerifiedRequest<'_> = request.extensions().get().ok_or("not verified")?;
/// assert_eq!((verified.method(), verified.host()), ("GET", "example.com"));
/// assert_eq!(verified.canonical_path(), "/dev/a");
/// assert_eq!(verified.header("X-Amz-Meta-A"), Some(b"1".as_slice()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct VerifiedRequest<'a>(VerifiedHead<'a>);

impl<'a> VerifiedRequest<'a> {
    /// For a head whose body matches, or is unsigned.
    pub(super) fn of_proven(head: VerifiedHead<'a>) -> Self {
        Self(head)
    }

    /// Converts to an owned value that no longer borrows the request: for the extensions of an `http::Request`, or for
    /// another thread. Only the signed headers are kept.
    pub fn into_owned(self) -> VerifiedRequest<'static> {
        VerifiedRequest(self.0.into_owned())
    }
}

impl<'a> Deref for VerifiedRequest<'a> {
    type Target = VerifiedHead<'a>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl fmt::Debug for VerifiedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_as("VerifiedRequest", f)
    }
}
