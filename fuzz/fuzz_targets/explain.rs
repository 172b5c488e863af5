#![no_main]

use std::sync::LazyLock;

use countersign::explain::{Explanation, Sent};
use countersign::{Credentials, Payload, Request, Signer};
use countersign_fuzz::Message;
use libfuzzer_sys::fuzz_target;

const TOKEN: &str = "aSessionTokenThatNoSeedHas";

static SENT: LazyLock<[Sent; 3]> = LazyLock::new(|| {
    let credentials =
        Credentials::new("ASIAFUZZ", "noSeedIsSignedWithThis").unwrap().with_session_token(TOKEN).unwrap();
    let signer = Signer::new(credentials, "us-east-1", "s3");
    let headers = [("content-type", b"text/plain".as_slice()), ("x-amz-meta-a", b"b c")];
    let request = Request::new("PUT", "/a%20b//c/?x=%20&y", &headers).with_host("bucket.s3.amazonaws.com");
    let now = "20150830T123600Z".parse().unwrap();
    let signed = signer.sign(&request, Payload::EMPTY, now).unwrap();
    let presigned = signer.presign(&request, std::time::Duration::from_secs(60), now).unwrap();
    [Sent::default(), Sent::from(&signed), Sent::from(&presigned)]
});

// The response stands there as a message: `403 -`, headers, an empty line, the body.
fuzz_target!(|text: &[u8]| {
    let Some(message) = Message::read(text) else { return };
    let status = message.method.parse().unwrap_or(403);
    let explain = |sent: Sent| {
        let explanation = Explanation::from_response(status, &message.headers, message.body, sent);
        let shown = format!("{explanation} {explanation:?} {:?}", explanation.diff().map(ToString::to_string));
        assert!(!shown.contains(TOKEN));
        assert!(!shown.contains('\u{1b}'));
    };
    SENT.iter().cloned().for_each(explain);
    explain(Sent::from(&message.request()));
    // Two texts without a response: the body, and the body with its middle gone.
    let (start, end) = message.body.split_at(message.body.len() / 2);
    let other = [start, end.get(1..).unwrap_or_default()].concat();
    let explanation = Explanation::between(message.body, &other);
    let _ = (explanation.to_string(), explanation.diff().map(ToString::to_string));
});
