//! Compares two texts without a response: all causes must be found, in order.

use countersign::explain::Explanation;

const REQUEST: &str = "GET\n/a/b\na=1&b=2\ncontent-type:text/plain\nhost:example.com\nx-amz-date:20260830T123600Z\n\n\
                       content-type;host;x-amz-date\nUNSIGNED-PAYLOAD";
const TO_SIGN: &str = "AWS4-HMAC-SHA256\n20260830T123600Z\n20260830/us-east-1/s3/aws4_request\n00ab";
const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn causes(ours: &str, theirs: &str) -> Vec<String> {
    let explanation = Explanation::compare(theirs, ours);
    assert_eq!(explanation.diff().unwrap().is_empty(), ours == theirs, "{ours}\n{theirs}");
    for finding in explanation.findings() {
        assert!(!finding.evidence().is_empty() && !finding.fix().is_empty());
    }
    explanation.findings().map(|finding| format!("{:?}", finding.cause())).collect()
}

/// Replaces a part of the text on our side and on theirs, and checks the causes.
fn check(text: &str, part: &str, cases: &[(&str, &str, &[&str])]) {
    assert!(text.contains(part));
    for (ours, theirs, expected) in cases {
        let (ours, theirs) = (text.replacen(part, ours, 1), text.replacen(part, theirs, 1));
        assert_eq!(causes(&ours, &theirs), *expected, "\n{ours}\n\n{theirs}");
    }
}

#[test]
fn method() {
    check(
        REQUEST,
        "GET",
        &[
            ("GET", "GET", &["WrongSecret"]),
            ("GET", "HEAD", &["MethodChanged { signed: \"GET\", verified: \"HEAD\" }"]),
            ("get", "GET", &["MethodChanged { signed: \"get\", verified: \"GET\" }"]),
        ],
    );
}

#[test]
fn path() {
    let changed = "PathChanged { signed: \"/a/b?a=1\", verified: \"/a/b\" }";
    check(
        REQUEST,
        "/a/b",
        &[
            ("/a%20b", "/a%2520b", &["PathUnderEncoded"]),
            ("/a%2520b", "/a%20b", &["PathOverEncoded"]),
            ("/a%25252520b", "/a%20b", &["PathOverEncoded"]),
            ("/model/x-v1:0", "/model/x-v1%253A0", &["PathUnderEncoded"]),
            ("/a:b", "/a%3Ab", &["PathUnderEncoded"]),
            ("/ሴ", "/%E1%88%B4", &["PathUnderEncoded"]),
            ("/%E1%88%B4", "/%25E1%2588%25B4", &["PathUnderEncoded"]),
            ("/a/b", "/a%2Fb", &["PathUnderEncoded"]),
            ("/a%2fb", "/a%2Fb", &["EscapeCase"]),
            ("/a%252fb", "/a%252Fb", &["EscapeCase"]),
            ("/a+b", "/a%20b", &["PlusForSpace"]),
            ("/a+b", "/a%2Bb", &["PathUnderEncoded"]),
            ("/a//b", "/a/b", &["PathNormalization"]),
            ("/a//b:c", "/a//b%3Ac", &["PathUnderEncoded"]),
            ("/a/./%2f", "/a/./%2F", &["EscapeCase"]),
            ("/a/%252E/b%2520c", "/a/b%20c", &["PathOverEncoded", "PathNormalization"]),
            ("/a%29/%252541", "/a%29/%25252541", &["PathUnderEncoded"]),
            ("/a/b", "/a/./b", &["PathNormalization"]),
            ("/a/../b", "/b", &["PathNormalization"]),
            ("/a//b%20c", "/a/b%2520c", &["PathUnderEncoded", "PathNormalization"]),
            ("/a/b%2520c", "/a//b%20c", &["PathOverEncoded", "PathNormalization"]),
            ("/a/b", "/a/b/", &["TrailingSlash { signed: false }"]),
            ("/a/b/", "/a/b", &["TrailingSlash { signed: true }"]),
            ("", "/", &["TrailingSlash { signed: false }"]),
            ("/a%20b", "/a%2520b/", &["PathUnderEncoded", "TrailingSlash { signed: false }"]),
            ("/list", "/dev/list", &["PathPrefix { prefix: \"/dev\", signed: false }"]),
            ("/dev", "/", &["PathPrefix { prefix: \"/dev\", signed: true }"]),
            ("/dev/", "/", &["PathPrefix { prefix: \"/dev\", signed: true }"]),
            ("/devlist", "/list", &["PathChanged { signed: \"/devlist\", verified: \"/list\" }"]),
            ("a/b", "/a/b", &["PathChanged { signed: \"a/b\", verified: \"/a/b\" }"]),
            ("https://h/a", "/a", &["PathChanged { signed: \"https://h/a\", verified: \"/a\" }"]),
            ("/a/b?a=1", "/a/b", &[changed]),
            ("/a/%zz", "/a/%25zz", &["PathUnderEncoded"]),
        ],
    );
}

#[test]
fn query() {
    let a = |name: &str| format!("MissingEquals {{ name: \"{name}\" }}");
    let changed = |name: &str, signed: &str, verified: &str| {
        format!("ParameterChanged {{ name: \"{name}\", signed: \"{signed}\", verified: \"{verified}\" }}")
    };
    check(
        REQUEST,
        "a=1&b=2",
        &[
            ("b=2&a=1", "a=1&b=2", &["QueryOrder"]),
            ("a=2&a=1", "a=1&a=2", &["QueryOrder"]),
            ("q=x&q.parser=y", "q.parser=y&q=x", &["QueryOrder"]),
            ("a", "a=", &[&a("a")]),
            ("acl&b=2", "acl=&b=2", &[&a("acl")]),
            ("a=b+c", "a=b%20c", &["PlusForSpace"]),
            ("a=b%20c", "a=b+c", &["PlusForSpace"]),
            ("a=b+c", "a=b%2Bc", &["PlusForSpace"]),
            ("a=b%20c", "a=b%2Bc", &["PlusForSpace"]),
            ("a+b=1", "a%20b=1", &["PlusForSpace"]),
            ("a=%2f", "a=%2F", &["EscapeCase"]),
            ("a=*", "a=%2A", &["QueryEncoding { name: \"a\" }"]),
            ("a=ሴ", "a=%E1%88%B4", &["QueryEncoding { name: \"a\" }"]),
            ("a=%2F", "a=%252F", &["QueryEncoding { name: \"a\" }"]),
            ("a=1", "a=1&b=2", &["ParameterAdded { name: \"b\" }"]),
            ("a=1&b=2", "a=1", &["ParameterRemoved { name: \"b\" }"]),
            ("", "c%20d=2", &["ParameterAdded { name: \"c d\" }"]),
            ("a=1&a=2", "a=1", &["ParameterRemoved { name: \"a\" }"]),
            ("a=1&a=1", "a=1", &["ParameterRemoved { name: \"a\" }"]),
            ("a=1&a=4&a=5", "a=1&a=3&a=5", &[&changed("a", "4", "3")]),
            ("a=1&b=2", "a=1&b=3", &[&changed("b", "2", "3")]),
            ("a=1=1", "a=1=2", &[&changed("a", "1=1", "1=2")]),
            ("a=1&b=%2f&c", "a=2&b=%2F&c=", &[&changed("a", "1", "2"), "EscapeCase", &a("c")]),
            (
                "X-Amz-Security-Token=AAAA&a=1",
                "X-Amz-Security-Token=BBBB&a=1",
                &[&changed("X-Amz-Security-Token", "[redacted]", "[redacted]")],
            ),
            ("X-Amz-Security-Token=[redacted]&a=1", "X-Amz-Security-Token=BBBB&a=2", &[&changed("a", "1", "2")]),
            ("X-Amz-Security-Token=[redacted]&a=1", "a=1&X-Amz-Security-Token=BBBB", &["QueryOrder"]),
        ],
    );
}

#[test]
fn headers() {
    let lines = "content-type:text/plain\nhost:example.com";
    let with = |line: &str| format!("{lines}\n{line}");
    let changed = |name: &str, signed: &str, verified: &str| {
        format!("HeaderChanged {{ name: \"{name}\", signed: \"{signed}\", verified: \"{verified}\" }}")
    };
    check(
        REQUEST,
        lines,
        &[
            ("host:example.com\ncontent-type:text/plain", lines, &["HeaderOrder"]),
            ("Content-Type:text/plain\nhost:example.com", lines, &["HeaderNameCase { name: \"Content-Type\" }"]),
            ("content-type: text/plain\nhost:example.com", lines, &["HeaderRespaced { name: \"content-type\" }"]),
            (&with("my:a  b"), &with("my:a b"), &["HeaderRespaced { name: \"my\" }"]),
            (&with("my:a:b:c"), &with("my:a:b:d"), &[&changed("my", "a:b:c", "a:b:d")]),
            (&with("my:1\nmy:2"), &with("my:1,2"), &["HeaderNotJoined { name: \"my\" }"]),
            (&with("my:1\nmy:2"), &with("my:2"), &[&changed("my", "1,2", "2")]),
            (&with("my:2,1"), &with("my:1,2"), &[&changed("my", "2,1", "1,2")]),
            (&with("my:1"), &with("my:"), &["HeaderRemoved { name: \"my\" }"]),
            (&with("my:"), &with("my:1"), &[&changed("my", "", "1")]),
            (&with("cookie:AAAA"), &with("cookie:BBBB"), &[&changed("cookie", "[redacted]", "[redacted]")]),
            (
                &with("x-amz-region-set:*"),
                &with("x-amz-region-set:us-east-1"),
                &[&changed("x-amz-region-set", "*", "us-east-1")],
            ),
            (&with("x-amz-security-token:A"), &with("x-amz-security-token:B"), &["TokenInvalid"]),
            (&with("x-amz-security-token:A"), lines, &["TokenMissing"]),
        ],
    );
    let host = |host: &str| format!("host:{host}");
    let port =
        |signed: &str, verified: &str| format!("PortChanged {{ signed: \"{signed}\", verified: \"{verified}\" }}");
    let other =
        |signed: &str, verified: &str| format!("HostChanged {{ signed: \"{signed}\", verified: \"{verified}\" }}");
    for (ours, theirs, expected) in [
        ("h", "h:8443", port("h", "h:8443")),
        ("h:443", "h", port("h:443", "h")),
        ("h:80", "H:443", port("h:80", "H:443")),
        ("h:", "h", port("h:", "h")),
        ("h", "H", other("h", "H")),
        ("h", "i:8443", other("h", "i:8443")),
        ("h", "h.", other("h", "h.")),
        ("[::1]", "[::1]:8080", port("[::1]", "[::1]:8080")),
        ("[2001:db8::1]:80", "[2001:db8::1]", port("[2001:db8::1]:80", "[2001:db8::1]")),
        ("[::1]", "[::2]", other("[::1]", "[::2]")),
        ("[::1:80]", "[::1]:80", other("[::1:80]", "[::1]:80")),
    ] {
        check(REQUEST, "host:example.com", &[(&host(ours), &host(theirs), &[&expected])]);
    }
    for (ours, theirs) in [
        ("text/plain", "text/plain; charset=utf-8"),
        ("text/plain;charset=utf-8", "text/plain"),
        ("text/plain; charset=utf-8", "text/plain; charset=UTF-8"),
        ("text/plain; Charset=utf-8", "text/plain;charset=latin1"),
    ] {
        let expected = format!("ContentTypeCharset {{ signed: \"{ours}\", verified: \"{theirs}\" }}");
        check(REQUEST, "text/plain", &[(ours, theirs, &[&expected])]);
    }
}

#[test]
fn signed_headers() {
    check(
        REQUEST,
        "content-type;host;x-amz-date\n",
        &[
            ("host;content-type;x-amz-date\n", "content-type;host;x-amz-date\n", &["HeaderOrder"]),
            ("content-type;host\n", "content-type;host;x-amz-date\n", &["MalformedAuthorization"]),
            ("content-type,host,x-amz-date\n", "content-type;host;x-amz-date\n", &["MalformedAuthorization"]),
            (
                "Content-Type;host;x-amz-date\n",
                "content-type;host;x-amz-date\n",
                &["HeaderNameCase { name: \"Content-Type\" }"],
            ),
        ],
    );
}

#[test]
fn payload() {
    let (a, b, upper) = ("ab".repeat(32), "cd".repeat(32), "AB".repeat(32));
    let mode =
        |signed: &str, verified: &str| format!("PayloadMode {{ signed: \"{signed}\", verified: \"{verified}\" }}");
    check(
        REQUEST,
        "UNSIGNED-PAYLOAD",
        &[
            (&a, &b, &["BodyChanged"]),
            (&a, OF_NOTHING, &["BodyDropped"]),
            (OF_NOTHING, &a, &["BodyNotHashed"]),
            (&upper, &a, &["HashCase"]),
            ("UNSIGNED-PAYLOAD", &a, &[&mode("UNSIGNED-PAYLOAD", &a)]),
            (&a, "STREAMING-UNSIGNED-PAYLOAD-TRAILER", &[&mode(&a, "STREAMING-UNSIGNED-PAYLOAD-TRAILER")]),
            ("", &a, &[&mode("", &a)]),
        ],
    );
}

#[test]
fn two_changes_are_two_findings() {
    let theirs = REQUEST.replace("/a/b", "/a/b/").replace("b=2", "b=3").replace("UNSIGNED-PAYLOAD", OF_NOTHING);
    let found = causes(REQUEST, &theirs);
    let starts = ["TrailingSlash", "ParameterChanged", "PayloadMode"];
    assert!(found.len() == 3 && found.iter().zip(starts).all(|(found, start)| found.starts_with(start)), "{found:?}");
}

#[test]
fn lines() {
    for text in [REQUEST, TO_SIGN] {
        for ours in [format!("{text}\n"), text.replace('\n', "\r\n"), text.replace('\n', "\r\n") + "\r\n"] {
            assert_eq!(causes(&ours, text), ["LineEnds"], "{ours:?}");
        }
    }
    assert_eq!(causes(&REQUEST.replace("\n\n", "\n"), REQUEST), ["LineEnds"]);
    assert_eq!(causes(&REQUEST.replace("\n\n", "\n\n\n"), REQUEST), ["LineEnds"]);
    let both = REQUEST.replace("a=1", "a=2").replace('\n', "\r\n");
    assert_eq!(causes(&both, REQUEST)[..1], ["LineEnds"]);
    assert!(causes(&both, REQUEST)[1].starts_with("ParameterChanged { name: \"a\""));
}

#[test]
fn strings_to_sign() {
    check(
        TO_SIGN,
        "20260830/us-east-1/s3/aws4_request",
        &[
            ("20260830/us-east-1/s3/aws4_request", "20260830/us-east-1/s3/aws4_request", &["WrongSecret"]),
            (
                "20260830/us-east-1/s3/aws4_request",
                "20260830/eu-west-1/s3/aws4_request",
                &["WrongRegion { expected: Some(\"eu-west-1\") }"],
            ),
            (
                "20260830/us-east-1/es/aws4_request",
                "20260830/us-east-1/aoss/aws4_request",
                &["WrongService { expected: Some(\"aoss\") }"],
            ),
            (
                "20260829/us-east-1/s3/aws4_request",
                "20260830/us-east-1/s3/aws4_request",
                &["ScopeDate { signed: Some(\"20260829\"), expected: Some(\"20260830\") }"],
            ),
            ("20260830/us-east-1/s3/aws4", "20260830/us-east-1/s3/aws4_request", &["ScopeMalformed"]),
            ("us-east-1/s3/aws4_request", "20260830/us-east-1/s3/aws4_request", &["ScopeMalformed"]),
            ("20260830/s3/aws4_request", "20260830/us-east-1/s3/aws4_request", &["ScopeMalformed"]),
        ],
    );
    check(TO_SIGN, "00ab", &[("00ab", "00cd", &["CanonicalRequestDiffers"]), ("00AB", "00ab", &["HashCase"])]);
    check(
        TO_SIGN,
        "20260830T123600Z",
        &[(
            "20260830T123600Z",
            "20260830T123601Z",
            &["HeaderChanged { name: \"x-amz-date\", signed: \"20260830T123600Z\", verified: \"20260830T123601Z\" }"],
        )],
    );
}

#[test]
fn sigv4a() {
    let ecdsa = TO_SIGN.replace("HMAC-SHA256", "ECDSA-P256-SHA256").replace("/us-east-1/", "/");
    assert_eq!(causes(&ecdsa, &ecdsa), ["WrongSecret"]);
    assert_eq!(
        causes(TO_SIGN, &ecdsa),
        ["AlgorithmDiffers { signed: \"AWS4-HMAC-SHA256\", verified: \"AWS4-ECDSA-P256-SHA256\" }"]
    );
    let service = causes(&ecdsa, &ecdsa.replace("/s3/", "/events/"));
    assert_eq!(service, ["WrongService { expected: Some(\"events\") }"]);
    let request =
        REQUEST.replace("Z\n\n", "Z\nx-amz-region-set:*\n\n").replace("date\nUN", "date;x-amz-region-set\nUN");
    let set = causes(&request, &request.replace("set:*", "set:us-east-1,us-west-2"));
    assert_eq!(set, ["HeaderChanged { name: \"x-amz-region-set\", signed: \"*\", verified: \"us-east-1,us-west-2\" }"]);
    assert_eq!(causes(&request, REQUEST), ["HeaderRemoved { name: \"x-amz-region-set\" }"]);
}

#[test]
fn other_texts() {
    assert_eq!(causes("", ""), ["NotRecognised"]);
    assert_eq!(causes("a", "a"), ["NotRecognised"]);
    assert_eq!(causes("a\nb", "a\nc"), ["TextDiffers { line: 2 }"]);
    // The same header twice, with two values that are not shown.
    let twice = REQUEST.replace("\n\n", "\nx-amz-security-token:A\nx-amz-security-token:B\n\n");
    assert_eq!(causes(&twice, &twice), ["WrongSecret"]);
    assert!(Explanation::compare(&twice, &twice).diff().unwrap().is_empty());
    assert_eq!(causes(TO_SIGN, REQUEST), ["TextDiffers { line: 1 }"]);
    let whole = TO_SIGN.replace("00ab", REQUEST);
    assert_eq!(causes(&whole, TO_SIGN), ["TextDiffers { line: 4 }"]);
}
