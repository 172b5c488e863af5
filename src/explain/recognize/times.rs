//! Recognises responses about the time.

use super::Found;
use crate::aws_error::read::{Reply, Said};
use crate::aws_error::text;
use crate::explain::cause::Cause;
use crate::explain::certainty::Certainty;
use crate::explain::sent::{Auth, Sent};
use crate::sigv4::timestamp::Timestamp;

impl Found<'_> {
    pub(super) fn times(&mut self, said: &Said) {
        let offset = self.reply.clock_offset(self.sent);
        self.signing_time(said, offset);
        let expired = said.as_str().trim_end_matches('.').ends_with(&text::EXPIRED.known.to_ascii_lowercase());
        self.expiry(offset, expired);
        if !expired {
            self.token_expiry(said);
        }
    }

    fn code_of_time(&self) -> &str {
        self.reply.code.trim_end_matches("Exception")
    }

    fn signing_time(&mut self, said: &Said, offset: Option<i64>) {
        if said.starts_with(text::SIGNATURE_EXPIRED) {
            match lifetime_ended(said.as_str()) {
                _ if self.sent.is_presigned() => self.push(Cause::PresignExpired { at: self.sent.expires_at }),
                Some(at) => self.push(Cause::PresignExpired { at: Some(at) }),
                None => self.clock(offset),
            }
        }
        if said.starts_with(text::SIGNATURE_NOT_YET_CURRENT)
            || said.holds(text::NOT_YET_VALID.known)
            || self.code_of_time() == "RequestTimeTooSkewed"
            // rclone says this with the code AccessDenied.
            || said.holds("The difference between the request time and the server's time")
        {
            self.clock(offset);
        }
    }

    fn expiry(&mut self, offset: Option<i64>, expired: bool) {
        if self.code_of_time() == "RequestExpired" {
            // EC2 returns this code for an old request and for expired credentials.
            match offset {
                Some(seconds) if seconds.abs() < 5 * 60 => {
                    self.push_all(Certainty::Likely, &[Cause::TokenExpired, Cause::ClockSkew { offset }]);
                }
                _ => {
                    self.clock(offset);
                    self.possible(&[Cause::TokenExpired]);
                }
            }
        } else if expired {
            let at = self.reply.element("Expires").and_then(Timestamp::parse_extended).or(self.sent.expires_at);
            if self.sent.outlives_credentials && at.is_some_and(|at| Some(at) == self.sent.expires_at) {
                self.push(Cause::PresignOutlivedCredentials);
            }
            self.push(Cause::PresignExpired { at });
        }
    }

    fn token_expiry(&mut self, said: &Said) {
        let other_token = ["incoming token", "bearer token", "authorization token"];
        let in_text = said.holds("token")
            && said.holds("expired")
            && !other_token.iter().any(|token| said.holds(token))
            && !matches!(self.sent.auth, Auth::Other { .. });
        if !in_text && self.code_of_time() != "ExpiredToken" {
            return;
        }
        // Google Cloud Storage reports the expiration of a presigned URL so.
        if self.reply.element("Details").is_some_and(|details| details.starts_with("Request has expired")) {
            self.push(Cause::PresignExpired { at: self.sent.expires_at });
        } else if self.sent.is_signed() && self.sent.session_token().is_none() {
            match self.sent.is_presigned() {
                true => self.likely(Cause::PresignExpired { at: self.sent.expires_at }),
                false => self.push(Cause::NotRecognised),
            }
        } else if self.sent.is_presigned() {
            self.push(Cause::PresignOutlivedCredentials);
            self.push(Cause::TokenExpired);
        } else {
            self.push(Cause::TokenExpired);
        }
    }

    /// The times differ, and the response doesn't say why: the clock, a request that was kept, or local time taken for UTC if
    /// the difference is one of time zones.
    pub(super) fn clock(&mut self, offset: Option<i64>) {
        match offset.filter(|offset| is_time_zone(*offset)) {
            Some(offset) => self.possible(&[Cause::ClockSkew { offset: Some(offset) }, Cause::TimeZone { offset }]),
            None => self.likely(Cause::ClockSkew { offset }),
        }
    }
}

/// Returns when a presigned URL expired: `Signature expired: A is now earlier than B (C - N min.)`, with an N that is
/// not a clock skew that services allow.
fn lifetime_ended(said: &str) -> Option<Timestamp> {
    let (before, allowed) = said.strip_suffix(text::LENGTH_ENDS)?.rsplit_once(text::MINUS)?;
    let (number, unit) = allowed.split_once(' ')?;
    let skew = unit == text::MINUTES && ["5", "15"].contains(&number);
    let seconds = number.parse::<u32>().ok().filter(|_| !skew)?.checked_mul(match unit {
        text::MINUTES => 60,
        text::SECONDS => 1,
        _ => return None,
    })?;
    let signed: Timestamp = before.split(' ').nth(2)?.to_ascii_uppercase().parse().ok()?;
    Some(signed.saturating_add(seconds.into()))
}

/// Returns `true` if the offset is that of a time zone: up to 14 hours, in whole or half hours with four exceptions.
fn is_time_zone(offset: i64) -> bool {
    const QUARTER: u64 = 15 * 60;
    const TOLERANCE: u64 = 30;
    // Nepal, Eucla, and the Chatham Islands in winter and summer.
    const AND_THREE_QUARTERS: [u64; 4] = [23, 35, 51, 55];
    let seconds = offset.unsigned_abs();
    let quarters = (seconds / TOLERANCE).saturating_add(1) / (QUARTER / TOLERANCE);
    seconds.abs_diff(quarters.saturating_mul(QUARTER)) <= TOLERANCE
        && (4..=56).contains(&quarters)
        && (quarters.is_multiple_of(2) || AND_THREE_QUARTERS.contains(&quarters))
}

impl Reply {
    /// Returns the seconds to add to the signer's clock, from the two times in the message or from the `Date` header.
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
        let server = read("ServerTime");
        let in_elements = || Some((read("RequestTime").or_else(|| sent.signing_time(server))?, server?));
        let in_header = || Some((sent.signing_time(self.date)?, self.date?));
        let (signed, server) = in_text.or_else(in_elements).or_else(in_header)?;
        Some(server.unix_seconds() - signed.unix_seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_zone_offsets_are_recognised() {
        for (offset, zone) in [
            (7200, true),
            (-19_800, true),
            (20_700 + 20, true),
            (900, false),
            (7300, false),
            (60_000, false),
            (1800, false),
            (-6295, false),
            (14 * 3600 + 29, true),
            (14 * 3600 + 31, false),
            (3571, true),
            (-3629, true),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            assert_eq!(is_time_zone(offset), zone, "{offset}");
        }
    }
}
