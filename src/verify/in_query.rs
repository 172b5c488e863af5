//! Headers that a presigned request carries in its query: S3 allows a signed `x-amz-*` header to appear only there. The
//! JavaScript SDK v2 presigns uploads this way.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::error::VerifyError;
use super::presented::Presented;
use crate::sigv4::authorization::is_own_in_another_case;
use crate::sigv4::canonical_request::{SignedHeaderList, pairs, words};
use crate::sigv4::request::RequestError;
use crate::sigv4::rules::Rules;
use crate::text::percent::query_decoded;
use crate::text::{compare_ignoring_case, excerpt, is_forbidden_in_value, starts_with_ignoring_case};

/// The signed headers that appear only in the query: the name in lower case, and the decoded value.
#[derive(Clone, Default)]
pub(super) struct HeadersInQuery(Vec<(String, Zeroizing<Vec<u8>>)>);

impl HeadersInQuery {
    /// 12. Checks that every signed header arrived, or appears in the query where the rules allow it. A header that
    ///     appears in both must have the same value, since an application may read either. `arrived` is sorted, as the
    ///     names are.
    pub(super) fn find(
        presented: &Presented<'_>,
        rules: &Rules,
        arrived: &SignedHeaderList<'_>,
    ) -> Result<Self, VerifyError> {
        let may_be_in_query = rules.presign_headers_in_query && presented.is_presigned();
        let mut candidates = None;
        let is_in_both = |(name, _): (Cow<'_, str>, _)| arrived.values(&name).next().is_some();
        if may_be_in_query && arrived.names().any(is_amz) && amz_pairs(presented).any(is_in_both) {
            check_agreement(candidates.insert(Candidates::of(presented)), arrived)?;
        }
        let mut in_query = Self::default();
        if arrived.has_every_place(presented.claims.signed_header_count()) {
            return Ok(in_query);
        }
        let mut names = arrived.names();
        let mut next = names.next();
        for signed in presented.claims.signed_header_names() {
            // For an explanation, the host is there even if it is not signed.
            while next.is_some_and(|name| compare_ignoring_case(name, signed).is_lt()) {
                next = names.next();
            }
            if next.is_some_and(|name| name.eq_ignore_ascii_case(signed)) {
                next = names.next();
                continue;
            }
            if !may_be_in_query {
                return Err(VerifyError::SignedHeaderAbsent { name: excerpt(signed.as_bytes()) });
            }
            let candidates = candidates.get_or_insert_with(|| Candidates::of(presented));
            in_query.0.push((signed.into(), candidates.only_value(signed)?));
        }
        Ok(in_query)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the headers that arrived together with these.
    pub(super) fn added_to<'h>(&'h self, arrived: &SignedHeaderList<'h>) -> SignedHeaderList<'h> {
        let mut headers = arrived.clone();
        self.iter().for_each(|(name, value)| headers.push(name, value));
        headers.sort();
        headers
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_slice()))
    }
}

/// A decoded name and value.
type Pair<'n, 'a> = (&'n str, Cow<'a, [u8]>);

/// The query parameters whose name begins with `x-amz-`, sorted by name without regard to case.
struct Candidates<'a>(Vec<(Cow<'a, str>, &'a [u8])>);

impl<'a> Candidates<'a> {
    fn of(presented: &Presented<'a>) -> Self {
        let mut all: Vec<_> = amz_pairs(presented).collect();
        all.sort_by(|(one, _), (other, _)| compare_ignoring_case(one, other));
        Self(all)
    }

    /// Returns the parameters of one name in any case, with their decoded values.
    fn named(&self, name: &str) -> impl Iterator<Item = Pair<'_, 'a>> {
        let start = self.0.partition_point(|(candidate, _)| compare_ignoring_case(candidate, name).is_lt());
        let rest = self.0.get(start..).unwrap_or_default().iter();
        rest.take_while(move |(candidate, _)| candidate.eq_ignore_ascii_case(name))
            .map(|(candidate, value)| (&**candidate, query_decoded(value)))
    }

    /// The one of that name, if there is one.
    fn only(&self, name: &str) -> Result<Option<Pair<'_, 'a>>, VerifyError> {
        let mut named = self.named(name);
        match (named.next(), named.next()) {
            (Some(_), Some(_)) => {
                Err(VerifyError::RepeatedParameter { name: excerpt(name.as_bytes()).to_ascii_lowercase() })
            }
            (one, _) => Ok(one),
        }
    }

    fn only_value(&self, name: &str) -> Result<Zeroizing<Vec<u8>>, VerifyError> {
        let named = || excerpt(name.as_bytes());
        // A hash or token spelled differently would be signed as a header, and be no hash or token to the other checks.
        let one = self.only(name)?.filter(|(spelt, _)| !is_own_in_another_case(spelt));
        let (_, value) = one.ok_or_else(|| VerifyError::SignedHeaderAbsent { name: named() })?;
        // A line feed would start a new line of the canonical request.
        match value.iter().find(|byte| is_forbidden_in_value(**byte)) {
            Some(byte) => Err(RequestError::HeaderValue { name: named(), byte: *byte }.into()),
            None => Ok(Zeroizing::new(value.into_owned())),
        }
    }
}

/// The decoded names and the values as sent.
fn amz_pairs<'a>(presented: &Presented<'a>) -> impl Iterator<Item = (Cow<'a, str>, &'a [u8])> {
    let (_, query) = presented.request.path_and_query();
    pairs(query).filter_map(|(name, value)| {
        let name = match query_decoded(name) {
            Cow::Borrowed(name) => Cow::Borrowed(core::str::from_utf8(name).ok()?),
            Cow::Owned(name) => Cow::Owned(String::from_utf8(name).ok()?),
        };
        is_amz(&name).then_some((name, value))
    })
}

/// What stands in both stands in each once, and is the same.
fn check_agreement(candidates: &Candidates<'_>, arrived: &SignedHeaderList<'_>) -> Result<(), VerifyError> {
    for name in arrived.names().filter(|name| is_amz(name)) {
        let Some((_, value)) = candidates.only(name)? else { continue };
        let mut headers = arrived.values(name);
        let same = headers.next().is_some_and(|header| words(header).eq(words(&value)));
        if !same || headers.next().is_some() {
            return Err(VerifyError::HeaderAndQueryDiffer { name: excerpt(name.as_bytes()).to_ascii_lowercase() });
        }
    }
    Ok(())
}

fn is_amz(name: &str) -> bool {
    starts_with_ignoring_case(name, "x-amz-")
}
