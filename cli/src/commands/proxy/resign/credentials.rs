//! The credentials of `[key.resign]`, cached and refreshed before they expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign::{Credentials, Identity, Timestamp};

use crate::commands::proxy::source::Source;
use crate::serve::keys::{Key, Keys, Resign};
use crate::serve::own::OwnCredentials;

/// The sources of all keys, shared by those that name the same one.
pub struct Sources {
    own: OwnCredentials,
    slots: Mutex<Slots>,
}

#[derive(Default)]
struct Slots {
    /// The keys file that they belong to. When it is read again, so are the credentials.
    keys: Option<Arc<Keys>>,
    /// By profile; `None` is the environment.
    by_profile: HashMap<Option<String>, Slot>,
}

#[derive(Clone)]
struct Slot {
    source: Source,
    /// From before the keys file was read again. It is used if new credentials can't be had.
    before: Option<Source>,
}

/// Why a key has no credentials.
pub enum Missing {
    /// It has no `[key.resign]`.
    NotNamed,
    /// The source failed. What it says is for the log.
    Failed(String),
}

/// The identity to sign with, and what to do if the upstream refuses its credentials.
pub struct Found {
    pub identity: Identity,
    source: Option<Source>,
}

impl Found {
    pub fn credentials(&self) -> &Credentials {
        self.identity.credentials()
    }

    /// The upstream refused the credentials: the next request gets new ones.
    pub fn refused(&self) {
        if let Some(source) = &self.source {
            source.invalidate(self.credentials());
        }
    }
}

impl Sources {
    /// Begins to load the credentials of all keys. The runtime has to be there.
    pub fn new(keys: &Arc<Keys>, own: OwnCredentials) -> Self {
        let sources = Self { own, slots: Mutex::default() };
        keys.iter()
            .filter_map(|key| profile(key.resign.as_ref()?))
            .for_each(|profile| drop(sources.slot(keys, profile)));
        sources
    }

    /// Returns credentials that have not expired.
    pub async fn find(&self, keys: &Arc<Keys>, key: &Key) -> Result<Found, Missing> {
        let profile = match &key.resign {
            None => return Err(Missing::NotNamed),
            Some(Resign::Static(credentials)) => return of_static(credentials),
            Some(Resign::Profile(profile)) => Some(profile.clone()),
            Some(Resign::Environment) => None,
        };
        let slot = self.slot(keys, profile);
        let found = match slot.source.find().await {
            Ok(identity) => Ok(identity),
            Err(error) => slot.before.as_ref().and_then(Source::current).ok_or(error),
        };
        match found {
            Ok(identity) => Ok(Found { identity, source: Some(slot.source) }),
            Err(error) => Err(Missing::Failed(error.to_string())),
        }
    }

    fn slot(&self, keys: &Arc<Keys>, profile: Option<String>) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if !slots.keys.as_ref().is_some_and(|own| Arc::ptr_eq(own, keys)) {
            slots.keys = Some(Arc::clone(keys));
            let is_named = |own: &Option<String>| {
                keys.iter().any(|key| key.resign.as_ref().and_then(self::profile).as_ref() == Some(own))
            };
            slots.by_profile.retain(|profile, _| is_named(profile));
            for (profile, slot) in &mut slots.by_profile {
                let before = slot.source.current().map(|_| slot.source.clone());
                *slot = Slot { source: self.start(profile.as_deref()), before: before.or(slot.before.take()) };
            }
        }
        let start = || Slot { source: self.start(profile.as_deref()), before: None };
        slots.by_profile.entry(profile.clone()).or_insert_with(start).clone()
    }

    fn start(&self, profile: Option<&str>) -> Source {
        let source = Source::of_profile(profile, self.own.clone());
        let started = source.clone();
        tokio::spawn(async move { started.start().await });
        source
    }
}

/// The profile, `None` for the environment. Static credentials have no source.
fn profile(resign: &Resign) -> Option<Option<String>> {
    match resign {
        Resign::Profile(profile) => Some(Some(profile.clone())),
        Resign::Environment => Some(None),
        Resign::Static(_) => None,
    }
}

fn of_static(credentials: &Credentials) -> Result<Found, Missing> {
    match credentials.expires_at() {
        Some(expires_at) if expires_at <= Timestamp::now() => {
            Err(Missing::Failed(format!("the credentials in the keys file expired at {expires_at}")))
        }
        // The signing key is derived for each request, which costs a few microseconds.
        _ => Ok(Found { identity: credentials.clone().into(), source: None }),
    }
}
