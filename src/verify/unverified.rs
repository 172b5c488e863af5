use alloc::borrow::Cow;
use core::fmt;
use core::ops::Range;

use super::body::SignedBody;
use super::error::VerifyError;
use crate::hash::sha256;
#[cfg(feature = "sigv4a")]
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::{self, Claims, MAX_AUTHORIZATION, SESSION_TOKEN_HEADERS};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::request::{Request, RequestError};
use crate::sigv4::scope::Scope;
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::SigningKey;
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;

/// What a request says about its signature. It proves nothing: everything here may be forged.
///
/// With access key id, session token and scope the caller looks up the key, then hands both to
/// [`Verifier::verify`](crate::Verifier::verify).
///
/// ```
/// use countersign::{Presented, Request};
///
/// let headers = [
///     ("host", b"example.com".as_slice()),
///     ("x-amz-date", b"20150830T123600Z"),
///     ("authorization", b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request, \
///       SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
/// ];
/// let presented = Presented::parse(Request::new("GET", "/dev/get-list", &headers))?;
/// assert_eq!(presented.access_key_id(), "AKIDEXAMPLE");
/// assert_eq!(presented.scope().service(), "execute-api");
/// assert_eq!(presented.session_token(), None);
/// # Ok::<(), countersign::VerifyError>(())
/// ```
#[derive(Clone)]
pub struct Presented<'a> {
    pub(super) request: Request<'a>,
    pub(super) presigned: bool,
    /// The Authorization header, or the decoded values of the query.
    text: Cow<'a, str>,
    claims: Claims,
    pub(super) timestamp: Timestamp,
    /// Seconds.
    pub(super) expires: Option<u64>,
    session_token: Option<Text<'a>>,
    content_sha256: Option<(Text<'a>, SignedBody)>,
    /// There is an Authorization header of another kind beside the presigned query.
    pub(super) foreign_authorization: bool,
    pub(super) body_sha256: Option<[u8; 32]>,
    #[cfg(feature = "sigv4a")]
    region_set: Option<Cow<'a, str>>,
}

/// A value from a header, or from the text of the query.
#[derive(Clone)]
enum Text<'a> {
    Header(&'a str),
    Query(Range<usize>),
}

impl<'a> Presented<'a> {
    /// Reads the `Authorization` header or the presigned query of a request: checks 1 to 8 of
    /// [`Verifier`](crate::Verifier).
    ///
    /// # Errors
    /// [`VerifyError`] if the request carries no signature, more than one, or a malformed one.
    pub fn parse(request: impl Into<Request<'a>>) -> Result<Self, VerifyError> {
        let request = request.into();
        request.check()?;
        let headers = AuthHeaders::find(&request)?;
        let (_, query) = request.path_and_query();
        let presented = match headers.authorization {
            Some(header) if header.starts_with(b"AWS") => {
                if authorization::names_algorithm(query) {
                    return Err(VerifyError::BothMechanisms);
                }
                Self::parse_header(request, header, &headers)
            }
            foreign if authorization::is_presigned(query) => {
                Self::parse_query(request, query, &headers, foreign.is_some())
            }
            Some(header) => Self::parse_header(request, header, &headers),
            None => Err(VerifyError::MissingAuthentication),
        }?;
        #[cfg(feature = "sigv4a")]
        let presented = presented.with_region_set(query)?;
        Ok(presented)
    }

    /// Reads the region set, if the algorithm has one.
    #[cfg(feature = "sigv4a")]
    fn with_region_set(mut self, query: &[u8]) -> Result<Self, VerifyError> {
        if self.scope().algorithm() == Algorithm::HmacSha256 {
            return Ok(self);
        }
        self.region_set = if self.presigned {
            let region_set = crate::sigv4::sigv4a::region_set_in_query(query);
            region_set.map_err(|error| VerifyError::of_claim(error, true))?.map(Cow::Owned)
        } else {
            let mut found =
                self.request.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-amz-region-set"));
            let first = found.next();
            if found.next().is_some() {
                return Err(VerifyError::Repeated { name: "X-Amz-Region-Set" });
            }
            drop(found);
            let value = first.map(|(name, value)| {
                core::str::from_utf8(value.trim_ascii()).map_err(|_| RequestError::not_ascii(name, value))
            });
            value.transpose()?.map(Cow::Borrowed)
        };
        match self.region_set() {
            None | Some("") => Err(VerifyError::MissingRegionSet { presigned: self.presigned }),
            Some(_) => Ok(self),
        }
    }

    /// The regions that a signature of SigV4A claims to be good for, as they stand there: `us-east-1,us-west-*`. `None`
    /// for a signature of SigV4.
    #[cfg(feature = "sigv4a")]
    pub fn region_set(&self) -> Option<&str> {
        self.region_set.as_deref()
    }

    fn parse_header(request: Request<'a>, header: &'a [u8], headers: &AuthHeaders<'a>) -> Result<Self, VerifyError> {
        if header.len() > MAX_AUTHORIZATION {
            return Err(VerifyError::AuthorizationTooLong { length: header.len(), limit: MAX_AUTHORIZATION });
        }
        let text = core::str::from_utf8(header).map_err(|_| VerifyError::NotKeyValue)?;
        let claims = authorization::parse_header(text).map_err(|error| VerifyError::of_claim(error, false))?;
        let timestamp = match (headers.x_amz_date, headers.date) {
            (Some(date), _) => parse_timestamp(date, false)?,
            (None, Some(date)) => core::str::from_utf8(date)
                .ok()
                .and_then(Timestamp::parse_imf_fixdate)
                .map_or_else(|| parse_timestamp(date, false), Ok)?,
            (None, None) => return Err(VerifyError::MissingDate),
        };
        let session_token = headers.session_token.map(Text::Header);
        let content_sha256 = match headers.content_sha256 {
            Some(value) => {
                let (text, signed) = parse_content_sha256(value)?;
                Some((Text::Header(text), signed))
            }
            None => None,
        };
        Ok(Self {
            request,
            presigned: false,
            text: Cow::Borrowed(text),
            claims,
            timestamp,
            expires: None,
            session_token,
            content_sha256,
            foreign_authorization: false,
            body_sha256: None,
            #[cfg(feature = "sigv4a")]
            region_set: None,
        })
    }

    fn parse_query(
        request: Request<'a>,
        query: &[u8],
        headers: &AuthHeaders<'a>,
        foreign_authorization: bool,
    ) -> Result<Self, VerifyError> {
        let parsed = authorization::parse_query(query).map_err(|error| VerifyError::of_claim(error, true))?;
        let value = |range: &Range<usize>| parsed.text.get(range.clone()).unwrap_or_default();
        let timestamp = parse_timestamp(value(&parsed.date).as_bytes(), true)?;
        let expires = parsed.expires.as_ref().map(|range| parse_expires(value(range))).transpose()?;
        let session_token = match (&parsed.session_token, headers.session_token) {
            (Some(_), Some(_)) => return Err(VerifyError::Repeated { name: "X-Amz-Security-Token" }),
            (query, header) => query.clone().map(Text::Query).or(header.map(Text::Header)),
        };
        // What pins the body, in the query or in a header; where both do, they have to agree.
        let in_query = match &parsed.content_sha256 {
            Some(range) => Some((range, parse_content_sha256(value(range).as_bytes())?)),
            None => None,
        };
        let in_header = headers.content_sha256.map(parse_content_sha256).transpose()?;
        let content_sha256 = match (in_query, in_header) {
            (Some((_, (query, _))), Some((header, _))) if query != header => {
                return Err(VerifyError::InvalidContentSha256 { got: excerpt(header.as_bytes()) });
            }
            (Some((range, (_, signed))), _) => Some((Text::Query(range.clone()), signed)),
            (None, Some((header, signed))) => Some((Text::Header(header), signed)),
            (None, None) => None,
        };
        Ok(Self {
            request,
            presigned: true,
            claims: parsed.claims,
            timestamp,
            expires,
            session_token,
            content_sha256,
            foreign_authorization,
            body_sha256: None,
            text: Cow::Owned(parsed.text),
            #[cfg(feature = "sigv4a")]
            region_set: None,
        })
    }

    /// Hands over the body, whole; `b""` if there is none. Needed before verifying where the signature covers it and no
    /// `x-amz-content-sha256` says its hash, which is everywhere but at S3 and its like. It is hashed here and compared
    /// while verifying, so that [`Verified::check_body`](crate::Verified::check_body) has nothing more to do.
    pub fn with_body(mut self, body: &[u8]) -> Self {
        self.body_sha256 = Some(sha256(body));
        self
    }

    /// Like [`Presented::with_body`], with the SHA-256 that the caller computed of the body it received. Never one that
    /// the request itself names.
    pub fn with_body_sha256(mut self, body_sha256: [u8; 32]) -> Self {
        self.body_sha256 = Some(body_sha256);
        self
    }

    /// Who claims to have signed. It may hold a `/`.
    pub fn access_key_id(&self) -> &str {
        self.part(&self.claims.credential.access_key_id)
    }

    /// The session token, from header or query. Look up key and token together: a token of another key is no token.
    pub fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| self.value(token))
    }

    /// The scope it claims to be signed for, as it stands there.
    pub fn scope(&self) -> Scope<'_> {
        let credential = &self.claims.credential;
        Scope::unchecked(self.part(&credential.date), self.part(&credential.region), self.part(&credential.service))
    }

    /// When it claims to have been signed.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Whether the signature stands in the query.
    pub fn is_presigned(&self) -> bool {
        self.presigned
    }

    /// The headers it claims to have signed, in lower case and in order.
    pub fn signed_headers(&self) -> impl Iterator<Item = &str> {
        self.part(&self.claims.signed_headers).split(';')
    }

    /// The key to verify with, from what the look-up of access key id and session token found.
    ///
    /// `None`, or credentials with another id, token or an expiry in the past, give a key too: verifying with it does
    /// the same work, and then fails with the reason. So the time of an answer doesn't tell whether an access key
    /// exists; whoever doesn't want its words to tell either answers
    /// [`VerifyError::SignatureMismatch`](crate::VerifyError::SignatureMismatch) instead of
    /// [`VerifyError::UnknownAccessKey`](crate::VerifyError::UnknownAccessKey).
    ///
    /// With SigV4A it derives a key pair, which takes about as long as verifying. A server that minds keeps
    /// `SigningKey::derive_sigv4a` of each access key, or its public half.
    ///
    /// A server that holds signing keys and no secrets compares the session token itself and gives its
    /// [`SigningKey`] for [`Presented::scope`].
    pub fn derive_key(&self, credentials: Option<&Credentials>) -> SigningKey {
        SigningKey::of_found(credentials, self.access_key_id(), self.session_token(), &self.scope())
    }

    pub(super) fn terminator(&self) -> &str {
        self.part(&self.claims.credential.terminator)
    }

    pub(super) fn signature(&self) -> &Signature {
        &self.claims.signature
    }

    /// The value that says what stands for the body, as it was sent, and what it means.
    pub(super) fn content_sha256(&self) -> Option<(&str, SignedBody)> {
        self.content_sha256.as_ref().map(|(text, signed)| (self.value(text), *signed))
    }

    fn value(&self, text: &Text<'a>) -> &str {
        match text {
            Text::Header(value) => value,
            Text::Query(range) => self.part(range),
        }
    }

    fn part(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented")
            .field("request", &self.request)
            .field("presigned", &self.presigned)
            .field("access_key_id", &self.access_key_id())
            .field("scope", &self.scope())
            .field("timestamp", &self.timestamp)
            .field("expires", &self.expires)
            .field("signed_headers", &self.part(&self.claims.signed_headers))
            .field("session_token", &self.session_token.as_ref().map(|_| "[redacted]"))
            .finish_non_exhaustive()
    }
}

/// The headers that say something about a signature; each may be there once, since a verifier and whoever stands
/// behind it might pick different ones.
#[derive(Default)]
struct AuthHeaders<'a> {
    authorization: Option<&'a [u8]>,
    x_amz_date: Option<&'a [u8]>,
    date: Option<&'a [u8]>,
    session_token: Option<&'a str>,
    content_sha256: Option<&'a [u8]>,
}

impl<'a> AuthHeaders<'a> {
    fn find(request: &Request<'a>) -> Result<Self, VerifyError> {
        let mut found = Self::default();
        let mut host = None;
        for (name, value) in request.headers.iter() {
            let is = |own: &str| name.eq_ignore_ascii_case(own);
            let (slot, name) = if is("authorization") {
                (&mut found.authorization, "Authorization")
            } else if is("x-amz-date") {
                (&mut found.x_amz_date, "X-Amz-Date")
            } else if is("date") {
                (&mut found.date, "Date")
            } else if is("x-amz-content-sha256") {
                (&mut found.content_sha256, "X-Amz-Content-Sha256")
            } else if is("host") {
                // Behind a proxy another name may take the place of a missing one; of two, none may.
                (&mut host, "Host")
            } else if SESSION_TOKEN_HEADERS.into_iter().any(is) {
                let token = value.trim_ascii();
                let token = core::str::from_utf8(token).map_err(|_| RequestError::not_ascii(name, token))?;
                if found.session_token.replace(token).is_some() {
                    return Err(VerifyError::Repeated { name: "X-Amz-Security-Token" });
                }
                continue;
            } else {
                continue;
            };
            match slot.replace(value.trim_ascii()) {
                None => {}
                Some(_) if name == "Host" => return Err(RequestError::RepeatedHost.into()),
                Some(_) => return Err(VerifyError::Repeated { name }),
            }
        }
        Ok(found)
    }
}

fn parse_timestamp(text: &[u8], presigned: bool) -> Result<Timestamp, VerifyError> {
    core::str::from_utf8(text)
        .ok()
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| VerifyError::MalformedDate { presigned, got: excerpt(text) })
}

/// Digits only: no sign, no space, no digits of other scripts.
fn parse_expires(text: &str) -> Result<u64, VerifyError> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(VerifyError::MalformedExpires { got: excerpt(text.as_bytes()) });
    }
    Ok(text.parse().unwrap_or(u64::MAX))
}

fn parse_content_sha256(value: &[u8]) -> Result<(&str, SignedBody), VerifyError> {
    core::str::from_utf8(value)
        .ok()
        .and_then(|text| Some((text, SignedBody::parse(text)?)))
        .ok_or_else(|| VerifyError::InvalidContentSha256 { got: excerpt(value) })
}
