//! The parsed parts of a signature.

use alloc::vec::Vec;
use core::cmp::Ordering;
use core::ops::{Deref, Range};

use super::credential::CredentialParts;
use super::{ClaimError, Location};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::request::MAX_HEADERS;
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::signature::Signature;
use crate::text::inline::Inline;
use crate::text::wiped::Wiped;
use crate::text::{all, any, compare_bytes_ignoring_case, excerpt, is_lowercase_token_byte, split, split_text};

/// The parsed parts of a signature, wherever it was sent. Nothing in them has been verified.
///
/// It owns or borrows all of its text: no range in it refers to text that is stored elsewhere.
#[derive(Clone)]
pub(crate) struct Claims<'a> {
    pub(crate) location: Location,
    algorithm: Algorithm,
    /// The `Authorization` header, the query or its decoded values, or the credential of a form.
    pub(super) text: Text<'a>,
    parts: CredentialParts,
    signed_headers: Span,
    /// Where the names of `signed_headers` end. A list is never longer than a header or a target may be.
    name_ends: Inline<u16, 16>,
    signature: Signature,
    /// The `X-Amz-Date` of a query.
    pub(super) timestamp: Option<Span>,
    pub(super) expires: Option<Span>,
    pub(super) session_token: Value<'a>,
    pub(super) content_sha256: Value<'a>,
    pub(super) region_set: Value<'a>,
}

/// An optional value of the claims.
#[derive(Clone, Default)]
pub(super) enum Value<'a> {
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
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) end: u32,
}

impl Span {
    /// No text is that long; if it were, the range would be empty rather than another one.
    #[inline]
    pub(super) fn new(start: usize, end: usize) -> Self {
        match (u32::try_from(start), u32::try_from(end)) {
            (Ok(start), Ok(end)) => Self { start, end },
            _ => Self::default(),
        }
    }

    #[inline]
    pub(super) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    pub(super) fn is_empty(self) -> bool {
        self.start == self.end
    }

    fn length(self) -> usize {
        self.range().len()
    }
}

/// The text of the claims, which is wiped when dropped if it contains a session token.
#[derive(Clone)]
pub(super) enum Text<'a> {
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

    /// Returns `true` if the access key id contains no escape.
    pub(super) fn access_key_is_plain(&self) -> bool {
        !any(self.part(self.parts.access_key_id), |byte| byte == b'%')
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

    /// Returns what follows the date in the scope as sent, unless its slashes are encoded.
    pub(crate) fn after_date(&self) -> Option<&[u8]> {
        let CredentialParts { date, service, terminator, .. } = self.parts;
        (terminator.start == service.end + 1).then(|| self.part(Span { start: date.end, end: terminator.end }))
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

    /// Returns the number of signed headers.
    pub(crate) fn signed_header_count(&self) -> usize {
        self.name_ends.as_slice().len()
    }

    /// Returns the place of a name, in any case, among the signed headers.
    pub(crate) fn place_of(&self, name: &[u8]) -> Option<Place> {
        let (list, ends) = (self.signed_headers(), self.name_ends.as_slice());
        if ends.len() > 16 {
            return place_among_many(list, ends, name);
        }
        // In a short list, most names already differ in length.
        let mut start = 0;
        for (position, end) in ends.iter().enumerate() {
            let range = start..*end as usize;
            start = range.end + 1;
            if range.len() == name.len()
                && let Some(signed) = list.get(range)
            {
                let is_lowercase = signed == name;
                if is_lowercase || signed.eq_ignore_ascii_case(name) {
                    return Some(Place { position, is_lowercase });
                }
            }
        }
        None
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

/// Where a name is among the signed headers.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) position: usize,
    /// The name is in lower case, as all signed ones are.
    pub(crate) is_lowercase: bool,
}

/// The position of a parameter's value, if the parameter was found.
pub(super) type Found = Option<Span>;

impl<'a> Claims<'a> {
    /// Claims of nobody, which are filled in where they stay: they are large to move.
    #[inline]
    pub(crate) fn new() -> Self {
        Self::of_parts(
            Location::Header,
            Text::Borrowed(b""),
            CredentialParts::default(),
            Signature::from_bytes([0; 32]),
        )
    }

    /// Checks the form of each part of `text`. `slash` is what separates the parts of the credential.
    pub(super) fn read(
        &mut self,
        algorithm: Algorithm,
        slash: &[u8],
        credential: Span,
        signature: Span,
        signed_headers: Span,
    ) -> Result<(), ClaimError> {
        let value = |span: Span| self.text.get(span.range()).unwrap_or_default();
        if signed_headers.length() > MAX_HEADERS
            && value(signed_headers).iter().filter(|byte| **byte == b';').count() >= MAX_HEADERS
        {
            return Err(ClaimError::TooManySignedHeaders);
        }
        self.name_ends = Inline::new();
        if !read_names(value(signed_headers), &mut self.name_ends) {
            return Err(ClaimError::SignedHeaders);
        }
        let Some(parts) = CredentialParts::read(algorithm, value(credential), credential.range().start, slash) else {
            return Err(ClaimError::Credential { algorithm, got: excerpt(value(credential)) });
        };
        let Some(signature) = Signature::read(algorithm, value(signature)) else {
            return Err(ClaimError::Signature { algorithm });
        };
        self.algorithm = algorithm;
        self.parts = parts;
        self.signed_headers = signed_headers;
        self.signature = signature;
        Ok(())
    }

    /// Returns the claims of a form, whose credential is a separate field. A form signs no headers.
    pub(crate) fn of_form(credential: &'a str, signature: Signature) -> Option<Self> {
        let credential = credential.as_bytes();
        let parts = CredentialParts::read(Algorithm::HmacSha256, credential, 0, b"/")?;
        Some(Self::of_parts(Location::Form, Text::Borrowed(credential), parts, signature))
    }

    #[inline]
    fn of_parts(location: Location, text: Text<'a>, parts: CredentialParts, signature: Signature) -> Self {
        Self {
            location,
            algorithm: Algorithm::HmacSha256,
            text,
            parts,
            signed_headers: Span::default(),
            name_ends: Inline::new(),
            signature,
            timestamp: None,
            expires: None,
            session_token: Value::Absent,
            content_sha256: Value::Absent,
            region_set: Value::Absent,
        }
    }
}

/// Finds where each name ends. Returns `true` if a list consists of lowercase header names in strictly ascending order, so
/// that none is repeated or empty.
fn read_names(list: &[u8], ends: &mut Inline<u16, 16>) -> bool {
    if list.len() > usize::from(u16::MAX) {
        return false;
    }
    // Most lists need no look-up of each byte.
    let is_usual = |byte: u8| byte.is_ascii_lowercase() | byte.is_ascii_digit() | (byte == b'-') | (byte == b';');
    if !all(list, is_usual) && !list.iter().all(|byte| is_lowercase_token_byte(*byte) || *byte == b';') {
        return false;
    }
    let (mut last, mut end): (&[u8], usize) = (b"", 0);
    split(list, b';').all(|name| {
        // Most names already differ in their first byte.
        let ascending = last.first() < name.first() || last < name;
        last = name;
        end += name.len();
        ends.push(u16::try_from(end).unwrap_or(u16::MAX));
        end += 1;
        ascending
    })
}

fn place_among_many(list: &[u8], ends: &[u16], name: &[u8]) -> Option<Place> {
    let (mut low, mut high) = (0, ends.len());
    while low < high {
        let middle = (low + high) / 2;
        let start = middle.checked_sub(1).and_then(|before| ends.get(before)).map_or(0, |end| *end as usize + 1);
        let signed = list.get(start..*ends.get(middle)? as usize)?;
        match compare_bytes_ignoring_case(signed, name) {
            Ordering::Less => low = middle + 1,
            Ordering::Equal => return Some(Place { position: middle, is_lowercase: signed == name }),
            Ordering::Greater => high = middle,
        }
    }
    None
}
