//! Step 5: formatting and parsing of the `Authorization` header and the `X-Amz-*` query parameters.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::{Deref, Range};

use super::algorithm::Algorithm;
use super::canonical_request::{each_pair, pairs};
use super::request::MAX_HEADERS;
use super::rules::SessionTokenName;
use super::scope::{Scope, TERMINATOR};
use super::signature::Signature;
use super::timestamp::Timestamp;
use crate::text::inline::Inline;
use crate::text::percent::{decodes_to, encode_segment, write_encoded, write_query_decoded};
use crate::text::wiped::Wiped;
use crate::text::{
    all, any, excerpt, is_lowercase_token_byte, last_position_of, position_of, split, split_once, split_text,
};

pub(crate) const X_AMZ_ALGORITHM: &str = "X-Amz-Algorithm";
pub(crate) const X_AMZ_CREDENTIAL: &str = "X-Amz-Credential";
pub(crate) const X_AMZ_DATE: &str = "X-Amz-Date";
pub(crate) const X_AMZ_EXPIRES: &str = "X-Amz-Expires";
pub(crate) const X_AMZ_REGION_SET: &str = "X-Amz-Region-Set";
pub(crate) const X_AMZ_SIGNED_HEADERS: &str = "X-Amz-SignedHeaders";
pub(crate) const X_AMZ_SIGNATURE: &str = "X-Amz-Signature";
pub(crate) const X_AMZ_CONTENT_SHA256: &str = "X-Amz-Content-Sha256";

/// The maximum length of an `Authorization` header, in bytes.
pub(crate) const MAX_AUTHORIZATION: usize = 65_536;

/// The positions of the region and the service in a formatted header.
#[derive(Clone)]
pub(crate) struct PrintedScope {
    pub(crate) region: Range<usize>,
    pub(crate) service: Range<usize>,
}

impl PrintedScope {
    /// Returns the positions in a scope whose text ends at `end`.
    fn up_to(end: usize, scope: &Scope<'_>) -> Self {
        let service_end = end - TERMINATOR.len() - 1;
        let service_start = service_end - scope.service().len();
        let region_end = service_start - 1;
        Self { region: region_end - scope.region().len()..region_end, service: service_start..service_end }
    }
}

/// Returns the start of the header, up to the date.
pub(crate) fn header_start(algorithm: Algorithm, access_key_id: &str) -> String {
    [algorithm.name(), " Credential=", access_key_id, "/"].concat()
}

/// Returns the start of a presigned query, up to the date.
pub(crate) fn query_start(algorithm: Algorithm, access_key_id: &str) -> String {
    let access_key_id = &*encode_segment(access_key_id);
    [X_AMZ_ALGORITHM, "=", algorithm.name(), "&", X_AMZ_CREDENTIAL, "=", access_key_id, "%2F"].concat()
}

/// Returns the maximum number of bytes that [`write_header`] writes.
pub(crate) fn header_length(start: &str, scope: &Scope<'_>, signed_headers: usize) -> usize {
    start.len()
        + ", SignedHeaders=, Signature=".len()
        + scope.printed_length()
        + signed_headers
        + scope.algorithm().signature_digits()
}

/// Writes the header. `start` is its [`header_start`]. `signed_headers` is a range of `out`, which holds the canonical request.
pub(crate) fn write_header(
    out: &mut Vec<u8>,
    start: &str,
    scope: &Scope<'_>,
    signed_headers: Range<usize>,
    signature: &Signature,
) -> PrintedScope {
    out.extend_from_slice(start.as_bytes());
    scope.write_to(|piece| out.extend_from_slice(piece.as_bytes()));
    let printed = PrintedScope::up_to(out.len(), scope);
    out.extend_from_slice(b", SignedHeaders=");
    out.extend_from_within(signed_headers);
    out.extend_from_slice(b", Signature=");
    signature.write_hex(|digits| out.extend_from_slice(digits));
    printed
}

/// The parameters of a presigned query, except the signature.
pub(crate) struct QueryParameters<'a, N> {
    /// [`query_start`].
    pub(crate) start: &'a str,
    pub(crate) date: &'a str,
    /// What follows the date in the scope, percent-encoded.
    pub(crate) encoded_after_date: &'a str,
    pub(crate) timestamp: Timestamp,
    /// The lifetime in seconds.
    pub(crate) expires: Option<u64>,
    pub(crate) region_set: Option<&'a str>,
    /// Sorted, without duplicates.
    pub(crate) signed_headers: N,
    /// The name of the parameter and the token, if it is signed.
    pub(crate) session_token: Option<(&'a str, &'a str)>,
    pub(crate) content_sha256: Option<&'a [u8]>,
}

impl<'a, N: Iterator<Item = &'a str>> QueryParameters<'a, N> {
    /// Returns `true` if the parameters are canonical as [`QueryParameters::write_to`] writes them. Their names are in
    /// ascending order, except those of a session token and a payload hash.
    pub(crate) fn are_canonical(&self) -> bool {
        self.session_token.is_none() && self.content_sha256.is_none()
    }

    /// Writes the parameters, which follow a `?` or `&`.
    pub(crate) fn write_to(self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.start.as_bytes());
        // Dates and times are digits and letters, which need no encoding.
        out.extend_from_slice(self.date.as_bytes());
        out.extend_from_slice(self.encoded_after_date.as_bytes());
        write_parameter_name(out, X_AMZ_DATE);
        out.extend_from_slice(self.timestamp.as_bytes());
        if let Some(expires) = self.expires {
            write_decimal_parameter(out, X_AMZ_EXPIRES, expires);
        }
        if let Some(region_set) = self.region_set {
            write_parameter(out, X_AMZ_REGION_SET, region_set.as_bytes());
        }
        write_signed_headers(out, self.signed_headers);
        if let Some((name, token)) = self.session_token {
            write_parameter(out, name, token.as_bytes());
        }
        if let Some(hash) = self.content_sha256 {
            write_parameter(out, X_AMZ_CONTENT_SHA256, hash);
        }
    }
}

fn write_signed_headers<'a>(out: &mut Vec<u8>, names: impl Iterator<Item = &'a str>) {
    write_parameter_name(out, X_AMZ_SIGNED_HEADERS);
    for (index, name) in names.enumerate() {
        if index > 0 {
            out.extend_from_slice(b"%3B");
        }
        if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            name.bytes().for_each(|byte| write_encoded(out, &[byte.to_ascii_lowercase()]));
        } else {
            write_encoded(out, name.as_bytes());
        }
    }
}

/// Does not use the formatting of the standard library, which would cost more than all other parameters.
fn write_decimal_parameter(out: &mut Vec<u8>, name: &str, value: u64) {
    let mut digits = [b'0'; 20];
    let mut left = value;
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit += (left % 10) as u8;
        left /= 10;
        start -= 1;
        if left == 0 {
            break;
        }
    }
    write_parameter_name(out, name);
    out.extend_from_slice(digits.get(start..).unwrap_or_default());
}

/// Appends a parameter.
pub(crate) fn write_parameter(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    write_parameter_name(out, name);
    write_encoded(out, value);
}

/// Appends the start of a parameter, up to its value.
pub(crate) fn write_parameter_name(out: &mut Vec<u8>, name: &str) {
    out.push(b'&');
    out.extend_from_slice(name.as_bytes());
    out.push(b'=');
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

/// Where a request carries its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Location {
    /// In the `Authorization` header.
    Header,
    /// In the query of a presigned URL.
    Query,
    /// In the fields of an HTML form.
    Form,
}

impl Location {
    /// Returns the name of the location for messages.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Header => "Authorization header",
            Self::Query => "presigned query",
            Self::Form => "form",
        }
    }
}

/// The parsed parts of a signature, wherever it was sent. Nothing in them has been verified.
///
/// It owns or borrows all of its text: no range in it refers to text that is stored elsewhere.
#[derive(Clone)]
pub(crate) struct Claims<'a> {
    pub(crate) location: Location,
    algorithm: Algorithm,
    /// The `Authorization` header, the decoded values of the query, or the credential of a form.
    text: Text<'a>,
    parts: CredentialParts,
    signed_headers: Span,
    signature: Signature,
    /// The `X-Amz-Date` of a query.
    timestamp: Option<Span>,
    expires: Option<Span>,
    session_token: Value<'a>,
    content_sha256: Value<'a>,
    region_set: Value<'a>,
}

/// An optional value of the claims.
#[derive(Clone, Default)]
enum Value<'a> {
    #[default]
    Absent,
    /// A range of the claims' text.
    Within(Span),
    /// From a separate header.
    Apart(&'a str),
    /// From a separate header, copied to the end of the text.
    Behind(Span),
}

/// A range of the claims' text: half as large as a `Range<usize>`, since the claims are moved several times.
#[derive(Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// No text is that long; if it were, the range would be empty rather than another one.
    #[inline]
    fn new(start: usize, end: usize) -> Self {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::default(),
        }
    }

    #[inline]
    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    fn is_empty(self) -> bool {
        self.start == self.end
    }

    fn length(self) -> usize {
        self.range().len()
    }
}

/// The text of the claims, which is wiped when dropped if it contains a session token.
#[derive(Clone)]
enum Text<'a> {
    Borrowed(&'a [u8]),
    Owned(Wiped<Vec<u8>>),
}

impl Deref for Text<'_> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(text) => text,
            Self::Owned(text) => text,
        }
    }
}

impl<'a> Claims<'a> {
    pub(crate) fn access_key_id(&self) -> &str {
        self.text_of(self.parts.access_key_id)
    }

    /// Returns `true` if the access key id is this one.
    pub(crate) fn is_by(&self, access_key_id: &str) -> bool {
        self.part(self.parts.access_key_id) == access_key_id.as_bytes()
    }

    /// Returns the scope that the signature claims, as sent.
    pub(crate) fn scope(&self) -> Scope<'_> {
        let CredentialParts { date, region, service, .. } = self.parts;
        let [date, region, service] = [date, region, service].map(|span| self.text_of(span));
        Scope::unchecked(self.algorithm, date, region, service)
    }

    /// The date, region and service of [`Claims::scope`] as bytes, for comparing them with accepted ones.
    pub(crate) fn scope_parts(&self) -> [&[u8]; 3] {
        [self.parts.date, self.parts.region, self.parts.service].map(|span| self.part(span))
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn service(&self) -> &str {
        self.text_of(self.parts.service)
    }

    /// Returns the last part of the scope.
    pub(crate) fn terminator(&self) -> &str {
        self.text_of(self.parts.terminator)
    }

    /// Returns `true` if the scope ends in `aws4_request`.
    pub(crate) fn has_terminator(&self) -> bool {
        self.part(self.parts.terminator) == TERMINATOR.as_bytes()
    }

    /// Returns the list as sent, which is ASCII.
    pub(crate) fn signed_headers(&self) -> &[u8] {
        self.part(self.signed_headers)
    }

    pub(crate) fn signed_header_names(&self) -> impl Iterator<Item = &str> {
        split_text(self.text_of(self.signed_headers), b';')
    }

    /// The same as a list to search in: whoever asks for every header must not read the text each time.
    pub(crate) fn names_in_order(&self) -> Inline<&[u8], 16> {
        let mut names = Inline::new();
        split(self.signed_headers(), b';').for_each(|name| names.push(name));
        names
    }

    pub(crate) fn signature(&self) -> &Signature {
        &self.signature
    }

    pub(crate) fn timestamp(&self) -> Option<&[u8]> {
        self.timestamp.map(|span| self.part(span))
    }

    pub(crate) fn expires(&self) -> Option<&str> {
        self.expires.map(|span| self.text_of(span))
    }

    pub(crate) fn session_token(&self) -> Option<&str> {
        self.value(&self.session_token)
    }

    pub(crate) fn has_session_token(&self) -> bool {
        !matches!(self.session_token, Value::Absent)
    }

    pub(crate) fn content_sha256(&self) -> Option<&str> {
        self.value(&self.content_sha256)
    }

    /// Returns `true` if the payload hash is part of the signed query itself.
    pub(crate) fn pins_content_sha256(&self) -> bool {
        matches!(self.content_sha256, Value::Within(_))
    }

    pub(crate) fn region_set(&self) -> Option<&str> {
        self.value(&self.region_set)
    }

    pub(crate) fn into_owned(self) -> Claims<'static> {
        let values = [&self.session_token, &self.content_sha256, &self.region_set];
        let length = values.map(|value| self.value(value).map_or(0, str::len)).iter().sum::<usize>();
        let mut text = Wiped::new(Vec::with_capacity(self.text.len() + length), self.has_session_token());
        text.extend_from_slice(&self.text);
        let [session_token, content_sha256, region_set] = values.map(|value| match value {
            Value::Absent => Value::Absent,
            Value::Within(span) => Value::Within(*span),
            Value::Behind(span) => Value::Behind(*span),
            Value::Apart(apart) => {
                let start = text.len();
                text.extend_from_slice(apart.as_bytes());
                Value::Behind(Span::new(start, text.len()))
            }
        });
        let text = Text::Owned(text);
        Claims { text, session_token, content_sha256, region_set, ..self }
    }

    pub(crate) fn set_session_token(&mut self, header: &'a str) {
        self.session_token = Value::Apart(header);
    }

    pub(crate) fn set_content_sha256(&mut self, header: &'a str) {
        self.content_sha256 = Value::Apart(header);
    }

    pub(crate) fn set_region_set(&mut self, header: &'a str) {
        self.region_set = Value::Apart(header);
    }

    fn value<'s>(&'s self, value: &'s Value<'a>) -> Option<&'s str> {
        match value {
            Value::Absent => None,
            Value::Within(span) | Value::Behind(span) => Some(self.text_of(*span)),
            Value::Apart(text) => Some(text),
        }
    }

    #[inline]
    fn part(&self, span: Span) -> &[u8] {
        self.text.get(span.range()).unwrap_or_default()
    }

    /// A part as text. That it is UTF-8 was checked when the claims were read.
    fn text_of(&self, span: Span) -> &str {
        core::str::from_utf8(self.part(span)).unwrap_or_default()
    }
}

/// An error for an `Authorization` header or a presigned query that can't be parsed.
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

/// The position of a parameter's value, if the parameter was found.
type Found = Option<Span>;

/// Parses `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`: each parameter once, in any order, with any
/// number of spaces around the commas, and nothing else.
pub(crate) fn parse_header(header: &[u8]) -> Result<Claims<'_>, ClaimError> {
    // A header that isn't ASCII is refused whatever it contains, so that only the error remains to be chosen.
    read_header(header)
        .map_err(|error| if core::str::from_utf8(header).is_ok() { error } else { ClaimError::NotKeyValue })
}

fn read_header(header: &[u8]) -> Result<Claims<'_>, ClaimError> {
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
        return Err(missing([("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)]));
    };
    Claims::read(Location::Header, algorithm, Text::Borrowed(header), credential, signature, signed_headers)
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

fn missing<const N: usize>(found: [(&'static str, Found); N]) -> ClaimError {
    let missing = found.into_iter().filter(|(_, found)| found.is_none());
    ClaimError::Missing { names: missing.map(|(name, _)| name).collect() }
}

/// Returns `true` if a query has any parameter that only a presigned query has.
pub(crate) fn is_presigned(query: &[u8]) -> bool {
    // Most presigned queries are sorted, and this name comes first.
    query.starts_with(b"X-Amz-Algorithm=") || names_one_of(query, &[X_AMZ_ALGORITHM, X_AMZ_CREDENTIAL, X_AMZ_SIGNATURE])
}

/// Returns `true` if a query names its algorithm. Together with an `Authorization` header, that makes two signatures. A
/// lone `X-Amz-Signature` is an ordinary parameter there and is signed like any other.
pub(crate) fn names_algorithm(query: &[u8]) -> bool {
    names_one_of(query, &[X_AMZ_ALGORITHM])
}

fn names_one_of(query: &[u8], own: &[&str]) -> bool {
    may_name_own(query) && pairs(query).any(|(name, _)| may_be_own(name) && own.iter().any(|own| decodes_to(name, own)))
}

/// Returns `true` if a query may contain an `X`, either literal or escaped (`%58`). Most queries don't.
fn may_name_own(query: &[u8]) -> bool {
    any(query, |byte| byte == b'X') || split(query, b'%').skip(1).any(|escaped| escaped.first() == Some(&b'5'))
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

/// The values of a presigned query, decoded into one string.
struct Parameters {
    text: Wiped<Vec<u8>>,
    found: [Found; 10],
    repeated_region_set: bool,
}

impl Parameters {
    /// Reads each parameter at most once. Names are compared after decoding and are case-sensitive.
    fn read(query: &[u8]) -> Result<Self, ClaimError> {
        let mut found: [Found; 10] = Default::default();
        // A decoded value is at most as long as the encoded one.
        let mut text = Vec::with_capacity(query.len());
        let mut repeated = None;
        let mut repeated_region_set = false;
        each_pair(query, |name, value, is_encoded| {
            if !may_be_own(name) || repeated.is_some() {
                return;
            }
            match Self::decode(name, value, is_encoded, &mut text, &mut found) {
                // The region set is a parameter like any other unless the algorithm is SigV4A.
                Some(X_AMZ_REGION_SET) => repeated_region_set = true,
                name => repeated = name,
            }
        });
        let [.., token, s3_token] = &found;
        let text = Wiped::new(text, token.is_some() || s3_token.is_some());
        if let Some(name) = repeated {
            return Err(ClaimError::Repeated { name });
        }
        if any(&text, |byte| !byte.is_ascii()) && core::str::from_utf8(&text).is_err() {
            return Err(ClaimError::NotKeyValue);
        }
        Ok(Self { text, found, repeated_region_set })
    }

    /// Reads one parameter. Returns its name if it was read before.
    #[inline]
    fn decode(
        name: &[u8],
        value: &[u8],
        is_encoded: bool,
        text: &mut Vec<u8>,
        found: &mut [Found; 10],
    ) -> Option<&'static str> {
        let mut index = PARAMETERS.iter().position(|own| own.as_bytes() == name);
        if is_encoded && index.is_none() {
            index = PARAMETERS.iter().position(|own| decodes_to(name, own));
        }
        let (name, slot) = index.and_then(|index| PARAMETERS.get(index).zip(found.get_mut(index)))?;
        let start = text.len();
        if is_encoded {
            write_query_decoded(text, value);
        } else {
            text.extend_from_slice(value);
        }
        slot.replace(Span::new(start, text.len())).map(|_| *name)
    }
}

/// Parses the `X-Amz-*` parameters of a presigned query.
pub(crate) fn parse_query(query: &[u8]) -> Result<Claims<'static>, ClaimError> {
    let Parameters { text, found, repeated_region_set } = Parameters::read(query)?;
    let [algorithm, credential, signature, signed_headers, date, expires, content_sha256, region_set, token, s3_token] =
        found;
    // A missing algorithm is reported below, together with all other missing parameters.
    let hmac = Algorithm::HmacSha256.name().as_bytes();
    let name = algorithm.map_or(hmac, |span| text.get(span.range()).unwrap_or_default());
    let named = Algorithm::parse(name).ok_or_else(|| ClaimError::Algorithm { algorithm: excerpt(name) })?;
    if token.is_some() && s3_token.is_some() {
        return Err(ClaimError::Repeated { name: SessionTokenName::SecurityToken.query() });
    }
    let (Some(_), Some(credential), Some(signature), Some(signed_headers), Some(date)) =
        (algorithm, credential, signature, signed_headers, date)
    else {
        return Err(missing([
            (X_AMZ_ALGORITHM, algorithm),
            (X_AMZ_CREDENTIAL, credential),
            (X_AMZ_SIGNATURE, signature),
            (X_AMZ_SIGNED_HEADERS, signed_headers),
            (X_AMZ_DATE, date),
        ]));
    };
    let claims = Claims::read(Location::Query, named, Text::Owned(text), credential, signature, signed_headers)?;
    let region_set = region_set.filter(|_| named == Algorithm::EcdsaP256Sha256);
    if region_set.is_some() && repeated_region_set {
        return Err(ClaimError::Repeated { name: X_AMZ_REGION_SET });
    }
    let value = |found: Found| match found {
        Some(span) => Value::Within(span),
        None => Value::Absent,
    };
    Ok(Claims {
        timestamp: Some(date),
        expires,
        session_token: value(token.or(s3_token)),
        content_sha256: value(content_sha256),
        region_set: value(region_set),
        ..claims
    })
}

impl<'a> Claims<'a> {
    /// Checks the form of each part.
    fn read(
        location: Location,
        algorithm: Algorithm,
        text: Text<'a>,
        credential: Span,
        signature: Span,
        signed_headers: Span,
    ) -> Result<Self, ClaimError> {
        let value = |span: Span| text.get(span.range()).unwrap_or_default();
        if signed_headers.length() > MAX_HEADERS
            && value(signed_headers).iter().filter(|byte| **byte == b';').count() >= MAX_HEADERS
        {
            return Err(ClaimError::TooManySignedHeaders);
        }
        if !are_signed_headers(value(signed_headers)) {
            return Err(ClaimError::SignedHeaders);
        }
        let parts = CredentialParts::read(algorithm, value(credential), credential.range().start);
        let malformed = || ClaimError::Credential { algorithm, got: excerpt(value(credential)) };
        let parts = parts.ok_or_else(malformed)?;
        let signature = Signature::read(algorithm, value(signature)).ok_or(ClaimError::Signature { algorithm })?;
        Ok(Self::of_parts(location, algorithm, text, parts, signed_headers, signature))
    }

    /// Returns the claims of a form, whose credential is a separate field. A form signs no headers.
    pub(crate) fn of_form(credential: &'a str, signature: Signature) -> Option<Self> {
        let algorithm = Algorithm::HmacSha256;
        let credential = credential.as_bytes();
        let parts = CredentialParts::read(algorithm, credential, 0)?;
        Some(Self::of_parts(Location::Form, algorithm, Text::Borrowed(credential), parts, Span::default(), signature))
    }

    fn of_parts(
        location: Location,
        algorithm: Algorithm,
        text: Text<'a>,
        parts: CredentialParts,
        signed_headers: Span,
        signature: Signature,
    ) -> Self {
        Self {
            location,
            algorithm,
            text,
            parts,
            signed_headers,
            signature,
            timestamp: None,
            expires: None,
            session_token: Value::Absent,
            content_sha256: Value::Absent,
            region_set: Value::Absent,
        }
    }
}

#[derive(Clone, Copy)]
struct CredentialParts {
    access_key_id: Span,
    date: Span,
    /// Empty if the scope has no region.
    region: Span,
    service: Span,
    terminator: Span,
}

impl CredentialParts {
    /// Splits a credential. The last four parts, or three if there is no region, are the scope. Everything before them
    /// is the access key id, which may contain a `/`. Only the region may be empty.
    fn read(algorithm: Algorithm, credential: &[u8], offset: usize) -> Option<Self> {
        if !all(credential, |byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut end = credential.len();
        let mut last_part = || {
            let start = last_position_of(credential.get(..end)?, b'/')? + 1;
            let part = Span::new(offset + start, offset + end);
            end = start - 1;
            Some(part)
        };
        let (terminator, service) = (last_part()?, last_part()?);
        let region = match algorithm {
            Algorithm::HmacSha256 => last_part()?,
            Algorithm::EcdsaP256Sha256 => Span::default(),
        };
        let (date, access_key_id) = (last_part()?, Span::new(offset, offset + end));
        let is_empty = access_key_id.is_empty() || date.is_empty() || service.is_empty() || terminator.is_empty();
        (!is_empty).then_some(Self { access_key_id, date, region, service, terminator })
    }
}

/// Returns `true` if a list consists of lowercase header names in strictly ascending order, so that none is repeated or
/// empty.
fn are_signed_headers(list: &[u8]) -> bool {
    // Most lists need no look-up of each byte.
    let is_usual = |byte: u8| byte.is_ascii_lowercase() | byte.is_ascii_digit() | (byte == b'-') | (byte == b';');
    if !all(list, is_usual) && !list.iter().all(|byte| is_lowercase_token_byte(*byte) || *byte == b';') {
        return false;
    }
    let mut last: &[u8] = b"";
    split(list, b';').all(|name| {
        let ascending = last < name;
        last = name;
        ascending
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

    fn header(parameters: &str) -> String {
        alloc::format!("AWS4-HMAC-SHA256 {parameters}").replace("SIG", SIGNATURE)
    }

    #[test]
    fn spaces_and_parameter_order_do_not_matter() {
        for text in [
            "Credential=AK/20150830/r/s/aws4_request, SignedHeaders=a;host, Signature=SIG",
            "Credential=AK/20150830/r/s/aws4_request,SignedHeaders=a;host,Signature=SIG",
            "  Signature=SIG ,  SignedHeaders=a;host ,Credential=AK/20150830/r/s/aws4_request ",
        ] {
            let header = header(text);
            let claims = parse_header(header.as_bytes()).unwrap();
            assert_eq!(claims.signed_headers(), b"a;host");
            assert_eq!(claims.access_key_id(), "AK");
            let scope = claims.scope();
            assert_eq!((scope.date(), scope.region(), scope.service()), ("20150830", "r", "s"));
            assert_eq!(claims.terminator(), "aws4_request");
            assert_eq!(claims.signature().to_hex(), SIGNATURE);
        }
        let header = header("Credential=a/b//c/d/r/s/t, SignedHeaders=host, Signature=SIG");
        assert_eq!(parse_header(header.as_bytes()).unwrap().access_key_id(), "a/b//c");
        let header = self::header("Credential=a/20150830//s/t, SignedHeaders=host, Signature=SIG");
        let claims = parse_header(header.as_bytes()).unwrap();
        let scope = claims.scope();
        assert_eq!((claims.access_key_id(), scope.date(), scope.region()), ("a", "20150830", ""));
    }

    #[test]
    fn malformed_headers_are_refused() {
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
            ("/20150830/", "//"),
            ("/20150830/r/", "///"),
            ("/s/", "//"),
            ("/r/s/", "///"),
            ("aws4_request", ""),
            ("/s/aws4_request", ""),
            ("Credential=", "Credential "),
            ("Credential=", "Credential=x, Credential="),
        ] {
            assert!(good.contains(from));
            assert!(parse_header(header(&good.replacen(from, to, 1)).as_bytes()).is_err(), "{from} -> {to}");
        }
        for text in ["", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA25 x", "AWS4-HMAC-SHA2566 x", "aws4-hmac-sha256 x", "AWS x"]
        {
            assert!(parse_header(text.as_bytes()).is_err(), "{text}");
        }
        assert_eq!(
            parse_header(b"AWS4-HMAC-SHA256 ").map(|_| ()),
            Err(ClaimError::Missing { names: alloc::vec!["Credential", "Signature", "SignedHeaders"] })
        );
    }

    /// The error for bytes that are not text comes before any other error of a header, wherever they are.
    #[test]
    fn a_header_that_is_not_utf8_has_no_parameters() {
        let good = header("Credential=AK/20150830/r/s/aws4_request, SignedHeaders=a;host, Signature=SIG");
        for position in 0..=good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes.insert(position, 0xff);
            assert_eq!(parse_header(&bytes).map(|_| ()), Err(ClaimError::NotKeyValue), "{position}");
            let mut text = good.clone();
            text.insert(position, 'é');
            assert!(parse_header(text.as_bytes()).is_err(), "{text}");
        }
        let both = [header("Credential=x, Credential=x").as_bytes(), b"\xff"].concat();
        assert_eq!(parse_header(&both).map(|_| ()), Err(ClaimError::NotKeyValue));
    }

    #[test]
    fn query_values_that_are_not_utf8_are_refused() {
        let query = |token: &str| {
            alloc::format!(
                "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AK%2F20150830%2Fr%2Fs%2Faws4_request\
                 &X-Amz-Date=20150830T123600Z&X-Amz-Security-Token={token}&X-Amz-SignedHeaders=host&X-Amz-Signature={SIGNATURE}"
            )
        };
        let claims = parse_query(query("%C3%A9+").as_bytes()).unwrap();
        assert_eq!((claims.session_token(), claims.access_key_id()), (Some("é "), "AK"));
        for token in ["%FF", "%C3", "x%80"] {
            assert_eq!(parse_query(query(token).as_bytes()).map(|_| ()), Err(ClaimError::NotKeyValue), "{token}");
        }
        let repeated = query("%FF&X-Amz-Date=1");
        let error = ClaimError::Repeated { name: X_AMZ_DATE };
        assert_eq!(parse_query(repeated.as_bytes()).map(|_| ()), Err(error));
    }
}
