//! Removes secrets from text, since responses may echo what they were sent, including bearer tokens.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use zeroize::Zeroizing;

use super::{REDACTED, is_secret_header, is_secret_parameter};
use crate::text::percent::write_encoded;
use crate::text::wiped::Wiped;

/// A run of at least this many characters may be a token.
const TOKEN: usize = 64;

/// No part of an ARN is as long as AWS's session tokens are.
const LONGEST_OF_ARN: usize = 300;

/// AWS session tokens are hundreds of characters long; anything shorter than this may be an ordinary word.
const SHORTEST_SESSION_TOKEN: usize = 12;

/// Redacts the session token that was sent, whether it appears literally, percent-encoded or escaped for JSON.
pub(crate) fn without_token(text: &str, session_token: Option<&str>) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::from(text));
    let Some(token) = session_token.filter(|token| token.len() >= SHORTEST_SESSION_TOKEN) else { return text };
    let mut encoded = Zeroizing::new(Vec::with_capacity(3 * token.len()));
    write_encoded(&mut encoded, token.as_bytes());
    let mut escaped = Zeroizing::new(String::with_capacity(2 * token.len()));
    token.split_inclusive('/').for_each(|piece| match piece.strip_suffix('/') {
        Some(piece) => [piece, "\\/"].into_iter().for_each(|piece| escaped.push_str(piece)),
        None => escaped.push_str(piece),
    });
    for form in [token, core::str::from_utf8(&encoded).unwrap_or_default(), &escaped] {
        if text.contains(form) {
            // Not `replace`: its result grows, which leaves copies of the other forms in freed memory.
            let pieces: Vec<&str> = text.split(form).collect();
            text = Zeroizing::new(pieces.join(REDACTED));
        }
    }
    text
}

/// Like [`without_token`], for a canonical request: the values of secret headers and parameters are kept, because they
/// are compared.
pub(crate) fn request_without_token(text: &str, session_token: Option<&str>) -> Zeroizing<String> {
    let hide = |text: &str| without_token(text, session_token);
    let hidden = hide(text);
    if *hidden == text {
        return hidden;
    }
    let mut out = Wiped::new(String::with_capacity(text.len()), true);
    let mut write = |separator: &str, piece: &str, is_compared: bool| {
        let _ = out.write_str(separator);
        let _ = if is_compared { out.write_str(piece) } else { out.write_str(&hide(piece)) };
    };
    for (number, line) in text.split('\n').enumerate() {
        let separator = if number > 0 { "\n" } else { "" };
        match line.split_once(':') {
            _ if number == 2 => {
                for (index, pair) in line.split('&').enumerate() {
                    let is_compared = pair.split_once('=').is_some_and(|(name, _)| is_secret_parameter(name));
                    write(if index > 0 { "&" } else { separator }, pair, is_compared);
                }
            }
            Some((name, _)) if is_secret_header(name) => write(separator, line, true),
            _ => write(separator, line, false),
        }
    }
    Zeroizing::new(out.into_inner())
}

/// Redacts anything that may be a secret: an echoed `Authorization` header and everything after it, anything that looks
/// like a JWT, and long runs of base64 or hexadecimal characters.
pub(crate) fn redacted(text: &str) -> String {
    let echo = ["Authorization=", "Authorization header: '", "Authorization: ", "encoded with Base64): '"]
        .iter()
        .filter_map(|echo| Some((text.find(echo)? + echo.len(), echo.ends_with('\''))))
        .min();
    let (text, end) = match echo {
        Some((position, quoted)) => (text.get(..position).unwrap_or_default(), Some(quoted)),
        None => (text, None),
    };
    // `'<part of the header>' not a valid key=value pair …`
    let text = match text.split_once("' not a valid key=value pair") {
        Some((_, rest)) => &alloc::format!("'{REDACTED}' not a valid key=value pair{rest}"),
        None => text,
    };
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    let mut in_arn = false;
    for c in text.chars() {
        let is_in_run = c.is_ascii_alphanumeric() || "+/=_-.%\\".contains(c);
        in_arn = (in_arn || c == ':' && run.ends_with("arn")) && (is_in_run || ":@,*".contains(c));
        if is_in_run {
            run.push(c);
        } else {
            flush(&mut run, &mut out, in_arn);
            out.push(c);
        }
    }
    flush(&mut run, &mut out, in_arn);
    match end {
        Some(true) => out + REDACTED + "'",
        Some(false) => out + REDACTED,
        None => out,
    }
}

/// The length of the secret access keys that AWS gives.
const SECRET_KEY: usize = 40;

/// Redacts what may be a secret access key: 40 letters, digits, `+` and `/`, of all kinds of letters, so that hashes and
/// UUIDs are kept.
pub(crate) fn without_secret_keys(text: &str) -> String {
    let is_key = |c: char| c.is_ascii_alphanumeric() || c == '+' || c == '/';
    let may_be = |run: &str| {
        run.len() == SECRET_KEY
            && run.contains(|c: char| c.is_ascii_uppercase())
            && run.contains(|c: char| c.is_ascii_lowercase())
    };
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_key) {
        let (before, from) = rest.split_at(start);
        let (run, after) = from.split_at(from.find(|c| !is_key(c)).unwrap_or(from.len()));
        out.push_str(before);
        out.push_str(if may_be(run) { REDACTED } else { run });
        rest = after;
    }
    out.push_str(rest);
    out
}

/// An ARN names roles, users and routes, however long they are, and holds no secret.
fn flush(run: &mut String, out: &mut String, in_arn: bool) {
    let secret = run.contains("eyJ") || run.len() >= TOKEN && !(in_arn && run.len() < LONGEST_OF_ARN);
    out.push_str(if secret { REDACTED } else { run });
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn echoes_are_redacted() {
        for (text, shown) in [
            ("Missing Authentication Token", "Missing Authentication Token"),
            (
                "'opaque' not a valid key=value pair (missing equal-sign) in Authorization header: 'Bearer opaque'.",
                "'[redacted]' not a valid key=value pair (missing equal-sign) in Authorization header: '[redacted]'",
            ),
            (
                "requires 'Signature' parameter. Authorization=Bearer x",
                "requires 'Signature' parameter. Authorization=[redacted]",
            ),
            ("token eyJhbGciOi.x is bad", "token [redacted] is bad"),
            (
                "User: arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/first.last@example.com \
                 is not authorized",
                "User: arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_AdministratorAccess_0123456789abcdef/first.last@example.com \
                 is not authorized",
            ),
        ] {
            assert_eq!(redacted(text), shown);
        }
        let long = "a".repeat(64);
        assert_eq!(redacted(&alloc::format!("{long}:b")), "[redacted]:b");
    }

    #[test]
    fn secret_access_keys_are_redacted_and_hashes_are_kept() {
        let key = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        assert_eq!(without_secret_keys(&alloc::format!("'{key}' is bad")), "'[redacted]' is bad");
        let kept =
            "da39a3ee5e6b4b0d3255bfef95601890afd80709 é 123e4567-e89b-12d3-a456-426614174000 arn:aws:iam::1:role/a";
        assert_eq!(without_secret_keys(kept), kept);
    }

    #[test]
    fn the_session_token_is_redacted_in_every_form() {
        for text in ["the FwoGZX//+w== is", "the FwoGZX%2F%2F%2Bw%3D%3D is", "the FwoGZX\\/\\/+w== is"] {
            assert_eq!(*without_token(text, Some("FwoGZX//+w==")), "the [redacted] is");
        }
        assert_eq!(*without_token("the token", None), "the token");
        assert_eq!(*without_token("the token", Some("e")), "the token");
    }

    #[test]
    fn a_token_is_kept_where_it_is_compared() {
        let text = "GET\n/aTokenOfSome\nX-Amz-Security-Token=aTokenOfSome&a=aTokenOfSome\nx-amz-security-token:aTokenOfSome\nx-own:aTokenOfSome\n\nx\ny";
        assert_eq!(
            *request_without_token(text, Some("aTokenOfSome")),
            "GET\n/[redacted]\nX-Amz-Security-Token=aTokenOfSome&a=[redacted]\nx-amz-security-token:aTokenOfSome\nx-own:[redacted]\n\nx\ny"
        );
    }
}
