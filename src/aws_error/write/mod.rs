//! A refusal in AWS's words: code, status, text and body for each of its dialects.

mod generic;
#[cfg(feature = "post-policy")]
mod policy;
mod s3;
mod scope_parts;
mod times;

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::Dialect;
use crate::verify::VerifyError;

struct Answer {
    status: u16,
    code: &'static str,
    message: Cow<'static, str>,
    /// Further elements of the S3 body.
    details: Vec<(&'static str, String)>,
}

impl VerifyError {
    /// The HTTP status.
    pub fn status(&self, dialect: Dialect) -> u16 {
        self.answer(dialect).status
    }

    /// The error code, e.g. `SignatureDoesNotMatch`. API Gateway sends it as the header `x-amzn-ErrorType`.
    pub fn code(&self, dialect: Dialect) -> &'static str {
        self.answer(dialect).code
    }

    /// The text for the client.
    pub fn message(&self, dialect: Dialect) -> Cow<'static, str> {
        self.answer(dialect).message
    }

    /// The body to answer with. `request_id` goes into the XML forms; with JSON it is a header (`x-amzn-RequestId`).
    pub fn body(&self, dialect: Dialect, request_id: &str) -> String {
        let Answer { code, message, details, .. } = self.answer(dialect);
        let mut body = String::new();
        match dialect {
            Dialect::RestJson => {
                body.push_str("{\"message\":\"");
                push_json(&mut body, &message);
                body.push_str("\"}");
            }
            Dialect::QueryXml => {
                body.push_str("<ErrorResponse><Error><Type>Sender</Type>");
                push_element(&mut body, "Code", code);
                push_element(&mut body, "Message", &message);
                body.push_str("</Error>");
                push_element(&mut body, "RequestId", request_id);
                body.push_str("</ErrorResponse>");
            }
            Dialect::S3Xml => {
                body.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error>");
                push_element(&mut body, "Code", code);
                push_element(&mut body, "Message", &message);
                for (name, value) in &details {
                    push_element(&mut body, name, value);
                }
                push_element(&mut body, "RequestId", request_id);
                body.push_str("</Error>");
            }
        }
        body
    }

    fn answer(&self, dialect: Dialect) -> Answer {
        match dialect {
            Dialect::RestJson => generic::answer(self, true),
            Dialect::QueryXml => generic::answer(self, false),
            Dialect::S3Xml => s3::answer(self),
        }
    }
}

impl Answer {
    fn new(status: u16, code: &'static str, message: Cow<'static, str>) -> Self {
        Self { status, code, message, details: Vec::new() }
    }

    fn with(mut self, details: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.details.extend(details);
        self
    }
}

fn push_element(body: &mut String, name: &str, value: &str) {
    let _ = write!(body, "<{name}>");
    for c in value.chars() {
        match c {
            '&' => body.push_str("&amp;"),
            '<' => body.push_str("&lt;"),
            '>' => body.push_str("&gt;"),
            '"' => body.push_str("&quot;"),
            // XML 1.0 can't hold them, not even as references.
            '\u{fffe}' | '\u{ffff}' => body.push(char::REPLACEMENT_CHARACTER),
            c if c.is_control() && !matches!(c, '\n' | '\t') => body.push(char::REPLACEMENT_CHARACTER),
            c => body.push(c),
        }
    }
    let _ = write!(body, "</{name}>");
}

fn push_json(body: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => body.push_str("\\\""),
            '\\' => body.push_str("\\\\"),
            '\n' => body.push_str("\\n"),
            c if c.is_control() => {
                let _ = write!(body, "\\u{:04x}", u32::from(c));
            }
            c => body.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_escape_what_the_request_put_into_them() {
        let error = VerifyError::MalformedCredential { presigned: false, got: "<a href=\"x\">&\\\u{fffe}'".into() };
        assert_eq!(
            error.body(Dialect::RestJson, ""),
            "{\"message\":\"Credential must have exactly 5 slash-delimited elements, e.g. \
             keyid/date/region/service/term, got '<a href=\\\"x\\\">&\\\\\u{fffe}''\"}"
        );
        let xml = error.body(Dialect::QueryXml, "<id>");
        assert!(xml.contains("got '&lt;a href=&quot;x&quot;&gt;&amp;\\\u{fffd}''</Message>"), "{xml}");
        assert!(xml.ends_with("</Error><RequestId>&lt;id&gt;</RequestId></ErrorResponse>"), "{xml}");
    }
}
