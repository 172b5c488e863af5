//! Files and standard input, read up to a limit.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use crate::failure::{Failure, Kind};
use crate::output::Output;

/// The largest file that is read into memory, in bytes: that of a HAR file.
pub const LIMIT: u64 = 32 * 1024 * 1024;

/// Opens a file, or standard input for `-`. `what` names the content in messages.
pub fn open(path: &Path, what: &str) -> Result<Box<dyn Read>, Failure> {
    if path.as_os_str() != "-" {
        let file = File::open(path).map_err(|error| unreadable(path, what, &error))?;
        return Ok(Box::new(file));
    }
    if io::stdin().is_terminal() {
        Output::new().note(&format!("paste {what}, then end the input with Ctrl-D (Windows: Ctrl-Z and Enter)"));
    }
    Ok(Box::new(io::stdin()))
}

/// Reads a file, or standard input for `-`. Input that is empty or longer than [`LIMIT`] is an error.
pub fn read(path: &Path, what: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    open(path, what)?.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| unreadable(path, what, &error))?;
    let is_empty = bytes.trim_ascii().is_empty();
    if bytes.len() as u64 > LIMIT {
        Err(Failure::new(Kind::Read, format!("{what} is longer than {} MiB", LIMIT / 1024 / 1024)))
    } else if is_empty {
        Err(Failure::new(Kind::Read, format!("{what} is empty")))
    } else {
        Ok(bytes)
    }
}

pub fn unreadable(path: &Path, what: &str, error: &io::Error) -> Failure {
    let place = if path.as_os_str() == "-" { "standard input".into() } else { path.display().to_string() };
    Failure::new(Kind::Read, format!("{what} can't be read from {place}: {error}"))
}

/// The reason why bytes can't be HTTP or JSON, if there is one.
pub fn why_not_text(bytes: &[u8]) -> Option<&'static str> {
    let is_utf16 = matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    if bytes.starts_with(&[0x1f, 0x8b]) {
        Some("it is compressed (gzip); decompress it, or fetch it with curl --compressed")
    } else if is_utf16 {
        Some("it is UTF-16 (PowerShell writes that with `>`); save it as UTF-8")
    } else if bytes.contains(&0) {
        Some("it is binary data, not text")
    } else {
        None
    }
}

/// Up to the first empty line: a body may be binary.
pub fn head(bytes: &[u8]) -> &[u8] {
    let ends = [b"\n\n".as_slice(), b"\n\r\n"];
    let end = |end: &[u8]| bytes.windows(end.len()).position(|window| window == end);
    let first = ends.into_iter().filter_map(end).min().unwrap_or(bytes.len());
    bytes.get(..first).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_text_is_named() {
        assert!(why_not_text(b"\x1f\x8b\x08").is_some_and(|why| why.contains("gzip")));
        assert!(why_not_text(b"\xff\xfeH\0").is_some_and(|why| why.contains("UTF-16")));
        assert!(why_not_text(b"\x7fELF\0").is_some_and(|why| why.contains("binary")));
        assert_eq!(why_not_text(b"HTTP/1.1 403\r\n\r\n\xe4"), None);
    }

    #[test]
    fn a_head_ends_at_the_first_empty_line() {
        assert_eq!(head(b"a\r\nb\r\n\r\n\0\n\n"), b"a\r\nb\r");
        assert_eq!(head(b"a\nb\n\n\0\r\n\r\n"), b"a\nb");
        assert_eq!(head(b"a\n\0"), b"a\n\0");
    }
}
