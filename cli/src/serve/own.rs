//! The credentials that the proxy itself signs with, as `/readyz` and `/metrics` show them.

use std::sync::{Arc, Mutex, PoisonError};

use countersign::{Credentials, Timestamp};

/// What is known about them. There is nothing before the first attempt to load them, and never for the gate.
#[derive(Clone, Debug, Default)]
pub struct OwnCredentials(Arc<Mutex<Option<State>>>);

#[derive(Clone, Copy, Debug, Default)]
pub struct State {
    is_loaded: bool,
    pub expires_at: Option<Timestamp>,
    pub loads: u64,
    pub failures: u64,
}

impl State {
    pub fn is_valid(&self, now: Timestamp) -> bool {
        self.is_loaded && self.expires_at.is_none_or(|end| now < end)
    }
}

impl OwnCredentials {
    pub fn state(&self) -> Option<State> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn loaded(&self, credentials: &Credentials) {
        self.update(|state| {
            state.is_loaded = true;
            state.expires_at = credentials.expires_at();
            state.loads += 1;
        });
    }

    pub fn failed(&self) {
        self.update(|state| state.failures += 1);
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(self.0.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default());
    }
}
