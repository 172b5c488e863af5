//! Changes a JSON tree and writes it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use zeroize::Zeroizing;

use super::push_escaped;
use super::read::Json;
use crate::text::wiped::Wiped;

impl Json {
    pub(crate) fn of_text(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.to_owned()))
    }

    /// Sets a member of an object; of several with one name the last, which is the one that readers take.
    pub(crate) fn set(&mut self, name: &str, value: Self) {
        let Self::Object(members) = self else { return };
        match members.iter_mut().rfind(|(found, _)| found == name) {
            Some((_, found)) => *found = value,
            None => members.push((name.to_owned(), value)),
        }
    }

    /// The member of an object, to be changed; of several with one name the last.
    pub(crate) fn member_mut(&mut self, name: &str) -> Option<&mut Self> {
        let Self::Object(members) = self else { return None };
        members.iter_mut().rfind(|(found, _)| found == name).map(|(_, value)| value)
    }

    /// Writes the tree without white space. The result may hold secrets.
    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut out = Wiped::new(String::new(), true);
        write(self, &mut out);
        Zeroizing::new(out.into_inner().into_bytes())
    }
}

/// The parser limits how deeply values are nested, so that this recursion ends.
fn write(json: &Json, out: &mut Wiped<String>) {
    let _ = match json {
        Json::Text(text) => return write_text(text, out),
        Json::Whole(number) => write!(out, "{number}"),
        Json::Literal(literal) => out.write_str(literal),
        Json::Other => out.write_str("null"),
        Json::List(list) => {
            let _ = out.write_char('[');
            for (index, element) in list.iter().enumerate() {
                let _ = out.write_str(if index > 0 { "," } else { "" });
                write(element, out);
            }
            out.write_char(']')
        }
        Json::Object(members) => {
            let _ = out.write_char('{');
            for (index, (name, value)) in members.iter().enumerate() {
                let _ = out.write_str(if index > 0 { "," } else { "" });
                write_text(name, out);
                let _ = out.write_char(':');
                write(value, out);
            }
            out.write_char('}')
        }
    };
}

fn write_text(text: &str, out: &mut Wiped<String>) {
    let _ = out.write_char('"');
    push_escaped(out, text);
    let _ = out.write_char('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::read::parse;

    #[test]
    fn every_kind_of_value_is_kept() {
        let text = r#"{"t":"a\"\\\n\u0001é","n":18446744073709551615,"i":-1,"f":1.5,"w":1.0,"e":1e300,"b":[true,false,null,[],{}],"t":"last"}"#;
        let written = parse(text.as_bytes()).unwrap().to_bytes();
        assert_eq!(core::str::from_utf8(&written).unwrap(), text);
    }

    #[test]
    fn the_last_of_several_members_is_set() {
        let mut json = parse(br#"{"a":1,"a":2,"b":{"c":3}}"#).unwrap();
        json.set("a", Json::of_text("x"));
        json.set("d", Json::Whole(4));
        json.member_mut("b").unwrap().set("c", Json::of_text("y"));
        assert_eq!(*json.to_bytes(), br#"{"a":1,"a":"x","b":{"c":"y"},"d":4}"#);
    }
}
