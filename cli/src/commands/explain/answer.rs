//! The answer of the server, as it was given.

use std::path::{Path, PathBuf};

use countersign::Timestamp;
use countersign::explain::{Explanation, InputError, Sent};

use crate::args::ExplainArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::{input, time};

/// What was given, and in which form.
pub struct Answer {
    pub bytes: Vec<u8>,
    pub form: Form,
    entry: Option<usize>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Form {
    Har,
    /// Raw HTTP, or what curl prints.
    Http,
    Body {
        status: u16,
        headers: Vec<(String, String)>,
    },
}

impl Answer {
    pub fn read(args: &ExplainArgs) -> Result<Self, Failure> {
        let stdin = PathBuf::from("-");
        let bytes = input::read(args.response.as_ref().unwrap_or(&stdin), "the answer")?;
        let text = if args.status.is_some() { bytes.as_slice() } else { input::head(&bytes) };
        if let Some(why) = input::why_not_text(text) {
            return Err(Failure::usage(format!("the answer can't be read: {why}")));
        }
        if bytes.windows(4).any(|window| window == b"\n\x1f\x8b\x08") {
            Output::new().warning("the body of the answer is compressed and can't be read; use curl --compressed");
        }
        let form = match args.status {
            Some(status) => Form::Body {
                status,
                headers: args.response_header.iter().map(|line| header(line)).collect::<Result<_, _>>()?,
            },
            None if is_json(&bytes) => Form::Har,
            None => Form::Http,
        };
        if args.entry.is_some() && form != Form::Har && args.sent.sent.is_none() {
            return Err(Failure::usage("--entry needs a HAR file"));
        }
        Ok(Self { bytes, form, entry: args.entry })
    }

    pub fn explain(&self, sent: Sent) -> Result<Explanation, Failure> {
        match &self.form {
            Form::Har => Explanation::from_har(&self.bytes, self.entry).map_err(|error| self.unreadable(&error)),
            Form::Http => Explanation::from_response_text(&self.bytes, sent).map_err(|error| self.unreadable(&error)),
            Form::Body { status, headers } => {
                let headers: Vec<(&str, &[u8])> =
                    headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
                Ok(Explanation::from_response(*status, &headers, &self.bytes, sent))
            }
        }
    }

    /// The request of the same HAR entry, or the one that `curl -v` printed before the answer.
    pub fn own_request(&self) -> Option<Result<Sent, Failure>> {
        match self.form {
            Form::Har => Some(Sent::from_har(&self.bytes, self.entry).map_err(|error| self.unreadable(&error))),
            Form::Http if is_verbose(&self.bytes) => Sent::from_http(&self.bytes).ok().map(Ok),
            _ => None,
        }
    }

    /// When the refused request was signed, or else when it was answered. With any other time, a request that is signed
    /// for comparison would differ, and an old answer would look like a wrong clock.
    pub fn time(&self) -> Option<Timestamp> {
        let explanation = self.explain(Sent::default()).ok()?;
        let echoed = explanation
            .computed()
            .and_then(|computed| computed.lines().find_map(|line| time::parse(line.strip_prefix("x-amz-date:")?)));
        echoed.or_else(|| self.header("date").and_then(|date| time::parse(&date)))
    }

    fn header(&self, wanted: &str) -> Option<String> {
        if let Form::Body { headers, .. } = &self.form {
            let found = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            return found.map(|(_, value)| value.clone());
        }
        let text = String::from_utf8_lossy(&self.bytes);
        text.lines().rev().find_map(|line| {
            let line = line.trim_start_matches("< ");
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case(wanted).then(|| value.trim().to_owned())
        })
    }

    fn unreadable(&self, error: &InputError) -> Failure {
        let start = self.bytes.trim_ascii_start();
        match error {
            InputError::NoStatusLine if start.starts_with(b"<") => bare_body("XML or HTML"),
            InputError::NoEntry | InputError::NoRequest if self.form == Form::Har => bare_body("JSON"),
            InputError::NoStatusLine => Failure::usage(
                "the answer has no status line such as `HTTP/1.1 403 Forbidden`; if it is only a body, name its status, \
                 for example with --status 403",
            ),
            error => Failure::usage(format!("the answer can't be read: {error}")),
        }
    }
}

fn bare_body(kind: &str) -> Failure {
    Failure::usage(format!(
        "the answer is {kind} without a status line and headers; name its status, for example with --status 403"
    ))
}

pub fn is_json(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    bytes.trim_ascii_start().starts_with(b"{")
}

/// Whether this is the output of `curl -v`: it marks the lines of the answer.
fn is_verbose(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"< HTTP/"))
}

fn header(line: &str) -> Result<(String, String), Failure> {
    let (name, value) =
        line.split_once(':').ok_or_else(|| Failure::usage("a --response-header must be `Name: value`"))?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Reads a request from a file: a HAR entry, a curl command or HTTP as text.
pub fn read_sent(path: &Path, entry: Option<usize>) -> Result<Sent, Failure> {
    let bytes = input::read(path, "the request")?;
    if let Some(why) = input::why_not_text(input::head(&bytes)) {
        return Err(Failure::usage(format!("the request can't be read: {why}")));
    }
    let unreadable = |error: InputError| Failure::usage(format!("the request can't be read: {error}"));
    if is_json(&bytes) {
        return Sent::from_har(&bytes, entry).map_err(unreadable);
    }
    if is_curl(&bytes) {
        return curl(&String::from_utf8_lossy(&bytes));
    }
    Sent::from_http(&bytes).map_err(|error| match error {
        InputError::NoRequestLine => Failure::usage(
            "the request is neither a curl command, nor HTTP with a line such as `GET /path HTTP/1.1`, nor a HAR file",
        ),
        error => unreadable(error),
    })
}

pub fn curl(command: &str) -> Result<Sent, Failure> {
    Sent::from_curl(command).map_err(|error| Failure::usage(format!("the curl command can't be read: {error}")))
}

/// Whether the first line is a command. The command may precede what `curl -v` printed, which says more.
fn is_curl(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| String::from_utf8_lossy(line));
    let is_request_line =
        |line: &str| [" HTTP/1.0", " HTTP/1.1", " HTTP/2", " HTTP/3"].iter().any(|end| line.trim_end().ends_with(end));
    let is_printed = |line: &str| line.starts_with("> ") && is_request_line(line);
    let first = lines.by_ref().find(|line| !line.trim().is_empty()).unwrap_or_default().into_owned();
    let program = |word: &str| {
        let word = word.trim_matches(['"', '\'', '&']);
        matches!(word.rsplit(['/', '\\']).next(), Some("curl" | "curl.exe"))
    };
    first.split_whitespace().any(program) && !is_request_line(&first) && !lines.any(|line| is_printed(&line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn curl_commands_are_told_apart_from_http() {
        for text in ["curl https://a/b", "\n$ curl -v 'https://a/'\\\n -H 'a: b'", "A=b /usr/bin/curl a", "curl.exe a"]
        {
            assert!(is_curl(text.as_bytes()), "{text}");
        }
        for text in [
            "GET /curl HTTP/1.1\nhost: a\n",
            "$ curl -v https://a/\n* Trying\n> GET / HTTP/1.1\n> Host: a\n",
            "POST / HTTP/1.1\nuser-agent: curl/8\n\n",
            "> GET / HTTP/2\n",
        ] {
            assert!(!is_curl(text.as_bytes()), "{text}");
        }
    }
}
