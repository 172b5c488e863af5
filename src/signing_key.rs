use core::fmt;

use ctutils::CtEq;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use crate::credentials::Credentials;
use crate::scope::{Scope, TERMINATOR};
use crate::signature::Signature;
use crate::string_to_sign::StringToSign;

/// Step 3: the key of one scope, which is one date, region and service of one secret.
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
}

/// What a look-up found out about a key besides the key: a verifier says so only after the work of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyStanding {
    Good,
    UnknownAccessKey,
    InvalidSessionToken,
    ExpiresAt(crate::timestamp::Timestamp),
}

impl SigningKey {
    /// Derives the key: four HMACs from secret and scope, and a fifth to absorb it.
    pub fn derive(credentials: &Credentials, scope: &Scope<'_>) -> Self {
        Self::from_bytes(*Self::derive_bytes_exposed(credentials, scope))
    }

    /// The key from its 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self { material: Material::Hmac(keyed(&*bytes)), standing: KeyStanding::Good }
    }

    /// The 32 bytes of the key, for handing them to whoever signs or verifies within this scope. Whoever holds them
    /// can sign anything for that date, region and service.
    pub fn derive_bytes_exposed(credentials: &Credentials, scope: &Scope<'_>) -> Zeroizing<[u8; 32]> {
        Self::derive_bytes(credentials.aws4_secret(), scope)
    }

    /// A key for whoever has none: deriving it takes as long as for a known access key, and no verifier accepts it.
    fn of_nobody(scope: &Scope<'_>) -> Self {
        const AWS4_AND_FORTY_BYTES: &[u8; 44] = b"AWS4----------------------------------------";
        let mut key = Self::from_bytes(*Self::derive_bytes(AWS4_AND_FORTY_BYTES, scope));
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

    fn derive_bytes(aws4_secret: &[u8], scope: &Scope<'_>) -> Zeroizing<[u8; 32]> {
        let date_key = hmac(aws4_secret, scope.date().as_bytes());
        let region_key = hmac(&*date_key, scope.region().as_bytes());
        let service_key = hmac(&*region_key, scope.service().as_bytes());
        hmac(&*service_key, TERMINATOR.as_bytes())
    }

    /// Step 4: the signature of a string to sign.
    pub fn sign(&self, string_to_sign: &StringToSign<'_>) -> Signature {
        self.sign_pieces(|write| string_to_sign.write_to(write))
    }

    /// Signs a text that is handed over piece by piece.
    pub(crate) fn sign_pieces(&self, write_to: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Signature {
        match &self.material {
            Material::Hmac(keyed) => {
                let mut mac = keyed.clone();
                write_to(&mut |piece| mac.update(piece));
                Signature::from_bytes(mac.finalize().into_bytes().into())
            }
        }
    }

    /// Whether that is a signature of a text that is handed over piece by piece.
    #[must_use]
    pub(crate) fn verify_pieces(&self, write_to: impl FnOnce(&mut dyn FnMut(&[u8])), presented: &Signature) -> bool {
        match &self.material {
            Material::Hmac(_) => self.sign_pieces(write_to).matches(presented),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(keyed(key).chain_update(message).finalize().into_bytes().into())
}

/// HMAC pads a key to the block, and hashes a longer one: [RFC 2104 2](https://www.rfc-editor.org/rfc/rfc2104#section-2).
fn keyed(key: &[u8]) -> Hmac<Sha256> {
    let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
    if let Some(start) = block.get_mut(..key.len()) {
        start.copy_from_slice(key);
    } else {
        let mut hash = Sha256::digest(key);
        block.iter_mut().zip(hash.iter()).for_each(|(to, from)| *to = *from);
        hash.as_mut_slice().zeroize();
    }
    let keyed = Hmac::new(&block);
    block.as_mut_slice().zeroize();
    keyed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_any_length_is_what_the_hmac_crate_makes_of_it() {
        for length in [0, 1, 32, 44, 63, 64, 65, 200] {
            let key = alloc::vec![0x5a; length];
            let theirs = Hmac::<Sha256>::new_from_slice(&key).unwrap().chain_update("message").finalize();
            assert_eq!(hmac(&key, b"message").as_slice(), theirs.into_bytes().as_slice(), "{length}");
        }
    }
}
