//! Signatures that follow from one another: of the chunks of a body, or the messages of an event stream. The first is
//! that of the request, the seed.

use alloc::string::String;

use crate::sigv4::scope::Scope;
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::{SigningKey, VerifyingKey};
use crate::sigv4::string_to_sign::{Linked, StringToSign};
use crate::sigv4::timestamp::Timestamp;

/// Key, time and scope of the request, and the signature before the next one.
///
/// No link can be left out, repeated or moved: each signature covers the one before it. `K` is a [`SigningKey`], or a
/// [`VerifyingKey`] for whoever only verifies.
#[derive(Clone)]
pub(crate) struct Chain<K = SigningKey> {
    key: K,
    timestamp: Timestamp,
    region: String,
    service: String,
    previous: Signature,
}

impl<K> Chain<K> {
    pub(crate) fn new(key: K, timestamp: Timestamp, scope: &Scope<'_>, seed: Signature) -> Self {
        Self { key, timestamp, region: scope.region().into(), service: scope.service().into(), previous: seed }
    }

    /// The day of the key.
    #[cfg(feature = "event-stream")]
    pub(crate) fn date(&self) -> &str {
        self.timestamp.date()
    }

    /// Each message of an event stream has a time of its own, and on another day another key.
    #[cfg(feature = "event-stream")]
    pub(crate) fn set_time(&mut self, timestamp: Timestamp) {
        self.timestamp = timestamp;
    }

    #[cfg(feature = "event-stream")]
    pub(crate) fn set_key(&mut self, key: K) {
        self.key = key;
    }

    #[cfg(feature = "streaming")]
    pub(crate) fn algorithm(&self) -> crate::sigv4::algorithm::Algorithm {
        self.scope().algorithm()
    }

    fn scope(&self) -> Scope<'_> {
        Scope::unchecked(self.timestamp.date(), &self.region, &self.service)
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

impl Chain<VerifyingKey<'static>> {
    #[cfg(feature = "event-stream")]
    pub(crate) fn standing(&self) -> crate::sigv4::signing_key::KeyStanding {
        self.key.standing()
    }

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
