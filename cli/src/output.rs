//! Standard output and standard error: colours only at a terminal, and no secrets.

use std::io::{self, IsTerminal, Write};

use countersign::{is_secret_header, is_secret_parameter};

use crate::failure::{Failure, Kind};

/// A colour of the terminal.
#[derive(Clone, Copy)]
pub enum Style {
    Bold,
    Red,
    Green,
    Yellow,
}

/// Where the command prints.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    colour_out: bool,
    colour_err: bool,
    is_err_terminal: bool,
}

impl Output {
    pub fn new() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        let is_err_terminal = io::stderr().is_terminal();
        Self {
            colour_out: wanted && io::stdout().is_terminal(),
            colour_err: wanted && is_err_terminal,
            is_err_terminal,
        }
    }

    /// Returns `true` if a progress bar makes sense.
    pub fn is_err_terminal(self) -> bool {
        self.is_err_terminal
    }

    /// Styles text for standard output.
    pub fn style_out(self, style: Style, text: &str) -> String {
        if self.colour_out { styled(style, text) } else { text.to_owned() }
    }

    /// Styles text for standard error.
    pub fn style_err(self, style: Style, text: &str) -> String {
        if self.colour_err { styled(style, text) } else { text.to_owned() }
    }

    /// Prints a line to standard error. A closed standard error is ignored.
    pub fn note(self, line: &str) {
        let _ = writeln!(io::stderr(), "{}", printable(line));
    }

    /// Prints a line to standard error that is already styled.
    pub fn styled_note(self, line: &str) {
        let _ = writeln!(io::stderr(), "{line}");
    }

    pub fn error(self, failure: &Failure) {
        let label = self.style_err(Style::Red, "countersign:");
        let _ = writeln!(io::stderr(), "{label} {}", printable(&failure.to_string()));
    }

    pub fn warning(self, text: &str) {
        let label = self.style_err(Style::Yellow, "warning:");
        let _ = writeln!(io::stderr(), "{label} {}", printable(text));
    }

    /// Prints to standard output.
    pub fn print(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(write_failure)
    }
}

pub fn write_failure(error: io::Error) -> Failure {
    Failure::new(Kind::Write, format!("the output can't be written: {error}"))
}

fn styled(style: Style, text: &str) -> String {
    let code = match style {
        Style::Bold => "1",
        Style::Red => "31",
        Style::Green => "32",
        Style::Yellow => "33",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Replaces control characters, so that a server can't send escape sequences to the terminal through a message.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// A header for `-v`: secrets are left out, and the signature of an `Authorization` header.
pub fn redacted_header(name: &str, value: &str) -> String {
    if name.eq_ignore_ascii_case("authorization") && value.starts_with("AWS4-") {
        let shown = value.split_once("Signature=").map_or(value, |(before, _)| before);
        return format!("{name}: {shown}Signature=(hidden)");
    }
    if is_secret_header(name) { format!("{name}: (hidden)") } else { format!("{name}: {value}") }
}

/// A URL, or its path and query, for messages: the values of secret parameters are left out.
pub fn redacted_url(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        // A server may decode a name more than once.
        Some((name, _)) if name.contains('%') || is_secret_parameter(name) => format!("{name}=(hidden)"),
        _ => pair.to_owned(),
    });
    format!("{path}?{}", pairs.collect::<Vec<_>>().join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_redacted() {
        let shown = redacted_header("Authorization", "AWS4-HMAC-SHA256 Credential=A/1, Signature=abc");
        assert_eq!(shown, "Authorization: AWS4-HMAC-SHA256 Credential=A/1, Signature=(hidden)");
        assert_eq!(redacted_header("authorization", "Bearer abc"), "authorization: (hidden)");
        assert_eq!(redacted_header("X-Amz-Security-Token", "abc"), "X-Amz-Security-Token: (hidden)");
        assert_eq!(redacted_header("accept", "a"), "accept: a");
    }

    #[test]
    fn urls_are_redacted() {
        let shown = redacted_url("/a?b=1&X-Amz-Security-Token=t&x-amz-signature=s&X%2DAmz-Signature=s&c");
        assert_eq!(shown, "/a?b=1&X-Amz-Security-Token=(hidden)&x-amz-signature=(hidden)&X%2DAmz-Signature=(hidden)&c");
        assert_eq!(redacted_url("/a"), "/a");
        let customer_key = "x-amz-copy-source-server-side-encryption-customer-key";
        assert_eq!(redacted_url(&format!("/a?{customer_key}=k")), format!("/a?{customer_key}=(hidden)"));
    }

    #[test]
    fn escape_sequences_are_not_printed() {
        assert_eq!(printable("a\x1b[31mb\r\n"), "a\u{fffd}[31mb\u{fffd}\n");
    }
}
