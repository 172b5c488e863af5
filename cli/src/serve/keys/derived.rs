//! The keys for the scopes that are used now.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use countersign::tower::Caller;
use countersign::{Credentials, VerifyingKey};

/// How many scopes of a key are kept: more than a presigned URL can have days, so that nobody displaces the key of today with
/// requests of other days.
const MOST: usize = 16;

/// Keys that are derived once for a day, region and service. They end with the credentials that they are kept beside, so
/// they are never those of others.
#[derive(Default)]
pub struct Derived(RwLock<Vec<Scoped>>);

struct Scoped {
    scope: String,
    key: Arc<VerifyingKey>,
}

impl Derived {
    pub fn key(&self, caller: &Caller, credentials: &Credentials) -> Arc<VerifyingKey> {
        let scope = caller.scope();
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = kept.iter().find(|kept| kept.scope == scope) {
            return Arc::clone(&kept.key);
        }
        drop(kept);
        let key = Arc::new(caller.verifying_key(credentials));
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        // Another request may have derived it in the meantime.
        kept.retain(|kept| kept.scope != scope);
        if kept.len() == MOST {
            kept.remove(0);
        }
        kept.push(Scoped { scope: scope.to_owned(), key: Arc::clone(&key) });
        key
    }
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Derived")
    }
}
