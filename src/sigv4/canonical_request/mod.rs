//! Step 1, the same for signing and verifying: the canonical request, written to one buffer.

mod headers;
mod path;
mod query;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

pub(crate) use headers::{SignedHeaderList, words};
pub(crate) use query::{QueryIndex, SentPair, pairs};

use crate::redact::{REDACTED, is_secret_header, is_secret_parameter};
use crate::sigv4::payload::PayloadLine;
use crate::sigv4::rules::Rules;
use crate::text::wiped::Wiped;

/// The parts of a canonical request, chosen by the signer or the verifier.
pub(crate) struct Parts<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a [u8],
    pub(crate) query: &'a [u8],
    /// The query is known to be canonical, and nothing in it is left out.
    pub(crate) is_query_canonical: bool,
    /// Query parameters that are not signed.
    pub(crate) left_out: &'a [&'a str],
    pub(crate) rules: &'a Rules,
    /// Sorted.
    pub(crate) headers: &'a SignedHeaderList<'a>,
    /// The names of these headers as a list, if there is one already.
    pub(crate) signed_headers: Option<&'a [u8]>,
    pub(crate) payload: PayloadLine<'a>,
}

/// The position of a canonical request in its buffer.
#[derive(Clone)]
pub(crate) struct Assembled {
    /// From the start of the buffer.
    pub(crate) length: usize,
    pub(crate) signed_headers: Range<usize>,
}

impl Parts<'_> {
    /// Writes the canonical request to `out`, which must be empty, and reserves space for `more` bytes after it.
    pub(crate) fn assemble(&self, out: &mut Wiped<Vec<u8>>, more: usize) -> Assembled {
        let mut index = QueryIndex::new();
        if !self.is_query_canonical {
            index.read(self.query);
        }
        self.assemble_indexed(out, more, &mut index)
    }

    /// [`Parts::assemble`] with the index of the query, which is not needed if the query is canonical, and is of no use
    /// afterwards.
    pub(crate) fn assemble_indexed(
        &self,
        out: &mut Wiped<Vec<u8>>,
        more: usize,
        index: &mut QueryIndex<'_>,
    ) -> Assembled {
        let payload = self.payload.as_bytes();
        let signed_headers = self.assemble_up_to_payload(out, payload.len() + more, index);
        out.extend_from_slice(payload);
        Assembled { length: out.len(), signed_headers }
    }

    /// Writes all but the payload line. `index` is that of the query, and is of no use afterwards. Returns the range of the
    /// signed headers.
    pub(crate) fn assemble_up_to_payload(
        &self,
        out: &mut Wiped<Vec<u8>>,
        more: usize,
        index: &mut QueryIndex<'_>,
    ) -> Range<usize> {
        // An encoded byte takes three bytes, and every pair may gain a `=`.
        let query = if self.is_query_canonical || index.are_canonical() { 1 } else { 4 } * self.query.len();
        let target = 3 * self.path.len() + query;
        out.reserve(self.method.len() + target + self.headers.written_length() + 8 + more);
        out.extend_from_slice(self.method.as_bytes());
        out.push(b'\n');
        path::write_path(out, self.path, self.rules);
        out.push(b'\n');
        if self.is_query_canonical {
            out.extend_from_slice(self.query);
        } else {
            index.write_to(out, self.left_out);
        }
        out.push(b'\n');
        let signed_headers = self.headers.write_to(out, self.signed_headers);
        out.push(b'\n');
        signed_headers
    }
}

/// Step 1, the canonical request: the bytes that the signer and the verifier both compute. It has six parts: the
/// method, path, query, headers, names of the signed headers, and payload hash.
///
/// `Display` and `Debug` redact secrets such as session tokens, cookies, authorization headers and customer-provided
/// keys; [`CanonicalRequest::raw`] shows everything.
///
/// ```
/// use countersign::{Credentials, Payload, Request, Signer};
///
/// let credentials = Credentials::new("ASIAEXAMPLE", "secret")?.with_session_token("token")?;
/// let signer = Signer::new(credentials, "us-east-1", "execute-api")?;
/// let request = Request::new("GET", "/dev/a b?y=2&x=1", &[]).with_host("example.com");
/// let signed = signer.sign(&request, Payload::EMPTY, "20150830T123600Z".parse()?)?;
/// assert_eq!(
///     signed.canonical_request().to_string(),
///     "GET\n/dev/a%20b\nx=1&y=2\nhost:example.com\nx-amz-date:20150830T123600Z\n\
///      x-amz-security-token:[redacted]\n\nhost;x-amz-date;x-amz-security-token\n\
///      e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Create a canonical request](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-canonical-request)
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CanonicalRequest<'a>(&'a [u8]);

impl<'a> CanonicalRequest<'a> {
    /// Wraps a canonical request from another source, e.g. a test vector or an AWS error response.
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes that are hashed. They may contain a session token.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Returns a value that displays the canonical request with secrets redacted, as `Display` does. Invalid UTF-8 is
    /// replaced.
    pub fn redacted(&self) -> impl fmt::Display + 'a {
        Printed { text: self.0, redact: true }
    }

    /// Returns a value that displays the whole canonical request, including session tokens and cookies. Invalid UTF-8
    /// is replaced.
    pub fn raw(&self) -> impl fmt::Display + 'a {
        Printed { text: self.0, redact: false }
    }
}

impl fmt::Display for CanonicalRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.redacted().fmt(f)
    }
}

impl fmt::Debug for CanonicalRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CanonicalRequest({:?})", alloc::format!("{self}"))
    }
}

/// Returns the canonical form of a path as sent.
pub(crate) fn path_of(path: &[u8], rules: &Rules) -> Vec<u8> {
    let mut out = Vec::new();
    path::write_path(&mut out, path, rules);
    out
}

/// Removes dot segments and empty segments from a canonical path, as all services except S3 do.
pub(crate) fn normalized(canonical_path: &str) -> Vec<u8> {
    let rules = Rules { normalize_path: true, double_encode_path: false, ..Rules::GENERIC };
    path_of(canonical_path.as_bytes(), &rules)
}

struct Printed<'a> {
    text: &'a [u8],
    redact: bool,
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, line) in self.text.split(|byte| *byte == b'\n').enumerate() {
            if number > 0 {
                f.write_str("\n")?;
            }
            let line = String::from_utf8_lossy(line);
            if !self.redact {
                f.write_str(&line)?;
            } else if number == 2 {
                write_redacted_query(f, &line)?;
            } else {
                // Only header lines contain a colon. Input that isn't canonical is redacted in the same way.
                match line.split_once(':') {
                    Some((name, _)) if is_secret_header(name.trim()) => {
                        write!(f, "{name}:{REDACTED}")?;
                    }
                    _ => f.write_str(&line)?,
                }
            }
        }
        Ok(())
    }
}

fn write_redacted_query(f: &mut fmt::Formatter<'_>, query: &str) -> fmt::Result {
    for (index, pair) in query.split('&').enumerate() {
        if index > 0 {
            f.write_str("&")?;
        }
        match pair.split_once('=') {
            Some((name, _)) if is_secret_parameter(name) => {
                write!(f, "{name}={REDACTED}")?;
            }
            _ => f.write_str(pair)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn printing_redacts_and_raw_does_not() {
        let text = "GET\n/a:b\nX-Amz-Security-Token=TOKEN&X-Amz-Security%2DToken=TOKEN&a=1\ncookie:s=COOKIE\nhost:h\nx-amz-security-token:TOKEN\n\
                    x-amz-server-side-encryption-customer-key:KEY\n\ncookie;host\nUNSIGNED-PAYLOAD";
        let canonical = CanonicalRequest::from_bytes(text.as_bytes());
        assert_eq!(canonical.raw().to_string(), text);
        let redacted = "GET\n/a:b\nX-Amz-Security-Token=[redacted]&X-Amz-Security%2DToken=[redacted]&a=1\ncookie:[redacted]\nhost:h\n\
                        x-amz-security-token:[redacted]\nx-amz-server-side-encryption-customer-key:[redacted]\n\n\
                        cookie;host\nUNSIGNED-PAYLOAD";
        assert_eq!(canonical.to_string(), redacted);
        assert_eq!(canonical.redacted().to_string(), redacted);
        let debug = alloc::format!("{canonical:?}");
        assert!(["TOKEN", "COOKIE", "KEY"].iter().all(|secret| !debug.contains(secret)), "{debug}");
    }
}
