//! Prints and parses the text of a policy.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::condition::{Condition, printed};
use super::error::PolicyError;
use super::{MAX_CONDITIONS, SESSION_TOKEN_FIELDS};
use crate::json::push_escaped;
use crate::json::read::{self, Json};
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;
use crate::text::wiped::Wiped;

/// The content of a policy.
pub(super) struct Document {
    pub(super) expires_at: Timestamp,
    pub(super) conditions: Vec<Condition>,
}

const EXPIRATION: &str = "expiration";
const CONDITIONS: &str = "conditions";

impl Document {
    /// The text may contain a session token, so it is wiped.
    pub(super) fn print(&self) -> Wiped<String> {
        let mut text = Wiped::new(String::new(), true);
        let _ = write!(text, "{{\"{EXPIRATION}\": \"{}\", \"{CONDITIONS}\": [", self.expires_at.extended());
        for (index, condition) in self.conditions.iter().enumerate() {
            let _ = text.write_str(if index > 0 { ", " } else { "" });
            let pieces = match condition {
                Condition::Exact { field, value } => ["{\"", field, "\": \"", value, "\"}"],
                Condition::StartsWith { field, prefix } => ["[\"starts-with\", \"$", field, "\", \"", prefix, "\"]"],
                Condition::ContentLengthRange { min, max } => {
                    let _ = write!(text, "[\"content-length-range\", {min}, {max}]");
                    continue;
                }
            };
            let [start, field, between, value, end] = pieces;
            let _ = text.write_str(start);
            push_escaped(&mut text, field);
            let _ = text.write_str(between);
            push_escaped(&mut text, value);
            let _ = text.write_str(end);
        }
        let _ = text.write_str("]}");
        text
    }

    pub(super) fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        let Some(Json::Object(members)) = read::parse(text) else { return Err(PolicyError::NotJson) };
        let (mut expires_at, mut conditions) = (None, None);
        for (name, value) in members {
            let slot = match name.as_str() {
                EXPIRATION => &mut expires_at,
                CONDITIONS => &mut conditions,
                _ => return Err(PolicyError::UnexpectedMember { name: excerpt(name.as_bytes()) }),
            };
            // If there were two, another parser might use the other one.
            if slot.replace(value).is_some() {
                return Err(PolicyError::UnexpectedMember { name });
            }
        }
        let expires_at = match expires_at.ok_or(PolicyError::MissingExpiration)? {
            Json::Text(text) => Timestamp::parse_extended(&text)
                .ok_or_else(|| PolicyError::MalformedExpiration { got: excerpt(text.as_bytes()) })?,
            _ => return Err(PolicyError::MalformedExpiration { got: String::new() }),
        };
        let Some(Json::List(conditions)) = conditions else { return Err(PolicyError::MissingConditions) };
        if conditions.len() > MAX_CONDITIONS {
            return Err(PolicyError::TooManyConditions);
        }
        let conditions = conditions.into_iter().map(read_condition).collect::<Result<_, _>>()?;
        Ok(Self { expires_at, conditions })
    }
}

fn read_condition(condition: Json) -> Result<Condition, PolicyError> {
    let mut list = match condition {
        Json::Object(members) => {
            let count = members.len();
            return match <[_; 1]>::try_from(members) {
                Ok([(field, Json::Text(value))]) => Ok(Condition::Exact { field, value }),
                _ => Err(PolicyError::SimpleCondition { members: count }),
            };
        }
        Json::List(list) => list.into_iter(),
        _ => return Err(PolicyError::NotACondition),
    };
    let Some(Json::Text(operator)) = list.next() else { return Err(PolicyError::NotACondition) };
    let operator = ["eq", "starts-with", "content-length-range"]
        .into_iter()
        .find(|known| operator.eq_ignore_ascii_case(known))
        .ok_or_else(|| PolicyError::UnknownOperator { operator: excerpt(operator.as_bytes()) })?;
    let arguments = || PolicyError::Arguments { operator };
    let (Some(first), Some(second), None) = (list.next(), list.next(), list.next()) else { return Err(arguments()) };
    if operator == "content-length-range" {
        let (min, max) = (whole(&first).ok_or_else(arguments)?, whole(&second).ok_or_else(arguments)?);
        return Ok(Condition::ContentLengthRange { min, max });
    }
    let (Json::Text(name), Json::Text(mut value)) = (first, second) else { return Err(arguments()) };
    let Some(field) = name.strip_prefix('$') else {
        // S3 looks for a field of this name, finds none, and reports the condition as failed.
        return Err(PolicyError::ConditionFailed { condition: printed(operator, &name, &value) });
    };
    let field = String::from(field);
    if operator == "eq" {
        return Ok(Condition::Exact { field, value });
    }
    let condition = Condition::StartsWith { field, prefix: core::mem::take(&mut *value) };
    match ONLY_EXACT.iter().chain(&SESSION_TOKEN_FIELDS).find(|only| condition.is_about(only)) {
        Some(field) => {
            Err(PolicyError::OnlyExact { condition: alloc::format!("{condition}"), field: String::from(*field) })
        }
        None => Ok(condition),
    }
}

/// A whole number, which S3 also accepts as a string.
fn whole(json: &Json) -> Option<u64> {
    match json {
        Json::Whole(number) => Some(*number),
        Json::Text(text) => read::whole(text),
        _ => None,
    }
}

/// From AWS's table of conditions. The table lists other `x-amz-` fields as well, but forms that use `starts-with` for
/// those are common and work as intended.
const ONLY_EXACT: [&str; 5] = ["bucket", "success_action_status", "x-amz-algorithm", "x-amz-credential", "x-amz-date"];

#[cfg(test)]
mod tests {
    use super::*;
    use zeroize::Zeroizing;

    #[test]
    fn what_is_printed_is_read() {
        let document = Document {
            expires_at: "20151230T120000Z".parse().unwrap(),
            conditions: alloc::vec![
                Condition::Exact { field: "bucket".into(), value: Zeroizing::new("a\"\\\u{e9}".into()) },
                Condition::StartsWith { field: "key".into(), prefix: "user/".into() },
                Condition::ContentLengthRange { min: 1, max: u64::MAX },
            ],
        };
        let text = document.print();
        assert_eq!(
            *text,
            "{\"expiration\": \"2015-12-30T12:00:00Z\", \"conditions\": [{\"bucket\": \"a\\\"\\\\\u{e9}\"}, \
             [\"starts-with\", \"$key\", \"user/\"], [\"content-length-range\", 1, 18446744073709551615]]}"
        );
        let read = Document::parse(text.as_bytes()).unwrap();
        assert_eq!((read.expires_at, read.conditions), (document.expires_at, document.conditions));
    }

    #[test]
    fn broken_documents_say_what_is_wrong() {
        let expiration = r#""expiration":"2015-12-30T12:00:00.000Z""#;
        let with = |conditions: &str| {
            Document::parse(alloc::format!("{{{expiration},\"conditions\":[{conditions}]}}").as_bytes()).err()
        };
        assert_eq!(with(""), None);
        assert_eq!(with(r#"{"acl":"private"},["EQ","$acl","private"],["Starts-With","$key",""]"#), None);
        assert_eq!(with(r#"["content-length-range","5","10"]"#), None);
        let arguments = |operator| Some(PolicyError::Arguments { operator });
        for (conditions, error) in [
            ("{}", Some(PolicyError::SimpleCondition { members: 0 })),
            (r#"{"acl":"a","acl":"b"}"#, Some(PolicyError::SimpleCondition { members: 2 })),
            (r#"{"acl":1}"#, Some(PolicyError::SimpleCondition { members: 1 })),
            (r#"{"acl":null}"#, Some(PolicyError::SimpleCondition { members: 1 })),
            ("[]", Some(PolicyError::NotACondition)),
            ("[1]", Some(PolicyError::NotACondition)),
            ("1", Some(PolicyError::NotACondition)),
            (r#"["like","$acl","a"]"#, Some(PolicyError::UnknownOperator { operator: "like".into() })),
            (r#"["eq","$acl"]"#, arguments("eq")),
            (r#"["eq","$acl","a","b"]"#, arguments("eq")),
            (r#"["eq","$acl",1]"#, arguments("eq")),
            (r#"["starts-with",["$acl"],"a"]"#, arguments("starts-with")),
            (r#"["content-length-range",0]"#, arguments("content-length-range")),
            (r#"["content-length-range",-1,0]"#, arguments("content-length-range")),
            (r#"["content-length-range",0,512.0]"#, arguments("content-length-range")),
            (r#"["content-length-range","","+1"]"#, arguments("content-length-range")),
            (r#"["content-length-range",0,18446744073709551616]"#, arguments("content-length-range")),
            (r#"["eq","acl","a"]"#, Some(PolicyError::ConditionFailed { condition: r#"["eq", "acl", "a"]"#.into() })),
            (
                r#"["starts-with","$X-Amz-Date",""]"#,
                Some(PolicyError::OnlyExact {
                    condition: r#"["starts-with", "$X-Amz-Date", ""]"#.into(),
                    field: "x-amz-date".into(),
                }),
            ),
            (r#"{"acl":"a"},"#, Some(PolicyError::NotJson)),
            (r#"["eq","$key","\$a"]"#, Some(PolicyError::NotJson)),
        ] {
            assert_eq!(with(conditions), error, "{conditions}");
        }
        assert_eq!(with(&alloc::vec!["[\"eq\",\"$a\",\"\"]"; 1025].join(",")), Some(PolicyError::TooManyConditions));
        let unexpected = |name: &str| PolicyError::UnexpectedMember { name: name.into() };
        let malformed = |got: &str| PolicyError::MalformedExpiration { got: got.into() };
        for (text, error) in [
            ("", PolicyError::NotJson),
            ("[]", PolicyError::NotJson),
            ("\"a\"", PolicyError::NotJson),
            (r#"{"conditions":[]}"#, PolicyError::MissingExpiration),
            (r#"{"EXPIRATION":"2015-12-30T12:00:00Z","conditions":[]}"#, unexpected("EXPIRATION")),
            (r#"{"expiration":"2015-12-30T12:00:00Z"}"#, PolicyError::MissingConditions),
            (r#"{"expiration":"2015-12-30T12:00:00Z","conditions":{}}"#, PolicyError::MissingConditions),
            (r#"{"expiration":"2015-12-30T12:00:00Z","conditions":[],"conditions":[]}"#, unexpected("conditions")),
            (r#"{"expiration":1,"conditions":[]}"#, malformed("")),
            (r#"{"expiration":"2015-12-30 12:00:00Z","conditions":[]}"#, malformed("2015-12-30 12:00:00Z")),
            (r#"{"expiration":"2015-12-30T12:00:00+01:00","conditions":[]}"#, malformed("2015-12-30T12:00:00+01:00")),
            (r#"{"expiration":"2015-12-30T12:00:00.x9Z","conditions":[]}"#, malformed("2015-12-30T12:00:00.x9Z")),
            (r#"{"expiration":"2015-02-30T12:00:00Z","conditions":[]}"#, malformed("2015-02-30T12:00:00Z")),
        ] {
            assert_eq!(Document::parse(text.as_bytes()).err(), Some(error), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(Document::parse(deep.as_bytes()).err(), Some(PolicyError::NotJson));
    }
}
