#![no_main]

use countersign::{Request, UnverifiedRequest};
use countersign_fuzz::{SIGNATURE, parts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|header: &[u8]| {
    let headers = [("x-amz-date", b"20150830T123600Z".as_slice()), ("authorization", header)];
    let Ok(presented) = UnverifiedRequest::parse(Request::new("GET", "/", &headers)) else { return };
    let names: Vec<&str> = presented.signed_headers().collect();
    // The terminator is no part of a scope that can be read; verifying compares it.
    let printed = format!(
        "AWS4-HMAC-SHA256 Credential={}/{}, SignedHeaders={}, Signature={SIGNATURE}",
        presented.access_key_id(),
        presented.scope(),
        names.join(";")
    );
    let headers = [("x-amz-date", b"20150830T123600Z".as_slice()), ("authorization", printed.as_bytes())];
    let again = UnverifiedRequest::parse(Request::new("GET", "/", &headers)).unwrap();
    assert_eq!(parts(&presented), parts(&again));
});
