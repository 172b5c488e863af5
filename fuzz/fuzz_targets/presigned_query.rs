#![no_main]

use countersign::{Request, encode_segment};
use countersign_fuzz::{SIGNATURE, decoded, named_headers, parts, tailored_to};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|target: &str| {
    let (names, date) = (decoded(target, "X-Amz-SignedHeaders="), decoded(target, "X-Amz-Date="));
    let Some((verifier, now)) = tailored_to(&decoded(target, "X-Amz-Credential="), &date) else { return };
    let headers = named_headers(&names);
    let Ok(unverified) = verifier.parse(Request::new("GET", target, &headers).with_host("h"), now) else { return };
    if target.contains("AWS4-HMAC-SHA256") {
        let mut printed = format!(
            "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={date}&X-Amz-Expires=60\
             &X-Amz-SignedHeaders={}&X-Amz-Signature={SIGNATURE}",
            encode_segment(format!("{}/{}", unverified.access_key_id(), unverified.scope())),
            encode_segment(&names),
        );
        if let Some(token) = unverified.session_token() {
            printed.push_str(&format!("&X-Amz-Security-Token={}", encode_segment(token)));
        }
        let again = verifier.parse(Request::new("GET", &printed, &headers).with_host("h"), now).unwrap();
        assert_eq!(parts(&unverified), parts(&again));
    }
    assert!(unverified.with_body(b"").verify(None).is_err());
});
