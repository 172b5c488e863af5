//! The headers that signing adds to a request, in a single list.

use super::headers::Found;
use super::{SignError, Signer};
use crate::sigv4::canonical_request::SignedHeaderList;
use crate::sigv4::payload::PayloadLine;
use crate::sigv4::rules::Rules;
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;

/// A header that signing adds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Header {
    Date,
    Authorization,
    ContentSha256,
    SessionToken,
    RegionSet,
}

impl Header {
    /// In the order in which they are returned.
    pub(super) const ALL: [Self; 5] =
        [Self::Date, Self::Authorization, Self::ContentSha256, Self::SessionToken, Self::RegionSet];

    pub(super) fn name(self, rules: &Rules) -> &'static str {
        match self {
            Self::Date => "x-amz-date",
            Self::Authorization => "authorization",
            Self::ContentSha256 => "x-amz-content-sha256",
            Self::SessionToken => rules.session_token.header(),
            Self::RegionSet => "x-amz-region-set",
        }
    }

    /// Returns the header with this name, ignoring case.
    pub(super) fn of_name(name: &str, rules: &Rules) -> Option<Self> {
        Self::ALL.into_iter().find(|header| name.eq_ignore_ascii_case(header.name(rules)))
    }
}

/// The headers that signing adds to a request, except the signature.
pub(super) struct Added<'a> {
    pub(super) rules: &'a Rules,
    pub(super) date: &'a [u8],
    pub(super) content_sha256: Option<&'a [u8]>,
    pub(super) session_token: Option<&'a [u8]>,
    pub(super) region_set: Option<&'a [u8]>,
}

impl Signer {
    pub(super) fn added<'a>(
        &'a self,
        found: &Found<'_>,
        now: &'a Timestamp,
        payload: &'a PayloadLine<'_>,
    ) -> Result<Added<'a>, SignError> {
        let (rules, token) = (&self.rules, self.credentials().session_token());
        if let Some(scheme) = found.foreign_authorization {
            return Err(SignError::ForeignAuthorization { scheme: excerpt(scheme) });
        }
        if found.session_token && token.is_none() {
            return Err(SignError::SessionTokenOfOthers { name: rules.session_token.header() });
        }
        // If the receiver can't derive the value from the body, it has to be sent.
        let sends_sha256 =
            rules.content_sha256_header || found.content_sha256.is_some() || matches!(payload, PayloadLine::Text(_));
        Ok(Added {
            rules,
            date: now.as_bytes(),
            content_sha256: sends_sha256.then(|| payload.as_bytes()),
            session_token: token.map(str::as_bytes),
            region_set: self.target.set().map(str::as_bytes),
        })
    }
}

impl<'a> Added<'a> {
    pub(super) fn value(&self, header: Header) -> Option<&'a [u8]> {
        match header {
            Header::Date => Some(self.date),
            Header::Authorization => None,
            Header::ContentSha256 => self.content_sha256,
            Header::SessionToken => self.session_token,
            Header::RegionSet => self.region_set,
        }
    }

    /// Adds the headers that are signed to the list.
    pub(super) fn push_signed(&self, headers: &mut SignedHeaderList<'a>) {
        headers.push_lowercase(Header::Date.name(self.rules), self.date, true);
        for header in [Header::ContentSha256, Header::SessionToken, Header::RegionSet] {
            if let Some(value) = self.value(header)
                && (header != Header::SessionToken || self.rules.sign_session_token)
            {
                headers.push_lowercase(header.name(self.rules), value, false);
            }
        }
    }

    /// Returns the length of all values in bytes.
    pub(super) fn length(&self) -> usize {
        Header::ALL.into_iter().filter_map(|header| self.value(header)).map(<[u8]>::len).sum()
    }
}
