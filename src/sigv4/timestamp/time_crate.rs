//! Conversions from and to the `time` crate.

use super::{Timestamp, TimestampError};

impl TryFrom<time::OffsetDateTime> for Timestamp {
    type Error = TimestampError;

    fn try_from(time: time::OffsetDateTime) -> Result<Self, TimestampError> {
        Self::from_unix_seconds(time.unix_timestamp())
    }
}

impl From<Timestamp> for time::OffsetDateTime {
    fn from(timestamp: Timestamp) -> Self {
        time::OffsetDateTime::from_unix_timestamp(timestamp.unix_seconds).unwrap_or(time::OffsetDateTime::UNIX_EPOCH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offset_date_time_in_any_zone() {
        let time = time::OffsetDateTime::from_unix_timestamp(1_440_938_160).unwrap();
        let elsewhere = time.to_offset(time::UtcOffset::from_hms(9, 30, 0).unwrap());
        let timestamp = Timestamp::try_from(elsewhere).unwrap();
        assert_eq!(timestamp.as_str(), "20150830T123600Z");
        assert_eq!(time::OffsetDateTime::from(timestamp), time);
    }
}
