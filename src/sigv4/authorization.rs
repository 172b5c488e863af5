//! Step 5, the wire: the `Authorization` header and the `X-Amz-*` query, printed and parsed side by side.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::Range;

use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::canonical_request::pairs;
use crate::sigv4::request::MAX_HEADERS;
use crate::sigv4::scope::Scope;
use crate::sigv4::signature::Signature;
use crate::sigv4::timestamp::Timestamp;
use crate::text::is_token_byte;
use crate::text::percent::{decodes_to, write_encoded, write_query_decoded};
use crate::text::{all, any, split, split_once};

pub(crate) const X_AMZ_ALGORITHM: &str = "X-Amz-Algorithm";
pub(crate) const X_AMZ_CREDENTIAL: &str = "X-Amz-Credential";
pub(crate) const X_AMZ_DATE: &str = "X-Amz-Date";
pub(crate) const X_AMZ_EXPIRES: &str = "X-Amz-Expires";
pub(crate) const X_AMZ_REGION_SET: &str = "X-Amz-Region-Set";
pub(crate) const X_AMZ_SIGNED_HEADERS: &str = "X-Amz-SignedHeaders";
pub(crate) const X_AMZ_SIGNATURE: &str = "X-Amz-Signature";
pub(crate) const X_AMZ_CONTENT_SHA256: &str = "X-Amz-Content-Sha256";
/// Both names of the session token, of which a service uses one.
pub(crate) const SESSION_TOKEN_QUERIES: [&str; 2] = ["X-Amz-Security-Token", "X-Amz-S3session-Token"];
pub(crate) const SESSION_TOKEN_HEADERS: [&str; 2] = ["x-amz-security-token", "x-amz-s3session-token"];

/// The longest `Authorization` header that is read, in bytes.
pub(crate) const MAX_AUTHORIZATION: usize = 65_536;

/// Where the parts of the scope stand in a printed credential.
#[derive(Clone)]
pub(crate) struct PrintedScope {
    pub(crate) region: Range<usize>,
    pub(crate) service: Range<usize>,
}

impl PrintedScope {
    fn write(out: &mut Vec<u8>, scope: &Scope<'_>, write: impl Fn(&mut Vec<u8>, &[u8])) -> Self {
        let mut ends = [0; 7];
        for (end, piece) in ends.iter_mut().zip(scope.pieces()) {
            write(out, piece.as_bytes());
            *end = out.len();
        }
        let [_, region_start, region_end, service_start, service_end, ..] = ends;
        Self { region: region_start..region_end, service: service_start..service_end }
    }
}

/// How many bytes [`write_header`] writes.
pub(crate) fn header_length(access_key_id: &str, scope: &Scope<'_>, signed_headers: usize) -> usize {
    let printed_scope: usize = scope.pieces().iter().map(|piece| piece.len()).sum();
    scope.algorithm().name().len()
        + " Credential=/, SignedHeaders=, Signature=".len()
        + access_key_id.len()
        + printed_scope
        + signed_headers
        + scope.algorithm().signature_digits()
}

/// Prints the header. `signed_headers` is a part of `out`, which holds the canonical request.
pub(crate) fn write_header(
    out: &mut Vec<u8>,
    access_key_id: &str,
    scope: &Scope<'_>,
    signed_headers: Range<usize>,
    signature: &Signature,
) -> PrintedScope {
    out.extend_from_slice(scope.algorithm().name().as_bytes());
    out.extend_from_slice(b" Credential=");
    out.extend_from_slice(access_key_id.as_bytes());
    out.push(b'/');
    let printed = PrintedScope::write(out, scope, |out, piece| out.extend_from_slice(piece));
    out.extend_from_slice(b", SignedHeaders=");
    out.extend_from_within(signed_headers);
    out.extend_from_slice(b", Signature=");
    signature.write_hex(|digits| out.extend_from_slice(digits));
    printed
}

/// The parameters of a presigned query, but for the signature.
pub(crate) struct QueryParameters<'a, N> {
    pub(crate) access_key_id: &'a str,
    pub(crate) scope: Scope<'a>,
    pub(crate) timestamp: Timestamp,
    /// Seconds.
    pub(crate) expires: Option<u64>,
    pub(crate) region_set: Option<&'a str>,
    /// In order, each once.
    pub(crate) signed_headers: N,
    /// Name of the parameter and token, if it is signed.
    pub(crate) session_token: Option<(&'a str, &'a str)>,
    pub(crate) content_sha256: Option<&'a [u8]>,
}

impl<'a, N: Iterator<Item = &'a str>> QueryParameters<'a, N> {
    /// Prints the parameters behind a `?` or `&`.
    pub(crate) fn write_to(self, out: &mut Vec<u8>) -> PrintedScope {
        out.extend_from_slice(X_AMZ_ALGORITHM.as_bytes());
        out.push(b'=');
        out.extend_from_slice(self.scope.algorithm().name().as_bytes());
        write_parameter(out, X_AMZ_CREDENTIAL, self.access_key_id.as_bytes());
        out.extend_from_slice(b"%2F");
        let printed = PrintedScope::write(out, &self.scope, write_encoded);
        write_parameter(out, X_AMZ_DATE, self.timestamp.as_str().as_bytes());
        if let Some(expires) = self.expires {
            let mut digits = [b'0'; 20];
            let mut left = expires;
            for digit in digits.iter_mut().rev() {
                *digit += (left % 10) as u8;
                left /= 10;
            }
            let leading = digits.iter().take_while(|digit| **digit == b'0').count().min(19);
            write_parameter(out, X_AMZ_EXPIRES, digits.get(leading..).unwrap_or_default());
        }
        if let Some(region_set) = self.region_set {
            write_parameter(out, X_AMZ_REGION_SET, region_set.as_bytes());
        }
        write_parameter(out, X_AMZ_SIGNED_HEADERS, b"");
        for (index, name) in self.signed_headers.enumerate() {
            if index > 0 {
                out.extend_from_slice(b"%3B");
            }
            if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
                name.bytes().for_each(|byte| write_encoded(out, &[byte.to_ascii_lowercase()]));
            } else {
                write_encoded(out, name.as_bytes());
            }
        }
        if let Some((name, token)) = self.session_token {
            write_parameter(out, name, token.as_bytes());
        }
        if let Some(hash) = self.content_sha256 {
            write_parameter(out, X_AMZ_CONTENT_SHA256, hash);
        }
        printed
    }
}

/// Prints a parameter behind others.
pub(crate) fn write_parameter(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    out.push(b'&');
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
    write_encoded(out, value);
}

/// The hash that a query pins its body to, by a parameter of its own.
pub(crate) fn pinned_content_sha256(query: &str) -> Option<&str> {
    if !may_name_own(query.as_bytes()) {
        return None;
    }
    let mut pieces = query.split('&').map(|piece| piece.split_once('=').unwrap_or((piece, "")));
    pieces.find(|(name, _)| decodes_to(name.as_bytes(), X_AMZ_CONTENT_SHA256)).map(|(_, value)| value)
}

/// Whether a query parameter is one that presigning writes.
pub(crate) fn is_presign_parameter(name: &[u8]) -> bool {
    const NAMES: [&str; 7] = [
        X_AMZ_ALGORITHM,
        X_AMZ_CREDENTIAL,
        X_AMZ_DATE,
        X_AMZ_EXPIRES,
        X_AMZ_REGION_SET,
        X_AMZ_SIGNED_HEADERS,
        X_AMZ_SIGNATURE,
    ];
    may_be_own(name) && NAMES.iter().chain(&SESSION_TOKEN_QUERIES).any(|own| decodes_to(name, own))
}

/// All of ours begin with an `X`, as it stands or escaped.
fn may_be_own(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'X' | b'%'))
}

/// The parts of a credential, whichever way they came, as ranges of one text. Nothing of it is proven.
#[derive(Clone)]
pub(crate) struct Claims {
    pub(crate) credential: CredentialRanges,
    pub(crate) signed_headers: Range<usize>,
    pub(crate) signature: Signature,
}

#[derive(Clone)]
pub(crate) struct CredentialRanges {
    pub(crate) access_key_id: Range<usize>,
    pub(crate) date: Range<usize>,
    /// Empty where the scope has none.
    pub(crate) region: Range<usize>,
    pub(crate) service: Range<usize>,
    pub(crate) terminator: Range<usize>,
}

/// Why an `Authorization` header, or the query that stands for it, is no credential of this algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ClaimError {
    Scheme { scheme: String },
    Algorithm { algorithm: String },
    NotKeyValue,
    UnknownParameter { name: String },
    Repeated { name: &'static str },
    Missing { names: Vec<&'static str> },
    Credential { algorithm: Algorithm, got: String },
    SignedHeaders,
    TooManySignedHeaders,
    Signature { algorithm: Algorithm },
}

/// The value of a parameter that has been read, by the position of its text.
type Found = Option<Range<usize>>;

/// Reads `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`: each parameter once, in any order, with any
/// spaces around the commas, and nothing else.
pub(crate) fn parse_header(header: &str) -> Result<Claims, ClaimError> {
    let (scheme, parameters) = header.split_once(' ').unwrap_or((header, ""));
    let Some(algorithm) = Algorithm::parse(scheme) else {
        let named = crate::text::excerpt(scheme.as_bytes());
        return Err(if scheme.starts_with("AWS4-") {
            ClaimError::Algorithm { algorithm: named }
        } else {
            // What has no scheme may be a bare token.
            ClaimError::Scheme { scheme: if parameters.is_empty() { String::new() } else { named } }
        });
    };
    let (mut credential, mut signed_headers, mut signature): (Found, Found, Found) = (None, None, None);
    let mut position = scheme.len() + 1;
    for piece in split(parameters.as_bytes(), b',') {
        let (spaces, trimmed) = trim_spaces(piece);
        let start = position + spaces;
        position += piece.len() + 1;
        if trimmed.is_empty() && parameters.bytes().all(|byte| byte == b' ') {
            continue;
        }
        let (name, value) = split_once(trimmed, b'=').ok_or(ClaimError::NotKeyValue)?;
        let (slot, name) = match name {
            b"Credential" => (&mut credential, "Credential"),
            b"SignedHeaders" => (&mut signed_headers, "SignedHeaders"),
            b"Signature" => (&mut signature, "Signature"),
            other => return Err(ClaimError::UnknownParameter { name: crate::text::excerpt(other) }),
        };
        let start = start + name.len() + 1;
        if slot.replace(start..start + value.len()).is_some() {
            return Err(ClaimError::Repeated { name });
        }
    }
    let (Some(credential), Some(signature), Some(signed_headers)) = (&credential, &signature, &signed_headers) else {
        return Err(missing([("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]));
    };
    Claims::read(algorithm, header, credential, signature, signed_headers)
}

/// How many spaces stand before it, and what is between those and the ones behind it.
fn trim_spaces(piece: &[u8]) -> (usize, &[u8]) {
    let is_text = |byte: &u8| *byte != b' ';
    let start = piece.iter().position(is_text).unwrap_or(piece.len());
    let end = piece.iter().rposition(is_text).map_or(start, |last| last + 1);
    (start, piece.get(start..end).unwrap_or_default())
}

fn missing<const N: usize>(found: [(&'static str, Found); N]) -> ClaimError {
    let missing = found.into_iter().filter(|(_, found)| found.is_none());
    ClaimError::Missing { names: missing.map(|(name, _)| name).collect() }
}

/// The values of a presigned query, decoded into one text.
pub(crate) struct QueryClaims {
    pub(crate) text: String,
    pub(crate) claims: Claims,
    pub(crate) date: Range<usize>,
    pub(crate) expires: Option<Range<usize>>,
    pub(crate) session_token: Option<Range<usize>>,
    pub(crate) content_sha256: Option<Range<usize>>,
}

/// Whether a query claims to be signed at all.
pub(crate) fn is_presigned(query: &[u8]) -> bool {
    names_one_of(query, &[X_AMZ_ALGORITHM, X_AMZ_CREDENTIAL, X_AMZ_SIGNATURE])
}

/// Whether a query names its algorithm. Beside an `Authorization` header that makes two credentials; a mere
/// `X-Amz-Signature` is data there, and signed like any other.
pub(crate) fn names_algorithm(query: &[u8]) -> bool {
    names_one_of(query, &[X_AMZ_ALGORITHM])
}

fn names_one_of(query: &[u8], own: &[&str]) -> bool {
    may_name_own(query) && pairs(query).any(|(name, _)| may_be_own(name) && own.iter().any(|own| decodes_to(name, own)))
}

/// Whether there is an `X` in a query, as it stands or escaped, `%58`: most have none.
fn may_name_own(query: &[u8]) -> bool {
    let next = query.get(1..).unwrap_or_default();
    let escapes = query.iter().zip(next).map(|(one, next)| u8::from((*one == b'%') & (*next == b'5')));
    any(query, |byte| byte == b'X') || escapes.fold(0, |seen, escape| seen | escape) != 0
}

/// Reads the `X-Amz-*` parameters: each at most once, names compared letter for letter after decoding.
pub(crate) fn parse_query(query: &[u8]) -> Result<QueryClaims, ClaimError> {
    const NAMES: [&str; 9] = [
        X_AMZ_ALGORITHM,
        X_AMZ_CREDENTIAL,
        X_AMZ_SIGNATURE,
        X_AMZ_SIGNED_HEADERS,
        X_AMZ_DATE,
        X_AMZ_EXPIRES,
        X_AMZ_CONTENT_SHA256,
        "X-Amz-Security-Token",
        "X-Amz-S3session-Token",
    ];
    let mut found: [Found; 9] = Default::default();
    // A decoded value is no longer than the encoded one.
    let mut text = Vec::with_capacity(query.len());
    for (name, value) in pairs(query).filter(|(name, _)| may_be_own(name)) {
        let named = NAMES.iter().zip(&mut found).find(|(own, _)| decodes_to(name, own));
        if let Some((name, slot)) = named {
            let start = text.len();
            write_query_decoded(&mut text, value);
            if slot.replace(start..text.len()).is_some() {
                return Err(ClaimError::Repeated { name });
            }
        }
    }
    let text = String::from_utf8(text).map_err(|_| ClaimError::NotKeyValue)?;
    let [algorithm, credential, signature, signed_headers, date, expires, content_sha256, token, s3_token] = found;
    let named = match &algorithm {
        Some(range) => {
            let name = text.get(range.clone()).unwrap_or_default();
            Algorithm::parse(name)
                .ok_or_else(|| ClaimError::Algorithm { algorithm: crate::text::excerpt(name.as_bytes()) })?
        }
        // It is named as missing with all the others.
        None => Algorithm::HmacSha256,
    };
    if token.is_some() && s3_token.is_some() {
        return Err(ClaimError::Repeated { name: "X-Amz-Security-Token" });
    }
    let (Some(_), Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (&algorithm, &credential, &signature, &signed_headers, &date)
    else {
        return Err(missing([
            (X_AMZ_ALGORITHM, algorithm),
            (X_AMZ_CREDENTIAL, credential),
            (X_AMZ_SIGNATURE, signature),
            (X_AMZ_SIGNED_HEADERS, signed_headers),
            (X_AMZ_DATE, date),
        ]));
    };
    Ok(QueryClaims {
        claims: Claims::read(named, &text, credential, signature, signed_headers)?,
        date: date.clone(),
        expires,
        session_token: token.or(s3_token),
        content_sha256,
        text,
    })
}

impl Claims {
    /// Checks the form of each.
    fn read(
        algorithm: Algorithm,
        text: &str,
        credential: &Range<usize>,
        signature: &Range<usize>,
        signed_headers: &Range<usize>,
    ) -> Result<Self, ClaimError> {
        let value = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        if signed_headers.len() > MAX_HEADERS
            && value(signed_headers).bytes().filter(|byte| *byte == b';').count() >= MAX_HEADERS
        {
            return Err(ClaimError::TooManySignedHeaders);
        }
        if !are_signed_headers(value(signed_headers)) {
            return Err(ClaimError::SignedHeaders);
        }
        Ok(Self {
            credential: CredentialRanges::read(algorithm, value(credential), credential.start).ok_or_else(|| {
                ClaimError::Credential { algorithm, got: crate::text::excerpt(value(credential).as_bytes()) }
            })?,
            signature: Signature::read(algorithm, value(signature)).ok_or(ClaimError::Signature { algorithm })?,
            signed_headers: signed_headers.clone(),
        })
    }
}

impl CredentialRanges {
    /// The last parts are the scope, four or, where it has no region, three; what stands before them is the access key
    /// id, which may hold a `/`.
    pub(crate) fn read(algorithm: Algorithm, credential: &str, offset: usize) -> Option<Self> {
        if !all(credential.as_bytes(), |byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut end = credential.len();
        let mut last_part = || {
            let start = credential.as_bytes().get(..end)?.iter().rposition(|byte| *byte == b'/')? + 1;
            let part = offset + start..offset + end;
            end = start - 1;
            (!part.is_empty()).then_some(part)
        };
        let (terminator, service) = (last_part()?, last_part()?);
        let region = match algorithm {
            Algorithm::HmacSha256 => last_part()?,
            #[cfg(feature = "sigv4a")]
            Algorithm::EcdsaP256Sha256 => 0..0,
        };
        let date = last_part()?;
        (end > 0).then_some(Self { access_key_id: offset..offset + end, date, region, service, terminator })
    }
}

/// Lower-case header names, strictly ascending, so that each is there once and none is empty.
fn are_signed_headers(list: &str) -> bool {
    let mut last: &[u8] = b"";
    split(list.as_bytes(), b';').all(|name| {
        let ascending = last < name;
        last = name;
        ascending && name.iter().all(|byte| is_token_byte(*byte) && !byte.is_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

    fn header(parameters: &str) -> Result<Claims, ClaimError> {
        parse_header(&alloc::format!("AWS4-HMAC-SHA256 {parameters}").replace("SIG", SIGNATURE))
    }

    #[test]
    fn spaces_and_order_of_parameters_are_free() {
        for text in [
            "Credential=AK/20150830/r/s/aws4_request, SignedHeaders=a;host, Signature=SIG",
            "Credential=AK/20150830/r/s/aws4_request,SignedHeaders=a;host,Signature=SIG",
            "  Signature=SIG ,  SignedHeaders=a;host ,Credential=AK/20150830/r/s/aws4_request ",
        ] {
            let claims = header(text).unwrap();
            let text = alloc::format!("AWS4-HMAC-SHA256 {text}").replace("SIG", SIGNATURE);
            let part = |range: &Range<usize>| String::from(&text[range.clone()]);
            assert_eq!(part(&claims.signed_headers), "a;host");
            let credential = &claims.credential;
            assert_eq!(part(&credential.access_key_id), "AK");
            assert_eq!(part(&credential.date), "20150830");
            assert_eq!(part(&credential.region), "r");
            assert_eq!(part(&credential.service), "s");
            assert_eq!(part(&credential.terminator), "aws4_request");
            assert_eq!(claims.signature.to_hex(), SIGNATURE);
        }
        let claims = header("Credential=a/b//c/d/r/s/t, SignedHeaders=host, Signature=SIG").unwrap();
        assert_eq!(claims.credential.access_key_id.len(), "a/b//c".len());
    }

    #[test]
    fn everything_else_is_refused() {
        let good = "Credential=AK/20150830/r/s/aws4_request, SignedHeaders=a;host, Signature=SIG";
        for (from, to) in [
            ("Signature=SIG", "Signature=SIG,"),
            ("Signature=SIG", ",Signature=SIG"),
            ("Signature=SIG", "Signature=SIG, Signature=SIG"),
            ("Signature=SIG", "Signature=SIG, X=y"),
            ("Signature=SIG", "signature=SIG"),
            ("Signature=SIG", "Signature = SIG"),
            ("Signature=SIG", "Signature=\"SIG\""),
            ("Signature=SIG", "Signature=SIG0"),
            ("Signature=SIG", "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5D7"),
            ("Signature=SIG", "Signature="),
            (", Signature=SIG", ""),
            ("a;host", ""),
            ("a;host", ";host"),
            ("a;host", "host;"),
            ("a;host", "a;;host"),
            ("a;host", "host;a"),
            ("a;host", "a;a;host"),
            ("a;host", "a;Host"),
            ("a;host", "a; host"),
            ("a;host", "a:b;host"),
            ("AK/", "/"),
            ("AK/", ""),
            ("AK/", "A K/"),
            ("AK/", "AK\u{7f}/"),
            ("/r/", "//"),
            ("aws4_request", ""),
            ("/s/aws4_request", ""),
            ("Credential=", "Credential "),
            ("Credential=", "Credential=x, Credential="),
        ] {
            assert!(good.contains(from));
            assert!(header(&good.replacen(from, to, 1)).is_err(), "{from} -> {to}");
        }
        for text in ["", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA25 x", "AWS4-HMAC-SHA2566 x", "aws4-hmac-sha256 x", "AWS x"]
        {
            assert!(parse_header(text).is_err(), "{text}");
        }
        assert_eq!(
            parse_header("AWS4-HMAC-SHA256 ").map(|_| ()),
            Err(ClaimError::Missing { names: alloc::vec!["Credential", "Signature", "SignedHeaders"] })
        );
    }
}
