use countersign::{Payload, Scope, Signed, Signer, SigningKey, Verifier, VerifyingKey};

use super::{floor, signature_in};
use crate::measure::Contender;
use crate::requests::{Case, LIFETIME, REGION, now};

pub const HTTP: &str = "countersign, http";
pub const WIRE: &str = "countersign, wire";
pub const NO_KEY: &str = "countersign, wire, no key";
pub const KEY: &str = "countersign";

pub fn signer(case: &Case) -> Signer {
    Signer::new(case.credentials(), REGION, case.service).unwrap()
}

pub fn sign(case: &Case) -> Signed {
    let headers = case.wire_headers();
    signer(case).sign(case.wire(&headers), Payload::Bytes(&case.body), now()).unwrap()
}

pub fn presigned_target(case: &Case) -> String {
    let headers = case.wire_headers();
    signer(case).presign(case.wire(&headers), LIFETIME, now()).unwrap().target().to_owned()
}

/// The request as a server gets it, signed in its headers.
pub fn arriving(case: &Case) -> Case {
    let mut arriving = case.clone();
    arriving.headers.push(("host".into(), case.host.into()));
    arriving.headers.extend(sign(case).headers().map(|(name, value)| (name.into(), value.into())));
    arriving
}

/// The request as a server gets it, presigned.
pub fn arriving_presigned(case: &Case) -> Case {
    let mut arriving = case.clone();
    arriving.headers.push(("host".into(), case.host.into()));
    arriving.target = presigned_target(case);
    arriving
}

pub fn floor_of_sign(case: &'static Case) -> Contender {
    let signed = sign(case);
    floor::signature(
        signed.canonical_request().as_bytes(),
        signed.string_to_sign().to_string(),
        &case.body,
        signed.signature().to_hex(),
    )
}

pub fn floor_of_presign(case: &'static Case) -> Contender {
    let headers = case.wire_headers();
    let presigned = signer(case).presign(case.wire(&headers), LIFETIME, now()).unwrap();
    floor::signature(
        presigned.canonical_request().as_bytes(),
        presigned.string_to_sign().to_string(),
        b"",
        presigned.signature().to_hex(),
    )
}

pub fn sign_http(case: &'static Case) -> Contender {
    let (signer, now) = (signer(case), now());
    let expected = sign(case).signature().to_hex();
    let request = case.http();
    let run = move |request: &mut http::Request<()>| {
        signer.sign_http_with_payload(request, Payload::Bytes(&case.body), now).unwrap()
    };
    let mut once = request.clone();
    run(&mut once);
    assert_eq!(signature_in(once.headers()["authorization"].to_str().unwrap()), expected);
    Contender::with_input(HTTP, move || request.clone(), run)
}

/// Agreed upon with aws-sigv4, which checks its own result against this one.
pub fn sign_wire(case: &'static Case) -> Contender {
    let (signer, now) = (signer(case), now());
    let headers: &'static _ = case.wire_headers().leak();
    let request = case.wire(headers);
    Contender::new(WIRE, move || signer.sign(request, Payload::Bytes(&case.body), now).unwrap())
}

/// A signer that has never signed. A clone of one that has would have its keys.
pub fn sign_wire_without_key(case: &'static Case) -> Contender {
    let now = now();
    let headers: &'static _ = case.wire_headers().leak();
    let request = case.wire(headers);
    Contender::with_input(
        NO_KEY,
        move || signer(case),
        move |signer| signer.sign(request, Payload::Bytes(&case.body), now).unwrap(),
    )
}

pub fn presign_http(case: &'static Case) -> Contender {
    let (signer, now) = (signer(case), now());
    let request = case.http();
    let run = move || signer.presign(&request, LIFETIME, now).unwrap();
    assert_eq!(run().target(), presigned_target(case));
    Contender::new(HTTP, run)
}

pub fn presign_wire(case: &'static Case) -> Contender {
    let (signer, now) = (signer(case), now());
    let headers: &'static _ = case.wire_headers().leak();
    let request = case.wire(headers);
    Contender::new(WIRE, move || signer.presign(request, LIFETIME, now).unwrap())
}

/// `case` is one that arrives.
pub fn verify_http(case: &'static Case) -> Contender {
    let mut request = case.http();
    // A server has the target of the request line.
    *request.uri_mut() = case.target.parse().unwrap();
    let ((verifier, key), now) = (verifier_and_key(case), now());
    let run = move || {
        let unverified = verifier.parse(&request, now).unwrap().with_body(&case.body);
        assert!(unverified.verify_with_key(Some(&key)).is_ok());
    };
    run();
    Contender::new(HTTP, run)
}

/// `case` is one that arrives.
pub fn verify_wire(case: &'static Case) -> Contender {
    let ((verifier, key), now) = (verifier_and_key(case), now());
    let headers: &'static _ = case.wire_headers().leak();
    let request = case.wire(headers);
    Contender::new(WIRE, move || {
        let unverified = verifier.parse(request, now).unwrap().with_body(&case.body);
        assert!(unverified.verify_with_key(Some(&key)).is_ok());
    })
}

/// `case` is one that arrives; the key is derived each time.
pub fn verify_wire_without_key(case: &'static Case) -> Contender {
    let ((verifier, _), now) = (verifier_and_key(case), now());
    let credentials = case.credentials();
    let headers: &'static _ = case.wire_headers().leak();
    let request = case.wire(headers);
    Contender::new(NO_KEY, move || {
        let unverified = verifier.parse(request, now).unwrap().with_body(&case.body);
        assert!(unverified.verify(Some(&credentials)).is_ok());
    })
}

fn verifier_and_key(case: &Case) -> (Verifier, VerifyingKey) {
    let scope = Scope::new("20150830", REGION, case.service).unwrap();
    (Verifier::new(REGION, case.service).unwrap(), VerifyingKey::derive(&case.credentials(), &scope))
}

pub fn key_derivation() -> Contender {
    let credentials = crate::requests::api_gateway().credentials();
    let scope = Scope::new("20150830", REGION, "iam").unwrap();
    Contender::new(KEY, move || SigningKey::derive(&credentials, &scope))
}
