//! POST policies: the signature beside aws-sigv4.

use std::time::{Duration, UNIX_EPOCH};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use countersign::post_policy::Policy;
use countersign::{Credentials, Signer, Timestamp};

#[test]
fn signatures_are_the_same() {
    let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for (index, region) in ["us-east-1", "eu-central-1", "cn-north-1"].into_iter().enumerate() {
        let now = Timestamp::from_unix_seconds(1_451_347_200 + 40_000 * index as i64).unwrap();
        let signer = Signer::new(Credentials::new("AKIDEXAMPLE", secret).unwrap(), region, "s3").unwrap();
        let policy = Policy::new("bucket", now.saturating_add(600))
            .with_field("key", "é/${filename}")
            .with_field("acl", "private")
            .with_content_length(1..=1000);
        let form = signer.sign_post_policy(&policy, now).unwrap();
        let text = form.fields().find(|(name, _)| *name == "policy").unwrap().1;
        let time = UNIX_EPOCH + Duration::from_secs(now.unix_seconds() as u64);
        let key = generate_signing_key(secret, time, region, "s3");
        assert_eq!(form.signature().to_hex(), calculate_signature(key, text.as_bytes()));
    }
}
