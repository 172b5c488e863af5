//! Signatures that follow from one another: of the chunks of a body, or the messages of an event stream. The first is
//! that of the request, the seed.

use alloc::string::String;

use crate::payload::hex_of;
use crate::scope::Scope;
use crate::signature::Signature;
#[cfg(feature = "event-stream")]
use crate::signing_key::KeyStanding;
use crate::signing_key::SigningKey;
use crate::timestamp::Timestamp;

/// The first line of the string to sign of a chunk, and of a message.
pub(crate) const PAYLOAD: &str = "AWS4-HMAC-SHA256-PAYLOAD";

/// Key, time and scope of the request, and the signature before the next one.
///
/// No link can be left out, repeated or moved: each signature covers the one before it.
#[derive(Clone)]
pub(crate) struct Chain {
    key: SigningKey,
    timestamp: Timestamp,
    region: String,
    service: String,
    previous: Signature,
}

impl Chain {
    pub(crate) fn new(key: SigningKey, timestamp: Timestamp, scope: &Scope<'_>, seed: Signature) -> Self {
        Self { key, timestamp, region: scope.region().into(), service: scope.service().into(), previous: seed }
    }

    /// Signs the next link: `first_line` names what it is, `hashes` stand for what it holds.
    pub(crate) fn sign(&mut self, first_line: &str, hashes: &[[u8; 32]]) -> Signature {
        self.previous = self.key.sign_pieces(|write| self.write_next(first_line, hashes, write));
        self.previous
    }

    /// Whether that is the signature of the next link; only then the chain goes on.
    #[must_use]
    pub(crate) fn verify(&mut self, first_line: &str, hashes: &[[u8; 32]], presented: &Signature) -> bool {
        let matches = self.key.verify_pieces(|write| self.write_next(first_line, hashes, write), presented);
        if matches {
            self.previous = *presented;
        }
        matches
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
    pub(crate) fn set_key(&mut self, key: SigningKey) {
        self.key = key;
    }

    #[cfg(feature = "event-stream")]
    pub(crate) fn standing(&self) -> KeyStanding {
        self.key.standing
    }

    fn write_next(&self, first_line: &str, hashes: &[[u8; 32]], write: &mut dyn FnMut(&[u8])) {
        let scope = Scope::unchecked(self.timestamp.date(), &self.region, &self.service);
        write(first_line.as_bytes());
        write(b"\n");
        write(self.timestamp.as_str().as_bytes());
        write(b"\n");
        scope.pieces().iter().for_each(|piece| write(piece.as_bytes()));
        write(b"\n");
        self.previous.write_hex(&mut *write);
        for hash in hashes {
            write(b"\n");
            write(&hex_of(*hash));
        }
    }
}
