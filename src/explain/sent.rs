use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::input::AsRead;
use crate::sign::{Presigned, Signed};
use crate::sigv4::canonical_request::pairs;
use crate::sigv4::request::Request;
use crate::sigv4::rules::SessionTokenName;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::decodes_to;
use crate::verify::{Presented, VerifyError};

/// What is known about the refused request: nothing (`None`), the result of signing ([`Signed`], [`Presigned`]), or the
/// [`Request`] as it was sent, whether signed by this crate, by another signer or not at all.
///
/// The result of signing contains the canonical request, which can be compared with the server's. For a [`Request`],
/// the canonical request is computed from the request as it was sent, so a difference from the server's arose in
/// transit.
///
/// ```
/// use countersign::Request;
/// use countersign::explain::{Cause, Explanation, Sent};
///
/// let sent = Sent::from(&Request::new("GET", "/dev/list", &[]).with_host("abc123.execute-api.us-east-1.amazonaws.com"));
/// let explanation = Explanation::from_response(403, &[], br#"{"message":"Missing Authentication Token"}"#, sent);
/// assert_eq!(*explanation.findings().next().unwrap().cause(), Cause::NotSigned);
/// ```
#[derive(Clone, Default)]
pub struct Sent {
    pub(super) auth: Auth,
    pub(super) method: String,
    /// The path without the query, as it was sent or signed.
    pub(super) path: String,
    pub(super) host: String,
    /// Empty if unknown.
    pub(super) canonical_request: Zeroizing<Vec<u8>>,
    /// `true` if `canonical_request` is what was signed. Otherwise it is computed here, with zeros as the payload hash
    /// if the body is unknown.
    pub(super) is_what_was_signed: bool,
    /// Empty if unknown.
    pub(super) string_to_sign: String,
    pub(super) access_key_id: String,
    pub(super) session_token: Option<Zeroizing<String>>,
    pub(super) timestamp: Option<Timestamp>,
    pub(super) region: String,
    pub(super) service: String,
    pub(super) expires_at: Option<Timestamp>,
    pub(super) outlives_credentials: bool,
    /// What was read of a text, see [`super::input`].
    pub(super) read: AsRead,
}

/// How the request was authenticated.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) enum Auth {
    #[default]
    Unknown,
    None,
    Signed,
    Presigned,
    Both,
    /// SigV2, by its scheme or its parameters.
    Version2,
    /// `Bearer`, `Basic` …
    Other {
        scheme: String,
    },
    /// Intended to be a signature, but malformed.
    Malformed {
        problem: String,
        white_space: bool,
    },
}

impl Sent {
    /// Returns `true` if the request had a signature when it was sent.
    pub(super) fn is_signed(&self) -> bool {
        matches!(self.auth, Auth::Signed | Auth::Presigned)
    }

    pub(super) fn session_token(&self) -> Option<&str> {
        self.session_token.as_ref().map(|token| token.as_str())
    }

    pub(super) fn is_presigned(&self) -> bool {
        self.auth == Auth::Presigned
    }

    /// Returns the time of signing, if it says something about the signer's clock. A presigned URL may have been signed
    /// long ago; but if its time is ahead of the server's, the signer's clock was at least that far ahead.
    pub(super) fn signing_time(&self, server: Option<Timestamp>) -> Option<Timestamp> {
        self.timestamp.filter(|signed| !self.is_presigned() || server.is_some_and(|server| server < *signed))
    }

    fn of_canonical(mut self, canonical_request: &[u8]) -> Self {
        let text = String::from_utf8_lossy(canonical_request);
        if let Some(canonical) = super::canonical::Canonical::parse(&text) {
            self.method = canonical.method.into();
            self.path = canonical.path.into();
            self.host = canonical.header("host").unwrap_or_default().into();
        }
        self.canonical_request = Zeroizing::new(canonical_request.into());
        self.is_what_was_signed = true;
        self
    }
}

/// The payload hash used for an unknown body.
pub(super) const UNKNOWN_BODY: [u8; 32] = [0; 32];

impl From<&Signed> for Sent {
    fn from(signed: &Signed) -> Self {
        let string_to_sign = signed.string_to_sign();
        let credential = credential_in(signed.authorization());
        Self {
            auth: Auth::Signed,
            string_to_sign: string_to_sign.to_string(),
            access_key_id: access_key_id(credential),
            session_token: signed
                .headers()
                .find(|(name, _)| SessionTokenName::of_header(name).is_some())
                .map(|(_, token)| Zeroizing::new(token.into())),
            timestamp: Some(signed.timestamp()),
            ..Self::default()
        }
        .of_canonical(signed.canonical_request().as_bytes())
        .of_scope()
    }
}

impl From<&Presigned> for Sent {
    fn from(presigned: &Presigned) -> Self {
        let request = Request::new("GET", presigned.target(), &[]).with_host("_");
        let parsed = Presented::parse(request).ok();
        Self {
            auth: Auth::Presigned,
            string_to_sign: presigned.string_to_sign().to_string(),
            access_key_id: parsed.as_ref().map(|parsed| parsed.claims.access_key_id().into()).unwrap_or_default(),
            session_token: parsed
                .as_ref()
                .and_then(|parsed| parsed.claims.session_token())
                .map(|token| Zeroizing::new(token.into())),
            timestamp: Some(presigned.timestamp()),
            expires_at: Some(presigned.expires_at()),
            outlives_credentials: presigned.outlives_credentials(),
            ..Self::default()
        }
        .of_canonical(presigned.canonical_request().as_bytes())
        .of_scope()
    }
}

impl Sent {
    fn of_scope(mut self) -> Self {
        let to_sign = super::canonical::ToSign::parse(&self.string_to_sign);
        if let Some(parts) = to_sign.and_then(|text| text.scope_parts()) {
            (self.region, self.service) = (parts.region.into(), parts.service.into());
        }
        self
    }
}

/// Returns the access key id: the credential up to the first slash. An id may contain slashes, but none that AWS issues
/// does.
fn access_key_id(credential: &str) -> String {
    credential.split('/').next().unwrap_or_default().into()
}

impl From<&Request<'_>> for Sent {
    fn from(request: &Request<'_>) -> Self {
        let (path, _) = request.path_and_query();
        let sent = Self {
            method: request.method.into(),
            path: String::from_utf8_lossy(path).into_owned(),
            host: request.host().map(|host| String::from_utf8_lossy(host).into_owned()).unwrap_or_default(),
            ..Self::default()
        };
        match Presented::parse(*request) {
            Ok(presented) => sent.with_signature(presented),
            Err(error) => Self { auth: Auth::of_refused(error, request), ..sent },
        }
    }
}

impl Sent {
    fn with_signature(self, presented: Presented<'_>) -> Self {
        let Presented { claims, timestamp, .. } = &presented;
        Self {
            auth: if presented.is_presigned() { Auth::Presigned } else { Auth::Signed },
            access_key_id: claims.access_key_id().into(),
            session_token: claims.session_token().map(|token| Zeroizing::new(token.into())),
            region: claims.scope().region().into(),
            service: claims.scope().service().into(),
            timestamp: Some(*timestamp),
            canonical_request: Zeroizing::new(presented.canonical_request(&UNKNOWN_BODY).into_inner()),
            ..self
        }
    }
}

impl Auth {
    /// Returns the authentication of a request without a well-formed signature.
    fn of_refused(error: VerifyError, request: &Request<'_>) -> Self {
        let (_, query) = request.path_and_query();
        let has = |own: &str| pairs(query).any(|(name, _)| decodes_to(name, own));
        match error {
            VerifyError::MissingAuthentication if has("AWSAccessKeyId") && has("Signature") => Self::Version2,
            VerifyError::MissingAuthentication => Self::None,
            VerifyError::BothMechanisms => Self::Both,
            // SigV4A, in a build without that feature.
            VerifyError::UnsupportedAlgorithm { algorithm } if algorithm.starts_with("AWS4-ECDSA-") => Self::Signed,
            VerifyError::UnsupportedScheme { scheme } if scheme == "AWS" => Self::Version2,
            VerifyError::UnsupportedScheme { scheme } => Self::Other { scheme },
            error => Self::Malformed { problem: error.to_string(), white_space: has_spaced_credential(request) },
        }
    }
}

/// Returns the credential of an `Authorization` header, with everything after it.
fn credential_in(authorization: &str) -> &str {
    authorization.split_once("Credential=").map_or("", |(_, rest)| rest)
}

fn has_spaced_credential(request: &Request<'_>) -> bool {
    let authorization = request.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"));
    let value = authorization.map(|(_, value)| String::from_utf8_lossy(value)).unwrap_or_default();
    let credential = credential_in(&value);
    credential.split(',').next().unwrap_or_default().trim().contains(char::is_whitespace)
}

impl From<Option<&Signed>> for Sent {
    fn from(signed: Option<&Signed>) -> Self {
        signed.map(Self::from).unwrap_or_default()
    }
}

#[cfg(feature = "http")]
impl<B> From<&http::Request<B>> for Sent {
    fn from(request: &http::Request<B>) -> Self {
        Self::from(&Request::from(request))
    }
}

impl fmt::Debug for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sent").field("method", &self.method).field("host", &self.host).finish_non_exhaustive()
    }
}
