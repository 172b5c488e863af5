//! Chained signatures, of the chunks of a body or the messages of an event stream. The chain starts with the signature
//! of the request, the seed signature.

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

/// The key, time and scope of the request, and the previous signature.
///
/// No link can be omitted, repeated or reordered, since each signature covers the previous one. `K` is a
/// [`SigningKey`], or an [`AnyKey`] for a verifier.
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

    /// Returns the date of the key.
    pub(crate) fn date(&self) -> &str {
        self.timestamp.date()
    }

    /// Sets the time of the next link. Each message of an event stream has its own time, and needs another key on
    /// another day.
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
        Scope::at(self.algorithm, &self.timestamp, &self.region, &self.service)
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
    /// Returns `true` if `presented` is the signature of the next link. The chain advances only in that case.
    #[must_use]
    pub(crate) fn verify(&mut self, link: Linked, presented: &Signature) -> bool {
        let matches = self.key.verify(&self.next(link), presented);
        if matches {
            self.previous = *presented;
        }
        matches
    }
}

/// The data that is signed together with the previous signature: a chunk, a trailer or a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Linked {
    /// A chunk or message: the hash of its headers and the hash of its data.
    Payload([u8; 32], [u8; 32]),
    /// The hash of the trailer.
    Trailer([u8; 32]),
}

impl<'a> StringToSign<'a> {
    /// Returns the string to sign of a chunk of an `aws-chunked` body. `timestamp` and `scope` are those of the
    /// request, and `previous` is the signature of the previous chunk, or of the request for the first chunk. An empty
    /// chunk ends the body.
    ///
    /// AWS: [Defining the chunk body](https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html#sigv4-chunked-body-definition)
    pub fn of_chunk(timestamp: Timestamp, scope: Scope<'a>, previous: &Signature, data: &[u8]) -> Self {
        let signed = Linked::Payload(EMPTY_SHA256, sha256(data));
        Self::link(timestamp, scope, previous, signed)
    }

    /// Returns the string to sign of the trailer after the last chunk, whose signature is `previous`. Names are
    /// lowercased and sorted, and whitespace around values is trimmed.
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

/// Returns the hash of the trailer: one line `name:value` per field, sorted by lowercase name, with values trimmed.
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

    /// The canonical trailer is sorted by name, regardless of the order on the wire.
    #[test]
    fn the_trailer_hash_covers_sorted_and_trimmed_lines() {
        let one = trailer_sha256([("b", &b"2"[..]), ("a", b" 1\t")].into_iter());
        assert_eq!(one, <[u8; 32]>::from(Sha256::digest(b"a:1\nb:2\n")));
    }
}
