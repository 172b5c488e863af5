#![no_main]

use countersign::explain::{Explanation, Sent};
use countersign_fuzz::{SECRET, assert_printable};
use libfuzzer_sys::fuzz_target;

// The input is what follows options with credentials.
fuzz_target!(|text: &str| {
    if text.contains(SECRET) {
        return;
    }
    let _ = Sent::from_curl(text);
    let command = format!(
        "curl -u \"AKIDFUZZ:{SECRET}\" -H \"x-amz-security-token: {SECRET}\" -d \"token={SECRET}\" --oauth2-bearer {SECRET} {text}"
    );
    let body = format!("{{\"message\":\"the token {SECRET} is not valid\"}}");
    let shown = match Sent::from_curl(&command) {
        Ok(sent) => {
            let explanation = Explanation::from_response(403, &[], body.as_bytes(), sent.clone());
            // A second token takes the place of the first.
            let explanation =
                if text.to_ascii_lowercase().contains("token") { String::new() } else { explanation.to_string() };
            format!("{sent}\n{sent:?}\n{explanation}")
        }
        Err(error) => format!("{error}\n{error:?}"),
    };
    assert_printable(&shown);
    assert!(!shown.contains(SECRET), "{shown}");
});
