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

/// What was found for the access key of a request: always a key, and what decides whether it may be accepted.
pub(crate) struct Found<'k> {
    key: &'k AnyKey,
    /// The session token of the key: `None` if no key was found, `Some(None)` if it has no token.
    issued: Option<Option<&'k str>>,
    /// When the temporary credentials expire.
    pub(crate) expires_at: Option<Timestamp>,
}

impl Found<'_> {
    /// Calls `then` with what was found. `scope` is the scope of the claims, or that of a later day while a stream
    /// continues.
    #[inline]
    pub(crate) fn with_credentials<T>(
        found: Option<&Credentials>,
        claims: &Claims<'_>,
        scope: &Scope<'_>,
        then: impl FnOnce(&Found<'_>) -> T,
    ) -> T {
        let found = found.filter(|found| claims.is_by(found.access_key_id()));
        let key = found.map_or_else(|| SigningKey::derive_for_nobody(scope), |found| SigningKey::derive(found, scope));
        let (issued, expires_at) = (found.map(Credentials::session_token), found.and_then(Credentials::expires_at));
        then(&Found { key: &AnyKey::Signing(key), issued, expires_at })
    }

    /// The same for a key.
    #[inline]
    pub(crate) fn with_key<T>(
        found: Option<&VerifyingKey>,
        claims: &Claims<'_>,
        then: impl FnOnce(&Found<'_>) -> T,
    ) -> T {
        match found.filter(|found| claims.is_by(&found.access_key_id)) {
            Some(VerifyingKey { session_token, expires_at, key, .. }) => {
                let issued = Some(session_token.as_ref().map(|token| token.as_str()));
                then(&Found { key, issued, expires_at: *expires_at })
            }
            None => {
                let key = &AnyKey::of_nobody(claims.algorithm());
                then(&Found { key, issued: None, expires_at: None })
            }
        }
    }

    /// 20. Returns what `compare` does with the key, if the key may be accepted. It is called in any case: that a key is
    ///     refused is reported only after a signature has been compared, to avoid a timing side channel.
    #[inline]
    pub(crate) fn compare<T>(
        &self,
        claims: &Claims<'_>,
        now: Timestamp,
        compare: impl FnOnce(&AnyKey) -> T,
    ) -> Result<T, VerifyError> {
        let compared = compare(self.key);
        self.check(claims, now)?;
        Ok(compared)
    }

    fn check(&self, claims: &Claims<'_>, now: Timestamp) -> Result<(), VerifyError> {
        let access_key_id = || excerpt(claims.access_key_id().as_bytes());
        let Some(issued) = self.issued else {
            return Err(VerifyError::UnknownAccessKey { access_key_id: access_key_id() });
        };
        let is_same = match (claims.session_token(), issued) {
            (Some(presented), Some(issued)) => presented.as_bytes().ct_eq(issued.as_bytes()).into(),
            (None, None) => true,
            _ => false,
        };
        match self.expires_at {
            _ if !is_same => Err(VerifyError::InvalidSessionToken { access_key_id: access_key_id() }),
            Some(expires_at) if expires_at <= now => {
                Err(VerifyError::ExpiredSessionToken { access_key_id: access_key_id(), expires_at })
            }
            _ => Ok(()),
        }
    }
}
