//! Direction 1: what to add to a request so that AWS accepts it.

mod error;
mod headers;
mod presign;
mod signed;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

pub use error::SignError;
pub use headers::SignedHeaders;
pub use presign::Presigned;
pub use signed::Signed;

use crate::hash::sha256;
use crate::sigv4::authorization;
use crate::sigv4::canonical_request::{Assembled, Parts, SignedHeaderList};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::payload::{Payload, PayloadLine, UNSIGNED_PAYLOAD};
use crate::sigv4::request::Request;
use crate::sigv4::rules::{Rules, UnsignedPayload};
use crate::sigv4::scope::{Scope, ScopeError};
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::SigningKey;
use crate::sigv4::string_to_sign::StringToSign;
use crate::sigv4::timestamp::Timestamp;

/// Signs requests for one region and service with one set of credentials.
///
/// The key of the day is derived once and remembered (feature `std`; without it, each signature derives it). Its
/// secret never changes, so no stale key is possible: a rotated secret is a new `Signer`. One signer serves any number
/// of threads.
///
/// ```
/// use countersign::{Credentials, Payload, Request, Signer};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let signer = Signer::new(credentials, "us-east-1", "iam");
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
pub struct Signer {
    credentials: Credentials,
    region: String,
    service: String,
    /// What is wrong with region or service, found when they were given and said when something is signed.
    scope: Result<(), ScopeError>,
    pub(crate) rules: Rules,
    signed_headers: SignedHeaders,
    also_signed: Vec<String>,
    #[cfg(feature = "std")]
    key_of_the_day: std::sync::RwLock<Option<(Timestamp, SigningKey)>>,
    #[cfg(feature = "sigv4a")]
    sigv4a: Option<SigV4a>,
}

/// What signs instead of the key of the day.
#[cfg(feature = "sigv4a")]
#[derive(Clone)]
struct SigV4a {
    region_set: String,
    key: SigningKey,
}

impl Signer {
    /// A signer with the rules of the service: region and service as AWS writes them in a scope, e.g. `us-east-1` and
    /// `execute-api`.
    pub fn new(credentials: Credentials, region: impl Into<String>, service: impl Into<String>) -> Self {
        let (region, service) = (region.into(), service.into());
        Self {
            credentials,
            scope: Scope::new("00000000", &region, &service).map(|_| ()),
            region,
            rules: Rules::for_service(&service),
            service,
            signed_headers: SignedHeaders::Required,
            also_signed: Vec::new(),
            #[cfg(feature = "std")]
            key_of_the_day: std::sync::RwLock::new(None),
            #[cfg(feature = "sigv4a")]
            sigv4a: None,
        }
    }

    /// A signer with SigV4A (`AWS4-ECDSA-P256-SHA256`), whose signatures are good in several regions: those of
    /// `region_set`, written `us-east-1,us-west-2`, `us-*` or `*`. S3 multi-Region access points, EventBridge global
    /// endpoints and CloudFront KeyValueStore ask for it. All else is as with [`Signer::new`].
    ///
    /// The key pair is derived here, once; it takes about as long as signing. Credentials that come from STS have to be
    /// those of a regional endpoint.
    ///
    /// ```
    /// use countersign::{Credentials, Payload, Request, Signer};
    ///
    /// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
    /// let signer = Signer::sigv4a(credentials, "*", "s3");
    /// let request = Request::new("GET", "/photo.jpg", &[]).with_host("mfzwi23gnjvgw.mrap.accesspoint.s3-global.amazonaws.com");
    /// let signed = signer.sign(&request, Payload::EMPTY, "20150830T123600Z".parse()?)?;
    /// assert!(signed.headers().any(|header| header == ("x-amz-region-set", "*")));
    /// assert!(signed.authorization().starts_with(
    ///     "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20150830/s3/aws4_request, \
    ///      SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-region-set, Signature=30"
    /// ));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// AWS: [Signature Version 4A](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html#how-sigv4a-works)
    #[cfg(feature = "sigv4a")]
    pub fn sigv4a(credentials: Credentials, region_set: impl Into<String>, service: impl Into<String>) -> Self {
        let sigv4a = Some(SigV4a { region_set: region_set.into(), key: SigningKey::derive_sigv4a(&credentials) });
        Self { sigv4a, ..Self::new(credentials, "", service) }
    }

    /// Other rules than those of the service.
    pub fn with_rules(mut self, rules: Rules) -> Self {
        self.rules = rules;
        self
    }

    /// Which headers are signed.
    pub fn with_signed_headers(mut self, signed_headers: SignedHeaders) -> Self {
        self.signed_headers = signed_headers;
        self
    }

    /// Names headers that are signed, too, if a request has them.
    pub fn also_sign<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.also_signed.extend(names.into_iter().map(Into::into));
        self
    }

    /// The credentials it signs with.
    pub fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Signs wire parts. Returns what to add; of the same headers, replace those that the request has.
    ///
    /// A request that was signed before is signed anew: what the earlier signature added is not signed.
    ///
    /// # Errors
    /// [`SignError`]: nothing was signed.
    pub fn sign(&self, request: &Request<'_>, payload: Payload<'_>, now: Timestamp) -> Result<Signed, SignError> {
        let scope = self.check(request, &now)?;
        let (path, query) = request.path_and_query();
        if authorization::names_algorithm(query) {
            return Err(SignError::AlreadyPresigned);
        }
        if let Payload::Streaming(streaming) = payload
            && !streaming.is_for(scope.algorithm())
        {
            return Err(SignError::StreamingAlgorithm { streaming });
        }
        let rules = &self.rules;
        let payload = self.payload_line(payload);
        let token = self.credentials.session_token();

        let mut headers = SignedHeaderList::new();
        let seen = self.choose_headers(request, &mut headers)?;
        if let Some(scheme) = seen.foreign_authorization {
            return Err(SignError::ForeignAuthorization { scheme });
        }
        if seen.session_token && token.is_none() {
            return Err(SignError::SessionTokenOfOthers { name: rules.session_token_header });
        }
        // Where the value can't be told from the body, the receiver has to be told.
        let sends_sha256 =
            rules.content_sha256_header || seen.content_sha256.is_some() || matches!(payload, PayloadLine::Text(_));
        headers.push("x-amz-date", now.as_bytes());
        if let Some(region_set) = self.region_set() {
            headers.push("x-amz-region-set", region_set.as_bytes());
        }
        if sends_sha256 {
            headers.push("x-amz-content-sha256", payload.as_bytes());
        }
        if let (Some(token), true) = (token, rules.sign_session_token) {
            headers.push(rules.session_token_header, token.as_bytes());
        }
        self.sort_and_check(request, &mut headers, &seen)?;

        let parts = Parts { method: request.method, path, query, left_out: &[], rules, headers: &headers, payload };
        let region_set = self.region_set();
        let token_length = token.map_or(0, str::len) + now.as_bytes().len() + region_set.map_or(0, str::len);
        let more = authorization::header_length(self.credentials.access_key_id(), &scope, 0) + token_length;
        let mut buffer = Vec::new();
        // The names stand in the Authorization header once more.
        let names = headers.names().map(|name| name.len() + 1).sum::<usize>();
        let Assembled { length, signed_headers } = parts.assemble(&mut buffer, more + names);
        let (canonical_request_sha256, signature) = self.signature(now, &scope, &buffer);

        let start = buffer.len();
        let access_key_id = self.credentials.access_key_id();
        let printed = authorization::write_header(&mut buffer, access_key_id, &scope, signed_headers, &signature);
        let authorization = start..buffer.len();
        buffer.extend_from_slice(token.unwrap_or_default().as_bytes());
        let session_token = authorization.end..buffer.len();
        buffer.extend_from_slice(now.as_bytes());
        let date = session_token.end..buffer.len();
        buffer.extend_from_slice(region_set.unwrap_or_default().as_bytes());
        let end = buffer.len();
        #[cfg(feature = "http")]
        let buffer = signed::share(buffer);
        Ok(Signed {
            canonical_request: 0..length,
            content_sha256: sends_sha256.then(|| length - payload.as_bytes().len()..length),
            region_set: region_set.map(|_| date.end..end),
            #[cfg(feature = "http")]
            date,
            session_token: token.map(|_| (rules.session_token_header, session_token)),
            authorization,
            printed,
            timestamp: now,
            canonical_request_sha256,
            signature,
            buffer,
        })
    }

    /// Signs a request whose body follows in links of a chain that begins with its signature.
    #[cfg(any(feature = "streaming", feature = "event-stream"))]
    pub(crate) fn sign_seed(
        &self,
        request: &Request<'_>,
        streaming: crate::sigv4::payload::StreamingPayload,
        now: Timestamp,
    ) -> Result<(Signed, crate::sigv4::chain::Chain), SignError> {
        let signed = self.sign(request, Payload::Streaming(streaming), now)?;
        let scope = self.scope(&now)?;
        let key = self.with_key(now, &scope, SigningKey::clone);
        let chain = crate::sigv4::chain::Chain::new(key, now, &scope, signed.signature());
        Ok((signed, chain))
    }

    /// What has to hold for any signature; gives the scope of one made now.
    pub(crate) fn check<'s>(&'s self, request: &Request<'_>, now: &'s Timestamp) -> Result<Scope<'s>, SignError> {
        request.check()?;
        self.scope(now)
    }

    /// The scope of a signature made now.
    pub(crate) fn scope<'s>(&'s self, now: &'s Timestamp) -> Result<Scope<'s>, SignError> {
        if let Some(expiry) = self.credentials.expiry()
            && expiry <= *now
        {
            return Err(SignError::CredentialsExpired { expiry, now: *now });
        }
        #[cfg(feature = "sigv4a")]
        if let Some(SigV4a { region_set, .. }) = &self.sigv4a {
            if !crate::sigv4::sigv4a::is_region_set(region_set) {
                let got = crate::text::excerpt(region_set.as_bytes());
                return Err(crate::sigv4::scope::ScopeError::RegionSet { got }.into());
            }
            return Ok(Scope::without_region(now.date(), &self.service)?);
        }
        self.scope.clone()?;
        Ok(Scope::unchecked(now.date(), &self.region, &self.service))
    }

    /// Where a signature of SigV4A is good.
    fn region_set(&self) -> Option<&str> {
        #[cfg(feature = "sigv4a")]
        return self.sigv4a.as_ref().map(|sigv4a| sigv4a.region_set.as_str());
        #[cfg(not(feature = "sigv4a"))]
        None
    }

    fn payload_line(&self, payload: Payload<'_>) -> PayloadLine<'static> {
        match self.rules.unsigned_payload {
            UnsignedPayload::Always => PayloadLine::Text(UNSIGNED_PAYLOAD),
            _ => payload.line(),
        }
    }

    fn signature(&self, now: Timestamp, scope: &Scope<'_>, canonical_request: &[u8]) -> ([u8; 32], Signature) {
        let hash = sha256(canonical_request);
        let string_to_sign = StringToSign::of_hash(now, *scope, hash);
        (hash, self.with_key(now, scope, |key| key.sign(&string_to_sign)))
    }

    pub(crate) fn with_key<T>(&self, now: Timestamp, scope: &Scope<'_>, sign: impl FnOnce(&SigningKey) -> T) -> T {
        #[cfg(feature = "sigv4a")]
        if let Some(SigV4a { key, .. }) = &self.sigv4a {
            return sign(key);
        }
        self.with_key_of_the_day(now, scope, sign)
    }

    #[cfg(feature = "std")]
    fn with_key_of_the_day<T>(&self, now: Timestamp, scope: &Scope<'_>, sign: impl FnOnce(&SigningKey) -> T) -> T {
        use std::sync::PoisonError;
        let remembered = self.key_of_the_day.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((day, key)) = &*remembered
            && day.same_day(&now)
        {
            return sign(key);
        }
        drop(remembered);
        let mut remembered = self.key_of_the_day.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have derived it in between.
        let day_and_key = match remembered.take() {
            Some((day, key)) if day.same_day(&now) => (day, key),
            _ => (now, SigningKey::derive(&self.credentials, scope)),
        };
        let (_, key) = remembered.insert(day_and_key);
        sign(key)
    }

    #[cfg(not(feature = "std"))]
    fn with_key_of_the_day<T>(&self, _now: Timestamp, scope: &Scope<'_>, sign: impl FnOnce(&SigningKey) -> T) -> T {
        sign(&SigningKey::derive(&self.credentials, scope))
    }
}

impl Clone for Signer {
    /// The clone derives its own key of the day.
    fn clone(&self) -> Self {
        Self {
            credentials: self.credentials.clone(),
            region: self.region.clone(),
            service: self.service.clone(),
            scope: self.scope.clone(),
            rules: self.rules,
            signed_headers: self.signed_headers,
            also_signed: self.also_signed.clone(),
            #[cfg(feature = "std")]
            key_of_the_day: std::sync::RwLock::new(None),
            #[cfg(feature = "sigv4a")]
            sigv4a: self.sigv4a.clone(),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("credentials", &self.credentials)
            .field("region", &self.region_set().unwrap_or(&self.region))
            .field("service", &self.service)
            .field("rules", &self.rules)
            .field("signed_headers", &self.signed_headers)
            .field("also_signed", &self.also_signed)
            .finish_non_exhaustive()
    }
}
