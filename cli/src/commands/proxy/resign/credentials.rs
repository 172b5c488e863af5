//! The credentials of `[key.resign]`, cached and refreshed before they expire.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use countersign::sources::{CachedCredentials, CredentialCache, Environment, ResolveError, Resolved, Resolver};
use countersign::{Credentials, Identity, Timestamp};

use crate::args::TransportArgs;
use crate::serve::keys::{Key, Keys, Resign};

/// Loads the credentials of a profile, or of the environment. It may block.
pub type Load = Arc<dyn Fn(Option<&str>) -> Result<Resolved, ResolveError> + Send + Sync>;

/// Asks AWS's sources. There is nobody to ask for the code of an MFA device.
pub fn resolve(profile: Option<&str>) -> Result<Resolved, ResolveError> {
    let mut resolver = Resolver::new(Environment::of_process());
    if let Some(profile) = profile {
        resolver = resolver.with_profile(profile);
    }
    resolver.resolve(|ask| crate::credentials::send(ask, &TransportArgs::default()))
}

/// The caches of all keys, shared by those that name the same source.
pub struct Sources {
    load: Load,
    caches: Mutex<Caches>,
}

#[derive(Default)]
struct Caches {
    /// The keys file that they belong to. When it is read again, so are the credentials.
    keys: Option<Arc<Keys>>,
    by_source: HashMap<Source, Slot>,
}

/// `None` is the environment.
type Source = Option<String>;

#[derive(Clone, Default)]
struct Slot {
    cache: CredentialCache,
    /// From before the keys file was read again. They are used if new ones can't be had.
    before: Option<CredentialCache>,
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
    cache: Option<CredentialCache>,
    /// The last refresh failed, although the credentials should have been replaced by now.
    pub warning: Option<String>,
}

impl Found {
    pub fn credentials(&self) -> &Credentials {
        self.identity.credentials()
    }

    /// The upstream refused the credentials: the next request gets new ones.
    pub fn refused(&self) {
        if let Some(cache) = &self.cache {
            cache.invalidate(self.credentials());
        }
    }

    fn of_cache(cached: &CachedCredentials, cache: CredentialCache) -> Self {
        let warning = cached.refresh_error().map(|error| format!("the credentials can't be refreshed: {error}"));
        Self { identity: cached.identity().clone(), cache: Some(cache), warning }
    }
}

impl Sources {
    pub fn new(load: Load) -> Self {
        Self { load, caches: Mutex::default() }
    }

    /// Returns credentials that have not expired.
    pub async fn find(&self, keys: &Arc<Keys>, key: &Key) -> Result<Found, Missing> {
        let source = match &key.resign {
            None => return Err(Missing::NotNamed),
            Some(Resign::Static(credentials)) => return of_static(credentials),
            Some(Resign::Profile(profile)) => Some(profile.clone()),
            Some(Resign::Environment) => None,
        };
        let slot = self.slot(keys, &source);
        let load = Arc::clone(&self.load);
        let loaded = slot.cache.get_async(Timestamp::now, || in_background(load, source));
        match loaded.await {
            Ok(cached) => Ok(Found::of_cache(&cached, slot.cache.clone())),
            Err(error) => {
                let usable = slot.before.as_ref().and_then(|cache| cache.current(Timestamp::now()));
                let usable = usable.map(|cached| Found {
                    warning: Some(format!("the credentials of before are used: {error}")),
                    ..Found::of_cache(&cached, slot.cache.clone())
                });
                usable.ok_or_else(|| Missing::Failed(error.to_string()))
            }
        }
    }

    fn slot(&self, keys: &Arc<Keys>, source: &Source) -> Slot {
        let mut caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        if !caches.keys.as_ref().is_some_and(|own| Arc::ptr_eq(own, keys)) {
            caches.keys = Some(Arc::clone(keys));
            for slot in caches.by_source.values_mut() {
                let before = slot.cache.current(Timestamp::now()).is_some().then(|| slot.cache.clone());
                *slot = Slot { cache: CredentialCache::new(), before: before.or(slot.before.take()) };
            }
        }
        caches.by_source.entry(source.clone()).or_default().clone()
    }

    /// When the first of the cached credentials expire, for the metrics.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let caches = self.caches.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Timestamp::now();
        caches.by_source.values().filter_map(|slot| slot.cache.current(now)?.credentials().expires_at()).min()
    }
}

/// The signing key is derived for each request, which costs a few microseconds.
fn of_static(credentials: &Credentials) -> Result<Found, Missing> {
    match credentials.expires_at() {
        Some(expires_at) if expires_at <= Timestamp::now() => {
            Err(Missing::Failed(format!("the credentials in the keys file expired at {expires_at}")))
        }
        _ => Ok(Found { identity: credentials.clone().into(), cache: None, warning: None }),
    }
}

/// On a thread that may block. If the request that asked goes away meanwhile, another one that waits asks again.
async fn in_background(load: Load, source: Source) -> Result<Resolved, ResolveError> {
    let loading = tokio::task::spawn_blocking(move || load(source.as_deref()));
    match loading.await {
        Ok(loaded) => loaded,
        // The runtime is ending, or the source panicked.
        Err(error) => std::panic::resume_unwind(Box::new(error.to_string())),
    }
}
