//! The headers of a request, however they are stored.

/// The headers as the caller stores them. Nothing is copied.
#[derive(Clone, Copy)]
pub(crate) enum Headers<'a> {
    Slice(&'a [(&'a str, &'a [u8])]),
    Map(&'a map::Map),
}

impl<'a> Headers<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Slice(headers) => headers.len(),
            Self::Map(map) => map.len(),
        }
    }

    pub(crate) fn iter(&self) -> HeaderIter<'a> {
        match self {
            Self::Slice(headers) => HeaderIter::Slice(headers.iter()),
            Self::Map(map) => HeaderIter::Map(map::iter(map)),
        }
    }

    /// Returns `true` if no name has a capital letter, which the `http` crate ensures.
    pub(crate) fn are_lowercase(&self) -> bool {
        matches!(self, Self::Map(_))
    }

    /// Returns the values of one header, in the order received.
    pub(crate) fn values(&self, wanted: &str) -> impl Iterator<Item = &'a [u8]> {
        self.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value)
    }

    /// Returns the header names listed in `Connection`, which the next hop removes.
    pub(crate) fn connection_options(&self) -> impl Iterator<Item = &'a [u8]> {
        self.values("connection").flat_map(|value| value.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
    }
}

pub(crate) enum HeaderIter<'a> {
    Slice(core::slice::Iter<'a, (&'a str, &'a [u8])>),
    Map(map::Iter<'a>),
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = (&'a str, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Slice(headers) => headers.next().copied(),
            Self::Map(headers) => headers.next().map(map::pair),
        }
    }
}

/// The map of the `http` crate.
#[cfg(feature = "http")]
mod map {
    pub(crate) use http::HeaderMap as Map;
    pub(crate) type Iter<'a> = http::header::Iter<'a, http::HeaderValue>;

    pub(super) fn iter(map: &Map) -> Iter<'_> {
        map.iter()
    }

    #[inline]
    pub(super) fn pair<'a>((name, value): (&'a http::HeaderName, &'a http::HeaderValue)) -> (&'a str, &'a [u8]) {
        (name.as_str(), value.as_bytes())
    }
}

/// Without the feature `http`, there are no maps.
#[cfg(not(feature = "http"))]
mod map {
    pub(crate) enum Map {}
    pub(crate) type Iter<'a> = core::iter::Empty<(&'a str, &'a [u8])>;

    impl Map {
        pub(super) fn len(&self) -> usize {
            match *self {}
        }
    }

    pub(super) fn iter(map: &Map) -> Iter<'_> {
        match *map {}
    }

    pub(super) fn pair<'a>(pair: (&'a str, &'a [u8])) -> (&'a str, &'a [u8]) {
        pair
    }
}
