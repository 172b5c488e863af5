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

    /// Calls `sign` with the key of a scope, whose date is that of `now`, and which ends in `after_date`.
    pub(super) fn with_key<T>(
        &self,
        now: Timestamp,
        scope: &Scope<'_>,
        after_date: &Arc<str>,
        sign: impl FnOnce(&SigningKey) -> T,
    ) -> T {
        self.0.keys.with(now, after_date, || SigningKey::derive(&self.0.credentials, scope), sign)
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
    use alloc::sync::Arc;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::{PoisonError, RwLock};

    use super::{SigningKey, Timestamp};

    /// The maximum number of keys that a share holds. The oldest is removed first.
    const MOST: usize = 32;
    /// How many threads can sign with one identity before two of them use the same lock.
    const SHARES: usize = 16;

    /// Each thread uses one share. Locking writes to the lock even for reading, so with a single lock every signature
    /// would wait for the processor core that used it last. The price is that a key is derived once per share.
    pub(super) struct Keys([Share; SHARES]);

    /// Aligned so that no two shares are on one cache line, or on two that the processor fetches together.
    #[repr(align(128))]
    struct Share(RwLock<Entries>);

    /// A list, the newest first, of keys that are all of one day. A vector would be another allocation, and leaves copies of
    /// its elements behind when it grows.
    type Entries = Option<Box<Entry>>;

    struct Entry {
        day: Timestamp,
        /// What follows the date in the scope.
        after_date: Arc<str>,
        key: SigningKey,
        next: Entries,
    }

    impl Entry {
        fn is_of(&self, now: Timestamp, after_date: &Arc<str>) -> bool {
            self.day.same_day(&now) && (Arc::ptr_eq(&self.after_date, after_date) || self.after_date == *after_date)
        }
    }

    impl Keys {
        pub(super) fn new() -> Self {
            Self([const { Share(RwLock::new(None)) }; SHARES])
        }

        /// Calls `sign` with the key for the day of `now` and for what follows the date in the scope.
        pub(super) fn with<T>(
            &self,
            now: Timestamp,
            after_date: &Arc<str>,
            derive: impl FnOnce() -> SigningKey,
            sign: impl FnOnce(&SigningKey) -> T,
        ) -> T {
            let Share(entries) = self.of_this_thread();
            let found = entries.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(entry) = all(&found).find(|entry| entry.is_of(now, after_date)) {
                return sign(&entry.key);
            }
            drop(found);
            let mut entries = entries.write().unwrap_or_else(PoisonError::into_inner);
            // Another thread may have derived it in the meantime.
            if let Some(entry) = all(&entries).find(|entry| entry.is_of(now, after_date)) {
                return sign(&entry.key);
            }
            make_room(&mut entries, now);
            let entry = Entry { day: now, after_date: Arc::clone(after_date), key: derive(), next: entries.take() };
            sign(&entries.insert(Box::new(entry)).key)
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

    fn all(entries: &Entries) -> impl Iterator<Item = &Entry> {
        core::iter::successors(entries.as_deref(), |entry| entry.next.as_deref())
    }

    /// Removes the keys of another day, and the oldest one if there are too many.
    fn make_room(entries: &mut Entries, now: Timestamp) {
        entries.take_if(|newest| !newest.day.same_day(&now));
        let mut rest = entries;
        for _ in 1..MOST {
            let Some(entry) = rest else { return };
            rest = &mut entry.next;
        }
        *rest = None;
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::sigv4::credentials::Credentials;
        use crate::sigv4::scope::Scope;

        fn count_derivation(keys: &Keys, now: &str, region: &str, derived: &AtomicUsize) {
            let now: Timestamp = now.parse().unwrap();
            let scope = Scope::new(now.date(), region, "s3").unwrap();
            let derive = || {
                derived.fetch_add(1, Ordering::Relaxed);
                SigningKey::derive(&Credentials::new("AKIDEXAMPLE", "secret").unwrap(), &scope)
            };
            let after_date = Arc::from(alloc::format!("/{region}/s3/aws4_request"));
            keys.with(now, &after_date, derive, |_| ());
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
            let held = || all(&keys.of_this_thread().0.read().unwrap()).count();
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
            assert_eq!(all(&keys.of_this_thread().0.read().unwrap()).count(), MOST);
            // The oldest was removed, the newest are still there.
            for (number, expected) in [(2 * MOST - 1, 2 * MOST), (MOST, 2 * MOST), (MOST - 1, 2 * MOST + 1)] {
                count_derivation(&keys, "20150830T123600Z", &alloc::format!("region-{number}"), &derived);
                assert_eq!(derived.load(Ordering::Relaxed), expected, "{number}");
            }
        }
    }
}

/// Without `std` there is no lock and therefore no cache.
#[cfg(not(feature = "std"))]
mod cache {
    use alloc::sync::Arc;

    use super::{SigningKey, Timestamp};

    pub(super) struct Keys;

    impl Keys {
        pub(super) fn new() -> Self {
            Self
        }

        pub(super) fn with<T>(
            &self,
            _now: Timestamp,
            _after_date: &Arc<str>,
            derive: impl FnOnce() -> SigningKey,
            sign: impl FnOnce(&SigningKey) -> T,
        ) -> T {
            sign(&derive())
        }
    }
}
