//! A signer whose credentials are replaced when the cache has new ones.

use alloc::sync::Arc;
use core::fmt;

use arc_swap::ArcSwap;

use super::CachedCredentials;
use super::entry::Entry;
use crate::sign::Signer;

/// A [`Signer`] for the current credentials of a [`CredentialCache`](super::CredentialCache). It is shared by any number
/// of threads, and takes no lock.
///
/// The signer is built anew only when the credentials have changed. It refuses to sign with credentials that have
/// expired ([`SignError::CredentialsExpired`](crate::SignError::CredentialsExpired)), e.g. when it is kept instead of
/// asking for it before each request.
///
/// ```
/// use countersign::sources::{CredentialCache, FollowingSigner, ResolveError, Resolved};
/// use countersign::{Payload, Request, Signer, Timestamp};
///
/// # fn example(resolve: impl Fn() -> Result<Resolved, ResolveError>) -> Result<(), Box<dyn std::error::Error>> {
/// let cache = CredentialCache::new();
/// let cached = cache.get(Timestamp::now, &resolve)?;
/// let following = FollowingSigner::new(Signer::new(cached.identity().clone(), "us-east-1", "dynamodb")?);
///
/// // For each request:
/// let signer = following.signer(&cache.get(Timestamp::now, &resolve)?);
/// let request = Request::new("GET", "/", &[]).with_host("dynamodb.us-east-1.amazonaws.com");
/// let signed = signer.sign(&request, Payload::EMPTY, Timestamp::now())?;
/// # Ok(())
/// # }
/// ```
pub struct FollowingSigner(ArcSwap<Current>);

struct Current {
    /// Whose signer it is; `None` before the first credentials.
    entry: Option<Arc<Entry>>,
    signer: Arc<Signer>,
}

impl FollowingSigner {
    /// Creates a signer with the region, service, rules and limits of `signer`. Its credentials are never used.
    pub fn new(signer: Signer) -> Self {
        Self(ArcSwap::from_pointee(Current { entry: None, signer: Arc::new(signer) }))
    }

    /// Returns the signer for these credentials.
    pub fn signer(&self, credentials: &CachedCredentials) -> Arc<Signer> {
        let current = self.0.load();
        if current.entry.as_ref().is_some_and(|entry| Arc::ptr_eq(entry, &credentials.entry)) {
            return Arc::clone(&current.signer);
        }
        let signer = (*current.signer).clone().with_identity(credentials.identity().clone());
        let signer = Arc::new(signer);
        let entry = Some(Arc::clone(&credentials.entry));
        self.0.store(Arc::new(Current { entry, signer: Arc::clone(&signer) }));
        signer
    }
}

impl fmt::Debug for FollowingSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FollowingSigner").field(&self.0.load().signer).finish()
    }
}
