use core::fmt;

use super::canonical_request::CanonicalRequest;
use super::scope::Scope;
use super::signature::Signature;
use super::timestamp::Timestamp;
use crate::hash::{hex_of, sha256};
use crate::text::inline::Inline;

/// Step 2, the string to sign: the algorithm, the time, the credential scope and the hash of the canonical request. It
/// contains no secrets.
///
/// In a chunked body, each chunk and the trailer have their own string to sign, which contains the previous signature
/// and one or two hashes: see [`StringToSign::of_chunk`] and [`StringToSign::of_trailer`].
///
/// ```
/// use countersign::{CanonicalRequest, Scope, StringToSign};
///
/// let canonical_request = CanonicalRequest::from_bytes(
///     b"GET\n/\nAction=ListUsers&Version=2010-05-08\n\
///       content-type:application/x-www-form-urlencoded; charset=utf-8\nhost:iam.amazonaws.com\n\
///       x-amz-date:20150830T123600Z\n\ncontent-type;host;x-amz-date\n\
///       e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
/// );
/// let scope = Scope::parse("20150830/us-east-1/iam/aws4_request")?;
/// let string_to_sign = StringToSign::new("20150830T123600Z".parse()?, scope, &canonical_request);
/// assert_eq!(
///     string_to_sign.to_string(),
///     "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n\
///      f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// AWS: [Create a string to sign](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html#create-string-to-sign)
#[derive(Debug, Clone, Copy)]
pub struct StringToSign<'a> {
    /// Appended to the name of the algorithm; empty for a request.
    pub(super) suffix: &'static str,
    pub(super) timestamp: Timestamp,
    pub(super) scope: Scope<'a>,
    /// The previous signature in a chain.
    pub(super) previous: Option<Signature>,
    pub(super) hash: [u8; 32],
    pub(super) second_hash: Option<[u8; 32]>,
}

impl<'a> StringToSign<'a> {
    /// Returns the string to sign of a canonical request.
    pub fn new(timestamp: Timestamp, scope: Scope<'a>, canonical_request: &CanonicalRequest<'_>) -> Self {
        Self::of_hash(timestamp, scope, sha256(canonical_request.as_bytes()))
    }

    pub(crate) fn of_hash(timestamp: Timestamp, scope: Scope<'a>, canonical_request_sha256: [u8; 32]) -> Self {
        Self { suffix: "", timestamp, scope, previous: None, hash: canonical_request_sha256, second_hash: None }
    }

    /// Calls `read` with the whole text, which is on the stack unless the region and service are very long.
    pub(crate) fn with_text<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        let mut text: Inline<u8, 320> = Inline::new();
        self.write_to(|piece| text.extend_from_slice(piece));
        read(text.as_slice())
    }

    /// Calls `write` with each part of the text. This is the only formatter, for both `Display` and the HMAC.
    pub(crate) fn write_to(&self, mut write: impl FnMut(&[u8])) {
        write(self.scope.algorithm().name().as_bytes());
        if !self.suffix.is_empty() {
            write(self.suffix.as_bytes());
        }
        write(b"\n");
        write(self.timestamp.as_bytes());
        write(b"\n");
        self.scope.write_to(&mut write);
        write(b"\n");
        if let Some(previous) = &self.previous {
            previous.write_hex(&mut write);
            write(b"\n");
        }
        write(&hex_of(self.hash));
        if let Some(second) = self.second_hash {
            write(b"\n");
            write(&hex_of(second));
        }
    }
}

impl fmt::Display for StringToSign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut result = Ok(());
        self.write_to(|piece| {
            if result.is_ok() {
                result = f.write_str(core::str::from_utf8(piece).unwrap_or_default());
            }
        });
        result
    }
}
