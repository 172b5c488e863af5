#![no_main]

use countersign::explain::{Explanation, InputError, Sent};
use countersign_fuzz::assert_printable;
use libfuzzer_sys::fuzz_target;

fn said(text: &[u8], entry: Option<usize>) -> (Result<String, InputError>, Result<String, InputError>) {
    let sent = Sent::from_har(text, entry).map(|sent| sent.to_string());
    let explanation = Explanation::from_har(text, entry).map(|explanation| explanation.to_string());
    (sent, explanation)
}

fuzz_target!(|text: &[u8]| {
    let (sent, explanation) = said(text, None);
    for result in [&sent, &explanation] {
        match result {
            Ok(shown) => assert_printable(shown),
            Err(error) => assert_printable(&error.to_string()),
        }
    }
    // The entry that is chosen has an index.
    let mut indices =
        (0..=text.len()).map(|index| said(text, Some(index))).take_while(|found| found.0 != Err(InputError::NoEntry));
    assert!(sent.is_err() || indices.any(|found| found == (sent.clone(), explanation.clone())));
});
