use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

use ctutils::CtEq;
use zeroize::Zeroizing;

use super::error::VerifyError;
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::Claims;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::Scope;
use crate::sigv4::signing_key::{AnyKey, SigningKey};
use crate::sigv4::sigv4a::PublicKey;
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;

/// A key to verify with, for servers that hold signing keys or public keys instead of secrets, or that cache derived
/// keys. It is passed to [`UnverifiedRequest::verify_head_with_key`](crate::UnverifiedRequest::verify_head_with_key) or
/// [`UnverifiedWithBody::verify_with_key`](crate::UnverifiedWithBody::verify_with_key).
///
/// It includes the access key id, and the session token and expiration of temporary credentials, so that all three are
/// checked as they are for [`Credentials`].
///
/// ```
/// use countersign::{Credentials, Request, Signer, Verifier, VerifyError, VerifyingKey};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "secret")?;
/// let now = "20150830T123600Z".parse()?;
/// let signer = Signer::new(credentials.clone(), "us-east-1", "execute-api")?;
/// let request = Request::new("GET", "/dev/get-list", &[]).with_host("example.com");
/// let signed = signer.sign(request, countersign::Payload::EMPTY, now)?;
/// let headers: Vec<_> = signed.headers().map(|(name, value)| (name, value.as_bytes())).collect();
/// let request = Request::new("GET", "/dev/get-list", &headers).with_host("example.com");
///
/// let verifier = Verifier::new("us-east-1", "execute-api")?;
/// let unverified = verifier.parse(&request, now)?;
/// let key = VerifyingKey::derive(&credentials, &unverified.scope()); // can be cached for the rest of the day
/// let verified = unverified.with_body(b"").verify_with_key(Some(&key))?;
/// assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
///
/// let others = VerifyingKey::derive(&Credentials::new("AKIDOTHER", "secret")?, &verified.scope());
/// let error = verifier.parse(&request, now)?.with_body(b"").verify_with_key(Some(&others)).unwrap_err();
/// assert!(matches!(error, VerifyError::UnknownAccessKey { .. }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct VerifyingKey {
    access_key_id: String,
    session_token: Option<Zeroizing<String>>,
    expires_at: Option<Timestamp>,
    key: AnyKey,
}

impl VerifyingKey {
    /// Derives the key of credentials for a scope, usually
    /// [`UnverifiedRequest::scope`](crate::UnverifiedRequest::scope). It is valid for every request with that scope;
    /// with SigV4A, for every request of the access key.
    pub fn derive(credentials: &Credentials, scope: &Scope<'_>) -> Self {
        Self {
            access_key_id: credentials.access_key_id().into(),
            session_token: credentials.session_token().map(|token| Zeroizing::new(token.into())),
            expires_at: credentials.expires_at(),
            key: AnyKey::Signing(SigningKey::derive(credentials, scope)),
        }
    }

    /// Creates a key from the signing key of an access key for one scope, or from a SigV4A key pair. Requests with
    /// another scope don't match a signing key.
    pub fn new(access_key_id: impl Into<String>, key: SigningKey) -> Self {
        Self::of_key(access_key_id.into(), AnyKey::Signing(key))
    }

    /// Creates a key from the public key of a SigV4A key pair.
    #[cfg(feature = "sigv4a")]
    pub fn from_public_key(access_key_id: impl Into<String>, key: PublicKey) -> Self {
        Self::of_key(access_key_id.into(), AnyKey::Public(key))
    }

    fn of_key(access_key_id: String, key: AnyKey) -> Self {
        Self { access_key_id, session_token: None, expires_at: None, key }
    }

    /// Sets the session token that belongs to the access key. Requests have to carry it.
    pub fn with_session_token(mut self, token: impl Into<String>) -> Self {
        self.session_token = Some(Zeroizing::new(token.into()));
        self
    }

    /// Sets the time at which the temporary credentials expire.
    pub fn with_expires_at(mut self, expires_at: Timestamp) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Returns the id of the access key that this key belongs to.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyingKey")
            .field("access_key_id", &self.access_key_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

impl AnyKey {
    /// A key that belongs to no access key, for look-ups that find none. Known keys are already derived, so deriving
    /// one here is not needed.
    fn of_nobody(algorithm: Algorithm) -> Self {
        let public_key = match algorithm {
            Algorithm::EcdsaP256Sha256 => PublicKey::of_nobody(),
            Algorithm::HmacSha256 => None,
        };
        public_key.map_or_else(|| Self::Signing(SigningKey::from_bytes([0; 32])), Self::Public)
    }
}

/// The result of looking up the access key of a request: always a key, and whether it may be accepted. A refusal is
/// reported only after a signature has been compared, to avoid a timing side channel.
pub(crate) struct Found<'k> {
    pub(crate) key: Cow<'k, AnyKey>,
    pub(crate) standing: Result<(), VerifyError>,
    /// When the temporary credentials expire.
    pub(crate) expires_at: Option<Timestamp>,
}

impl<'k> Found<'k> {
    /// `scope` is the scope of the claims, or that of a later day while a stream continues.
    pub(crate) fn of_credentials(
        found: Option<&Credentials>,
        claims: &Claims<'_>,
        scope: &Scope<'_>,
        now: Timestamp,
    ) -> Self {
        let found = found.filter(|found| claims.is_by(found.access_key_id()));
        let key = found.map_or_else(|| SigningKey::derive_for_nobody(scope), |found| SigningKey::derive(found, scope));
        let expires_at = found.and_then(Credentials::expires_at);
        let standing = check_standing(found.map(Credentials::session_token), expires_at, claims, now);
        Self { key: Cow::Owned(AnyKey::Signing(key)), standing, expires_at }
    }

    #[inline(always)]
    pub(crate) fn of_key(found: Option<&'k VerifyingKey>, claims: &Claims<'_>, now: Timestamp) -> Self {
        let found = found.filter(|found| claims.is_by(&found.access_key_id));
        let nobody = || Cow::Owned(AnyKey::of_nobody(claims.algorithm()));
        let key = found.map_or_else(nobody, |found| Cow::Borrowed(&found.key));
        let expires_at = found.and_then(|found| found.expires_at);
        let token = found.map(|found| found.session_token.as_ref().map(|token| token.as_str()));
        Self { key, standing: check_standing(token, expires_at, claims, now), expires_at }
    }
}

/// 20. `issued` is the session token of the key that was found: `None` if no key was found, `Some(None)` if it has no
///     token.
#[inline(always)]
fn check_standing(
    issued: Option<Option<&str>>,
    expires_at: Option<Timestamp>,
    claims: &Claims<'_>,
    now: Timestamp,
) -> Result<(), VerifyError> {
    let access_key_id = || excerpt(claims.access_key_id().as_bytes());
    let Some(issued) = issued else {
        return Err(VerifyError::UnknownAccessKey { access_key_id: access_key_id() });
    };
    let is_same = match (claims.session_token(), issued) {
        (Some(presented), Some(issued)) => presented.as_bytes().ct_eq(issued.as_bytes()).into(),
        (None, None) => true,
        _ => false,
    };
    match expires_at {
        _ if !is_same => Err(VerifyError::InvalidSessionToken { access_key_id: access_key_id() }),
        Some(expires_at) if expires_at <= now => {
            Err(VerifyError::ExpiredSessionToken { access_key_id: access_key_id(), expires_at })
        }
        _ => Ok(()),
    }
}
