//! SigV4A: derived keys beside aws-sigv4, signatures beside ring.

use aws_sigv4::sign::v4a::{calculate_signature, generate_signing_key};
use countersign::{CanonicalRequest, Credentials, PublicKey, Scope, Signature, SigningKey, StringToSign};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, UnparsedPublicKey};

#[test]
fn keys_are_the_same_and_signatures_are_good_for_each_other() {
    let random = SystemRandom::new();
    for number in 0..50 {
        let (id, secret) = (format!("AKID{number}"), format!("{number}/secret+{}", "x".repeat(number)));
        let credentials = Credentials::new(&id, &secret).unwrap();
        let scope = Scope::without_region("20150830", "s3").unwrap();
        let private_key = SigningKey::derive_sigv4a(&credentials).private_key_exposed().unwrap();
        let theirs = generate_signing_key(&id, &secret);
        assert_eq!(private_key.as_slice(), theirs.as_ref(), "{number}");

        let canonical_request = number.to_string();
        let canonical_request = CanonicalRequest::from_bytes(canonical_request.as_bytes());
        let string_to_sign = StringToSign::new("20150830T123600Z".parse().unwrap(), scope, &canonical_request);
        let text = string_to_sign.to_string();
        let key = SigningKey::derive_sigv4a(&credentials);
        let signature = key.sign(&string_to_sign);
        // Both are deterministic, by RFC 6979.
        assert_eq!(signature.to_hex(), calculate_signature(theirs, text.as_bytes()), "{number}");

        let public_key = key.public_key().unwrap();
        let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key.to_sec1());
        assert!(verifier.verify(text.as_bytes(), signature.as_bytes()).is_ok(), "{number}");
        let signer = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_ASN1_SIGNING,
            private_key.as_slice(),
            &public_key.to_sec1(),
            &random,
        );
        let theirs = signer.unwrap().sign(&random, text.as_bytes()).unwrap();
        assert!(verifies(&public_key, text.as_bytes(), theirs.as_ref()), "{number}");
    }
}

fn verifies(key: &PublicKey, text: &[u8], der: &[u8]) -> bool {
    Signature::from_der_hex(&hex::encode(der)).is_some_and(|signature| key.verify(text, &signature))
}

/// Each bit of a signature, and bytes put in or left out: ring and ours say the same.
#[test]
fn changed_signatures_are_judged_alike() {
    let credentials = Credentials::new("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY").unwrap();
    let key = SigningKey::derive_sigv4a(&credentials);
    let public_key = key.public_key().unwrap();
    let verifier = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, public_key.to_sec1());
    let scope = Scope::without_region("20150830", "s3").unwrap();
    let mut judged = 0;
    for number in 0..3_u8 {
        let canonical_request = CanonicalRequest::from_bytes(std::slice::from_ref(&number));
        let string_to_sign = StringToSign::new("20150830T123600Z".parse().unwrap(), scope, &canonical_request);
        let text = string_to_sign.to_string();
        let good = key.sign(&string_to_sign).as_bytes().to_vec();
        let mut others = Vec::new();
        for position in 0..good.len() {
            for bit in 0..8 {
                let mut changed = good.clone();
                changed[position] ^= 1 << bit;
                others.push(changed);
            }
            for byte in [0, 1, 0x80, 0xff] {
                let mut longer = good.clone();
                longer.insert(position, byte);
                others.push(longer);
            }
            let mut shorter = good.clone();
            shorter.remove(position);
            others.push(shorter);
            others.push(good[..position].to_vec());
        }
        for other in others {
            let theirs = verifier.verify(text.as_bytes(), &other).is_ok();
            assert_eq!(verifies(&public_key, text.as_bytes(), &other), theirs, "{}", hex::encode(&other));
            judged += 1;
        }
    }
    assert!(judged > 2_500, "{judged}");
}
