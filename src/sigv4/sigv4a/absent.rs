//! A build without SigV4A: uninhabited types, so that no SigV4A code path can be reached.

pub(crate) const IS_BUILT_IN: bool = false;

#[derive(Clone, Copy)]
pub(crate) enum Der {}

impl Der {
    pub(crate) fn from_hex(_digits: &str) -> Option<Self> {
        None
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        match *self {}
    }

    pub(crate) fn hex(&self) -> ([u8; 144], usize) {
        match *self {}
    }
}

#[derive(Clone)]
pub(crate) enum KeyPair {}

impl KeyPair {
    pub(crate) fn derive(_access_key_id: &str, _aws4_secret: &[u8]) -> Option<Self> {
        None
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        match *self {}
    }

    pub(crate) fn sign_pieces(&self, _write_to: impl FnOnce(&mut dyn FnMut(&[u8]))) -> Der {
        match *self {}
    }
}

#[derive(Clone, Copy)]
pub(crate) enum PublicKey {}

impl PublicKey {
    pub(crate) fn of_nobody() -> Option<Self> {
        None
    }

    pub(crate) fn verify_pieces(&self, _write_to: impl FnOnce(&mut dyn FnMut(&[u8])), _signature: &Der) -> bool {
        match *self {}
    }
}
