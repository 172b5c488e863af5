//! Writes the corpora: what the vectors send, in the form that each target reads.

mod inputs;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::Duration;

use base64ct::{Base64, Encoding};
use countersign::event_stream::{HeaderValue, Message};
use countersign::{ErrorFormat, Location, ScopeParts, Timestamp, VerifyError};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut count = 0;
    for entry in fs::read_dir(fuzz.join("../test-vectors"))? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "jsonl") {
            continue;
        }
        for line in fs::read_to_string(&path)?.lines() {
            let case: Value = serde_json::from_str(line)?;
            let text = |pointer: &str| case.pointer(pointer).and_then(Value::as_str);
            if let (Some(policy), Some(key)) = (text("/expect/policy_json"), text("/input/key")) {
                let mut form = format!("key:{key}\n");
                let extra = case.pointer("/input/extra_fields").and_then(Value::as_object);
                for (name, value) in extra.into_iter().flatten() {
                    form.push_str(&format!("{name}:{}\n", value.as_str().unwrap_or_default()));
                }
                write(fuzz, "post_policy", 10_000 + count, own_policy(&form, policy, &case).as_bytes())?;
                for name in ["x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"] {
                    form.push_str(&format!("{name}:{}\n", text(&format!("/expect/{name}")).unwrap_or_default()));
                }
                form.push_str(&format!("policy:{}\n\n{policy}", text("/expect/policy_b64").unwrap_or_default()));
                write(fuzz, "post_policy", count, form.as_bytes())?;
                count += 1;
                continue;
            }
            let signatures = case.pointer("/expect/signatures_that_must_verify").and_then(Value::as_object);
            for (number, signature) in signatures.into_iter().flatten().enumerate() {
                let digits = signature.1.as_str().unwrap_or_default();
                write(fuzz, "sigv4a", 10_000 * (number + 1) + count, digits.as_bytes())?;
            }
            let (Some(method), Some(url), Some(body)) =
                (text("/request/method"), text("/expect/query").or(text("/request/url")), text("/request/body_b64"))
            else {
                continue;
            };
            let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
            let target = rest.find(['/', '?']).map_or("/", |start| &rest[start..]);
            let mut message = format!("{method} {target}\n").into_bytes();
            let headers = case.pointer("/request/headers").and_then(Value::as_array).cloned().unwrap_or_default();
            for header in &headers {
                if let (Some(name), Some(value)) = (header[0].as_str(), header[1].as_str()) {
                    message.extend(format!("{name}:{value}\n").bytes());
                }
            }
            let given = headers
                .iter()
                .find(|header| header[0].as_str().is_some_and(|n| n.eq_ignore_ascii_case("authorization")));
            let authorization = text("/expect/authorization").or(given.and_then(|header| header[1].as_str()));
            if let Some(authorization) = authorization {
                if given.is_none() {
                    let timestamp = text("/context/timestamp").unwrap_or_default();
                    message.extend(format!("x-amz-date:{timestamp}\nauthorization:{authorization}\n").bytes());
                }
                write(fuzz, "authorization_header", count, authorization.as_bytes())?;
                let region_set = text("/context/region").unwrap_or_default();
                write(fuzz, "sigv4a", count, format!("{region_set}\n{authorization}").as_bytes())?;
            }
            if target.contains("X-Amz-") {
                write(fuzz, "presigned_query", count, target.as_bytes())?;
            }
            message.push(b'\n');
            message.extend(Base64::decode_vec(body)?);
            write(fuzz, "verify", count, &message)?;
            for (kind, answer) in answers(text("/expect/canonical_request").unwrap_or_default()) {
                write(fuzz, "explain", 10_000 * kind + count, answer.as_bytes())?;
            }
            write(fuzz, "sign_then_verify", count, &message)?;
            if let Some(framed) = text("/expect/body_b64") {
                for mode in 0..3 {
                    let body = [&[7, mode][..], &Base64::decode_vec(framed)?].concat();
                    write(fuzz, "chunk_decoder", 10_000 * usize::from(mode) + count, &body)?;
                }
            }
            count += 1;
        }
    }
    for (number, answer) in refusals().iter().enumerate() {
        write(fuzz, "explain", 30_000 + number, answer.as_bytes())?;
    }
    for (number, (target, text)) in inputs::all().iter().enumerate() {
        write(fuzz, target, 40_000 + number, text)?;
    }
    for (kind, bytes) in messages()? {
        write(fuzz, "event_stream", count, &[&[7, kind][..], &bytes].concat())?;
        count += 1;
    }
    println!("{count} cases");
    Ok(())
}

/// The same form, for the time, bucket and credentials of the target.
fn own_policy(form: &str, policy: &str, case: &Value) -> String {
    let text = |pointer: &str| case.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let credential = "AKIDFUZZ/20150830/us-east-1/s3/aws4_request";
    let policy = policy
        .replace(text("/expect/x-amz-credential"), credential)
        .replace(text("/context/timestamp"), "20150830T123600Z")
        .replace(text("/input/expiration"), "2015-08-30T13:36:00Z")
        .replace(text("/input/bucket"), "bucket");
    let token = format!(", {{\"x-amz-security-token\": \"{}\"}}", text("/context/session_token"));
    format!("{form}\n{}", policy.replace(&token, ""))
}

/// Frames with headers of every type, and messages for a good stream.
fn messages() -> Result<Vec<(u8, Vec<u8>)>, Box<dyn Error>> {
    let values = [
        HeaderValue::Bool(true),
        HeaderValue::Bool(false),
        HeaderValue::Byte(-1),
        HeaderValue::Int16(-2),
        HeaderValue::Int32(-3),
        HeaderValue::Int64(-4),
        HeaderValue::Bytes(vec![0; 32]),
        HeaderValue::String("AudioEvent".into()),
        HeaderValue::Timestamp(1_440_938_160_000),
        HeaderValue::Uuid([9; 16]),
    ];
    let mut all = Message::new(b"payload".as_slice());
    let mut seeds = Vec::new();
    for (index, value) in values.into_iter().enumerate() {
        let one = Message::new("").with_header("a", value.clone()).encode()?;
        seeds.push((0xff, [&[0, index as u8, 1][..], &one].concat()));
        seeds.push((1, one));
        all = all.with_header(format!(":{index}"), value);
    }
    let signed = Message::new(all.encode()?)
        .with_header(":chunk-signature", HeaderValue::Bytes(vec![0; 32]))
        .with_header(":date", HeaderValue::Timestamp(1_440_938_160_000));
    seeds.push((1, all.encode()?));
    seeds.push((1, signed.encode()?));
    seeds.push((0, [signed.encode()?, all.encode()?].concat()));
    Ok(seeds)
}

/// Refusals in each format's words.
fn refusals() -> Vec<String> {
    let text = String::from;
    let now: Timestamp = "20150830T123600Z".parse().unwrap();
    let errors = [
        VerifyError::MissingAuthentication,
        VerifyError::BothMechanisms,
        VerifyError::NotKeyValue,
        VerifyError::UnsupportedScheme { scheme: text("Bearer") },
        VerifyError::UnsupportedAlgorithm { algorithm: text("AWS4-HMAC-SHA25") },
        VerifyError::MissingParameters {
            location: Location::Header,
            names: vec!["Credential", "Signature", "SignedHeaders"],
        },
        VerifyError::MissingParameters { location: Location::Query, names: vec!["X-Amz-Date"] },
        VerifyError::MalformedCredential { location: Location::Query, got: text("A/B") },
        VerifyError::MissingDate,
        VerifyError::ExpiresOutOfRange { seconds: 604_801, limit: Duration::from_secs(604_800) },
        VerifyError::MissingContentSha256,
        VerifyError::HeadersNotSigned { names: vec![text("host"), text("x-amz-acl")] },
        VerifyError::SignedHeaderAbsent { name: text("connection") },
        VerifyError::Expired { signed: now, now: now.saturating_add(7200), allowed: Duration::from_secs(300) },
        VerifyError::PresignExpired { signed: now, now: now.saturating_add(7200), expires_in: Duration::from_secs(60) },
        VerifyError::WrongScope {
            location: Location::Header,
            got: ScopeParts::new("20150829", Some("a"), "b", "aws4"),
            expected: ScopeParts::new("20150830", Some("c"), "d", "aws4_request"),
            signed: now,
        },
        VerifyError::UnknownAccessKey { access_key_id: text("ASIAFUZZ") },
        VerifyError::InvalidSessionToken { access_key_id: text("ASIAFUZZ") },
        VerifyError::ExpiredSessionToken { access_key_id: text("ASIAFUZZ"), expires_at: now },
        VerifyError::BodyMismatch { signed: "ab".repeat(32), computed: "cd".repeat(32) },
    ];
    let mut answers = Vec::new();
    for error in errors {
        for format in [
            ErrorFormat::RestJson,
            ErrorFormat::AwsJson1_0,
            ErrorFormat::AwsJson1_1,
            ErrorFormat::QueryXml,
            ErrorFormat::S3Xml,
        ] {
            let (status, code) = (error.refusal(format).status(), error.refusal(format).code());
            let header = format.code_header().map(|name| format!("{name}:{code}\n")).unwrap_or_default();
            answers.push(format!("{status} -\n{header}\n{}", error.refusal(format).body("1")));
        }
    }
    answers
}

/// A mismatch as API Gateway and S3 word it, with what the other side computed.
fn answers(canonical_request: &str) -> [(usize, String); 2] {
    let mismatch = "The request signature we calculated does not match the signature you provided.";
    let message = format!(
        "{mismatch}\n\nThe Canonical String for this request should have been\n'{canonical_request}'\n\nThe String-to-Sign \
         should have been\n'AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/s3/aws4_request\n00'\n"
    );
    let json = serde_json::json!({ "message": message });
    let escaped = canonical_request.replace('&', "&amp;").replace('<', "&lt;");
    [
        (1, format!("403 -\nx-amzn-ErrorType:InvalidSignatureException\n\n{json}")),
        (
            2,
            format!(
                "403 -\n\n<Error><Code>SignatureDoesNotMatch</Code><Message>{mismatch}</Message><CanonicalRequest>{escaped}\
                 </CanonicalRequest></Error>"
            ),
        ),
    ]
}

fn write(fuzz: &Path, target: &str, number: usize, seed: &[u8]) -> std::io::Result<()> {
    let folder = fuzz.join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("seed-{number:04}")), seed)
}
