//! One line of a file: a case of a known kind, with no field that nobody reads.

#[cfg(feature = "streaming")]
mod chunked;
#[cfg(feature = "explain")]
pub mod explain;
pub mod plain;
#[cfg(feature = "post-policy")]
mod post_policy;
pub mod sigv4a;
#[cfg(feature = "tokens")]
mod tokens;
pub mod verify_reject;
pub mod wire;

use std::fmt;

use base64ct::{Base64, Encoding};
use serde::Deserialize;
use serde::de::IgnoredAny;

#[cfg(feature = "streaming")]
use self::chunked::Chunked;
#[cfg(feature = "explain")]
use self::explain::Explain;
use self::plain::Plain;
#[cfg(feature = "post-policy")]
use self::post_policy::PostPolicy;
use self::sigv4a::SigV4a;
#[cfg(feature = "tokens")]
use self::tokens::Tokens;
use self::verify_reject::VerifyReject;

pub enum Case {
    #[cfg(feature = "streaming")]
    Chunked(Box<Chunked>),
    #[cfg(feature = "explain")]
    Explain(Box<Explain>),
    Plain(Box<Plain>),
    #[cfg(feature = "post-policy")]
    PostPolicy(Box<PostPolicy>),
    SigV4a(Box<SigV4a>),
    #[cfg(feature = "tokens")]
    Tokens(Box<Tokens>),
    VerifyReject(Box<VerifyReject>),
    /// Of a kind that this build has no code for.
    Skipped,
}

/// How a case ended that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    Skipped,
}

/// The kinds of cases that need a feature, and whether this build has it.
const OPTIONAL_KINDS: [(&str, bool); 4] = [
    ("chunked", cfg!(feature = "streaming")),
    ("explain", cfg!(feature = "explain")),
    ("post_policy", cfg!(feature = "post-policy")),
    ("tokens", cfg!(feature = "tokens")),
];

/// The first thing about a case that is not as it has to be.
#[derive(Debug)]
pub struct Difference {
    id: String,
    stage: String,
    expected: String,
    got: String,
}

impl Difference {
    pub fn new(id: &str, stage: impl Into<String>, expected: impl Into<String>, got: impl Into<String>) -> Box<Self> {
        Box::new(Self { id: id.into(), stage: stage.into(), expected: expected.into(), got: got.into() })
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n  expected: {:?}\n  got:      {:?}", self.id, self.stage, self.expected, self.got)
    }
}

/// Compares two texts of a stage.
pub fn same(id: &str, stage: &str, expected: &str, got: &str) -> Result<(), Box<Difference>> {
    if expected == got { Ok(()) } else { Err(Difference::new(id, stage, expected, got)) }
}

impl Case {
    pub fn read(line: &str) -> Result<Self, Box<Difference>> {
        #[derive(Deserialize)]
        struct Kind {
            id: String,
            suite: String,
        }
        let unreadable = |id: &str| {
            let id = id.to_owned();
            move |error: serde_json::Error| Difference::new(&id, "reading", "a case of this format", error.to_string())
        };
        let kind: Kind = serde_json::from_str(line).map_err(unreadable("?"))?;
        if OPTIONAL_KINDS.contains(&(kind.suite.as_str(), false)) {
            return Ok(Case::Skipped);
        }
        Ok(match kind.suite.as_str() {
            #[cfg(feature = "streaming")]
            "chunked" => Case::Chunked(serde_json::from_str(line).map_err(unreadable(&kind.id))?),
            #[cfg(feature = "explain")]
            "explain" => Case::Explain(serde_json::from_str(line).map_err(unreadable(&kind.id))?),
            #[cfg(feature = "post-policy")]
            "post_policy" => Case::PostPolicy(serde_json::from_str(line).map_err(unreadable(&kind.id))?),
            "sigv4a" => Case::SigV4a(Box::new(SigV4a::read(line).map_err(unreadable(&kind.id))?)),
            #[cfg(feature = "tokens")]
            "tokens" => Case::Tokens(Box::new(Tokens::read(line).map_err(unreadable(&kind.id))?)),
            "verify_reject" => Case::VerifyReject(serde_json::from_str(line).map_err(unreadable(&kind.id))?),
            _ => Case::Plain(serde_json::from_str(line).map_err(unreadable(&kind.id))?),
        })
    }

    pub fn run(&self) -> Result<Outcome, Box<Difference>> {
        match self {
            #[cfg(feature = "streaming")]
            Case::Chunked(case) => case.run()?,
            #[cfg(feature = "explain")]
            Case::Explain(case) => case.run()?,
            Case::Plain(case) => case.run()?,
            #[cfg(feature = "post-policy")]
            Case::PostPolicy(case) => case.run()?,
            Case::SigV4a(case) => case.run()?,
            #[cfg(feature = "tokens")]
            Case::Tokens(case) => case.run()?,
            Case::VerifyReject(case) => return case.run(),
            Case::Skipped => return Ok(Outcome::Skipped),
        }
        Ok(Outcome::Passed)
    }
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Request {
    pub method: String,
    pub url: String,
    /// The request target as sent, if it is not path and query of the URL.
    #[serde(default)]
    pub target: Option<String>,
    pub headers: Vec<(String, HeaderValue)>,
    #[serde(rename = "body_b64", deserialize_with = "from_base64")]
    pub body: Vec<u8>,
}

#[derive(Deserialize, Clone)]
#[serde(untagged)]
pub enum HeaderValue {
    Text(String),
    Bytes(Base64Bytes),
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
pub struct Base64Bytes {
    #[serde(rename = "b64", deserialize_with = "from_base64")]
    bytes: Vec<u8>,
}

impl HeaderValue {
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            HeaderValue::Text(text) => text.as_bytes(),
            HeaderValue::Bytes(bytes) => &bytes.bytes,
        }
    }
}

pub fn from_base64<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    Base64::decode_vec(&text).map_err(serde::de::Error::custom)
}

/// What every kind has besides its own, and no program reads.
#[derive(Deserialize, Default)]
pub struct Remarks {
    #[serde(rename = "suite")]
    _suite: String,
    #[serde(default, rename = "source")]
    _source: Remark,
    #[serde(default, rename = "features")]
    _features: Remark,
    #[serde(default, rename = "note")]
    _note: Remark,
}

pub type Remark = Option<IgnoredAny>;
