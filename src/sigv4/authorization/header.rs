//! Parsing of the `Authorization` header.

use alloc::string::String;

use super::ClaimError;
use super::Location;
use super::claims::{Claims, Found, Span, Text};
use crate::sigv4::algorithm::Algorithm;
use crate::text::{excerpt, position_of, split, split_once};

/// Parses `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`: each parameter once, in any order, with any
/// number of spaces around the commas, and nothing else.
pub(crate) fn parse_header<'h>(header: &'h [u8], claims: &mut Claims<'h>) -> Result<(), ClaimError> {
    claims.location = Location::Header;
    claims.text = Text::Borrowed(header);
    if let Some([credential, signed_headers, signature]) = usual_values(header)
        && claims.read(Algorithm::HmacSha256, b"/", credential, signature, signed_headers).is_ok()
    {
        return Ok(());
    }
    // A header that isn't ASCII is refused whatever it contains, so that only the error remains to be chosen.
    read_header(header, claims)
        .map_err(|error| if core::str::from_utf8(header).is_ok() { error } else { ClaimError::NotKeyValue })
}

fn read_header<'h>(header: &'h [u8], claims: &mut Claims<'h>) -> Result<(), ClaimError> {
    let space = position_of(header, b' ').unwrap_or(header.len());
    let scheme = header.get(..space).unwrap_or_default();
    let parameters = header.get(space + 1..).unwrap_or_default();
    let Some(algorithm) = Algorithm::parse(scheme) else { return Err(unknown_scheme(scheme, parameters)) };
    let (mut credential, mut signed_headers, mut signature): (Found, Found, Found) = (None, None, None);
    let mut position = scheme.len() + 1;
    for piece in split(parameters, b',') {
        let (spaces, trimmed) = trim_spaces(piece);
        let start = position + spaces;
        position += piece.len() + 1;
        if trimmed.is_empty() && piece.len() == parameters.len() {
            continue;
        }
        let (slot, name, value) = if let Some(value) = trimmed.strip_prefix(b"Credential=") {
            (&mut credential, "Credential", value)
        } else if let Some(value) = trimmed.strip_prefix(b"SignedHeaders=") {
            (&mut signed_headers, "SignedHeaders", value)
        } else if let Some(value) = trimmed.strip_prefix(b"Signature=") {
            (&mut signature, "Signature", value)
        } else {
            return Err(unknown_parameter(trimmed));
        };
        let start = start + name.len() + 1;
        if slot.replace(Span::new(start, start + value.len())).is_some() {
            return Err(ClaimError::Repeated { name });
        }
    }
    let (Some(credential), Some(signature), Some(signed_headers)) = (credential, signature, signed_headers) else {
        return Err(ClaimError::missing(&[
            ("Credential", credential),
            ("Signature", signature),
            ("SignedHeaders", signed_headers),
        ]));
    };
    claims.read(algorithm, b"/", credential, signature, signed_headers)
}

/// Finds the values in a header with the parameters in the order in which AWS documents them, as nearly all are. The
/// signature is whatever comes last: if that is no signature, the header is read again.
fn usual_values(header: &[u8]) -> Option<[Span; 3]> {
    let mut rest = header.strip_prefix(b"AWS4-HMAC-SHA256 ")?;
    let credential = next_value(header, &mut rest, b"Credential=")?;
    let signed_headers = next_value(header, &mut rest, b"SignedHeaders=")?;
    let signature = rest.strip_prefix(b" ").unwrap_or(rest).strip_prefix(b"Signature=")?;
    Some([credential, signed_headers, Span::new(header.len() - signature.len(), header.len())])
}

/// Finds the value of the parameter with this name, which is next and not the last. `rest` is the end of the header.
fn next_value(header: &[u8], rest: &mut &[u8], name: &[u8]) -> Option<Span> {
    let value = rest.strip_prefix(b" ").unwrap_or(rest).strip_prefix(name)?;
    let start = header.len() - value.len();
    let (value, after) = split_once(value, b',')?;
    *rest = after;
    (value.last() != Some(&b' ')).then(|| Span::new(start, start + value.len()))
}

#[cold]
fn unknown_scheme(scheme: &[u8], parameters: &[u8]) -> ClaimError {
    let named = excerpt(scheme);
    if scheme.starts_with(b"AWS4-") {
        ClaimError::Algorithm { algorithm: named }
    } else {
        // A header without a scheme may be a bare token, so it is not shown.
        ClaimError::Scheme { scheme: if parameters.is_empty() { String::new() } else { named } }
    }
}

#[cold]
fn unknown_parameter(parameter: &[u8]) -> ClaimError {
    match split_once(parameter, b'=') {
        Some((name, _)) => ClaimError::UnknownParameter { name: excerpt(name) },
        None => ClaimError::NotKeyValue,
    }
}

/// Returns the number of leading spaces, and the bytes without leading and trailing spaces.
fn trim_spaces(piece: &[u8]) -> (usize, &[u8]) {
    let is_text = |byte: &u8| *byte != b' ';
    let start = piece.iter().position(is_text).unwrap_or(piece.len());
    let end = piece.iter().rposition(is_text).map_or(start, |last| last + 1);
    (start, piece.get(start..end).unwrap_or_default())
}
