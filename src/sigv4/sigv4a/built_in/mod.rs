//! SigV4A in a build that has it, and what it adds to public types.

mod der;
mod key;
mod public_key;

pub(crate) use der::Der;
pub(crate) use key::KeyPair;
pub use public_key::PublicKey;

use zeroize::{Zeroize, Zeroizing};

use crate::hash::wipe_stack;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::{Scope, ScopeError};
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::SigningKey;

pub(crate) const IS_BUILT_IN: bool = true;

impl<'a> Scope<'a> {
    /// Creates a SigV4A scope, which has no region: `20150830/iam/aws4_request`.
    ///
    /// ```
    /// use countersign::Scope;
    ///
    /// let scope = Scope::without_region("20150830", "iam")?;
    /// assert_eq!(scope.to_string(), "20150830/iam/aws4_request");
    /// assert_eq!(scope.region(), "");
    /// # Ok::<(), countersign::ScopeError>(())
    /// ```
    ///
    /// # Errors
    /// Returns a [`ScopeError`], as for [`Scope::new`].
    pub fn without_region(date: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        Self::checked_without_region(date, service)
    }
}

impl Signature {
    /// Parses a SigV4A signature: `SEQUENCE { r INTEGER, s INTEGER }` in DER, as lowercase hexadecimal digits.
    ///
    /// Returns `None` if r or s is not from 1 to n - 1, where n is the order of P-256, or if the encoding is not the
    /// canonical one: lengths or integers that are longer than necessary, trailing bytes, uppercase digits. For every
    /// r, two values of s are valid; both are accepted, since AWS's own signers send either. Anyone can therefore
    /// create a second signature from the first: a signature does not identify a request.
    ///
    /// ```
    /// use countersign::Signature;
    ///
    /// assert_eq!(Signature::from_der_hex("3006020111020122").unwrap().as_bytes().len(), 8);
    /// assert!(Signature::from_der_hex("3006020111020100").is_none());
    /// assert!(Signature::from_der_hex("300702011102020022").is_none());
    /// ```
    pub fn from_der_hex(text: &str) -> Option<Self> {
        Der::from_hex(text).map(Self::of_ecdsa)
    }
}

impl SigningKey {
    /// Derives the SigV4A key pair of an access key. This takes about as long as signing. The key pair is valid until
    /// the secret changes: a [`Signer`](crate::Signer) derives it once, and a verifier may cache it or its public key.
    ///
    /// ```
    /// use countersign::{Credentials, SigningKey};
    ///
    /// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
    /// let public_key = SigningKey::derive_sigv4a(&credentials).public_key().ok_or("not a SigV4A key")?;
    /// // The value in AWS's test suite.
    /// assert_eq!(public_key.to_sec1()[..5], [0x04, 0xb6, 0x61, 0x8f, 0x6a]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn derive_sigv4a(credentials: &Credentials) -> Self {
        Self::derive_pair(credentials.access_key_id(), credentials.aws4_secret())
    }

    /// Creates a key pair from its private key, as returned by [`SigningKey::private_key_exposed`], for callers that
    /// store keys rather than secrets. Returns `None` if it is 0, or at least the order of P-256.
    pub fn from_sigv4a_private_key(mut private_key: [u8; 32]) -> Option<Self> {
        let pair = KeyPair::from_private_key(&private_key);
        // The parameter is a copy of the caller's bytes.
        private_key.zeroize();
        let key = pair.map(Self::of_pair);
        wipe_stack::<1024>();
        key
    }

    /// Returns the 32 bytes of the private key, for another party that signs with SigV4A; `None` for a SigV4 key.
    /// Anyone who has them can sign anything, for every date, region and service.
    pub fn private_key_exposed(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.pair().map(KeyPair::private_key)
    }

    /// Returns the public key of a SigV4A key; `None` for a SigV4 key, which has none.
    pub fn public_key(&self) -> Option<PublicKey> {
        self.pair().map(KeyPair::public_key)
    }
}
