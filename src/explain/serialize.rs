//! Explanations as data, for a program that prints them as JSON.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde_core::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

use super::{Certainty, Diff, Explanation, Finding};

impl Serialize for Certainty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// The fields: `cause` (its machine name), `certainty`, `message`, `evidence`, `fix`, `link` (or null), `values`.
impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Finding", 7)?;
        fields.serialize_field("cause", self.cause().name())?;
        fields.serialize_field("certainty", &self.certainty())?;
        fields.serialize_field("message", &self.cause().to_string())?;
        fields.serialize_field("evidence", self.evidence())?;
        fields.serialize_field("fix", self.fix())?;
        fields.serialize_field("link", &self.link())?;
        fields.serialize_field("values", &Values(self.cause().values()))?;
        fields.end()
    }
}

/// An array of lines, each beginning with ` `, `-` or `+` as in its `Display`.
impl Serialize for Diff {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.to_string().split('\n'))
    }
}

/// The fields: `response`, `findings`, `diff` (or null), `computed` (or null), `clock_offset_seconds` (or null).
///
/// ```
/// use countersign::explain::{Explanation, Sent};
///
/// let body = br#"{"message":"Missing Authentication Token"}"#;
/// let explanation = Explanation::from_response(400, &[], body, Sent::default());
/// let json = serde_json::to_value(&explanation)?;
/// assert_eq!(json["findings"][0]["cause"], "not_signed");
/// assert_eq!(json["findings"][0]["certainty"], "likely");
/// # Ok::<(), serde_json::Error>(())
/// ```
impl Serialize for Explanation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Explanation", 5)?;
        fields.serialize_field("response", &self.response)?;
        fields.serialize_field("findings", &self.findings)?;
        fields.serialize_field("diff", &self.diff)?;
        fields.serialize_field("computed", &self.computed)?;
        fields.serialize_field("clock_offset_seconds", &self.clock_offset)?;
        fields.end()
    }
}

struct Values(Vec<(&'static str, String)>);

impl Serialize for Values {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
