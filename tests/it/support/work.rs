//! How long a test works.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// What this thread has worked, where the system tells: a busy machine makes nothing slow that is fast. Else the time.
pub fn worked() -> Duration {
    static BEGUN: LazyLock<Instant> = LazyLock::new(Instant::now);
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    match schedule.split(' ').next().map(str::parse) {
        Some(Ok(nanoseconds)) => Duration::from_nanos(nanoseconds),
        _ => BEGUN.elapsed(),
    }
}
