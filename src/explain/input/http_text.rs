//! HTTP/1 as text, and what `curl -v` prints.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::url::Url;
use super::{Answer, Bytes, Header, InputError, Read, append, text_of};
use crate::sigv4::request::MAX_HEADERS;
use crate::text::{is_token, split_once};

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub(super) fn request(text: &[u8]) -> Result<Read, InputError> {
    let printed = verbose(text, b'>', is_request_line);
    let is_verbose = printed.is_some();
    let mut lines = Lines::new(printed.as_ref().map_or(text, |printed| &printed.head));
    let mut read = Read::default();
    if !lines.rest.starts_with(b":") {
        read.request_line(lines.next_line().unwrap_or_default())?;
    }
    for header in lines.headers()? {
        match header.name.strip_prefix(':') {
            None => read.headers.push(header),
            Some(name) => read.pseudo_header(name, header.value.unwrap_or_default())?,
        }
    }
    if read.method.is_empty() || read.target.is_empty() {
        return Err(InputError::NoRequestLine);
    }
    read.body = match Framing::of(&read.headers) {
        // `curl -v` doesn't print the body.
        Framing::None if is_verbose || lines.rest.trim_ascii().is_empty() => Some(Bytes::default()),
        Framing::Length(0) => Some(Bytes::default()),
        Framing::Length(length) if !is_verbose => lines.rest.get(..length).map(|body| Zeroizing::new(body.to_vec())),
        Framing::Chunked if !is_verbose => chunked(lines.rest).filter(|body| body.is_complete).map(|body| body.bytes),
        _ => None,
    };
    Ok(read)
}

impl Read {
    fn request_line(&mut self, line: &[u8]) -> Result<(), InputError> {
        let (method, target) = method_and_target(line).ok_or(InputError::NoRequestLine)?;
        self.method = method.into();
        if matches!(target, [b'/' | b'?' | b'*', ..]) {
            self.target = Zeroizing::new(target.into());
        } else {
            let url = Url::parse(target)?;
            (self.scheme, self.authority, self.target) = (Some(url.scheme), url.authority, url.target);
        }
        Ok(())
    }

    fn pseudo_header(&mut self, name: &str, value: Bytes) -> Result<(), InputError> {
        match name {
            "method" => self.method = text_of(&value),
            "authority" => self.authority = text_of(&value),
            "path" => self.target = value,
            "scheme" if value.eq_ignore_ascii_case(b"http") => self.scheme = Some("http"),
            _ => {}
        }
        Ok(())
    }
}

/// Parses `GET /path HTTP/1.1`; the version may be missing.
fn method_and_target(line: &[u8]) -> Option<(&str, &[u8])> {
    let (method, rest) = split_once(line, b' ')?;
    let method = core::str::from_utf8(method).ok().filter(|method| is_token(method))?;
    let version = rest.windows(6).rposition(|window| window == b" HTTP/");
    let target = version.and_then(|position| rest.get(..position)).unwrap_or(rest).trim_ascii();
    let is_target = matches!(target, [b'/' | b'?' | b'*', ..]) || target.windows(3).any(|window| window == b"://");
    is_target.then_some((method, target))
}

fn is_request_line(line: &[u8]) -> bool {
    method_and_target(line).is_some()
}

/// Reads the last response; earlier ones are `100 Continue`, redirects or the answer of a proxy.
pub(super) fn response(text: &[u8]) -> Result<Answer, InputError> {
    if let Some(printed) = verbose(text, b'<', is_status_line) {
        let (mut answer, _) = one_response(&printed.head)?;
        answer.body = printed.body;
        answer.decode_body();
        return Ok(answer);
    }
    let mut rest = text;
    loop {
        let (answer, after) = one_response(rest)?;
        let after = after.trim_ascii_start();
        if !is_status_line(after.split(|byte| *byte == b'\n').next().unwrap_or_default()) {
            return Ok(answer);
        }
        rest = after;
    }
}

/// A response, and what follows it.
fn one_response(text: &[u8]) -> Result<(Answer, &[u8]), InputError> {
    let mut lines = Lines::new(text);
    let line = lines.next_line().unwrap_or_default();
    let status = status_of(line).ok_or(InputError::NoStatusLine)?;
    let headers = lines.headers()?;
    let rest = lines.rest;
    let is_next = is_status_line(rest.split(|byte| *byte == b'\n').next().unwrap_or_default());
    let (body, after) = match Framing::of(&headers) {
        // There was no body, or it was not printed.
        _ if is_next => (Bytes::default(), rest),
        Framing::Length(length) => {
            let (body, after) = rest.split_at_checked(length).unwrap_or((rest, b""));
            // `Content-Length` is too small if the body was decompressed or its line ends changed.
            let is_cut = !after.trim_ascii().is_empty() && !starts_response(after);
            (Zeroizing::new(if is_cut { rest } else { body }.to_vec()), if is_cut { b"" } else { after })
        }
        Framing::Chunked => match chunked(rest) {
            Some(body) => (body.bytes, body.after),
            // curl prints the decoded body.
            None => (Zeroizing::new(rest.to_vec()), b"".as_slice()),
        },
        Framing::None => (Zeroizing::new(rest.to_vec()), b"".as_slice()),
    };
    Ok((Answer { status, headers, body }, after))
}

fn starts_response(text: &[u8]) -> bool {
    is_status_line(text.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default())
}

impl Answer {
    fn decode_body(&mut self) {
        if let Framing::Length(length) = Framing::of(&self.headers)
            && self.body.get(length..).is_some_and(|after| after.trim_ascii().is_empty())
        {
            self.body.truncate(length);
        }
    }
}

fn status_of(line: &[u8]) -> Option<u16> {
    let rest = line.trim_ascii().strip_prefix(b"HTTP/")?;
    let (_, rest) = split_once(rest, b' ')?;
    let digits = rest.trim_ascii_start().get(..3).filter(|digits| digits.iter().all(u8::is_ascii_digit))?;
    core::str::from_utf8(digits).ok()?.parse().ok()
}

fn is_status_line(line: &[u8]) -> bool {
    status_of(line).is_some()
}

struct Lines<'t> {
    rest: &'t [u8],
    number: usize,
}

impl<'t> Lines<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self { rest: text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text).trim_ascii_start(), number: 0 }
    }

    /// The next line, without CRLF or LF.
    fn next_line(&mut self) -> Option<&'t [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let (line, rest) = split_once(self.rest, b'\n').unwrap_or((self.rest, b""));
        self.rest = rest;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// Reads the headers up to the empty line. A line that starts with white space continues the previous value.
    fn headers(&mut self) -> Result<Vec<Header>, InputError> {
        let mut headers: Vec<Header> = Vec::new();
        while let Some(line) = self.next_line().filter(|line| !line.is_empty()) {
            match (line, headers.last_mut().and_then(|header| header.value.as_mut())) {
                ([b' ' | b'\t', ..], Some(value)) => {
                    append(value, b" ");
                    append(value, line.trim_ascii());
                    continue;
                }
                _ => headers.push(header(line).ok_or(InputError::Header { number: self.number })?),
            }
            if headers.len() > MAX_HEADERS {
                return Err(InputError::TooManyHeaders { limit: MAX_HEADERS });
            }
        }
        Ok(headers)
    }
}

/// `name: value`, or `:name: value`
fn header(line: &[u8]) -> Option<Header> {
    let start = usize::from(line.starts_with(b":"));
    let position = start + line.get(start..)?.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at_checked(position)?;
    let name = core::str::from_utf8(name.trim_ascii_end()).ok()?;
    is_token(name.get(start..)?).then(|| Header::new(name, value.get(1..).unwrap_or_default().trim_ascii()))
}

/// How the length of the body is determined.
enum Framing {
    Length(usize),
    Chunked,
    None,
}

impl Framing {
    fn of(headers: &[Header]) -> Self {
        let value =
            |name: &str| headers.iter().rev().find(|header| header.is(name)).and_then(|header| header.value.as_ref());
        if value("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().ends_with(b"chunked")) {
            return Self::Chunked;
        }
        let length = value("content-length").and_then(|value| core::str::from_utf8(value).ok()?.parse().ok());
        length.map_or(Self::None, Self::Length)
    }
}

struct Chunks<'t> {
    bytes: Bytes,
    is_complete: bool,
    after: &'t [u8],
}

/// Decodes a chunked body as far as possible; `None` if it doesn't start with a chunk.
fn chunked(text: &[u8]) -> Option<Chunks<'_>> {
    let mut lines = Lines { rest: text, number: 0 };
    let mut bytes = Bytes::default();
    let mut is_complete = false;
    let mut count = 0_usize;
    while let Some(length) = lines.next_line().and_then(chunk_length) {
        count += 1;
        if length == 0 {
            is_complete = true;
            // Trailers.
            while lines.next_line().is_some_and(|line| !line.is_empty()) {}
            break;
        }
        let (data, rest) = lines.rest.split_at_checked(length).unwrap_or((lines.rest, b""));
        append(&mut bytes, data);
        let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
        lines.rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    (count > 0).then_some(Chunks { bytes, is_complete, after: lines.rest })
}

fn chunk_length(line: &[u8]) -> Option<usize> {
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let is_number = !digits.is_empty() && digits.len() <= 8 && digits.iter().all(u8::is_ascii_hexdigit);
    usize::from_str_radix(core::str::from_utf8(digits).ok().filter(|_| is_number)?, 16).ok()
}

/// The last request or response in the output of `curl -v`.
struct Printed {
    head: Bytes,
    /// The lines without a prefix that follow it.
    body: Bytes,
}

/// `None` if no line with the prefix `mark` is a request or status line.
fn verbose(text: &[u8], mark: u8, is_first: fn(&[u8]) -> bool) -> Option<Printed> {
    let of_mark = |line: &'_ [u8]| -> Option<usize> {
        match line {
            [first, b' ', ..] if *first == mark => Some(2),
            [first] | [first, b'\r'] if *first == mark => Some(1),
            _ => None,
        }
    };
    let mut printed: Option<Printed> = None;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        match of_mark(content).and_then(|length| line.get(length..)) {
            Some(own) if is_first(own.trim_ascii_end()) => {
                printed = Some(Printed { head: Zeroizing::new(own.to_vec()), body: Bytes::default() });
            }
            Some(own) => {
                if let Some(printed) = &mut printed {
                    append(&mut printed.head, own);
                }
            }
            None => {
                let of_curl = matches!(content, [b'*' | b'<' | b'>', b' ', ..] | [b'{' | b'}', b' ', b'[', ..]);
                if let Some(printed) = printed.as_mut().filter(|_| !of_curl) {
                    let end = content.windows(CLOSING.len()).position(|window| window == CLOSING);
                    let line = end.and_then(|end| line.get(..end)).unwrap_or(line);
                    append(&mut printed.body, line);
                }
            }
        }
    }
    printed
}

/// curl prints this directly after a body that has no final line end.
const CLOSING: &[u8] = b"* Connection #";
