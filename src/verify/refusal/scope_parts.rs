use alloc::string::String;
use core::fmt::Write;

use crate::sigv4::timestamp::Timestamp;

/// The parts of two scopes side by side: date, region, service, terminator.
pub(crate) struct ScopeParts<'a>([(&'a str, &'a str); 4]);

impl<'a> ScopeParts<'a> {
    pub(crate) fn of(got: &'a str, expected: &'a str) -> Self {
        let count = expected.split('/').count().min(4);
        let (mut got, mut expected) = (got.splitn(count, '/'), expected.splitn(count, '/'));
        let mut parts = [("", ""); 4];
        for (index, part) in parts.iter_mut().enumerate() {
            // A scope of SigV4A has no region.
            if index != 1 || count == 4 {
                *part = (got.next().unwrap_or_default(), expected.next().unwrap_or_default());
            }
        }
        Self(parts)
    }

    /// What was given, and what it has to be.
    pub(crate) fn part(&self, index: usize) -> (&'a str, &'a str) {
        self.0.get(index).copied().unwrap_or_default()
    }

    pub(crate) fn differs(&self, index: usize) -> bool {
        let (got, expected) = self.part(index);
        got != expected
    }

    /// All problems, one behind the other.
    pub(crate) fn generic(&self, signed: Timestamp) -> String {
        let [(date, request_date), (region, _), (_, service), (terminator, _)] = self.0;
        let mut text = String::new();
        if self.differs(1) {
            let _ = write!(text, "Credential should be scoped to a valid region, not '{region}'. ");
        }
        if self.differs(2) {
            let _ = write!(text, "Credential should be scoped to correct service: '{service}'. ");
        }
        if self.differs(3) {
            let _ = write!(
                text,
                "Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'. "
            );
        }
        if self.differs(0) {
            let _ = write!(
                text,
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' \
                 != '{request_date}', from '{signed}'."
            );
        }
        text
    }

    /// The first problem, for header and query.
    pub(crate) fn s3(&self, signed: Timestamp) -> (String, String) {
        let [(date, _), (region, expected_region), (service, expected_service), (terminator, _)] = self.0;
        let problem = if self.differs(1) {
            alloc::format!("the region '{region}' is wrong; expecting '{expected_region}'")
        } else if self.differs(2) {
            alloc::format!("incorrect service \"{service}\". This endpoint belongs to \"{expected_service}\".")
        } else if self.differs(3) {
            alloc::format!("incorrect terminal \"{terminator}\". This endpoint uses \"aws4_request\".")
        } else if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
            alloc::format!(
                "incorrect date format \"{date}\". This date in the credential must be in the format \"yyyyMMdd\"."
            )
        } else {
            return (
                String::from("Invalid credential date. Date is not the same as X-Amz-Date."),
                alloc::format!(
                    "Invalid credential date \"{date}\". This date is not the same as X-Amz-Date: \"{signed}\"."
                ),
            );
        };
        let in_query = alloc::format!("Error parsing the X-Amz-Credential parameter; {problem}");
        (problem, in_query)
    }
}
