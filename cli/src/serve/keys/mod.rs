//! The keys file: who may call, what each key may do, and with which credentials its requests are signed again.

mod allow;
mod derived;
mod file;
mod look_up;
mod table;
mod watch;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use countersign::Credentials;

pub use allow::{Allow, Asked, is_host};
use derived::Derived;
pub use file::load;
pub use look_up::LookUp;
pub use watch::watch;

use crate::serve::route::Route;

/// The keys file as it was read last.
#[derive(Debug, Default)]
pub struct Keys {
    by_id: HashMap<String, Arc<Key>>,
    pub routes: Vec<Route>,
    /// The files with secrets that it names. A change of them is a change of the keys.
    pub secret_files: Vec<PathBuf>,
}

/// A `[[key]]`.
#[derive(Debug)]
pub struct Key {
    pub credentials: Credentials,
    pub derived: Derived,
    pub allow: Vec<Allow>,
    #[allow(dead_code, reason = "the gate only checks that it is valid")]
    pub resign: Option<Resign>,
}

/// The credentials of `[key.resign]`.
#[derive(Debug)]
#[allow(dead_code, reason = "the gate only checks that it is valid")]
pub enum Resign {
    Profile(String),
    Static(Box<Credentials>),
    /// As AWS's tools find them in the environment.
    Environment,
}

impl Keys {
    pub fn find(&self, access_key_id: &str) -> Option<&Arc<Key>> {
        self.by_id.get(access_key_id)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.by_id.values()
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }
}

impl Key {
    pub fn permits(&self, asked: &Asked<'_>) -> bool {
        self.allow.is_empty() || self.allow.iter().any(|allow| allow.permits(asked))
    }
}

/// The keys that are used now. Requests that were begun keep those that they found.
#[derive(Clone, Debug, Default)]
pub struct CurrentKeys(Arc<RwLock<Arc<Keys>>>);

impl CurrentKeys {
    pub fn new(keys: Keys) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(keys))))
    }

    pub fn get(&self) -> Arc<Keys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub fn replace(&self, keys: Keys) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }
}
