//! The request that a signature was verified for.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use crate::sigv4::request::Request;

/// The request as it arrived, or what was signed of it.
#[derive(Clone)]
pub(super) enum Received<'a> {
    Whole(Request<'a>),
    Signed(Kept),
}

impl Received<'_> {
    pub(super) fn method(&self) -> &str {
        match self {
            Self::Whole(request) => request.method,
            Self::Signed(kept) => kept.method(),
        }
    }

    pub(super) fn path_and_query(&self) -> (&[u8], &[u8]) {
        match self {
            Self::Whole(request) => request.path_and_query(),
            Self::Signed(kept) => kept.path_and_query(),
        }
    }

    /// Returns the headers: all that arrived, or those that are signed.
    pub(super) fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let (mut whole, mut signed) = match self {
            Self::Whole(request) => (Some(request.headers.iter()), None),
            Self::Signed(kept) => (None, Some(kept.headers())),
        };
        core::iter::from_fn(move || match &mut whole {
            Some(whole) => whole.next(),
            None => signed.as_mut()?.next(),
        })
    }
}

/// The signed parts of a request, with one allocation for all that may be secret.
#[derive(Clone)]
pub(super) struct Kept {
    /// The method, then the names of the headers.
    names: String,
    /// The path, the query, then the values of the headers.
    values: Zeroizing<Vec<u8>>,
    /// Where each of them ends: first the method and the path, then nothing and the query.
    ends: Vec<(usize, usize)>,
}

impl Kept {
    /// `headers` are those that are signed.
    pub(super) fn new<'h>(
        method: &'h str,
        (path, query): (&'h [u8], &'h [u8]),
        headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    ) -> Self {
        let parts: Vec<_> = [(method, path), ("", query)].into_iter().chain(headers).collect();
        let length = |part: fn(&(&str, &[u8])) -> usize| parts.iter().map(part).sum();
        let mut names = String::with_capacity(length(|(name, _)| name.len()));
        // If it grew, it would leave a copy that isn't wiped.
        let mut values = Zeroizing::new(Vec::with_capacity(length(|(_, value)| value.len())));
        let ends = parts.iter().map(|(name, value)| {
            names.push_str(name);
            values.extend_from_slice(value);
            (names.len(), values.len())
        });
        let ends = ends.collect();
        Self { names, values, ends }
    }

    fn method(&self) -> &str {
        self.parts().next().map_or("", |(method, _)| method)
    }

    fn path_and_query(&self) -> (&[u8], &[u8]) {
        let mut values = self.parts().map(|(_, value)| value);
        (values.next().unwrap_or_default(), values.next().unwrap_or_default())
    }

    fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.parts().skip(2)
    }

    fn parts(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let mut start = (0, 0);
        self.ends.iter().map(move |end| {
            let (name, value) = (self.names.get(start.0..end.0), self.values.get(start.1..end.1));
            start = *end;
            (name.unwrap_or_default(), value.unwrap_or_default())
        })
    }
}
