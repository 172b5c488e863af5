use alloc::sync::Arc;
use core::fmt;

use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::Scope;
use crate::sigv4::signing_key::SigningKey;
use crate::sigv4::timestamp::Timestamp;

/// Credentials together with the signing keys derived from them.
///
/// Cloning is cheap, and all clones share the keys: one identity serves any number of signers and threads. A signing
/// key is derived once per day, region and service and cached (with the feature `std`; without it, the key is derived
/// for each signature). Rotated credentials are a new identity, so a stale key can't be used: see
/// [`Signer::with_identity`](crate::Signer::with_identity).
///
/// ```
/// use countersign::{Credentials, Identity, Payload, Request, Signer};
///
/// let identity = Identity::new(Credentials::new("AKIDEXAMPLE", "secret")?);
/// let api = Signer::new(identity.clone(), "us-east-1", "execute-api")?;
/// let table = Signer::new(identity, "us-east-1", "dynamodb")?;
///
/// // The same signer after a credential rotation.
/// let rotated = Identity::new(Credentials::new("AKIDROTATED", "another-secret")?);
/// let api = api.with_identity(rotated);
/// assert_eq!(api.credentials().access_key_id(), "AKIDROTATED");
/// assert_eq!(table.credentials().access_key_id(), "AKIDEXAMPLE");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Identity(Arc<Shared>);

struct Shared {
    credentials: Credentials,
    keys: cache::Keys,
}

impl Identity {
    /// Creates an identity with these credentials. No keys are derived yet.
    pub fn new(credentials: Credentials) -> Self {
        Self(Arc::new(Shared { credentials, keys: cache::Keys::new() }))
    }

    /// Returns the credentials.
    pub fn credentials(&self) -> &Credentials {
        &self.0.credentials
    }

    /// Calls `sign` with the key of a scope, whose date is that of `now`.
    pub(super) fn with_key<T>(&self, now: Timestamp, scope: &Scope<'_>, sign: impl FnOnce(&SigningKey) -> T) -> T {
        self.0.keys.with(now, scope, || SigningKey::derive(&self.0.credentials, scope), sign)
    }
}

impl From<Credentials> for Identity {
    fn from(credentials: Credentials) -> Self {
        Self::new(credentials)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Identity").field(self.credentials()).finish()
    }
}

#[cfg(feature = "std")]
mod cache {
    use alloc::boxed::Box;
    use alloc::string::String;
    use alloc::vec::Vec;
    use std::sync::{PoisonError, RwLock};

    use super::{Scope, SigningKey, Timestamp};

    /// The maximum number of cached keys. The oldest is removed first.
    const MOST: usize = 32;

    pub(super) struct Keys(RwLock<Vec<Entry>>);

    struct Entry {
        day: Timestamp,
        region: String,
        service: String,
        /// Boxed, because a vector leaves copies of its elements behind when it grows or removes one.
        key: Box<SigningKey>,
    }

    impl Keys {
        pub(super) fn new() -> Self {
            Self(RwLock::new(Vec::new()))
        }

        pub(super) fn with<T>(
            &self,
            now: Timestamp,
            scope: &Scope<'_>,
            derive: impl FnOnce() -> SigningKey,
            sign: impl FnOnce(&SigningKey) -> T,
        ) -> T {
            let is_it = |entry: &Entry| {
                entry.day.same_day(&now) && entry.region == scope.region() && entry.service == scope.service()
            };
            let entries = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = entries.iter().find(|entry| is_it(entry)) {
                return sign(&entry.key);
            }
            drop(entries);
            let mut entries = self.0.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have derived it in the meantime.
            if let Some(entry) = entries.iter().find(|entry| is_it(entry)) {
                return sign(&entry.key);
            }
            entries.retain(|entry| entry.day.same_day(&now));
            if entries.len() >= MOST {
                entries.remove(0);
            }
            let (region, service, key) = (scope.region().into(), scope.service().into(), Box::new(derive()));
            let result = sign(&key);
            entries.push(Entry { day: now, region, service, key });
            result
        }
    }
}

/// Without `std` there is no lock and therefore no cache.
#[cfg(not(feature = "std"))]
mod cache {
    use super::{Scope, SigningKey, Timestamp};

    pub(super) struct Keys;

    impl Keys {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) fn with<T>(
            &self,
            _now: Timestamp,
            _scope: &Scope<'_>,
            derive: impl FnOnce() -> SigningKey,
            sign: impl FnOnce(&SigningKey) -> T,
        ) -> T {
            sign(&derive())
        }
    }
}
