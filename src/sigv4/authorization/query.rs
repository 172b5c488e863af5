//! Parsing of the `X-Amz-*` parameters of a presigned query, and questions about them that signing asks as well.

use alloc::vec::Vec;
use core::ops::Range;

use super::claims::{Claims, Found, Span, Text, Value};
use super::{
    ClaimError, Location, X_AMZ_ALGORITHM, X_AMZ_CONTENT_SHA256, X_AMZ_CREDENTIAL, X_AMZ_DATE, X_AMZ_EXPIRES,
    X_AMZ_REGION_SET, X_AMZ_SIGNATURE, X_AMZ_SIGNED_HEADERS,
};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::canonical_request::{QueryIndex, SentPair, pairs};
use crate::sigv4::rules::SessionTokenName;
use crate::text::percent::{decodes_to, write_query_decoded};
use crate::text::wiped::Wiped;
use crate::text::{any_pair, excerpt};

/// Returns `true` if a query has any parameter that only a presigned query has.
pub(crate) fn is_presigned(index: &QueryIndex<'_>) -> bool {
    has_one_of(index, &[X_AMZ_ALGORITHM, X_AMZ_CREDENTIAL, X_AMZ_SIGNATURE])
}

/// Returns `true` if a query names its algorithm. Together with an `Authorization` header, that makes two signatures. A
/// lone `X-Amz-Signature` is an ordinary parameter there and is signed like any other.
pub(crate) fn has_algorithm(index: &QueryIndex<'_>) -> bool {
    has_one_of(index, &[X_AMZ_ALGORITHM])
}

fn has_one_of(index: &QueryIndex<'_>, own: &[&str]) -> bool {
    index.may_have_own() && index.names().any(|name| is_one_of(name, own))
}

fn is_one_of(name: &[u8], own: &[&str]) -> bool {
    may_be_own(name) && own.iter().any(|own| decodes_to(name, own))
}

/// Returns `true` if a query may contain an `X`, either literal or escaped (`%58`). Most queries don't.
fn may_name_own(query: &[u8]) -> bool {
    any_pair(query, |one, next| (one == b'X') | ((one == b'%') & (next == b'5')))
}

/// The parameters that are read from a presigned query, in the order of [`Parameters::found`].
const PARAMETERS: [&str; 10] = [
    X_AMZ_ALGORITHM,
    X_AMZ_CREDENTIAL,
    X_AMZ_SIGNATURE,
    X_AMZ_SIGNED_HEADERS,
    X_AMZ_DATE,
    X_AMZ_EXPIRES,
    X_AMZ_CONTENT_SHA256,
    X_AMZ_REGION_SET,
    SessionTokenName::SecurityToken.query(),
    SessionTokenName::S3SessionToken.query(),
];

/// Where the values of the parameters are.
type AllFound = [Found; PARAMETERS.len()];

/// The values of a presigned query, decoded into one string.
struct Parameters {
    text: Wiped<Vec<u8>>,
    found: AllFound,
    repeated_region_set: bool,
}

impl Parameters {
    /// Reads each parameter at most once. Names are compared after decoding and are case-sensitive.
    fn read(index: &QueryIndex<'_>) -> Result<Self, ClaimError> {
        let mut found = AllFound::default();
        // A decoded value is at most as long as the encoded one.
        let mut text = Vec::with_capacity(index.query().len());
        let mut repeated = None;
        let mut repeated_region_set = false;
        for pair in index.pairs().filter(|pair| may_be_own(pair.name)) {
            match Self::decode(&pair, &mut text, &mut found) {
                // The region set is a parameter like any other unless the algorithm is SigV4A.
                Some(X_AMZ_REGION_SET) => repeated_region_set = true,
                None => {}
                name => {
                    repeated = name;
                    break;
                }
            }
        }
        let [.., token, s3_token] = &found;
        let text = Wiped::new(text, token.is_some() || s3_token.is_some());
        if let Some(name) = repeated {
            return Err(ClaimError::Repeated { name });
        }
        if !text.is_ascii() && core::str::from_utf8(&text).is_err() {
            return Err(ClaimError::NotKeyValue);
        }
        Ok(Self { text, found, repeated_region_set })
    }

    /// Reads one parameter. Returns its name if it was read before.
    fn decode(pair: &SentPair<'_>, text: &mut Vec<u8>, found: &mut AllFound) -> Option<&'static str> {
        let mut index = index_of(pair.name);
        if pair.is_encoded && index.is_none() {
            index = PARAMETERS.iter().position(|own| decodes_to(pair.name, own));
        }
        let (name, slot) = index.and_then(|index| PARAMETERS.get(index).zip(found.get_mut(index)))?;
        let start = text.len();
        if pair.is_encoded {
            write_query_decoded(text, pair.value);
        } else {
            text.extend_from_slice(pair.value);
        }
        slot.replace(Span::new(start, text.len())).map(|_| *name)
    }
}

fn index_of(name: &[u8]) -> Option<usize> {
    PARAMETERS.iter().position(|own| own.as_bytes() == name)
}

/// Parses the `X-Amz-*` parameters of a presigned query.
pub(crate) fn parse_query<'q>(index: &QueryIndex<'q>, claims: &mut Claims<'q>) -> Result<(), ClaimError> {
    claims.location = Location::Query;
    match read_as_sent(index, claims) {
        Some(()) => Ok(()),
        None => read_decoded(index, claims),
    }
}

/// Reads a query that is as most signers write it: only the slashes of its credential are encoded. Nothing is copied.
/// Returns `None` for any other query, and for one that is refused.
fn read_as_sent<'q>(index: &QueryIndex<'q>, claims: &mut Claims<'q>) -> Option<()> {
    if !index.are_canonical() {
        return None;
    }
    let mut found = AllFound::default();
    for pair in index.pairs().filter(|pair| may_be_own(pair.name)) {
        let own = index_of(pair.name);
        let has_escape = pair.is_encoded && own.and_then(|own| PARAMETERS.get(own)) != Some(&X_AMZ_CREDENTIAL);
        if has_escape {
            return None;
        }
        let Some(slot) = own.and_then(|own| found.get_mut(own)) else { continue };
        let Range { start, end } = pair.range;
        if slot.replace(Span { start, end }).is_some() {
            return None;
        }
    }
    claims.text = Text::Borrowed(index.query());
    read_found(claims, found, false, b"%2F").ok()?;
    // An access key id that contains a slash has to be decoded.
    claims.access_key_is_plain().then_some(())
}

fn read_decoded(index: &QueryIndex<'_>, claims: &mut Claims<'_>) -> Result<(), ClaimError> {
    let Parameters { text, found, repeated_region_set } = Parameters::read(index)?;
    claims.text = Text::Owned(text);
    read_found(claims, found, repeated_region_set, b"/")
}

/// Reads the values that were found in the text of the claims. `slash` is what separates the parts of the credential.
fn read_found(
    claims: &mut Claims<'_>,
    found: AllFound,
    repeated_region_set: bool,
    slash: &[u8],
) -> Result<(), ClaimError> {
    let [algorithm, credential, signature, signed_headers, date, expires, content_sha256, region_set, token, s3_token] =
        found;
    // A missing algorithm is reported below, together with all other missing parameters.
    let hmac = Algorithm::HmacSha256.name().as_bytes();
    let name = algorithm.map_or(hmac, |span| claims.text.get(span.range()).unwrap_or_default());
    let named = Algorithm::parse(name).ok_or_else(|| ClaimError::Algorithm { algorithm: excerpt(name) })?;
    if token.is_some() && s3_token.is_some() {
        return Err(ClaimError::Repeated { name: SessionTokenName::SecurityToken.query() });
    }
    let (Some(_), Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (algorithm, credential, signature, signed_headers, date)
    else {
        return Err(ClaimError::missing(&[
            (X_AMZ_ALGORITHM, algorithm),
            (X_AMZ_CREDENTIAL, credential),
            (X_AMZ_SIGNATURE, signature),
            (X_AMZ_SIGNED_HEADERS, signed_headers),
            (X_AMZ_DATE, date),
        ]));
    };
    claims.read(named, slash, credential, signature, signed_headers)?;
    let region_set = region_set.filter(|_| named == Algorithm::EcdsaP256Sha256);
    if region_set.is_some() && repeated_region_set {
        return Err(ClaimError::Repeated { name: X_AMZ_REGION_SET });
    }
    let value = |found: Found| found.map_or(Value::Absent, Value::Within);
    claims.timestamp = Some(date);
    claims.expires = expires;
    claims.session_token = value(token.or(s3_token));
    claims.content_sha256 = value(content_sha256);
    claims.region_set = value(region_set);
    Ok(())
}

/// Returns the payload hash to which a query pins its body, from the parameter `X-Amz-Content-Sha256`.
pub(crate) fn pinned_content_sha256(query: &[u8]) -> Option<&str> {
    if !may_name_own(query) {
        return None;
    }
    let (_, value) = pairs(query).find(|(name, _)| decodes_to(name, X_AMZ_CONTENT_SHA256))?;
    core::str::from_utf8(value).ok()
}

/// Returns `true` for the query parameters that presigning always replaces.
pub(crate) fn is_presign_parameter(name: &[u8]) -> bool {
    const NAMES: [&str; 9] = [
        X_AMZ_ALGORITHM,
        X_AMZ_CREDENTIAL,
        X_AMZ_DATE,
        X_AMZ_EXPIRES,
        X_AMZ_REGION_SET,
        X_AMZ_SIGNED_HEADERS,
        X_AMZ_SIGNATURE,
        SessionTokenName::SecurityToken.query(),
        SessionTokenName::S3SessionToken.query(),
    ];
    may_be_own(name) && NAMES.iter().any(|own| decodes_to(name, own))
}

/// Returns `true` if a name is one of our parameter names except for its case. Such a parameter is never read.
pub(crate) fn is_own_in_another_case(name: &str) -> bool {
    PARAMETERS.iter().any(|own| own.eq_ignore_ascii_case(name) && *own != name)
}

/// All of these names begin with an `X`, either literal or escaped.
fn may_be_own(name: &[u8]) -> bool {
    matches!(name.first(), Some(b'X' | b'%'))
}
