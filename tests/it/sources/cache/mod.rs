//! A cache of credentials: when it loads, and what callers get.

mod callers;
mod schedules;
mod signer;
mod two_days;

use std::cell::{Cell, RefCell};

use countersign::sources::{CachedCredentials, CredentialCache, ResolveError, Resolved, SourceError, SourceKind};
use countersign::{Credentials, Timestamp};

use super::world::World;

const HOUR: i64 = 3600;

/// Seconds since 2026-01-01T00:00:00Z.
pub fn at(seconds: i64) -> Timestamp {
    "20260101T000000Z".parse::<Timestamp>().unwrap().saturating_add(seconds)
}

/// Credentials with this access key id and token.
pub fn resolved(id: &str, expires_at: Option<i64>) -> Resolved {
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDBASE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let mut resolved = World::new(&keys).resolve().unwrap();
    let credentials = Credentials::new(id, "secret").unwrap().with_session_token(format!("token-{id}")).unwrap();
    resolved.credentials = match expires_at {
        Some(expires_at) => credentials.with_expires_at(at(expires_at)),
        None => credentials,
    };
    resolved
}

/// An error, and whether it's the second of two kinds.
pub fn error(second: bool) -> ResolveError {
    let name = if second { "AWS_SECRET_ACCESS_KEY" } else { "AWS_ACCESS_KEY_ID" };
    World::new(&[(name, "something")]).resolve().unwrap_err()
}

/// A source whose credentials live for `lifetime` seconds, or that fails.
struct Source {
    now: Cell<i64>,
    lifetime: Cell<Option<i64>>,
    failing: Cell<bool>,
    loads: RefCell<Vec<i64>>,
    cache: CredentialCache,
}

impl Source {
    fn new(lifetime: i64) -> Self {
        Self {
            now: Cell::new(0),
            lifetime: Cell::new(Some(lifetime)),
            failing: Cell::new(false),
            loads: RefCell::default(),
            cache: CredentialCache::without_jitter(),
        }
    }

    fn load(&self) -> Result<Resolved, ResolveError> {
        self.loads.borrow_mut().push(self.now.get());
        let id = format!("AKID{}", self.loads.borrow().len());
        if self.failing.get() {
            return Err(error(false));
        }
        Ok(resolved(&id, self.lifetime.get().map(|lifetime| self.now.get() + lifetime)))
    }

    fn get(&self, now: i64) -> Result<CachedCredentials, ResolveError> {
        self.now.set(now);
        self.cache.get(|| at(self.now.get()), || self.load())
    }

    fn until(&self, now: i64, until: i64) -> Result<CachedCredentials, ResolveError> {
        self.now.set(now);
        self.cache.get_usable_until(|| at(self.now.get()), at(until), || self.load())
    }

    fn id(&self, now: i64) -> String {
        self.get(now).unwrap().credentials().access_key_id().to_owned()
    }

    fn loads(&self) -> usize {
        self.loads.borrow().len()
    }
}

#[test]
fn credentials_are_fresh_until_a_quarter_of_an_hour_or_of_their_life_before_the_end() {
    let cases = [(12 * HOUR, 900), (HOUR, 900), (HOUR + 1, 900), (1800, 450), (900, 225), (60, 15), (5, 1), (2, 0)];
    for (lifetime, window) in cases {
        let source = Source::new(lifetime);
        assert_eq!(source.id(0), "AKID1");
        assert_eq!((source.id(lifetime - window - 1).as_str(), source.loads()), ("AKID1", 1), "{lifetime}");
        assert_eq!((source.id(lifetime - window).as_str(), source.loads()), ("AKID2", 2), "{lifetime}");
    }
}

#[test]
fn credentials_that_do_not_expire_are_kept() {
    let source = Source::new(0);
    source.lifetime.set(None);
    for now in [0, 1, HOUR, 1000 * HOUR, -1000 * HOUR] {
        assert_eq!(source.id(now), "AKID1");
    }
    assert_eq!(source.until(0, 10_000 * HOUR).unwrap().credentials().access_key_id(), "AKID1");
    assert_eq!(source.loads(), 1);
}

#[test]
fn a_failed_refresh_keeps_valid_credentials_and_is_reported() {
    for failing_from in [HOUR - 900, HOUR - 600, HOUR - 1] {
        let source = Source::new(HOUR);
        assert!(source.get(0).unwrap().refresh_error().is_none());
        source.failing.set(true);
        let cached = source.get(failing_from).unwrap();
        assert_eq!(cached.credentials().access_key_id(), "AKID1");
        assert_eq!(cached.refresh_error(), Some(&error(false)));
        assert_eq!(source.loads(), 2);
    }
}

#[test]
fn a_failing_source_is_left_alone_for_a_minute_while_credentials_are_valid() {
    let source = Source::new(HOUR);
    source.get(0).unwrap();
    source.failing.set(true);
    for now in HOUR - 900..HOUR {
        let cached = source.get(now).unwrap();
        assert_eq!((cached.credentials().access_key_id(), cached.refresh_error().is_some()), ("AKID1", true));
    }
    let minutes: Vec<i64> = (45..60).map(|minute| minute * 60).collect();
    assert_eq!(source.loads.borrow()[1..], minutes);

    assert_eq!(source.get(HOUR).unwrap_err(), error(false));
    source.failing.set(false);
    let cached = source.get(HOUR + 2).unwrap();
    assert!(cached.refresh_error().is_none());
    assert_eq!(cached.credentials().expires_at(), Some(at(2 * HOUR + 2)));
    // The failure is forgotten.
    assert!(source.cache.current(at(2 * HOUR)).unwrap().refresh_error().is_none());
}

#[test]
fn after_the_end_callers_get_the_error_and_the_source_is_asked_every_other_second() {
    let source = Source::new(HOUR);
    source.get(0).unwrap();
    source.failing.set(true);
    for now in HOUR..HOUR + 10 {
        assert_eq!(source.get(now).unwrap_err(), error(false));
        assert_eq!(source.get(now).unwrap_err(), error(false));
        assert!(source.cache.current(at(now)).is_none());
    }
    assert_eq!(source.loads.borrow()[1..], [HOUR, HOUR + 2, HOUR + 4, HOUR + 6, HOUR + 8]);
    source.failing.set(false);
    assert_eq!(source.id(HOUR + 10), "AKID7");
}

#[test]
fn the_first_load_may_fail() {
    let source = Source::new(HOUR);
    source.failing.set(true);
    assert_eq!(source.get(0).unwrap_err(), error(false));
    source.failing.set(false);
    assert_eq!(source.id(2), "AKID2");
}

#[test]
fn credentials_that_arrive_expired_are_an_error_and_replace_nothing() {
    let source = Source::new(0);
    let failure = source.get(0).unwrap_err();
    assert_eq!(failure.kind(), Some(SourceKind::Environment));
    assert!(matches!(failure.error(), SourceError::Expired { expires_at, now, .. } if expires_at == now));
    assert_eq!(
        failure.to_string(),
        "environment: the credentials from environment expired at 20260101T000000Z, and it is 20260101T000000Z by this \
         machine's clock; check the clock"
    );

    let source = Source::new(HOUR);
    source.get(0).unwrap();
    source.lifetime.set(Some(-10));
    let cached = source.get(HOUR - 100).unwrap();
    assert_eq!(cached.credentials().access_key_id(), "AKID1");
    assert!(matches!(cached.refresh_error().unwrap().error(), SourceError::Expired { .. }));
}

#[test]
fn credentials_that_expire_during_their_load_are_not_returned() {
    let source = Source::new(30);
    let slow = || {
        let loaded = source.load();
        source.now.set(30);
        loaded
    };
    let failure = source.cache.get(|| at(source.now.get()), slow).unwrap_err();
    assert!(matches!(failure.error(), SourceError::Expired { .. }));
    // Those from before, neither.
    let source = Source::new(HOUR);
    source.get(0).unwrap();
    source.now.set(HOUR - 1);
    let slow = || {
        source.now.set(HOUR);
        Err(error(true))
    };
    assert_eq!(source.cache.get(|| at(source.now.get()), slow).unwrap_err(), error(true));
}

#[test]
fn a_source_that_gives_the_same_credentials_again_is_asked_less_than_once_a_minute() {
    let cache = CredentialCache::without_jitter();
    let loads = RefCell::new(Vec::new());
    for now in HOUR - 900..HOUR - 60 {
        let load = || {
            loads.borrow_mut().push(now);
            Ok(resolved("AKIDOLD", Some(HOUR)))
        };
        assert_eq!(cache.get(|| at(now), load).unwrap().credentials().access_key_id(), "AKIDOLD");
    }
    // What is left is 900 s, then 225, then 56.
    assert_eq!(*loads.borrow(), [HOUR - 900, HOUR - 225]);
}

#[test]
fn a_clock_that_is_set_back_refreshes() {
    let source = Source::new(HOUR);
    source.id(10_000);
    assert_eq!((source.id(9_700).as_str(), source.loads()), ("AKID1", 1));
    assert_eq!((source.id(9_699).as_str(), source.loads()), ("AKID2", 2));
    assert_eq!((source.id(9_699).as_str(), source.loads()), ("AKID2", 2));
    // A failure lies in the future then, and doesn't keep the source from being asked.
    source.failing.set(true);
    assert!(source.get(9_699 + HOUR).is_err());
    source.failing.set(false);
    assert_eq!(source.id(5_000), "AKID4");
    // A failing source isn't asked more often.
    let source = Source::new(HOUR);
    source.get(10_000).unwrap();
    source.failing.set(true);
    for _ in 0..10 {
        assert!(source.get(5_000).unwrap().refresh_error().is_some());
    }
    assert_eq!(source.loads(), 2);
}

#[test]
fn refused_credentials_are_replaced_once() {
    let source = Source::new(HOUR);
    let first = source.get(0).unwrap();
    source.cache.invalidate(&resolved("AKIDOTHER", None).credentials);
    let another_session = Credentials::new("AKID1", "secret").unwrap().with_session_token("another").unwrap();
    source.cache.invalidate(&another_session);
    assert_eq!(source.id(1), "AKID1");
    source.cache.invalidate(first.credentials());
    assert!(source.cache.current(at(1)).is_none());
    assert_eq!(source.id(1), "AKID2");
    source.cache.invalidate(first.credentials());
    assert_eq!((source.id(1).as_str(), source.loads()), ("AKID2", 2));

    source.failing.set(true);
    source.cache.invalidate(source.get(1).unwrap().credentials());
    assert_eq!(source.get(1).unwrap_err(), error(false));
}

#[test]
fn usable_until_is_another_question_than_fresh() {
    let source = Source::new(HOUR);
    assert_eq!(source.until(0, HOUR).unwrap().credentials().access_key_id(), "AKID1");
    assert_eq!(source.until(100, HOUR).unwrap().credentials().access_key_id(), "AKID1");
    // Still fresh, but they end a second too early.
    assert_eq!(source.until(100, HOUR + 1).unwrap().credentials().access_key_id(), "AKID2");
    assert_eq!(source.id(100), "AKID2");
    assert_eq!(source.loads(), 2);
}

#[test]
fn a_source_whose_credentials_never_last_long_enough_is_asked_once_a_minute() {
    let source = Source::new(HOUR);
    let failure = source.until(0, 2 * HOUR).unwrap_err();
    assert_eq!(failure.error(), &SourceError::TooShort { expires_at: at(HOUR), until: at(2 * HOUR) });
    assert_eq!(
        failure.to_string(),
        "environment: the credentials expire at 20260101T010000Z, but are needed until 20260101T020000Z; request a \
         shorter time, or configure longer sessions (duration_seconds of the profile)"
    );
    assert_eq!((source.id(0).as_str(), source.loads()), ("AKID1", 1));
    for now in 1..=180 {
        assert!(matches!(source.until(now, 2 * HOUR).unwrap_err().error(), SourceError::TooShort { .. }));
    }
    assert_eq!(*source.loads.borrow(), [0, 60, 120, 180]);
    source.failing.set(true);
    assert_eq!(source.until(240, 2 * HOUR).unwrap_err(), error(false));
    let cached = source.get(240).unwrap();
    assert_eq!((cached.credentials().access_key_id(), cached.refresh_error().is_none()), ("AKID4", true));
}

#[test]
fn jitter_spreads_the_refresh_over_two_and_a_half_minutes() {
    let refreshed_at = || {
        let source = Source { cache: CredentialCache::new(), ..Source::new(HOUR) };
        source.get(0).unwrap();
        (0..HOUR).find(|now| source.get(*now).unwrap().credentials().access_key_id() == "AKID2").unwrap()
    };
    let times: std::collections::BTreeSet<i64> = (0..40).map(|_| refreshed_at()).collect();
    let (first, last) = (times.first().unwrap(), times.last().unwrap());
    assert!(*first >= HOUR - 900 && *last <= HOUR - 750, "{times:?}");
    assert!(times.len() > 10 && last - first > 60, "{times:?}");
}

#[test]
fn jitter_spreads_the_next_attempt_over_half_a_minute() {
    let attempts = || {
        let source = Source { cache: CredentialCache::new(), ..Source::new(HOUR) };
        source.get(0).unwrap();
        source.failing.set(true);
        (HOUR - 750..HOUR).for_each(|now| assert!(source.get(now).unwrap().refresh_error().is_some()));
        source.loads.take()
    };
    let waits: Vec<i64> =
        (0..10).flat_map(|_| attempts()[1..].windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()).collect();
    assert!(waits.iter().all(|wait| (60..90).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait != waits[0]), "{waits:?}");
}

#[test]
fn a_resolver_loads() {
    let keys = [("AWS_ACCESS_KEY_ID", "AKIDENV"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let mut world = World::new(&keys);
    let cache = CredentialCache::new();
    for _ in 0..2 {
        let cached = cache.get(|| at(0), || world.resolve()).unwrap();
        assert_eq!(cached.resolved().source, SourceKind::Environment);
        assert_eq!(cached.identity().credentials().access_key_id(), "AKIDENV");
    }
    assert_eq!(world.log.len(), 2);
}

#[test]
fn debug_shows_no_secret() {
    let source = Source::new(HOUR);
    let cached = source.get(0).unwrap();
    for shown in [format!("{:?}", source.cache), format!("{cached:?}"), format!("{:?}", source.cache.clone())] {
        assert!(shown.contains("AKID1") && !shown.contains("secret") && !shown.contains("token-"), "{shown}");
    }
}
