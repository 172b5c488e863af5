//! The specification transcribed with the simplest means there are: no buffer, no order of work, no shared code. It is
//! slow, and its answer is independent of the crate's.

use std::collections::BTreeMap;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

pub struct Naive<'a> {
    pub method: &'a str,
    pub target: &'a [u8],
    pub headers: &'a [(String, Vec<u8>)],
    pub signed_headers: &'a [&'a str],
    pub payload: &'a str,
    pub normalize_path: bool,
    pub double_encode: bool,
    /// `X-Amz-Signature`, where the query is the credential.
    pub left_out: &'a [&'a str],
}

impl Naive<'_> {
    pub fn canonical_request(&self) -> Vec<u8> {
        let mut target = self.target.splitn(2, |byte| *byte == b'?');
        let path = target.next().unwrap();
        let query = target.next().unwrap_or_default();

        let mut headers: BTreeMap<String, Vec<Vec<u8>>> = BTreeMap::new();
        for (name, value) in self.headers {
            let name = name.to_lowercase();
            if self.signed_headers.contains(&name.as_str()) {
                headers.entry(name).or_default().push(fold(value));
            }
        }
        let mut text = format!("{}\n{}\n{}\n", self.method, self.path(path), self.query(query)).into_bytes();
        for (name, values) in &headers {
            text.extend(name.bytes());
            text.push(b':');
            text.extend(values.join(&b","[..]));
            text.push(b'\n');
        }
        let names: Vec<&str> = headers.keys().map(String::as_str).collect();
        text.extend(format!("\n{}\n{}", names.join(";"), self.payload).into_bytes());
        text
    }

    fn path(&self, path: &[u8]) -> String {
        let mut segments: Vec<Vec<u8>> = path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
        if self.normalize_path {
            let mut kept: Vec<Vec<u8>> = Vec::new();
            let last = segments.last().cloned().unwrap_or_default();
            for segment in &segments {
                match segment.as_slice() {
                    b"" | b"." => {}
                    b".." => drop(kept.pop()),
                    _ => kept.push(segment.clone()),
                }
            }
            let directory = matches!(last.as_slice(), b"" | b"." | b"..");
            kept.insert(0, Vec::new());
            if directory {
                kept.push(Vec::new());
            }
            segments = kept;
        } else if !segments[0].is_empty() {
            segments.insert(0, Vec::new());
        }
        let path = segments.join(&b'/');
        let path = if self.double_encode { path } else { decode(&path) };
        let path = path.split(|byte| *byte == b'/').map(encode).collect::<Vec<_>>().join("/");
        if path.is_empty() { "/".into() } else { path }
    }

    fn query(&self, query: &[u8]) -> String {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for piece in query.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()) {
            let mut parts = piece.splitn(2, |byte| *byte == b'=');
            let name = encode(&decode(&spaced(parts.next().unwrap())));
            let value = encode(&decode(&spaced(parts.next().unwrap_or_default())));
            if !self.left_out.contains(&name.as_str()) {
                pairs.push((name, value));
            }
        }
        pairs.sort();
        pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }
}

pub fn signature(secret: &str, timestamp: &str, region: &str, service: &str, canonical_request: &[u8]) -> String {
    let rest = [sha256_hex(canonical_request)];
    signature_of(secret, timestamp, region, service, "AWS4-HMAC-SHA256", &rest)
}

/// Of a string to sign with that first line, and those lines behind the scope.
pub fn signature_of(
    secret: &str,
    timestamp: &str,
    region: &str,
    service: &str,
    first_line: &str,
    rest: &[String],
) -> String {
    let date = &timestamp[..8];
    let string_to_sign =
        format!("{first_line}\n{timestamp}\n{date}/{region}/{service}/aws4_request\n{}", rest.join("\n"));
    let mut key = format!("AWS4{secret}").into_bytes();
    for part in [date, region, service, "aws4_request"] {
        key = hmac(&key, part.as_bytes());
    }
    hex::encode(hmac(&key, string_to_sign.as_bytes()))
}

pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

pub fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(message).finalize().into_bytes().to_vec()
}

pub fn fold(value: &[u8]) -> Vec<u8> {
    let mut folded: Vec<u8> = Vec::new();
    for byte in value {
        let byte = if *byte == b'\t' { b' ' } else { *byte };
        if byte != b' ' || folded.last().is_some_and(|last| *last != b' ') {
            folded.push(byte);
        }
    }
    if folded.last() == Some(&b' ') {
        folded.pop();
    }
    folded
}

pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

pub fn decode(bytes: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let digits = bytes.get(i + 1..i + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escape = digits
            .filter(|digits| digits.chars().all(|digit| digit.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[i], escape) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                i += 3;
            }
            (byte, _) => {
                decoded.push(byte);
                i += 1;
            }
        }
    }
    decoded
}

/// A raw `+` in a query stands for a space.
pub fn spaced(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect()
}
