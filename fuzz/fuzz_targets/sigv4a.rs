#![no_main]

use countersign::{Request, Signature, SigningKey, Verifier, VerifyError, VerifyingKey, encode_segment};
use countersign_fuzz::{between, credentials, named_headers};
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
    let (Ok(region_set), Ok(header)) = (std::str::from_utf8(region_set), std::str::from_utf8(header)) else { return };
    let credential = between(header, "Credential=", &[',', ' ']);
    let service = credential.rsplit('/').nth(1).unwrap_or_default();
    let Ok(verifier) = Verifier::new("us-east-1", service) else { return };
    let (verifier, now) = (verifier.with_sigv4a(), TIME.parse().unwrap());
    let names_signed = between(header, "SignedHeaders=", &[',', ' ']);
    let mut headers = named_headers(names_signed);
    headers.retain(|(name, _)| *name != "x-amz-region-set");
    headers.extend([
        ("x-amz-date", TIME.as_bytes()),
        ("x-amz-region-set", region_set.as_bytes()),
        ("authorization", header.as_bytes()),
    ]);
    // The region is looked at before the signature, and no signature is good without the key.
    let unverified = verifier.parse(Request::new("GET", "/", &headers).with_host("h"), now);
    if !header.starts_with("AWS4-ECDSA-P256-SHA256 ") {
        return;
    }
    let named = region_set.len() <= 60
        && region_set.trim().split(',').any(|entry| !entry.is_empty() && names(entry.as_bytes(), b"us-east-1"));
    let unverified = match unverified {
        Err(VerifyError::WrongRegionSet { .. }) => return assert!(region_set.len() > 60 || !named),
        Err(_) => return,
        Ok(unverified) => unverified,
    };
    assert!(region_set.len() > 60 || named);
    let key = SigningKey::derive_sigv4a(&credentials());
    let id = unverified.access_key_id().to_owned();
    let pair = VerifyingKey::new(id.as_str(), key.clone());
    let public_key = VerifyingKey::from_public_key(id, key.public_key().unwrap());
    for key in [&pair, &public_key] {
        let error = unverified.clone().with_body(b"").verify_with_key(Some(key)).unwrap_err();
        assert!(matches!(error, VerifyError::SignatureMismatch { .. } | VerifyError::InvalidSessionToken { .. }));
    }

    // Printed as a query it is the same.
    let printed = format!(
        "/?X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential={}&X-Amz-Date={TIME}&X-Amz-Expires=60\
         &X-Amz-Region-Set={}&X-Amz-SignedHeaders={}&X-Amz-Signature=3006020111020122",
        encode_segment(credential),
        encode_segment(region_set.trim()),
        encode_segment(names_signed.replace(";x-amz-region-set", "").replace(";x-amz-date", ""))
    );
    let headers = named_headers(names_signed);
    let in_query = verifier.parse(Request::new("GET", &printed, &headers).with_host("h"), now);
    if let Ok(in_query) = in_query {
        assert_eq!(in_query.access_key_id(), unverified.access_key_id());
        assert_eq!(in_query.scope(), unverified.scope());
    }
});
