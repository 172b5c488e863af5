//! Conversions that need `std`: the clock and `SystemTime`.

use super::{Timestamp, TimestampError};

impl Timestamp {
    /// Returns the current time. This is the only function in the crate that reads a clock.
    ///
    /// It is not available on `wasm32-unknown-unknown`, which has no clock: pass in a time there.
    #[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
    pub fn now() -> Self {
        let seconds = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(super::LAST),
            Err(_) => 0,
        };
        Self::in_range(seconds.min(super::LAST))
    }
}

impl TryFrom<std::time::SystemTime> for Timestamp {
    type Error = TimestampError;

    fn try_from(time: std::time::SystemTime) -> Result<Self, TimestampError> {
        let seconds = match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                let before = before.duration();
                let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX);
                -whole - i64::from(before.subsec_nanos() > 0)
            }
        };
        Self::from_unix_seconds(seconds)
    }
}
