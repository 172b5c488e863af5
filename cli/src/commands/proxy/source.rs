//! The credentials to sign with: given once, or found where AWS's tools keep them and refreshed before they expire.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use countersign::sources::{CachedCredentials, CredentialCache, ResolveError, Resolver};
use countersign::tower::IdentitySource;
use countersign::{Credentials, Identity, Timestamp};

use crate::args::CredentialArgs;
use crate::credentials;
use crate::failure::Failure;
use crate::output::Output;
use crate::serve::BoxError;
use crate::serve::own::OwnCredentials;

/// Credentials that are valid for longer than this are used at once, in seconds. Those that are not could expire on the
/// way to the upstream, so that a refresh is waited for.
const SPARE: i64 = 10;
/// How long a request waits for credentials.
const PATIENCE: Duration = Duration::from_secs(30);
/// The time from one refusal by an upstream that causes a load to the next.
const BETWEEN: Duration = Duration::from_secs(30);
/// How often the background task looks whether the credentials should be refreshed. That costs nothing if not.
const EVERY: Duration = Duration::from_secs(1);

/// All copies share the credentials.
#[derive(Clone)]
pub struct Source(Arc<Kind>);

enum Kind {
    Given(Identity),
    Found { resolver: Resolver, cache: CredentialCache, own: OwnCredentials, invalidated: Mutex<Option<Instant>> },
}

/// There is nothing to sign with.
#[derive(Debug)]
pub struct NoCredentials(String);

impl fmt::Display for NoCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no credentials to sign with: {}", self.0)
    }
}

impl std::error::Error for NoCredentials {}

impl Source {
    pub fn new(args: &CredentialArgs, own: OwnCredentials) -> Result<Self, Failure> {
        match credentials::given(args)? {
            Some((credentials, _)) => {
                own.loaded(&credentials);
                Ok(Self(Arc::new(Kind::Given(Identity::new(credentials)))))
            }
            None => Ok(Self::of_profile(args.profile.as_deref(), own)),
        }
    }

    /// AWS's sources, in AWS's order; or only this profile.
    pub fn of_profile(profile: Option<&str>, own: OwnCredentials) -> Self {
        let resolver = credentials::resolver(profile);
        Self(Arc::new(Kind::Found { resolver, cache: CredentialCache::new(), own, invalidated: Mutex::default() }))
    }

    /// Loads the credentials, and from then on refreshes them in the background. Returns the region that is configured
    /// with them. If there are none, that is only a warning: they may come later.
    pub async fn start(&self) -> Option<String> {
        let loaded = match &*self.0 {
            Kind::Given(_) => return None,
            Kind::Found { .. } => self.load().await,
        };
        let problem = loaded.as_ref().err().map(ToString::to_string);
        if let Some(problem) = &problem {
            Output::new().warning(&format!("no credentials yet, requests are answered with 503: {problem}"));
        }
        tokio::spawn(refresh(Arc::downgrade(&self.0), problem));
        loaded.ok()?.resolved().region.clone()
    }

    /// Only one load runs at a time; the others wait for it, or go on with credentials that are still valid.
    async fn load(&self) -> Result<CachedCredentials, ResolveError> {
        let Kind::Found { resolver, cache, own, .. } = &*self.0 else {
            return Err(ResolveError::of_program("the credentials are given"));
        };
        let loaded = cache.get_async(Timestamp::now, || async {
            let resolver = resolver.clone();
            let resolving = tokio::task::spawn_blocking(move || credentials::ask(&resolver));
            let ended_early = |_| Err(ResolveError::of_program("the search for credentials ended early"));
            let resolved = resolving.await.unwrap_or_else(ended_early);
            match &resolved {
                Ok(resolved) => own.loaded(&resolved.credentials),
                Err(_) => own.failed(),
            }
            resolved
        });
        loaded.await
    }

    /// The upstream refused these credentials: they are loaded again. Not each time, as clients can cause such answers, for
    /// example of a server that they own behind the upstream.
    pub fn invalidate(&self, refused: &Credentials) {
        if let Kind::Found { cache, invalidated, .. } = &*self.0 {
            let mut last = invalidated.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_none_or(|last| last.elapsed() >= BETWEEN) {
                *last = Some(Instant::now());
                cache.invalidate(refused);
            }
        }
    }

    /// Those that are there, if they have not expired.
    pub fn current(&self) -> Option<Identity> {
        match &*self.0 {
            Kind::Given(identity) => Some(identity.clone()),
            Kind::Found { cache, .. } => cache.current(Timestamp::now()).map(|current| current.identity().clone()),
        }
    }

    pub async fn find(&self) -> Result<Identity, NoCredentials> {
        let cache = match &*self.0 {
            Kind::Given(identity) => {
                let expires_at = identity.credentials().expires_at();
                return match expires_at.filter(|end| *end <= Timestamp::now()) {
                    Some(_) => Err(NoCredentials("those that were given have expired; start the proxy again".into())),
                    None => Ok(identity.clone()),
                };
            }
            Kind::Found { cache, .. } => cache,
        };
        let now = Timestamp::now();
        let soon = now.saturating_add(SPARE);
        let current = cache.current(now).filter(|current| {
            let expires_at = current.credentials().expires_at();
            expires_at.is_none_or(|end| soon < end)
        });
        if let Some(current) = current {
            return Ok(current.identity().clone());
        }
        // A task of its own: a client that goes away doesn't end the load for which others wait.
        let source = self.clone();
        let loading = tokio::spawn(async move { source.load().await });
        match tokio::time::timeout(PATIENCE, loading).await {
            Ok(Ok(Ok(loaded))) => Ok(loaded.identity().clone()),
            Ok(Ok(Err(error))) => Err(NoCredentials(error.to_string())),
            Ok(Err(_)) => Err(NoCredentials("the search for credentials ended early".into())),
            Err(_) => Err(NoCredentials("the search for credentials takes too long".into())),
        }
    }
}

impl IdentitySource for Source {
    async fn identity(&self) -> Result<Identity, BoxError> {
        Ok(self.find().await?)
    }
}

/// Refreshes the credentials until nobody uses them. Each problem is printed once.
async fn refresh(source: Weak<Kind>, mut problem: Option<String>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(kind) = source.upgrade() else { return };
        let now_wrong = match Source(kind).load().await {
            Ok(loaded) => loaded.refresh_error().map(ToString::to_string),
            Err(error) => Some(error.to_string()),
        };
        if let Some(text) = now_wrong.as_ref().filter(|_| now_wrong != problem) {
            Output::new().warning(&format!("the credentials can't be refreshed: {text}"));
        } else if now_wrong.is_none() && problem.is_some() {
            Output::new().note("there are credentials again");
        }
        problem = now_wrong;
    }
}
