//! Signatures that follow from one another: of the chunks of a body, or the messages of an event stream. The first is
//! that of the request, the seed.

use alloc::string::String;
use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::algorithm::Algorithm;
use super::scope::Scope;
use super::signature::Signature;
use super::signing_key::{AnyKey, SigningKey};
use super::string_to_sign::StringToSign;
use super::timestamp::Timestamp;
use crate::hash::{EMPTY_SHA256, sha256};

/// Key, time and scope of the request, and the signature before the next one.
///
/// No link can be left out, repeated or moved: each signature covers the one before it. `K` is a [`SigningKey`], or a
/// [`AnyKey`] for a side that only verifies.
#[derive(Clone)]
pub(crate) struct Chain<K = SigningKey> {
    key: K,
    timestamp: Timestamp,
    algorithm: Algorithm,
    region: String,
    service: String,
    previous: Signature,
}

impl<K> Chain<K> {
    pub(crate) fn new(key: K, timestamp: Timestamp, scope: &Scope<'_>, seed: Signature) -> Self {
        let (region, service) = (scope.region().into(), scope.service().into());
        Self { key, timestamp, algorithm: scope.algorithm(), region, service, previous: seed }
    }

    /// The day of the key.
    pub(crate) fn date(&self) -> &str {
        self.timestamp.date()
    }

    /// Each message of an event stream has a time of its own, and on another day another key.
    pub(crate) fn set_time(&mut self, timestamp: Timestamp) {
        self.timestamp = timestamp;
    }

    pub(crate) fn set_key(&mut self, key: K) {
        self.key = key;
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope::unchecked(self.algorithm, self.timestamp.date(), &self.region, &self.service)
    }

    fn next(&self, link: Linked) -> StringToSign<'_> {
        StringToSign::link(self.timestamp, self.scope(), &self.previous, link)
    }
}

impl Chain<SigningKey> {
    /// Signs the next link.
    pub(crate) fn sign(&mut self, link: Linked) -> Signature {
        self.previous = self.key.sign(&self.next(link));
        self.previous
    }
}

impl Chain<AnyKey> {
    /// Whether that is the signature of the next link; only then the chain goes on.
    #[must_use]
    pub(crate) fn verify(&mut self, link: Linked, presented: &Signature) -> bool {
        let matches = self.key.verify(&self.next(link), presented);
        if matches {
            self.previous = *presented;
        }
        matches
    }
}

/// What is signed together with the signature before it: a chunk, a trailer, a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Linked {
    /// A chunk or message: the hash of the headers before its data, and of the data.
    Payload([u8; 32], [u8; 32]),
    /// The hash of the trailer.
    Trailer([u8; 32]),
}

impl<'a> StringToSign<'a> {
    /// The string to sign of a chunk of an `aws-chunked` body: its time and scope are those of the request, `previous` is
    /// the signature of the chunk before it, of the request before the first. A chunk of no data closes the body.
    ///
    /// AWS: [Defining the chunk body](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html#sigv4-chunked-body-definition)
    pub fn of_chunk(timestamp: Timestamp, scope: Scope<'a>, previous: &Signature, data: &[u8]) -> Self {
        let signed = Linked::Payload(EMPTY_SHA256, sha256(data));
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
    pub fn of_trailer<'t>(
        timestamp: Timestamp,
        scope: Scope<'a>,
        previous: &Signature,
        trailers: impl IntoIterator<Item = (&'t str, &'t [u8])>,
    ) -> Self {
        let signed = Linked::Trailer(trailer_sha256(trailers.into_iter()));
        Self::link(timestamp, scope, previous, signed)
    }

    fn link(timestamp: Timestamp, scope: Scope<'a>, previous: &Signature, signed: Linked) -> Self {
        let (suffix, hash, second_hash) = match signed {
            Linked::Payload(headers_sha256, data_sha256) => ("-PAYLOAD", headers_sha256, Some(data_sha256)),
            Linked::Trailer(trailer_sha256) => ("-TRAILER", trailer_sha256, None),
        };
        Self { suffix, timestamp, scope, previous: Some(*previous), hash, second_hash }
    }
}

/// The hash of the trailer: a line `name:value` for each, names in lower case and in order, values trimmed.
pub(crate) fn trailer_sha256<'t>(trailers: impl Iterator<Item = (&'t str, &'t [u8])>) -> [u8; 32] {
    let mut sorted: Vec<_> = trailers.map(|(name, value)| (name.to_ascii_lowercase(), value)).collect();
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of the canonical trailer is that of the names, whatever the order on the wire.
    #[test]
    fn the_hash_is_of_the_sorted_and_trimmed_lines() {
        let one = trailer_sha256([("b", &b"2"[..]), ("a", b" 1\t")].into_iter());
        assert_eq!(one, <[u8; 32]>::from(Sha256::digest(b"a:1\nb:2\n")));
    }
}
