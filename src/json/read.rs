//! A JSON tree that keeps every member of an object.

use alloc::borrow::Cow;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use serde_core::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// Parses one JSON document ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)). serde_json limits nesting to 127
/// levels; the caller limits the length, since memory use is proportional to it.
pub(crate) fn parse(text: &[u8]) -> Option<Json> {
    serde_json::from_slice(text).ok()
}

/// A JSON value. An object keeps all its members, even if a name appears more than once.
pub(crate) enum Json {
    /// May be a session token, so it is wiped.
    Text(Zeroizing<String>),
    Whole(#[allow(dead_code, reason = "only policies and credentials have numbers")] u64),
    /// Any other number, `true`, `false` or `null`, as JSON text.
    Literal(#[allow(dead_code, reason = "only cache files are written again")] Cow<'static, str>),
    #[allow(dead_code, reason = "only CBOR has other kinds of values")]
    Other,
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The member of an object; of several with one name the last, as most readers of JSON take it.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().rfind(|(found, _)| found == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The first element of a list.
    pub(crate) fn first(&self) -> Option<&Self> {
        match self {
            Self::List(list) => list.first(),
            _ => None,
        }
    }
}

/// The member name under which serde_json passes a number if it is built with `arbitrary_precision`.
pub(crate) const NUMBER: &str = "$serde_json::private::Number";

/// Parses a number that consists only of digits.
pub(crate) fn whole(text: &str) -> Option<u64> {
    if crate::text::is_digits(text) { text.parse().ok() } else { None }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(Zeroizing::new(text.into())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Json, E> {
        Ok(Json::Whole(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Json, E> {
        Ok(Json::Literal(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Json, E> {
        // `Debug` keeps the fraction of `1.0` and writes large numbers with an exponent, both as in JSON.
        Ok(Json::Literal(Cow::Owned(alloc::format!("{number:?}"))))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Literal(Cow::Borrowed(if value { "true" } else { "false" })))
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Literal(Cow::Borrowed("null")))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut read = Vec::new();
        while let Some(element) = list.next_element()? {
            read.push(element);
        }
        Ok(Json::List(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut read = Vec::new();
        while let Some(member) = members.next_entry()? {
            read.push(member);
        }
        Ok(match read.as_slice() {
            [(name, Json::Text(number))] if name == NUMBER => {
                whole(number).map_or_else(|| Json::Literal(Cow::Owned(number.to_string())), Json::Whole)
            }
            _ => Json::Object(read),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_keep_repeated_members_and_depth_is_limited() {
        let Some(Json::Object(members)) = parse(br#"{"a":"b","a":18446744073709551615}"#) else { panic!() };
        let [(first, Json::Text(text)), (second, Json::Whole(u64::MAX))] = members.as_slice() else { panic!() };
        assert_eq!((first.as_str(), second.as_str(), text.as_str()), ("a", "a", "b"));
        let nested = |depth| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(nested(127).as_bytes()).is_some());
        assert!(parse(nested(128).as_bytes()).is_none());
        assert!(parse(b"{} {}").is_none());
    }
}
