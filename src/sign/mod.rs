//! Signing: computes what to add to a request so that AWS accepts it.

mod added;
mod error;
mod headers;
mod identity;
mod presign;
mod signed;
#[cfg(feature = "sigv4a")]
mod sigv4a;
mod target;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use error::SignError;
pub use headers::SignedHeaders;
pub use identity::Identity;
pub use presign::Presigned;
pub use signed::Signed;

use crate::hash::sha256;
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization;
use crate::sigv4::canonical_request::{Assembled, Parts, QueryIndex, SignedHeaderList};
use crate::sigv4::chain::Chain;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::payload::{Payload, PayloadLine, StreamingPayload, UNSIGNED_PAYLOAD};
use crate::sigv4::request::Request;
use crate::sigv4::rules::{Limits, Rules, UnsignedPayload};
use crate::sigv4::scope::{Scope, ScopeError};
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::SigningKey;
use crate::sigv4::string_to_sign::StringToSign;
use crate::sigv4::timestamp::Timestamp;
use crate::text::wiped::Wiped;
use target::Target;

/// Signs requests for one region and service with one set of credentials.
///
/// The signing key is derived once per day and cached with the credentials in an [`Identity`] (with the feature `std`;
/// without it, the key is derived for each signature). A signer can be shared by any number of threads, and clones
/// share the cache.
///
/// ```
/// use countersign::{Credentials, Payload, Request, Signer};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let signer = Signer::new(credentials, "us-east-1", "iam")?;
///
/// let content_type = b"application/x-www-form-urlencoded; charset=utf-8";
/// let headers = [("Content-Type", content_type.as_slice())];
/// let request = Request::new("GET", "/?Action=ListUsers&Version=2010-05-08", &headers).with_host("iam.amazonaws.com");
/// let signed = signer.sign(&request, Payload::EMPTY, "20150830T123600Z".parse()?)?;
///
/// let to_add: Vec<_> = signed.headers().collect();
/// assert_eq!(to_add[0], ("x-amz-date", "20150830T123600Z"));
/// assert_eq!(to_add[1], (
///     "authorization",
///     "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
///      SignedHeaders=content-type;host;x-amz-date, \
///      Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
/// ));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Create a signed AWS API request](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)
#[derive(Clone)]
pub struct Signer {
    identity: Identity,
    target: Target,
    pub(crate) rules: Rules,
    pub(crate) limits: Limits,
    signed_headers: SignedHeaders,
    also_signed: Vec<String>,
}

impl Signer {
    /// Creates a signer with the rules of the service. The region and service are written as in a credential scope,
    /// e.g. `us-east-1` and `execute-api`. The region may be empty, as for some S3-compatible stores.
    ///
    /// # Errors
    /// Returns a [`ScopeError`], as for [`Scope::new`].
    pub fn new(
        identity: impl Into<Identity>,
        region: impl Into<String>,
        service: impl Into<String>,
    ) -> Result<Self, ScopeError> {
        let service = service.into();
        let (identity, rules) = (identity.into(), Rules::for_service(&service));
        let target = Target::new(region.into(), service, identity.credentials())?;
        Ok(Self::of_target(identity, target, rules))
    }

    fn of_target(identity: Identity, target: Target, rules: Rules) -> Self {
        let signed_headers = SignedHeaders::Required;
        Self { identity, target, rules, limits: Limits::DEFAULT, signed_headers, also_signed: Vec::new() }
    }

    /// Replaces the credentials, e.g. after a rotation.
    pub fn with_identity(mut self, identity: impl Into<Identity>) -> Self {
        self.identity = identity.into();
        self.target = self.target.for_credentials(self.identity.credentials());
        self
    }

    /// Replaces the rules of the service.
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Replaces the default limits, e.g. for a server that accepts larger chunks.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets which headers are signed.
    pub fn with_signed_headers(mut self, signed_headers: SignedHeaders) -> Self {
        self.signed_headers = signed_headers;
        self
    }

    /// Also signs the headers with these names, if a request has them.
    pub fn also_sign<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.also_signed.extend(names.into_iter().map(Into::into));
        self
    }

    /// Returns the credentials that are used for signing.
    pub fn credentials(&self) -> &Credentials {
        self.identity.credentials()
    }

    /// Signs a request. Returns the headers to add, which replace those of the same name in the request.
    ///
    /// A request that is already signed can be signed again: the headers that the earlier signature added are ignored.
    ///
    /// # Errors
    /// Returns a [`SignError`] if the request can't be signed.
    pub fn sign<'r>(
        &self,
        request: impl Into<Request<'r>>,
        payload: Payload<'_>,
        now: Timestamp,
    ) -> Result<Signed, SignError> {
        self.sign_request(&request.into(), payload, now)
    }

    /// The body of [`Signer::sign`], which is compiled once and not for each type of request.
    fn sign_request(&self, request: &Request<'_>, payload: Payload<'_>, now: Timestamp) -> Result<Signed, SignError> {
        let scope = self.check(request, &now)?;
        let (path, query) = request.path_and_query();
        let mut index = QueryIndex::new();
        index.read(query);
        if authorization::has_algorithm(&index) {
            return Err(SignError::AlreadyPresigned);
        }
        let payload = self.payload_line(payload, scope.algorithm())?;
        let mut headers = SignedHeaderList::new();
        let found = self.choose_headers(request, &mut headers)?;
        let added = self.added(&found, &now, &payload)?;
        added.push_signed(&mut headers);
        self.sort_and_check(request, &mut headers, &found)?;

        let parts = Parts {
            method: request.method,
            path,
            query,
            is_query_canonical: false,
            left_out: &[],
            rules: &self.rules,
            headers: &headers,
            signed_headers: None,
            payload,
        };
        let header_start = self.target.header_start();
        let room = added.length() + authorization::header_length(header_start, &scope, headers.names_length());
        let mut buffer = self.new_buffer(0);
        let stages = self.compute(&parts, &mut index, &mut buffer, room, now, &scope);
        let (start, signed_headers) = (buffer.len(), stages.canonical_request.signed_headers.clone());
        let printed = authorization::write_header(&mut buffer, header_start, &scope, signed_headers, &stages.signature);
        let authorization = start..buffer.len();
        Ok(Signed::new(buffer, &added, stages, authorization, printed))
    }

    /// Creates a buffer for signing, which is wiped when dropped if the credentials have a session token.
    fn new_buffer(&self, capacity: usize) -> Wiped<Vec<u8>> {
        Wiped::new(Vec::with_capacity(capacity), self.credentials().session_token().is_some())
    }

    /// Computes steps 1 to 4, which are the same for headers and presigned URLs. The canonical request is written to
    /// `buffer`, with `room` bytes reserved after it.
    fn compute(
        &self,
        parts: &Parts<'_>,
        index: &mut QueryIndex<'_>,
        buffer: &mut Wiped<Vec<u8>>,
        room: usize,
        now: Timestamp,
        scope: &Scope<'_>,
    ) -> Stages {
        let canonical_request = parts.assemble_indexed(buffer, room, index);
        let canonical_request_sha256 = sha256(buffer);
        let string_to_sign = StringToSign::of_hash(now, *scope, canonical_request_sha256);
        let signature = self.with_key(now, scope, |key| key.sign(&string_to_sign));
        Stages { canonical_request, algorithm: scope.algorithm(), timestamp: now, canonical_request_sha256, signature }
    }

    /// Signs a request whose body is sent in chunks or messages, and returns the chain that starts with its signature.
    pub(crate) fn sign_seed(
        &self,
        request: &Request<'_>,
        streaming: StreamingPayload,
        now: Timestamp,
    ) -> Result<(Signed, Chain), SignError> {
        let signed = self.sign(request, Payload::Streaming(streaming), now)?;
        let scope = self.target.scope(&now);
        let key = self.with_key(now, &scope, SigningKey::clone);
        let chain = Chain::new(key, now, &scope, signed.signature());
        Ok((signed, chain))
    }

    /// Checks what every signature requires, and returns the scope of a signature made now.
    pub(crate) fn check<'s>(&'s self, request: &Request<'_>, now: &'s Timestamp) -> Result<Scope<'s>, SignError> {
        request.check()?;
        self.scope(now)
    }

    /// Returns the scope of a signature made now, or an error if the credentials have expired.
    pub(crate) fn scope<'s>(&'s self, now: &'s Timestamp) -> Result<Scope<'s>, SignError> {
        match self.credentials().expires_at() {
            Some(expires_at) if expires_at <= *now => Err(SignError::CredentialsExpired { expires_at, now: *now }),
            _ => Ok(self.target.scope(now)),
        }
    }

    fn payload_line(&self, payload: Payload<'_>, algorithm: Algorithm) -> Result<PayloadLine<'static>, SignError> {
        match payload {
            Payload::Streaming(streaming) if !streaming.is_for(algorithm) => {
                Err(SignError::StreamingAlgorithm { streaming })
            }
            _ if self.rules.unsigned_payload == UnsignedPayload::Always => Ok(PayloadLine::Text(UNSIGNED_PAYLOAD)),
            Payload::Unsigned if self.rules.unsigned_payload == UnsignedPayload::Refused => {
                Err(SignError::UnsignedPayload)
            }
            payload => Ok(payload.line()),
        }
    }

    pub(crate) fn with_key<T>(&self, now: Timestamp, scope: &Scope<'_>, sign: impl FnOnce(&SigningKey) -> T) -> T {
        match self.target.key() {
            Some(key) => sign(key),
            None => self.identity.with_key(now, scope, self.target.after_date(), sign),
        }
    }
}

/// The results of all steps. The canonical request is the start of a buffer.
#[derive(Clone)]
struct Stages {
    canonical_request: Assembled,
    algorithm: Algorithm,
    timestamp: Timestamp,
    canonical_request_sha256: [u8; 32],
    signature: Signature,
}

impl Stages {
    fn string_to_sign<'a>(&'a self, region: &'a str, service: &'a str) -> StringToSign<'a> {
        let scope = Scope::at(self.algorithm, &self.timestamp, region, service);
        StringToSign::of_hash(self.timestamp, scope, self.canonical_request_sha256)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("credentials", self.credentials())
            .field("region", &self.target.regions())
            .field("service", &self.target.service)
            .field("rules", &self.rules)
            .field("signed_headers", &self.signed_headers)
            .field("also_signed", &self.also_signed)
            .finish_non_exhaustive()
    }
}
