//! The wire form of a chunk: `LENGTH;chunk-signature=SIGNATURE CRLF data CRLF`, the length in hexadecimal; without
//! signatures `LENGTH CRLF data CRLF`. A chunk of length 0 closes the body.

use alloc::vec::Vec;

use super::error::ChunkError;
use crate::signature::Signature;

pub(super) const CRLF: &[u8] = b"\r\n";
const CHUNK_SIGNATURE: &[u8] = b";chunk-signature=";

/// Prints the line before the data.
pub(super) fn write_header(out: &mut Vec<u8>, length: usize, signature: Option<&Signature>) {
    out.extend_from_slice(alloc::format!("{length:x}").as_bytes());
    if let Some(signature) = signature {
        out.extend_from_slice(CHUNK_SIGNATURE);
        signature.write_hex(|digits| out.extend_from_slice(digits));
    }
    out.extend_from_slice(CRLF);
}

/// How many bytes a chunk has on the wire; one of length 0 lacks the line end behind its data, which belongs to what
/// closes the body.
pub(super) fn framed_length(length: u64, signed: bool) -> u64 {
    let digits = u64::from((u64::BITS - length.leading_zeros()).div_ceil(4).max(1));
    let signature = if signed { CHUNK_SIGNATURE.len() as u64 + 64 } else { 0 };
    let data = if length > 0 { length + 2 } else { 0 };
    digits + signature + 2 + data
}

/// Reads the line before the data, without its line end. Digits may be in either case: one of AWS's own SDKs writes
/// them in upper case.
pub(super) fn parse_header(line: &[u8], signed: bool) -> Result<(u64, Option<Signature>), ChunkError> {
    let malformed = || ChunkError::MalformedHeader { got: crate::text::excerpt(line) };
    let line = core::str::from_utf8(line).map_err(|_| malformed())?;
    let (length, signature) = match line.split_once(';') {
        None if !signed => (line, None),
        Some((length, extension)) if signed => {
            let hex = extension.strip_prefix("chunk-signature=").ok_or_else(malformed)?;
            (length, Some(Signature::from_hex(hex).ok_or_else(malformed)?))
        }
        _ => return Err(malformed()),
    };
    // `from_str_radix` would take a sign.
    if length.is_empty() || length.len() > 16 || !length.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(malformed());
    }
    Ok((u64::from_str_radix(length, 16).map_err(|_| malformed())?, signature))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_read_and_counted() {
        let signature = Signature::from_bytes([0x5a; 32]);
        for length in [0_usize, 1, 9, 10, 15, 16, 255, 256, 65_535, 65_536, usize::MAX] {
            for signature in [None, Some(&signature)] {
                let mut out = Vec::new();
                write_header(&mut out, length, signature);
                let data = if length > 0 { length as u64 } else { 0 };
                let expected = out.len() as u64 + if length > 0 { 2 } else { 0 };
                if length < usize::MAX {
                    assert_eq!(framed_length(length as u64, signature.is_some()), expected + data);
                }
                let line = out.strip_suffix(b"\r\n").unwrap();
                let (read, found) = parse_header(line, signature.is_some()).unwrap();
                assert_eq!((read, found.is_some()), (length as u64, signature.is_some()));
                assert!(parse_header(line, signature.is_none()).is_err());
            }
        }
    }

    #[test]
    fn other_lines_are_refused() {
        let hex = "5a".repeat(32);
        for line in [
            "",
            ";chunk-signature=SIG",
            "+1;chunk-signature=SIG",
            "-1;chunk-signature=SIG",
            "0x1;chunk-signature=SIG",
            "1 ;chunk-signature=SIG",
            " 1;chunk-signature=SIG",
            "g;chunk-signature=SIG",
            "00000000000000001;chunk-signature=SIG",
            "1;chunk-signature=",
            "1;chunk-signature=SIG0",
            "1;chunk-signature=SIG ",
            "1;chunk-signature=SIG;chunk-signature=SIG",
            "1;Chunk-Signature=SIG",
            "1; chunk-signature=SIG",
            "1;x=y;chunk-signature=SIG",
            "1,chunk-signature=SIG",
            "1\r;chunk-signature=SIG",
        ] {
            assert!(parse_header(line.replace("SIG", &hex).as_bytes(), true).is_err(), "{line:?}");
        }
        assert!(parse_header(alloc::format!("1;chunk-signature={}", hex.to_uppercase()).as_bytes(), true).is_err());
        for line in [&b"1;"[..], b"1;a=b", b"\xff", b"1\0", b"\xef\xbc\x91"] {
            assert!(parse_header(line, false).is_err(), "{line:?}");
        }
    }
}
