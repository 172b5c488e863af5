//! Describes what is wrong with a scope, part by part.

use alloc::string::String;

use crate::aws_error::text;
use crate::sigv4::timestamp::Timestamp;
use crate::verify::ScopeParts;

/// Returns all problems, one after another.
pub(super) fn generic(got: &ScopeParts, expected: &ScopeParts, signed: Timestamp) -> String {
    let mut text = String::new();
    if let Some((region, _)) = wrong_region(got, expected) {
        text.push_str(&text::valid_region(region));
    }
    if got.service() != expected.service() {
        text.push_str(&text::correct_service(expected.service()));
    }
    if got.terminator() != expected.terminator() {
        text.push_str(&text::valid_terminator(got.terminator()));
    }
    if got.date() != expected.date() {
        text.push_str(&text::scope_date(got.date(), expected.date(), signed));
    }
    text
}

/// Returns the first problem in S3's wording: for a header or form, and for a query.
pub(crate) fn s3(got: &ScopeParts, expected: &ScopeParts, signed: Timestamp) -> (String, String) {
    let date = got.date();
    let problem = if let Some((region, expected)) = wrong_region(got, expected) {
        text::s3_region(region, expected)
    } else if got.service() != expected.service() {
        text::s3_service(got.service(), expected.service())
    } else if got.terminator() != expected.terminator() {
        text::s3_terminator(got.terminator())
    } else if date.len() != 8 || !date.bytes().all(|byte| byte.is_ascii_digit()) {
        text::s3_date_format(date)
    } else {
        return (text::s3_date(), text::s3_date_parameter(date, signed));
    };
    let in_query = text::credential_parameter(&problem);
    (problem, in_query)
}

/// Returns the region to use if the given one is another; S3 names it in an XML element of its own.
pub(crate) fn expected_region(got: &ScopeParts, expected: &ScopeParts) -> Option<String> {
    wrong_region(got, expected).map(|(_, expected)| String::from(expected))
}

/// Returns the given and the expected region if they differ. A SigV4A scope has none.
fn wrong_region<'a>(got: &'a ScopeParts, expected: &'a ScopeParts) -> Option<(&'a str, &'a str)> {
    let expected = expected.region()?;
    let got = got.region().unwrap_or_default();
    (got != expected).then_some((got, expected))
}
