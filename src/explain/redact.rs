//! Responses echo what they were sent, bearer tokens included.

use alloc::string::String;

use crate::canonical_request::REDACTED;

/// A run of this many characters is no word.
const TOKEN: usize = 64;

/// The text without what may be a secret: the session token that was sent, an echoed `Authorization` header and all
/// behind it, whatever begins as a JWT does, and long runs of the characters of base64 and hexadecimal.
pub(super) fn redacted(text: &str, session_token: Option<&str>) -> String {
    let text = match session_token {
        Some(token) if !token.is_empty() => text.replace(token, REDACTED),
        _ => text.into(),
    };
    let mut out = String::with_capacity(text.len());
    let echo = ["Authorization=", "Authorization header: '", "Authorization: ", "encoded with Base64): '"]
        .iter()
        .find_map(|echo| Some(text.find(echo)? + echo.len()));
    let (text, end) = match echo {
        Some(position) => (text.get(..position).unwrap_or_default(), REDACTED),
        None => (text.as_str(), ""),
    };
    // `'<part of the header>' not a valid key=value pair …`
    let text = match text.split_once("' not a valid key=value pair") {
        Some((_, rest)) => &alloc::format!("'{REDACTED}' not a valid key=value pair{rest}"),
        None => text,
    };
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        let secret = run.len() >= TOKEN || run.contains("eyJ");
        out.push_str(if secret { REDACTED } else { run });
        run.clear();
    };
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || "+/=_-.%".contains(c) {
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    out.push_str(end);
    out
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn echoes_are_redacted() {
        for (text, shown) in [
            ("Missing Authentication Token", "Missing Authentication Token"),
            (
                "'opaque' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer opaque'.",
                "'[redacted]' not a valid key=value pair (missing equal-sign) in Authorization header: '[redacted]",
            ),
            (
                "requires 'Signature' parameter. Authorization=Bearer x",
                "requires 'Signature' parameter. Authorization=[redacted]",
            ),
            ("token eyJhbGciOi.x is bad", "token [redacted] is bad"),
            ("the token FwoGZX//+w== is bad", "the token [redacted] is bad"),
        ] {
            assert_eq!(redacted(text, Some("FwoGZX//+w==")), shown);
        }
        let long = "a".repeat(64);
        assert_eq!(redacted(&alloc::format!("{long}:b"), None), "[redacted]:b");
    }
}
