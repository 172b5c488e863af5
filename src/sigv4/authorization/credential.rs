//! The parts of a credential: the access key id and the scope.

use super::claims::Span;
use crate::sigv4::algorithm::Algorithm;
use crate::text::{all, last_position_of};

#[derive(Clone, Copy, Default)]
pub(super) struct CredentialParts {
    pub(super) access_key_id: Span,
    pub(super) date: Span,
    /// Empty if the scope has no region.
    pub(super) region: Span,
    pub(super) service: Span,
    pub(super) terminator: Span,
}

impl CredentialParts {
    /// Splits a credential. The last four parts, or three if there is no region, are the scope. Everything before them
    /// is the access key id, which may contain a `/`. Only the region may be empty.
    pub(super) fn read(algorithm: Algorithm, credential: &[u8], offset: usize, slash: &[u8]) -> Option<Self> {
        if !all(credential, |byte| byte.is_ascii_graphic()) {
            return None;
        }
        let mut end = credential.len();
        u32::try_from(offset + end).ok()?;
        let span = |start: usize, end: usize| Span { start: (offset + start) as u32, end: (offset + end) as u32 };
        let mut last_part = || {
            let before = last_position_of(credential.get(..end)?, *slash.first()?)?;
            let start = before + slash.len();
            let part = span(start, end);
            end = before;
            credential.get(before..)?.starts_with(slash).then_some(part)
        };
        let (terminator, service) = (last_part()?, last_part()?);
        let region = match algorithm {
            Algorithm::HmacSha256 => last_part()?,
            Algorithm::EcdsaP256Sha256 => Span::default(),
        };
        let (date, access_key_id) = (last_part()?, span(0, end));
        let is_empty = access_key_id.is_empty() || date.is_empty() || service.is_empty() || terminator.is_empty();
        (!is_empty).then_some(Self { access_key_id, date, region, service, terminator })
    }
}
