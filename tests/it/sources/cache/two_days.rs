//! 48 hours by a clock of our own.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::thread;

use countersign::sources::CredentialCache;

use super::{HOUR, Source, at, error, resolved};

const STEP: i64 = 7;

#[test]
fn a_source_that_works_is_asked_at_each_end_of_freshness_and_at_no_other_time() {
    for (lifetime, fresh_for) in [(900, 675), (HOUR, 2700), (12 * HOUR, 11 * HOUR + 2700)] {
        let source = Source::new(lifetime);
        for now in (0..48 * HOUR).step_by(STEP as usize) {
            let cached = source.get(now).unwrap();
            assert!(cached.credentials().expires_at().unwrap() > at(now));
            assert!(cached.refresh_error().is_none());
        }
        let period = (fresh_for + STEP - 1) / STEP * STEP;
        let expected: Vec<i64> = (0..48 * HOUR).step_by(period as usize).collect();
        assert_eq!(*source.loads.borrow(), expected);
    }
}

#[test]
fn a_source_that_fails_for_stretches_is_survived() {
    // Each 5 hours, for 10, 40, or 100 minutes.
    for (lifetime, outage) in [900, HOUR, 12 * HOUR].into_iter().flat_map(|l| [600, 2400, 6000].map(|o| (l, o))) {
        let source = Source::new(lifetime);
        let (mut expires_at, mut attempt) = (0, None);
        for now in (0..48 * HOUR).step_by(STEP as usize) {
            let failing = now > HOUR && now % (5 * HOUR) < outage;
            source.failing.set(failing);
            let loads = source.loads();
            match source.get(now) {
                Ok(cached) => {
                    expires_at = cached.credentials().expires_at().unwrap().unix_seconds() - at(0).unix_seconds();
                    assert!(expires_at > now, "{now}");
                    assert!(failing || cached.refresh_error().is_none() || expires_at - now < 900, "{now}");
                }
                Err(_) => assert!(failing && expires_at <= now, "{now}: valid until {expires_at}"),
            }
            if source.loads() > loads && failing && now < expires_at {
                assert!(attempt.is_none_or(|attempt| now - attempt >= 60), "{now}: asked again after {attempt:?}");
                attempt = Some(now);
            }
        }
        // Twice a lifetime at most, and each step of the 10 outages.
        let most = 48 * HOUR / (lifetime / 2) + 10 * (outage / STEP + 1);
        assert!((source.loads() as i64) < most, "{} of {most}", source.loads());
    }
}

#[test]
fn several_threads_never_refresh_at_the_same_time_nor_get_expired_credentials() {
    let cache = CredentialCache::new();
    let (clock, loading, loads) = (AtomicI64::new(0), AtomicBool::new(false), AtomicUsize::new(0));
    let run = |_| {
        while clock.load(SeqCst) < 48 * HOUR {
            let seen = Cell::new(0);
            let now = || {
                seen.set(clock.fetch_add(STEP, SeqCst));
                at(seen.get())
            };
            let load = || {
                assert!(!loading.swap(true, SeqCst), "two refreshes at a time");
                thread::yield_now();
                let (now, number) = (clock.load(SeqCst), loads.fetch_add(1, SeqCst));
                assert!(loading.swap(false, SeqCst));
                if number % 3 == 1 { Err(error(false)) } else { Ok(resolved("AKID", Some(now + 900))) }
            };
            if let Ok(cached) = cache.get(now, load) {
                assert!(cached.credentials().expires_at().unwrap() > at(seen.get()));
            }
        }
    };
    let run = &run;
    thread::scope(|scope| (0..4).for_each(|thread| drop(scope.spawn(move || run(thread)))));
    let loads = loads.into_inner();
    // Every 675 to 720 seconds, and a third more because of failures.
    assert!((200..600).contains(&loads), "{loads}");
}
