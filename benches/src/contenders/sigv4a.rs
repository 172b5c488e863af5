use countersign::{Payload, PublicKey, Signature, Signer, SigningKey, Verifier, VerifyingKey};
use p256::ecdsa::signature::hazmat::{PrehashSigner, PrehashVerifier};
use sha2::{Digest, Sha256};

use crate::measure::Contender;
use crate::requests::{ACCESS_KEY_ID, Case, REGION, SECRET, now, system_time};

pub const WHO: &str = "countersign";

fn signer(case: &Case) -> Signer {
    Signer::sigv4a(case.credentials(), REGION, case.service).unwrap()
}

fn public_key(case: &Case) -> PublicKey {
    SigningKey::derive_sigv4a(&case.credentials()).public_key().unwrap()
}

/// SHA-256 over both texts, and the curve's own work by the same library.
pub fn floor_of_sign(case: &'static Case) -> Contender {
    let (canonical_request, string_to_sign, _) = signed(case);
    let key = private_key(case);
    Contender::new("floor", move || {
        let hash = Sha256::digest(&canonical_request);
        let signature: p256::ecdsa::Signature = key.sign_prehash(&Sha256::digest(&string_to_sign)).unwrap();
        (hash, signature)
    })
}

pub fn floor_of_verify(case: &'static Case) -> Contender {
    let (canonical_request, string_to_sign, signature) = signed(case);
    let signature = p256::ecdsa::Signature::from_der(signature.as_bytes()).unwrap();
    let key = *private_key(case).verifying_key();
    Contender::new("floor", move || {
        let hash = Sha256::digest(&canonical_request);
        assert!(key.verify_prehash(&Sha256::digest(&string_to_sign), &signature).is_ok());
        hash
    })
}

fn signed(case: &Case) -> (Vec<u8>, Vec<u8>, Signature) {
    let headers = case.wire_headers();
    let signed = signer(case).sign(case.wire(&headers), Payload::Bytes(&case.body), now()).unwrap();
    let string_to_sign = signed.string_to_sign().to_string().into_bytes();
    (signed.canonical_request().as_bytes().to_vec(), string_to_sign, signed.signature())
}

/// By aws-sigv4's own derivation, an independent one.
fn private_key(case: &Case) -> p256::ecdsa::SigningKey {
    let derived = aws_sigv4::sign::v4a::generate_signing_key(ACCESS_KEY_ID, SECRET);
    let key = p256::ecdsa::SigningKey::from_slice(derived.as_ref()).unwrap();
    assert_eq!(key.verifying_key().to_sec1_point(false).as_bytes(), public_key(case).to_sec1());
    key
}

pub fn sign(case: &'static Case) -> Contender {
    let signer = signer(case);
    let headers: &'static _ = case.wire_headers().leak();
    let request = case.wire(headers);
    Contender::new(WHO, move || signer.sign(request, Payload::Bytes(&case.body), now()).unwrap())
}

pub fn verify(case: &'static Case) -> Contender {
    let headers = case.wire_headers();
    let signed = signer(case).sign(case.wire(&headers), Payload::Bytes(&case.body), now()).unwrap();
    let mut headers = case.headers.clone();
    headers.push(("host".into(), case.host.into()));
    headers.extend(signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())));
    let arriving: &'static Case = Box::leak(Box::new(Case { headers, ..case.clone() }));
    let wire_headers: &'static _ = arriving.wire_headers().leak();
    let (verifier, key) = (Verifier::new(REGION, case.service).unwrap().with_sigv4a(), public_key(case));
    let key = VerifyingKey::from_public_key(case.credentials().access_key_id(), key);
    Contender::new(WHO, move || {
        let unverified = verifier.parse(arriving.wire(wire_headers), now()).unwrap().with_body(&arriving.body);
        assert!(unverified.verify_with_key(Some(&key)).is_ok());
    })
}

pub fn aws_sigv4_sign(case: &'static Case) -> Contender {
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningParams, SigningSettings, sign};
    use aws_sigv4::sign::v4a;

    let identity = aws_credential_types::Credentials::new(ACCESS_KEY_ID, SECRET, None, None, "benches").into();
    let params: SigningParams<'static> = v4a::SigningParams::builder()
        .identity(Box::leak(Box::new(identity)))
        .region_set(REGION)
        .name(case.service)
        .time(system_time())
        .settings(SigningSettings::default())
        .build()
        .unwrap()
        .into();
    let uri: &'static str = case.uri().leak();
    let run = move || {
        let headers = case.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let signable = SignableRequest::new(case.method, uri, headers, SignableBody::Bytes(&case.body)).unwrap();
        sign(signable, &params).unwrap().into_parts().1
    };
    let (_, string_to_sign, _) = signed(case);
    let signature = p256::ecdsa::Signature::from_der(&hex::decode(run()).unwrap()).unwrap();
    private_key(case).verifying_key().verify_prehash(&Sha256::digest(&string_to_sign), &signature).unwrap();
    Contender::new("aws-sigv4", run)
}
