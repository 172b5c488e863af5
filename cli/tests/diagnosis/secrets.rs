//! Over the test vectors: a request signed with a wrong secret is refused, and neither the secret, nor the session token,
//! nor the right signature is printed.

use base64ct::{Base64, Encoding};
use serde_json::Value;

use crate::support::{File, answer, run};

const FILES: [&str; 7] =
    ["aws-suite-v4", "header_generic", "header_s3", "presign_generic", "presign_s3", "s3express", "servers"];
/// A signature that none of the keys makes.
const WRONG: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

struct Case {
    id: String,
    request: Vec<u8>,
    user: String,
    token: Option<String>,
    signature: String,
}

fn cases() -> Vec<Case> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../test-vectors");
    let read = |file: &&str| std::fs::read_to_string(folder.join(format!("{file}.jsonl"))).unwrap();
    let lines: Vec<String> =
        FILES.iter().flat_map(|file| read(file).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    lines.iter().filter_map(|line| case(&serde_json::from_str(line).unwrap())).collect()
}

/// The request as it is sent, with a wrong signature. `None` if the case is signed only, and never sent.
fn case(json: &Value) -> Option<Case> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let (request, context, expect) = (&json["request"], &json["context"], &json["expect"]);
    let signature = text(&expect["signature"])?;
    let url = text(&expect["query"]).or_else(|| text(&request["url"]))?;
    let (_, rest) = url.split_once("://")?;
    let position = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, target) = rest.split_at(position);
    let target = if expect["query"].is_null() {
        text(&request["target"]).unwrap_or_else(|| target.into())
    } else {
        target.into()
    };
    let mut head =
        format!("{} {} HTTP/1.1\r\n", request["method"].as_str()?, if target.is_empty() { "/" } else { &target });
    let mut has_host = false;
    for header in request["headers"].as_array()? {
        let (name, value) = (header[0].as_str()?, header[1].as_str()?);
        has_host |= name.eq_ignore_ascii_case("host");
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !has_host {
        head.push_str(&format!("Host: {host}\r\n"));
    }
    if let Some(authorization) = expect["authorization"].as_str() {
        head.push_str(&format!("X-Amz-Date: {}\r\nAuthorization: {authorization}\r\n", context["timestamp"].as_str()?));
        for line in expect["canonical_request"].as_str()?.lines() {
            let added = ["x-amz-content-sha256:", "x-amz-security-token:", "x-amz-s3session-token:"];
            if added.iter().any(|name| line.starts_with(name))
                && !head.to_lowercase().contains(&format!("\n{}:", line.split(':').next()?))
            {
                head.push_str(&format!("{line}\r\n"));
            }
        }
    }
    let body = Base64::decode_vec(request["body_b64"].as_str()?).unwrap();
    assert!(head.contains(&signature), "{}", json["id"]);
    let mut sent = head.replace(&signature, WRONG).into_bytes();
    sent.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
    sent.extend_from_slice(&body);
    Some(Case {
        id: text(&json["id"])?,
        request: sent,
        user: format!("{}:{}", context["access_key"].as_str()?, context["secret_key"].as_str()?),
        token: text(&context["session_token"]),
        signature,
    })
}

#[test]
fn no_secret_token_or_right_signature_is_printed() {
    let cases = cases();
    assert!(cases.len() > 200, "{}", cases.len());
    let mismatch = File::new(answer(
        403,
        "InvalidSignatureException",
        "{\"message\":\"The request signature we calculated does not match the signature you provided.\"}",
    ));
    let mut mismatches = 0;
    // Every third case, with both commands: starting the program is what takes time.
    for case in cases.iter().step_by(3) {
        let file = File::new(&case.request);
        let mut verify = vec![
            "verify",
            file.path(),
            "--date",
            "request",
            "-v",
            "--user",
            &case.user,
            "--accept-dot-segments",
            "--accept-repeated-headers",
        ];
        let mut explain = vec!["explain", mismatch.path(), "--sent", file.path(), "--user", &case.user];
        let mut json = vec!["verify", file.path(), "--date", "request", "-v", "--json", "--user", &case.user];
        for arguments in [&mut verify, &mut explain, &mut json] {
            if let Some(token) = &case.token {
                arguments.extend(["--session-token", token]);
            }
            let outcome = run(arguments, "");
            let all = outcome.all();
            let secret = case.user.split_once(':').unwrap().1;
            assert!(outcome.code == 0 || outcome.code == 1, "{}: {all}", case.id);
            assert!(!all.contains("accepted\n"), "{}: {all}", case.id);
            assert!(!all.contains(&case.signature), "{}: {all}", case.id);
            assert!(!all.contains(secret), "{}: {all}", case.id);
            assert!(
                case.token.as_ref().is_none_or(|token| token.len() < 8 || !all.contains(token)),
                "{}: {all}",
                case.id
            );
            mismatches += usize::from(all.contains("refused by check 21"));
        }
    }
    // All but a few get as far as the signature.
    assert!(mismatches * 3 > cases.len() * 9 / 10, "{mismatches} of {}", cases.len() / 3);
}
