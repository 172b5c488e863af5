//! `std` is always available here, because the dev-dependency on this crate enables `explain`, which enables `std`.

use super::calendar::SECONDS_PER_DAY;
use super::{FIRST, LAST, Timestamp};
use alloc::string::ToString;

#[test]
fn every_day_from_0000_to_9999_matches_a_naive_calendar() {
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

#[test]
fn extended_times() {
    let expected = "20150830T123600Z".parse().ok();
    for text in ["2015-08-30T12:36:00Z", "2015-08-30T12:36:00.123Z"] {
        assert_eq!(Timestamp::parse_extended(text), expected, "{text}");
    }
    for text in
        ["", "2015-08-30T12:36:00", "2015-08-30T12:36:001Z", "2015/08/30T12:36:00Z", "2015-8-30T12:36:00Z", "ሴሴሴሴሴሴሴ"]
    {
        assert_eq!(Timestamp::parse_extended(text), None, "{text}");
    }
}

#[test]
fn times_with_an_offset() {
    let expected = "20150830T123600Z".parse().ok();
    for text in [
        "2015-08-30T12:36:00Z",
        "2015-08-30t12:36:00z",
        "2015-08-30 12:36:00.123456Z",
        "2015-08-30T12:36:00UTC",
        "2015-08-30T12:36:00+00:00",
        "2015-08-30T12:36:00.9-00:00",
        "2015-08-30T18:06:00+05:30",
        "2015-08-30T18:06:00+0530",
        "2015-08-29T22:36:00.001-14:00",
        "2015-08-29T12:37:00-23:59",
        "2015-08-31T00:36:00+12:00",
    ] {
        assert_eq!(Timestamp::parse_rfc3339(text), expected, "{text}");
    }
    for text in [
        "",
        "2015-08-30",
        "2015-08-30T12:36:00",
        "2015-08-30T12:36:00.Z",
        "2015-08-30T12:36:00X",
        "2015-08-30T12:36:00ZZ",
        "2015-08-30T12:36:00+24:00",
        "2015-08-30T12:36:00+01:60",
        "2015-08-30T12:36:00+1:000",
        "2015-08-30T12:36:00+01",
        "2015-08-30T12:36:00+01:0",
        "2015-08-30T12:36:00+-1:00",
        "2015-08-30T12:36:00+01:00:00",
        "2015-08-30T12:36Z",
        "2015-08-30T12:36:00.1.2Z",
        "0000-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2015-02-29T12:36:00Z",
        "2015-08-30T12:36:00Z+00:00",
        "2015-08-30T12:36:00\u{2212}02:00",
        "Z",
        "+02:00",
        "é02:00",
        "2015-08-30éé12:36:00Z",
        "ሴሴሴሴሴሴሴ",
    ] {
        assert_eq!(Timestamp::parse_rfc3339(text), None, "{text}");
    }
}

#[test]
fn invalid_dates_are_refused() {
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
            alloc::format!("{text:?} is not a UTC time of the form YYYYMMDDTHHMMSSZ, e.g. 20150830T123600Z")
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

#[test]
fn system_time_before_and_after_the_epoch() {
    use std::time::{Duration, UNIX_EPOCH};
    let text = |time| Timestamp::try_from(time).unwrap().to_string();
    assert_eq!(text(UNIX_EPOCH), "19700101T000000Z");
    assert_eq!(text(UNIX_EPOCH + Duration::from_millis(1_440_938_160_999)), "20150830T123600Z");
    assert_eq!(text(UNIX_EPOCH - Duration::from_millis(1)), "19691231T235959Z");
}
