use ::countersign::{Rules, Timestamp, UnsignedPayload, Verifier};
use http::request::Parts;
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::{Context, SignRequest};
use sha2::{Digest, Sha256};

use super::ready;
use crate::measure::Contender;
use crate::requests::{ACCESS_KEY_ID, Case, LIFETIME, REGION, SECRET};

pub const WHO: &str = "reqsign-aws-v4";

fn run(case: &'static Case, expires: Option<std::time::Duration>) -> (Parts, impl FnMut(&mut Parts)) {
    let signer = RequestSigner::new(case.service, REGION);
    let credential = Credential {
        access_key_id: ACCESS_KEY_ID.into(),
        secret_access_key: SECRET.into(),
        session_token: case.token.clone(),
        expires_in: None,
    };
    let context = Context::new();
    let mut parts = case.http().into_parts().0;
    if expires.is_none() && case.body.is_empty() {
        parts.headers.insert("x-amz-content-sha256", hex::encode(Sha256::digest(b"")).parse().unwrap());
    }
    let run = move |parts: &mut Parts| {
        // It hashes no body: its caller does.
        if expires.is_none() && !case.body.is_empty() {
            let hash = hex::encode(Sha256::digest(&case.body));
            parts.headers.insert("x-amz-content-sha256", hash.try_into().unwrap());
        }
        ready(signer.sign_request(&context, parts, Some(&credential), expires)).unwrap();
    };
    (parts, run)
}

/// It reads the clock, and signs `x-amz-content-sha256` everywhere, so each of its signatures is another one, and is
/// checked by verifying it.
fn check(case: &Case, parts: Parts) {
    let request = http::Request::from_parts(parts, ());
    let now = Timestamp::now();
    let mut rules = Rules::for_service(case.service);
    rules.unsigned_payload = UnsignedPayload::Accepted;
    rules.presign_unsigned_payload = true;
    let verifier = Verifier::new(REGION, case.service).unwrap().with_rules(rules);
    let unverified = verifier.parse(&request, now).unwrap().with_body(&case.body);
    if let Err(error) = unverified.verify(Some(&case.credentials())) {
        panic!("{}: {error}", case.name);
    }
}

pub fn sign_http(case: &'static Case) -> Contender {
    let (parts, mut run) = run(case, None);
    let mut once = parts.clone();
    run(&mut once);
    check(case, once);
    Contender::with_input(WHO, move || parts.clone(), run)
}

pub fn presign_http(case: &'static Case) -> Contender {
    let (parts, mut run) = run(case, Some(LIFETIME));
    let mut once = parts.clone();
    run(&mut once);
    check(case, once);
    Contender::with_input(WHO, move || parts.clone(), run)
}
