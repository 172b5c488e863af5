//! Reads an error response in any of AWS's formats into a single type.

mod cbor;
mod envelope;
mod said;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use zeroize::Zeroizing;

pub(crate) use said::Said;

use super::text::{CANONICAL_STRING, STRING_TO_SIGN};
use crate::json::read::{self as json, Json};
use crate::redact::text::without_token;
use crate::sigv4::timestamp::Timestamp;
use crate::xml::read as xml;

/// The number of bytes of a body that are read. AWS's responses have a few kilobytes, or some tens of them if they echo
/// the canonical request.
const MOST_READ: usize = 256 * 1024;
/// The number of bytes of each header that are read.
const MOST_OF_HEADER: usize = 8 * 1024;

/// The content of the response, regardless of its format.
#[derive(Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// Without namespace and URL: `InvalidSignatureException`, `SignatureDoesNotMatch`.
    pub(crate) code: String,
    pub(crate) message: String,
    /// The leaf elements of an XML body; the first of each name.
    elements: BTreeMap<String, String>,
    /// The server's clock, from the `Date` header.
    pub(crate) date: Option<Timestamp>,
    /// The target of a redirect.
    pub(crate) location: Option<String>,
    /// The body is an HTML page.
    pub(crate) is_html: bool,
    /// Headers that identify a service.
    hints: Vec<(String, String)>,
}

impl Reply {
    /// `session_token` is the one that was sent; it is removed from everything that is kept.
    pub(crate) fn read<'h>(
        status: u16,
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
        body: &[u8],
        session_token: Option<&str>,
    ) -> Self {
        let mut reply = Self { status, ..Self::default() };
        let mut from_a_cache = false;
        for (name, value) in headers {
            let value = String::from_utf8_lossy(value.get(..MOST_OF_HEADER).unwrap_or(value));
            let value = value.trim();
            match name.to_ascii_lowercase().as_str() {
                // `InvalidSignatureException:http://internal.amazon.com/coral/…`
                "x-amzn-errortype" | "x-amzn-error-type" | "x-amz-error-code" | "x-minio-error-code" => {
                    reply.code = bare_code(value)
                }
                "date" => reply.date = Timestamp::parse_imf_fixdate(value),
                "age" => from_a_cache = value != "0",
                "location" => reply.location = Some(value.into()),
                "x-aoss-response-hint" | "x-amz-bucket-region" | "apigw-requestid" => {
                    reply.hints.push((name.to_ascii_lowercase(), value.into()));
                }
                _ => {}
            }
        }
        reply.read_body(body.get(..MOST_READ).unwrap_or(body));
        // A cached response has the time at which it was stored.
        reply.date = reply.date.filter(|_| !from_a_cache);
        reply.hide(session_token);
        reply
    }

    fn hide(&mut self, session_token: Option<&str>) {
        let texts = [&mut self.code, &mut self.message].into_iter().chain(&mut self.location);
        let texts = texts.chain(self.elements.values_mut()).chain(self.hints.iter_mut().map(|(_, value)| value));
        texts.for_each(|text| {
            let mut hidden = without_token(text, session_token);
            core::mem::swap(text, &mut hidden);
        });
    }

    /// Returns the text of an element of the body.
    pub(crate) fn element(&self, name: &str) -> Option<&str> {
        self.elements.get(name).map(String::as_str)
    }

    fn read_body(&mut self, body: &[u8]) {
        if let Some(map) = cbor::parse(body) {
            self.read_json(&map);
            return;
        }
        let body = String::from_utf8_lossy(body);
        let text = body.trim_start_matches('\u{feff}').trim();
        if text.starts_with('<') {
            self.read_xml(text);
        } else if !json::parse(text.as_bytes()).is_some_and(|json| self.read_json(&json)) {
            self.message = text.into();
        }
    }

    fn read_json(&mut self, json: &Json) -> bool {
        let json = envelope::opened(json);
        // SP-API and AppSync: {"errors":[{…}]}; query services asked for JSON: {"Error":{…}}; others {"error":{…}}.
        let inner = [json.member("errors").and_then(Json::first), json.member("Error"), json.member("error")];
        let inner = inner.into_iter().flatten().find(|json| matches!(json, Json::Object(_)));
        for object in [Some(json), inner].into_iter().flatten() {
            let string = |names: &[&str]| names.iter().find_map(|name| object.member(name)?.text());
            if let Some(code) = string(&["__type", "code", "Code", "errorCode", "errorType", "type"])
                && self.code.is_empty()
            {
                self.code = bare_code(code);
            }
            if let Some(message) =
                string(&["message", "Message", "detailedMessage", "errorMessage", "error_description", "reason"])
                && self.message.is_empty()
            {
                self.message = message.into();
            }
        }
        if self.message.is_empty()
            && let Some(text) = json.text().or_else(|| json.member("error")?.text())
        {
            self.message = text.into();
        }
        matches!(json, Json::Object(_) | Json::Text(_))
    }

    fn read_xml(&mut self, text: &str) {
        let document = xml::parse(text);
        self.is_html = document.is_html;
        self.elements = document.leaves.into_iter().filter_map(|(name, text)| decoded(name, text)).collect();
        if let Some(code) = self.element("Code").map(bare_code) {
            self.code = code;
        }
        self.message = ["Message", "message", "title", "TITLE"]
            .iter()
            .find_map(|name| self.element(name))
            .unwrap_or_default()
            .to_string();
    }

    pub(crate) fn hint(&self, wanted: &str) -> Option<&str> {
        self.hints.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// Returns the canonical request that the server computed.
    pub(crate) fn canonical_request(&self) -> Option<&str> {
        self.element("CanonicalRequestBytes").or(self.element("CanonicalRequest")).or_else(|| {
            let (_, rest) = self.message.split_once(CANONICAL_STRING)?;
            let end = ["'\n\n", STRING_TO_SIGN].concat();
            Some(rest.split_once(&end).map_or(rest, |(text, _)| text))
        })
    }

    /// Returns the string to sign that the server computed.
    pub(crate) fn string_to_sign(&self) -> Option<&str> {
        self.element("StringToSignBytes").or(self.element("StringToSign")).or_else(|| {
            let (_, rest) = self.message.split_once(STRING_TO_SIGN)?;
            Some(rest.rsplit_once('\'').map_or(rest, |(text, _)| text))
        })
    }

    /// Returns the message without the texts that it echoes.
    pub(crate) fn short_message(&self) -> &str {
        let message = self.message.as_str();
        let end = message.find(&["\n\n", CANONICAL_STRING].concat()).unwrap_or(message.len());
        message.get(..end).unwrap_or(message).trim()
    }
}

/// An element and its text. `CanonicalRequestBytes` and `StringToSignBytes` contain hexadecimal bytes (`47 45 54`),
/// whose white space no XML parser changes.
fn decoded(name: String, mut text: Zeroizing<String>) -> Option<(String, String)> {
    let text = match name.strip_suffix("Bytes") {
        Some("CanonicalRequest" | "StringToSign") => String::from_utf8_lossy(&bytes_of(&text)?).into_owned(),
        _ => core::mem::take(&mut *text),
    };
    Some((name, text))
}

fn bytes_of(spaced_hex: &str) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(spaced_hex.len()));
    for pair in spaced_hex.split_ascii_whitespace() {
        bytes.push(u8::from_str_radix(pair, 16).ok().filter(|_| pair.len() == 2)?);
    }
    Some(bytes)
}

/// `com.amazon.coral.service#InvalidSignatureException:http://…` is `InvalidSignatureException`.
fn bare_code(code: &str) -> String {
    let code = code.rsplit('#').next().unwrap_or(code);
    let code = code.split([':', ',', ' ']).next().unwrap_or(code);
    code.trim().into()
}

#[cfg(test)]
mod tests {
    use super::Reply;
    use crate::aws_error::{ErrorFormat, Refusal};

    #[test]
    fn what_is_written_is_read_back() {
        let message = "Got '\"a\\b\" <c>&amp;'.\n\nThe end \u{e9}";
        for format in [
            ErrorFormat::RestJson,
            ErrorFormat::AwsJson1_0,
            ErrorFormat::AwsJson1_1,
            ErrorFormat::QueryXml,
            ErrorFormat::S3Xml,
        ] {
            let refusal = Refusal::new(format, 400, "InvalidSignatureException", message);
            let header = format.code_header().map(|name| (name, refusal.code().as_bytes()));
            let reply = Reply::read(refusal.status(), header.into_iter(), refusal.body("id").as_bytes(), None);
            assert_eq!((reply.code.as_str(), reply.message.as_str()), (refusal.code(), message), "{format:?}");
        }
    }
}
