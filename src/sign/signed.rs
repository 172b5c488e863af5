use core::fmt;
use core::ops::Range;

use crate::sigv4::authorization::PrintedScope;
use crate::sigv4::canonical_request::CanonicalRequest;
use crate::sigv4::scope::Scope;
use crate::sigv4::signature::Signature;
use crate::sigv4::string_to_sign::StringToSign;
use crate::sigv4::timestamp::Timestamp;

/// With `http`, the header values share the buffer instead of copying from it.
#[cfg(feature = "http")]
pub(super) type Buffer = bytes::Bytes;
#[cfg(not(feature = "http"))]
pub(super) type Buffer = alloc::vec::Vec<u8>;

/// A full vector is shared as it is; room to spare would cost a second allocation.
#[cfg(feature = "http")]
pub(super) fn share(mut buffer: alloc::vec::Vec<u8>) -> Buffer {
    if buffer.capacity() < 2 * buffer.len() {
        buffer.resize(buffer.capacity(), 0);
    }
    buffer.into()
}

/// What signing found: the headers to add, and each stage for whoever wants to follow.
///
/// ```
/// # use countersign::{Credentials, Payload, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "execute-api");
/// let request = Request::new("GET", "/dev/get-list", &[]).with_host("example.com");
/// let signed = signer.sign(&request, Payload::EMPTY, "20150830T123600Z".parse()?)?;
/// println!("{}", signed.canonical_request());
/// println!("{}", signed.string_to_sign());
/// assert!(signed.authorization().starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signed {
    /// The canonical request, the Authorization header, the session token, the date, the region set.
    pub(super) buffer: Buffer,
    pub(super) canonical_request: Range<usize>,
    pub(super) authorization: Range<usize>,
    pub(super) content_sha256: Option<Range<usize>>,
    pub(super) session_token: Option<(&'static str, Range<usize>)>,
    pub(super) region_set: Option<Range<usize>>,
    #[cfg(feature = "http")]
    pub(super) date: Range<usize>,
    pub(super) printed: PrintedScope,
    pub(super) timestamp: Timestamp,
    pub(super) canonical_request_sha256: [u8; 32],
    pub(super) signature: Signature,
}

impl Signed {
    /// The headers to add, lower-case name and value: `x-amz-date`, `authorization` and, where they are sent,
    /// `x-amz-content-sha256`, the session token and `x-amz-region-set`. Keep them out of logs.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let content_sha256 = self.content_sha256.clone().map(|range| ("x-amz-content-sha256", self.text(range)));
        let session_token = self.session_token.clone().map(|(name, range)| (name, self.text(range)));
        let region_set = self.region_set.clone().map(|range| ("x-amz-region-set", self.text(range)));
        [("x-amz-date", self.timestamp.as_str()), ("authorization", self.authorization())]
            .into_iter()
            .chain(content_sha256)
            .chain(session_token)
            .chain(region_set)
    }

    /// The value of the `Authorization` header.
    pub fn authorization(&self) -> &str {
        self.text(self.authorization.clone())
    }

    /// Step 1.
    pub fn canonical_request(&self) -> CanonicalRequest<'_> {
        CanonicalRequest::from_bytes(self.buffer.get(self.canonical_request.clone()).unwrap_or_default())
    }

    /// Step 2.
    pub fn string_to_sign(&self) -> StringToSign<'_> {
        let PrintedScope { region, service } = self.printed.clone();
        let scope = Scope::unchecked(self.timestamp.date(), self.text(region), self.text(service));
        StringToSign::of_hash(self.timestamp, scope, self.canonical_request_sha256)
    }

    /// Step 4.
    pub fn signature(&self) -> Signature {
        self.signature
    }

    #[cfg(feature = "explain")]
    pub(crate) fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    fn text(&self, range: Range<usize>) -> &str {
        core::str::from_utf8(self.buffer.get(range).unwrap_or_default()).unwrap_or_default()
    }

    /// The same, as parts of the shared buffer.
    #[cfg(feature = "http")]
    pub(crate) fn shared_headers(&self) -> impl Iterator<Item = (&'static str, bytes::Bytes)> {
        let content_sha256 = self.content_sha256.clone().map(|range| ("x-amz-content-sha256", range));
        [("x-amz-date", self.date.clone()), ("authorization", self.authorization.clone())]
            .into_iter()
            .chain(content_sha256)
            .chain(self.session_token.clone())
            .chain(self.region_set.clone().map(|range| ("x-amz-region-set", range)))
            .map(|(name, range)| (name, self.buffer.slice(range)))
    }
}

impl fmt::Debug for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signed")
            .field("canonical_request", &self.canonical_request())
            .field("string_to_sign", &self.string_to_sign())
            .finish_non_exhaustive()
    }
}
