use core::fmt;

use alloc::borrow::Cow;
use alloc::string::String;

use super::headers::Headers;
use crate::text::{all, any, excerpt, is_forbidden_in_value, is_token, split_once};

/// A request as it stands on the wire: the view that both directions share.
///
/// `target` is path and query of the request line, already percent-encoded by the client; it is never parsed into a
/// URL and written back. Header names may be in any case, values are bytes. Nothing is copied.
///
/// Send a `+` in an S3 key as `%2B` and a space as `%20` ([`encode_path`](crate::encode_path) writes both). A raw `+` in a
/// path is signed as a plus, as most compatible stores read it; S3 itself reads a space there, and refuses the signature.
///
/// ```
/// use countersign::Request;
///
/// let headers = [("accept", b"application/json".as_slice())];
/// let request = Request::new("GET", "/dev/get-list?limit=25", &headers)
///     .with_host("abc123.execute-api.us-east-1.amazonaws.com");
/// assert!(format!("{request:?}").contains("/dev/get-list"));
/// ```
#[derive(Clone, Copy)]
pub struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) target: &'a [u8],
    pub(crate) headers: Headers<'a>,
    pub(crate) authority: Option<&'a str>,
    pub(crate) scheme: Option<&'a str>,
}

/// The most headers of a request, and so of signed headers.
pub(crate) const MAX_HEADERS: usize = 1024;
/// The most query parameters, empty ones between `&&` among them.
pub(crate) const MAX_QUERY_PAIRS: usize = 1024;
/// The longest path and query, in bytes.
pub(crate) const MAX_TARGET: usize = 65_536;

impl<'a> Request<'a> {
    /// A request of wire parts. `target` is `/path?query`, a `&str` or bytes. It may be `*`, or lack the path; a whole URL
    /// and a fragment (`#`) are refused when it is signed or verified.
    pub fn new<T: AsRef<[u8]> + ?Sized>(method: &'a str, target: &'a T, headers: &'a [(&'a str, &'a [u8])]) -> Self {
        Self { method, target: target.as_ref(), headers: Headers::Slice(headers), authority: None, scheme: None }
    }

    /// The host (and port) to use where no `Host` header is among the headers: the `:authority` of HTTP/2, or the
    /// host of the URL. A default port and user info are left out, as HTTP clients do.
    pub fn with_host(mut self, host: &'a str) -> Self {
        self.authority = Some(host);
        self
    }

    /// `http`, `https`, `ws` or `wss`: which port is the default one, and how a presigned URL begins. `https` where
    /// it isn't said.
    pub fn with_scheme(mut self, scheme: &'a str) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// Path and query, split at the first `?`.
    pub(crate) fn path_and_query(&self) -> (&'a [u8], &'a [u8]) {
        split_once(self.target, b'?').unwrap_or((self.target, b""))
    }

    pub(crate) fn scheme(&self) -> &'a str {
        self.scheme.unwrap_or("https")
    }

    /// `:authority`, or the authority of an absolute URI.
    pub(crate) fn authority(&self) -> Option<&'a str> {
        self.authority
    }

    /// Whether a `Host` header names the host of an authority, with or without the default port.
    pub(crate) fn is_same_host(&self, host: &[u8], authority: &str) -> bool {
        if host == authority.as_bytes() {
            return true;
        }
        let without_port = |host| host_of_authority(host, self.scheme()).as_bytes();
        let host = core::str::from_utf8(host).map(without_port).unwrap_or(host);
        host.eq_ignore_ascii_case(without_port(authority))
    }

    /// The host to sign: the one `Host` header as it is sent, else what the client will make of the authority.
    pub(crate) fn host(&self) -> Result<&'a [u8], RequestError> {
        let mut given = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = match (given.next(), given.next()) {
            (Some(_), Some(_)) => return Err(RequestError::RepeatedHost),
            (Some((_, value)), None) => value.trim_ascii(),
            (None, _) => host_of_authority(self.authority.unwrap_or_default(), self.scheme()).as_bytes(),
        };
        if host.is_empty() {
            Err(RequestError::MissingHost)
        } else if !all(host, |byte| byte.is_ascii_graphic() & !matches!(byte, b'/' | b'?' | b'#' | b'@' | b'\\')) {
            Err(RequestError::Host { got: excerpt(host) })
        } else {
            Ok(host)
        }
    }

    /// What can be wrong with a request whichever way it goes. A raw space and bytes above 0x7F in the target are
    /// data, and encoded.
    pub(crate) fn check(&self) -> Result<(), RequestError> {
        let method = self.method;
        if !is_token(method) {
            return Err(RequestError::Method { got: excerpt(method.as_bytes()) });
        }
        if self.target.len() > MAX_TARGET {
            return Err(RequestError::TargetTooLong { length: self.target.len(), limit: MAX_TARGET });
        }
        self.check_target_bytes()?;
        self.check_target_form()?;
        // Before anything looks at the pairs one by one.
        if self.target.len() > MAX_QUERY_PAIRS && {
            let (_, query) = self.path_and_query();
            query.iter().filter(|byte| **byte == b'&').count() >= MAX_QUERY_PAIRS
        } {
            return Err(RequestError::TooManyQueryPairs { limit: MAX_QUERY_PAIRS });
        }
        let count = self.headers.len();
        if count > MAX_HEADERS {
            return Err(RequestError::TooManyHeaders { count, limit: MAX_HEADERS });
        }
        match self.headers {
            Headers::Slice(headers) => headers.iter().try_for_each(|(name, value)| check_header(name, value)),
            // Its types can't hold anything else.
            Headers::Map(_) => Ok(()),
        }
    }

    fn check_target_bytes(&self) -> Result<(), RequestError> {
        let is_forbidden = |byte: u8| byte.is_ascii_control() | (byte == b'#');
        if !any(self.target, is_forbidden) {
            return Ok(());
        }
        let mut bytes = self.target.iter().copied().enumerate();
        match bytes.find(|(_, byte)| is_forbidden(*byte)) {
            Some((position, b'#')) => Err(RequestError::Fragment { position }),
            Some((position, byte)) => Err(RequestError::TargetControlByte { byte, position }),
            None => Ok(()),
        }
    }

    /// Servers read any other target in different ways: as a URL, below the root, or not at all.
    fn check_target_form(&self) -> Result<(), RequestError> {
        if let [] | [b'/' | b'?', ..] | [b'*'] | [b'*', b'?', ..] = self.target {
            return Ok(());
        }
        let (path, _) = self.path_and_query();
        if path.windows(3).any(|window| window == b"://") {
            Err(RequestError::TargetIsUrl)
        } else {
            Err(RequestError::TargetWithoutSlash { got: excerpt(path) })
        }
    }
}

/// Shows method, path and header names: a query or a header value may be a credential.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (path, _) = self.path_and_query();
        let path: Cow<'_, str> = String::from_utf8_lossy(path);
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &path)
            .field("headers", &self.headers.iter().map(|(name, _)| name).collect::<alloc::vec::Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl<'a> From<&Request<'a>> for Request<'a> {
    fn from(request: &Request<'a>) -> Self {
        *request
    }
}

impl RequestError {
    /// A value that has to be ASCII text and isn't; names the first byte that a header value can't hold or that isn't
    /// ASCII.
    pub(crate) fn not_ascii(name: &str, value: &[u8]) -> Self {
        let is_wrong = |byte: &u8| !byte.is_ascii() || (byte.is_ascii_control() && *byte != b'\t');
        let byte = value.iter().copied().find(is_wrong).unwrap_or_default();
        Self::HeaderValue { name: excerpt(name.as_bytes()), byte }
    }
}

/// Why a request can neither be signed nor verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The method is empty or no token of [RFC 9110 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2).
    #[error("{got:?} is not an HTTP method")]
    Method {
        /// The method, shortened if it is long.
        got: String,
    },
    /// A control byte (below 0x20, or 0x7F) in path or query.
    #[error("byte {position} of the path and query is the control byte {byte:#04x}; encode it first, as %{byte:02X}")]
    TargetControlByte {
        /// The byte.
        byte: u8,
        /// Its offset in bytes.
        position: usize,
    },
    /// Path or query holds a `#`. Clients never send a fragment, and what follows a `#` is lost wherever a target is parsed
    /// as a URL.
    #[error("byte {position} of the path and query is a '#'; remove the fragment, or encode the '#' as %23")]
    Fragment {
        /// Its offset in bytes.
        position: usize,
    },
    /// The target is a whole URL.
    #[error("the target is a whole URL; pass only its path and query, e.g. /items?limit=25, and the host separately")]
    TargetIsUrl,
    /// The path is neither empty nor `*`, and does not begin with `/`; for an `http::Uri`, it holds an authority alone.
    #[error("the target {got:?} does not begin with '/'; pass path and query, e.g. /items?limit=25")]
    TargetWithoutSlash {
        /// The path, shortened if it is long.
        got: String,
    },
    /// Path and query are too long.
    #[error("path and query have {length} bytes, at most {limit} are taken")]
    TargetTooLong {
        /// Bytes.
        length: usize,
        /// Bytes.
        limit: usize,
    },
    /// There are too many query parameters.
    #[error("more than {limit} query parameters")]
    TooManyQueryPairs {
        /// How many are taken.
        limit: usize,
    },
    /// There are too many headers.
    #[error("{count} headers, at most {limit} are taken")]
    TooManyHeaders {
        /// How many there are.
        count: usize,
        /// How many are taken.
        limit: usize,
    },
    /// A header's name is empty or no token.
    #[error("{got:?} is not a header name")]
    HeaderName {
        /// The name, shortened if it is long.
        got: String,
    },
    /// A header's value holds CR, LF or NUL; or, where it has to be ASCII, another byte.
    #[error("the value of the header {name:?} holds the byte {byte:#04x}, which it can't hold")]
    HeaderValue {
        /// The header.
        name: String,
        /// The byte.
        byte: u8,
    },
    /// There is no `Host` header, and no other host was given.
    #[error("there is no host to sign: add a Host header, give one with Request::with_host, or use an absolute URI")]
    MissingHost,
    /// There is more than one `Host` header.
    #[error("there is more than one Host header")]
    RepeatedHost,
    /// The host holds white space, control characters, anything outside ASCII, or a character that ends a host.
    #[error("{got:?} is not a host name; an international name has to be in its xn-- form")]
    Host {
        /// The host, shortened if it is long.
        got: String,
    },
}

/// Without user info, a bare `:` and the default port of the scheme: what an HTTP client sends for a URL's authority.
fn host_of_authority<'a>(authority: &'a str, scheme: &str) -> &'a str {
    if !any(authority.as_bytes(), |byte| (byte == b'@') | (byte == b':')) {
        return authority;
    }
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let default_port = match scheme {
        "http" | "ws" => "80",
        _ => "443",
    };
    match host.rsplit_once(':') {
        // A colon inside the brackets belongs to an IPv6 address.
        Some((name, port)) if !port.contains(']') && (port.is_empty() || port == default_port) => name,
        _ => host,
    }
}

fn check_header(name: &str, value: &[u8]) -> Result<(), RequestError> {
    if !is_token(name) {
        return Err(RequestError::HeaderName { got: excerpt(name.as_bytes()) });
    }
    if !any(value, is_forbidden_in_value) {
        return Ok(());
    }
    let byte = value.iter().copied().find(|byte| is_forbidden_in_value(*byte)).unwrap_or_default();
    Err(RequestError::HeaderValue { name: excerpt(name.as_bytes()), byte })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_byte_that_is_named_is_in_the_value() {
        for (value, wrong) in [(&b"a\x01b"[..], 1), (b"a\tb\xff", 0xff), ("é".as_bytes(), 0xc3), (b"a\x7f", 0x7f)] {
            let error = RequestError::not_ascii("x-a", value);
            assert_eq!(error, RequestError::HeaderValue { name: "x-a".into(), byte: wrong });
        }
    }

    #[test]
    fn host_as_a_client_sends_it() {
        for (authority, scheme, host) in [
            ("example.com", "https", "example.com"),
            ("example.com:443", "https", "example.com"),
            ("example.com:443", "wss", "example.com"),
            ("example.com:443", "http", "example.com:443"),
            ("example.com:80", "http", "example.com"),
            ("example.com:80", "https", "example.com:80"),
            ("example.com:", "https", "example.com"),
            ("example.com:8443", "https", "example.com:8443"),
            ("user:pass@example.com:443", "https", "example.com"),
            ("[::1]", "http", "[::1]"),
            ("[::1]:80", "http", "[::1]"),
            ("[2001:db8::443]", "https", "[2001:db8::443]"),
            ("[2001:db8::443]:8443", "https", "[2001:db8::443]:8443"),
        ] {
            assert_eq!(host_of_authority(authority, scheme), host, "{authority} {scheme}");
        }
    }

    #[test]
    fn a_host_header_is_signed_as_it_is_sent() {
        let headers = [("HOST", b" example.com:443 ".as_slice())];
        let request = Request::new("GET", "/", &headers).with_host("other.example");
        assert_eq!(request.host().unwrap(), b"example.com:443");
        let twice = [("host", b"a".as_slice()), ("Host", b"a".as_slice())];
        assert_eq!(Request::new("GET", "/", &twice).host(), Err(RequestError::RepeatedHost));
        assert_eq!(Request::new("GET", "/", &[]).host(), Err(RequestError::MissingHost));
        assert_eq!(Request::new("GET", "/", &[]).with_host(":443").host(), Err(RequestError::MissingHost));
    }
}
