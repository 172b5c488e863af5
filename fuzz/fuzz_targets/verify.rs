#![no_main]

use countersign::{UnverifiedRequest, Verifier};
use countersign_fuzz::{Message, credentials};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Some(message) = Message::read(text) else { return };
    let known = credentials();
    for service in ["execute-api", "s3", "iotdevicegateway"] {
        let Ok(presented) = UnverifiedRequest::parse(message.request()) else { return };
        // The most that an attacker can have: its own time, region and service.
        let (now, region) = (presented.timestamp(), presented.scope().region().to_owned());
        for found in [None, Some(&known)] {
            let key = presented.derive_key(found);
            for presented in [presented.clone(), presented.clone().with_body(message.body)] {
                let verifier = Verifier::new(region.as_str(), service).unwrap().with_sigv4a();
                let error = verifier.verify(presented, &key, now).unwrap_err();
                let _ = (
                    error.to_string(),
                    error.refusal(countersign::ErrorFormat::S3Xml).body(""),
                    error.refusal(countersign::ErrorFormat::RestJson).body(""),
                );
            }
        }
    }
});
