//! A cache of credentials for programs that run longer than credentials live.

mod entry;
mod flight;
mod signer;

use alloc::sync::Arc;
use core::fmt;
use core::future::{Future, poll_fn};
use core::task::Poll;
use std::hash::RandomState;

pub use signer::FollowingSigner;

use super::error::ResolveError;
use super::resolver::Resolved;
use crate::sign::Identity;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::timestamp::Timestamp;
use entry::Entry;
use flight::{Caller, Shared, Step};

/// Keeps credentials and refreshes them before they expire, once for all callers.
///
/// It has no clock, no thread and no timer: each call passes the clock and a closure that loads credentials, which runs
/// only if it is this caller's turn. Clones share the credentials.
///
/// | time until the credentials expire | what a call does |
/// |---|---|
/// | more than 15 minutes | returns them, without a lock |
/// | 15 to 10 minutes | one caller loads new ones, the others return the current ones |
/// | less than 10 minutes | one caller loads new ones, the others wait for it, for at most 5 seconds |
/// | expired | one caller loads new ones, the others wait for it |
///
/// For credentials that live for less than an hour, the windows are a quarter and a sixth of their lifetime instead. The
/// first window begins up to 2.5 minutes late, at random, so that a fleet doesn't refresh at the same time. Credentials
/// without an expiration time are kept until [`CredentialCache::invalidate`]. When a clock was set back to more than 5
/// minutes before the time of the load, credentials are refreshed as in the first window.
///
/// A load that fails keeps credentials that are still valid: they are returned together with the error
/// ([`CachedCredentials::refresh_error`]), and the source is asked again after 60 to 90 seconds. Without valid
/// credentials, everyone who waited gets the error, and the source is asked again after 2 seconds. Expired credentials
/// are never returned.
///
/// If a caller that loads panics, or drops its future, a waiting caller takes over. A load has to end, and must not use
/// the cache itself: there are never two at the same time, so that without valid credentials, callers wait for it.
///
/// ```
/// use countersign::Timestamp;
/// use countersign::sources::{AskError, AskErrorKind, CredentialCache, Environment, HttpAsk, Resolver};
///
/// // Sends a request; see `Resolver::resolve`.
/// fn send(_: HttpAsk) -> Result<http::Response<Vec<u8>>, AskError> {
///     Err(AskError::new(AskErrorKind::NotConnected, "offline"))
/// }
///
/// let variables = [("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
/// let resolver = Resolver::new(Environment::new(variables));
/// let cache = CredentialCache::new();
/// let cached = cache.get(Timestamp::now, || resolver.resolve(send))?;
/// assert_eq!(cached.credentials().access_key_id(), "AKIDEXAMPLE");
/// # Ok::<(), countersign::sources::ResolveError>(())
/// ```
#[derive(Clone)]
pub struct CredentialCache(Arc<Shared>);

impl CredentialCache {
    /// Creates an empty cache.
    pub fn new() -> Self {
        Self(Arc::new(Shared::new(Some(RandomState::new()))))
    }

    /// Creates an empty cache whose windows begin exactly on time, e.g. for tests.
    pub fn without_jitter() -> Self {
        Self(Arc::new(Shared::new(None)))
    }

    /// Returns credentials that have not expired, and loads them if necessary. May block the thread: in `async` code,
    /// use [`CredentialCache::get_async`]. Both can be used on the same cache.
    ///
    /// `clock` returns the current time, e.g. [`Timestamp::now`]. It is called again after each wait.
    ///
    /// # Errors
    /// Returns the error of the load if there are no valid credentials, and
    /// [`SourceError::Expired`](super::SourceError::Expired) if the loaded ones had already expired.
    pub fn get(
        &self,
        clock: impl Fn() -> Timestamp,
        load: impl FnOnce() -> Result<Resolved, ResolveError>,
    ) -> Result<CachedCredentials, ResolveError> {
        self.blocking(clock, None, load)
    }

    /// Like [`CredentialCache::get`], for credentials that are still valid at `until`. A presigned URL, for example, is
    /// only accepted while its credentials are valid. If the current credentials expire before, new ones are loaded.
    ///
    /// # Errors
    /// As for [`CredentialCache::get`], and [`SourceError::TooShort`](super::SourceError::TooShort) if the credentials
    /// expire before `until` although they were loaded less than a minute ago. They are kept for [`get`](Self::get).
    pub fn get_usable_until(
        &self,
        clock: impl Fn() -> Timestamp,
        until: Timestamp,
        load: impl FnOnce() -> Result<Resolved, ResolveError>,
    ) -> Result<CachedCredentials, ResolveError> {
        self.blocking(clock, Some(until), load)
    }

    /// Like [`CredentialCache::get`], without blocking the thread. It works with every runtime.
    ///
    /// There is no timer: while the credentials are valid, a caller that waits for a refresh gives up waiting after 5
    /// seconds only if its future is polled for another reason. A caller that has a timeout of its own can use
    /// [`CredentialCache::current`] after it. A future that was started has to be polled or dropped, because others may
    /// be waiting for its load.
    ///
    /// # Errors
    /// As for [`CredentialCache::get`].
    pub async fn get_async<F: Future<Output = Result<Resolved, ResolveError>>>(
        &self,
        clock: impl Fn() -> Timestamp,
        load: impl FnOnce() -> F,
    ) -> Result<CachedCredentials, ResolveError> {
        self.polling(clock, None, load).await
    }

    /// Like [`CredentialCache::get_usable_until`], without blocking the thread, as with
    /// [`CredentialCache::get_async`].
    ///
    /// # Errors
    /// As for [`CredentialCache::get_usable_until`].
    pub async fn get_usable_until_async<F: Future<Output = Result<Resolved, ResolveError>>>(
        &self,
        clock: impl Fn() -> Timestamp,
        until: Timestamp,
        load: impl FnOnce() -> F,
    ) -> Result<CachedCredentials, ResolveError> {
        self.polling(clock, Some(until), load).await
    }

    /// Returns the credentials that are there, if they have not expired. Never waits and never loads.
    pub fn current(&self, now: Timestamp) -> Option<CachedCredentials> {
        self.0.usable(now.unix_seconds())
    }

    /// Drops these credentials, because a service refused them, e.g. with the code `ExpiredToken`. The next call loads
    /// new ones. Has no effect if the cache already has other credentials, so that many callers that were refused
    /// cause one load.
    pub fn invalidate(&self, refused: &Credentials) {
        self.0.invalidate(refused);
    }

    fn blocking(
        &self,
        clock: impl Fn() -> Timestamp,
        until: Option<Timestamp>,
        load: impl FnOnce() -> Result<Resolved, ResolveError>,
    ) -> Result<CachedCredentials, ResolveError> {
        let mut caller = Caller::new(&self.0, until);
        loop {
            match caller.step(clock(), None) {
                Step::Done(result) => return result,
                Step::Lead(flight) => return flight.finish(load(), clock()),
                Step::Wait(flight) => caller.impatient |= !self.0.block(flight),
            }
        }
    }

    async fn polling<F: Future<Output = Result<Resolved, ResolveError>>>(
        &self,
        clock: impl Fn() -> Timestamp,
        until: Option<Timestamp>,
        load: impl FnOnce() -> F,
    ) -> Result<CachedCredentials, ResolveError> {
        let flight = {
            let mut caller = Caller::new(&self.0, until);
            let step = poll_fn(|context| match caller.step(clock(), Some(context.waker())) {
                Step::Done(result) => Poll::Ready(Err(result)),
                Step::Lead(flight) => Poll::Ready(Ok(flight)),
                Step::Wait(_) => Poll::Pending,
            });
            match step.await {
                Ok(flight) => flight,
                Err(result) => return result,
            }
        };
        let result = load().await;
        flight.finish(result, clock())
    }
}

impl Default for CredentialCache {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CredentialCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialCache").field("current", &*self.0.current.load()).finish_non_exhaustive()
    }
}

/// Credentials of a [`CredentialCache`], which had not expired when they were returned. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct CachedCredentials {
    entry: Arc<Entry>,
    refresh_error: Option<Arc<ResolveError>>,
}

impl CachedCredentials {
    /// Returns the credentials.
    pub fn credentials(&self) -> &Credentials {
        self.entry.identity.credentials()
    }

    /// Returns the credentials together with their signing keys. All signers that use this identity share the keys.
    pub fn identity(&self) -> &Identity {
        &self.entry.identity
    }

    /// Returns the credentials together with their source, account, region and report.
    pub fn resolved(&self) -> &Resolved {
        &self.entry.resolved
    }

    /// Returns why the latest refresh failed. The credentials are still valid, but should have been replaced by now, so
    /// that this is worth a warning in a log.
    pub fn refresh_error(&self) -> Option<&ResolveError> {
        self.refresh_error.as_deref()
    }
}

#[cfg(test)]
mod tests;
