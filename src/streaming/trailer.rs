//! Trailers: headers after the last chunk, announced in `x-amz-trailer`.

use alloc::string::String;
use alloc::vec::Vec;

use super::checksum::Checksum;
use super::error::ChunkError;
use crate::text::{any, is_forbidden_in_value, is_token};

pub(super) const X_AMZ_TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

/// The maximum number of trailers.
pub(super) const MAX_TRAILERS: usize = 64;
/// The maximum length of all trailers in bytes, including line ends.
pub(super) const MAX_TRAILER: usize = 16_384;

/// The source of a trailer's value.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value {
    Checksum(Checksum),
    /// Given by the caller, with this many bytes.
    Given(usize),
}

impl Value {
    pub(super) fn length(self) -> usize {
        match self {
            Self::Checksum(checksum) => checksum.value_length(),
            Self::Given(length) => length,
        }
    }
}

/// Writes one line.
pub(super) fn write_line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.extend_from_slice(name.as_bytes());
    out.push(b':');
    out.extend_from_slice(value);
    out.extend_from_slice(super::chunk::CRLF);
}

/// Returns the number of bytes that [`write_line`] writes.
pub(super) fn line_length(name: &str, value: usize) -> u64 {
    (name.len() as u64 + 3).saturating_add(value as u64)
}

/// Parses one line without its line end; the name is returned in lower case.
pub(super) fn parse_line(line: &[u8]) -> Result<(String, &[u8]), ChunkError> {
    let (name, value) = crate::text::split_once(line, b':').ok_or(ChunkError::MalformedTrailer)?;
    if any(value, is_forbidden_in_value) {
        return Err(ChunkError::MalformedTrailer);
    }
    let name = core::str::from_utf8(name).ok().and_then(checked_name).ok_or(ChunkError::MalformedTrailer)?;
    Ok((name, value))
}

/// Parses `x-amz-trailer`: distinct names, separated by commas.
pub(super) fn parse_names(list: &[u8]) -> Result<Vec<String>, ChunkError> {
    let invalid = || ChunkError::InvalidTrailerHeader { got: crate::text::excerpt(list) };
    let mut names: Vec<String> = Vec::new();
    for name in list.split(|byte| *byte == b',') {
        let name = core::str::from_utf8(name.trim_ascii()).ok().and_then(checked_name).ok_or_else(invalid)?;
        if names.contains(&name) || names.len() == MAX_TRAILERS || name == X_AMZ_TRAILER_SIGNATURE {
            return Err(invalid());
        }
        names.push(name);
    }
    Ok(names)
}

/// Returns the name in lower case if it is a valid header name.
pub(super) fn checked_name(name: &str) -> Option<String> {
    is_token(name).then(|| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trailer_names_are_parsed() {
        assert_eq!(parse_names(b"X-Amz-Checksum-Crc32 , b").unwrap(), ["x-amz-checksum-crc32", "b"]);
        for list in [&b""[..], b",", b"a,", b",a", b"a,,b", b"a,A", b"a b", b"a:b", b"\xff", b"x-amz-trailer-signature"]
        {
            assert!(parse_names(list).is_err(), "{list:?}");
        }
        let many: Vec<String> = (0..65).map(|n| alloc::format!("n{n}")).collect();
        assert!(parse_names(many.join(",").as_bytes()).is_err());
    }

    #[test]
    fn trailer_lines_are_parsed() {
        assert_eq!(parse_line(b"X-A: b:c ").unwrap(), ("x-a".into(), &b" b:c "[..]));
        assert_eq!(parse_line(b"x:").unwrap(), ("x".into(), &b""[..]));
        for line in [&b""[..], b"x", b":x", b"x y:z", b" x:y", b"x:y\r", b"x:y\rz", b"x:\0", b"\xff:y"] {
            assert!(parse_line(line).is_err(), "{line:?}");
        }
    }
}
