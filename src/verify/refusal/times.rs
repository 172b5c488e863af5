use alloc::string::String;
use core::time::Duration;

use crate::aws_error::text;
use crate::sigv4::timestamp::Timestamp;

pub(super) fn expired(signed: Timestamp, now: Timestamp, allowed: Duration) -> String {
    text::signature_expired(signed, now.saturating_add(-seconds(allowed)), now, allowed.as_secs())
}

pub(super) fn not_yet_current(signed: Timestamp, now: Timestamp, allowed: Duration) -> String {
    text::signature_not_yet_current(signed, later(now, allowed), now, allowed.as_secs())
}

pub(super) fn later(timestamp: Timestamp, by: Duration) -> Timestamp {
    timestamp.saturating_add(seconds(by))
}

fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}
