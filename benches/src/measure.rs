//! Times contenders in turn, so that whatever disturbs the machine disturbs all of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::allocator;

/// What a number of runs cost.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    pub time: Duration,
    pub allocations: u64,
    pub bytes: u64,
}

impl Cost {
    fn of(mut run: impl FnMut()) -> Self {
        let (allocations, bytes) = allocator::so_far();
        let start = Instant::now();
        measured(&mut run);
        let time = start.elapsed();
        let after = allocator::so_far();
        Self { time, allocations: after.0 - allocations, bytes: after.1 - bytes }
    }
}

/// Callgrind counts what runs in here, by this name.
#[inline(never)]
fn measured(run: &mut dyn FnMut()) {
    run();
}

/// One way of doing an operation on a request. Its result was checked when it was made.
pub struct Contender {
    pub who: &'static str,
    run: Box<dyn FnMut(u64) -> Cost>,
}

impl Contender {
    pub fn new<T: 'static>(who: &'static str, mut run: impl FnMut() -> T + 'static) -> Self {
        let run = move |times: u64| {
            Cost::of(|| {
                for _ in 0..times {
                    black_box(run());
                }
            })
        };
        Self { who, run: Box::new(run) }
    }

    /// For what changes or uses up its input: making and dropping that is not part of the cost.
    pub fn with_input<I: 'static, T: 'static>(
        who: &'static str,
        mut input: impl FnMut() -> I + 'static,
        mut run: impl FnMut(&mut I) -> T + 'static,
    ) -> Self {
        let run = move |times: u64| {
            // In batches that stay in the cache.
            let mut total = Cost::default();
            let mut left = times;
            while left > 0 {
                let mut inputs: Vec<I> = (0..left.min(16)).map(|_| input()).collect();
                left -= inputs.len() as u64;
                let cost = Cost::of(|| {
                    for input in &mut inputs {
                        black_box(run(black_box(input)));
                    }
                });
                total.time += cost.time;
                total.allocations += cost.allocations;
                total.bytes += cost.bytes;
            }
            total
        };
        Self { who, run: Box::new(run) }
    }

    pub fn run(&mut self, times: u64) -> Cost {
        (self.run)(times)
    }
}

/// Contenders on one request; the first is the floor.
pub struct Row {
    pub operation: &'static str,
    pub request: String,
    pub contenders: Vec<Contender>,
}

impl Row {
    pub fn contender(&mut self, who: &str) -> &mut Contender {
        self.contenders.iter_mut().find(|contender| contender.who == who).expect("a contender")
    }
}

/// What one run of a contender costs.
pub struct Figure {
    pub who: &'static str,
    /// The median.
    pub nanoseconds: f64,
    pub allocations: u64,
    pub bytes: u64,
}

const SAMPLE: Duration = Duration::from_micros(400);
const ROUNDS: usize = 101;
/// Long operations have fewer rounds.
const LONGEST: Duration = Duration::from_secs(6);

/// The median of each contender, in one run.
pub fn measure(contenders: &mut [Contender]) -> Vec<Figure> {
    let mut memory = Vec::new();
    let mut times = Vec::new();
    for contender in contenders.iter_mut() {
        contender.run(3);
        memory.push(contender.run(1));
        let once = contender.run(5).time.as_nanos().max(5) / 5;
        times.push(u64::try_from((SAMPLE.as_nanos() / once).clamp(1, 20_000)).unwrap());
    }
    let mut samples: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    let start = Instant::now();
    for round in 0..ROUNDS {
        for offset in 0..contenders.len() {
            let index = (round + offset) % contenders.len();
            let cost = contenders[index].run(times[index]);
            samples[index].push(cost.time.as_nanos() as f64 / times[index] as f64);
        }
        if start.elapsed() > LONGEST {
            break;
        }
    }
    let figures = contenders.iter().zip(samples).zip(memory);
    figures
        .map(|((contender, mut samples), Cost { allocations, bytes, .. })| {
            samples.sort_by(f64::total_cmp);
            Figure { who: contender.who, nanoseconds: samples[samples.len() / 2], allocations, bytes }
        })
        .collect()
}

/// How many times as much two threads do on one value as one does. Of each the best of many rounds counts: on a busy
/// machine the others tell how many cores were free.
pub fn two_threads<T: Sync>(shared: &T, run: impl Fn(&T) + Sync) -> f64 {
    const TIMES: u32 = 2000;
    let per_second = |threads: u32| {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..TIMES).for_each(|_| run(shared)));
            }
        });
        f64::from(threads * TIMES) / start.elapsed().as_secs_f64()
    };
    let best = (0..101).fold((0.0_f64, 0.0_f64), |(one, two), _| (one.max(per_second(1)), two.max(per_second(2))));
    best.1 / best.0
}
