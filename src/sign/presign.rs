use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use super::headers::Found;
use super::{SignError, Signer, Stages};
use crate::sigv4::authorization::{
    self, QueryParameters, X_AMZ_ALGORITHM, X_AMZ_CONTENT_SHA256, X_AMZ_CREDENTIAL, X_AMZ_EXPIRES, X_AMZ_SIGNATURE,
    X_AMZ_SIGNED_HEADERS,
};
use crate::sigv4::canonical_request::{CanonicalRequest, Parts, QueryIndex, SignedHeaderList};
use crate::sigv4::payload::{Payload, PayloadLine, StreamingPayload, UNSIGNED_PAYLOAD};
use crate::sigv4::request::Request;
use crate::sigv4::rules::UnsignedPayload;
use crate::sigv4::scope::Scope;
use crate::sigv4::signature::Signature;
use crate::sigv4::string_to_sign::StringToSign;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::decodes_to;
use crate::text::wiped::Wiped;
use crate::text::{split, split_once, starts_with_ignoring_case};

impl Signer {
    /// Creates a presigned URL, which contains its own signature and is valid for `expires_in` (whole seconds) from
    /// `now`.
    ///
    /// What is signed for the body depends on the rules of the service: `UNSIGNED-PAYLOAD` for S3, and the hash of an
    /// empty body for most others. An `x-amz-content-sha256` header of the request, or an `X-Amz-Content-Sha256`
    /// parameter in its query, pins the body instead. The client has to send the request's signed headers with the URL.
    ///
    /// ```
    /// use countersign::{Credentials, Request, Signer};
    /// use std::time::Duration;
    ///
    /// let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")?;
    /// let signer = Signer::new(credentials, "us-east-1", "s3")?;
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
    /// Returns a [`SignError`]; in particular, [`SignError::Expires`] if `expires_in` is not a whole number of seconds
    /// from 1 to [`Limits::max_presign`](crate::Limits::max_presign).
    pub fn presign<'r>(
        &self,
        request: impl Into<Request<'r>>,
        expires_in: Duration,
        now: Timestamp,
    ) -> Result<Presigned, SignError> {
        self.presign_with(&request.into(), None, expires_in, now)
    }

    /// Like [`Signer::presign`], for the given payload. If the receiver can't know what was signed (a hash for S3, or
    /// `UNSIGNED-PAYLOAD` for other services), the URL contains it as `X-Amz-Content-Sha256`.
    ///
    /// # Errors
    /// Returns errors as for [`Signer::presign`], and [`SignError::PresignedStreaming`] for a streaming payload.
    pub fn presign_payload<'r>(
        &self,
        request: impl Into<Request<'r>>,
        payload: Payload<'_>,
        expires_in: Duration,
        now: Timestamp,
    ) -> Result<Presigned, SignError> {
        self.presign_with(&request.into(), Some(payload), expires_in, now)
    }

    fn presign_with(
        &self,
        request: &Request<'_>,
        payload: Option<Payload<'_>>,
        expires_in: Duration,
        now: Timestamp,
    ) -> Result<Presigned, SignError> {
        let scope = self.check(request, &now)?;
        let seconds = whole_seconds(expires_in, self.limits.max_presign)?;
        let (path, query) = request.path_and_query();
        let mut headers = SignedHeaderList::new();
        let found = self.choose_headers(request, &mut headers)?;
        let body = self.body_of_url(payload, &found, query, &scope)?;
        if body.is_pinned_by_header {
            headers.push("x-amz-content-sha256", body.line.as_bytes());
        }
        self.sort_and_check(request, &mut headers, &found)?;
        if let Some(name) = headers.names().find(|name| is_parameter_of_url(name)) {
            return Err(SignError::HeaderOfUrl { name: name.into() });
        }

        let (signed_token, added_token) = self.token_of_url();
        let names = headers.names_length();
        let room = request.scheme().len() + found.host.len() + self.room_of_url(request.target.len(), names);
        let mut url = Url { text: self.new_buffer(room), target_start: 0, query_start: 0 };
        url.begin(request.scheme(), found.host, path);
        url.copy_query(query, body.replaces_pinned);
        let is_of_others = !url.query().is_empty();
        let parameters = QueryParameters {
            start: self.target.query_start(),
            date: scope.date_bytes(),
            encoded_after_date: self.target.encoded_after_date(),
            timestamp: now,
            expires: self.rules.presign_expires.then_some(seconds),
            region_set: self.target.set(),
            signed_headers: headers.names(),
            session_token: signed_token,
            content_sha256: body.is_said.then_some(body.line.as_bytes()),
        };
        let is_query_canonical = !is_of_others && parameters.are_canonical();
        parameters.write_to(&mut url.text);

        let (rules, headers, payload) = (&self.rules, &headers, body.line);
        let (method, path, query) = (request.method, path, url.query());
        let (left_out, signed_headers) = (&[], None);
        let parts =
            Parts { method, path, query, is_query_canonical, left_out, rules, headers, signed_headers, payload };
        let mut index = QueryIndex::new();
        if !is_query_canonical {
            index.read(query);
        }
        let mut buffer = self.new_buffer(0);
        let room = scope.region().len() + scope.service().len();
        let stages = self.compute(&parts, &mut index, &mut buffer, room, now, &scope);
        url.finish(&stages.signature, added_token);
        Presigned::new(url, buffer, &scope, stages, seconds, self.credentials().expires_at())
    }

    /// Returns the name and value of the session token, either as a parameter that is signed or as one that is added
    /// after signing.
    fn token_of_url(&self) -> (Option<Parameter<'_>>, Option<Parameter<'_>>) {
        let token = self.credentials().session_token().map(|token| (self.rules.session_token.query(), token));
        if self.rules.sign_session_token { (token, None) } else { (None, token) }
    }

    /// Determines what is signed for the body, and how the receiver learns of it.
    fn body_of_url<'b>(
        &self,
        payload: Option<Payload<'_>>,
        found: &Found<'b>,
        query: &'b [u8],
        scope: &Scope<'_>,
    ) -> Result<Body<'b>, SignError> {
        if let Some(Payload::Streaming(streaming)) = payload {
            return Err(SignError::PresignedStreaming { streaming });
        }
        let given = match payload {
            Some(Payload::Unsigned) if self.rules.presign_unsigned_payload => Some(PayloadLine::Text(UNSIGNED_PAYLOAD)),
            payload => payload.map(|payload| self.payload_line(payload, scope.algorithm())).transpose()?,
        };
        let in_header = found.content_sha256.filter(|_| given.is_none());
        let line = match (given, in_header.or_else(|| authorization::pinned_content_sha256(query))) {
            (Some(given), _) => given,
            (None, Some(pinned)) => PayloadLine::Text(pinned),
            (None, None) if self.rules.presign_unsigned_payload => PayloadLine::Text(UNSIGNED_PAYLOAD),
            (None, None) => self.payload_line(Payload::EMPTY, scope.algorithm())?,
        };
        if let PayloadLine::Text(text) = line
            && let Some(streaming) = StreamingPayload::parse(text)
        {
            return Err(SignError::PresignedStreaming { streaming });
        }
        let is_unsigned = line.as_bytes() == UNSIGNED_PAYLOAD.as_bytes();
        if is_unsigned
            && !self.rules.presign_unsigned_payload
            && self.rules.unsigned_payload == UnsignedPayload::Refused
        {
            return Err(SignError::UnsignedPayload);
        }
        Ok(Body {
            line,
            is_pinned_by_header: in_header.is_some(),
            is_said: given.is_some() && is_unsigned != self.rules.presign_unsigned_payload,
            replaces_pinned: given.is_some(),
        })
    }

    /// Returns the number of bytes to reserve for the target and the parameters that presigning adds. It must not be
    /// too small: a URL that grows would leave a copy of the session token in freed memory. An encoded byte takes three
    /// bytes.
    fn room_of_url(&self, target: usize, names: usize) -> usize {
        // The names of parameters, separators, times, hash and signature, at most 466 bytes.
        const OTHERS: usize = 480;
        let credentials = self.credentials();
        let token = credentials.session_token().map_or(0, str::len);
        let scope = self.target.regions().len() + self.target.service.len();
        target + OTHERS + 3 * (credentials.access_key_id().len() + scope + names + token)
    }
}

/// A name and a value.
type Parameter<'a> = (&'a str, &'a str);

/// What a presigned URL signs for the body, and how it states that.
struct Body<'b> {
    line: PayloadLine<'b>,
    /// Pinned by an `x-amz-content-sha256` header of the request, which is signed.
    is_pinned_by_header: bool,
    /// Stated in a parameter, because the receiver can't know it otherwise.
    is_said: bool,
    /// Replaces a parameter of the request that pins another body.
    replaces_pinned: bool,
}

/// Signing adds each of them once. A header of that name would be signed beside it, and a server that reads headers from the
/// query couldn't tell which of the two counts.
fn is_parameter_of_url(name: &str) -> bool {
    const OWN: [&str; 5] = [X_AMZ_ALGORITHM, X_AMZ_CREDENTIAL, X_AMZ_EXPIRES, X_AMZ_SIGNED_HEADERS, X_AMZ_SIGNATURE];
    starts_with_ignoring_case(name, "x-amz-") && OWN.iter().any(|own| own.eq_ignore_ascii_case(name))
}

fn whole_seconds(expires_in: Duration, limit: Duration) -> Result<u64, SignError> {
    match expires_in.as_secs() {
        seconds if seconds > 0 && expires_in.subsec_nanos() == 0 && expires_in <= limit => Ok(seconds),
        _ => Err(SignError::Expires { expires_in, limit }),
    }
}

/// A URL under construction.
struct Url {
    text: Wiped<Vec<u8>>,
    target_start: usize,
    query_start: usize,
}

impl Url {
    /// Writes the URL up to the `?`.
    fn begin(&mut self, scheme: &str, host: &[u8], path: &[u8]) {
        let text = &mut self.text;
        text.extend_from_slice(scheme.as_bytes());
        text.extend_from_slice(b"://");
        text.extend_from_slice(host);
        self.target_start = text.len();
        if !path.starts_with(b"/") {
            text.push(b'/');
        }
        text.extend_from_slice(path);
        text.push(b'?');
        self.query_start = text.len();
    }

    /// Copies the query without the parameters of an earlier presigned URL. Everything else is copied unchanged.
    fn copy_query(&mut self, query: &[u8], replaces_pinned: bool) {
        for piece in split(query, b'&').filter(|piece| !piece.is_empty()) {
            let (name, _) = split_once(piece, b'=').unwrap_or((piece, b""));
            let is_own =
                authorization::is_presign_parameter(name) || replaces_pinned && decodes_to(name, X_AMZ_CONTENT_SHA256);
            if !is_own {
                self.text.extend_from_slice(piece);
                self.text.push(b'&');
            }
        }
    }

    fn query(&self) -> &[u8] {
        self.text.get(self.query_start..).unwrap_or_default()
    }

    fn finish(&mut self, signature: &Signature, added_token: Option<Parameter<'_>>) {
        authorization::write_parameter_name(&mut self.text, authorization::X_AMZ_SIGNATURE);
        signature.write_hex(|digits| self.text.extend_from_slice(digits));
        if let Some((name, token)) = added_token {
            authorization::write_parameter(&mut self.text, name, token.as_bytes());
        }
    }
}

/// A presigned URL, and the result of each step of signing it. `Debug` does not show the URL, since anyone who has it
/// can use it.
///
/// ```
/// use countersign::{Credentials, Request, Signer};
/// use std::time::Duration;
///
/// // Temporary credentials that expire in five minutes.
/// let credentials = Credentials::new("ASIAEXAMPLE", "secret")?
///     .with_session_token("token")?
///     .with_expires_at("20150830T124100Z".parse()?);
/// let request = Request::new("GET", "/report.pdf", &[]).with_host("bucket.s3.amazonaws.com");
/// let signer = Signer::new(credentials, "us-east-1", "s3")?;
/// let presigned = signer.presign(&request, Duration::from_secs(3600), "20150830T123600Z".parse()?)?;
/// assert!(presigned.outlives_credentials());
/// assert_eq!(presigned.expires_at().as_str(), "20150830T124100Z");
/// assert!(presigned.target().starts_with("/report.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Presigned {
    url: Wiped<String>,
    target_start: usize,
    /// The canonical request, followed by the region and service as signed, since the URL contains them encoded.
    buffer: Wiped<Vec<u8>>,
    region_length: usize,
    stages: Stages,
    requested_seconds: i64,
    credentials_until: Option<Timestamp>,
}

impl Presigned {
    fn new(
        url: Url,
        mut buffer: Wiped<Vec<u8>>,
        scope: &Scope<'_>,
        stages: Stages,
        seconds: u64,
        credentials_until: Option<Timestamp>,
    ) -> Result<Self, SignError> {
        buffer.extend_from_slice(scope.region().as_bytes());
        buffer.extend_from_slice(scope.service().as_bytes());
        Ok(Self {
            url: url.text.into_text().ok_or(SignError::TargetNotUtf8)?,
            target_start: url.target_start,
            buffer,
            region_length: scope.region().len(),
            requested_seconds: i64::try_from(seconds).unwrap_or(i64::MAX),
            credentials_until,
            stages,
        })
    }

    /// Returns the full URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn into_url(self) -> String {
        self.url.into_inner()
    }

    /// Returns the path and query of the URL.
    pub fn target(&self) -> &str {
        self.url.get(self.target_start..).unwrap_or_default()
    }

    /// Returns when the URL expires: after the requested lifetime or when the credentials expire, whichever is earlier.
    pub fn expires_at(&self) -> Timestamp {
        let requested_until = self.requested_until();
        self.credentials_until.map_or(requested_until, |until| until.min(requested_until))
    }

    /// Returns `true` if the requested lifetime extends beyond the expiration of the credentials. The URL then expires
    /// with the credentials.
    pub fn outlives_credentials(&self) -> bool {
        self.credentials_until.is_some_and(|until| until < self.requested_until())
    }

    fn requested_until(&self) -> Timestamp {
        self.stages.timestamp.saturating_add(self.requested_seconds)
    }

    /// Returns the canonical request (step 1).
    pub fn canonical_request(&self) -> CanonicalRequest<'_> {
        let (canonical_request, _) = self.parts();
        CanonicalRequest::from_bytes(canonical_request)
    }

    /// Returns the string to sign (step 2).
    pub fn string_to_sign(&self) -> StringToSign<'_> {
        let (_, scope) = self.parts();
        let (region, service) = scope.split_at_checked(self.region_length).unwrap_or_default();
        self.stages.string_to_sign(region, service)
    }

    /// Returns the canonical request, and the region and service without a separator.
    fn parts(&self) -> (&[u8], &str) {
        let length = self.stages.canonical_request.length;
        let (canonical_request, scope) = self.buffer.split_at_checked(length).unwrap_or_default();
        (canonical_request, core::str::from_utf8(scope).unwrap_or_default())
    }

    /// Returns the signature (step 4).
    pub fn signature(&self) -> Signature {
        self.stages.signature
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        self.stages.timestamp
    }
}

impl fmt::Debug for Presigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presigned")
            .field("canonical_request", &self.canonical_request())
            .field("expires_at", &self.expires_at())
            .field("outlives_credentials", &self.outlives_credentials())
            .finish_non_exhaustive()
    }
}
