use core::fmt;

use sha2::{Digest, Sha256};

use crate::hash::hex_of;
use crate::sigv4::canonical_request::CanonicalRequest;
use crate::sigv4::scope::Scope;
#[cfg(any(feature = "streaming", feature = "event-stream"))]
use crate::sigv4::signature::Signature;
use crate::sigv4::timestamp::Timestamp;
use crate::text::inline::Inline;

/// Step 2: algorithm, time, scope and the hash of the canonical request. It holds nothing secret.
///
/// What follows the request in links of its own, the chunks of a body, has strings to sign of another form.
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
    timestamp: Timestamp,
    scope: Scope<'a>,
    of: Of,
}

#[derive(Debug, Clone, Copy)]
enum Of {
    /// The hash of the canonical request.
    Request([u8; 32]),
    /// The same, under a time without `Z`: CodeCommit's.
    #[cfg(feature = "tokens")]
    GitRequest([u8; 32]),
    #[cfg(any(feature = "streaming", feature = "event-stream"))]
    Link(Link),
}

/// What is signed together with the signature before it: a chunk, a trailer, a message.
#[cfg(any(feature = "streaming", feature = "event-stream"))]
#[derive(Debug, Clone, Copy)]
struct Link {
    previous: Signature,
    signed: Linked,
}

#[cfg(any(feature = "streaming", feature = "event-stream"))]
#[derive(Debug, Clone, Copy)]
pub(crate) enum Linked {
    /// A chunk or message: the hash of the headers before its data, and of the data.
    Payload([u8; 32], [u8; 32]),
    /// The hash of the trailer.
    #[cfg(feature = "streaming")]
    Trailer([u8; 32]),
}

impl<'a> StringToSign<'a> {
    /// The string to sign of a canonical request.
    pub fn new(timestamp: Timestamp, scope: Scope<'a>, canonical_request: &CanonicalRequest<'_>) -> Self {
        Self::of_hash(timestamp, scope, Sha256::digest(canonical_request.as_bytes()).into())
    }

    pub(crate) fn of_hash(timestamp: Timestamp, scope: Scope<'a>, canonical_request_sha256: [u8; 32]) -> Self {
        Self { timestamp, scope, of: Of::Request(canonical_request_sha256) }
    }

    #[cfg(feature = "tokens")]
    pub(crate) fn of_git_hash(timestamp: Timestamp, scope: Scope<'a>, canonical_request_sha256: [u8; 32]) -> Self {
        Self { timestamp, scope, of: Of::GitRequest(canonical_request_sha256) }
    }

    /// The string to sign of a chunk of an `aws-chunked` body: its time and scope are those of the request, `previous` is
    /// the signature of the chunk before it, of the request before the first. A chunk of no data closes the body.
    ///
    /// AWS: [Defining the chunk body](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html#sigv4-chunked-body-definition)
    #[cfg(feature = "streaming")]
    pub fn of_chunk(timestamp: Timestamp, scope: Scope<'a>, previous: &Signature, data: &[u8]) -> Self {
        let signed = Linked::Payload(crate::hash::EMPTY_SHA256, crate::hash::sha256(data));
        Self::link(timestamp, scope, previous, signed)
    }

    /// The string to sign of the trailer behind the last chunk, whose signature is `previous`. Names are put in lower
    /// case and in order, white space around values is left out.
    ///
    /// ```
    /// use countersign::{Scope, Signature, StringToSign};
    ///
    /// let scope = Scope::parse("20130524/us-east-1/s3/aws4_request")?;
    /// let previous = "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992";
    /// let previous = Signature::from_hex(previous).unwrap();
    /// let trailers = [("x-amz-checksum-crc32c", b"sOO8/Q==".as_slice())];
    /// let string_to_sign = StringToSign::of_trailer("20130524T000000Z".parse()?, scope, &previous, trailers);
    /// assert_eq!(
    ///     string_to_sign.to_string(),
    ///     "AWS4-HMAC-SHA256-TRAILER\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n\
    ///      2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\n\
    ///      1e376db7e1a34a8ef1c4bcee131a2d60a1cb62503747488624e10995f448d774",
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// AWS: [Including trailing headers](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html)
    #[cfg(feature = "streaming")]
    pub fn of_trailer<'t>(
        timestamp: Timestamp,
        scope: Scope<'a>,
        previous: &Signature,
        trailers: impl IntoIterator<Item = (&'t str, &'t [u8])>,
    ) -> Self {
        let signed = Linked::Trailer(trailer_sha256(trailers.into_iter()));
        Self::link(timestamp, scope, previous, signed)
    }

    #[cfg(any(feature = "streaming", feature = "event-stream"))]
    pub(crate) fn link(timestamp: Timestamp, scope: Scope<'a>, previous: &Signature, signed: Linked) -> Self {
        Self { timestamp, scope, of: Of::Link(Link { previous: *previous, signed }) }
    }

    /// The text, on the stack unless region and service are very long.
    pub(crate) fn text(&self) -> Inline<u8, 320> {
        let mut text = Inline::new();
        self.write_to(|piece| text.extend_from_slice(piece));
        text
    }

    /// Hands over the text piece by piece: the one printer, for text and for the HMAC.
    pub(crate) fn write_to(&self, mut write: impl FnMut(&[u8])) {
        write(self.scope.algorithm().name().as_bytes());
        match self.of {
            Of::Request(_) => {}
            #[cfg(feature = "tokens")]
            Of::GitRequest(_) => {}
            #[cfg(any(feature = "streaming", feature = "event-stream"))]
            Of::Link(Link { signed: Linked::Payload(..), .. }) => write(b"-PAYLOAD"),
            #[cfg(feature = "streaming")]
            Of::Link(Link { signed: Linked::Trailer(_), .. }) => write(b"-TRAILER"),
        }
        write(b"\n");
        let time = self.timestamp.as_bytes();
        match self.of {
            #[cfg(feature = "tokens")]
            Of::GitRequest(_) => write(time.strip_suffix(b"Z").unwrap_or(time)),
            _ => write(time),
        }
        write(b"\n");
        for piece in self.scope.pieces() {
            write(piece.as_bytes());
        }
        write(b"\n");
        match self.of {
            Of::Request(canonical_request_sha256) => write(&hex_of(canonical_request_sha256)),
            #[cfg(feature = "tokens")]
            Of::GitRequest(canonical_request_sha256) => write(&hex_of(canonical_request_sha256)),
            #[cfg(any(feature = "streaming", feature = "event-stream"))]
            Of::Link(Link { previous, signed }) => {
                previous.write_hex(&mut write);
                write(b"\n");
                match signed {
                    Linked::Payload(headers_sha256, data_sha256) => {
                        write(&hex_of(headers_sha256));
                        write(b"\n");
                        write(&hex_of(data_sha256));
                    }
                    #[cfg(feature = "streaming")]
                    Linked::Trailer(sha256) => write(&hex_of(sha256)),
                }
            }
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

/// The hash of the trailer: a line `name:value` for each, names in lower case and in order, values trimmed.
#[cfg(feature = "streaming")]
pub(crate) fn trailer_sha256<'t>(trailers: impl Iterator<Item = (&'t str, &'t [u8])>) -> [u8; 32] {
    let mut sorted: alloc::vec::Vec<_> = trailers.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut hash = Sha256::new();
    for (name, value) in sorted {
        hash.update(name);
        hash.update(b":");
        hash.update(value.trim_ascii());
        hash.update(b"\n");
    }
    hash.finalize().into()
}

#[cfg(all(test, feature = "streaming"))]
mod tests {
    use super::*;

    /// The order of the canonical trailer is that of the names, whatever the order on the wire.
    #[test]
    fn the_hash_is_of_the_sorted_and_trimmed_lines() {
        let one = trailer_sha256([("b", &b"2"[..]), ("a", b" 1\t")].into_iter());
        assert_eq!(one, <[u8; 32]>::from(Sha256::digest(b"a:1\nb:2\n")));
    }
}
