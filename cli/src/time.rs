//! Times as people and HTTP write them.

use countersign::Timestamp;

use crate::failure::Failure;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Parses `YYYYMMDDTHHMMSSZ`, the same with `-` and `:`, or the date of an HTTP header (`Sun, 30 Aug 2026 13:03:00 GMT`).
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    text.parse().ok().or_else(|| extended(text)).or_else(|| http_date(text))
}

/// The value of `--date`.
pub fn of_flag(text: &str) -> Result<Timestamp, Failure> {
    parse(text)
        .ok_or_else(|| Failure::usage("--date must be a time in UTC, such as 20260830T123600Z or 2026-08-30T12:36:00Z"))
}

fn extended(text: &str) -> Option<Timestamp> {
    let well_formed = text.bytes().zip(b"0000-00-00T00:00:00Z".iter()).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == *form,
    });
    let basic: String = text.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    if well_formed && text.len() == 20 { basic.parse().ok() } else { None }
}

fn http_date(text: &str) -> Option<Timestamp> {
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    if words.next() != Some("GMT") || words.next().is_some() {
        return None;
    }
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    extended(&format!("{year}-{month:02}-{day}T{time}Z"))
}

/// `3 minutes 20 seconds`, for messages.
pub fn duration(seconds: u64) -> String {
    let units = [("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)];
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (name, size) in units {
        let count = rest / size;
        rest %= size;
        if count > 0 {
            parts.push(format!("{count} {name}{}", if count == 1 { "" } else { "s" }));
        }
    }
    parts.truncate(2);
    if parts.is_empty() { "0 seconds".into() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_forms() {
        for text in ["20260830T130300Z", "2026-08-30T13:03:00Z", "Sun, 30 Aug 2026 13:03:00 GMT"] {
            assert_eq!(parse(text).map(|time| time.to_string()).as_deref(), Some("20260830T130300Z"), "{text}");
        }
        for text in
            ["", "now", "2026-08-30", "2026-13-30T13:03:00Z", "Sun, 30 Aug 2026 13:03:00 CET", "20260830T130300"]
        {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration(0), "0 seconds");
        assert_eq!(duration(61), "1 minute 1 second");
        assert_eq!(duration(90_061), "1 day 1 hour");
    }
}
