//! Parses canonical requests and strings to sign.

/// The parts of a canonical request of either side.
#[derive(Clone, Copy)]
pub(super) struct Canonical<'a> {
    /// The method, path and query, with the line ends between them.
    pub(super) head: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    headers: &'a str,
    pub(super) signed_headers: &'a str,
    pub(super) payload: &'a str,
}

impl<'a> Canonical<'a> {
    /// Returns `None` if the text is not a canonical request.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.splitn(4, '\n');
        let (method, path, query, rest) = (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let head = text.get(..method.len() + path.len() + query.len() + 2)?;
        let (rest, payload) = rest.rsplit_once('\n')?;
        let (headers, signed_headers) = rest.rsplit_once('\n')?;
        // The blank line after the headers.
        let headers = headers.strip_suffix('\n').or_else(|| headers.is_empty().then_some(""))?;
        let one_blank_line = !headers.ends_with('\n') && !headers.contains("\n\n");
        let well_formed = one_blank_line && !method.is_empty() && !method.contains(' ') && !method.starts_with("AWS4-");
        well_formed.then_some(Self { head, method, path, query, headers, signed_headers, payload })
    }

    pub(super) fn header_lines(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers.split('\n').filter(|line| !line.is_empty())
    }

    pub(super) fn headers(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.header_lines().map(|line| line.split_once(':').unwrap_or((line, "")))
    }

    pub(super) fn header(&self, wanted: &str) -> Option<&'a str> {
        self.headers().find(|(name, _)| *name == wanted).map(|(_, value)| value)
    }

    /// Returns the encoded pairs of the query; the value is `None` if there is no `=`.
    pub(super) fn query_pairs(&self) -> impl Iterator<Item = (&'a str, Option<&'a str>)> + use<'a> {
        self.query
            .split('&')
            .filter(|piece| !piece.is_empty())
            .map(|piece| piece.split_once('=').map_or((piece, None), |(name, value)| (name, Some(value))))
    }
}

/// The four lines of a string to sign.
#[derive(Clone, Copy)]
pub(super) struct ToSign<'a> {
    pub(super) algorithm: &'a str,
    pub(super) timestamp: &'a str,
    pub(super) scope: &'a str,
    pub(super) canonical_request_sha256: &'a str,
}

/// Date, region, service and terminator. The region is empty for `AWS4-ECDSA-P256-SHA256`, whose scope has none.
pub(super) struct ScopeParts<'a> {
    pub(super) date: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    pub(super) terminator: &'a str,
}

impl<'a> ToSign<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut lines = text.split('\n');
        let (algorithm, timestamp, scope, canonical_request_sha256) =
            (lines.next()?, lines.next()?, lines.next()?, lines.next()?);
        let well_formed = algorithm.starts_with("AWS4-") && lines.next().is_none();
        well_formed.then_some(Self { algorithm, timestamp, scope, canonical_request_sha256 })
    }

    pub(super) fn scope_parts(&self) -> Option<ScopeParts<'a>> {
        let mut parts = self.scope.split('/');
        let mut next = || parts.next();
        match (next(), next(), next(), next(), next()) {
            (Some(date), Some(region), Some(service), Some(terminator), None) => {
                Some(ScopeParts { date, region, service, terminator })
            }
            (Some(date), Some(service), Some(terminator), None, None) if self.algorithm.contains("-ECDSA-") => {
                Some(ScopeParts { date, region: "", service, terminator })
            }
            _ => None,
        }
    }
}

/// Returns `true` if the text is a SHA-256 in hexadecimal, in either case.
pub(super) fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
