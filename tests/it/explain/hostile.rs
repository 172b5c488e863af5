//! Bodies that nobody sends who means well: an explanation or none, in bounded time and memory.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use countersign::explain::{Cause, Explanation, Sent};
use countersign::{Credentials, Payload, Request, Signed, Signer};

use crate::support::allocator;

fn signed() -> Signed {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
    let target = format!("/a?{}", (0..1000).map(|n| format!("a=%20{n}&")).collect::<String>());
    let signer = Signer::new(credentials, "us-east-1", "s3").unwrap();
    let request = Request::new("GET", &target, &[]).with_host("example.com");
    signer.sign(request, Payload::Unsigned, "20260830T123600Z".parse().unwrap()).unwrap()
}

/// What this thread has worked, where the system tells: a busy machine makes nothing slow that is fast. Else the time.
pub(super) fn worked() -> Duration {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match schedule.split(' ').next().map(str::parse) {
        Some(Ok(nanoseconds)) => Duration::from_nanos(nanoseconds),
        _ => BEGUN.elapsed(),
    }
}

fn causes(status: u16, body: &[u8]) -> Vec<Cause> {
    let signed = Sent::from(&signed());
    let begun = worked();
    let (explanation, most) = allocator::most_held(|| Explanation::from_response(status, &[], body, signed));
    let shown = format!("{explanation} {explanation:?} {:?}", explanation.diff());
    // Ten times what it takes in a debug build.
    let took = worked() - begun;
    assert!(took < Duration::from_secs(3), "{took:?}");
    // However long the body is: a quarter of a MiB of it is read, and each two bytes may be a value of JSON or a line.
    assert!(most < 32 * 1024 * 1024, "{most} bytes");
    assert!(shown.len() < 8 * 1024 * 1024, "{} bytes", shown.len());
    explanation.findings().map(|finding| finding.cause().clone()).collect()
}

fn echo(canonical_request: &str) -> String {
    format!(
        "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature we calculated does not match the signature \
         you provided.</Message><CanonicalRequest>{}</CanonicalRequest></Error>",
        canonical_request.replace('&', "&amp;")
    )
}

const MIB_10: usize = 10 * 1024 * 1024;

#[test]
fn large_deep_and_broken_bodies_are_bounded() {
    let request = |path: &str, query: &str, headers: &str| {
        echo(&format!("GET\n{path}\n{query}\n{headers}\n\nhost\nx")).into_bytes()
    };
    let query = |pair: fn(usize) -> String| (0..12_000).map(pair).collect::<String>();
    let spaced = "47 45 54 0a ".repeat(20_000);
    for (what, body) in [
        ("zeros", vec![0; MIB_10]),
        ("text", vec![b'a'; MIB_10]),
        ("angle brackets", vec![b'<'; MIB_10]),
        ("ampersands", [b"<a>".to_vec(), vec![b'&'; MIB_10]].concat()),
        ("references", [b"<a>".to_vec(), b"&#65;".repeat(MIB_10 / 5)].concat()),
        ("deep XML", b"<a>".repeat(MIB_10 / 3)),
        ("shallow XML", b"<a>1</a>".repeat(MIB_10 / 8)),
        ("a comment without an end", [b"<!--".to_vec(), vec![b'-'; MIB_10]].concat()),
        ("attributes", [b"<a ".to_vec(), b"b='c' ".repeat(MIB_10 / 6)].concat()),
        ("elements of many names", (0..200_000).flat_map(|n| format!("<a{n}>1</a{n}>").into_bytes()).collect()),
        ("deep JSON", vec![b'['; MIB_10]),
        ("deep JSON objects", b"{\"a\":".repeat(MIB_10 / 5)),
        ("wide JSON", [b"[".to_vec(), b"1,".repeat(MIB_10 / 2), b"1]".to_vec()].concat()),
        ("wide JSON, as much as is read", [b"[".to_vec(), b"1,".repeat(130_000), b"1]".to_vec()].concat()),
        ("long JSON text", [b"{\"message\":\"".to_vec(), vec![b'a'; MIB_10], b"\"}".to_vec()].concat()),
        ("not UTF-8", vec![0xff; MIB_10]),
        ("not UTF-8 in XML", [b"<Error><Code>".to_vec(), vec![0xff; MIB_10]].concat()),
        ("parameters in the echo", request("/a", &query(|n| format!("a=%20{}&", n + 5000)), "host:h")),
        ("parameters of many names in the echo", request("/a", &query(|n| format!("a{n}&")), "host:h")),
        ("pieces of nothing in the echo", request("/a", &"&".repeat(40_000), "host:h")),
        ("a path in the echo", request(&format!("/{}", "%25".repeat(80_000)), "", "host:h")),
        ("slashes in the echo", request(&"/".repeat(240_000), "", "host:h")),
        ("dots in the echo", request(&"/..".repeat(80_000), "", "host:h")),
        ("headers in the echo", request("/a", "", &"b:\n".repeat(80_000))),
        ("header names in the echo", request("/a", "", &query(|n| format!("b{n}:\n")))),
        ("signed headers in the echo", echo(&format!("GET\n/\n\nhost:h\n\n{}\nx", "a;".repeat(100_000))).into_bytes()),
        ("lines in the echo", echo(&"a\n".repeat(120_000)).into_bytes()),
        ("bytes in the echo", echo(&spaced).replace("CanonicalRequest", "CanonicalRequestBytes").into_bytes()),
    ] {
        let found = causes(403, &body);
        assert!(!found.is_empty(), "{what}");
        // Those get as far as the comparison.
        assert!(!what.ends_with("in the echo") || !found.contains(&Cause::Mismatch), "{what}: {found:?}");
    }
}

#[test]
fn two_long_texts_are_compared_in_bounded_time_and_memory() {
    let text = |n: usize| {
        let query: String = (0..20_000).map(|k| format!("a={}&", k * n)).collect();
        let headers: String = (0..20_000).map(|k| format!("a{k}:{}\n", k * n)).collect();
        format!("GET\n/{}\n{query}\n{headers}\nhost\nx", "%25".repeat(20_000 * n))
    };
    let (ours, theirs) = (text(1), text(2));
    let begun = worked();
    let (explanation, most) = allocator::most_held(|| Explanation::compare(&theirs, &ours));
    let took = worked() - begun;
    assert!(took < Duration::from_secs(10), "{took:?}");
    assert!(most < 40 * (ours.len() + theirs.len()), "{most} bytes for {}", ours.len() + theirs.len());
    assert!(explanation.findings().len() < 64);
}

/// C5. Widths of Rust's formatting are 16 bits: a wider one panics.
#[test]
fn a_difference_far_along_a_line_is_marked_at_its_place() {
    for at in [65_533, 65_534, 65_535, 65_536, 200_000] {
        let text = |last| format!("GET\n/{}{last}\n\nhost:h\n\nhost\nUNSIGNED-PAYLOAD", "a".repeat(at - 1));
        let explanation = Explanation::compare(text('b'), text('c'));
        let diff = explanation.diff().unwrap().to_string();
        let mark = diff.lines().find(|line| line.ends_with('^')).unwrap();
        assert_eq!(mark.len(), "  ".len() + at + "^".len());
        assert!(explanation.to_string().len() < 4096);
    }
}

#[test]
fn long_headers_of_a_response_are_bounded() {
    let long = vec![b'a'; MIB_10];
    let names = ["x-amzn-ErrorType", "Location", "x-amz-bucket-region", "X-Aoss-Response-Hint", "Date", "x-other"];
    let headers: Vec<(&str, &[u8])> = names.iter().map(|name| (*name, long.as_slice())).collect();
    let signed = Sent::from(&signed());
    let (explanation, most) = allocator::most_held(|| Explanation::from_response(301, &headers, b"", signed));
    assert!(most < 1024 * 1024, "{most} bytes");
    assert!(explanation.to_string().len() < 4096, "{explanation}");
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
    let explanation = Explanation::compare(theirs, "GET\n/\n\nhost:h\n\nhost\nx");
    let shown = format!("{explanation}{}", explanation.diff().unwrap());
    assert!(!shown.contains(['\u{1b}', '\u{7}']), "{shown:?}");
}
