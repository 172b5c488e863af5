//! Reads selected members of a JSON document; all others are skipped without being stored.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;

use serde_core::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::json::read::{Json, NUMBER, whole};

/// Reads a value and keeps only the named members of its objects, on every level.
#[derive(Clone, Copy)]
pub(crate) struct Select<'n> {
    pub(crate) names: &'n [&'n str],
    /// How many more values may be kept. Exceeding it is an error.
    pub(crate) left: &'n Cell<usize>,
}

impl Select<'_> {
    fn count<E: Error>(&self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| E::custom("too many values"))?;
        self.left.set(left);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Select<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Select<'_> {
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

    fn visit_i64<E: Error>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Json, A::Error> {
        let mut read = Vec::new();
        while let Some(element) = list.next_element_seed(self)? {
            read.push(element);
        }
        Ok(Json::List(read))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut read = Vec::new();
        while let Some(name) = members.next_key::<String>()? {
            if name == NUMBER {
                return Ok(whole(&members.next_value::<String>()?).map_or(Json::Other, Json::Whole));
            }
            if self.names.contains(&name.as_str()) {
                read.push((name, members.next_value_seed(self)?));
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Json::Object(read))
    }
}
