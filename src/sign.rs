//! Direction 1: what to add to a request so that AWS accepts it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::time::Duration;

use crate::authorization::{self, PrintedScope, QueryParameters};
use crate::canonical_request::percent::decodes_to;
use crate::canonical_request::{Assembled, CanonicalRequest, Parts, SignedHeaderList};
use crate::credentials::Credentials;
use crate::payload::{Payload, PayloadLine, StreamingPayload, UNSIGNED_PAYLOAD, sha256};
use crate::request::{Request, RequestError};
use crate::rules::{Rules, UnsignedPayload};
use crate::scope::{Scope, ScopeError};
use crate::signature::Signature;
use crate::signing_key::SigningKey;
use crate::string_to_sign::StringToSign;
use crate::text::excerpt;
use crate::timestamp::Timestamp;

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
    rules: Rules,
    signed_headers: SignedHeaders,
    also_signed: Vec<String>,
    #[cfg(feature = "std")]
    key_of_the_day: std::sync::RwLock<Option<(Timestamp, SigningKey)>>,
}

/// Which headers are signed, besides those that the caller names with [`Signer::also_sign`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SignedHeaders {
    /// Those that have to be and that no hop rewrites: `host`, `content-type`, `content-md5` and every `x-amz-*`.
    #[default]
    Required,
    /// All but those that hops add, drop or change: `authorization`, `connection`, `keep-alive`, `transfer-encoding`,
    /// `te`, `trailer`, `upgrade`, `expect`, `user-agent`, `x-amzn-trace-id`, `proxy-*`, `accept-encoding`,
    /// `content-length`, `forwarded`, `x-forwarded-*`, `via`, `traceparent`, `tracestate`, `baggage`, `cache-control`,
    /// `sec-websocket-*`.
    All,
}

impl Signer {
    /// A signer with the rules of the service: region and service as AWS writes them in a scope, e.g. `us-east-1` and
    /// `execute-api`.
    pub fn new(credentials: Credentials, region: impl Into<String>, service: impl Into<String>) -> Self {
        let service = service.into();
        Self {
            credentials,
            region: region.into(),
            rules: Rules::for_service(&service),
            service,
            signed_headers: SignedHeaders::Required,
            also_signed: Vec::new(),
            #[cfg(feature = "std")]
            key_of_the_day: std::sync::RwLock::new(None),
        }
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
        let rules = &self.rules;
        let payload = self.payload_line(payload);
        let token = self.credentials.session_token();

        let (mut headers, seen) = self.choose_headers(request)?;
        if let Some(scheme) = seen.foreign_authorization {
            return Err(SignError::ForeignAuthorization { scheme });
        }
        if seen.session_token && token.is_none() {
            return Err(SignError::SessionTokenOfOthers { name: rules.session_token_header });
        }
        // Where the value can't be told from the body, the receiver has to be told.
        let sends_sha256 =
            rules.content_sha256_header || seen.content_sha256.is_some() || matches!(payload, PayloadLine::Text(_));
        headers.push("x-amz-date", now.as_str().as_bytes());
        if sends_sha256 {
            headers.push("x-amz-content-sha256", payload.as_bytes());
        }
        if let (Some(token), true) = (token, rules.sign_session_token) {
            headers.push(rules.session_token_header, token.as_bytes());
        }
        self.sort_and_check(&mut headers, &seen)?;

        let parts = Parts { method: request.method, path, query, left_out: &[], rules, headers: &headers, payload };
        let token_length = token.map_or(0, str::len) + now.as_str().len();
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
        buffer.extend_from_slice(now.as_str().as_bytes());
        #[cfg(feature = "http")]
        let buffer = Buffer::from(buffer);
        Ok(Signed {
            canonical_request: 0..length,
            content_sha256: sends_sha256.then(|| length - payload.as_bytes().len()..length),
            #[cfg(feature = "http")]
            date: session_token.end..buffer.len(),
            session_token: token.map(|_| (rules.session_token_header, session_token)),
            authorization,
            printed,
            timestamp: now,
            canonical_request_sha256,
            signature,
            buffer,
        })
    }

    /// Makes a URL that carries its own signature and lives for `expires`, whole seconds from `now`.
    ///
    /// By the rules of the service, S3 signs `UNSIGNED-PAYLOAD` and all others the hash of no body; an
    /// `x-amz-content-sha256` header of the request, or an `X-Amz-Content-Sha256` in its query, pins the body. The client has to send the request's
    /// signed headers with the URL.
    ///
    /// ```
    /// use countersign::{Credentials, Request, Signer};
    /// use std::time::Duration;
    ///
    /// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
    /// let signer = Signer::new(credentials, "us-east-1", "s3");
    /// let request = Request::new("GET", "/test.txt", &[]).with_host("examplebucket.s3.amazonaws.com");
    /// let presigned = signer.presign(&request, Duration::from_secs(86400), "20130524T000000Z".parse()?)?;
    /// assert!(presigned.url().ends_with(
    ///     "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    /// ));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// AWS: [Query string authentication](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html)
    ///
    /// # Errors
    /// [`SignError`], [`SignError::Expires`] outside 1 second to the rules' `max_presign` among them.
    pub fn presign(&self, request: &Request<'_>, expires: Duration, now: Timestamp) -> Result<Presigned, SignError> {
        self.presign_with(request, None, expires, now)
    }

    /// Like [`Signer::presign`], with a body that is part of what is signed. Where the receiver can't know what was
    /// signed (S3, or `UNSIGNED-PAYLOAD` elsewhere), the URL says it as `X-Amz-Content-Sha256`.
    ///
    /// # Errors
    /// As for [`Signer::presign`]; [`SignError::PresignedStreaming`] for a streaming payload.
    pub fn presign_payload(
        &self,
        request: &Request<'_>,
        payload: Payload<'_>,
        expires: Duration,
        now: Timestamp,
    ) -> Result<Presigned, SignError> {
        self.presign_with(request, Some(payload), expires, now)
    }

    fn presign_with(
        &self,
        request: &Request<'_>,
        payload: Option<Payload<'_>>,
        expires: Duration,
        now: Timestamp,
    ) -> Result<Presigned, SignError> {
        let scope = self.check(request, &now)?;
        let rules = &self.rules;
        let seconds = expires.as_secs();
        if seconds == 0 || expires.subsec_nanos() > 0 || expires > rules.max_presign {
            return Err(SignError::Expires { expires, limit: rules.max_presign });
        }
        if request.target.contains(&b'#') {
            return Err(SignError::Fragment);
        }
        let target = core::str::from_utf8(request.target).map_err(|_| SignError::TargetNotUtf8)?;
        let host = core::str::from_utf8(request.host()?).map_err(|_| SignError::TargetNotUtf8)?;
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (mut headers, seen) = self.choose_headers(request)?;
        let given = payload.map(|payload| self.payload_line(payload));
        let pinned_by_header = seen.content_sha256.filter(|_| given.is_none());
        if let Some(pinned) = pinned_by_header {
            headers.push("x-amz-content-sha256", pinned.as_bytes());
        }
        let pinned = pinned_by_header.or_else(|| authorization::pinned_content_sha256(query));
        let payload = match (given, pinned) {
            (Some(given), _) => given,
            (None, Some(pinned)) => PayloadLine::Text(pinned),
            (None, None) if rules.presign_unsigned_payload => PayloadLine::Text(UNSIGNED_PAYLOAD),
            (None, None) => self.payload_line(Payload::EMPTY),
        };
        let as_text = core::str::from_utf8(payload.as_bytes()).unwrap_or_default();
        if let Some(streaming) = StreamingPayload::parse(as_text) {
            return Err(SignError::PresignedStreaming { streaming });
        }
        self.sort_and_check(&mut headers, &seen)?;

        let token = self.credentials.session_token().map(|token| (rules.session_token_query, token));
        let (signed_token, added_token) = if rules.sign_session_token { (token, None) } else { (None, token) };
        let says_sha256 =
            given.is_some() && (payload.as_bytes() == UNSIGNED_PAYLOAD.as_bytes()) != rules.presign_unsigned_payload;
        let scheme = request.scheme();
        let mut url = Vec::with_capacity(
            scheme.len()
                + host.len()
                + target.len()
                + 512
                + self.credentials.access_key_id().len()
                + self.region.len()
                + self.service.len()
                + headers.names().map(|name| name.len() + 3).sum::<usize>()
                + token.map_or(0, |(_, token)| 3 * token.len()),
        );
        for piece in [scheme, "://", host] {
            url.extend_from_slice(piece.as_bytes());
        }
        let target_start = url.len();
        if !path.starts_with('/') {
            url.push(b'/');
        }
        url.extend_from_slice(path.as_bytes());
        url.push(b'?');
        let query_start = url.len();
        // What an earlier presigning added is replaced; every other piece stays as it is.
        let own = |piece: &str| {
            let name = piece.split('=').next().unwrap_or_default().as_bytes();
            authorization::is_presign_parameter(name)
                || given.is_some() && decodes_to(name, authorization::X_AMZ_CONTENT_SHA256)
        };
        for piece in query.split('&').filter(|piece| !piece.is_empty() && !own(piece)) {
            url.extend_from_slice(piece.as_bytes());
            url.push(b'&');
        }
        let printed = QueryParameters {
            access_key_id: self.credentials.access_key_id(),
            scope,
            timestamp: now,
            expires: rules.presign_expires.then_some(seconds),
            signed_headers: headers.names(),
            session_token: signed_token,
            content_sha256: says_sha256.then_some(payload.as_bytes()),
        }
        .write_to(&mut url);

        let query = url.get(query_start..).unwrap_or_default();
        let path = path.as_bytes();
        let parts = Parts { method: request.method, path, query, left_out: &[], rules, headers: &headers, payload };
        let mut canonical_request = Vec::new();
        parts.assemble(&mut canonical_request, 0);
        let (canonical_request_sha256, signature) = self.signature(now, &scope, &canonical_request);
        authorization::write_parameter(&mut url, authorization::X_AMZ_SIGNATURE, &signature.hex());
        if let Some((name, token)) = added_token {
            authorization::write_parameter(&mut url, name, token.as_bytes());
        }
        let requested = now.saturating_add(i64::try_from(seconds).unwrap_or(i64::MAX));
        Ok(Presigned {
            url: String::from_utf8(url).map_err(|_| SignError::TargetNotUtf8)?,
            target_start,
            printed,
            canonical_request,
            timestamp: now,
            canonical_request_sha256,
            signature,
            requested_until: requested,
            credentials_until: self.credentials.expiry(),
        })
    }

    /// What has to hold for any signature; gives the scope of one made now.
    fn check<'s>(&'s self, request: &Request<'_>, now: &'s Timestamp) -> Result<Scope<'s>, SignError> {
        request.check()?;
        if let Some(expiry) = self.credentials.expiry()
            && expiry <= *now
        {
            return Err(SignError::CredentialsExpired { expiry, now: *now });
        }
        Ok(Scope::new(now.date(), &self.region, &self.service)?)
    }

    fn payload_line(&self, payload: Payload<'_>) -> PayloadLine<'static> {
        match self.rules.unsigned_payload {
            UnsignedPayload::Always => PayloadLine::Text(UNSIGNED_PAYLOAD),
            _ => payload.line(),
        }
    }

    /// The headers to sign of those that the request has, without what signing itself adds.
    fn choose_headers<'a>(&self, request: &Request<'a>) -> Result<(SignedHeaderList<'a>, Seen<'a>), SignError> {
        let mut headers = SignedHeaderList::new();
        let mut seen = Seen::default();
        headers.push("host", request.host()?);
        for (name, value) in request.headers.iter() {
            if name.eq_ignore_ascii_case("host") || name.eq_ignore_ascii_case("x-amz-date") {
                continue;
            } else if name.eq_ignore_ascii_case(self.rules.session_token_header) {
                seen.session_token = true;
            } else if name.eq_ignore_ascii_case("authorization") {
                if !value.starts_with(b"AWS4-") {
                    let scheme = value.split(|byte| *byte == b' ').next().filter(|scheme| scheme.len() < value.len());
                    seen.foreign_authorization = Some(excerpt(scheme.unwrap_or_default()));
                }
            } else if name.eq_ignore_ascii_case("x-amz-content-sha256") {
                let value =
                    core::str::from_utf8(value.trim_ascii()).map_err(|_| RequestError::not_ascii(name, value))?;
                seen.content_sha256 = Some(value);
            } else {
                if name.eq_ignore_ascii_case("connection") {
                    seen.connection = value;
                }
                if self.is_signed(name) {
                    headers.push(name, value);
                }
            }
        }
        Ok((headers, seen))
    }

    fn is_signed(&self, name: &str) -> bool {
        let chosen = match self.signed_headers {
            SignedHeaders::Required => {
                name.eq_ignore_ascii_case("content-type")
                    || name.eq_ignore_ascii_case("content-md5")
                    || starts_with_ignoring_case(name, "x-amz-")
            }
            SignedHeaders::All => !is_changed_by_hops(name),
        };
        chosen || self.also_signed.iter().any(|also| also.eq_ignore_ascii_case(name))
    }

    fn sort_and_check(&self, headers: &mut SignedHeaderList<'_>, seen: &Seen<'_>) -> Result<(), SignError> {
        headers.sort();
        for option in seen.connection.split(|byte| *byte == b',') {
            if let Ok(name) = core::str::from_utf8(option.trim_ascii())
                && headers.contains(name)
            {
                return Err(SignError::RemovedByHop { name: name.into() });
            }
        }
        Ok(())
    }

    fn signature(&self, now: Timestamp, scope: &Scope<'_>, canonical_request: &[u8]) -> ([u8; 32], Signature) {
        let hash = sha256(canonical_request);
        let string_to_sign = StringToSign::of_hash(now, *scope, hash);
        (hash, self.with_key(now, scope, |key| key.sign(&string_to_sign)))
    }

    #[cfg(feature = "std")]
    fn with_key<T>(&self, now: Timestamp, scope: &Scope<'_>, sign: impl FnOnce(&SigningKey) -> T) -> T {
        use std::sync::PoisonError;
        let remembered = self.key_of_the_day.read().unwrap_or_else(PoisonError::into_inner);
        if let Some((day, key)) = &*remembered
            && day.date() == now.date()
        {
            return sign(key);
        }
        drop(remembered);
        let mut remembered = self.key_of_the_day.write().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have derived it in between.
        let day_and_key = match remembered.take() {
            Some((day, key)) if day.date() == now.date() => (day, key),
            _ => (now, SigningKey::derive(&self.credentials, scope)),
        };
        let (_, key) = remembered.insert(day_and_key);
        sign(key)
    }

    #[cfg(not(feature = "std"))]
    fn with_key<T>(&self, _now: Timestamp, scope: &Scope<'_>, sign: impl FnOnce(&SigningKey) -> T) -> T {
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
            rules: self.rules,
            signed_headers: self.signed_headers,
            also_signed: self.also_signed.clone(),
            #[cfg(feature = "std")]
            key_of_the_day: std::sync::RwLock::new(None),
        }
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer")
            .field("credentials", &self.credentials)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("rules", &self.rules)
            .field("signed_headers", &self.signed_headers)
            .field("also_signed", &self.also_signed)
            .finish_non_exhaustive()
    }
}

/// What stood among the headers of a request and is not signed as it stands.
#[derive(Default)]
struct Seen<'a> {
    content_sha256: Option<&'a str>,
    connection: &'a [u8],
    session_token: bool,
    foreign_authorization: Option<String>,
}

pub(crate) fn starts_with_ignoring_case(name: &str, prefix: &str) -> bool {
    name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// The IAM guide's list of headers not to sign, and what reports of broken signatures add to it: headers that proxies,
/// load balancers, tracing and CDNs write on the way.
fn is_changed_by_hops(name: &str) -> bool {
    const NAMES: [&str; 18] = [
        "accept-encoding",
        "authorization",
        "baggage",
        "cache-control",
        "connection",
        "content-length",
        "expect",
        "forwarded",
        "keep-alive",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "via",
        "x-amzn-trace-id",
    ];
    NAMES.iter().any(|changed| changed.eq_ignore_ascii_case(name))
        || ["proxy-", "x-forwarded-", "sec-websocket-"].iter().any(|prefix| starts_with_ignoring_case(name, prefix))
}

/// With `http`, the header values share the buffer instead of copying from it.
#[cfg(feature = "http")]
type Buffer = bytes::Bytes;
#[cfg(not(feature = "http"))]
type Buffer = Vec<u8>;

/// What signing found: the headers to add, and each stage for whoever wants to follow.
///
/// ```
/// # use countersign::{Credentials, Payload, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "execute-api");
/// let request = Request::new("GET", "/dev/get-list", &[]).with_host("example.com");
/// let signed = signer.sign(&request, Payload::EMPTY, "20150830T123600Z".parse()?)?;
/// println!("{}", signed.canonical_request());
/// println!("{}", signed.string_to_sign());
/// assert!(signed.authorization().starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signed {
    /// The canonical request, the Authorization header, the session token, the date.
    buffer: Buffer,
    canonical_request: Range<usize>,
    authorization: Range<usize>,
    content_sha256: Option<Range<usize>>,
    session_token: Option<(&'static str, Range<usize>)>,
    #[cfg(feature = "http")]
    date: Range<usize>,
    printed: PrintedScope,
    timestamp: Timestamp,
    canonical_request_sha256: [u8; 32],
    signature: Signature,
}

impl Signed {
    /// The headers to add, lower-case name and value: `x-amz-date`, `authorization` and, where they are sent,
    /// `x-amz-content-sha256` and the session token. Keep them out of logs.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let content_sha256 = self.content_sha256.clone().map(|range| ("x-amz-content-sha256", self.text(range)));
        let session_token = self.session_token.clone().map(|(name, range)| (name, self.text(range)));
        [("x-amz-date", self.timestamp.as_str()), ("authorization", self.authorization())]
            .into_iter()
            .chain(content_sha256)
            .chain(session_token)
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> &str {
        self.text(self.authorization.clone())
    }

    /// Step 1.
    pub fn canonical_request(&self) -> CanonicalRequest<'_> {
        CanonicalRequest::from_bytes(self.buffer.get(self.canonical_request.clone()).unwrap_or_default())
    }

    /// Step 2.
    pub fn string_to_sign(&self) -> StringToSign<'_> {
        let PrintedScope { region, service } = self.printed.clone();
        let scope = Scope::unchecked(self.timestamp.date(), self.text(region), self.text(service));
        StringToSign::of_hash(self.timestamp, scope, self.canonical_request_sha256)
    }

    /// Step 4.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    fn text(&self, range: Range<usize>) -> &str {
        core::str::from_utf8(self.buffer.get(range).unwrap_or_default()).unwrap_or_default()
    }

    /// The same, as parts of the shared buffer.
    #[cfg(feature = "http")]
    pub(crate) fn shared_headers(&self) -> impl Iterator<Item = (&'static str, bytes::Bytes)> {
        let content_sha256 = self.content_sha256.clone().map(|range| ("x-amz-content-sha256", range));
        [("x-amz-date", self.date.clone()), ("authorization", self.authorization.clone())]
            .into_iter()
            .chain(content_sha256)
            .chain(self.session_token.clone())
            .map(|(name, range)| (name, self.buffer.slice(range)))
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("canonical_request", &self.canonical_request())
            .field("string_to_sign", &self.string_to_sign())
            .finish_non_exhaustive()
    }
}

/// A URL that carries its own signature, and the stages it was made in. `Debug` doesn't show it: whoever has the URL
/// can use it.
#[derive(Clone)]
pub struct Presigned {
    url: String,
    target_start: usize,
    printed: PrintedScope,
    canonical_request: Vec<u8>,
    timestamp: Timestamp,
    canonical_request_sha256: [u8; 32],
    signature: Signature,
    requested_until: Timestamp,
    credentials_until: Option<Timestamp>,
}

impl Presigned {
    /// The whole URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Path and query of the URL.
    pub fn target(&self) -> &str {
        self.url.get(self.target_start..).unwrap_or_default()
    }

    /// When it really ends: after the requested time, or with the credentials, whichever is earlier.
    pub fn valid_until(&self) -> Timestamp {
        self.credentials_until.map_or(self.requested_until, |until| until.min(self.requested_until))
    }

    /// Whether it was asked to live longer than the credentials that signed it; it ends with them.
    pub fn outlives_credentials(&self) -> bool {
        self.credentials_until.is_some_and(|until| until < self.requested_until)
    }

    /// Step 1.
    pub fn canonical_request(&self) -> CanonicalRequest<'_> {
        CanonicalRequest::from_bytes(&self.canonical_request)
    }

    /// Step 2.
    pub fn string_to_sign(&self) -> StringToSign<'_> {
        let text = |range: &Range<usize>| self.url.get(range.clone()).unwrap_or_default();
        let scope = Scope::unchecked(self.timestamp.date(), text(&self.printed.region), text(&self.printed.service));
        StringToSign::of_hash(self.timestamp, scope, self.canonical_request_sha256)
    }

    /// Step 4.
    pub fn signature(&self) -> Signature {
        self.signature
    }
}

impl fmt::Debug for Presigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presigned")
            .field("canonical_request", &self.canonical_request())
            .field("valid_until", &self.valid_until())
            .field("outlives_credentials", &self.outlives_credentials())
            .finish_non_exhaustive()
    }
}

/// Why a request was not signed; nothing of it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The request itself.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The signer's region or service.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The credentials have expired.
    #[error("the credentials expired at {expiry}, it is {now}; get new ones")]
    CredentialsExpired {
        /// When they ended.
        expiry: Timestamp,
        /// The time given to sign at.
        now: Timestamp,
    },
    /// The request carries an `Authorization` header of another kind, which signing would destroy.
    #[error(
        "the request carries an Authorization header {}, which a signature would replace; remove it first",
        if scheme.is_empty() { String::from("without a scheme") } else { alloc::format!("with the scheme {scheme:?}") }
    )]
    ForeignAuthorization {
        /// Its scheme, e.g. `Bearer`; empty if it has none.
        scheme: String,
    },
    /// The request carries a session token, and the credentials have none.
    #[error(
        "the request carries {name}, but the credentials have no session token; give it to them with \
         Credentials::with_session_token, or remove the header"
    )]
    SessionTokenOfOthers {
        /// The header.
        name: &'static str,
    },
    /// The query carries the signature of a presigned URL: AWS refuses a request with both.
    #[error("the query is presigned already (X-Amz-Algorithm); remove its X-Amz- parameters first")]
    AlreadyPresigned,
    /// The `Connection` header names a header that would be signed: the next hop removes it.
    #[error("the Connection header names {name:?}, so the next hop would remove that signed header")]
    RemovedByHop {
        /// The header.
        name: String,
    },
    /// The life of a presigned URL is no number of whole seconds from 1 to the limit.
    #[error("a presigned URL can live 1 to {} whole seconds, not {expires:?}", limit.as_secs())]
    Expires {
        /// What was asked for.
        expires: Duration,
        /// The longest, by the rules.
        limit: Duration,
    },
    /// A presigned URL can't announce a body in frames.
    #[error("a presigned URL can't sign {}", streaming.as_str())]
    PresignedStreaming {
        /// The payload.
        streaming: StreamingPayload,
    },
    /// The target holds a `#`, which would end the URL that is made of it.
    #[error("the path or query holds a '#', which would end the URL; encode it first, as %23")]
    Fragment,
    /// A URL is text: path, query or host are not UTF-8.
    #[error("path, query or host are not UTF-8; encode them first")]
    TargetNotUtf8,
}
