use alloc::vec::Vec;

use p256::ecdsa::Signature;
use p256::ecdsa::signature::DigestSigner;
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, Zeroizing};

use super::der::Der;
use super::public_key::PublicKey;
use crate::hash::hmac_into;
use crate::sigv4::algorithm::Algorithm;

/// The key pair of one access key, for all dates, regions and services. The private key is wiped when dropped.
#[derive(Clone)]
pub(crate) struct KeyPair(p256::ecdsa::SigningKey);

/// The counter is one byte. This is the last value that AWS's own signers try.
const LAST_COUNTER: u8 = 254;

impl KeyPair {
    /// Derives the key pair: an HMAC, and a scalar multiplication that computes the public key. Returns `None` only if
    /// all 254 candidates are invalid; about one in 2³² is.
    #[inline(never)]
    pub(crate) fn derive(access_key_id: &str, aws4_secret: &[u8]) -> Option<Self> {
        Self::first_of(|counter, bytes| candidate(bytes, access_key_id, aws4_secret, counter))
    }

    /// A candidate c is valid if it is at most n - 2, and c + 1 is the private key. So c + 1 must be a valid private
    /// key: at least 1 and less than n. The largest c wraps to 0, which is invalid.
    fn first_of(candidate: impl Fn(u8, &mut [u8; 32])) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; 32]);
        (1..=LAST_COUNTER).find_map(|counter| {
            candidate(counter, &mut bytes);
            let mut carry = 1;
            for byte in bytes.iter_mut().rev() {
                let sum = u16::from(*byte) + carry;
                [_, *byte] = sum.to_be_bytes();
                carry = sum >> 8;
            }
            Self::from_private_key(&bytes)
        })
    }

    pub(crate) fn from_private_key(bytes: &[u8; 32]) -> Option<Self> {
        p256::ecdsa::SigningKey::from_slice(bytes).ok().map(Self)
    }

    pub(crate) fn private_key(&self) -> Zeroizing<[u8; 32]> {
        let (mut field, mut key) = (self.0.to_bytes(), Zeroizing::new([0; 32]));
        key.copy_from_slice(&field);
        field.as_mut_slice().zeroize();
        key
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey::of(*self.0.verifying_key())
    }

    /// Signs text that `write_to` provides in parts. The nonce is derived from the key and the hash ([RFC
    /// 6979](https://www.rfc-editor.org/rfc/rfc6979)): no randomness is needed, and poor randomness can't leak the key.
    pub(crate) fn sign_pieces(&self, write_to: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Der {
        let mut hashed = Sha256::new();
        write_to(&mut |piece| hashed.update(piece));
        let signature: Signature = self.0.sign_digest(|digest: &mut Sha256| digest.clone_from(&hashed));
        Der::of(&signature)
    }
}

/// Derives a candidate as in [SP 800-108r1](https://doi.org/10.6028/NIST.SP.800-108r1-upd1) in counter mode, with one
/// block of 256 bits.
fn candidate(out: &mut [u8; 32], access_key_id: &str, aws4_secret: &[u8], counter: u8) {
    let secret = aws4_secret.get(b"AWS4".len()..).unwrap_or_default();
    let mut key = Zeroizing::new(Vec::with_capacity(b"AWS4A".len() + secret.len()));
    key.extend_from_slice(b"AWS4A");
    key.extend_from_slice(secret);
    let message: [&[u8]; 6] = [
        &1_u32.to_be_bytes(),
        Algorithm::EcdsaP256Sha256.name().as_bytes(),
        &[0],
        access_key_id.as_bytes(),
        &[counter],
        &256_u32.to_be_bytes(),
    ];
    hmac_into(out, &key, &message);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Zeroizing<[u8; 32]> {
        let mut bytes = Zeroizing::new([0; 32]);
        hex::decode_to_slice(hex, &mut *bytes).unwrap();
        bytes
    }

    const N: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    const N_MINUS_1: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550";
    const N_MINUS_2: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f";

    #[test]
    fn the_private_key_is_wiped_when_dropped() {
        fn is_wiped<T: zeroize::ZeroizeOnDrop>() {}
        is_wiped::<p256::ecdsa::SigningKey>();
    }

    #[test]
    fn a_candidate_above_n_minus_2_is_skipped() {
        let largest = "f".repeat(64);
        for too_large in [N_MINUS_1, N, &largest] {
            for valid in [1, 2, 3, 254] {
                let key = KeyPair::first_of(|counter, out| {
                    *out = *bytes(if counter < valid { too_large } else { N_MINUS_2 })
                });
                assert_eq!(key.map(|key| key.private_key()), Some(bytes(N_MINUS_1)), "{too_large} {valid}");
            }
            assert!(KeyPair::first_of(|_, out| *out = *bytes(too_large)).is_none());
        }
        let zero = KeyPair::first_of(|_, out| *out = [0; 32]).unwrap().private_key();
        assert_eq!((zero[..31].iter().max(), zero[31]), (Some(&0), 1));
        let carry = KeyPair::first_of(|_, out| *out = *bytes(&["00".repeat(30), "ffff".into()].concat())).unwrap();
        assert_eq!(carry.private_key()[29..], [1, 0, 0]);
    }
}
