//! A proof that the sender of a request holds a private key: [RFC 9449](https://www.rfc-editor.org/rfc/rfc9449).

use alloc::format;
use alloc::string::String;
use core::sync::atomic::{AtomicUsize, Ordering};

use base64ct::{Base64UrlUnpadded, Encoding};
use p256::SecretKey;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use zeroize::Zeroizing;

use crate::hash::{hex_of, sha256};
use crate::json::push_escaped;
use crate::sigv4::timestamp::Timestamp;

/// Makes proofs of one process different within a second.
static COUNTER: AtomicUsize = AtomicUsize::new(0);

/// Returns a proof for `POST` to a URL, or `None` if the key isn't a P-256 private key in PEM: SEC 1, as the AWS CLI
/// writes it, or PKCS #8.
pub(super) fn proof(key: &str, url: &str, now: Timestamp, refresh_token: &str) -> Option<String> {
    let key = SigningKey::from(SecretKey::from_pem(key.trim()).ok()?);
    // RFC 9449, 4.2: without query and fragment.
    let url = url.split(['?', '#']).next()?;
    let id = id(refresh_token, now, COUNTER.fetch_add(1, Ordering::Relaxed));
    let signed = format!("{}.{}", encoded(&header(&key)?), encoded(&claims(url, now, &id)));
    // The nonce is derived from key and message (RFC 6979), so that no random numbers are needed.
    let signature: Signature = key.sign(signed.as_bytes());
    Some(format!("{signed}.{}", Base64UrlUnpadded::encode_string(signature.to_bytes().as_slice())))
}

fn encoded(text: &str) -> String {
    Base64UrlUnpadded::encode_string(text.as_bytes())
}

fn header(key: &SigningKey) -> Option<String> {
    let point = key.verifying_key().to_sec1_point(false);
    let (x, y) = (point.x()?, point.y()?);
    let [x, y] = [x, y].map(|coordinate| Base64UrlUnpadded::encode_string(coordinate));
    let jwk = format!(r#"{{"kty":"EC","x":"{x}","y":"{y}","crv":"P-256"}}"#);
    Some(format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#))
}

fn claims(url: &str, now: Timestamp, id: &str) -> String {
    let mut claims = format!(r#"{{"jti":"{id}","htm":"POST","htu":""#);
    push_escaped(&mut claims, url);
    claims + &format!(r#"","iat":{}}}"#, now.unix_seconds())
}

/// A unique identifier in the form of a UUID, as AWS's own clients send it. The refresh token, which is secret and used
/// once, makes it unpredictable.
fn id(refresh_token: &str, now: Timestamp, counter: usize) -> String {
    let text = Zeroizing::new(format!("{refresh_token}\n{now}\n{counter}"));
    let digits = hex_of(sha256(text.as_bytes()));
    let mut id = String::new();
    for (index, digit) in digits.iter().take(32).enumerate() {
        match index {
            8 | 16 | 20 => id.push('-'),
            12 => id.push_str("-4"),
            _ => {}
        }
        match index {
            12 => {}
            16 => id.push(char::from(b"89ab".get(usize::from(digit & 3)).copied().unwrap_or(b'8'))),
            _ => id.push(char::from(*digit)),
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeSet;
    use alloc::vec::Vec;
    use p256::ecdsa::VerifyingKey;
    use p256::ecdsa::signature::Verifier;

    // Made with OpenSSL 3.0: `ecparam -name prime256v1 -genkey`, `pkcs8 -topk8`, `ec -pubout`.
    const SEC1: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEICyr++Z4ljd1WcpPGtjCuVSTFCmowBF+oUPbemzNppLGoAoGCCqGSM49
AwEHoUQDQgAEmxvMOMdWjseFHTvREBw+zaRQAZIA2I2wjPkgX04LaVTUZIB44j7D
t1ZSVQiodzJkZ1zkP6pily/5kpntMqbUGQ==
-----END EC PRIVATE KEY-----
";
    const PKCS8: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLKv75niWN3VZyk8a
2MK5VJMUKajAEX6hQ9t6bM2mksahRANCAASbG8w4x1aOx4UdO9EQHD7NpFABkgDY
jbCM+SBfTgtpVNRkgHjiPsO3VlJVCKh3MmRnXOQ/qmKXL/mSme0yptQZ
-----END PRIVATE KEY-----
";
    const X: &str = "mxvMOMdWjseFHTvREBw-zaRQAZIA2I2wjPkgX04LaVQ";
    const Y: &str = "1GSAeOI-w7dWUlUIqHcyZGdc5D-qYpcv-ZKZ7TKm1Bk";
    const URL: &str = "https://eu-west-1.signin.aws.amazon.com/v1/token";

    fn now() -> Timestamp {
        Timestamp::from_unix_seconds(1_767_225_600).unwrap()
    }

    fn decoded(part: &str) -> Vec<u8> {
        Base64UrlUnpadded::decode_vec(part).unwrap()
    }

    #[test]
    fn a_proof_is_signed_with_the_key_that_it_names() {
        let mut point = Vec::from([4]);
        point.extend(decoded(X));
        point.extend(decoded(Y));
        let public_key = VerifyingKey::from_sec1_bytes(&point).unwrap();
        for key in [SEC1, PKCS8, &SEC1.replace('\n', "\r\n"), SEC1.trim_end()] {
            let proof = proof(key, &alloc::format!("{URL}?a=b#c"), now(), "refresh").unwrap();
            let parts: Vec<&str> = proof.split('.').collect();
            let [header, claims, signature] = parts[..] else { panic!("{proof}") };
            assert_eq!(
                String::from_utf8(decoded(header)).unwrap(),
                alloc::format!(
                    r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{{"kty":"EC","x":"{X}","y":"{Y}","crv":"P-256"}}}}"#
                )
            );
            let claims = crate::json::read::parse(&decoded(claims)).unwrap();
            let claim = |name: &str| claims.member(name).and_then(crate::json::read::Json::text);
            assert_eq!((claim("htm"), claim("htu")), (Some("POST"), Some(URL)));
            assert!(matches!(claims.member("iat"), Some(crate::json::read::Json::Whole(1_767_225_600))));
            assert!(claim("jti").is_some());
            let signature = Signature::from_slice(&decoded(signature)).unwrap();
            let (signed, _) = proof.rsplit_once('.').unwrap();
            public_key.verify(signed.as_bytes(), &signature).unwrap();
            assert!(public_key.verify(signed.get(1..).unwrap().as_bytes(), &signature).is_err());
        }
    }

    #[test]
    fn identifiers_are_unique_and_have_the_form_of_a_uuid() {
        let later = now().saturating_add(1);
        let mut ids = BTreeSet::new();
        for (token, now) in [("a", now()), ("b", now()), ("a", later)] {
            for counter in 0..100 {
                ids.insert(id(token, now, counter));
            }
        }
        assert_eq!(ids.len(), 300);
        for id in ids {
            let lengths: Vec<usize> = id.split('-').map(str::len).collect();
            assert_eq!(lengths, [8, 4, 4, 4, 12], "{id}");
            assert!(id[14..].starts_with('4') && "89ab".contains(&id[19..20]), "{id}");
            assert!(id.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c)), "{id}");
        }
        let [first, second] = [(), ()].map(|()| proof(SEC1, URL, now(), "refresh").unwrap());
        assert_ne!(first, second);
    }

    #[test]
    fn text_that_is_no_private_key_gives_no_proof() {
        // Another curve: OpenSSL's `ecparam -name secp384r1 -genkey`.
        const P384: &str = "-----BEGIN EC PRIVATE KEY-----
MIGkAgEBBDCyV85hJhpJsZSfleXGlmfek2fgR5BHQjyeYFRm5g5YkGynLcxoO4A2
LCrzFUyNpgegBwYFK4EEACKhZANiAARJcJg7xazq87SKl+2d+nX3x483DRKCLmmv
LoykGcKrQSoMPix2P9gEFFfK5BOi/RlWggLrAzNe4q4Ygt90Eb23NWfSCilyLIqE
ZprJwSqKrMpeq8JV1d4Q+SQ75OEoxUA=
-----END EC PRIVATE KEY-----
";
        for key in ["", "x", P384, &SEC1.replace("EC PRIVATE", "RSA PRIVATE"), &SEC1.replace("MHc", "MHd")] {
            assert!(proof(key, URL, now(), "refresh").is_none(), "{key}");
        }
        for text in [SEC1, PKCS8] {
            for length in 0..text.trim_end().len() {
                assert!(proof(&text[..length], URL, now(), "refresh").is_none(), "{length}");
            }
        }
        // A public key that doesn't belong to the private key.
        assert!(proof(&SEC1.replace("t1ZSVQiodzJkZ1zk", "t1ZSVQiodzJkZ1zl"), URL, now(), "refresh").is_none());
    }
}
