//! What a resolver remembers of the sessions that it refreshed, since a resolution itself has no memory.
//!
//! A session that can't be refreshed is tried again after 30 seconds, so that a program with many requests doesn't ask
//! for each of them. A session that was refreshed but could not be written back, e.g. because the home directory is
//! read-only, is kept in memory until another program changes its file: its old refresh token may no longer be valid.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::error::SourceError;
use crate::sigv4::timestamp::Timestamp;

/// The AWS CLI and the AWS SDKs wait as long between two attempts.
const SECONDS_BETWEEN_ATTEMPTS: i64 = 30;

/// A resolver knows few sessions; this only bounds memory.
const MOST_SESSIONS: usize = 64;

/// Shared by all clones of a resolver. The key is the path of the cache file.
#[derive(Clone, Default)]
pub(super) struct Refreshes(Arc<Mutex<BTreeMap<String, Session>>>);

struct Session {
    /// The hash of the file. When another program changes the file, everything else is forgotten.
    file: [u8; 32],
    unsaved: Option<Zeroizing<Vec<u8>>>,
    failure: Option<(Timestamp, NotRefreshed)>,
}

/// Why a session was not refreshed.
#[derive(Clone)]
pub(super) enum NotRefreshed {
    /// Only a new login helps; the text says why.
    NeedsLogin(String),
    /// It may work later.
    Error(SourceError),
}

impl From<SourceError> for NotRefreshed {
    fn from(error: SourceError) -> Self {
        Self::Error(error)
    }
}

impl fmt::Display for NotRefreshed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsLogin(reason) => f.write_str(reason),
            Self::Error(error) => error.fmt(f),
        }
    }
}

impl Refreshes {
    fn sessions(&self) -> MutexGuard<'_, BTreeMap<String, Session>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The contents that should have replaced those of a file.
    pub(super) fn unsaved(&self, path: &str, file: [u8; 32]) -> Option<Zeroizing<Vec<u8>>> {
        self.sessions().get(path).filter(|session| session.file == file)?.unsaved.clone()
    }

    /// Why a refresh failed less than 30 seconds ago.
    pub(super) fn recent_failure(&self, path: &str, file: [u8; 32], now: Timestamp) -> Option<NotRefreshed> {
        let sessions = self.sessions();
        let (at, reason) = sessions.get(path).filter(|session| session.file == file)?.failure.as_ref()?;
        let age = now.unix_seconds().saturating_sub(at.unix_seconds());
        (0..SECONDS_BETWEEN_ATTEMPTS).contains(&age).then(|| reason.clone())
    }

    pub(super) fn failed(&self, path: &str, file: [u8; 32], at: Timestamp, reason: NotRefreshed) {
        let unsaved = self.unsaved(path, file);
        self.insert(path, Session { file, unsaved, failure: Some((at, reason)) });
    }

    pub(super) fn not_saved(&self, path: &str, file: [u8; 32], contents: Zeroizing<Vec<u8>>) {
        self.insert(path, Session { file, unsaved: Some(contents), failure: None });
    }

    pub(super) fn saved(&self, path: &str) {
        self.sessions().remove(path);
    }

    fn insert(&self, path: &str, session: Session) {
        let mut sessions = self.sessions();
        if sessions.len() >= MOST_SESSIONS && !sessions.contains_key(path) {
            sessions.pop_first();
        }
        sessions.insert(path.into(), session);
    }
}
