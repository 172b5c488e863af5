//! Where the credentials of a request come from.

use core::future::{Future, ready};

use crate::sign::Identity;
use crate::tower::BoxError;

/// Returns the credentials for a request. Implemented for [`Identity`], which is always the same, and for async closures,
/// e.g. around a cache of the feature `credentials`:
///
/// ```
/// # #[cfg(feature = "credentials")]
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use countersign::Timestamp;
/// use countersign::sources::{CredentialCache, Environment, ResolveError, Resolver};
/// use countersign::tower::SignLayer;
/// # async fn send(_: countersign::sources::HttpAsk) -> std::io::Result<http::Response<Vec<u8>>> { Err(std::io::Error::other("")) }
///
/// let (resolver, cache) = (Resolver::new(Environment::of_process()), CredentialCache::new());
/// let source = move || {
///     let (resolver, cache) = (resolver.clone(), cache.clone());
///     async move {
///         let cached = cache.get_async(Timestamp::now, || resolver.resolve_async(send)).await?;
///         Ok::<_, ResolveError>(cached.identity().clone())
///     }
/// };
/// let layer = SignLayer::new(source, "eu-west-1", "dynamodb")?;
/// # let _ = layer;
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "credentials"))]
/// # fn main() {}
/// ```
pub trait IdentitySource: Send + Sync {
    /// Returns the credentials with their signing keys.
    ///
    /// # Errors
    /// There are none. The request is then not sent.
    fn identity(&self) -> impl Future<Output = Result<Identity, BoxError>> + Send;
}

impl IdentitySource for Identity {
    fn identity(&self) -> impl Future<Output = Result<Identity, BoxError>> + Send {
        ready(Ok(self.clone()))
    }
}

impl<S, F, E> IdentitySource for S
where
    S: Fn() -> F + Send + Sync,
    F: Future<Output = Result<Identity, E>> + Send,
    E: Into<BoxError>,
{
    async fn identity(&self) -> Result<Identity, BoxError> {
        self().await.map_err(Into::into)
    }
}
