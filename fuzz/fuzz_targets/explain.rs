#![no_main]

use std::sync::LazyLock;

use countersign::explain::{Cause, Explanation, Sent};
use countersign::{Credentials, Payload, Request, Signer};
use countersign_fuzz::Message;
use libfuzzer_sys::fuzz_target;

const TOKEN: &str = "aSessionTokenThatNoSeedHas";

static SENT: LazyLock<[Sent; 2]> = LazyLock::new(|| {
    let credentials =
        Credentials::new("ASIAFUZZ", "noSeedIsSignedWithThis").unwrap().with_session_token(TOKEN).unwrap();
    let signer = Signer::new(credentials, "us-east-1", "s3").unwrap();
    let headers = [("content-type", b"text/plain".as_slice()), ("x-amz-meta-a", b"b c")];
    let request = Request::new("PUT", "/a%20b//c/?x=%20&y", &headers).with_host("bucket.s3.amazonaws.com");
    let now = "20150830T123600Z".parse().unwrap();
    let signed = signer.sign(&request, Payload::EMPTY, now).unwrap();
    let presigned = signer.presign(&request, std::time::Duration::from_secs(60), now).unwrap();
    [Sent::from(&signed), Sent::from(&presigned)]
});

/// All that is said, without what a terminal obeys.
fn said(explanation: &Explanation) -> String {
    let diff = explanation.diff().map(ToString::to_string).unwrap_or_default();
    for text in [explanation.to_string(), diff.clone()] {
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
    }
    format!("{explanation} {explanation:?} {diff} {:?} {:?}", explanation.diff(), explanation.computed())
}

// The input is a response as text: `403 -`, headers, an empty line, the body.
fuzz_target!(|text: &[u8]| {
    let Some(message) = Message::read(text) else { return };
    let status = message.method.parse().unwrap_or(403);
    let explain = |sent: Sent| {
        let explanation = Explanation::from_response(status, &message.headers, message.body, sent);
        assert!(explanation.findings().len() < 100);
        said(&explanation)
    };
    // The token is known to be one, wherever the response has put it.
    SENT.iter().cloned().for_each(|sent| assert!(!explain(sent).contains(TOKEN)));
    explain(Sent::default());
    explain(Sent::from(&message.request()));
    // Two texts without a response: the body, and the body with its middle gone.
    let (start, end) = message.body.split_at(message.body.len() / 2);
    let other = [start, end.get(1..).unwrap_or_default()].concat();
    for (ours, theirs) in [(message.body, &*other), (&*other, message.body)] {
        let explanation = Explanation::compare(theirs, ours);
        said(&explanation);
        // Texts that differ where it can be seen never have the secret for a cause.
        let differs = explanation.diff().is_some_and(|diff| !diff.is_empty());
        let first = explanation.findings().next().map(|finding| finding.cause());
        assert!(first.is_some() && !(differs && first == Some(&Cause::WrongSecret)), "{explanation}");
    }
    let same = Explanation::compare(message.body, message.body);
    assert!(same.findings().len() == 1 && same.diff().is_some_and(|diff| diff.is_empty()), "{same}");
});
