//! No explanation shows a secret or a session token, wherever it appears in the response.

use countersign::explain::{Explanation, Sent};
use countersign::{Credentials, Payload, Request, Signer};
use serde_json::Value;

use super::catalogue::{By, CASES, TOKEN, explain, now, sent};
use crate::support::fixtures::{FORMATS, SECRET, verifier};

const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

fn forms(secret: &str) -> [String; 3] {
    [secret.into(), countersign::encode_segment(secret), secret.replace('/', "\\/")]
}

/// Returns all texts of an explanation.
fn said(explanation: &Explanation) -> String {
    let mut said = format!("{explanation}\n{explanation:?}\n{:?}\n", explanation.computed());
    for finding in explanation.findings() {
        said += &format!("{finding}\n{finding:?}\n{}\n{}\n", finding.cause(), finding.evidence());
    }
    if let Some(diff) = explanation.diff() {
        said += &format!("{diff}\n{diff:?}\n");
    }
    said
}

fn assert_silent(explanation: &Explanation, secrets: &[&str], what: &str) {
    let said = said(explanation);
    for secret in secrets.iter().flat_map(|secret| forms(secret)) {
        assert!(!said.contains(&secret), "{secret} of {what} in\n{said}");
    }
}

#[test]
fn explanations_of_the_catalogue_show_no_secrets() {
    for case in CASES {
        let explanation = explain(case);
        let secrets = [TOKEN, SECRET, "eyJhbGciOiJIUzI1NiJ9", "a.b.c", "opaque", SIGNATURE];
        assert_silent(&explanation, &secrets, case.2);
    }
}

/// Returns the body with `put` in place of each of its strings, one at a time, and at the end of each.
fn with_put(body: &str, put: &str) -> Vec<String> {
    let mut bodies = vec![put.to_owned()];
    if let Ok(value) = serde_json::from_str::<Value>(body) {
        let mut pointers = vec![String::new()];
        while let Some(pointer) = pointers.pop() {
            match value.pointer(&pointer) {
                Some(Value::Object(object)) => pointers.extend(object.keys().map(|key| format!("{pointer}/{key}"))),
                Some(Value::Array(array)) => {
                    pointers.extend((0..array.len()).map(|index| format!("{pointer}/{index}")))
                }
                Some(Value::String(text)) => {
                    for changed in [put.to_owned(), format!("{text}{put}"), format!("{text} {put} '{put}'")] {
                        let mut value = value.clone();
                        *value.pointer_mut(&pointer).unwrap() = changed.into();
                        bodies.push(value.to_string());
                        // A truncated body is not JSON, and is shown as is.
                        let cut = value.to_string();
                        bodies.push(cut[..cut.len() - 2].to_owned());
                    }
                }
                _ => {}
            }
        }
    } else {
        for (start, _) in body.match_indices('>') {
            let Some(length) = body[start..].find("</") else { continue };
            let text = &body[start + 1..start + length];
            if !text.contains('<') {
                for changed in [put.to_owned(), format!("{text}{put}"), format!("{text} {put}")] {
                    bodies.push([&body[..=start], &changed, &body[start + length..]].concat());
                }
            }
        }
    }
    bodies
}

#[test]
fn a_token_echoed_by_the_response_is_not_shown() {
    let mut count = 0;
    let with_token = [By::Temporary, By::PresignedTooLong].map(sent);
    for (status, headers, body, ..) in CASES {
        for form in forms(TOKEN) {
            for sent in &with_token {
                let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
                for body in with_put(body, &form) {
                    let explanation = Explanation::from_response(*status, &headers, body.as_bytes(), sent.clone());
                    assert_silent(&explanation, &[TOKEN], &body);
                    count += 1;
                }
            }
        }
    }
    assert!(count > 5000, "{count}");
    for name in ["x-amzn-ErrorType", "Location", "x-amz-bucket-region", "X-Aoss-Response-Hint", "Date", "x-other"] {
        for form in forms(TOKEN) {
            for status in [301, 403] {
                let headers = [(name, form.as_bytes())];
                let explanation = Explanation::from_response(status, &headers, b"", sent(By::Temporary));
                assert_silent(&explanation, &[TOKEN], name);
            }
        }
    }
    // Nothing is known about this request.
    for form in forms(TOKEN) {
        let password = countersign::encode_segment(TOKEN);
        let location = format!("https://user:{password}@example.com/?X-Amz-Security-Token={form}#{form}");
        let explanation = Explanation::from_response(301, &[("Location", location.as_bytes())], b"", None);
        assert_silent(&explanation, &[TOKEN], "a redirect");
        assert!(
            explanation.to_string().contains("the request must be sent to https://example.com/\n"),
            "{explanation}"
        );
    }
}

/// A request with its token in many places, refused by a server that echoes everything that it computed.
#[test]
fn a_raw_echo_shows_no_secrets() {
    let credentials = Credentials::new("ASIAEXAMPLE", SECRET).unwrap().with_session_token(TOKEN).unwrap();
    let signer =
        Signer::new(credentials.clone(), "us-east-1", "s3").unwrap().also_sign(["x-copy", "cookie", "x-api-key"]);
    let encoded = countersign::encode_segment(TOKEN);
    let target = format!("/a/{encoded}?token={encoded}&b=1");
    let given: [(&str, &[u8]); 3] =
        [("x-copy", TOKEN.as_bytes()), ("cookie", b"session=aCookieOfSomebody"), ("x-api-key", b"aKeyOfAnApiGateway")];
    let request = Request::new("GET", &target, &given).with_host("example.com");
    let signed = signer.sign(request, Payload::EMPTY, now()).unwrap();
    let mut headers = given.to_vec();
    headers.extend(signed.headers().map(|(name, value)| (name, value.as_bytes())));
    let as_sent = Request::new("GET", &target, &headers).with_host("example.com");
    let secrets = [TOKEN, SECRET, "aCookieOfSomebody", "aKeyOfAnApiGateway"];

    let changes: [(&str, &str, &[u8]); 4] = [
        (&target, "x-copy", TOKEN.as_bytes()),
        (&target.replace("b=1", "b=2"), "x-copy", TOKEN.as_bytes()),
        (&target.replace("/a/", "/b/"), "x-copy", b"another"),
        (&target, "x-api-key", b"another"),
    ];
    for (index, (target, name, value)) in changes.into_iter().enumerate() {
        let mut arrived = headers.clone();
        arrived.iter_mut().filter(|(other, _)| *other == name).for_each(|header| header.1 = value);
        let other = Credentials::new("ASIAEXAMPLE", "another").unwrap().with_session_token(TOKEN).unwrap();
        let known = if index == 0 { &other } else { &credentials };
        for raw in [true, false] {
            let verifier = verifier("s3");
            let verifier = if raw { verifier.echo_computed_raw() } else { verifier.echo_computed() };
            let arrived = Request::new("GET", target, &arrived).with_host("example.com");
            let error = verifier.parse(arrived, now()).unwrap().verify_head(Some(known)).unwrap_err();
            for format in FORMATS {
                let body = error.refusal(format).body("1");
                assert_eq!(body.contains(TOKEN), raw || body.contains("x-copy:IQo"));
                let (status, body) = (error.refusal(format).status(), body.as_bytes());
                for sent in [Sent::from(&signed), Sent::from(&as_sent)] {
                    assert_silent(&Explanation::from_response(status, &[], body, sent), &secrets, "an echo");
                }
                // The token is unknown then, but it is still hidden in its usual places.
                let alone = said(&Explanation::from_response(status, &[], body, None));
                assert!(!alone.contains(&format!("token:{TOKEN}")), "{alone}");
            }
        }
    }
    for text in [format!("{:?}", Sent::from(&signed)), format!("{:?}", Sent::from(&as_sent))] {
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }
}

#[test]
fn comparisons_show_no_tokens() {
    let text = |token: &str| {
        let encoded = countersign::encode_segment(token);
        format!(
            "GET\n/\nX-Amz-Security-Token={encoded}&X-Amz-Signature={SIGNATURE}\nauthorization:{token}\nhost:h\n\
             x-amz-s3session-token:{token}\nx-amz-security-token:{token}\n\nhost\nUNSIGNED-PAYLOAD"
        )
    };
    let other = TOKEN.replace("IQo", "JQo");
    let (ours, theirs) = (text(TOKEN), text(&other));
    let secrets = [TOKEN, &other, SIGNATURE];
    assert_silent(&Explanation::compare(&theirs, &ours), &secrets, "both");
    assert_silent(&Explanation::compare(theirs.replace('\n', "\r\n"), &ours), &secrets, "CRLF");
    assert_silent(&Explanation::compare(format!("{theirs}\n"), &ours), &secrets, "a line end");
    assert_silent(&Explanation::compare(theirs.replacen("GET", "GE T", 1), &ours), &secrets, "no canonical request");
    assert_silent(&Explanation::compare(theirs.replace("\nhost:h", "\nHost:h\nhost:h"), &ours), &secrets, "a repeat");
}
