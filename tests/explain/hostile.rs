//! Bodies that nobody sends who means well: an explanation or none, in bounded time and memory.

use std::time::{Duration, Instant};

use countersign::explain::{Cause, Explanation};
use countersign::{Credentials, Payload, Request, Signed, Signer};

fn signed() -> Signed {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
    let target = format!("/a?{}", (0..1000).map(|n| format!("a=%20{n}&")).collect::<String>());
    let signer = Signer::new(credentials, "us-east-1", "s3");
    let request = Request::new("GET", &target, &[]).with_host("example.com");
    signer.sign(&request, Payload::Unsigned, "20260830T123600Z".parse().unwrap()).unwrap()
}

fn causes(status: u16, body: &[u8]) -> Vec<Cause> {
    let signed = signed();
    let begun = Instant::now();
    let explanation = Explanation::from_response(status, &[], body, Some(&signed));
    let shown = format!("{explanation} {explanation:?} {:?}", explanation.diff());
    // Ten times what it takes in a debug build; what is squared takes minutes.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(shown.len() < 8 * 1024 * 1024, "{} bytes", shown.len());
    explanation.findings().map(|finding| finding.cause().clone()).collect()
}

#[test]
fn large_deep_and_broken_bodies_are_bounded() {
    let mib_10 = 10 * 1024 * 1024;
    let echo = |query: &str| {
        format!(
            "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the \
             signature you provided.</Message><CanonicalRequest>GET\n/a\n{query}\nhost:h\n\nhost\nx</CanonicalRequest></Error>"
        )
    };
    for (what, body) in [
        ("zeros", vec![0; mib_10]),
        ("text", vec![b'a'; mib_10]),
        ("angle brackets", vec![b'<'; mib_10]),
        ("ampersands", [b"<a>".to_vec(), vec![b'&'; mib_10]].concat()),
        ("deep XML", b"<a>".repeat(mib_10 / 3)),
        ("shallow XML", b"<a>1</a>".repeat(mib_10 / 8)),
        ("elements of many names", (0..200_000).flat_map(|n| format!("<a{n}>1</a{n}>").into_bytes()).collect()),
        ("deep JSON", vec![b'['; mib_10]),
        ("deep JSON objects", b"{\"a\":".repeat(mib_10 / 5)),
        ("wide JSON", [b"[".to_vec(), b"1,".repeat(mib_10 / 2), b"1]".to_vec()].concat()),
        ("long JSON text", [b"{\"message\":\"".to_vec(), vec![b'a'; mib_10], b"\"}".to_vec()].concat()),
        ("not UTF-8", vec![0xff; mib_10]),
        (
            "parameters in the echo",
            echo(&(0..60_000).map(|n| format!("a=%20{}&", n + 5000)).collect::<String>()).into_bytes(),
        ),
        ("a path in the echo", echo("").replace("\n/a\n", &format!("\n/{}\n", "%25".repeat(80_000))).into_bytes()),
        ("headers in the echo", echo("").replace("\nhost:h\n", &format!("\n{}\n", "b:\n".repeat(80_000))).into_bytes()),
        ("bytes in the echo", echo("").replace("CanonicalRequest", "CanonicalRequestBytes").into_bytes()),
    ] {
        let found = causes(403, &body);
        assert!(!found.is_empty(), "{what}");
    }
}

#[test]
fn entities_are_not_expanded() {
    let bomb = br#"<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">
        <!ENTITY x SYSTEM "file:///etc/passwd">]><Error><Code>A&c;&x;&lt;&#x3e;</Code><Message>&c;&x;</Message></Error>"#;
    let explanation = Explanation::from_response(403, &[], bomb, None);
    assert!(explanation.to_string().starts_with("403 A<>\n"), "{explanation}");
}

#[test]
fn a_body_that_was_cut_says_what_came_before() {
    let whole = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidAccessKeyId</Code><Message>The AWS Access Key \
                 Id you provided does not exist in our records.</Message><AWSAccessKeyId>A</AWSAccessKeyId></Error>";
    let json = r#"{"__type":"UnrecognizedClientException","message":"The security token included in the request is invalid."}"#;
    for length in 0..whole.len() {
        let found = causes(403, &whole.as_bytes()[..length]);
        assert!(!found.is_empty(), "{length}");
        if length > whole.find("</Code>").unwrap() + 7 {
            assert_eq!(found[0], Cause::UnknownAccessKey, "{length}");
        }
    }
    for length in 0..json.len() {
        assert!(!causes(403, &json.as_bytes()[..length]).is_empty(), "{length}");
    }
}

#[test]
fn what_a_terminal_obeys_is_not_shown() {
    let body = b"{\"message\":\"\\u001b[2Jgone\\u0007 The request signature we calculated does not match\",\"code\":\"\\u001b]0;x\"}";
    let shown = Explanation::from_response(403, &[("Location", b"\x1b[1m")], body, None).to_string();
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
    let theirs = "GET\n/\x1b[2J\n\nhost:\x07\n\nhost\nx";
    let explanation = Explanation::between(theirs, "GET\n/\n\nhost:h\n\nhost\nx");
    let shown = format!("{explanation}{}", explanation.diff().unwrap());
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
}
