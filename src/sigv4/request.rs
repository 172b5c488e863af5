use core::fmt;

use alloc::borrow::Cow;
use alloc::string::String;

use super::headers::Headers;
use crate::text::{all, any, excerpt, is_forbidden_in_value, is_name, is_token, split_once};

/// A borrowed view of a request as sent on the wire, for both signing and verifying.
///
/// The target is the path and query of the request line, already percent-encoded by the client. It is never parsed into
/// a URL and serialized again. Header names may be in any case, and values are bytes. Nothing is copied.
///
/// In an S3 key, encode a `+` as `%2B` and a space as `%20`, as [`encode_path`](crate::encode_path) does. A literal `+`
/// in a path is signed as a plus, as most S3-compatible stores read it. S3 itself reads it as a space and refuses the
/// signature.
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
    /// Where the path ends: at the first `?`, or at the end of the target.
    pub(crate) path_length: usize,
    pub(crate) headers: Headers<'a>,
    pub(crate) authority: Option<&'a str>,
    pub(crate) scheme: Option<&'a str>,
}

/// The maximum number of headers of a request, and therefore of signed headers.
pub(crate) const MAX_HEADERS: usize = 1024;
/// The maximum number of query parameters, including empty ones between `&&`.
pub(crate) const MAX_QUERY_PAIRS: usize = 1024;
/// The maximum length of the path and query, in bytes.
pub(crate) const MAX_TARGET: usize = 65_536;

impl<'a> Request<'a> {
    /// Creates a request from its wire parts. `target` is `/path?query`, as a `&str` or bytes. It may be `*`, or lack
    /// the path. A full URL or a fragment (`#`) is an error when the request is signed or verified.
    pub fn new<T: AsRef<[u8]> + ?Sized>(method: &'a str, target: &'a T, headers: &'a [(&'a str, &'a [u8])]) -> Self {
        let target = target.as_ref();
        let path_length = split_once(target, b'?').map_or(target.len(), |(path, _)| path.len());
        Self { method, target, path_length, headers: Headers::Slice(headers), authority: None, scheme: None }
    }

    /// Sets the host (and port) to use if there is no `Host` header: the `:authority` of HTTP/2, or the host of the
    /// URL. User info and a default port are removed, as HTTP clients do.
    pub fn with_host(mut self, host: &'a str) -> Self {
        self.authority = Some(host);
        self
    }

    /// Sets the scheme: `http`, `https`, `ws` or `wss`. It determines the default port and is the start of a presigned
    /// URL. The default is `https`.
    pub fn with_scheme(mut self, scheme: &'a str) -> Self {
        self.scheme = Some(scheme);
        self
    }

    /// Returns the path and query, split at the first `?`.
    pub(crate) fn path_and_query(&self) -> (&'a [u8], &'a [u8]) {
        let (path, query) = self.target.split_at_checked(self.path_length).unwrap_or((self.target, b""));
        (path, query.get(1..).unwrap_or_default())
    }

    pub(crate) fn scheme(&self) -> &'a str {
        self.scheme.unwrap_or("https")
    }

    /// Returns the `:authority`, or the authority of an absolute URI.
    pub(crate) fn authority(&self) -> Option<&'a str> {
        self.authority
    }

    /// Returns `true` if a `Host` header names the host of an authority, ignoring case and the default port.
    pub(crate) fn is_same_host(&self, host: &[u8], authority: &str) -> bool {
        if host == authority.as_bytes() {
            return true;
        }
        let without_port = |host| host_of_authority(host, self.scheme()).as_bytes();
        let host = core::str::from_utf8(host).map(without_port).unwrap_or(host);
        host.eq_ignore_ascii_case(without_port(authority))
    }

    /// Returns the host to sign: the only `Host` header as sent, otherwise the host that a client sends for the
    /// authority.
    pub(crate) fn host(&self) -> Result<&'a [u8], RequestError> {
        let mut given = None;
        for (name, value) in self.headers.iter() {
            if is_name(name, "host") && given.replace(value).is_some() {
                return Err(RequestError::RepeatedHost);
            }
        }
        self.host_or(given.map(<[u8]>::trim_ascii))
    }

    /// Like [`Request::host`], for the trimmed value of the only `Host` header.
    pub(crate) fn host_or(&self, header: Option<&'a [u8]>) -> Result<&'a [u8], RequestError> {
        match (header, self.authority) {
            // Most authorities are signed as they are.
            (None, Some(authority)) if is_plain_host(authority.as_bytes()) => Ok(authority.as_bytes()),
            _ => check_host(self.given_host(header)),
        }
    }

    /// [`Request::host_or`] without the check.
    pub(crate) fn given_host(&self, header: Option<&'a [u8]>) -> &'a [u8] {
        let of_authority = || host_of_authority(self.authority.unwrap_or_default(), self.scheme()).as_bytes();
        header.unwrap_or_else(of_authority)
    }

    /// Runs the checks that are the same for signing and verifying. A raw space and bytes above 0x7F in the target are
    /// allowed, and are encoded in the canonical request.
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
        // This comes before any code that iterates over the pairs.
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
            // The types of the `http` crate can't hold anything invalid.
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

    /// Servers interpret any other target in different ways: as a URL, relative to the root, or not at all.
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

/// Shows only the method, the path and the header names, since a query or a header value may contain credentials.
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
    /// Creates an error for a value that must be ASCII text but isn't. It reports the first byte that is not ASCII or
    /// that a header value can't contain.
    pub(crate) fn not_ascii(name: &str, value: &[u8]) -> Self {
        let is_wrong = |byte: &u8| !byte.is_ascii() || (byte.is_ascii_control() && *byte != b'\t');
        let byte = value.iter().copied().find(is_wrong).unwrap_or_default();
        Self::HeaderValue { name: excerpt(name.as_bytes()), byte }
    }
}

/// An error for a request that can be neither signed nor verified.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The method is empty or not a token ([RFC 9110 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)).
    #[error("{got:?} is not a valid HTTP method")]
    Method {
        /// The method, shortened if it is long.
        got: String,
    },
    /// The path or query contains a control byte (below 0x20, or 0x7F).
    #[error("the path and query contain the control byte {byte:#04x} at byte {position}; encode it as %{byte:02X}")]
    TargetControlByte {
        /// The byte.
        byte: u8,
        /// Its byte offset.
        position: usize,
    },
    /// The path or query contains a `#`. Clients never send a fragment, and code that parses a target as a URL drops
    /// everything after a `#`.
    #[error("the path and query contain a '#' at byte {position}; remove the fragment, or encode the '#' as %23")]
    Fragment {
        /// Its byte offset.
        position: usize,
    },
    /// The target is a full URL.
    #[error(
        "the target is a full URL; pass only its path and query, e.g. /items?limit=25, and pass the host separately"
    )]
    TargetIsUrl,
    /// The path is neither empty nor `*` and does not start with `/`, or an `http::Uri` contains only an authority.
    #[error("the target {got:?} does not start with '/'; pass the path and query, e.g. /items?limit=25")]
    TargetWithoutSlash {
        /// The path, shortened if it is long.
        got: String,
    },
    /// The path and query are too long.
    #[error("the path and query are {length} bytes long; the limit is {limit}")]
    TargetTooLong {
        /// The length in bytes.
        length: usize,
        /// The limit in bytes.
        limit: usize,
    },
    /// There are too many query parameters.
    #[error("the query has too many parameters; the limit is {limit}")]
    TooManyQueryPairs {
        /// The maximum number.
        limit: usize,
    },
    /// There are too many headers.
    #[error("the request has {count} headers; the limit is {limit}")]
    TooManyHeaders {
        /// The number of headers.
        count: usize,
        /// The maximum number.
        limit: usize,
    },
    /// A header name is empty or not a token.
    #[error("{got:?} is not a valid header name")]
    HeaderName {
        /// The name, shortened if it is long.
        got: String,
    },
    /// A header value contains CR, LF or NUL or, if it must be ASCII, another byte that is not allowed.
    #[error(
        "the value of the header {name:?} contains the byte {byte:#04x}, which is not allowed; remove or encode it"
    )]
    HeaderValue {
        /// The header.
        name: String,
        /// The byte.
        byte: u8,
    },
    /// There is no `Host` header, and no other host was given.
    #[error("the request has no host to sign: add a Host header, call Request::with_host, or use an absolute URI")]
    MissingHost,
    /// There is more than one `Host` header.
    #[error("the request has more than one Host header; send only one")]
    RepeatedHost,
    /// The host contains whitespace, a control character, anything outside ASCII, or a character that would end the
    /// host.
    #[error("{got:?} is not a valid host name; write an internationalized name in its xn-- form")]
    Host {
        /// The host, shortened if it is long.
        got: String,
    },
}

/// Returns `true` for visible ASCII, except for what ends a host. Without `matches!`, which the compiler doesn't
/// vectorize.
fn is_host_byte(byte: u8) -> bool {
    let ends_host = (byte == b'/') | (byte == b'?') | (byte == b'#') | (byte == b'@') | (byte == b'\\');
    byte.is_ascii_graphic() & !ends_host
}

/// Returns `true` for a name of letters, digits, `-`, `.` and `_`: it is valid and has neither user info nor a port.
fn is_plain_host(host: &[u8]) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() | (byte == b'-') | (byte == b'.') | (byte == b'_');
    !host.is_empty() && all(host, is_plain)
}

/// Removes user info, a bare `:` and the default port of the scheme, as an HTTP client does for a URL's authority.
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

/// Returns the host if it is valid.
pub(crate) fn check_host(host: &[u8]) -> Result<&[u8], RequestError> {
    if host.is_empty() {
        Err(RequestError::MissingHost)
    } else if !all(host, is_host_byte) {
        Err(RequestError::Host { got: excerpt(host) })
    } else {
        Ok(host)
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
    fn the_reported_byte_is_in_the_value() {
        for (value, wrong) in [(&b"a\x01b"[..], 1), (b"a\tb\xff", 0xff), ("é".as_bytes(), 0xc3), (b"a\x7f", 0x7f)] {
            let error = RequestError::not_ascii("x-a", value);
            assert_eq!(error, RequestError::HeaderValue { name: "x-a".into(), byte: wrong });
        }
    }

    #[test]
    fn hosts_are_those_that_clients_send() {
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
    fn a_host_header_is_signed_as_sent() {
        let headers = [("HOST", b" example.com:443 ".as_slice())];
        let request = Request::new("GET", "/", &headers).with_host("other.example");
        assert_eq!(request.host().unwrap(), b"example.com:443");
        let twice = [("host", b"a".as_slice()), ("Host", b"a".as_slice())];
        assert_eq!(Request::new("GET", "/", &twice).host(), Err(RequestError::RepeatedHost));
        assert_eq!(Request::new("GET", "/", &[]).host(), Err(RequestError::MissingHost));
        assert_eq!(Request::new("GET", "/", &[]).with_host(":443").host(), Err(RequestError::MissingHost));
    }
}
