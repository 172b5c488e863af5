use core::fmt;
use core::str::FromStr;

use alloc::string::String;

/// The time of a request: whole seconds, UTC, written `20150830T123600Z`.
///
/// It holds both forms, so that the text is made once. No method but `Timestamp::now` reads a clock.
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

const SECONDS_PER_DAY: i64 = 86_400;
/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z: what four digits of a year can say.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

impl Timestamp {
    /// The time that many seconds after 1970-01-01T00:00:00Z.
    ///
    /// # Errors
    /// [`TimestampError::OutOfRange`] outside the years 0 to 9999.
    pub fn from_unix_seconds(seconds: i64) -> Result<Self, TimestampError> {
        if (FIRST..=LAST).contains(&seconds) {
            Ok(Self::in_range(seconds))
        } else {
            Err(TimestampError::OutOfRange { seconds })
        }
    }

    /// The clock's time now. The one place in the crate that reads a clock.
    #[cfg(feature = "std")]
    pub fn now() -> Self {
        let seconds = match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_secs()).unwrap_or(LAST),
            Err(_) => 0,
        };
        Self::in_range(seconds.min(LAST))
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn unix_seconds(&self) -> i64 {
        self.unix_seconds
    }

    /// `20150830T123600Z`, as `x-amz-date` and the string to sign have it.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.text).unwrap_or_default()
    }

    #[cfg(feature = "std")]
    pub(crate) fn same_day(&self, other: &Self) -> bool {
        self.text.first_chunk::<8>() == other.text.first_chunk::<8>()
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 16] {
        &self.text
    }

    /// `20150830`, as the scope has it.
    pub fn date(&self) -> &str {
        self.as_str().get(..8).unwrap_or_default()
    }

    /// This time plus `seconds`, held within the years 0 to 9999. A client whose clock is off adds what the server told:
    ///
    /// ```
    /// # use countersign::Timestamp;
    /// let by_our_clock: Timestamp = "20150830T123600Z".parse()?;
    /// // What `Explanation::clock_offset` found, in seconds.
    /// let offset = -90;
    /// assert_eq!(by_our_clock.saturating_add(offset).as_str(), "20150830T123430Z");
    /// # Ok::<(), countersign::TimestampError>(())
    /// ```
    pub fn saturating_add(self, seconds: i64) -> Self {
        Self::in_range(self.unix_seconds.saturating_add(seconds).clamp(FIRST, LAST))
    }

    fn in_range(unix_seconds: i64) -> Self {
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

    /// `2015-08-30T12:36:00Z`, as S3 writes its own times, and [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339) all.
    pub(crate) fn extended(&self) -> String {
        let mut text = String::new();
        for (index, c) in self.as_str().chars().enumerate() {
            match index {
                4 | 6 => text.push('-'),
                11 | 13 => text.push(':'),
                _ => {}
            }
            text.push(c);
        }
        text
    }

    /// The same, read; a fraction of a second is left out.
    #[cfg(any(feature = "explain", feature = "post-policy"))]
    pub(crate) fn parse_extended(text: &str) -> Option<Self> {
        let part = |range: core::ops::Range<usize>| text.get(range);
        let separators = [part(4..5)?, part(7..8)?, part(13..14)?, part(16..17)?];
        let fraction = part(19..text.len())?.strip_suffix('Z')?;
        let is_fraction = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        if separators != ["-", "-", ":", ":"]
            || !(fraction.is_empty() || fraction.strip_prefix('.').is_some_and(is_fraction))
        {
            return None;
        }
        let basic = [part(0..4)?, part(5..7)?, part(8..13)?, part(14..16)?, part(17..19)?, "Z"].concat();
        parse_basic(basic.as_bytes())
    }

    /// `Date: Fri, 24 May 2013 00:00:00 GMT`, the IMF-fixdate of
    /// [RFC 9110 5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7). The day's name is not compared.
    pub(crate) fn parse_imf_fixdate(text: &str) -> Option<Self> {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let mut words = text.split(' ');
        let mut next = || words.next().unwrap_or_default();
        let (weekday, day, month, year, clock, zone) = (next(), next(), next(), next(), next(), next());
        let well_formed = text.len() == 29 && weekday.len() == 4 && weekday.ends_with(',') && zone == "GMT";
        if !well_formed || year.len() != 4 || day.len() != 2 {
            return None;
        }
        let month = MONTHS.iter().position(|name| *name == month)? as i64 + 1;
        let mut clock = clock.split(':').map(|part| (part.len() == 2).then(|| digits(part.as_bytes())).flatten());
        let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
        unix_seconds(digits(year.as_bytes())?, month, digits(day.as_bytes())?, hour, minute, second).map(Self::in_range)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads `YYYYMMDDTHHMMSSZ` and nothing else: 16 characters, a day that the month has, no leap second.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        parse_basic(text.as_bytes())
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

#[cfg(feature = "std")]
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

#[cfg(feature = "time")]
impl TryFrom<time::OffsetDateTime> for Timestamp {
    type Error = TimestampError;

    fn try_from(time: time::OffsetDateTime) -> Result<Self, TimestampError> {
        Self::from_unix_seconds(time.unix_timestamp())
    }
}

#[cfg(feature = "time")]
impl From<Timestamp> for time::OffsetDateTime {
    fn from(timestamp: Timestamp) -> Self {
        time::OffsetDateTime::from_unix_timestamp(timestamp.unix_seconds).unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
    }
}

/// Why something is not a [`Timestamp`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TimestampError {
    /// The text is not of the form `YYYYMMDDTHHMMSSZ`, or names a day or hour that does not exist.
    #[error("{got:?} is not a time in UTC of the form YYYYMMDDTHHMMSSZ, e.g. 20150830T123600Z")]
    Format {
        /// The text, shortened if it is long.
        got: String,
    },
    /// The time lies outside the years 0 to 9999.
    #[error("{seconds} seconds from 1970 lie outside the years 0 to 9999")]
    OutOfRange {
        /// Seconds since 1970-01-01T00:00:00Z.
        seconds: i64,
    },
}

fn parse_basic(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; 16] = text.try_into().ok()?;
    let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = text else { return None };
    let [year, month, day] = [digits(&[*y1, *y2, *y3, *y4])?, digits(&[*mo1, *mo2])?, digits(&[*d1, *d2])?];
    let [hour, minute, second] = [digits(&[*h1, *h2])?, digits(&[*mi1, *mi2])?, digits(&[*s1, *s2])?];
    Some(Timestamp { unix_seconds: unix_seconds(year, month, day, hour, minute, second)?, text: *text })
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |n, byte| byte.is_ascii_digit().then(|| n * 10 + i64::from(byte - b'0')))
}

/// `None` for a day or hour that does not exist, and for a leap second.
fn unix_seconds(year: i64, month: i64, day: i64, hour: i64, minute: i64, second: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        _ => return None,
    };
    let exists = (1..=length).contains(&day) && hour <= 23 && minute <= 59 && second <= 59;
    exists.then(|| days_from_civil(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second)
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar, counted in years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn every_day_from_0000_to_9999_agrees_with_the_time_crate_or_the_calendar() {
        let (mut year, mut month, mut day) = (0, 1, 1);
        let mut days = FIRST / SECONDS_PER_DAY;
        while year <= 9999 {
            let timestamp = Timestamp::from_unix_seconds(days * SECONDS_PER_DAY + 45_296).unwrap();
            let text = alloc::format!("{year:04}{month:02}{day:02}T123456Z");
            assert_eq!(timestamp.as_str(), text);
            assert_eq!(text.parse::<Timestamp>().unwrap(), timestamp);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let length = match month {
                2 => 28 + i64::from(leap),
                4 | 6 | 9 | 11 => 30,
                _ => 31,
            };
            (day, month) = if day == length { (1, month + 1) } else { (day + 1, month) };
            (month, year) = if month == 13 { (1, year + 1) } else { (month, year) };
            days += 1;
        }
        assert_eq!(days * SECONDS_PER_DAY, LAST + 1);
    }

    #[cfg(feature = "explain")]
    #[test]
    fn extended_times() {
        let expected = "20150830T123600Z".parse().ok();
        for text in ["2015-08-30T12:36:00Z", "2015-08-30T12:36:00.123Z"] {
            assert_eq!(Timestamp::parse_extended(text), expected, "{text}");
        }
        for text in [
            "",
            "2015-08-30T12:36:00",
            "2015-08-30T12:36:001Z",
            "2015/08/30T12:36:00Z",
            "2015-8-30T12:36:00Z",
            "ሴሴሴሴሴሴሴ",
        ] {
            assert_eq!(Timestamp::parse_extended(text), None, "{text}");
        }
    }

    #[test]
    fn broken_dates_are_refused() {
        for text in [
            "",
            "2015083",
            "20150830",
            "20150830T123600",
            "20150830T123600z",
            "20150830t123600Z",
            "20150830 123600Z",
            "2015-08-30T12:36:00Z",
            "0150830T123600Z",
            "120150830T123600Z",
            "20150230T123600Z",
            "20150229T000000Z",
            "19000229T000000Z",
            "20150832T123600Z",
            "20150800T123600Z",
            "20151330T123600Z",
            "20150030T123600Z",
            "20150830T243600Z",
            "20150830T126000Z",
            "20150830T123660Z",
            "+0150830T123600Z",
            "20150830T12360٠Z",
            "20150830T123600Z ",
            " 20150830T123600Z",
            "20150830T123600+0",
        ] {
            assert_eq!(
                text.parse::<Timestamp>().unwrap_err().to_string(),
                alloc::format!("{text:?} is not a time in UTC of the form YYYYMMDDTHHMMSSZ, e.g. 20150830T123600Z")
            );
        }
        assert!("20160229T235959Z".parse::<Timestamp>().is_ok());
        assert!(Timestamp::from_unix_seconds(LAST + 1).is_err());
        assert!(Timestamp::from_unix_seconds(FIRST - 1).is_err());
        assert!(Timestamp::from_unix_seconds(i64::MAX).is_err());
    }

    #[test]
    fn imf_fixdate() {
        let read = |text| Timestamp::parse_imf_fixdate(text).map(|t| t.to_string());
        assert_eq!(read("Fri, 24 May 2013 00:00:00 GMT").unwrap(), "20130524T000000Z");
        assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT").unwrap(), "19941106T084937Z");
        for text in [
            "",
            "Fri, 24 May 2013 00:00:00 UTC",
            "Fri, 24 may 2013 00:00:00 GMT",
            "Fri, 4 May 2013 000:00:00 GMT",
            "Fri, 31 Apr 2013 00:00:00 GMT",
            "Fri, 24 May 2013 24:00:00 GMT",
            "Fri, 24 May 2013 00:00:00 GMT ",
            "Sunday, 06-Nov-94 08:49:37 GMT",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[cfg(feature = "std")]
    #[test]
    fn system_time_before_and_after_the_epoch() {
        use std::time::{Duration, UNIX_EPOCH};
        let text = |time| Timestamp::try_from(time).unwrap().to_string();
        assert_eq!(text(UNIX_EPOCH), "19700101T000000Z");
        assert_eq!(text(UNIX_EPOCH + Duration::from_millis(1_440_938_160_999)), "20150830T123600Z");
        assert_eq!(text(UNIX_EPOCH - Duration::from_millis(1)), "19691231T235959Z");
    }

    #[cfg(feature = "time")]
    #[test]
    fn offset_date_time_in_any_zone() {
        let time = time::OffsetDateTime::from_unix_timestamp(1_440_938_160).unwrap();
        let elsewhere = time.to_offset(time::UtcOffset::from_hms(9, 30, 0).unwrap());
        let timestamp = Timestamp::try_from(elsewhere).unwrap();
        assert_eq!(timestamp.as_str(), "20150830T123600Z");
        assert_eq!(time::OffsetDateTime::from(timestamp), time);
    }
}
