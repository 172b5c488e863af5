//! What a service says when it refuses a token.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::error::SourceError;
use super::exchange::{Reply, shown};
use crate::json::read::{Json, parse};

/// No error code is longer.
const MOST_CODE: usize = 80;

/// The parts of a refusal that can be shown.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
}

impl Refusal {
    /// Reads a response. A server may repeat the secrets that it was sent, which are given so that they are hidden.
    pub(super) fn of(reply: &Reply, secrets: &[&str]) -> Self {
        let json = parse(reply.body()).unwrap_or(Json::Other);
        let text = |name: &str| json.member(name).and_then(Json::text);
        let header = reply.headers().get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        let code = ["error", "__type", "code"].iter().find_map(|name| text(name)).or(header);
        let message = ["message", "Message", "error_description"].iter().find_map(|name| text(name));
        let message = message.map(|message| shown(message, secrets)).filter(|message| !message.is_empty());
        Self { status: reply.status().as_u16(), code: code.and_then(shown_code), message }
    }

    /// Whether the same request would be refused again, so that the user has to do something.
    pub(super) fn is_final(&self) -> bool {
        matches!(self.status, 400..=499) && !self.is_throttled()
    }

    fn is_throttled(&self) -> bool {
        matches!(self.status, 408 | 429)
    }

    /// Whether it has one of these codes.
    pub(super) fn has_code(&self, codes: &[&str]) -> bool {
        self.code.as_ref().is_some_and(|code| codes.iter().any(|one| code.eq_ignore_ascii_case(one)))
    }

    pub(super) fn into_error(self, url: &str) -> SourceError {
        SourceError::Refused { url: url.to_owned(), status: self.status, code: self.code, message: self.message }
    }
}

/// `com.amazonaws.switchboard.portal#ForbiddenException:http://…` is `ForbiddenException`. Text that isn't a code is not
/// shown.
fn shown_code(code: &str) -> Option<String> {
    let code = code.split(':').next().unwrap_or_default();
    let code = code.rsplit('#').next().unwrap_or_default().trim();
    let is_code = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '.');
    (!code.is_empty() && code.len() <= MOST_CODE && code.chars().all(is_code)).then(|| code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    fn refusal(body: &str, header: Option<&str>) -> Refusal {
        let mut reply = http::Response::builder().status(400);
        if let Some(header) = header {
            reply = reply.header("x-amzn-errortype", header);
        }
        Refusal::of(&reply.body(Zeroizing::new(body.as_bytes().to_vec())).unwrap(), &["short", "a/long+token/of/some"])
    }

    #[test]
    fn code_and_message_are_found_in_each_form() {
        for (body, header, expected) in [
            (
                r#"{"error":"invalid_grant","error_description":"no"}"#,
                Some("InvalidGrantException"),
                Some("invalid_grant"),
            ),
            (r#"{"__type":"com.amazonaws#ForbiddenException","message":"no"}"#, None, Some("ForbiddenException")),
            (r#"{"message":"no"}"#, Some("UnauthorizedException:http://internal/"), Some("UnauthorizedException")),
            (r#"{"Message":"no","code":"123"}"#, None, None),
        ] {
            let refusal = refusal(body, header);
            assert_eq!((refusal.code.as_deref(), refusal.message.as_deref()), (expected, Some("no")), "{body}");
        }
        for body in ["", "<html>", "[]", r#"{"error":{"a":1},"message":7}"#, r#"{"message":""}"#] {
            let refusal = refusal(body, None);
            assert_eq!((refusal.code, refusal.message), (None, None), "{body}");
        }
    }

    #[test]
    fn secrets_that_are_repeated_are_hidden() {
        let fill = "x ".repeat(145);
        let body =
            alloc::format!(r#"{{"error":"short.short","message":"{fill}short a\/long+token\/of\/some\u001b[1m"}}"#);
        let message = refusal(&body, None).message.unwrap();
        assert!(!message.contains("short") && !message.contains("a/l") && message.len() <= 300, "{message}");
        assert!(!refusal(r#"{"message":"is a%2Flong%2Btoken%2Fof%2Fsome"}"#, None).message.unwrap().contains("long"));
    }
}
