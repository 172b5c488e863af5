//! One refresh at a time: who runs it, who waits, and what becomes of those who wait.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::hash::BuildHasher;
use core::task::Waker;
use core::time::Duration;
use std::hash::RandomState;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwapOption;

use super::CachedCredentials;
use super::entry::Entry;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::timestamp::Timestamp;
use crate::sources::error::{ResolveError, SourceError};
use crate::sources::resolver::Resolved;

/// How long a source that failed is left alone while credentials are usable, in seconds. Jitter adds up to half.
const REST: u64 = 60;
/// The same if there are none to use.
const SHORT_REST: u64 = 2;
/// How long credentials count as just loaded: asking again would hardly give longer ones, in seconds.
const JUST_LOADED: u64 = 60;
/// How long callers with usable credentials wait for a refresh, in seconds.
pub(super) const PATIENCE: u64 = 5;

/// What the clones of a cache share.
pub(super) struct Shared {
    pub(super) current: ArcSwapOption<Entry>,
    state: Mutex<State>,
    ended: Condvar,
    jitter: Option<RandomState>,
}

#[derive(Default)]
pub(super) struct State {
    /// The number of the load that is running.
    flight: Option<u64>,
    /// How many loads were started.
    started: u64,
    /// The latest load, if it failed.
    failure: Option<Failure>,
    wakers: BTreeMap<u64, Waker>,
    next_key: u64,
}

#[derive(Clone)]
struct Failure {
    flight: u64,
    at: i64,
    /// How long the source is left alone.
    rest: u64,
    error: Arc<ResolveError>,
}

/// What a caller needs, and which load it has waited for.
pub(super) struct Caller<'c> {
    shared: &'c Shared,
    until: Option<Timestamp>,
    /// The first load it waited for, and since when.
    waiting: Option<(u64, i64)>,
    /// Whether it has waited long enough in real time.
    pub(super) impatient: bool,
    key: Option<u64>,
}

/// What a caller does next.
pub(super) enum Step<'c> {
    /// It has its result.
    Done(Result<CachedCredentials, ResolveError>),
    /// It loads for all.
    Lead(Flight<'c>),
    /// It waits for the load with this number.
    Wait(u64),
}

/// The right to load. Giving it up without a result, e.g. because the caller panics or its future is dropped, lets the
/// next caller load.
pub(super) struct Flight<'c> {
    shared: &'c Shared,
    number: u64,
    until: Option<Timestamp>,
}

impl Shared {
    pub(super) fn new(jitter: Option<RandomState>) -> Self {
        let current = ArcSwapOption::empty();
        Self { current, state: Mutex::default(), ended: Condvar::new(), jitter }
    }

    /// Nothing that can panic or that is given by the caller runs while it is held.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jitter(&self, flight: u64) -> u8 {
        self.jitter.as_ref().map_or(0, |random| random.hash_one(flight).to_le_bytes()[0])
    }

    /// The current credentials if nobody has to refresh them. Takes no lock.
    pub(super) fn fresh(&self, now: i64, until: Option<Timestamp>) -> Option<CachedCredentials> {
        let entry = self.current.load();
        let entry = entry.as_ref().filter(|entry| entry.is_fresh(now) && entry.is_usable(now, until))?;
        Some(CachedCredentials { entry: Arc::clone(entry), refresh_error: None })
    }

    /// The current credentials if they have not expired.
    pub(super) fn usable(&self, now: i64) -> Option<CachedCredentials> {
        if let Some(fresh) = self.fresh(now, None) {
            return Some(fresh);
        }
        let state = self.state();
        let entry = self.current.load_full().filter(|entry| entry.is_usable(now, None))?;
        Some(CachedCredentials { entry, refresh_error: state.error() })
    }

    /// Drops the current credentials if it's these.
    pub(super) fn invalidate(&self, refused: &Credentials) {
        let state = self.state();
        let current = self.current.load_full();
        let is_it = |entry: &Arc<Entry>| {
            let credentials = entry.identity.credentials();
            credentials.access_key_id() == refused.access_key_id()
                && credentials.session_token() == refused.session_token()
        };
        if current.as_ref().is_some_and(is_it) {
            self.current.store(None);
        }
        drop(state);
    }

    /// Waits until the load with this number is over, or for as long as callers with usable credentials do.
    ///
    /// Returns whether it is over.
    pub(super) fn block(&self, flight: u64) -> bool {
        let running = |state: &mut State| state.flight == Some(flight);
        let patience = Duration::from_secs(PATIENCE);
        let waited = self.ended.wait_timeout_while(self.state(), patience, running);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Ends the load with this number, if it is still running, and wakes all who wait for it.
    fn end(&self, flight: u64, change: impl FnOnce(&mut State)) {
        let wakers = {
            let mut state = self.state();
            if state.flight != Some(flight) {
                return;
            }
            state.flight = None;
            change(&mut state);
            core::mem::take(&mut state.wakers)
        };
        self.ended.notify_all();
        // Not under the lock, since a waker may run a task at once.
        wakers.into_values().for_each(Waker::wake);
    }
}

impl State {
    fn error(&self) -> Option<Arc<ResolveError>> {
        self.failure.as_ref().map(|failure| Arc::clone(&failure.error))
    }
}

impl<'c> Caller<'c> {
    pub(super) fn new(shared: &'c Shared, until: Option<Timestamp>) -> Self {
        Self { shared, until, waiting: None, impatient: false, key: None }
    }

    /// Decides what the caller does. One that waits is woken by `waker`, if there is one.
    pub(super) fn step(&mut self, now: Timestamp, waker: Option<&Waker>) -> Step<'c> {
        let now = now.unix_seconds();
        if let Some(fresh) = self.shared.fresh(now, self.until) {
            return Step::Done(Ok(fresh));
        }
        let waker = waker.cloned();
        let shared = self.shared;
        let mut state = shared.state();
        let entry = shared.current.load_full();
        let usable = entry.as_ref().filter(|entry| entry.is_usable(now, self.until));
        if let Some(result) = self.result(&state, usable, now) {
            return Step::Done(result);
        }
        let Some(flight) = state.flight else {
            if let Some(error) = self.too_short(entry.as_deref(), now) {
                return Step::Done(Err(error));
            }
            state.started += 1;
            state.flight = Some(state.started);
            return Step::Lead(Flight { shared, number: state.started, until: self.until });
        };
        self.waiting.get_or_insert((flight, now));
        let replaced = waker.and_then(|waker| {
            let key = *self.key.get_or_insert(state.next_key);
            state.next_key = state.next_key.max(key + 1);
            state.wakers.insert(key, waker)
        });
        drop(state);
        // Not under the lock, since it may be the last trace of a task, whose future has a caller to be dropped.
        drop(replaced);
        Step::Wait(flight)
    }

    /// The result if there is one without a load and without more waiting.
    fn result(
        &self,
        state: &State,
        usable: Option<&Arc<Entry>>,
        now: i64,
    ) -> Option<Result<CachedCredentials, ResolveError>> {
        let serve =
            |entry: &Arc<Entry>| Some(Ok(CachedCredentials { entry: Arc::clone(entry), refresh_error: state.error() }));
        let first = self.waiting.map(|(flight, _)| flight);
        if let Some(entry) = usable {
            let came = first.is_some_and(|first| first <= entry.flight);
            if entry.is_fresh(now) || came {
                return serve(entry);
            }
            if state.flight.is_some() && (!entry.is_mandatory(now) || self.is_impatient(now)) {
                return serve(entry);
            }
        }
        if state.flight.is_some() {
            return None;
        }
        let failure = state.failure.as_ref()?;
        let rest = if usable.is_some() { failure.rest } else { SHORT_REST };
        if first.is_none_or(|first| first > failure.flight) && now.abs_diff(failure.at) >= rest {
            return None;
        }
        usable.map_or_else(|| Some(Err((*failure.error).clone())), serve)
    }

    fn is_impatient(&self, now: i64) -> bool {
        self.impatient || self.waiting.is_some_and(|(_, since)| now.abs_diff(since) >= PATIENCE)
    }

    /// The error if the credentials are valid, but end too early, and a load just gave them.
    fn too_short(&self, entry: Option<&Entry>, now: i64) -> Option<ResolveError> {
        let entry = entry?;
        let came = self.waiting.is_some_and(|(first, _)| first <= entry.flight);
        let just_loaded = came || now.abs_diff(entry.loaded_at) < JUST_LOADED;
        if !just_loaded || !entry.is_usable(now, None) { None } else { too_short(entry, self.until) }
    }
}

impl Drop for Caller<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            let waker = self.shared.state().wakers.remove(&key);
            drop(waker);
        }
    }
}

impl Flight<'_> {
    /// Ends the load with its result. `now` is the time after it.
    pub(super) fn finish(
        self,
        result: Result<Resolved, ResolveError>,
        now: Timestamp,
    ) -> Result<CachedCredentials, ResolveError> {
        match result.and_then(|resolved| unexpired(resolved, now)) {
            Ok(resolved) => self.succeed(resolved, now),
            Err(error) => self.fail(error, now),
        }
    }

    fn succeed(self, resolved: Resolved, now: Timestamp) -> Result<CachedCredentials, ResolveError> {
        let entry = Arc::new(Entry::new(resolved, self.number, now, self.shared.jitter(self.number)));
        // Dropped after the lock is released.
        let mut before = None;
        self.shared.end(self.number, |state| {
            state.failure = None;
            before = self.shared.current.swap(Some(Arc::clone(&entry)));
        });
        match too_short(&entry, self.until) {
            Some(error) => Err(error),
            None => Ok(CachedCredentials { entry, refresh_error: None }),
        }
    }

    fn fail(self, error: ResolveError, now: Timestamp) -> Result<CachedCredentials, ResolveError> {
        let (at, flight) = (now.unix_seconds(), self.number);
        let rest = REST + REST / 2 * u64::from(self.shared.jitter(flight)) / 256;
        let error = Arc::new(error);
        let failure = Failure { flight, at, rest, error: Arc::clone(&error) };
        self.shared.end(flight, |state| state.failure = Some(failure));
        let usable = self.shared.current.load_full().filter(|entry| entry.is_usable(at, self.until));
        match usable {
            Some(entry) => Ok(CachedCredentials { entry, refresh_error: Some(error) }),
            None => Err((*error).clone()),
        }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.shared.end(self.number, |_| ());
    }
}

/// Refuses credentials that had expired when they arrived.
fn unexpired(resolved: Resolved, now: Timestamp) -> Result<Resolved, ResolveError> {
    match resolved.credentials.expires_at() {
        Some(expires_at) if expires_at <= now => {
            let origin = alloc::format!("{}", resolved.source);
            let error = SourceError::Expired { origin, expires_at, now, server_time: None };
            Err(ResolveError::new(error, Some(resolved.source), resolved.report))
        }
        _ => Ok(resolved),
    }
}

fn too_short(entry: &Entry, until: Option<Timestamp>) -> Option<ResolveError> {
    let (expires_at, until) = (entry.resolved.credentials.expires_at()?, until?);
    if until <= expires_at {
        return None;
    }
    let (source, report) = (Some(entry.resolved.source), entry.resolved.report.clone());
    Some(ResolveError::new(SourceError::TooShort { expires_at, until }, source, report))
}
