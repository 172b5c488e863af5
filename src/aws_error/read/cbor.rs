//! CBOR ([RFC 8949](https://www.rfc-editor.org/rfc/rfc8949)) as the AWS protocols answer it: `application/cbor` and
//! `application/x-amz-cbor-1.1`.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::json::read::Json;
use crate::text::wiped::Wiped;

/// The deepest nesting that is read.
const DEEPEST: usize = 32;
/// The most values of one document.
const MOST_VALUES: usize = 65_536;
/// The tag that marks self-described CBOR.
const SELF_DESCRIBED: [u8; 3] = [0xd9, 0xd9, 0xf7];

/// Parses a CBOR map. No UTF-8 text starts with the first byte of a CBOR map, so the content type is not needed to recognise
/// one. A truncated map is read as far as it goes.
pub(super) fn parse(bytes: &[u8]) -> Option<Json> {
    let bytes = bytes.strip_prefix(&SELF_DESCRIBED).unwrap_or(bytes);
    if bytes.first()? >> 5 != MAP {
        return None;
    }
    let mut reader = Reader { rest: bytes, left: MOST_VALUES };
    let Some(Item::Value(map)) = reader.item(0) else { return None };
    Some(map)
}

const BYTES: u8 = 2;
const TEXT: u8 = 3;
const LIST: u8 = 4;
const MAP: u8 = 5;
const TAG: u8 = 6;

struct Reader<'b> {
    rest: &'b [u8],
    left: usize,
}

enum Item {
    Value(Json),
    /// `break`, the end of an indefinite length.
    End,
}

impl<'b> Reader<'b> {
    /// `None` if the document is malformed or truncated, or a limit is reached.
    fn item(&mut self, depth: usize) -> Option<Item> {
        let item = self.item_within_limits(depth);
        if item.is_none() {
            // Nothing after it can be read.
            self.left = 0;
        }
        item
    }

    fn item_within_limits(&mut self, depth: usize) -> Option<Item> {
        self.left = self.left.checked_sub(1)?;
        if depth > DEEPEST {
            return None;
        }
        let (major, argument) = self.head()?;
        Some(Item::Value(match (major, argument) {
            (0, Some(number)) => Json::Whole(number),
            (BYTES, length) => {
                self.string(BYTES, length)?;
                Json::Other
            }
            (TEXT, length) => {
                let bytes = self.string(TEXT, length)?;
                Json::Text(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
            }
            (LIST, count) => Json::List(self.list(count, depth)),
            (MAP, count) => Json::Object(self.map(count, depth)),
            (TAG, Some(_)) => return self.item(depth + 1),
            (7, None) => return Some(Item::End),
            (1 | 7, Some(_)) => Json::Other,
            _ => return None,
        }))
    }

    /// The major type and its argument, `None` for an indefinite length.
    fn head(&mut self) -> Option<(u8, Option<u64>)> {
        let [first] = *self.take(1)? else { return None };
        let argument = match first & 31 {
            small @ 0..=23 => Some(u64::from(small)),
            24 => Some(self.number(1)?),
            25 => Some(self.number(2)?),
            26 => Some(self.number(4)?),
            27 => Some(self.number(8)?),
            31 => None,
            _ => return None,
        };
        Some((first >> 5, argument))
    }

    fn number(&mut self, length: usize) -> Option<u64> {
        Some(self.take(length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    /// A string; the chunks of an indefinite-length one are joined. A truncated string is read as far as it goes.
    fn string(&mut self, kind: u8, length: Option<u64>) -> Option<Zeroizing<Vec<u8>>> {
        if let Some(length) = length {
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(self.rest.len());
            return Some(Zeroizing::new(self.take(length)?.to_vec()));
        }
        let mut joined = Wiped::new(Vec::new(), true);
        loop {
            self.left = self.left.checked_sub(1)?;
            match self.head()? {
                (7, None) => return Some(Zeroizing::new(joined.into_inner())),
                (major, Some(length)) if major == kind => {
                    let piece = self.take(usize::try_from(length).ok()?)?;
                    joined.reserve(piece.len());
                    joined.extend_from_slice(piece);
                }
                _ => return None,
            }
        }
    }

    fn list(&mut self, count: Option<u64>, depth: usize) -> Vec<Json> {
        let mut list = Vec::new();
        let mut to_come = count.unwrap_or(u64::MAX);
        while to_come > 0
            && let Some(Item::Value(value)) = self.item(depth + 1)
        {
            list.push(value);
            to_come -= 1;
        }
        list
    }

    /// Members with a text for a key; the others are skipped.
    fn map(&mut self, count: Option<u64>, depth: usize) -> Vec<(String, Json)> {
        let mut members = Vec::new();
        let mut to_come = count.unwrap_or(u64::MAX);
        while to_come > 0
            && let Some(Item::Value(key)) = self.item(depth + 1)
            && let Some(Item::Value(value)) = self.item(depth + 1)
        {
            if let Json::Text(key) = key {
                members.push((String::from(key.as_str()), value));
            }
            to_come -= 1;
        }
        members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(bytes: &[u8]) -> Vec<(String, Json)> {
        match parse(bytes) {
            Some(Json::Object(members)) => members,
            _ => Vec::new(),
        }
    }

    fn texts(bytes: &[u8]) -> Vec<(String, String)> {
        let text = |json| if let Json::Text(text) = json { String::from(text.as_str()) } else { String::new() };
        members(bytes).into_iter().map(|(name, value)| (name, text(value))).collect()
    }

    #[test]
    fn maps_of_definite_and_indefinite_length_are_read() {
        let definite = b"\xa2\x66__type\x65a#Bad\x67message\x64oops";
        // Text in pieces, a tag, a float, bytes, a negative number, a list, and a key that is a number.
        let indefinite =
            b"\xd9\xd9\xf7\xbf\x66__type\x7f\x62a#\x63Bad\xff\x61f\xfb\0\0\0\0\0\0\0\0\x61t\xc1\x1a\0\0\0\x01\
            \x61b\x42\xff\xff\x61n\x38\x20\x61l\x9f\x01\x80\xff\x05\xf6\x67message\xc0\x64oops\xff";
        for bytes in [definite.as_slice(), indefinite] {
            let texts = texts(bytes);
            for (name, value) in [("__type", "a#Bad"), ("message", "oops")] {
                assert!(texts.contains(&(name.into(), value.into())), "{texts:?}");
            }
        }
        assert_eq!(members(indefinite).len(), 7);
    }

    #[test]
    fn what_is_no_map_is_left_alone_and_what_is_cut_is_read_up_to_there() {
        for bytes in [b"".as_slice(), b"{}", b"\x80", b"\x01", b"\xff", b"\xd9\xd9\xf7"] {
            assert!(parse(bytes).is_none(), "{bytes:?}");
        }
        assert_eq!(texts(b"\xa2\x61a\x61b\x61c"), [("a".into(), "b".into())]);
        assert_eq!(texts(b"\xa1\x61a\x7b\xff\xff\xff\xff\xff\xff\xff\xffbc"), [("a".into(), "bc".into())]);
        assert_eq!(texts(b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff\x61a\x61b"), [("a".into(), "b".into())]);
    }

    #[test]
    fn depth_and_number_of_values_are_limited() {
        let deep = [b"\xa1\x61a".repeat(100_000), b"\x61b".to_vec()].concat();
        assert_eq!(members(&deep).len(), 1);
        let tags = [b"\xa1\x61a".to_vec(), b"\xc1".repeat(100_000)].concat();
        assert_eq!(members(&tags).len(), 0);
        let wide = [b"\xbf".to_vec(), b"\x61a\xf6".repeat(100_000)].concat();
        assert_eq!(members(&wide).len(), (MOST_VALUES - 1) / 2);
    }
}
