//! What a failing command printed to standard error, as far as it can be shown.
//!
//! The text is unknown, so it may hold secrets: commands print the response of an identity provider, or the command line
//! that they ran. Therefore nothing is shown
//!
//! - from the first brace on, since JSON may be credentials,
//! - of the arguments of the command, and of what stands before the `@` of a URL,
//! - after `=`, `:`, a comma or a space that follows a name like `SecretAccessKey`, `password` or `--token`, to the end of the
//!   line,
//! - of words that mix upper case, lower case and digits like a key does (from 20 characters on), or that are so long that
//!   they may be a key (from 32 characters on, where at least two of the three are mixed).

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::redact::REDACTED;
use crate::redact::text::redacted;

/// The longest text that is shown, in characters.
const MOST: usize = 300;
const MOST_LINES: usize = 3;
/// The most that is looked at, in bytes.
const MOST_READ: usize = 8 << 10;

/// Parts of names whose values are secret.
const SECRET_NAMES: [&str; 12] = [
    "secret",
    "token",
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "pwd",
    "apikey",
    "api_key",
    "api-key",
    "bearer",
    "authorization",
];

/// An argument that is shorter may be any word, e.g. `aws`.
const SHORTEST_ARGUMENT: usize = 4;

/// Returns the first lines without what may be secret.
pub(super) fn shown(stderr: &[u8], arguments: &[String]) -> String {
    // A word that is cut may be the start of a key.
    let start = stderr.get(..MOST_READ).map(|start| match start.iter().rposition(u8::is_ascii_whitespace) {
        Some(end) => start.get(..end).unwrap_or_default(),
        None => &[],
    });
    let text = Zeroizing::new(String::from_utf8_lossy(start.unwrap_or(stderr)).into_owned());
    let text = without_arguments(text, arguments);
    let (text, end) = match text.find('{') {
        Some(brace) => (text.get(..brace).unwrap_or_default(), REDACTED),
        None => (text.as_str(), ""),
    };
    let lines = text.split(['\n', '\r']).map(str::trim).filter(|line| !line.is_empty()).take(MOST_LINES);
    let mut lines: Vec<String> = lines.map(line).collect();
    if !end.is_empty() && lines.len() < MOST_LINES {
        lines.push(end.into());
    }
    lines.join("; ").chars().take(MOST).collect()
}

/// Hides arguments, but keeps the names of options.
fn without_arguments(mut text: Zeroizing<String>, arguments: &[String]) -> Zeroizing<String> {
    let value = |argument: &'_ str| match argument.split_once('=') {
        Some((name, _)) if argument.starts_with('-') => name.len() + 1,
        None if argument.starts_with('-') => argument.len(),
        _ => 0,
    };
    let mut values: Vec<&str> = arguments.iter().filter_map(|argument| argument.get(value(argument)..)).collect();
    values.retain(|value| value.len() >= SHORTEST_ARGUMENT);
    // One may be part of another one.
    values.sort_by_key(|value| core::cmp::Reverse(value.len()));
    for value in values {
        let pieces: Vec<&str> = text.split(value).collect();
        text = Zeroizing::new(pieces.join(REDACTED));
    }
    text
}

/// Hides the user and the password of URLs.
fn without_users(line: &str) -> String {
    let mut pieces = line.split("://");
    let mut out = String::from(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|c: char| c.is_whitespace() || "/?#\"'".contains(c)).unwrap_or(piece.len());
        let (authority, rest) = piece.split_at_checked(end).unwrap_or((piece, ""));
        out.push_str("://");
        match authority.rsplit_once('@') {
            Some((_, host)) => [REDACTED, "@", host].into_iter().for_each(|part| out.push_str(part)),
            None => out.push_str(authority),
        }
        out.push_str(rest);
    }
    out
}

fn line(line: &str) -> String {
    let plain: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let plain = Zeroizing::new(plain);
    let shown = without_keys(&redacted(&without_users(before_value(&plain))));
    if before_value(&plain).len() < plain.len() { shown + REDACTED } else { shown }
}

/// The part of a line before the value of a secret.
fn before_value(line: &str) -> &str {
    let lower = Zeroizing::new(line.to_ascii_lowercase());
    let ends = SECRET_NAMES.iter().flat_map(|name| lower.match_indices(name).map(|(start, name)| (start, name.len())));
    let value = ends.filter_map(|(start, length)| {
        let after = lower.get(start + length..)?;
        let rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "_-\"'".contains(c));
        let word = lower.get(..start)?.rsplit(char::is_whitespace).next()?;
        // Python shows commands as lists: `['helper', '--password', '…']`.
        let is_option = word.trim_start_matches(['[', '(', '\'', '"', ',']).starts_with('-');
        let is_scheme = lower.get(start..)?.starts_with("bearer");
        let rest = match rest.trim_start().strip_prefix(['=', ':']) {
            Some(value) => value,
            None if is_option || is_scheme => rest,
            None => return None,
        };
        (!rest.trim().is_empty()).then(|| lower.len() - rest.len())
    });
    // Lower case of ASCII has the same length.
    value.min().and_then(|value| line.get(..value)).unwrap_or(line)
}

/// Hides words that look like a key.
fn without_keys(line: &str) -> String {
    let is_in_word = |c: char| c.is_ascii_alphanumeric() || "+/=_-".contains(c);
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let end =
            rest.find(|c: char| is_in_word(c) != is_in_word(rest.chars().next().unwrap_or(c))).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.push_str(if is_in_word(c) && is_key(word) { REDACTED } else { word });
        rest = after;
    }
    out
}

fn is_key(word: &str) -> bool {
    let has = |is: fn(&u8) -> bool| usize::from(word.as_bytes().iter().any(&is));
    let mixed = has(u8::is_ascii_uppercase) + has(u8::is_ascii_lowercase) + has(u8::is_ascii_digit);
    match word.len() {
        0..20 => false,
        20..32 => mixed == 3,
        _ => mixed >= 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_kept() {
        for text in [
            "Error: token expired, log in again with `okta login`",
            "The password is wrong.",
            "usage: helper [--profile NAME]",
            "cannot open /usr/local/share/aws-credential-helper/config.toml",
            "User: arn:aws:iam::123456789012:user/alice is not authorized",
            "access key AKIAIOSFODNN7EXAMPLE is disabled",
            "Fehler: Schlüssel fehlt",
        ] {
            assert_eq!(shown(text.as_bytes(), &[]), text);
        }
        assert_eq!(shown(b"\r\n one\r\n\r\n two \nthree\nfour", &[]), "one; two; three");
        assert_eq!(shown(b"\xff\x1b[31mred\x07!", &[]), "\u{fffd} [31mred !");
        assert_eq!(shown(b" \n", &[]), "");
        assert_eq!(shown("é ".repeat(1000).as_bytes(), &[]).chars().count(), 300);
    }

    #[test]
    fn secrets_are_hidden() {
        for text in [
            "secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "x wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY.",
            "\"SecretAccessKey\": \"wJalr\"",
            "SecretAccessKey=wJalr",
            "secret_access_key : wJalr",
            "export AWS_SECRET_ACCESS_KEY='wJalr'",
            "running helper --password wJalr x",
            "running helper --client-secret=wJalr",
            "Authorization: Basic wJalr",
            "sent Bearer wJalr",
            "got {\"a\":\"wJalr\"} and wJalr",
            "got\n{\n\"a\":\n\"wJalr\"}",
            "API_KEY=wJalr",
            "cookie eyJwJalr.x",
            "hash 0123456789abcdef0123456789abcdef wJalrXUtnFEMI0K7MDEN",
        ] {
            let shown = shown(text.as_bytes(), &[]);
            assert!(!shown.contains("wJalr") && !shown.contains("0123456789abcdef"), "{shown}");
            assert!(shown.contains(REDACTED), "{shown}");
        }
    }

    #[test]
    fn a_secret_at_the_limit_is_not_cut_into_a_part_that_is_shown() {
        const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
        for before in 250..310 {
            let text = alloc::format!("{} {SECRET}", "- ".repeat(before / 2));
            assert!(!shown(text.as_bytes(), &[]).contains("wJ"), "{before}");
        }
        for before in (8 << 10) - 60..8 << 10 {
            let text = alloc::format!("{}{} {SECRET}", "aB1".repeat(1000), " ".repeat(before - 3000));
            assert!(!shown(text.as_bytes(), &[]).contains("wJ"), "{before}");
        }
        assert_eq!(shown(&[b'a'; 10_000], &[]), "");
    }
}
