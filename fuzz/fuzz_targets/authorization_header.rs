#![no_main]

use countersign::Request;
use countersign_fuzz::{SIGNATURE, between, named_headers, parts, tailored_to};
use libfuzzer_sys::fuzz_target;

const DATE: &str = "20150830T123600Z";

fuzz_target!(|header: &str| {
    let names = between(header, "SignedHeaders=", &[',', ' ']);
    let Some((verifier, now)) = tailored_to(between(header, "Credential=", &[',', ' ']), DATE) else { return };
    let mut headers = named_headers(names);
    headers.extend([("x-amz-date", DATE.as_bytes()), ("authorization", header.as_bytes())]);
    let Ok(unverified) = verifier.parse(Request::new("GET", "/", &headers).with_host("h"), now) else { return };
    let printed = format!(
        "AWS4-HMAC-SHA256 Credential={}/{}/aws4_request, SignedHeaders={names}, Signature={SIGNATURE}",
        unverified.access_key_id(),
        unverified.scope().to_string().trim_end_matches("/aws4_request"),
    );
    let mut headers = named_headers(names);
    headers.extend([("x-amz-date", DATE.as_bytes()), ("authorization", printed.as_bytes())]);
    let again = verifier.parse(Request::new("GET", "/", &headers).with_host("h"), now);
    // A signature of SigV4A has a scope and digits of its own: another target prints it.
    if header.starts_with("AWS4-HMAC-SHA256 ") {
        assert_eq!(parts(&unverified), parts(&again.unwrap()));
    }
    assert!(unverified.verify_head(None).is_err());
});
