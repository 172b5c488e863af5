//! The time of a request.

mod calendar;
mod formats;
#[cfg(feature = "std")]
mod std_time;
#[cfg(test)]
mod tests;
#[cfg(feature = "time")]
mod time_crate;

use core::fmt;
use core::str::FromStr;

use alloc::string::String;

use calendar::{SECONDS_PER_DAY, civil_from_days};

/// The time of a request: whole seconds, UTC, written `20150830T123600Z`.
///
/// It stores both the seconds and the text, so that the text is formatted only once. Only `Timestamp::now` reads a
/// clock.
///
/// ```
/// use countersign::Timestamp;
///
/// let now: Timestamp = "20150830T123600Z".parse()?;
/// assert_eq!(now.unix_seconds(), 1_440_938_160);
/// assert_eq!(now.date(), "20150830");
/// assert_eq!(Timestamp::from_unix_seconds(1_440_938_160)?, now);
/// # Ok::<(), countersign::TimestampError>(())
/// ```
///
/// AWS: [Elements of a request signature](https://docs.aws.amazon.com/IAM/latest/UserGuide/signing-elements.html)
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    unix_seconds: i64,
    text: [u8; 16],
}

/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: the range of a four-digit year.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

impl Timestamp {
    /// Creates a timestamp from the seconds since 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// Returns [`TimestampError::OutOfRange`] outside the years 0 to 9999.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, TimestampError> {
        if (FIRST..=LAST).contains(&seconds) {
            Ok(Self::in_range(seconds))
        } else {
            Err(TimestampError::OutOfRange { seconds })
        }
    }

    /// Returns the seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(&self) -> i64 {
        self.unix_seconds
    }

    /// Returns the time as in `x-amz-date` and the string to sign, e.g. `20150830T123600Z`.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.text).unwrap_or_default()
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.text
    }

    /// Returns the date as in the scope, e.g. `20150830`.
    pub fn date(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    pub(crate) fn date_bytes(&self) -> &[u8] {
        self.text.get(..8).unwrap_or_default()
    }

    pub(crate) fn same_day(&self, other: &Self) -> bool {
        self.text.first_chunk::<8>() == other.text.first_chunk::<8>()
    }

    /// Returns this time plus `seconds`, clamped to the years 0 to 9999. A client whose clock is wrong can add the
    /// offset that it learned from a server:
    ///
    /// ```
    /// # use countersign::Timestamp;
    /// let by_our_clock: Timestamp = "20150830T123600Z".parse()?;
    /// // The value of `Explanation::clock_offset`, in seconds.
    /// let offset = -90;
    /// assert_eq!(by_our_clock.saturating_add(offset).as_str(), "20150830T123430Z");
    /// # Ok::<(), countersign::TimestampError>(())
    /// ```
    pub fn saturating_add(self, seconds: i64) -> Self {
        Self::in_range(self.unix_seconds.saturating_add(seconds).clamp(FIRST, LAST))
    }

    pub(crate) fn in_range(unix_seconds: i64) -> Self {
        let (year, month, day) = civil_from_days(unix_seconds.div_euclid(SECONDS_PER_DAY));
        let second_of_day = unix_seconds.rem_euclid(SECONDS_PER_DAY);
        let pair = |n: i64| [b'0' + ((n / 10) % 10) as u8, b'0' + (n % 10) as u8];
        let [c1, c2] = pair(year / 100);
        let [y1, y2] = pair(year % 100);
        let [m1, m2] = pair(month);
        let [d1, d2] = pair(day);
        let [h1, h2] = pair(second_of_day / 3600);
        let [i1, i2] = pair(second_of_day / 60 % 60);
        let [s1, s2] = pair(second_of_day % 60);
        Self { unix_seconds, text: [c1, c2, y1, y2, m1, m2, d1, d2, b'T', h1, h2, i1, i2, s1, s2, b'Z'] }
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Parses `YYYYMMDDTHHMMSSZ`, exactly 16 characters. The date and time must exist; leap seconds are not accepted.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        Self::parse(text.as_bytes())
            .ok_or_else(|| TimestampError::Format { got: crate::text::excerpt(text.as_bytes()) })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error for an invalid [`Timestamp`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// The text is not of the form `YYYYMMDDTHHMMSSZ`, or the date or time does not exist.
    #[error("{got:?} is not a UTC time of the form YYYYMMDDTHHMMSSZ, e.g. 20150830T123600Z")]
    Format {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The time is outside the years 0 to 9999.
    #[error("{seconds} seconds since 1970 is outside the years 0 to 9999")]
    OutOfRange {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: i64,
    },
}
