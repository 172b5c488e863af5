#![no_main]

use countersign::{ErrorFormat, Rules};
use countersign_fuzz::{Message, between, credentials, decoded, tailored_to};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &[u8]| {
    let Some(message) = Message::read(text) else { return };
    let lossy = String::from_utf8_lossy(text);
    // The most that an attacker can have: its own time, region and service.
    let tailored = match lossy.contains("X-Amz-Credential=") {
        true => tailored_to(&decoded(&lossy, "X-Amz-Credential="), &decoded(&lossy, "X-Amz-Date=")),
        false => tailored_to(
            between(&lossy, "Credential=", &[',', ' ', '\n']),
            between(&lossy.to_ascii_lowercase(), "\nx-amz-date:", &['\n']).trim().to_ascii_uppercase().as_str(),
        ),
    };
    let Some((verifier, now)) = tailored else { return };
    let known = credentials();
    for rules in ["execute-api", "s3", "iotdevicegateway"].map(Rules::for_service) {
        let verifier = verifier.clone().with_rules(rules);
        for found in [None, Some(&known)] {
            let errors = match verifier.parse(message.request(), now) {
                Ok(unverified) => vec![
                    unverified.clone().verify_head(found).unwrap_err(),
                    unverified.with_body(message.body).verify(found).unwrap_err(),
                ],
                Err(error) => vec![error],
            };
            for error in errors {
                let _ = (
                    error.to_string(),
                    error.refusal(ErrorFormat::S3Xml).body(""),
                    error.refusal(ErrorFormat::RestJson).body(""),
                );
            }
        }
    }
});
