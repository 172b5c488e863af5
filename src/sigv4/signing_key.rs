use core::fmt;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use super::algorithm::Algorithm;
use super::credentials::Credentials;
use super::scope::{Scope, TERMINATOR};
use super::signature::Signature;
use super::sigv4a::{KeyPair, PublicKey};
use super::string_to_sign::StringToSign;
use crate::hash::{hmac_into, keyed, wipe_stack};

/// Step 3, the signing key: derived from a secret for one scope, that is, one date, region and service. For SigV4A, it
/// is the key pair of an access key, for all dates, regions and services.
///
/// A verifier needs nothing else, and the secret cannot be recovered from it. It holds the HMAC state with the key
/// absorbed and is wiped when dropped. `Debug` does not show it.
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
pub struct SigningKey(Material);

#[derive(Clone)]
enum Material {
    /// The HMAC state with the key absorbed.
    Hmac(Hmac<Sha256>),
    Ecdsa(KeyPair),
    /// All 254 candidates for a key pair were invalid, which happens once in 2^8128 cases: no signature verifies.
    None,
}

impl SigningKey {
    /// Derives the key from the secret and the scope, which takes four HMACs and a fifth to absorb the key. For a scope
    /// without a region, derives the SigV4A key pair.
    pub fn derive(credentials: &Credentials, scope: &Scope<'_>) -> Self {
        Self::derive_for(credentials.access_key_id(), credentials.aws4_secret(), scope)
    }

    /// Creates a key from its 32 bytes.
    pub fn from_bytes(mut bytes: [u8; 32]) -> Self {
        let key = Self::of_bytes(&bytes);
        // The parameter is a copy of the caller's bytes.
        bytes.zeroize();
        key
    }

    fn of_bytes(bytes: &[u8; 32]) -> Self {
        let key = Self(Material::Hmac(keyed(bytes)));
        wipe_stack::<256>();
        key
    }

    /// Derives the 32 bytes of the key, for another party that signs or verifies within this scope. Anyone who has them
    /// can sign anything for that date, region and service.
    pub fn derive_bytes_exposed(credentials: &Credentials, scope: &Scope<'_>) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        derive_bytes(&mut key, credentials.aws4_secret(), scope);
        key
    }

    /// Derives a dummy key for an unknown access key, which takes as long as for a known one.
    pub(crate) fn derive_for_nobody(scope: &Scope<'_>) -> Self {
        const AWS4_AND_FORTY_BYTES: &[u8; 44] = b"AWS4----------------------------------------";
        Self::derive_for("AKIA----------------", AWS4_AND_FORTY_BYTES, scope)
    }

    fn derive_for(access_key_id: &str, aws4_secret: &[u8], scope: &Scope<'_>) -> Self {
        match scope.algorithm() {
            Algorithm::HmacSha256 => {
                let mut bytes = Zeroizing::new([0; 32]);
                derive_bytes(&mut bytes, aws4_secret, scope);
                Self::of_bytes(&bytes)
            }
            Algorithm::EcdsaP256Sha256 => Self::derive_pair(access_key_id, aws4_secret),
        }
    }

    pub(crate) fn derive_pair(access_key_id: &str, aws4_secret: &[u8]) -> Self {
        let key = KeyPair::derive(access_key_id, aws4_secret).map_or(Self(Material::None), Self::of_pair);
        wipe_stack::<1024>();
        key
    }

    pub(crate) fn of_pair(pair: KeyPair) -> Self {
        Self(Material::Ecdsa(pair))
    }

    pub(crate) fn pair(&self) -> Option<&KeyPair> {
        match &self.0 {
            Material::Ecdsa(pair) => Some(pair),
            Material::Hmac(_) | Material::None => None,
        }
    }

    /// Step 4: returns the signature of a string to sign.
    pub fn sign(&self, string_to_sign: &StringToSign<'_>) -> Signature {
        string_to_sign.with_text(|text| self.sign_pieces(|write| write(text)))
    }

    /// Signs text that `write_to` provides in parts.
    pub(crate) fn sign_pieces(&self, write_to: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Signature {
        match &self.0 {
            Material::Hmac(keyed) => {
                let mut mac = keyed.clone();
                write_to(&mut |piece| mac.update(piece));
                Signature::from_bytes(mac.finalize().into_bytes().into())
            }
            Material::Ecdsa(pair) => Signature::of_ecdsa(pair.sign_pieces(write_to)),
            Material::None => Signature::from_bytes([0; 32]),
        }
    }

    /// Returns `true` if `presented` is a signature of the text that `write_to` provides in parts.
    #[must_use]
    pub(crate) fn verify_pieces(&self, write_to: impl FnOnce(&mut dyn FnMut(&[u8])), presented: &Signature) -> bool {
        match &self.0 {
            Material::Hmac(_) => self.sign_pieces(write_to).matches(presented),
            Material::Ecdsa(pair) => AnyKey::Public(pair.public_key()).verify_pieces(write_to, presented),
            Material::None => false,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

/// The intermediate keys alternate between two buffers, so that each is overwritten by the next but one.
fn derive_bytes(key: &mut [u8; 32], aws4_secret: &[u8], scope: &Scope<'_>) {
    let mut other = Zeroizing::new([0; 32]);
    hmac_into(&mut other, aws4_secret, &[scope.date_bytes()]);
    hmac_into(key, &*other, &[scope.region().as_bytes()]);
    hmac_into(&mut other, key, &[scope.service().as_bytes()]);
    hmac_into(key, &*other, &[TERMINATOR.as_bytes()]);
    wipe_stack::<256>();
}

/// A key that verifies signatures: a signing key, or a public key that can't sign.
#[derive(Clone)]
pub(crate) enum AnyKey {
    Signing(SigningKey),
    Public(PublicKey),
}

impl AnyKey {
    #[must_use]
    pub(crate) fn verify(&self, string_to_sign: &StringToSign<'_>, presented: &Signature) -> bool {
        string_to_sign.with_text(|text| self.verify_pieces(|write| write(text), presented))
    }

    #[must_use]
    pub(crate) fn verify_pieces(&self, write_to: impl FnOnce(&mut dyn FnMut(&[u8])), presented: &Signature) -> bool {
        match self {
            Self::Signing(key) => key.verify_pieces(write_to, presented),
            Self::Public(key) => presented.der().is_some_and(|der| key.verify_pieces(write_to, der)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_pair_that_could_not_be_derived_verifies_nothing() {
        let key = SigningKey(Material::None);
        let zeros = SigningKey::from_bytes([0; 32]);
        for signature in [
            key.sign_pieces(|write| write(b"text")),
            zeros.sign_pieces(|write| write(b"text")),
            Signature::from_bytes([0; 32]),
        ] {
            assert!(!key.verify_pieces(|write| write(b"text"), &signature));
        }
        assert!(key.pair().is_none());
    }
}
