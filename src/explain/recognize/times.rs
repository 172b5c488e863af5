//! What the response says of the time.

use super::Found;
use crate::explain::cause::Cause;
use crate::explain::reply::Reply;
use crate::explain::sent::Sent;
use crate::timestamp::Timestamp;

impl Found<'_> {
    pub(super) fn times(&mut self, text: &str) {
        if text.starts_with("signature expired:") || text.starts_with("signature not yet current:") {
            if self.sent.is_presigned() && text.starts_with("signature expired:") {
                self.push(Cause::PresignExpired { at: self.sent.valid_until });
            } else {
                let offset = self.reply.clock_offset(self.sent);
                self.push(clock(offset));
            }
        }
        if self.reply.code == "RequestTimeTooSkewed" || text.contains("request is not valid yet") {
            let offset = self.reply.clock_offset(self.sent);
            self.push(clock(offset));
        }
        let expired = text.trim_end_matches('.').ends_with("request has expired");
        if expired && self.reply.code == "RequestExpired" {
            // EC2 says so of an old request and of old credentials.
            let offset = self.reply.clock_offset(self.sent);
            match offset {
                Some(offset) if offset.abs() < 5 * 60 => {
                    self.push_all(&[Cause::TokenExpired, Cause::ClockSkew { offset: Some(offset) }]);
                }
                offset => self.push_all(&[clock(offset), Cause::TokenExpired]),
            }
        } else if expired {
            let at = self.reply.element("Expires").and_then(Timestamp::parse_extended).or(self.sent.valid_until);
            if self.sent.outlives_credentials && at.is_some_and(|at| Some(at) == self.sent.valid_until) {
                self.push(Cause::PresignOutlivedCredentials);
            }
            self.push(Cause::PresignExpired { at });
        }
        let token_expired = (text.contains("token") && text.contains("expired"))
            || self.reply.code.trim_end_matches("Exception") == "ExpiredToken";
        if token_expired && !expired {
            if self.sent.is_presigned() {
                self.push(Cause::PresignOutlivedCredentials);
            }
            self.push(Cause::TokenExpired);
        }
    }
}

/// Local time taken for UTC is off by quarters of an hour, up to the 14 hours of a time zone.
pub(super) fn clock(offset: Option<i64>) -> Cause {
    const QUARTER: i64 = 15 * 60;
    const TOLERANCE: i64 = 30;
    match offset {
        Some(offset)
            if (2 * QUARTER - TOLERANCE..=56 * QUARTER + TOLERANCE).contains(&offset.abs())
                && (offset + TOLERANCE).rem_euclid(QUARTER) <= 2 * TOLERANCE =>
        {
            Cause::TimeZone { offset }
        }
        offset => Cause::ClockSkew { offset },
    }
}

impl Reply {
    /// Seconds to add to the clock that signed: from the text, which names both times, or from the `Date` header.
    pub(in crate::explain) fn clock_offset(&self, sent: &Sent) -> Option<i64> {
        let message = self.short_message();
        let mut times = message.split([' ', '(', ')']).filter_map(|word| word.parse::<Timestamp>().ok());
        let in_text = match (times.next(), times.next(), times.next()) {
            (Some(signed), Some(_), Some(server)) => Some((signed, server)),
            _ => None,
        };
        let read = |name: &str| {
            let text = self.element(name)?;
            text.parse().ok().or_else(|| Timestamp::parse_extended(text)).or_else(|| Timestamp::parse_imf_fixdate(text))
        };
        let in_elements = || Some((read("RequestTime")?, read("ServerTime")?));
        let in_header = || Some((sent.timestamp?, self.date?));
        let (signed, server) = in_text.or_else(in_elements).or_else(in_header)?;
        Some(server.unix_seconds() - signed.unix_seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_of_an_hour_are_a_time_zone() {
        for (offset, zone) in [
            (7200, true),
            (-19_800, true),
            (20_700 + 20, true),
            (900, false),
            (7300, false),
            (60_000, false),
            (i64::MIN + 60, false),
        ] {
            let cause = clock(Some(offset));
            assert_eq!(matches!(cause, Cause::TimeZone { .. }), zone, "{cause}");
        }
    }
}
