use alloc::string::String;
use core::time::Duration;

use crate::sigv4::timestamp::Timestamp;

pub(super) fn signature_expired(signed: Timestamp, now: Timestamp, allowed: Duration) -> String {
    let earliest = now.saturating_add(-seconds(allowed));
    alloc::format!("Signature expired: {signed} is now earlier than {earliest} ({now} - {}.)", length(allowed))
}

pub(super) fn signature_not_yet_current(signed: Timestamp, now: Timestamp, allowed: Duration) -> String {
    let latest = later(now, allowed);
    alloc::format!("Signature not yet current: {signed} is still later than {latest} ({now} + {}.)", length(allowed))
}

pub(super) fn later(timestamp: Timestamp, by: Duration) -> Timestamp {
    timestamp.saturating_add(seconds(by))
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

fn length(duration: Duration) -> String {
    match duration.as_secs() {
        seconds if seconds % 60 == 0 => alloc::format!("{} min", seconds / 60),
        seconds => alloc::format!("{seconds} sec"),
    }
}
