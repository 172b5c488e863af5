//! A verifier that echoes what it computed, in AWS's wording: redacted unless requested otherwise, never the signature.

use countersign::{CanonicalRequest, Credentials, Verifier, VerifyError};
use countersign_conformance::cases::plain::{Plain, as_lenient_as_aws};

use super::mutations::{arrival, cases, with_another_secret};
use crate::support::fixtures::FORMATS;
use crate::support::naive;

/// Returns the refusal of a vector by a verifier with a different secret for its access key.
fn refused(case: &Plain, echo: fn(Verifier) -> Verifier) -> (VerifyError, Credentials) {
    let arrival = arrival(case);
    let other = with_another_secret(arrival.known.first().unwrap());
    let verifier = echo(
        as_lenient_as_aws(Verifier::new(&arrival.region, &arrival.service).unwrap()).with_rules(case.rules().unwrap()),
    );
    let known = [other.clone()];
    let result = case.verify_with(&arrival.wire, &verifier, &known, arrival.now).unwrap();
    (result.unwrap_err(), other)
}

/// Everything that a server may send or log.
fn said(error: &VerifyError) -> String {
    let bodies: String =
        FORMATS.iter().map(|format| error.refusal(*format).body("1") + error.refusal(*format).message()).collect();
    format!("{bodies}\n{error}\n{error:?}")
}

#[test]
fn nothing_is_echoed_unless_requested() {
    for case in cases() {
        let (error, _) = refused(&case, |verifier| verifier);
        assert_eq!(error, VerifyError::SignatureMismatch { computed: None }, "{}", case.id);
        assert!(!said(&error).contains("Canonical"), "{}", case.id);
    }
}

#[test]
fn the_echo_matches_the_vector_without_secrets_and_signature() {
    for case in cases() {
        assert_eq!(signature_with(&case, &case.credentials().unwrap()), case.expect.signature, "{}", case.id);
        let published = CanonicalRequest::from_bytes(case.expect.canonical_request.as_bytes());
        let (redacted, raw) = (published.redacted().to_string(), published.raw().to_string());
        for (echo, expected) in
            [(Verifier::echo_computed as fn(Verifier) -> Verifier, redacted), (Verifier::echo_computed_raw, raw)]
        {
            let (error, key) = refused(&case, echo);
            let VerifyError::SignatureMismatch { computed: Some(computed) } = &error else { panic!("{error:?}") };
            assert_eq!(computed.canonical_request(), expected, "{}", case.id);
            assert!(computed.string_to_sign().starts_with("AWS4-HMAC-SHA256\n"));
            let said = said(&error);
            let signature = signature_with(&case, &key);
            assert!(!said.contains(&signature) && !said.contains("anotherSecret"), "{}", case.id);
            // S3 shows bytes as `47 45 54`.
            let spaced: Vec<String> = signature.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!said.contains(&spaced.join(" ")), "{}", case.id);
        }
        let token = arrival(&case).known.first().and_then(|known| known.session_token().map(String::from));
        if let Some(token) = token.filter(|token| token.len() > 8) {
            let said = said(&refused(&case, Verifier::echo_computed).0);
            assert!(!said.contains(&token) && !said.contains(&countersign::encode_segment(&token)), "{}", case.id);
        }
    }
}

/// Returns the signature that a verifier with that key expects.
fn signature_with(case: &Plain, key: &Credentials) -> String {
    let (_, timestamp, region, service) = case.signed_by();
    let scope = countersign::Scope::new(&timestamp[..8], region, service).unwrap();
    let text = format!(
        "AWS4-HMAC-SHA256\n{timestamp}\n{scope}\n{}",
        naive::sha256_hex(case.expect.canonical_request.as_bytes())
    );
    let key = countersign::SigningKey::derive_bytes_exposed(key, &scope);
    hex::encode(naive::hmac(key.as_slice(), text.as_bytes()))
}
