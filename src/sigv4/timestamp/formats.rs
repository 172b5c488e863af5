//! The three time formats that are parsed and written.

use alloc::string::String;

use super::Timestamp;
use super::calendar::unix_seconds;

impl Timestamp {
    /// Parses `YYYYMMDDTHHMMSSZ`; [`FromStr`](core::str::FromStr) does the same.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        parse_basic(text)
    }

    /// Formats the time as `2015-08-30T12:36:00Z`, as in S3 responses and [RFC
    /// 3339](https://www.rfc-editor.org/rfc/rfc3339).
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

    /// Parses the extended format; a fraction of a second is ignored.
    pub(crate) fn parse_extended(text: &str) -> Option<Self> {
        let part = |range: core::ops::Range<usize>| text.get(range);
        let separators = [part(4..5)?, part(7..8)?, part(13..14)?, part(16..17)?];
        let fraction = part(19..text.len())?.strip_suffix('Z')?;
        if separators != ["-", "-", ":", ":"]
            || !(fraction.is_empty() || fraction.strip_prefix('.').is_some_and(crate::text::is_digits))
        {
            return None;
        }
        let basic = [part(0..4)?, part(5..7)?, part(8..13)?, part(14..16)?, part(17..19)?, "Z"].concat();
        parse_basic(basic.as_bytes())
    }

    /// Parses the times of [RFC 3339](https://www.rfc-editor.org/rfc/rfc3339#section-5.6), with an offset or in UTC, and
    /// two spellings that tools write: an offset without a colon, and `UTC`. A fraction of a second is ignored.
    pub(crate) fn parse_rfc3339(text: &str) -> Option<Self> {
        let (date, rest) = (text.get(..10)?, text.get(11..)?);
        if !matches!(text.as_bytes().get(10), Some(b'T' | b't' | b' ')) {
            return None;
        }
        let zone = rest.find(|c: char| !c.is_ascii_digit() && c != ':' && c != '.')?;
        let (clock, zone) = rest.split_at_checked(zone)?;
        let local = Self::parse_extended(&[date, "T", clock, "Z"].concat())?;
        let seconds = local.unix_seconds.checked_sub(offset(zone)?)?;
        Self::from_unix_seconds(seconds).ok()
    }

    /// Parses `Fri, 24 May 2013 00:00:00 GMT`, the IMF-fixdate of [RFC 9110
    /// 5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7). The day name is not checked.
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

/// The offset from UTC in seconds: `Z`, `UTC`, `+05:30` or `+0530`.
fn offset(zone: &str) -> Option<i64> {
    if matches!(zone, "Z" | "z" | "UTC") {
        return Some(0);
    }
    let (sign, clock) = match zone.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = match clock.len() {
        5 => clock.split_once(':')?,
        4 => clock.split_at_checked(2)?,
        _ => return None,
    };
    let two_digits = |text: &str| (text.len() == 2).then(|| digits(text.as_bytes())).flatten();
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

pub(super) fn parse_basic(text: &[u8]) -> Option<Timestamp> {
    let text: &[u8; 16] = text.try_into().ok()?;
    let [y1, y2, y3, y4, mo1, mo2, d1, d2, b'T', h1, h2, mi1, mi2, s1, s2, b'Z'] = text else { return None };
    let [year, month, day] = [digits(&[*y1, *y2, *y3, *y4])?, digits(&[*mo1, *mo2])?, digits(&[*d1, *d2])?];
    let [hour, minute, second] = [digits(&[*h1, *h2])?, digits(&[*mi1, *mi2])?, digits(&[*s1, *s2])?];
    Some(Timestamp { unix_seconds: unix_seconds(year, month, day, hour, minute, second)?, text: *text })
}

fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |n, byte| byte.is_ascii_digit().then(|| n * 10 + i64::from(byte - b'0')))
}
