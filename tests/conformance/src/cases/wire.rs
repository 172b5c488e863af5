//! A request as it arrives at a server.

use countersign::{Credentials, Timestamp, UnverifiedRequest, Verifier, VerifyError};

use super::Request;

/// Data and trailers of a body in chunks.
#[cfg(feature = "streaming")]
pub type Decoded = Result<(Vec<u8>, Vec<(String, Vec<u8>)>), Box<dyn std::error::Error>>;

#[derive(Clone)]
pub struct Wire {
    pub method: String,
    pub scheme: String,
    pub authority: String,
    pub target: Vec<u8>,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Wire {
    pub fn of(request: &Request) -> Self {
        let (scheme, authority, target) = split_url(&request.url);
        Self {
            method: request.method.clone(),
            scheme: scheme.to_owned(),
            authority: authority.to_lowercase(),
            target: request.target.as_deref().unwrap_or(target).as_bytes().to_vec(),
            headers: request.headers.iter().map(|(name, value)| (name.clone(), value.as_bytes().to_vec())).collect(),
            body: request.body.clone(),
        }
    }

    /// The same, with another URL.
    pub fn with_url(mut self, url: &str) -> Self {
        let (scheme, authority, target) = split_url(url);
        self.scheme = scheme.to_owned();
        self.authority = authority.to_lowercase();
        self.target = target.as_bytes().to_vec();
        self
    }

    pub fn set_header(&mut self, name: &str, value: &[u8]) {
        self.headers.retain(|(other, _)| !other.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_vec()));
    }

    pub fn with_view<T>(&self, with: impl FnOnce(countersign::Request<'_>) -> T) -> T {
        let headers: Vec<_> = self.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
        let request = countersign::Request::new(&self.method, &self.target, &headers).with_scheme(&self.scheme);
        // The host of the URL is sent as a header where none is given.
        let has_host = self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host"));
        with(if has_host { request } else { request.with_host(&self.authority) })
    }

    /// What a server does: parse, look up, verify.
    pub fn verify(&self, verifier: &Verifier, known: &[Credentials], now: Timestamp) -> Result<(), VerifyError> {
        self.with_unverified(verifier, known, now, |unverified, found| {
            unverified.with_body(&self.body).verify(found).map(|_| ())
        })
    }

    /// The same up to the body, which comes in chunks.
    pub fn verify_seed(&self, verifier: &Verifier, known: &[Credentials], now: Timestamp) -> Result<(), VerifyError> {
        self.with_unverified(verifier, known, now, |unverified, found| unverified.verify_head(found).map(|_| ()))
    }

    /// The data and trailers of the body that follows.
    #[cfg(feature = "streaming")]
    pub fn decode(&self, verifier: &Verifier, known: &[Credentials], now: Timestamp, framed: &[u8]) -> Decoded {
        self.with_unverified(verifier, known, now, |unverified, found| {
            let (mut decoder, mut data) = (unverified.verify_head(found)?.chunk_decoder()?, Vec::new());
            decoder.push(framed, |piece| data.extend_from_slice(piece))?;
            Ok((data, decoder.finish()?))
        })
    }

    fn with_unverified<T, E: From<VerifyError>>(
        &self,
        verifier: &Verifier,
        known: &[Credentials],
        now: Timestamp,
        then: impl FnOnce(UnverifiedRequest<'_>, Option<&Credentials>) -> Result<T, E>,
    ) -> Result<T, E> {
        self.with_view(|request| {
            let unverified = verifier.parse(request, now)?;
            let found = known.iter().find(|credentials| credentials.access_key_id() == unverified.access_key_id());
            then(unverified, found)
        })
    }

    /// Whether the body is sent in chunks or messages, which are checked one by one.
    pub fn is_streamed(&self) -> bool {
        let mut hashes = self.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("x-amz-content-sha256"));
        hashes.any(|(_, value)| value.starts_with(b"STREAMING-"))
    }
}

/// Scheme, authority, and path with query, as they stand.
pub fn split_url(url: &str) -> (&str, &str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    (scheme, authority, target)
}
