//! Random schedules of tasks: they start, go on, are dropped, while loads end well, badly, or in a panic.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::task::{Context, Poll, Waker};

use countersign::sources::{CachedCredentials, CredentialCache, ResolveError, Resolved};

use super::callers::Woken;
use super::{HOUR, at, error, resolved};
use crate::support::random::Random;

type Outcome = Result<CachedCredentials, ResolveError>;

/// How a load ends.
#[derive(Clone, Copy)]
enum End {
    Well(i64),
    Badly,
    Panic,
}

#[derive(Default)]
struct World {
    now: Cell<i64>,
    live: Cell<usize>,
    loads: Cell<usize>,
    end: Cell<Option<End>>,
    loader: RefCell<Option<Waker>>,
}

/// A load that is running.
struct Live(Rc<World>);

impl Live {
    fn start(world: Rc<World>) -> Self {
        assert_eq!(world.live.replace(1), 0, "two loads at a time");
        world.loads.set(world.loads.get() + 1);
        world.end.set(None);
        Self(world)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.0.live.set(0);
    }
}

async fn load(world: Rc<World>) -> Result<Resolved, ResolveError> {
    let live = Live::start(world);
    let world = &live.0;
    let end = poll_fn(|context| {
        *world.loader.borrow_mut() = Some(context.waker().clone());
        world.end.take().map_or(Poll::Pending, Poll::Ready)
    });
    match end.await {
        End::Well(lifetime) => Ok(resolved(&format!("AKID{}", world.loads.get()), Some(world.now.get() + lifetime))),
        End::Badly => Err(error(false)),
        End::Panic => panic!("a load of the schedule panics"),
    }
}

struct Task {
    future: Pin<Box<dyn Future<Output = Outcome>>>,
    woken: Arc<Woken>,
    until: Option<i64>,
}

fn start(cache: &CredentialCache, world: &Rc<World>, until: Option<i64>) -> Task {
    let (cache, world) = (cache.clone(), Rc::clone(world));
    let future = async move {
        let (clock, load) = (|| at(world.now.get()), || load(Rc::clone(&world)));
        match until {
            Some(until) => cache.get_usable_until_async(clock, at(until), load).await,
            None => cache.get_async(clock, load).await,
        }
    };
    let woken = Arc::new(Woken(1.into()));
    Task { future: Box::pin(future), woken, until }
}

/// Polls it. Returns whether it is over.
fn run(task: &mut Task, world: &World) -> bool {
    task.woken.0.store(0, SeqCst);
    let waker = Waker::from(Arc::clone(&task.woken));
    let polled = catch_unwind(AssertUnwindSafe(|| task.future.as_mut().poll(&mut Context::from_waker(&waker))));
    match polled {
        Ok(Poll::Pending) => return false,
        Ok(Poll::Ready(Ok(cached))) => {
            let expires_at = cached.credentials().expires_at().unwrap();
            assert!(expires_at > at(world.now.get()), "expired credentials");
            assert!(task.until.is_none_or(|until| at(until) <= expires_at), "too short");
        }
        Ok(Poll::Ready(Err(_))) | Err(_) => {}
    }
    true
}

/// Runs all that are woken until nothing happens any more.
fn settle(tasks: &mut Vec<Task>, world: &World) {
    while let Some(index) = tasks.iter().position(|task| task.woken.0.load(SeqCst) > 0) {
        if run(&mut tasks[index], world) {
            drop(tasks.swap_remove(index));
        }
    }
}

fn end(world: &World, end: End) {
    if world.live.get() == 1 {
        world.end.set(Some(end));
        if let Some(waker) = world.loader.borrow_mut().take() {
            waker.wake();
        }
    }
}

fn schedule(random: &mut Random) {
    let (cache, world) = (CredentialCache::new(), Rc::new(World::default()));
    let mut tasks: Vec<Task> = Vec::new();
    for _ in 0..200 {
        let now = world.now.get();
        match random.below(20) {
            0..=7 => {
                let lives_until = now + random.below(2 * HOUR as usize) as i64;
                tasks.push(start(&cache, &world, (random.below(4) == 0).then_some(lives_until)));
            }
            8 | 9 if !tasks.is_empty() => drop(tasks.swap_remove(random.below(tasks.len()))),
            10..=12 => {
                let ends = [End::Well(HOUR), End::Well(60), End::Well(0), End::Well(900), End::Badly, End::Panic];
                end(&world, ends[random.below(ends.len())]);
            }
            13 => {
                if let Some(cached) = cache.current(at(now)) {
                    assert!(cached.credentials().expires_at().unwrap() > at(now));
                    cache.invalidate(cached.credentials());
                }
            }
            14 | 15 => world.now.set(now + [1, 2, 10, 61, 700, 2000, -1, -400][random.below(8)]),
            16 => settle(&mut tasks, &world),
            _ if !tasks.is_empty() => {
                let index = random.below(tasks.len());
                if run(&mut tasks[index], &world) {
                    drop(tasks.swap_remove(index));
                }
            }
            _ => {}
        }
    }
    // As long as someone waits, someone loads; when all loads end, nobody waits any more.
    settle(&mut tasks, &world);
    for _ in 0..tasks.len() + 1 {
        assert!(tasks.is_empty() || world.live.get() == 1, "{} wait for nobody", tasks.len());
        end(&world, if random.below(2) == 0 { End::Well(HOUR) } else { End::Badly });
        settle(&mut tasks, &world);
    }
    assert!(tasks.is_empty(), "{} tasks hang", tasks.len());
    assert_eq!(world.live.get(), 0);
}

#[test]
fn whatever_the_order_nobody_hangs_and_nobody_gets_expired_credentials() {
    for seed in 0..500 {
        let mut random = Random(seed);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| schedule(&mut random))) {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(panic);
        }
    }
}
