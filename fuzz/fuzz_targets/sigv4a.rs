#![no_main]

use countersign::{Request, Signature, SigningKey, UnverifiedRequest, Verifier, VerifyError, encode_segment};
use countersign_fuzz::credentials;
use libfuzzer_sys::fuzz_target;

const TIME: &str = "20150830T123600Z";

/// The plain way: each entry, each way to let a `*` stand for something.
fn names(pattern: &[u8], region: &[u8]) -> bool {
    match (pattern.split_first(), region.split_first()) {
        (None, None) => true,
        (Some((b'*', rest)), None) => names(rest, region),
        (Some((b'*', rest)), Some((_, region_rest))) => names(rest, region) || names(pattern, region_rest),
        (Some((a, rest)), Some((b, region_rest))) => a.eq_ignore_ascii_case(b) && names(rest, region_rest),
        _ => false,
    }
}

fuzz_target!(|text: &[u8]| {
    // As the bytes of a signature, and as its digits: read is only what prints as it was read.
    let digits: String = text.iter().map(|byte| format!("{byte:02x}")).collect();
    if let Some(signature) = Signature::from_der_hex(&digits) {
        assert_eq!(signature.as_bytes(), text);
    }
    if let Some(signature) = std::str::from_utf8(text).ok().and_then(Signature::from_der_hex) {
        assert_eq!(signature.to_hex().as_bytes(), text);
    }

    // As a region set, a line end, and an Authorization header.
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else { return };
    let (region_set, header) = (&text[..end], &text[end + 1..]);
    let headers = [("x-amz-date", TIME.as_bytes()), ("x-amz-region-set", region_set), ("authorization", header)];
    let Ok(presented) = UnverifiedRequest::parse(Request::new("GET", "/", &headers).with_host("h")) else { return };
    let Some(region_set) = presented.region_set() else { return };

    // Printed as a query it is the same.
    let credential = format!("{}/{}", presented.access_key_id(), presented.scope());
    let names_signed: Vec<&str> = presented.signed_headers().collect();
    let target = format!(
        "/?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential={}&X-Amz-Date={TIME}&X-Amz-Expires=60\
         &X-Amz-Region-Set={}&X-Amz-SignedHeaders={}&X-Amz-Signature=3006020111020122",
        encode_segment(credential),
        encode_segment(region_set),
        encode_segment(names_signed.join(";"))
    );
    let in_query = UnverifiedRequest::parse(Request::new("GET", &target, &[]).with_host("h")).unwrap();
    assert_eq!(in_query.region_set(), Some(region_set));
    assert_eq!(in_query.access_key_id(), presented.access_key_id());
    assert_eq!(in_query.scope(), presented.scope());
    assert!(in_query.signed_headers().eq(presented.signed_headers()));

    // The region is looked at before the signature, and no signature is good without the key.
    let key = SigningKey::derive_sigv4a(&credentials());
    let verifier = Verifier::new("us-east-1", presented.scope().service()).unwrap().with_sigv4a();
    let named = region_set.len() > 60
        || region_set.split(',').any(|entry| !entry.is_empty() && names(entry.as_bytes(), b"us-east-1"));
    match verifier.verify(presented.clone().with_body(b""), &key, presented.timestamp()).unwrap_err() {
        VerifyError::WrongRegionSet { .. } => assert!(region_set.len() > 60 || !named),
        VerifyError::SignatureMismatch { .. } => assert!(named),
        _ => {}
    }
    let public_key = key.public_key().unwrap();
    assert!(verifier.verify_with_public_key(presented.with_body(b""), &public_key, TIME.parse().unwrap()).is_err());
});
