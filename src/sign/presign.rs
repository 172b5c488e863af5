use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;
use core::time::Duration;

use super::{SignError, Signer};
use crate::sigv4::authorization::{self, PrintedScope, QueryParameters};
use crate::sigv4::canonical_request::{CanonicalRequest, Parts, SignedHeaderList};
use crate::sigv4::payload::{Payload, PayloadLine, StreamingPayload, UNSIGNED_PAYLOAD};
use crate::sigv4::request::Request;
use crate::sigv4::scope::Scope;
use crate::sigv4::signature::Signature;
use crate::sigv4::string_to_sign::StringToSign;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::decodes_to;
use crate::text::{split, split_once};

impl Signer {
    /// Makes a URL that carries its own signature and lives for `expires`, whole seconds from `now`.
    ///
    /// By the rules of the service, S3 signs `UNSIGNED-PAYLOAD` and all others the hash of no body; an
    /// `x-amz-content-sha256` header of the request, or an `X-Amz-Content-Sha256` in its query, pins the body. The client
    /// has to send the request's signed headers with the URL.
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
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let mut headers = SignedHeaderList::new();
        let seen = self.choose_headers(request, &mut headers)?;
        let host = core::str::from_utf8(seen.host).map_err(|_| SignError::TargetNotUtf8)?;
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
        if let PayloadLine::Text(text) = payload
            && let Some(streaming) = StreamingPayload::parse(text)
        {
            return Err(SignError::PresignedStreaming { streaming });
        }
        self.sort_and_check(request, &mut headers, &seen)?;

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
                + self.region_set().map_or(0, |region_set| 3 * region_set.len())
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
        for piece in split(query.as_bytes(), b'&').filter(|piece| !piece.is_empty()) {
            let (name, _) = split_once(piece, b'=').unwrap_or((piece, b""));
            let is_own = authorization::is_presign_parameter(name)
                || given.is_some() && decodes_to(name, authorization::X_AMZ_CONTENT_SHA256);
            if !is_own {
                url.extend_from_slice(piece);
                url.push(b'&');
            }
        }
        let printed = QueryParameters {
            access_key_id: self.credentials.access_key_id(),
            scope,
            timestamp: now,
            expires: rules.presign_expires.then_some(seconds),
            region_set: self.region_set(),
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
        authorization::write_parameter(&mut url, authorization::X_AMZ_SIGNATURE, b"");
        signature.write_hex(|digits| url.extend_from_slice(digits));
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
}

/// A URL that carries its own signature, and the stages it was made in. `Debug` doesn't show it: whoever has the URL
/// can use it.
///
/// ```
/// use countersign::{Credentials, Request, Signer};
/// use std::time::Duration;
///
/// // Temporary credentials that end in five minutes.
/// let credentials = Credentials::new("ASIAEXAMPLE", "secret")?
///     .with_session_token("token")?
///     .with_expiry("20150830T124100Z".parse()?);
/// let request = Request::new("GET", "/report.pdf", &[]).with_host("bucket.s3.amazonaws.com");
/// let signer = Signer::new(credentials, "us-east-1", "s3");
/// let presigned = signer.presign(&request, Duration::from_secs(3600), "20150830T123600Z".parse()?)?;
/// assert!(presigned.outlives_credentials());
/// assert_eq!(presigned.valid_until().as_str(), "20150830T124100Z");
/// assert!(presigned.target().starts_with("/report.pdf?X-Amz-Algorithm=AWS4-HMAC-SHA256&"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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

    #[cfg(feature = "tokens")]
    pub(crate) fn into_url(self) -> String {
        self.url
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

    #[cfg(feature = "explain")]
    pub(crate) fn timestamp(&self) -> Timestamp {
        self.timestamp
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
