//! Many callers at once: threads and tasks.

use std::future::{Future, pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use countersign::sources::{CachedCredentials, CredentialCache, ResolveError, Resolved, SourceError};

use super::{HOUR, at, error, resolved};

const MANY: usize = 1000;

/// A cache with credentials of an hour, `AKID1`.
pub fn filled() -> CredentialCache {
    let cache = CredentialCache::without_jitter();
    cache.get(|| at(0), || Ok(resolved("AKID1", Some(HOUR)))).unwrap();
    cache
}

pub fn id(result: &Result<CachedCredentials, ResolveError>) -> &str {
    result.as_ref().unwrap().credentials().access_key_id()
}

fn unreachable_load() -> Result<Resolved, ResolveError> {
    panic!("another caller loads")
}

/// Counts how often it wakes.
#[derive(Default)]
pub struct Woken(pub AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>, woken: &Arc<Woken>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::clone(woken))))
}

/// The results of many threads that ask at `now`, and the number of loads.
fn threads(cache: &CredentialCache, now: i64, fails: bool) -> (Vec<Result<CachedCredentials, ResolveError>>, usize) {
    let (loads, barrier) = (AtomicUsize::new(0), Barrier::new(MANY));
    let load = || {
        loads.fetch_add(1, SeqCst);
        thread::sleep(Duration::from_millis(50));
        if fails { Err(error(false)) } else { Ok(resolved("AKID2", Some(now + HOUR))) }
    };
    let run = || {
        barrier.wait();
        cache.get(|| at(now), load)
    };
    let results = thread::scope(|scope| {
        let spawn = |_| thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, run).unwrap();
        let threads: Vec<_> = (0..MANY).map(spawn).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    (results, loads.into_inner())
}

#[test]
fn a_thousand_threads_at_expiry_load_once() {
    for now in [HOUR, HOUR - 600] {
        let (results, loads) = threads(&filled(), now, false);
        assert_eq!(loads, 1);
        assert!(results.iter().all(|result| id(result) == "AKID2"));
    }
    let (results, loads) = threads(&CredentialCache::new(), 0, false);
    assert_eq!((loads, results.len()), (1, MANY));
}

#[test]
fn a_thousand_threads_share_one_failure() {
    let (results, loads) = threads(&filled(), HOUR, true);
    assert_eq!(loads, 1);
    assert!(results.iter().all(|result| result.as_ref().unwrap_err() == &error(false)));
    let (results, loads) = threads(&filled(), HOUR - 1, true);
    assert_eq!(loads, 1);
    assert!(results.iter().all(|result| id(result) == "AKID1" && result.as_ref().unwrap().refresh_error().is_some()));
}

#[test]
fn a_thousand_tasks_at_expiry_load_once() {
    let (cache, loads) = (filled(), Arc::new(AtomicUsize::new(0)));
    let load = |loads: Arc<AtomicUsize>| async move {
        loads.fetch_add(1, SeqCst);
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        Ok(resolved("AKID2", Some(2 * HOUR)))
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..MANY)
            .map(|_| {
                let (cache, loads) = (cache.clone(), Arc::clone(&loads));
                tokio::spawn(async move { cache.get_async(|| at(HOUR), || load(loads)).await })
            })
            .collect();
        for task in tasks {
            assert_eq!(id(&task.await.unwrap()), "AKID2");
        }
    });
    assert_eq!(loads.load(SeqCst), 1);
}

#[test]
fn threads_and_tasks_wait_for_each_other() {
    // A thread waits for a task.
    let (cache, woken) = (filled(), Arc::default());
    let arrived = AtomicBool::new(false);
    let load = || poll_fn(|_| if arrived.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending });
    let load = || async {
        load().await;
        Ok(resolved("AKID2", Some(2 * HOUR)))
    };
    let mut task: Pin<Box<dyn Future<Output = _>>> = Box::pin(cache.get_async(|| at(HOUR), load));
    assert!(poll(&mut task, &woken).is_pending());
    thread::scope(|scope| {
        let waiting = scope.spawn(|| cache.get(|| at(HOUR), unreachable_load));
        thread::sleep(Duration::from_millis(20));
        arrived.store(true, SeqCst);
        assert!(poll(&mut task, &woken).is_ready());
        assert_eq!(id(&waiting.join().unwrap()), "AKID2");
    });

    // A task waits for a thread.
    let (cache, woken) = (filled(), Arc::<Woken>::default());
    let mut task = Box::pin(cache.get_async(|| at(HOUR), || async { unreachable_load() }));
    let load = || {
        assert!(poll(&mut task, &woken).is_pending());
        Ok(resolved("AKID2", Some(2 * HOUR)))
    };
    cache.get(|| at(HOUR), load).unwrap();
    assert_eq!(woken.0.load(SeqCst), 1);
    assert!(matches!(poll(&mut task, &woken), Poll::Ready(result) if id(&result) == "AKID2"));
}

#[test]
fn while_one_caller_refreshes_early_the_others_go_on() {
    let cache = filled();
    let load = || {
        assert_eq!(id(&cache.get(|| at(HOUR - 601), unreachable_load)), "AKID1");
        let mut task = Box::pin(cache.get_async(|| at(HOUR - 601), || async { unreachable_load() }));
        assert!(matches!(poll(&mut task, &Arc::default()), Poll::Ready(result) if id(&result) == "AKID1"));
        // Late in the load, the others would wait.
        let mut task = Box::pin(cache.get_async(|| at(HOUR - 600), || async { unreachable_load() }));
        assert!(poll(&mut task, &Arc::default()).is_pending());
        Ok(resolved("AKID2", Some(2 * HOUR)))
    };
    assert_eq!(id(&cache.get(|| at(HOUR - 900), load)), "AKID2");
}

#[test]
fn when_a_refreshing_task_is_dropped_a_waiting_one_takes_over() {
    let cache = filled();
    let (second, third) = (Arc::<Woken>::default(), Arc::<Woken>::default());
    let mut dropped = Box::pin(cache.get_async(|| at(HOUR), pending));
    assert!(poll(&mut dropped, &Arc::default()).is_pending());
    let load = || ready(Ok(resolved("AKID2", Some(2 * HOUR))));
    let mut takes_over = Box::pin(cache.get_async(|| at(HOUR), load));
    let mut waits = Box::pin(cache.get_async(|| at(HOUR), || async { unreachable_load() }));
    assert!(poll(&mut takes_over, &second).is_pending() && poll(&mut waits, &third).is_pending());
    drop(dropped);
    assert_eq!((second.0.load(SeqCst), third.0.load(SeqCst)), (1, 1));
    assert!(matches!(poll(&mut takes_over, &second), Poll::Ready(result) if id(&result) == "AKID2"));
    assert!(matches!(poll(&mut waits, &third), Poll::Ready(result) if id(&result) == "AKID2"));
}

#[test]
fn when_a_refreshing_task_is_dropped_a_waiting_thread_takes_over() {
    let cache = filled();
    let mut dropped = Box::pin(cache.get_async(|| at(HOUR - 1), pending));
    assert!(poll(&mut dropped, &Arc::default()).is_pending());
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let cache = &cache;
        let load = || Ok(resolved("AKID2", Some(2 * HOUR)));
        scope.spawn(move || sender.send(id(&cache.get(|| at(HOUR - 1), load)).to_owned()));
        // It has valid credentials, but waits for better ones.
        assert!(receiver.recv_timeout(Duration::from_millis(50)).is_err());
        drop(dropped);
        assert_eq!(receiver.recv().unwrap(), "AKID2");
    });
}

#[test]
fn all_threads_that_wait_are_woken_at_once() {
    let cache = filled();
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        let load = || {
            for _ in 0..20 {
                let (sender, cache) = (sender.clone(), &cache);
                scope.spawn(move || sender.send(id(&cache.get(|| at(HOUR), unreachable_load)).to_owned()));
            }
            thread::sleep(Duration::from_millis(200));
            Ok(resolved("AKID2", Some(2 * HOUR)))
        };
        cache.get(|| at(HOUR), load).unwrap();
        // Without being woken, they look again after 5 seconds.
        for _ in 0..20 {
            assert_eq!(receiver.recv_timeout(Duration::from_secs(4)).unwrap(), "AKID2");
        }
    });
}

#[test]
fn a_waiting_task_that_is_dropped_leaves_nothing_behind() {
    let (cache, woken) = (filled(), Arc::<Woken>::default());
    let mut loads = Box::pin(cache.get_async(|| at(HOUR), pending));
    assert!(poll(&mut loads, &Arc::default()).is_pending());
    let mut waits: Vec<_> = (0..100).map(|_| Box::pin(cache.get_async(|| at(HOUR), pending))).collect();
    for waiting in &mut waits {
        assert!(poll(waiting, &woken).is_pending() && poll(waiting, &woken).is_pending());
    }
    assert_eq!(Arc::strong_count(&woken), 101);
    drop(waits);
    assert_eq!(Arc::strong_count(&woken), 1);
    drop(loads);
    assert_eq!(woken.0.load(SeqCst), 0);
}

#[test]
fn a_load_that_panics_lets_the_next_one_load() {
    let cache = filled();
    let panics = || cache.get(|| at(HOUR), || panic!("a load that panics")).map(|_| ());
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(id(&cache.get(|| at(HOUR), || Ok(resolved("AKID2", Some(2 * HOUR))))), "AKID2");

    let (cache, woken) = (filled(), Arc::default());
    let load = || async { panic!("a load that panics") };
    let mut panics = Box::pin(cache.get_async(|| at(HOUR), load));
    assert!(catch_unwind(AssertUnwindSafe(|| poll(&mut panics, &woken).map(|_| ()))).is_err());
    assert_eq!(id(&cache.get(|| at(HOUR), || Ok(resolved("AKID2", Some(2 * HOUR))))), "AKID2");
}

#[test]
fn when_a_load_panics_a_waiting_thread_takes_over() {
    let (cache, loads) = (filled(), AtomicUsize::new(0));
    let load = || {
        let number = loads.fetch_add(1, SeqCst);
        thread::sleep(Duration::from_millis(50));
        assert!(number > 0, "the first load panics");
        Ok(resolved("AKID2", Some(2 * HOUR)))
    };
    let run = || catch_unwind(AssertUnwindSafe(|| cache.get(|| at(HOUR), load)));
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_err()).count(), 1);
    assert!(results.iter().flatten().all(|result| id(result) == "AKID2"));
    assert_eq!(loads.into_inner(), 2);
}

#[test]
fn a_caller_that_waited_looks_at_the_clock_again() {
    let (cache, now, woken) = (filled(), AtomicI64::new(HOUR), Arc::default());
    let clock = || at(now.load(SeqCst));
    let load = || ready(Ok(resolved("AKID3", Some(3 * HOUR))));
    let mut waits = Box::pin(cache.get_async(clock, load));
    let lead = || {
        assert!(poll(&mut waits, &woken).is_pending());
        Ok(resolved("AKID2", Some(2 * HOUR)))
    };
    assert_eq!(id(&cache.get(clock, lead)), "AKID2");
    // The runtime was busy for an hour.
    now.store(2 * HOUR, SeqCst);
    assert!(matches!(poll(&mut waits, &woken), Poll::Ready(result) if id(&result) == "AKID3"));
}

#[test]
fn a_caller_that_waited_gets_the_result_of_that_load_however_late_it_is() {
    let (cache, now, woken) = (filled(), AtomicI64::new(HOUR), Arc::default());
    let clock = || at(now.load(SeqCst));
    let waiting = || Box::pin(cache.get_async(clock, || async { unreachable_load() }));
    let waiting_for_long = || {
        let until = at(9 * HOUR);
        Box::pin(cache.get_usable_until_async(clock, until, || async { unreachable_load() }))
    };
    let (mut waits, mut for_long) = (waiting(), waiting_for_long());
    let fails = || {
        assert!(poll(&mut waits, &woken).is_pending());
        Err(error(true))
    };
    assert_eq!(cache.get(clock, fails).unwrap_err(), error(true));
    now.store(HOUR + 100, SeqCst);
    assert!(matches!(poll(&mut waits, &woken), Poll::Ready(Err(failure)) if failure == error(true)));

    let mut waits = waiting();
    let succeeds = || {
        assert!(poll(&mut waits, &woken).is_pending() && poll(&mut for_long, &woken).is_pending());
        Ok(resolved("AKID2", Some(2 * HOUR)))
    };
    assert_eq!(id(&cache.get(clock, succeeds)), "AKID2");
    // They should be refreshed by now, which is for the next caller.
    now.store(2 * HOUR - 1, SeqCst);
    assert!(matches!(poll(&mut waits, &woken), Poll::Ready(result) if id(&result) == "AKID2"));
    let too_short = SourceError::TooShort { expires_at: at(2 * HOUR), until: at(9 * HOUR) };
    assert!(matches!(poll(&mut for_long, &woken), Poll::Ready(Err(failure)) if failure.error() == &too_short));
}

#[test]
fn a_load_that_never_ends_holds_callers_with_valid_credentials_for_five_seconds_only() {
    let (cache, now, woken) = (filled(), AtomicI64::new(HOUR - 100), Arc::default());
    let clock = || at(now.load(SeqCst));
    let mut never = Box::pin(cache.get_async(clock, pending));
    assert!(poll(&mut never, &woken).is_pending());
    let mut waits = Box::pin(cache.get_async(clock, || async { unreachable_load() }));
    for seconds in 0..5 {
        now.store(HOUR - 100 + seconds, SeqCst);
        assert!(poll(&mut waits, &woken).is_pending());
    }
    now.store(HOUR - 95, SeqCst);
    assert!(matches!(poll(&mut waits, &woken), Poll::Ready(result) if id(&result) == "AKID1"));
    // A thread's five seconds are real ones: its clock stands still here.
    assert_eq!(id(&cache.get(clock, unreachable_load)), "AKID1");
    assert_eq!(cache.current(clock()).unwrap().credentials().access_key_id(), "AKID1");

    // Without valid credentials there is nothing to go on with.
    let mut waits = Box::pin(cache.get_async(clock, || async { unreachable_load() }));
    assert!(poll(&mut waits, &woken).is_pending());
    now.store(HOUR, SeqCst);
    assert!(poll(&mut waits, &woken).is_pending());
    assert!(cache.current(clock()).is_none());
}

#[test]
fn usable_until_waits_for_a_refresh_although_the_credentials_are_fresh() {
    let (cache, woken) = (filled(), Arc::default());
    let load = || ready(Ok(resolved("AKID2", Some(2 * HOUR))));
    let mut waits = Box::pin(cache.get_usable_until_async(|| at(60), at(HOUR + 60), || async { unreachable_load() }));
    let lead = || {
        assert!(poll(&mut waits, &woken).is_pending());
        assert_eq!(id(&cache.get(|| at(60), unreachable_load)), "AKID1");
        Ok(resolved("AKID2", Some(2 * HOUR)))
    };
    assert_eq!(id(&cache.get_usable_until(|| at(60), at(HOUR + 60), lead)), "AKID2");
    assert!(matches!(poll(&mut waits, &woken), Poll::Ready(result) if id(&result) == "AKID2"));
    let mut next = pin!(cache.get_usable_until_async(|| at(60), at(2 * HOUR), load));
    assert!(next.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready());
}

#[test]
fn the_future_can_be_sent_to_another_thread() {
    fn sent(_: impl Future + Send) {}
    let cache = CredentialCache::new();
    sent(cache.get_async(|| at(0), || ready(Err(error(false)))));
    sent(cache.get_usable_until_async(|| at(0), at(1), || ready(Err(error(false)))));
}
