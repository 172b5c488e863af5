//! What is wrong with a scope, part by part.

use alloc::string::String;
use core::fmt::Write;

use crate::sigv4::timestamp::Timestamp;
use crate::verify::ScopeParts;

/// All problems, one behind the other.
pub(super) fn generic(got: &ScopeParts, expected: &ScopeParts, signed: Timestamp) -> String {
    let mut text = String::new();
    if let Some((region, _)) = wrong_region(got, expected) {
        let _ = write!(text, "Credential should be scoped to a valid region, not '{region}'. ");
    }
    if got.service() != expected.service() {
        let _ = write!(text, "Credential should be scoped to correct service: '{}'. ", expected.service());
    }
    if got.terminator() != expected.terminator() {
        let _ = write!(
            text,
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
            got.terminator()
        );
    }
    if got.date() != expected.date() {
        let _ = write!(
            text,
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{}' != '{}', \
             from '{signed}'.",
            got.date(),
            expected.date()
        );
    }
    text
}

/// The first problem, as S3 words it: for a header or a form, and for a query.
pub(crate) fn s3(got: &ScopeParts, expected: &ScopeParts, signed: Timestamp) -> (String, String) {
    let (date, service, terminator) = (got.date(), got.service(), got.terminator());
    let problem = if let Some((region, expected)) = wrong_region(got, expected) {
        alloc::format!("the region '{region}' is wrong; expecting '{expected}'")
    } else if service != expected.service() {
        alloc::format!("incorrect service \"{service}\". This endpoint belongs to \"{}\".", expected.service())
    } else if terminator != expected.terminator() {
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

/// The element by which S3 names the region to use.
pub(crate) fn region_detail(got: &ScopeParts, expected: &ScopeParts) -> Option<(&'static str, String)> {
    wrong_region(got, expected).map(|(_, expected)| ("Region", String::from(expected)))
}

/// The region that was given and the one that it has to be, if they differ. A scope of SigV4A has none.
fn wrong_region<'a>(got: &'a ScopeParts, expected: &'a ScopeParts) -> Option<(&'a str, &'a str)> {
    let expected = expected.region()?;
    let got = got.region().unwrap_or_default();
    (got != expected).then_some((got, expected))
}
