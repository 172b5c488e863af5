//! Prints what is known of a request, without secrets.

use alloc::string::String;
use core::fmt;

use super::super::sent::{Auth, Sent};
use super::{Header, text_of};
use crate::redact::text::redacted;
use crate::redact::{REDACTED, is_secret_parameter};
use crate::text::{excerpt, split_once};

/// The headers whose values are shown. Any other header may hold a secret.
const SHOWN: [&str; 14] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "host",
    "transfer-encoding",
    "user-agent",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-decoded-content-length",
    "x-amz-target",
];

/// The most segments of a path and parameters of a query that are shown.
const MOST_SHOWN: usize = 64;

const SCHEMES: [&str; 6] = ["Basic", "Bearer", "Digest", "DPoP", "Negotiate", "NTLM"];

/// Parts of the names of parameters whose values may be secret.
const SECRET: [&str; 10] = ["token", "secret", "key", "sig", "pass", "pwd", "auth", "code", "session", "credential"];

/// Prints what is known of the request: method, path and query, host, headers, authentication and length of the body. Values
/// that may be secret are replaced with `[redacted]`. Requests that were not read from text print no query and no headers.
///
/// ```
/// use countersign::explain::Sent;
///
/// let sent = Sent::from_curl("curl -u user:password https://example.com/a/../b?token=c -d d=e")?;
/// assert_eq!(
///     sent.to_string(),
///     "POST /b?token=[redacted]\nhost: example.com\nAccept: */*\nAuthorization: [redacted]\n\
///      Content-Type: application/x-www-form-urlencoded\nContent-Length: 3\nauthentication: Basic\nbody: 3 bytes",
/// );
/// # Ok::<(), countersign::explain::InputError>(())
/// ```
impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", excerpt(self.method.as_bytes()), shown_path(self.path.as_bytes()))?;
        self.fmt_query(f)?;
        write!(f, "\nhost: {}", excerpt(self.host.as_bytes()))?;
        for header in self.read.headers.iter().filter(|header| !header.is("host")) {
            write!(f, "\n{}: {}", excerpt(header.name.as_bytes()), header.shown())?;
        }
        write!(f, "\nauthentication: {}", self.auth.shown())?;
        if !self.region.is_empty() || !self.service.is_empty() {
            write!(f, ", region {}, service {}", excerpt(self.region.as_bytes()), excerpt(self.service.as_bytes()))?;
        }
        match &self.read.body {
            Some(body) => write!(f, "\nbody: {} bytes", body.len()),
            None => f.write_str("\nbody: unknown"),
        }
    }
}

impl Sent {
    fn fmt_query(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((_, query)) = split_once(&self.read.target, b'?') else { return Ok(()) };
        for (index, pair) in query.split(|byte| *byte == b'&').take(MOST_SHOWN).enumerate() {
            let (name, equals, value) = match split_once(pair, b'=') {
                Some((name, value)) => (name, "=", value),
                None => (pair, "", b"".as_slice()),
            };
            let name = text_of(name);
            let lower = name.to_ascii_lowercase();
            let is_secret = is_secret_parameter(&name) || SECRET.iter().any(|part| lower.contains(part));
            let value = if is_secret && !value.is_empty() { REDACTED.into() } else { redacted(&excerpt(value)) };
            let name = redacted(&excerpt(name.as_bytes()));
            write!(f, "{}{name}{equals}{value}", if index == 0 { "?" } else { "&" })?;
        }
        Ok(())
    }
}

/// Each segment is redacted by itself, since a long path is not a token.
fn shown_path(path: &[u8]) -> String {
    let mut shown = String::new();
    for (index, segment) in path.split(|byte| *byte == b'/').take(MOST_SHOWN).enumerate() {
        if index > 0 {
            shown.push('/');
        }
        shown.push_str(&redacted(&excerpt(segment)));
    }
    shown
}

impl Header {
    fn shown(&self) -> String {
        match &self.value {
            None => "unknown".into(),
            Some(value) if self.is("x-amz-content-sha256") => excerpt(value),
            Some(value) if SHOWN.iter().any(|name| self.is(name)) => redacted(&excerpt(value)),
            Some(_) => REDACTED.into(),
        }
    }
}

impl Auth {
    fn shown(&self) -> String {
        match self {
            Self::Unknown => "unknown".into(),
            Self::None => "none".into(),
            Self::Signed => "SigV4".into(),
            Self::Presigned => "SigV4 in the query".into(),
            Self::Both => "SigV4 in the header and in the query".into(),
            Self::Version2 => "SigV2".into(),
            // An unknown scheme may be a misplaced token.
            Self::Other { scheme } => {
                let known = SCHEMES.iter().find(|known| scheme.eq_ignore_ascii_case(known));
                (*known.unwrap_or(&"another scheme")).into()
            }
            Self::Malformed { .. } => "malformed".into(),
        }
    }
}
