//! An HTTP/1.1 request as it was sent. Whatever two servers could read in two ways is an error: where the body ends above
//! all. Everything else that is odd is left to the verifier, which names the check that it fails.

use crate::failure::Failure;

#[derive(Debug, PartialEq, Eq)]
pub struct Raw {
    pub method: String,
    pub target: Vec<u8>,
    /// Scheme and host of an absolute target.
    pub origin: Option<(String, String)>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
    /// What had to be assumed, for the reader.
    pub notes: Vec<String>,
}

impl Raw {
    pub fn parse(bytes: &[u8]) -> Result<Self, Failure> {
        let (mut raw, rest) = Self::head(bytes)?;
        raw.read_body(rest)?;
        Ok(raw)
    }

    /// For a body that is given separately.
    pub fn parse_head(bytes: &[u8]) -> Result<Self, Failure> {
        let (raw, rest) = Self::head(bytes)?;
        if rest.iter().any(|byte| !matches!(byte, b'\r' | b'\n')) {
            return Err(Failure::usage(
                "the request has a body of its own; leave out --body, or the body in the request",
            ));
        }
        Ok(raw)
    }

    fn head(bytes: &[u8]) -> Result<(Self, &[u8]), Failure> {
        let mut lines = Lines { rest: bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes), number: 0 };
        let first = lines.by_ref().find(|line| !line.is_empty()).unwrap_or_default();
        let (method, target) = request_line(first)?;
        let (origin, target) = match split_absolute(target) {
            Some((scheme, host, target)) => (Some((scheme, host)), target),
            None => (None, target),
        };
        let mut headers = Vec::new();
        while let Some(line) = lines.next().filter(|line| !line.is_empty()) {
            headers.push(header(line, lines.number)?);
        }
        let raw = Self { method, target: target.to_vec(), origin, headers, body: Vec::new(), notes: Vec::new() };
        Ok((raw, lines.rest))
    }

    fn read_body(&mut self, rest: &[u8]) -> Result<(), Failure> {
        let only_line_ends = |bytes: &[u8]| bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
        let lengths = self.values("content-length");
        let codings = self.values("transfer-encoding");
        if !codings.is_empty() {
            if !lengths.is_empty() {
                return Err(Failure::usage(
                    "the request has both Content-Length and Transfer-Encoding; servers disagree about where it ends",
                ));
            }
            if !matches!(codings.as_slice(), [coding] if coding.eq_ignore_ascii_case(b"chunked")) {
                return Err(Failure::usage("the only Transfer-Encoding that can be decoded is `chunked`"));
            }
            let (body, after) = dechunked(rest).ok_or_else(|| {
                Failure::usage(
                    "the request says Transfer-Encoding: chunked, but its body is not valid in that coding; if it is \
                     decoded already, give it with --body",
                )
            })?;
            if !only_line_ends(after) {
                return Err(Failure::usage("more bytes follow the last chunk of the body"));
            }
            self.notes.push(format!("the body was decoded from chunks: {} bytes", body.len()));
            self.body = body;
            return Ok(());
        }
        let Some(first) = lengths.first() else {
            if only_line_ends(rest) {
                return Ok(());
            }
            self.notes.push(format!("there is no Content-Length; the body extends to the end: {} bytes", rest.len()));
            self.body = rest.to_vec();
            return Ok(());
        };
        if lengths.iter().any(|length| length != first) {
            return Err(Failure::usage("the request has several Content-Length headers with different values"));
        }
        let length = length(first)?;
        let Some((body, after)) = rest.split_at_checked(length) else {
            return Err(Failure::usage(format!(
                "Content-Length is {length}, but only {} bytes of body follow: the request is cut off, or line ends were \
                 changed when it was saved",
                rest.len()
            )));
        };
        if !only_line_ends(after) {
            return Err(Failure::usage(format!(
                "Content-Length is {length}, but {} bytes follow it: a second request, or a body that was changed",
                after.len()
            )));
        }
        self.body = body.to_vec();
        Ok(())
    }

    /// The values of a header, without the white space around them.
    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        let own = self.headers.iter().filter(|(own, _)| own.trim_end().eq_ignore_ascii_case(name));
        own.map(|(_, value)| value.trim_ascii()).collect()
    }
}

struct Lines<'t> {
    rest: &'t [u8],
    number: usize,
}

impl<'t> Iterator for Lines<'t> {
    type Item = &'t [u8];

    /// The next line, without LF or CRLF.
    fn next(&mut self) -> Option<&'t [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let end = self.rest.iter().position(|byte| *byte == b'\n');
        let (line, rest) = self.rest.split_at_checked(end.map_or(self.rest.len(), |end| end + 1))?;
        self.rest = rest;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    }
}

fn request_line(line: &[u8]) -> Result<(String, &[u8]), Failure> {
    let malformed =
        || Failure::usage("the request must start with a line such as `GET /path HTTP/1.1`, followed by its headers");
    let space = line.iter().position(|byte| *byte == b' ').ok_or_else(malformed)?;
    let (method, rest) = line.split_at_checked(space).ok_or_else(malformed)?;
    let rest = rest.get(1..).unwrap_or_default();
    // The target may contain spaces, which some clients sign.
    let version = rest.windows(6).rposition(|window| window == b" HTTP/").ok_or_else(malformed)?;
    let method = std::str::from_utf8(method).map_err(|_| malformed())?;
    Ok((method.to_owned(), rest.get(..version).unwrap_or_default()))
}

/// `http://host/path`, which clients send to proxies: scheme, host, path and query.
fn split_absolute(target: &[u8]) -> Option<(String, String, &[u8])> {
    let start = target.windows(3).position(|window| window == b"://")?;
    let scheme = std::str::from_utf8(target.get(..start)?).ok()?.to_ascii_lowercase();
    if !matches!(scheme.as_str(), "http" | "https") {
        return None;
    }
    let rest = target.get(start + 3..)?;
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (host, target) = rest.split_at_checked(end)?;
    let host = std::str::from_utf8(host).ok()?.to_owned();
    Some((scheme, host, if target.is_empty() { b"/" } else { target }))
}

fn header(line: &[u8], number: usize) -> Result<(String, Vec<u8>), Failure> {
    if matches!(line, [b' ' | b'\t', ..]) {
        return Err(Failure::usage(format!("line {number} continues a header, which HTTP no longer allows")));
    }
    let position = line.iter().position(|byte| *byte == b':');
    let (name, value) = position.and_then(|position| line.split_at_checked(position)).ok_or_else(|| {
        Failure::usage(format!(
            "line {number} is not a header of the form `Name: value`; the body follows an empty line"
        ))
    })?;
    let name = std::str::from_utf8(name)
        .map_err(|_| Failure::usage(format!("the name of the header in line {number} is not text")))?;
    Ok((name.to_owned(), value.get(1..).unwrap_or_default().trim_ascii().to_vec()))
}

fn length(value: &[u8]) -> Result<usize, Failure> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    text.and_then(|text| text.parse().ok()).ok_or_else(|| Failure::usage("Content-Length is not a number of bytes"))
}

/// The body, and what follows it; `None` if the coding is malformed or cut off.
fn dechunked(mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut body = Vec::new();
    loop {
        let mut lines = Lines { rest, number: 0 };
        let line = lines.next()?;
        let digits = std::str::from_utf8(line.split(|byte| *byte == b';').next()?).ok()?;
        let well_formed =
            !digits.is_empty() && digits.len() <= 8 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let length = usize::from_str_radix(digits, 16).ok().filter(|_| well_formed)?;
        if length == 0 {
            // Trailers.
            while lines.next().is_some_and(|line| !line.is_empty()) {}
            return Some((body, lines.rest));
        }
        let (data, after) = lines.rest.split_at_checked(length)?;
        body.extend_from_slice(data);
        rest = after.strip_prefix(b"\r\n").or_else(|| after.strip_prefix(b"\n"))?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(text: &str) -> Result<Vec<u8>, String> {
        Raw::parse(text.as_bytes()).map(|raw| raw.body).map_err(|failure| failure.to_string())
    }

    #[test]
    fn parts() {
        let raw = Raw::parse(b"\r\nPUT /a b?c=%20 HTTP/1.1\r\nHost:  example.com \r\nX: \xff\r\n\r\nbody").unwrap();
        assert_eq!((raw.method.as_str(), raw.target.as_slice()), ("PUT", b"/a b?c=%20".as_slice()));
        assert_eq!(raw.headers, [("Host".into(), b"example.com".to_vec()), ("X".into(), b"\xff".to_vec())]);
        assert_eq!(raw.body, b"body");
        let absolute = Raw::parse(b"GET http://example.com:80?a HTTP/1.1\nHost: example.com\n").unwrap();
        assert_eq!(absolute.origin, Some(("http".into(), "example.com:80".into())));
        assert_eq!(absolute.target, b"?a");
        // A URL in the query is not an absolute target.
        assert_eq!(Raw::parse(b"GET /a?b=http://c HTTP/1.1\n").unwrap().target, b"/a?b=http://c");
    }

    #[test]
    fn bodies() {
        let head = "POST / HTTP/1.1\nHost: a\n";
        assert_eq!(body(head), Ok(b"".to_vec()));
        assert_eq!(body(&format!("{head}\n\n\r\n")), Ok(b"".to_vec()));
        assert_eq!(body(&format!("{head}\n{{}}\n")), Ok(b"{}\n".to_vec()));
        assert_eq!(body(&format!("{head}Content-Length: 2\n\n{{}}\n")), Ok(b"{}".to_vec()));
        let chunked =
            format!("{head}Transfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n1\r\nd\r\n0\r\nTrailer: 1\r\n\r\n");
        assert_eq!(body(&chunked), Ok(b"abcd".to_vec()));
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_an_error() {
        let head = "POST / HTTP/1.1\nHost: a\n";
        for (rest, expected) in [
            ("Content-Length: 1\nTransfer-Encoding: chunked\n\n0\n\n", "both"),
            ("Content-Length: 1\nContent-Length: 2\n\nab", "several"),
            ("Content-Length: 3\n\nab", "only 2 bytes"),
            ("Content-Length: 1\n\nab", "1 bytes follow"),
            ("Content-Length: +1\n\na", "not a number"),
            ("Content-Length: \n\na", "not a number"),
            ("Transfer-Encoding: gzip, chunked\n\n0\n\n", "can be decoded"),
            ("Transfer-Encoding: chunked\nTransfer-Encoding: chunked\n\n0\n\n", "can be decoded"),
            ("Transfer-Encoding: chunked\n\nabc", "not valid"),
            ("Transfer-Encoding: chunked\n\n5\nabc\n0\n\n", "not valid"),
            ("Transfer-Encoding: chunked\n\n0\n\nGET / HTTP/1.1", "more bytes"),
            ("X: 1\n 2\n\n", "continues"),
            ("no colon\n\n", "line 3"),
        ] {
            let error = body(&format!("{head}{rest}")).unwrap_err();
            assert!(error.contains(expected), "{rest:?}: {error}");
        }
        for line in ["", "GET", "GET /", "\u{fffd}"] {
            assert!(body(line).unwrap_err().contains("GET /path HTTP/1.1"), "{line}");
        }
    }
}
