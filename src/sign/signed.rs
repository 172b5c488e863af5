use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use super::Stages;
use super::added::{Added, Header};
use crate::sigv4::authorization::PrintedScope;
use crate::sigv4::canonical_request::CanonicalRequest;
use crate::sigv4::signature::Signature;
use crate::sigv4::string_to_sign::StringToSign;
use crate::sigv4::timestamp::Timestamp;
use crate::text::wiped::Wiped;

/// The result of signing: the headers to add, and the result of each step.
///
/// ```
/// # use countersign::{Credentials, Payload, Request, Signer};
/// # let signer = Signer::new(Credentials::new("AKIDEXAMPLE", "secret")?, "us-east-1", "execute-api")?;
/// let request = Request::new("GET", "/dev/get-list", &[]).with_host("example.com");
/// let signed = signer.sign(&request, Payload::EMPTY, "20150830T123600Z".parse()?)?;
/// println!("{}", signed.canonical_request());
/// println!("{}", signed.string_to_sign());
/// assert!(signed.authorization().starts_with("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signed {
    /// The canonical request, followed by the values of the added headers.
    buffer: buffer::Buffer,
    stages: Stages,
    /// In the order of [`Header::ALL`]. The value of `x-amz-content-sha256` is the end of the canonical request.
    added: [Option<(&'static str, Range<usize>)>; 5],
    printed: PrintedScope,
}

impl Signed {
    /// Expects a buffer that contains the canonical request and the `Authorization` header. Inlined, since the result is
    /// large to move.
    #[inline(always)]
    pub(super) fn new(
        mut buffer: Wiped<Vec<u8>>,
        added: &Added<'_>,
        stages: Stages,
        authorization: Range<usize>,
        printed: PrintedScope,
    ) -> Self {
        let end = stages.canonical_request.length;
        let mut append = |value: &[u8]| {
            let start = buffer.len();
            buffer.extend_from_slice(value);
            start..buffer.len()
        };
        let named = |header: Header, range: Range<usize>| (header.name(added.rules), range);
        // In the order of `Header::ALL`.
        let added = [
            Some(named(Header::Date, append(added.date))),
            Some(named(Header::Authorization, authorization)),
            added.content_sha256.map(|value| named(Header::ContentSha256, end - value.len()..end)),
            added.session_token.map(|value| named(Header::SessionToken, append(value))),
            added.region_set.map(|value| named(Header::RegionSet, append(value))),
        ];
        Self { buffer: buffer::share(buffer), stages, added, printed }
    }

    /// Returns the headers to add, as lowercase names and values: `x-amz-date`, `authorization` and, if they are sent,
    /// `x-amz-content-sha256`, the session token and `x-amz-region-set`. Keep them out of logs.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.added.iter().flatten().map(|(name, range)| (*name, self.text(range)))
    }

    /// Returns the value of the `Authorization` header.
    pub fn authorization(&self) -> &str {
        let [_, authorization, ..] = &self.added;
        authorization.as_ref().map_or("", |(_, range)| self.text(range))
    }

    /// Returns the canonical request (step 1).
    pub fn canonical_request(&self) -> CanonicalRequest<'_> {
        CanonicalRequest::from_bytes(self.buffer.get(..self.stages.canonical_request.length).unwrap_or_default())
    }

    /// Returns the string to sign (step 2).
    pub fn string_to_sign(&self) -> StringToSign<'_> {
        self.stages.string_to_sign(self.text(&self.printed.region), self.text(&self.printed.service))
    }

    /// Returns the signature (step 4).
    pub fn signature(&self) -> Signature {
        self.stages.signature
    }

    pub(crate) fn timestamp(&self) -> Timestamp {
        self.stages.timestamp
    }

    fn text(&self, range: &Range<usize>) -> &str {
        core::str::from_utf8(self.buffer.get(range.clone()).unwrap_or_default()).unwrap_or_default()
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

/// With the feature `http`, the header values share the buffer instead of copying from it.
#[cfg(feature = "http")]
mod buffer {
    use alloc::vec::Vec;

    use crate::text::wiped::Wiped;

    pub(super) type Buffer = bytes::Bytes;

    /// A buffer that contains a session token is wiped when the last header value that shares it is dropped. Any other
    /// buffer is filled up to its capacity, since spare capacity would cost a second allocation.
    pub(super) fn share(buffer: Wiped<Vec<u8>>) -> Buffer {
        if buffer.is_secret() {
            return Buffer::from_owner(buffer);
        }
        let mut buffer = buffer.into_inner();
        if buffer.capacity() < 2 * buffer.len() {
            buffer.resize(buffer.capacity(), 0);
        }
        buffer.into()
    }

    impl super::Signed {
        /// Returns the added headers as slices of the shared buffer.
        pub(crate) fn shared_headers(&self) -> impl Iterator<Item = (&'static str, Buffer)> {
            self.added.iter().flatten().map(|(name, range)| (*name, self.buffer.slice(range.clone())))
        }

        /// Returns the value of one of these headers.
        pub(crate) fn value(&self, name: &str) -> &[u8] {
            let range = self.added.iter().flatten().find(|(added, _)| *added == name).map(|(_, range)| range.clone());
            range.and_then(|range| self.buffer.get(range)).unwrap_or_default()
        }
    }
}

#[cfg(not(feature = "http"))]
mod buffer {
    pub(super) type Buffer = crate::text::wiped::Wiped<alloc::vec::Vec<u8>>;

    pub(super) fn share(buffer: Buffer) -> Buffer {
        buffer
    }
}
