//! Times and durations.

use std::time::Duration;

use clap::Args;
use countersign::Timestamp;

/// The flag that replaces the clock.
#[derive(Args, Clone, Debug, Default)]
pub struct DateArgs {
    /// Sign with this time instead of now: `20150830T123600Z` or `2015-08-30T12:36:00Z`. The same time, credentials and
    /// input give the same signature (except with SigV4A)
    #[arg(long, value_name = "TIMESTAMP", value_parser = timestamp)]
    pub date: Option<Timestamp>,
}

impl DateArgs {
    /// The time to sign with.
    pub fn now(&self) -> Timestamp {
        self.date.unwrap_or_else(Timestamp::now)
    }
}

/// Parses `20150830T123600Z` and `2015-08-30T12:36:00Z`, in UTC.
pub fn timestamp(text: &str) -> Result<Timestamp, String> {
    let basic = basic(text).unwrap_or_else(|| text.to_owned());
    basic.parse().map_err(|_| "must be a time in UTC such as 20150830T123600Z or 2015-08-30T12:36:00Z".to_owned())
}

/// The basic form of an extended time, if all separators are where they belong.
fn basic(text: &str) -> Option<String> {
    let part = |range: std::ops::Range<usize>| text.get(range);
    let separators = [part(4..5)?, part(7..8)?, part(13..14)?, part(16..17)?];
    if separators != ["-", "-", ":", ":"] {
        return None;
    }
    Some([part(0..4)?, part(5..7)?, part(8..13)?, part(14..16)?, part(17..text.len())?].concat())
}

/// Formats a time as `2015-08-30T12:36:00Z`, the form that other tools parse.
pub fn extended(time: Timestamp) -> String {
    let text = time.as_str();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    format!("{}-{}-{}:{}:{}", part(0..4), part(4..6), part(6..11), part(11..13), part(13..16))
}

/// Parses `90s`, `15m`, `12h`, `7d` or `1h30m`. A number without a unit is seconds.
pub fn duration(text: &str) -> Result<Duration, String> {
    const FORM: &str = "must be a whole number with s, m, h or d, such as 90s, 15m, 12h, 7d or 1h30m";
    if text.is_empty() {
        return Err(FORM.into());
    }
    let (mut seconds, mut rest) = (0_u64, text);
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, unit) = rest.split_at_checked(end).ok_or(FORM)?;
        let mut unit = unit.chars();
        let factor = match unit.next() {
            None if number.len() == text.len() => 1,
            Some('s') => 1,
            Some('m') => 60,
            Some('h') => 60 * 60,
            Some('d') => 24 * 60 * 60,
            _ => return Err(FORM.into()),
        };
        let part = number.parse::<u64>().map_err(|_| FORM)?.checked_mul(factor).ok_or("is too long")?;
        seconds = seconds.checked_add(part).ok_or("is too long")?;
        rest = unit.as_str();
    }
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [("1", 1), ("90s", 90), ("15m", 900), ("12h", 43_200), ("7d", 604_800), ("1h30m", 5400)]
        {
            assert_eq!(duration(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "m",
            "1.5h",
            "-1s",
            "15 m",
            "15M",
            "1h30",
            "1w",
            "15m\u{661}",
            "99999999999999999999",
            "999999999999999999d",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn timestamps() {
        let expected = "20150830T123600Z".parse().unwrap();
        assert_eq!(timestamp("20150830T123600Z"), Ok(expected));
        assert_eq!(timestamp("2015-08-30T12:36:00Z"), Ok(expected));
        assert_eq!(extended(expected), "2015-08-30T12:36:00Z");
        for text in [
            "",
            "now",
            "2015-08-30",
            "2015-08-30T12:36:00",
            "2015-08-30T12:36:00+02:00",
            "20150830",
            "2015083-T123600Z",
            "2015-13-30T12:36:00Z",
            "ሴሴሴሴሴሴሴ",
        ] {
            assert!(timestamp(text).is_err(), "{text}");
        }
    }
}
