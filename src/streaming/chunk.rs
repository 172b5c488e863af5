//! The wire format of a chunk: `LENGTH;chunk-signature=SIGNATURE CRLF data CRLF`, with the length in hexadecimal;
//! without signatures, `LENGTH CRLF data CRLF`. A chunk of length 0 ends the data.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::ChunkError;
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::signature::Signature;

pub(super) const CRLF: &[u8] = b"\r\n";
const CHUNK_SIGNATURE: &[u8] = b";chunk-signature=";

/// Pads a SigV4A signature, whose length varies, so that the length of the body is known in advance. The next signature
/// does not cover the padding.
const PADDING: char = '*';

/// Writes the header line of a chunk.
pub(super) fn write_header(out: &mut Vec<u8>, length: usize, signature: Option<&Signature>) {
    out.extend_from_slice(alloc::format!("{length:x}").as_bytes());
    if let Some(signature) = signature {
        out.extend_from_slice(CHUNK_SIGNATURE);
        out.extend_from_slice(padded(signature).as_bytes());
    }
    out.extend_from_slice(CRLF);
}

/// Returns the encoded length of a chunk in bytes. A chunk of length 0 has no line end after its data; the line end
/// that closes the body is counted with the trailer. `signed` is `None` if chunks are not signed.
pub(super) fn framed_length(length: u64, signed: Option<Algorithm>) -> u64 {
    let digits = u64::from((u64::BITS - length.leading_zeros()).div_ceil(4).max(1));
    let signature = signed.map_or(0, |algorithm| CHUNK_SIGNATURE.len() + algorithm.signature_digits());
    let data = if length > 0 { length.saturating_add(2) } else { 0 };
    data.saturating_add(digits + signature as u64 + 2)
}

/// Parses the header line of a chunk, without its line end. The digits of the length may be in either case, since one
/// of the AWS SDKs writes them in upper case.
pub(super) fn parse_header(line: &[u8], signed: Option<Algorithm>) -> Result<(u64, Option<Signature>), ChunkError> {
    let malformed = || ChunkError::MalformedHeader { got: crate::text::excerpt(line) };
    let line = core::str::from_utf8(line).map_err(|_| malformed())?;
    let (length, signature) = match (line.split_once(';'), signed) {
        (None, None) => (line, None),
        (Some((length, extension)), Some(algorithm)) => {
            let digits = extension.strip_prefix("chunk-signature=").ok_or_else(malformed)?;
            (length, Some(parse_signature(algorithm, digits).ok_or_else(malformed)?))
        }
        _ => return Err(malformed()),
    };
    // `from_str_radix` would accept a sign.
    if length.is_empty() || length.len() > 16 || !length.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(malformed());
    }
    Ok((u64::from_str_radix(length, 16).map_err(|_| malformed())?, signature))
}

/// Appends data to an incomplete chunk that lacks `to_come` bytes, including `data`. The capacity grows like that of
/// any [`Vec`], but never beyond the length of the chunk.
pub(super) fn hold(chunk: &mut Vec<u8>, data: &[u8], to_come: usize) {
    if chunk.capacity() - chunk.len() < data.len() {
        chunk.reserve_exact(data.len().max(chunk.capacity().min(to_come)));
    }
    chunk.extend_from_slice(data);
}

/// Returns the hexadecimal digits of the signature of a chunk or trailer, padded to a fixed length.
pub(super) fn padded(signature: &Signature) -> String {
    let mut digits = signature.to_hex();
    let missing = signature.algorithm().signature_digits().saturating_sub(digits.len());
    digits.extend(core::iter::repeat_n(PADDING, missing));
    digits
}

/// Parses such digits, with or without padding.
pub(super) fn parse_signature(algorithm: Algorithm, digits: &str) -> Option<Signature> {
    let most = algorithm.signature_digits();
    let digits = if digits.len() == most { digits.trim_end_matches(PADDING) } else { digits };
    Signature::read(algorithm, digits.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_round_trip_and_lengths_match() {
        const HMAC: Option<Algorithm> = Some(Algorithm::HmacSha256);
        let signature = Signature::from_bytes([0x5a; 32]);
        for length in [0_usize, 1, 9, 10, 15, 16, 255, 256, 65_535, 65_536, usize::MAX] {
            for signature in [None, Some(&signature)] {
                let mut out = Vec::new();
                write_header(&mut out, length, signature);
                let data = if length > 0 { length as u64 } else { 0 };
                let expected = out.len() as u64 + if length > 0 { 2 } else { 0 };
                if length < usize::MAX {
                    assert_eq!(framed_length(length as u64, signature.and(HMAC)), expected + data);
                }
                let line = out.strip_suffix(b"\r\n").unwrap();
                let (read, found) = parse_header(line, signature.and(HMAC)).unwrap();
                assert_eq!((read, found.is_some()), (length as u64, signature.is_some()));
                assert!(parse_header(line, if signature.is_some() { None } else { HMAC }).is_err());
            }
        }
    }

    #[test]
    fn malformed_header_lines_are_refused() {
        const HMAC: Option<Algorithm> = Some(Algorithm::HmacSha256);
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
            "1;chunk-signature=SIG*",
            "1;chunk-signature=SIG;chunk-signature=SIG",
            "1;Chunk-Signature=SIG",
            "1; chunk-signature=SIG",
            "1;x=y;chunk-signature=SIG",
            "1,chunk-signature=SIG",
            "1\r;chunk-signature=SIG",
        ] {
            assert!(parse_header(line.replace("SIG", &hex).as_bytes(), HMAC).is_err(), "{line:?}");
        }
        assert!(parse_header(alloc::format!("1;chunk-signature={}", hex.to_uppercase()).as_bytes(), HMAC).is_err());
        for line in [&b"1;"[..], b"1;a=b", b"\xff", b"1\0", b"\xef\xbc\x91"] {
            assert!(parse_header(line, None).is_err(), "{line:?}");
        }
    }
}
