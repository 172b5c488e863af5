//! Writes the corpora: what the vectors send, in the form that each target reads.

use std::error::Error;
use std::fs;
use std::path::Path;

use base64ct::{Base64, Encoding};
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
            }
            if target.contains("X-Amz-") {
                write(fuzz, "presigned_query", count, target.as_bytes())?;
            }
            message.push(b'\n');
            message.extend(Base64::decode_vec(body)?);
            write(fuzz, "verify", count, &message)?;
            write(fuzz, "sign_then_verify", count, &message)?;
            count += 1;
        }
    }
    println!("{count} cases");
    Ok(())
}

fn write(fuzz: &Path, target: &str, number: usize, seed: &[u8]) -> std::io::Result<()> {
    let folder = fuzz.join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("seed-{number:04}")), seed)
}
