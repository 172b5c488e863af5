#![no_main]

use countersign::post_policy::PolicyError;
use countersign::{Credentials, ErrorFormat, Signer, Timestamp, Verifier};
use countersign_fuzz::credentials;
use libfuzzer_sys::fuzz_target;

fn verify(fields: &[(&str, &str)], known: Option<&Credentials>, now: Timestamp) -> Result<(), PolicyError> {
    let verifier = Verifier::new("us-east-1", "s3").unwrap();
    let unverified = verifier.parse_form("bucket", fields.iter().copied(), now)?.with_file_name("a/b.jpg")?;
    let form = unverified.verify(known)?;
    assert_eq!(form.access_key_id(), credentials().access_key_id());
    let _ = (form.fields().count(), form.check_file_length(1));
    Ok(())
}

// A form as text: a field a line, an empty line, the text of a policy.
fuzz_target!(|text: &str| {
    let (fields, policy) = text.split_once("\n\n").unwrap_or((text, ""));
    let fields: Vec<(&str, &str)> = fields.lines().filter_map(|line| line.split_once(':')).collect();
    let now: Timestamp = "20150830T123600Z".parse().unwrap();
    // As given, unsigned.
    for known in [None, Some(&credentials())] {
        let error = verify(&fields, known, now).unwrap_err();
        let _ = (
            error.to_string(),
            error.refusal(ErrorFormat::S3Xml).body(""),
            error.refusal(ErrorFormat::RestJson).body(""),
        );
    }
    // Signed: a policy of any text, with those fields.
    let signer = Signer::new(credentials(), "us-east-1", "s3").unwrap();
    let Ok(form) = signer.sign_post_policy_text(policy, fields.iter().copied(), now) else { return };
    let _ = form.hidden_inputs();
    let signed: Vec<(&str, &str)> = form.fields().collect();
    let accepted = verify(&signed, Some(&credentials()), now).is_ok();
    let other = Credentials::new(credentials().access_key_id(), "another").unwrap();
    assert!(verify(&signed, Some(&other), now).is_err());
    for index in 0..signed.len() {
        let mut changed = signed.clone();
        let exempt = signed[index].0.get(..9).is_some_and(|start| start.eq_ignore_ascii_case("x-ignore-"));
        let (name, _) = changed.remove(index);
        let file_or_bucket = ["file", "bucket"].iter().any(|own| name.eq_ignore_ascii_case(own));
        if accepted && !exempt && !file_or_bucket {
            assert!(verify(&changed, Some(&credentials()), now).is_err(), "without {name}");
        }
        changed.push((name, "\u{1}"));
        let _ = verify(&changed, Some(&credentials()), now);
    }
    let mut extra = signed.clone();
    extra.push(("x-amz-meta-that-nothing-names\u{1}", ""));
    assert!(verify(&extra, Some(&credentials()), now).is_err());
});
