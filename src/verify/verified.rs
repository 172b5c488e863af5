use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::body::{BodyCheck, SignedBody};
use super::error::VerifyError;
use crate::redact::REDACTED;
use crate::sigv4::authorization::{Claims, Location};
use crate::sigv4::canonical_request;
use crate::sigv4::chain::Chain;
use crate::sigv4::payload::StreamingPayload;
use crate::sigv4::request::Request;
use crate::sigv4::rules::{Limits, Rules};
use crate::sigv4::scope::Scope;
use crate::sigv4::signing_key::VerifyingKey;
use crate::sigv4::timestamp::Timestamp;

/// A request whose signature is right. Only [`Verifier::verify`](crate::Verifier::verify) makes one.
///
/// The body is part of the proof only where it was given before verifying, or is checked with
/// [`VerifiedRequest::check_body`] or [`VerifiedRequest::body_check`].
///
/// ```
/// # use countersign::{Credentials, Payload, UnverifiedRequest, Request, Signer, Verifier};
/// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// # let now = "20150830T123600Z".parse()?;
/// # let signer = Signer::new(credentials.clone(), "us-east-1", "s3")?;
/// # let request = Request::new("PUT", "/key", &[]).with_host("bucket.example");
/// # let signed = signer.sign(&request, Payload::Bytes(b"hello"), now)?;
/// # let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// # let presented = UnverifiedRequest::parse(Request::new("PUT", "/key", &headers).with_host("bucket.example"))?;
/// # let key = presented.derive_key(Some(&credentials));
/// let verified = Verifier::new("us-east-1", "s3")?.verify(presented, &key, now)?;
/// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
/// assert!(verified.signed_headers().eq(["host", "x-amz-content-sha256", "x-amz-date"]));
/// assert!(verified.check_body(b"hello").is_ok());
/// assert!(verified.check_body(b"Hello").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct VerifiedRequest<'a> {
    pub(super) claims: Claims<'a>,
    pub(super) timestamp: Timestamp,
    pub(super) request: Received<'a>,
    /// As signed.
    pub(super) host: Cow<'a, str>,
    pub(super) body: SignedBody,
    /// Of a body in chunks, which carry signatures of their own.
    pub(super) key: Option<VerifyingKey<'static>>,
    pub(super) rules: Rules,
    pub(super) limits: Limits,
}

/// The request as it arrived, or what of it was signed.
pub(super) enum Received<'a> {
    Whole(Request<'a>),
    Signed {
        method: String,
        path: Vec<u8>,
        /// The signed ones.
        headers: Vec<(String, Zeroizing<Vec<u8>>)>,
    },
}

impl VerifiedRequest<'_> {
    /// The same, independent of the request: for the extensions of an `http::Request`, or another thread. Of the headers it
    /// keeps those that are signed.
    ///
    /// ```
    /// # use countersign::{Credentials, Payload, UnverifiedRequest, Signer, VerifiedRequest, Verifier};
    /// # let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
    /// # let now = "20150830T123600Z".parse()?;
    /// # let mut request = http::Request::get("https://example.com/dev/a?b=c").header("x-amz-meta-a", "1").body(())?;
    /// # Signer::new(credentials.clone(), "us-east-1", "s3")?.sign_http(&mut request, Payload::EMPTY, now)?;
    /// # let verifier = Verifier::new("us-east-1", "s3")?;
    /// let verified: VerifiedRequest<'static> = {
    ///     let presented = UnverifiedRequest::parse(&request)?;
    ///     let key = presented.derive_key(Some(&credentials));
    ///     verifier.verify(presented, &key, now)?.into_owned()
    /// };
    /// assert_eq!((verified.method(), verified.host()), ("GET", "example.com"));
    /// assert_eq!(verified.canonical_path(), "/dev/a");
    /// assert_eq!(verified.header("X-Amz-Meta-A"), Some(b"1".as_slice()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn into_owned(self) -> VerifiedRequest<'static> {
        let headers = self.headers().map(|(name, value)| (String::from(name), Zeroizing::new(value.into()))).collect();
        let request = Received::Signed { method: self.method().into(), path: self.path().into(), headers };
        let Self { claims, timestamp, host, body, key, rules, limits, .. } = self;
        let (claims, host) = (claims.into_owned(), Cow::Owned(host.into_owned()));
        VerifiedRequest { claims, timestamp, request, host, body, key, rules, limits }
    }

    /// The method that was signed.
    pub fn method(&self) -> &str {
        match &self.request {
            Received::Whole(request) => request.method,
            Received::Signed { method, .. } => method,
        }
    }

    /// The path as it was signed, in its canonical form: for all services but S3 without dot segments and double slashes,
    /// and encoded once more than on the wire. Routing by a path that some proxy changed is the mistake that this avoids.
    pub fn canonical_path(&self) -> String {
        String::from_utf8(canonical_request::path_of(self.path(), &self.rules)).unwrap_or_default()
    }

    fn path(&self) -> &[u8] {
        match &self.request {
            Received::Whole(request) => request.path_and_query().0,
            Received::Signed { path, .. } => path,
        }
    }

    /// The value of a signed header, the first if there are several; `None` for a header that is not signed, whatever
    /// arrived. For `host` see [`VerifiedRequest::host`].
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers().find(|(signed, _)| signed.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The signed headers as they arrived, in the order received, but for `host`.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let (whole, signed) = match &self.request {
            Received::Whole(request) => (Some(request.headers.iter()), [].as_slice()),
            Received::Signed { headers, .. } => (None, headers.as_slice()),
        };
        let is_signed = |name: &str| self.signed_headers().any(|signed| signed.eq_ignore_ascii_case(name));
        let signed = signed.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let all = whole.into_iter().flatten().chain(signed);
        all.filter(move |(name, _)| is_signed(name) && !name.eq_ignore_ascii_case("host"))
    }

    /// Whether the body is the one that was signed. An unsigned body is any body.
    ///
    /// # Errors
    /// [`VerifyError::BodyMismatch`] if it is another, [`VerifyError::BodyIsStreamed`] if it is sent in chunks.
    pub fn check_body(&self, body: &[u8]) -> Result<(), VerifyError> {
        let mut check = self.body_check()?;
        check.update(body);
        check.finish()
    }

    /// The same for a body that arrives in pieces.
    ///
    /// # Errors
    /// [`VerifyError::BodyIsStreamed`] if it is sent in chunks.
    pub fn body_check(&self) -> Result<BodyCheck, VerifyError> {
        match self.body {
            SignedBody::Streaming(streaming) => Err(VerifyError::BodyIsStreamed { streaming }),
            body => Ok(BodyCheck::new(body)),
        }
    }

    /// How the body is sent in chunks, and the chain of signatures that begins with the request's.
    pub(crate) fn streaming(&self) -> Option<(StreamingPayload, Chain<VerifyingKey<'static>>)> {
        match (self.body, &self.key) {
            (SignedBody::Streaming(streaming), Some(key)) => {
                let seed = *self.claims.signature();
                Some((streaming, Chain::new(key.clone(), self.timestamp(), &self.scope(), seed)))
            }
            _ => None,
        }
    }

    /// The values of a signed header.
    pub(crate) fn header_values(&self, wanted: &'static str) -> impl Iterator<Item = &[u8]> {
        self.headers().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    }

    pub(crate) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the signature says nothing about the body: `UNSIGNED-PAYLOAD` and `STREAMING-UNSIGNED-PAYLOAD-TRAILER`.
    pub fn body_is_unsigned(&self) -> bool {
        self.body.is_unsigned()
    }

    /// The host that was signed: of several external hosts, the one that this request is for.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Who signed.
    pub fn access_key_id(&self) -> &str {
        self.claims.access_key_id()
    }

    /// The session token that came with it. Compared with the key's own if the key came from
    /// [`UnverifiedRequest::derive_key`](crate::UnverifiedRequest::derive_key).
    pub fn session_token(&self) -> Option<&str> {
        self.claims.session_token()
    }

    /// The scope it was signed for.
    pub fn scope(&self) -> Scope<'_> {
        self.claims.scope()
    }

    /// The regions that it was signed for with SigV4A, this verifier's among them; `None` for a signature of SigV4.
    pub fn region_set(&self) -> Option<&str> {
        self.claims.region_set()
    }

    /// When it was signed.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Whether the signature stands in the query.
    pub fn is_presigned(&self) -> bool {
        self.claims.location == Location::Query
    }

    /// The headers that are signed, in lower case and in order. Nothing is proven about any other.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.claims.signed_headers().split(';')
    }
}

impl fmt::Debug for VerifiedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedRequest")
            .field("access_key_id", &self.access_key_id())
            .field("scope", &self.scope())
            .field("timestamp", &self.timestamp)
            .field("method", &self.method())
            .field("host", &self.host())
            .field("path", &self.canonical_path())
            .field("signed_headers", &self.claims.signed_headers())
            .field("session_token", &self.session_token().map(|_| REDACTED))
            .finish_non_exhaustive()
    }
}
