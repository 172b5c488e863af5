use core::fmt;

use p256::ecdsa::VerifyingKey;
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use sha2::{Digest, Sha256};

use super::der::Der;
use crate::sigv4::signature::Signature;

/// The public key of a SigV4A key pair: it verifies what the access key signed, but can't sign.
///
/// A server that stores only public keys has nothing that an attacker could steal to sign requests.
///
/// ```
/// use countersign::{Credentials, PublicKey, Request, Payload, Signer, SigningKey, Verifier, VerifyingKey};
///
/// let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")?;
/// let public_key = SigningKey::derive_sigv4a(&credentials).public_key().ok_or("not a SigV4A key")?;
/// let kept: [u8; 65] = public_key.to_sec1();
///
/// let signer = Signer::sigv4a(credentials, "us-east-1,us-west-*", "execute-api")?;
/// let request = Request::new("GET", "/", &[]).with_host("example.com");
/// let now = "20150830T123600Z".parse()?;
/// let presigned = signer.presign(&request, std::time::Duration::from_secs(60), now)?;
///
/// let public_key = PublicKey::from_sec1(&kept).ok_or("not a point on the curve")?;
/// let arrived = Request::new("GET", presigned.target(), &[]).with_host("example.com");
/// let verifier = Verifier::new("us-west-2", "execute-api")?.with_sigv4a();
/// let key = VerifyingKey::from_public_key("AKIDEXAMPLE", public_key);
/// assert!(verifier.parse(&arrived, now)?.with_body(b"").verify_with_key(Some(&key)).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [How SigV4A works](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html#how-sigv4a-works)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    pub(super) fn of(key: VerifyingKey) -> Self {
        Self(key)
    }

    /// Returns a dummy key, so that an unknown access key takes the same work as a known one.
    pub(crate) fn of_nobody() -> Option<Self> {
        VerifyingKey::from_affine(p256::AffinePoint::GENERATOR).ok().map(Self)
    }

    /// Parses a point as encoded by [SEC 1](https://www.secg.org/sec1-v2.pdf) 2.3.4, in 65 bytes (`04`, x, y) or 33
    /// (`02` or `03`, x). Returns `None` if it is not a point on the curve.
    pub fn from_sec1(bytes: &[u8]) -> Option<Self> {
        let form = matches!((bytes.first()?, bytes.len()), (4, 65) | (2 | 3, 33));
        form.then(|| VerifyingKey::from_sec1_bytes(bytes).ok().map(Self))?
    }

    /// Returns the point as 65 bytes: `04`, x, y.
    pub fn to_sec1(&self) -> [u8; 65] {
        let mut bytes = [0; 65];
        let point = self.0.to_sec1_point(false);
        bytes.iter_mut().zip(point.as_bytes()).for_each(|(to, from)| *to = *from);
        bytes
    }

    /// Returns `true` if `signature` is a signature of a string to sign. This is only step 4: to verify a request, use
    /// a [`VerifyingKey`](crate::VerifyingKey).
    pub fn verify(&self, string_to_sign: &[u8], signature: &Signature) -> bool {
        signature.der().is_some_and(|der| self.verify_hash(&Sha256::digest(string_to_sign), der))
    }

    pub(crate) fn verify_pieces(&self, write_to: impl FnOnce(&mut dyn FnMut(&[u8])), presented: &Der) -> bool {
        let mut hash = Sha256::new();
        write_to(&mut |piece| hash.update(piece));
        self.verify_hash(&hash.finalize(), presented)
    }

    fn verify_hash(&self, hash: &[u8], presented: &Der) -> bool {
        presented.signature().is_some_and(|signature| self.0.verify_prehash(hash, &signature).is_ok())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PublicKey(04")?;
        self.to_sec1().iter().skip(1).try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
