#![no_main]

use countersign::explain::{Explanation, Sent};
use countersign_fuzz::{SECRET, assert_printable};
use libfuzzer_sys::fuzz_target;

// The input is what follows the first lines of a request and of a response.
fuzz_target!(|text: &[u8]| {
    if text.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()) {
        return;
    }
    let head = format!(
        "POST /a?token={SECRET} HTTP/1.1
Authorization: Bearer {SECRET}
Cookie: {SECRET}
x-api-key: {SECRET}
"
    );
    let request = [head.as_bytes(), text];
    let response = [b"HTTP/1.1 403 Forbidden\n", text].concat();
    let sent = Sent::from_http(request.concat());
    let shown = match &sent {
        Ok(sent) => format!("{sent}\n{sent:?}"),
        Err(error) => format!("{error}\n{error:?}"),
    };
    assert!(!shown.contains(SECRET), "{shown}");
    assert_printable(&shown);
    for text in [text, &response] {
        let _ = Sent::from_http(text);
        if let Ok(explanation) = Explanation::from_response_text(text, sent.clone().unwrap_or_default()) {
            assert_printable(&explanation.to_string());
        }
    }
    // As CBOR, JSON or XML.
    assert_printable(&Explanation::from_response(400, &[], text, None).to_string());
});
