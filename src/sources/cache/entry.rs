//! Credentials in a cache, and when they are refreshed.

use core::fmt;

use crate::sign::Identity;
use crate::sigv4::timestamp::Timestamp;
use crate::sources::resolver::Resolved;

/// How long before the end a refresh begins while callers go on, in seconds.
const ADVISORY: i64 = 15 * 60;
/// How long before the end callers begin to wait for the refresh, in seconds.
const MANDATORY: i64 = 10 * 60;
/// The windows of credentials that live for less than an hour are these parts of their lifetime. For one hour, they are
/// the full windows.
const ADVISORY_PART: i64 = 4;
const MANDATORY_PART: i64 = 6;
/// A clock that is further behind the time of the load than this was set back, in seconds.
const SET_BACK: i64 = 5 * 60;

/// Credentials with the times that decide about them, in seconds since 1970.
pub(super) struct Entry {
    pub(super) identity: Identity,
    pub(super) resolved: Resolved,
    /// The load that gave them.
    pub(super) flight: u64,
    pub(super) loaded_at: i64,
    fresh_from: i64,
    fresh_until: i64,
    mandatory_from: i64,
    expires_at: Option<i64>,
}

impl Entry {
    /// `jitter` is from 0 to 255 and delays the refresh by up to half the distance of the two windows, so that programs
    /// that got credentials at the same time don't all refresh them at the same time.
    pub(super) fn new(resolved: Resolved, flight: u64, now: Timestamp, jitter: u8) -> Self {
        let identity = Identity::new(resolved.credentials.clone());
        let loaded_at = now.unix_seconds();
        let expires_at = resolved.credentials.expires_at().map(|expires_at| expires_at.unix_seconds());
        let Some(end) = expires_at else {
            let (fresh_from, fresh_until, mandatory_from) = (i64::MIN, i64::MAX, i64::MAX);
            return Self { identity, resolved, flight, loaded_at, fresh_from, fresh_until, mandatory_from, expires_at };
        };
        // The lifetime is counted from the load: a source that keeps credentials itself gives old ones, and is asked
        // again when most of what was left of them is over.
        let lifetime = end - loaded_at;
        let mandatory = MANDATORY.min(lifetime / MANDATORY_PART);
        let advisory = ADVISORY.min(lifetime / ADVISORY_PART);
        let advisory = advisory - (advisory - mandatory) * i64::from(jitter) / 512;
        let (fresh_from, fresh_until, mandatory_from) = (loaded_at - SET_BACK, end - advisory, end - mandatory);
        Self { identity, resolved, flight, loaded_at, fresh_from, fresh_until, mandatory_from, expires_at }
    }

    /// Whether nobody has to refresh them.
    pub(super) fn is_fresh(&self, now: i64) -> bool {
        self.fresh_from <= now && now < self.fresh_until
    }

    /// Whether callers wait for a refresh.
    pub(super) fn is_mandatory(&self, now: i64) -> bool {
        self.mandatory_from <= now
    }

    /// Whether they are valid now, and until then.
    pub(super) fn is_usable(&self, now: i64, until: Option<Timestamp>) -> bool {
        self.expires_at.is_none_or(|end| now < end && until.is_none_or(|until| until.unix_seconds() <= end))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("credentials", self.identity.credentials())
            .field("source", &self.resolved.source)
            .field("fresh_until", &self.fresh_until)
            .field("mandatory_from", &self.mandatory_from)
            .finish_non_exhaustive()
    }
}
