//! `-v`: what is signed and sent, without secrets. Everything goes to standard error.

use crate::credentials::Found;
use crate::endpoint::Target;
use crate::http::Answer;
use crate::output::{Output, Style, redacted_header, redacted_url};
use crate::request::{Draft, Payload, Signed};

/// What was read from where.
pub fn origins(output: Output, found: &Found, target: &Target, payload: Payload, draft: &Draft) {
    signer(output, found, target);
    line(output, "payload", &format!("{payload}, {} bytes", draft.content.length()));
}

pub fn line(output: Output, name: &str, value: &str) {
    output.note(&format!("* {name:<12} {value}"));
}

/// The credentials, and what is signed for.
pub fn signer(output: Output, found: &Found, target: &Target) {
    let line = |name: &str, value: &str| line(output, name, value);
    line("access key", found.credentials.access_key_id());
    for origin in found.origin.lines() {
        line("credentials", origin);
    }
    if let Some(expires_at) = found.credentials.expires_at() {
        line("expire", &expires_at.to_string());
    }
    let kind = if target.is_sigv4a() { "region set" } else { "region" };
    line(kind, &format!("{} ({})", target.region, target.region_from));
    line("service", &format!("{} ({})", target.service, target.service_from));
}

pub fn stages(output: Output, signed: &countersign::Signed) {
    block(output, "canonical request", &signed.canonical_request().redacted().to_string());
    block(output, "string to sign", &signed.string_to_sign().to_string());
}

pub fn block(output: Output, title: &str, text: &str) {
    output.styled_note(&output.style_err(Style::Bold, &format!("* {title}:")));
    for line in text.split('\n') {
        output.note(&format!("  {line}"));
    }
}

pub fn request(output: Output, draft: &Draft, signed: &Signed) {
    output.note(&format!("> {} {}", draft.method, redacted_url(draft.url.target())));
    headers(output, '>', &signed.headers);
}

pub fn answer(output: Output, answer: &Answer<'_>) {
    output.note(&format!("< {:?} {}", answer.version(), answer.status()));
    headers(output, '<', answer.headers());
}

fn headers(output: Output, direction: char, headers: &::http::HeaderMap) {
    for (name, value) in headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        output.note(&format!("{direction} {}", redacted_header(name.as_str(), &value)));
    }
    output.note(&direction.to_string());
}
