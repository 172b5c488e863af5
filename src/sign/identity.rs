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
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{PoisonError, RwLock};

    use super::{Scope, SigningKey, Timestamp};

    /// The maximum number of keys that a share holds. The oldest is removed first.
    const MOST: usize = 32;
    /// How many threads can sign with one identity before two of them use the same lock.
    const SHARES: usize = 16;

    /// Each thread uses one share. Locking writes to the lock even for reading, so with a single lock every signature
    /// would wait for the processor core that used it last. The price is that a key is derived once per share.
    pub(super) struct Keys([Share; SHARES]);

    /// Aligned so that no two shares are on one cache line, or on two that the processor fetches together.
    #[repr(align(128))]
    struct Share(RwLock<Vec<Entry>>);

    struct Entry {
        day: Timestamp,
        region: String,
        service: String,
        /// Boxed, because a vector leaves copies of its elements behind when it grows or removes one.
        key: Box<SigningKey>,
    }

    impl Keys {
        pub(super) fn new() -> Self {
            Self(core::array::from_fn(|_| Share(RwLock::new(Vec::new()))))
        }

        pub(super) fn with<T>(
            &self,
            now: Timestamp,
            scope: &Scope<'_>,
            derive: impl FnOnce() -> SigningKey,
            sign: impl FnOnce(&SigningKey) -> T,
        ) -> T {
            let Share(entries) = self.of_this_thread();
            let is_it = |entry: &Entry| {
                entry.day.same_day(&now) && entry.region == scope.region() && entry.service == scope.service()
            };
            let found = entries.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = found.iter().find(|entry| is_it(entry)) {
                return sign(&entry.key);
            }
            drop(found);
            let mut entries = entries.write().unwrap_or_else(PoisonError::into_inner);
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

        fn of_this_thread(&self) -> &Share {
            static THREADS: AtomicUsize = AtomicUsize::new(0);
            std::thread_local! {
                static NUMBER: usize = THREADS.fetch_add(1, Ordering::Relaxed);
            }
            let Self([first, ..]) = self;
            // A destructor of another thread-local value may sign after this one is gone.
            let share = NUMBER.try_with(|number| number % SHARES).unwrap_or_default();
            self.0.get(share).unwrap_or(first)
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::sigv4::credentials::Credentials;

        fn count_derivation(keys: &Keys, now: &str, region: &str, derived: &AtomicUsize) {
            let now: Timestamp = now.parse().unwrap();
            let scope = Scope::new(now.date(), region, "s3").unwrap();
            let derive = || {
                derived.fetch_add(1, Ordering::Relaxed);
                SigningKey::derive(&Credentials::new("AKIDEXAMPLE", "secret").unwrap(), &scope)
            };
            keys.with(now, &scope, derive, |_| ());
        }

        #[test]
        fn more_threads_than_shares_derive_a_key_once_per_share() {
            let (keys, derived) = (Keys::new(), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for _ in 0..3 * SHARES {
                    scope.spawn(|| {
                        (0..50).for_each(|_| count_derivation(&keys, "20150830T123600Z", "us-east-1", &derived));
                    });
                }
            });
            let derived = derived.into_inner();
            assert!((1..=SHARES).contains(&derived), "{derived} derivations");
        }

        #[test]
        fn keys_of_another_day_are_removed() {
            let (keys, derived) = (Keys::new(), AtomicUsize::new(0));
            let held = || keys.of_this_thread().0.read().unwrap().len();
            for (now, derivations, expected) in [
                ("20150830T000000Z", 2, 2),
                ("20150830T235959Z", 2, 2),
                ("20150831T000000Z", 4, 2),
                ("20150830T235959Z", 6, 2),
            ] {
                ["us-east-1", "us-west-2"].iter().for_each(|region| count_derivation(&keys, now, region, &derived));
                assert_eq!((derived.load(Ordering::Relaxed), held()), (derivations, expected), "{now}");
            }
        }

        #[test]
        fn the_number_of_keys_is_limited() {
            let (keys, derived) = (Keys::new(), AtomicUsize::new(0));
            for number in 0..2 * MOST {
                count_derivation(&keys, "20150830T123600Z", &alloc::format!("region-{number}"), &derived);
            }
            assert_eq!(keys.of_this_thread().0.read().unwrap().len(), MOST);
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
