//! Requests and responses as people paste them: they are read correctly, lead to the right cause, and show no secret.

use std::time::Duration;

use countersign::explain::{Cause, Explanation, InputError, Sent};
use countersign::{Credentials, Payload, Request, Signer};

use crate::support::allocator;
use crate::support::work::worked;

const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/execute-api/aws4_request, \
    SignedHeaders=host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
const HOST: &str = "abc123.execute-api.us-east-1.amazonaws.com";

/// A command and lines that `Display` prints for it. `A` stands for an `Authorization` header, `U` for a URL.
const COMMANDS: &[(&str, &[&str])] = &[
    ("curl U/dev/list", &["GET /dev/list", "host: H", "accept: */*", "authentication: none", "body: 0 bytes"]),
    ("curl 'U/?a=b#c'", &["GET /?a=b"]),
    ("curl U", &["GET /"]),
    ("curl U?a=b", &["GET /?a=b"]),
    ("curl U/a/../b/./c/..", &["GET /b/"]),
    ("curl U/../x?y=../z", &["GET /x?y=../z"]),
    ("curl --path-as-is U/a/../b", &["GET /a/../b"]),
    ("curl --url U/a", &["GET /a"]),
    ("curl --url=U/a --request=PUT", &["PUT /a"]),
    ("curl abc.example.com/a", &["GET /a", "host: abc.example.com"]),
    ("curl https://abc.example.com:8443/a", &["GET /a", "host: abc.example.com:8443"]),
    ("curl https://abc.example.com:443/a", &["GET /a", "host: abc.example.com"]),
    ("curl https://[::1]:8080/a", &["GET /a", "host: [::1]:8080"]),
    ("curl -X DELETE U/a", &["DELETE /a"]),
    ("curl -XPATCH U/a -d x", &["PATCH /a", "content-length: 1", "body: 1 bytes"]),
    ("curl -I U/a", &["HEAD /a"]),
    ("curl U/a -d a=b -d c=d", &["POST /a", "content-type: application/x-www-form-urlencoded", "body: 7 bytes"]),
    ("curl U/a --data-raw @x", &["POST /a", "body: 2 bytes"]),
    ("curl U/a -d @x", &["POST /a", "body: unknown"]),
    ("curl U/a --data-binary @- <<EOF\n{}\nEOF", &["POST /a", "body: unknown"]),
    (
        "curl U/a --json '{\"a\":' --json 1}",
        &["POST /a", "content-type: application/json", "accept: application/json", "body: 7 bytes"],
    ),
    ("curl U/a --data-urlencode 'a=b c/d'", &["POST /a", "body: 9 bytes"]),
    ("curl -G U/a?z -d a=b --data-urlencode 'q=a b'", &["GET /a?z&a=b&q=a+b", "body: 0 bytes"]),
    ("curl U/a --url-query 'a=b c' --url-query '+d=%20'", &["GET /a?a=b+c&d=%20"]),
    ("curl -F file=@x U/a", &["POST /a", "content-type: unknown", "body: unknown"]),
    ("curl -T x U/a", &["PUT /a", "body: unknown"]),
    ("curl -sSLkvo /dev/null --max-time 5 U/a -w '%{http_code}'", &["GET /a"]),
    ("curl -u user:password U/a", &["GET /a", "authentication: Basic", "authorization: [redacted]"]),
    ("curl -u user:password --digest U/a", &["GET /a", "authentication: Digest"]),
    ("curl https://user:password@abc.example.com/a", &["GET /a", "host: abc.example.com", "authentication: Basic"]),
    ("curl --oauth2-bearer opaque U/a", &["GET /a", "authentication: Bearer"]),
    ("curl -H 'Authorization: Bearer opaque' U/a", &["GET /a", "authentication: Bearer"]),
    ("curl -H 'Authorization: opaque token' U/a", &["GET /a", "authentication: another scheme"]),
    (
        "curl --aws-sigv4 aws:amz:eu-west-1:execute-api -u AKIDEXAMPLE:secret U/a",
        &["GET /a", "authentication: SigV4, region eu-west-1, service execute-api"],
    ),
    (
        "curl --user \"$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY\" -H \"x-amz-security-token: $AWS_SESSION_TOKEN\" --aws-sigv4 aws:amz https://sqs.eu-west-1.amazonaws.com/",
        &["GET /", "x-amz-security-token: unknown", "authentication: SigV4, region eu-west-1, service sqs"],
    ),
    (
        "curl -H 'X-Amz-Date: 20150830T123600Z' -H 'A' U/a",
        &["GET /a", "x-amz-date: 20150830T123600Z", "authentication: SigV4, region us-east-1, service execute-api"],
    ),
    ("curl -H 'A' U/a", &["GET /a", "authentication: malformed"]),
    ("curl -H \"Authorization: $A\" U/a", &["GET /a", "authorization: unknown", "authentication: unknown"]),
    ("curl -H 'Authorization: AWS4-HMAC-SHA256 [REDACTED]' U/a", &["GET /a", "authentication: unknown"]),
    ("curl -H @headers U/a", &["GET /a", "authentication: unknown"]),
    ("curl -K file U/a", &["GET /a", "authentication: unknown"]),
    ("curl $OPTIONS U/a", &["GET /a", "authentication: unknown"]),
    (
        "curl -H 'Accept:' -H 'X-Empty;' -H 'Host: other.example' U/a",
        &["GET /a", "host: other.example", "x-empty: [redacted]"],
    ),
    (
        "curl -A agent -e b -b c=d -r 0-9 U/a",
        &["GET /a", "user-agent: agent", "referer: [redacted]", "cookie: [redacted]", "range: [redacted]"],
    ),
    ("curl --request-target /b?c U/a", &["GET /b?c"]),
    ("curl -g 'U/{a}[1]'", &["GET /{a}[1]"]),
    (
        "curl U/a \\\n  -H 'Content-Type: text/plain' \\\n  -d \"it's \\\"so\\\"\"",
        &["POST /a", "content-type: text/plain", "body: 9 bytes"],
    ),
    ("curl U/a \\\r\n  -X PUT", &["PUT /a"]),
    ("$ curl U/a \\\n> -X PUT", &["PUT /a"]),
    ("curl $'U/a?x=\\u0021\\x41\\101' --data-raw $'a\\nb\\''", &["POST /a?x=!AA", "body: 4 bytes"]),
    ("curl --data-raw 'it'\\''s' U/a", &["POST /a", "body: 4 bytes"]),
    ("export A=b\ncurl -s U/a | jq . # all", &["GET /a"]),
    ("A=b sudo /usr/bin/curl U/a 2>&1 > file", &["GET /a"]),
    ("curl>file U/a>file2 -X PUT>>c <d", &["PUT /a"]),
    ("echo a; curl U/a && curl U/b", &["GET /a"]),
    ("curl U/a?b=c&d=e", &["GET /a?b=c"]),
    ("curl U/a --next -X PUT U/b", &["GET /a"]),
    ("curl -- U/a", &["GET /a"]),
    ("curl --unknown-option U/a -X PUT", &["PUT /a"]),
    ("curl -d \"$BODY\" U/a", &["POST /a", "body: unknown"]),
    ("curl -d \"`date`\" U/$'a'", &["POST /a", "body: unknown"]),
    // Copied by Chrome for bash, and for the Windows command prompt.
    (
        "curl 'U/a?b=c' \\\n  -H 'accept: */*' \\\n  -H 'authorization: Bearer opaque' \\\n  -b 'session=opaque' \\\n  --data-raw $'{\"a\":\"\\u0021\"}' \\\n  --compressed ;",
        &["POST /a?b=c", "cookie: [redacted]", "authentication: Bearer", "body: 9 bytes"],
    ),
    (
        "curl ^\"U/a?b=c^%^20d^\" ^\r\n  -H ^\"content-type: application/json^\" ^\r\n  --data-raw ^\"^{^\\^\"a^\\^\":1^}^\"",
        &["POST /a?b=c%20d", "content-type: application/json", "body: 7 bytes"],
    ),
    (
        "curl \"U/a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\"",
        &["authentication: SigV4 in the query, region us-east-1, service s3"],
    ),
];

fn command(text: &str) -> String {
    let text = text.replace("'A'", &format!("'Authorization: {AUTHORIZATION}'"));
    text.replace("U/", &format!("https://{HOST}/"))
        .replace("U?", &format!("https://{HOST}?"))
        .replace("curl U", &format!("curl https://{HOST}"))
}

/// The printed lines; header names in lower case.
fn lines(sent: &Sent) -> Vec<String> {
    let shown = sent.to_string();
    let lower = |(index, line): (usize, &str)| match (index, line.split_once(": ")) {
        (1.., Some((name, value))) => format!("{}: {value}", name.to_ascii_lowercase()),
        _ => line.to_owned(),
    };
    shown.lines().enumerate().map(lower).collect()
}

#[test]
fn commands_are_read_as_curl_reads_them() {
    for (text, wanted) in COMMANDS {
        let sent = Sent::from_curl(&command(text)).unwrap_or_else(|error| panic!("{text}: {error}"));
        let lines = lines(&sent);
        for wanted in *wanted {
            let wanted = wanted.replace("host: H", &format!("host: {HOST}"));
            assert!(lines.contains(&wanted), "{text}: {wanted} is not in {lines:#?}");
        }
        for secret in ["opaque", "password", "secret:", "5d672d79"] {
            assert!(!format!("{sent} {sent:?}").contains(secret), "{text}: {sent}");
        }
    }
    let removed = Sent::from_curl("curl -H 'Accept:' -H 'content-type:' -d a https://a.example").unwrap();
    assert!(!lines(&removed).iter().any(|line| line.starts_with("accept") || line.starts_with("content-type")));
}

#[test]
fn what_is_no_command_says_what_to_do() {
    for (text, error) in [
        ("", InputError::NotCurl),
        ("wget https://a.example", InputError::NotCurl),
        ("curl", InputError::MissingUrl),
        ("curl -s", InputError::MissingUrl),
        ("curl https://a.example -H", InputError::MissingArgument),
        ("curl 'https://a.example", InputError::UnclosedQuote),
        ("curl \"https://a.example", InputError::UnclosedQuote),
        ("curl $'https://a.example", InputError::UnclosedQuote),
        ("curl $(a", InputError::UnclosedQuote),
        ("curl ^\"https://a.example", InputError::UnclosedQuote),
        ("curl \"$URL\"", InputError::Variable),
        ("curl https://$HOST/a", InputError::Variable),
        ("curl -X $METHOD https://a.example", InputError::Variable),
        ("curl -G -d \"$A\" https://a.example", InputError::Variable),
        ("curl -G -d @file https://a.example", InputError::QueryFromFile),
        ("curl 'https://a.example/{a,b}'", InputError::UrlPattern),
        ("curl 'https://a.example/[1-3]'", InputError::UrlPattern),
        ("curl ftp://a.example/a", InputError::Url),
        ("curl 'https://a.example/a b'", InputError::Url),
        ("curl https:///a", InputError::Url),
    ] {
        let found = Sent::from_curl(text).unwrap_err();
        assert_eq!(found, error, "{text}");
        assert!(!found.to_string().contains("a.example"));
    }
    let many = format!("curl https://a.example {}", "-s ".repeat(5000));
    assert_eq!(Sent::from_curl(&many).unwrap_err(), InputError::TooManyWords { limit: 4096 });
    let long = "curl ".repeat(300_000);
    assert!(matches!(Sent::from_curl(&long).unwrap_err(), InputError::TooLong { .. }));
    let target = format!("curl https://a.example/{}", "a".repeat(70_000));
    assert_eq!(Sent::from_curl(&target).unwrap_err(), InputError::TargetTooLong { limit: 65_536 });
    let headers = format!("curl https://a.example {}", "-H 'a: b' ".repeat(1100));
    assert_eq!(Sent::from_curl(&headers).unwrap_err(), InputError::TooManyHeaders { limit: 1024 });
}

#[test]
fn requests_as_text_are_read() {
    for (text, wanted) in [
        ("GET /a?b HTTP/1.1\r\nHost: h.example\r\n\r\n", &["GET /a?b", "host: h.example", "body: 0 bytes"][..]),
        ("\u{feff}\nGET /a HTTP/1.1\nHost: h.example", &["GET /a", "host: h.example"]),
        (
            "POST https://h.example:8443/a HTTP/1.1\ncontent-length: 2\n\n{}\n",
            &["POST /a", "host: h.example:8443", "body: 2 bytes"],
        ),
        ("POST /a HTTP/1.1\nhost: h\nContent-Length: 20\n\n{}", &["body: unknown"]),
        ("POST /a HTTP/1.1\nhost: h\n\n{}", &["body: unknown"]),
        ("POST /a HTTP/1.1\nhost: h\nTransfer-Encoding: chunked\n\n2\n{}\n1;a=b\n \n0\n\n", &["body: 3 bytes"]),
        ("POST /a HTTP/1.1\nhost: h\nTransfer-Encoding: chunked\n\n2\n{}\n", &["body: unknown"]),
        ("GET /a\nhost: h\naccept: b\n  c", &["GET /a", "accept: b c"]),
        (
            ":method: GET\n:authority: h.example\n:scheme: https\n:path: /a?b\naccept: c\n",
            &["GET /a?b", "host: h.example", "accept: c"],
        ),
        (
            "* Trying 127.0.0.1...\n> GET /a HTTP/2\n> Host: h.example\n> Accept: */*\n> \n< HTTP/2 403\n< a: b\n<\n{}",
            &["GET /a", "host: h.example", "accept: */*", "authentication: none", "body: 0 bytes"],
        ),
        (
            "> POST /a HTTP/1.1\r\n> Host: h\r\n> Content-Length: 5\r\n>\r\n* upload done\r\n",
            &["POST /a", "body: unknown"],
        ),
        ("GET /a HTTP/1.1\nhost: h\nauthorization: Basic ***\n\n", &["authentication: unknown"]),
    ] {
        let sent = Sent::from_http(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let lines = lines(&sent);
        for wanted in wanted {
            assert!(lines.iter().any(|line| line == wanted), "{text}: {wanted} is not in {lines:#?}");
        }
    }
    for (text, error) in [
        ("", InputError::NoRequestLine),
        ("{}", InputError::NoRequestLine),
        ("HTTP/1.1 200 OK\n", InputError::NoRequestLine),
        (":method: GET\n", InputError::NoRequestLine),
        ("GET /a HTTP/1.1\nhost: h\nno header\n", InputError::Header { number: 3 }),
        ("GET ftp://a/ HTTP/1.1\n", InputError::Url),
    ] {
        assert_eq!(Sent::from_http(text).unwrap_err(), error, "{text}");
    }
    let many = format!("GET / HTTP/1.1\n{}", "a: b\n".repeat(2000));
    assert_eq!(Sent::from_http(many).unwrap_err(), InputError::TooManyHeaders { limit: 1024 });
}

const MISSING: &str = r#"{"message":"Missing Authentication Token"}"#;

fn first(explanation: &Explanation) -> Option<Cause> {
    explanation.findings().next().map(|finding| finding.cause().clone())
}

#[test]
fn responses_as_text_are_read() {
    let sent = Sent::from_curl(&command("curl U/dev")).unwrap();
    for text in [
        format!("HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\r\n{MISSING}"),
        format!("HTTP/2 403\n\n{MISSING}\n"),
        format!("HTTP/1.1 403 Forbidden\nContent-Length: {}\n\n{MISSING}\n", MISSING.len()),
        // The length is that of the compressed body.
        format!("HTTP/1.1 403 Forbidden\nContent-Length: 10\nContent-Encoding: gzip\n\n{MISSING}\n"),
        format!("HTTP/1.1 403 Forbidden\nTransfer-Encoding: chunked\n\n{:x}\r\n{MISSING}\r\n0\r\n\r\n", MISSING.len()),
        format!("HTTP/1.1 403 Forbidden\nTransfer-Encoding: chunked\n\n{MISSING}"),
        format!("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 403 Forbidden\r\n\r\n{MISSING}"),
        format!(
            "HTTP/1.1 100 Continue\n\nHTTP/1.1 302 Found\nContent-Length: 2\n\nab\nHTTP/1.1 403 Forbidden\n\n{MISSING}"
        ),
        format!(
            "* a\n> GET / HTTP/1.1\n> \n< HTTP/1.1 403 Forbidden\n< a: b\n< \n{{ [42 bytes data]\n{MISSING}* Connection #0 to host a left intact\n"
        ),
        format!("< HTTP/1.1 302 Found\n<\n<a>\n< HTTP/1.1 403 Forbidden\r\n< Content-Length: 42\r\n<\r\n{MISSING}\n"),
    ] {
        let explanation = Explanation::from_response_text(&text, sent.clone()).unwrap();
        assert_eq!(first(&explanation), Some(Cause::NotSigned), "{text}\n{explanation}");
        assert!(
            explanation.to_string().starts_with("403 : Missing Authentication Token")
                || explanation.to_string().starts_with("403: Missing Authentication Token"),
            "{text}\n{explanation}"
        );
    }
    for text in ["", MISSING, "GET / HTTP/1.1\n", "HTTP/1.1 OK"] {
        assert_eq!(Explanation::from_response_text(text, None).unwrap_err(), InputError::NoStatusLine, "{text}");
    }
    assert_eq!(
        Explanation::from_response_text("HTTP/1.1 200 OK\n{}", None).unwrap_err(),
        InputError::Header { number: 2 }
    );
}

/// A HAR entry with further members, request headers, a status and the response content.
fn entry(more: &str, headers: &str, status: u16, content: &str) -> String {
    format!(
        r#"{{"startedDateTime":"2026-08-30T12:36:00.000Z","time":12.5,"request":{{"method":"GET","url":"https://{HOST}/dev/list?a=b#c",
        "httpVersion":"HTTP/2","headers":[{headers}],"queryString":[{{"name":"a","value":"b"}}],"cookies":[],"headersSize":-1,"bodySize":0}},
        "response":{{"status":{status},"statusText":"","httpVersion":"HTTP/2","headers":[{{"name":"content-type","value":"application/json"}}],
        "cookies":[],"content":{{"size":42,"mimeType":"application/json",{content}}},"redirectURL":"","headersSize":-1,"bodySize":-1}},
        "cache":{{}},"timings":{{"send":0,"wait":1,"receive":-1}}{more}}}"#
    )
}

fn har(creator: &str, entries: &[String]) -> String {
    let entries = entries.join(",");
    format!(
        r#"{{"log":{{"version":"1.2","creator":{{"name":"{creator}","version":"1"}},"pages":[{{"id":"a"}}],"entries":[{entries}]}}}}"#
    )
}

#[test]
fn har_files_of_browsers_and_proxies_are_read() {
    let text = r#""text":"{\"message\":\"Missing Authentication Token\"}""#;
    let base64 = r#""encoding":"base64","text":"eyJtZXNzYWdlIjoiTWlzc2luZyBBdXRoZW50aWNhdGlvbiBUb2tlbiJ9""#;
    let host = format!(r#"{{"name":"Host","value":"{HOST}"}}"#);
    let authority = format!(r#"{{"name":":authority","value":"{HOST}"}},{{"name":":method","value":"GET"}}"#);
    let ok = entry("", &host, 200, r#""text":"{}""#);
    let firefox = har(
        "Firefox",
        &[ok.clone(), entry(r#","serverIPAddress":"127.0.0.1","connection":"443""#, &host, 403, text), ok.clone()],
    );
    let mitmproxy = har("mitmproxy", &[entry("", &host, 403, base64)]);
    let charles = format!("\u{feff}{}", har("Charles Proxy", &[entry("", &authority, 403, base64), ok.clone()]));
    let alone = entry("", &host, 403, text);
    for har in [&firefox, &mitmproxy, &charles, &alone] {
        let sent = Sent::from_har(har, None).unwrap();
        assert_eq!(lines(&sent)[..2], ["GET /dev/list?a=b".to_owned(), format!("host: {HOST}")]);
        let explanation = Explanation::from_har(har, None).unwrap();
        assert_eq!(first(&explanation), Some(Cause::NotSigned), "{explanation}");
    }
    // Chrome omits secret headers, so nothing is known about the signature.
    let of_chrome = r#","_initiator":{"type":"script"},"_priority":"High","_resourceType":"fetch""#;
    let date = r#"{"name":"x-amz-date","value":"20150830T123600Z"}"#;
    let signed =
        entry("", &format!("{host},{date},{{\"name\":\"Authorization\",\"value\":\"{AUTHORIZATION}\"}}"), 403, text);
    for (har, authentication) in [
        (har("WebInspector", &[entry(of_chrome, &authority, 403, text)]), "unknown"),
        (entry(of_chrome, &authority, 403, text), "unknown"),
        (har("Firefox", &[entry("", date, 403, text)]), "unknown"),
        (har("WebInspector", &[signed]), "SigV4, region us-east-1, service execute-api"),
    ] {
        let sent = Sent::from_har(&har, None).unwrap();
        assert!(lines(&sent).contains(&format!("authentication: {authentication}")), "{sent}");
    }
    assert!(Explanation::from_har(&firefox, Some(0)).unwrap().findings().next().is_none());
    for (text, entry, error) in [
        ("", None, InputError::NotJson),
        ("[]", None, InputError::NotJson),
        ("{}", None, InputError::NoEntry),
        (r#"{"log":{"entries":[]}}"#, None, InputError::NoEntry),
        (firefox.as_str(), Some(3), InputError::NoEntry),
        (&firefox[..firefox.len() - 1], None, InputError::NotJson),
        (r#"{"request":{}}"#, None, InputError::NoRequest),
        (r#"{"log":{"entries":[5]}}"#, None, InputError::NoRequest),
    ] {
        assert_eq!(Sent::from_har(text, entry).unwrap_err(), error, "{text}");
    }
    let blocked = self::entry("", &host, 0, r#""text":"""#);
    assert_eq!(Explanation::from_har(blocked, None).unwrap_err(), InputError::NoResponse);
}

#[test]
fn the_body_of_a_har_entry_is_known_only_if_it_is_whole() {
    let entry = |size: &str, data: &str| {
        format!(
            r#"{{"request":{{"method":"POST","url":"https://a.example/","headers":[]{size}{data}}},"response":{{"status":403}}}}"#
        )
    };
    for (size, data, body) in [
        (r#","bodySize":2"#, r#","postData":{"mimeType":"a","text":"{}"}"#, "2 bytes"),
        (r#","bodySize":3"#, r#","postData":{"mimeType":"a","text":"{}"}"#, "unknown"),
        (r#","bodySize":-1"#, r#","postData":{"mimeType":"a","text":"{}"}"#, "2 bytes"),
        ("", r#","postData":{"text":"AAECAw==","encoding":"base64"}"#, "4 bytes"),
        (r#","bodySize":2"#, r#","postData":{"mimeType":"a","params":[{"name":"a","fileName":"b"}]}"#, "unknown"),
        (r#","bodySize":0"#, "", "0 bytes"),
        (r#","bodySize":9"#, "", "unknown"),
    ] {
        let sent = Sent::from_har(entry(size, data), None).unwrap();
        assert!(lines(&sent).contains(&format!("body: {body}")), "{size} {data}: {sent}");
    }
}

#[test]
fn a_command_and_an_answer_give_the_cause() {
    let answer =
        |status: u16, body: &str| format!("HTTP/1.1 {status} a\r\nContent-Type: application/json\r\n\r\n{body}");
    let region = r#"{"message":"Credential should be scoped to a valid region, not 'us-west-2'. "}"#;
    let invalid = r#"{"message":"The security token included in the request is invalid."}"#;
    let not_key = r#"{"message":"'opaque' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer opaque'."}"#;
    for (text, answer, cause) in [
        ("curl U/dev", answer(403, MISSING), Cause::NotSigned),
        ("curl -X OPTIONS U/dev", answer(403, MISSING), Cause::PreflightNeedsSignature),
        (
            "curl --aws-sigv4 aws:amz:us-west-2:execute-api -u \"$A:$B\" U/dev",
            answer(403, region),
            Cause::WrongRegion { expected: Some("us-east-1".into()) },
        ),
        (
            "curl --aws-sigv4 aws:amz:us-east-1:execute-api -u ASIAEXAMPLE:secret U/dev",
            answer(403, invalid),
            Cause::TokenMissing,
        ),
        ("curl -H 'Authorization: Bearer opaque' U/dev", answer(403, not_key), Cause::OtherAuthorization),
        ("curl -H 'Authorization: AWS a:b' U/dev", answer(403, MISSING), Cause::SignatureVersion2),
    ] {
        let sent = Sent::from_curl(&command(text)).unwrap();
        let explanation = Explanation::from_response_text(answer, sent).unwrap();
        assert_eq!(first(&explanation), Some(cause), "{text}\n{explanation}");
        assert!(!explanation.to_string().contains("opaque"), "{explanation}");
    }
}

/// The body is known, so its hash is compared with the server's.
#[test]
fn a_body_that_changed_on_the_way_is_found() {
    let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret").unwrap(), "us-east-1", "execute-api").unwrap();
    let sign = |body: &[u8]| {
        let request = Request::new("POST", "/dev", &[]).with_host(HOST);
        signer.sign(request, Payload::Bytes(body), "20150830T123600Z".parse().unwrap()).unwrap()
    };
    let (signed, arrived) = (sign(b"{\"a\":1}"), sign(b"{\"a\": 1}"));
    let message = format!(
        "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request \
         should have been\n'{}'\n\nThe String-to-Sign should have been\n'{}'\n",
        String::from_utf8_lossy(arrived.canonical_request().as_bytes()),
        arrived.string_to_sign()
    );
    let answer = serde_json::json!({ "message": message }).to_string();
    let headers = signed.headers().map(|(name, value)| format!("-H '{name}: {value}'")).collect::<Vec<_>>().join(" ");
    let explained = |body: &str| {
        let sent = Sent::from_curl(&format!("curl https://{HOST}/dev {headers} -d '{body}'")).unwrap();
        Explanation::from_response(403, &[], answer.as_bytes(), sent)
    };
    assert_eq!(first(&explained("{\"a\":1}")), Some(Cause::BodyChanged), "{}", explained("{\"a\":1}"));
    assert_ne!(first(&explained("{\"a\": 1}")), Some(Cause::BodyChanged));
}

#[test]
fn answers_in_cbor_and_envelopes_are_read() {
    let text = |text: &str| [&[0x78, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    let (code, message) =
        ("com.amazonaws.a#UnrecognizedClientException", "The security token included in the request is invalid.");
    let cbor =
        [b"\xbf\x66__type".to_vec(), text(code), b"\x67message".to_vec(), text(message), b"\xff".to_vec()].concat();
    let appsync = r#"{"payload":{"errors":[{"errorType":"com.amazonaws.deepdish.graphql.auth#UnauthorizedException","message":"Missing Authentication Token","errorCode":401}]},"type":"connection_error"}"#;
    let events = r#"{"type":"subscribe_error","id":"a","errors":[{"errorType":"UnauthorizedException","message":"Missing Authentication Token"}]}"#;
    let explanation = Explanation::from_response(400, &[("content-type", b"application/cbor")], &cbor, None);
    assert!(
        explanation
            .to_string()
            .starts_with("400 UnrecognizedClientException: The security token included in the request is invalid."),
        "{explanation}"
    );
    assert_eq!(first(&explanation), Some(Cause::UnknownAccessKey), "{explanation}");
    for envelope in [appsync, events] {
        let explanation = Explanation::from_response(401, &[], envelope.as_bytes(), None);
        assert!(
            explanation.to_string().starts_with("401 UnauthorizedException: Missing Authentication Token"),
            "{explanation}"
        );
    }
}

const SECRET: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";

#[test]
fn no_reader_shows_a_secret() {
    let echo = format!(r#"{{"message":"the token {SECRET} is not valid"}}"#);
    let mut shown = Vec::new();
    for option in [
        "-u AKIDEXAMPLE:S",
        "-u S",
        "-u S:",
        "--user=S:S",
        "-uS",
        "-H 'Authorization: S'",
        "-H 'Authorization: Bearer S'",
        "-H 'authorization: S b'",
        "-H 'Cookie: S'",
        "-b S",
        "-b a=S",
        "-H 'X-Own: S'",
        "-H 'x-api-key: S'",
        "-H 'S'",
        "-d S",
        "--json S",
        "-G -d token=S",
        "--oauth2-bearer S",
        "-H 'Authorization: AWS4-HMAC-SHA256 Credential=S'",
        "-H \"a: $S\"",
        "--proxy-user a:S",
        "-E a:S",
        "--aws-sigv4 aws:amz -u A:S",
        "--aws-sigv4 aws:amz -u 'S'",
        "--pass S",
        "-X \"$S\"",
        "--url-query api_key=S",
        "-e 'https://a/?S'",
    ] {
        let text = command(&format!("curl {} U/dev?X-Amz-Security-Token=S", option)).replace('S', SECRET);
        // Restores the letter in the names of options and headers.
        let text = text
            .replace(&format!("-{SECRET}ecurity"), "-Security")
            .replace(&format!("AW{SECRET}4-HMAC-{SECRET}HA256"), "AWS4-HMAC-SHA256");
        match Sent::from_curl(&text) {
            Ok(sent) => {
                shown.push(format!("{sent}\n{sent:?}"));
                let explanation = Explanation::from_response(403, &[], MISSING.as_bytes(), sent);
                shown.push(format!("{explanation}\n{explanation:?}"));
            }
            Err(error) => shown.push(format!("{error} {error:?}")),
        }
    }
    let http = format!(
        "GET /a?token={SECRET}&X-Amz-Security-Token={SECRET} HTTP/1.1\nhost: h\ncookie: {SECRET}\nx-amz-security-token: {SECRET}\nauthorization: {SECRET}\n\n{SECRET}"
    );
    let sent = Sent::from_http(&http).unwrap();
    shown.push(format!(
        "{sent}\n{sent:?}\n{}",
        Explanation::from_response_text(format!("HTTP/1.1 403 a\n\n{echo}"), sent.clone()).unwrap()
    ));
    let entry = entry(
        "",
        &format!(r#"{{"name":"x-amz-security-token","value":"{SECRET}"}},{{"name":"a","value":"{SECRET}"}}"#),
        403,
        &format!(r#""text":{}"#, serde_json::json!(echo)),
    );
    shown.push(format!("{}\n{}", Sent::from_har(&entry, None).unwrap(), Explanation::from_har(&entry, None).unwrap()));
    for text in [format!("GET /a HTTP/1.1\n{SECRET}"), SECRET.into(), format!("HTTP/1.1 {SECRET}")] {
        shown.extend(Sent::from_http(&text).err().map(|error| format!("{error} {error:?}")));
        shown.extend(Explanation::from_response_text(&text, None).err().map(|error| format!("{error} {error:?}")));
        shown.extend(Sent::from_har(&text, None).err().map(|error| format!("{error} {error:?}")));
    }
    assert!(shown.len() > 50);
    shown.iter().for_each(|shown| assert!(!shown.contains(SECRET), "{shown}"));
}

#[test]
fn hostile_texts_are_bounded() {
    let full = |start: &str, unit: &str| format!("{start}{}", unit.repeat(1_000_000 / unit.len()));
    let begun = worked();
    for text in [
        full("curl https://a/?", "%"),
        full("curl ", "$("),
        full("curl ", "${a}"),
        full("curl ", "'"),
        full("curl ", "''"),
        full("curl -d ", "\\a"),
        full("curl -G https://a ", "-da "),
        full("curl https://a/", "/.."),
        full("curl https://a ", "-H@ "),
        full("curl -", "s"),
        full("curl ^\"", "^"),
        full("curl https://a -d $'", "\\x41"),
        full("", "curl;"),
        full("", "`a`"),
        full("curl https://a --url-query ", "a"),
        full("curl ", "#"),
        full("a=b ", "\\\n"),
    ] {
        let (_, most) = allocator::most_held(|| Sent::from_curl(&text).map(|sent| sent.to_string()));
        assert!(most < 16 * 1024 * 1024, "{most} for {:.20}", text);
    }
    for text in [
        full("GET / HTTP/1.1\na: b\n", " a\n"),
        full("GET / HTTP/1.1\n", ":"),
        full("", "HTTP/1.1 200 \n\n"),
        full("", "\n"),
        full("", "HTTP/1.1 200 \nTransfer-Encoding: chunked\n\n0\n\n"),
        full("", "HTTP/1.1 200 \nContent-Length: 1\n\n\n"),
        full("", "> GET / HTTP/1.1\n"),
        full("", "< HTTP/1.1 200\na\n"),
        full("< HTTP/1.1 200\n<\n", "* Connection #"),
        full("HTTP/1.1 200\nTransfer-Encoding: chunked\n\n", "1\na\n"),
        full("HTTP/1.1 200\nTransfer-Encoding: chunked\n\n", "ffffffff\n"),
    ] {
        let read = || (Sent::from_http(&text).is_ok(), Explanation::from_response_text(&text, None).is_ok());
        let (_, most) = allocator::most_held(read);
        assert!(most < 32 * 1024 * 1024, "{most} for {:.40}", text);
    }
    for text in [
        full("", "{\"log\":"),
        full("", "["),
        full("{\"log\":{\"entries\":[", "{},"),
        full("{\"request\":{\"headers\":[", "\"\","),
        full("{\"request\":{\"headers\":", "["),
        full("{\"a\":[", "1,"),
        full("{\"entries\":[", "{\"request\":{\"headers\":[1,2,3]}},"),
    ] {
        let (_, most) = allocator::most_held(|| Sent::from_har(&text, None).is_ok());
        assert!(most < 4 * 1024 * 1024, "{most} for {:.40}", text);
    }
    for body in [
        [b"\x7f".to_vec(), b"\x61a".repeat(100_000)].concat(),
        b"\x5f\x41a".repeat(80_000),
        b"\x9f".repeat(200_000),
        b"\x61a".repeat(100_000),
    ] {
        let body = [b"\xbf\x61a".to_vec(), body].concat();
        let (_, most) = allocator::most_held(|| Explanation::from_response(400, &[], &body, None));
        assert!(most < 16 * 1024 * 1024, "{most}");
    }
    // Ten times what it takes in a debug build.
    let took = worked() - begun;
    assert!(took < Duration::from_secs(40), "{took:?}");
}
