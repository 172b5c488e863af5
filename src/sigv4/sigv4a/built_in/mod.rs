//! SigV4A, as this build has it, and what it adds to the public types of the specification.

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
    /// The scope of SigV4A, which has no region: `20150830/iam/aws4_request`.
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
    /// [`ScopeError`], as for [`Scope::new`].
    pub fn without_region(date: &'a str, service: &'a str) -> Result<Self, ScopeError> {
        Self::checked_without_region(date, service)
    }
}

impl Signature {
    /// Reads a signature of SigV4A: `SEQUENCE { r INTEGER, s INTEGER }` in DER, as lower-case hexadecimal digits.
    ///
    /// `None` if r or s is not from 1 to n - 1, n being the order of P-256, or anything could be written in another way:
    /// a length or number that is longer than it has to be, bytes after the end, digits in upper case. For every r, two
    /// values of s are valid; both are accepted, since AWS's own signers send either. So anybody can make a second
    /// signature from one: a signature does not identify a request.
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
    /// Derives the key pair of an access key. It takes about as long as signing, and is good until the secret changes: a
    /// [`Signer`](crate::Signer) does it once, and a verifier may keep it, or its public half.
    ///
    /// ```
    /// use countersign::{Credentials, SigningKey};
    ///
    /// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
    /// let public_key = SigningKey::derive_sigv4a(&credentials).public_key().ok_or("no key of SigV4A")?;
    /// // The value in AWS's test suite.
    /// assert_eq!(public_key.to_sec1()[..5], [0x04, 0xb6, 0x61, 0x8f, 0x6a]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn derive_sigv4a(credentials: &Credentials) -> Self {
        Self::derive_pair(credentials.access_key_id(), credentials.aws4_secret())
    }

    /// The key pair from its private half, for those who keep keys and no secrets:
    /// [`SigningKey::private_key_exposed`] returns it. `None` if it is 0, or n or more.
    pub fn from_sigv4a_private_key(mut private_key: [u8; 32]) -> Option<Self> {
        let pair = KeyPair::from_private_key(&private_key);
        // Where the caller's copy was passed to.
        private_key.zeroize();
        let key = pair.map(Self::of_pair);
        wipe_stack::<1024>();
        key
    }

    /// The 32 bytes of the private half, for handing them to another party that signs with SigV4A; `None` for a key of
    /// SigV4. Anybody who has them can sign anything, for every date, region and service.
    pub fn private_key_exposed(&self) -> Option<Zeroizing<[u8; 32]>> {
        self.pair().map(KeyPair::private_key)
    }

    /// The public half of a key of SigV4A; `None` for a key of SigV4, which has none.
    pub fn public_key(&self) -> Option<PublicKey> {
        self.pair().map(KeyPair::public_key)
    }
}
