#![no_main]

use countersign::{Request, UnverifiedRequest, encode_segment};
use countersign_fuzz::{SIGNATURE, parts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|target: &[u8]| {
    let Ok(presented) = UnverifiedRequest::parse(Request::new("GET", target, &[])) else { return };
    // Printed by another target.
    if presented.region_set().is_some() {
        return;
    }
    let names: Vec<&str> = presented.signed_headers().collect();
    let mut printed = format!(
        "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={}&X-Amz-SignedHeaders={}&X-Amz-Signature={SIGNATURE}",
        encode_segment(format!("{}/{}", presented.access_key_id(), presented.scope())),
        presented.timestamp(),
        encode_segment(names.join(";")),
    );
    if let Some(token) = presented.session_token() {
        printed.push_str(&format!("&X-Amz-Security-Token={}", encode_segment(token)));
    }
    let again = UnverifiedRequest::parse(Request::new("GET", &printed, &[])).unwrap();
    assert_eq!(parts(&presented), parts(&again));
});
