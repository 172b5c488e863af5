//! What the targets share.

use countersign::{Request, Timestamp, UnverifiedRequest, Verifier};

/// A request from text: request line, headers, an empty line, the body. None of it has to be well-formed.
pub struct Message<'a> {
    pub method: &'a str,
    pub target: &'a [u8],
    pub headers: Vec<(&'a str, &'a [u8])>,
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    pub fn read(text: &'a [u8]) -> Option<Self> {
        let (method, rest) = split(text, b" ")?;
        let (target, mut rest) = split(rest, b"\n")?;
        let mut headers = Vec::new();
        while let Some((line, after)) = split(rest, b"\n") {
            rest = after;
            if line.is_empty() {
                break;
            }
            let (name, value) = split(line, b":")?;
            headers.push((std::str::from_utf8(name).ok()?, value));
        }
        Some(Self { method: std::str::from_utf8(method).ok()?, target, headers, body: rest })
    }

    pub fn request(&self) -> Request<'_> {
        Request::new(self.method, self.target, &self.headers).with_host("example.com")
    }
}

fn split<'a>(text: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let position = text.windows(at.len()).position(|window| window == at)?;
    Some((&text[..position], &text[position + at.len()..]))
}

/// A verifier, and a time, that a request meant for anybody passes: with its own region and service, as far as they can be
/// read without care.
pub fn tailored_to(credential: &str, date: &str) -> Option<(Verifier, Timestamp)> {
    let mut parts = credential.rsplit('/').skip(1);
    let (service, region) = (parts.next()?, parts.next()?);
    let verifier = Verifier::new(region, service).ok()?.with_sigv4a().accept_dot_segments();
    Some((verifier, date.parse().ok()?))
}

/// What stands behind `start`, up to one of `ends`.
pub fn between<'a>(text: &'a str, start: &str, ends: &[char]) -> &'a str {
    let rest = text.split_once(start).map_or("", |(_, rest)| rest);
    rest.split(|c| ends.contains(&c)).next().unwrap_or_default()
}

/// The value of a query parameter, decoded as far as it is needed to fill in a verifier.
pub fn decoded(target: &str, start: &str) -> String {
    let value = between(target, start, &['&', '\n', ' ']);
    value.replace("%2F", "/").replace("%2f", "/").replace("%3B", ";").replace("%3b", ";")
}

/// The headers of a list of names, but for those that say something about the signature.
pub fn named_headers(list: &str) -> Vec<(&str, &[u8])> {
    let own = ["host", "authorization", "date", "x-amz-date", "connection"];
    let names = list.split(';').filter(|name| !name.is_empty() && !own.contains(name));
    let names = names.filter(|name| !name.starts_with("x-amz-content") && !name.ends_with("-token"));
    names.map(|name| (name, b"1".as_slice())).collect()
}

/// All that a parsed credential says, to compare.
pub fn parts(unverified: &UnverifiedRequest<'_>) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        unverified.access_key_id().to_owned(),
        unverified.scope().to_string(),
        unverified.session_token().map(str::to_owned),
    )
}

pub const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

/// Not the key of any seed.
pub fn credentials() -> countersign::Credentials {
    countersign::Credentials::new("AKIDFUZZ", "noSeedIsSignedWithThis").unwrap()
}

/// A secret that stands where secrets do, and must not be shown.
pub const SECRET: &str = "wJalrXUtnFEMIbPxRfiCY";

/// Whether a text holds nothing that a terminal obeys.
pub fn assert_printable(text: &str) {
    assert!(!text.chars().any(|c| c.is_control() && c != '\n'), "{text:?}");
}
