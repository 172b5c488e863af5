//! What the targets share.

use countersign::{Request, UnverifiedRequest};

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

/// All that a parsed credential says, to compare.
pub fn parts(presented: &UnverifiedRequest<'_>) -> impl PartialEq + std::fmt::Debug + use<> {
    (
        presented.access_key_id().to_owned(),
        presented.scope().to_string(),
        presented.signed_headers().map(str::to_owned).collect::<Vec<_>>(),
        presented.timestamp(),
        presented.session_token().map(str::to_owned),
        presented.is_presigned(),
    )
}

pub const SIGNATURE: &str = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";

/// Not the key of any seed.
pub fn credentials() -> countersign::Credentials {
    countersign::Credentials::new("AKIDFUZZ", "noSeedIsSignedWithThis").unwrap()
}
