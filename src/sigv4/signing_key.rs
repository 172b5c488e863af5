use alloc::borrow::Cow;
use core::fmt;

use ctutils::CtEq;
use hmac::{Hmac, Mac};
#[cfg(feature = "sigv4a")]
use sha2::Digest;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::hash::keyed;
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::signature::Signature;
#[cfg(feature = "sigv4a")]
use crate::sigv4::sigv4a::{KeyPair, PublicKey};
use crate::sigv4::string_to_sign::StringToSign;

/// Step 3: the key of one scope, which is one date, region and service of one secret; with SigV4A the key pair of one
/// access key, for all dates, regions and services.
///
/// It is what a verifier needs, and all it needs: the secret cannot be found from it. It holds the HMAC state with the
/// key absorbed, is wiped when dropped and prints nothing.
///
/// ```
/// use countersign::{Credentials, Scope, SigningKey};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let scope = Scope::parse("20150830/us-east-1/iam/aws4_request")?;
/// let key = SigningKey::derive(&credentials, &scope);
///
/// // The same key, from the 32 bytes that another party derived.
/// let bytes = SigningKey::derive_bytes_exposed(&credentials, &scope);
/// assert_eq!(bytes[..4], [0xc4, 0xaf, 0xb1, 0xcc]);
/// let same = SigningKey::from_bytes(*bytes);
/// # let _ = (key, same);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Derive a signing key](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#derive-signing-key)
#[derive(Clone)]
pub struct SigningKey {
    material: Material,
    pub(crate) standing: KeyStanding,
}

#[derive(Clone)]
enum Material {
    /// The state with the key absorbed.
    Hmac(Hmac<Sha256>),
    #[cfg(feature = "sigv4a")]
    Ecdsa(KeyPair),
}

/// What a look-up found out about a key besides the key: a verifier says so only after the work of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStanding {
    Good,
    UnknownAccessKey,
    InvalidSessionToken,
    ExpiresAt(crate::sigv4::timestamp::Timestamp),
}

impl SigningKey {
    /// Derives the key: four HMACs from secret and scope, and a fifth to absorb it. For a scope without a region, the key
    /// pair of SigV4A.
    pub fn derive(credentials: &Credentials, scope: &Scope<'_>) -> Self {
        match scope.algorithm() {
            Algorithm::HmacSha256 => Self::from_bytes(*derive_bytes(credentials.aws4_secret(), scope)),
            #[cfg(feature = "sigv4a")]
            Algorithm::EcdsaP256Sha256 => Self::derive_sigv4a(credentials),
        }
    }

    /// The key from its 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self { material: Material::Hmac(keyed(&*bytes)), standing: KeyStanding::Good }
    }

    /// The 32 bytes of the key, for handing them to whoever signs or verifies within this scope. Whoever holds them
    /// can sign anything for that date, region and service.
    pub fn derive_bytes_exposed(credentials: &Credentials, scope: &Scope<'_>) -> Zeroizing<[u8; 32]> {
        match scope.algorithm() {
            Algorithm::HmacSha256 => derive_bytes(credentials.aws4_secret(), scope),
            #[cfg(feature = "sigv4a")]
            Algorithm::EcdsaP256Sha256 => Self::derive_sigv4a(credentials).private_key(),
        }
    }

    /// A key for whoever has none: deriving it takes as long as for a known access key, and no verifier accepts it.
    fn of_nobody(scope: &Scope<'_>) -> Self {
        const AWS4_AND_FORTY_BYTES: &[u8; 44] = b"AWS4----------------------------------------";
        let mut key = match scope.algorithm() {
            Algorithm::HmacSha256 => Self::from_bytes(*derive_bytes(AWS4_AND_FORTY_BYTES, scope)),
            #[cfg(feature = "sigv4a")]
            Algorithm::EcdsaP256Sha256 => Self::derive_pair("AKIA----------------", AWS4_AND_FORTY_BYTES),
        };
        key.standing = KeyStanding::UnknownAccessKey;
        key
    }

    /// The key of what was found for an access key id and session token. A key that must not be accepted says so only
    /// after the work of a comparison.
    pub(crate) fn of_found(
        credentials: Option<&Credentials>,
        access_key_id: &str,
        session_token: Option<&str>,
        scope: &Scope<'_>,
    ) -> Self {
        let Some(credentials) = credentials.filter(|found| found.access_key_id() == access_key_id) else {
            return Self::of_nobody(scope);
        };
        let same_token = match (session_token, credentials.session_token()) {
            (Some(presented), Some(issued)) => presented.as_bytes().ct_eq(issued.as_bytes()).into(),
            (None, None) => true,
            _ => false,
        };
        let mut key = Self::derive(credentials, scope);
        key.standing = match credentials.expiry() {
            _ if !same_token => KeyStanding::InvalidSessionToken,
            Some(expiry) => KeyStanding::ExpiresAt(expiry),
            None => KeyStanding::Good,
        };
        key
    }

    /// Step 4: the signature of a string to sign.
    pub fn sign(&self, string_to_sign: &StringToSign<'_>) -> Signature {
        self.sign_pieces(|write| write(string_to_sign.text().as_slice()))
    }

    /// Signs a text that is handed over piece by piece.
    pub(crate) fn sign_pieces(&self, write_to: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Signature {
        match &self.material {
            Material::Hmac(keyed) => {
                let mut mac = keyed.clone();
                write_to(&mut |piece| mac.update(piece));
                Signature::from_bytes(mac.finalize().into_bytes().into())
            }
            #[cfg(feature = "sigv4a")]
            Material::Ecdsa(pair) => {
                let mut hash = Sha256::new();
                write_to(&mut |piece| hash.update(piece));
                Signature::of_ecdsa(pair.sign(&hash))
            }
        }
    }

    /// Whether that is a signature of a text that is handed over piece by piece.
    #[must_use]
    pub(crate) fn verify_pieces(&self, write_to: impl FnOnce(&mut dyn FnMut(&[u8])), presented: &Signature) -> bool {
        match &self.material {
            Material::Hmac(_) => self.sign_pieces(write_to).matches(presented),
            #[cfg(feature = "sigv4a")]
            Material::Ecdsa(pair) => pair.public_key().verify_pieces(write_to, presented),
        }
    }
}

/// SigV4A.
#[cfg(feature = "sigv4a")]
impl SigningKey {
    /// Derives the key pair of an access key. It takes about as long as signing, and is good until the secret changes: a
    /// [`Signer`](crate::Signer) does it once, and a verifier may keep it, or its public half.
    ///
    /// ```
    /// use countersign::{Credentials, SigningKey};
    ///
    /// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
    /// let public_key = SigningKey::derive_sigv4a(&credentials).public_key().ok_or("no key of SigV4A")?;
    /// // As AWS's test suite has it.
    /// assert_eq!(public_key.to_sec1()[..5], [0x04, 0xb6, 0x61, 0x8f, 0x6a]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn derive_sigv4a(credentials: &Credentials) -> Self {
        Self::derive_pair(credentials.access_key_id(), credentials.aws4_secret())
    }

    /// The key pair from its private half, for those who keep keys and no secrets:
    /// [`SigningKey::derive_bytes_exposed`] for a scope without a region gives it. `None` if it is 0, or n or more.
    pub fn from_sigv4a_private_key(private_key: [u8; 32]) -> Option<Self> {
        let private_key = Zeroizing::new(private_key);
        KeyPair::from_private_key(&private_key).map(Self::of_pair)
    }

    /// The public half of a key of SigV4A; `None` for a key of SigV4, which has none.
    pub fn public_key(&self) -> Option<PublicKey> {
        match &self.material {
            Material::Ecdsa(pair) => Some(pair.public_key()),
            Material::Hmac(_) => None,
        }
    }

    fn of_pair(pair: KeyPair) -> Self {
        Self { material: Material::Ecdsa(pair), standing: KeyStanding::Good }
    }

    fn derive_pair(access_key_id: &str, aws4_secret: &[u8]) -> Self {
        // Without a key pair, which takes 254 candidates of which none is one, nothing verifies.
        KeyPair::derive(access_key_id, aws4_secret).map_or_else(
            || Self { standing: KeyStanding::UnknownAccessKey, ..Self::from_bytes([0; 32]) },
            Self::of_pair,
        )
    }

    fn private_key(&self) -> Zeroizing<[u8; 32]> {
        match &self.material {
            Material::Ecdsa(pair) => pair.private_key(),
            Material::Hmac(_) => Zeroizing::new([0; 32]),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

fn derive_bytes(aws4_secret: &[u8], scope: &Scope<'_>) -> Zeroizing<[u8; 32]> {
    let date_key = hmac(aws4_secret, scope.date().as_bytes());
    let region_key = hmac(&*date_key, scope.region().as_bytes());
    let service_key = hmac(&*region_key, scope.service().as_bytes());
    hmac(&*service_key, TERMINATOR.as_bytes())
}

fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(keyed(key).chain_update(message).finalize().into_bytes().into())
}

/// What a verifier checks signatures with: a key that could sign them, or one that can't.
#[derive(Clone)]
pub(crate) enum VerifyingKey<'k> {
    Signing(Cow<'k, SigningKey>),
    #[cfg(feature = "sigv4a")]
    Public(PublicKey),
}

impl VerifyingKey<'_> {
    pub(crate) fn standing(&self) -> KeyStanding {
        match self {
            Self::Signing(key) => key.standing,
            #[cfg(feature = "sigv4a")]
            Self::Public(_) => KeyStanding::Good,
        }
    }

    #[must_use]
    pub(crate) fn verify(&self, string_to_sign: &StringToSign<'_>, presented: &Signature) -> bool {
        match self {
            Self::Signing(key) => key.verify_pieces(|write| write(string_to_sign.text().as_slice()), presented),
            #[cfg(feature = "sigv4a")]
            Self::Public(key) => key.verify_pieces(|write| write(string_to_sign.text().as_slice()), presented),
        }
    }

    #[cfg(any(feature = "streaming", feature = "event-stream"))]
    pub(crate) fn to_owned(&self) -> VerifyingKey<'static> {
        match self {
            Self::Signing(key) => VerifyingKey::Signing(Cow::Owned(key.clone().into_owned())),
            #[cfg(feature = "sigv4a")]
            Self::Public(key) => VerifyingKey::Public(*key),
        }
    }
}
