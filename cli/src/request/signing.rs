//! How the body is signed, and the signature.

use std::fmt;
use std::io::Read;

use ::http::header::{HOST, HeaderMap, HeaderValue};
use countersign::streaming::{Checksum, Chunked, EncodedRead, SignedChunked};
use countersign::{Request, Signer, Timestamp};

use super::{Content, Draft};
use crate::args::{BodyArgs, PayloadMode};
use crate::failure::Failure;
use crate::http::Body;

/// A body up to this size is sent without a thread that reads it.
const SMALL: u64 = 1024 * 1024;

/// What is signed in place of the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Payload {
    Hashed,
    Unsigned,
    Chunked(Option<Checksum>),
    UnsignedChunked(Checksum),
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hashed => f.write_str("hashed"),
            Self::Unsigned => f.write_str("unsigned"),
            Self::Chunked(None) => f.write_str("signed chunk by chunk"),
            Self::Chunked(Some(sum)) => write!(f, "signed chunk by chunk, with {}", sum.header_name()),
            Self::UnsignedChunked(sum) => write!(f, "unsigned chunks, with {}", sum.header_name()),
        }
    }
}

/// S3 and its relatives, which accept bodies that are signed while they are sent.
pub fn is_s3(service: &str) -> bool {
    matches!(service, "s3" | "s3express" | "s3-outposts" | "s3-object-lambda")
}

impl Payload {
    /// The mode that was asked for, or the default of the service.
    pub fn choose(body: &BodyArgs, content: &Content, service: &str) -> Result<Self, Failure> {
        let checksum = body.checksum.as_deref().map(checksum).transpose()?;
        Ok(match (body.payload, checksum) {
            (Some(PayloadMode::Hashed), Some(_)) => {
                return Err(Failure::usage("--checksum needs --payload chunked or --payload unsigned"));
            }
            (Some(PayloadMode::Hashed), None) => Self::Hashed,
            (Some(PayloadMode::Unsigned), None) => Self::Unsigned,
            (Some(PayloadMode::Unsigned), Some(checksum)) => Self::UnsignedChunked(checksum),
            (Some(PayloadMode::Chunked), checksum) | (None, checksum @ Some(_)) => Self::Chunked(checksum),
            (None, None) if content.is_pipe() && is_s3(service) => Self::Chunked(None),
            (None, None) => Self::Hashed,
        })
    }
}

impl Payload {
    pub fn is_unsigned(self) -> bool {
        matches!(self, Self::Unsigned | Self::UnsignedChunked(_))
    }
}

fn checksum(name: &str) -> Result<Checksum, Failure> {
    let known = Checksum::from_header_name(&format!("x-amz-checksum-{}", name.to_ascii_lowercase()));
    known.filter(|checksum| checksum.is_available()).ok_or_else(|| {
        Failure::usage(
            "--checksum must be crc32, crc32c, crc64nvme, sha1, sha256, sha512, md5, xxhash64, xxhash3 or xxhash128",
        )
    })
}

/// A signed request: the headers as they are sent, and how the body is encoded.
pub struct Signed {
    pub headers: HeaderMap,
    stages: Stages,
}

enum Stages {
    Whole(Box<countersign::Signed>),
    Chunked(Box<SignedChunked>),
}

impl Signed {
    /// The stages of the signature.
    pub fn stages(&self) -> &countersign::Signed {
        match &self.stages {
            Stages::Whole(signed) => signed,
            Stages::Chunked(signed) => signed.signed(),
        }
    }

    pub fn is_chunked(&self) -> bool {
        matches!(self.stages, Stages::Chunked(_))
    }

    /// The number of bytes of the body on the wire.
    pub fn body_length(&self, content: &Content) -> u64 {
        match &self.stages {
            Stages::Whole(_) => content.length(),
            Stages::Chunked(signed) => signed.content_length(),
        }
    }

    /// The body on the wire.
    pub fn encode(&self, reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        match &self.stages {
            Stages::Whole(_) => reader,
            Stages::Chunked(signed) => Box::new(EncodedRead::new(signed.encoder(), reader)),
        }
    }

    /// The body for the HTTP client. `wrap` can count what is read.
    pub fn body(&self, content: &Content, wrap: impl FnOnce(Box<dyn Read + Send>) -> Box<dyn Read + Send>) -> Body {
        match content.bytes() {
            Some(bytes) if !self.is_chunked() && content.length() <= SMALL => bytes.clone().into(),
            _ => Body::from_reader(self.encode(wrap(content.reader())), self.body_length(content)),
        }
    }
}

/// Signs a request.
pub fn sign(draft: &Draft, signer: &Signer, payload: Payload, now: Timestamp) -> Result<Signed, Failure> {
    let mut headers = draft.headers.clone();
    if !headers.contains_key(HOST) {
        headers.insert(HOST, HeaderValue::from_str(draft.url.host_header()).map_err(Failure::usage)?);
    }
    let pairs: Vec<(&str, &[u8])> = headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    let request = Request::new(draft.method.as_str(), draft.url.target(), &pairs).with_scheme(draft.url.scheme());
    let chunked = |chunked: Chunked| {
        let signed = signer.sign_chunked(request, &chunked, now).map_err(Failure::sign)?;
        Ok(Stages::Chunked(Box::new(signed)))
    };
    let whole = |payload: countersign::Payload<'_>| {
        let signed = signer.sign(request, payload, now).map_err(Failure::sign)?;
        Ok(Stages::Whole(Box::new(signed)))
    };
    let length = draft.content.length();
    let stages = match payload {
        Payload::Hashed => match draft.content.bytes() {
            Some(bytes) => whole(countersign::Payload::Bytes(bytes)),
            None => whole(countersign::Payload::Sha256(draft.content.sha256()?)),
        },
        Payload::Unsigned => whole(countersign::Payload::Unsigned),
        Payload::Chunked(None) => chunked(Chunked::signed(length)),
        Payload::Chunked(Some(checksum)) => chunked(Chunked::signed(length).with_checksum(checksum)),
        Payload::UnsignedChunked(checksum) => chunked(Chunked::unsigned(length).with_checksum(checksum)),
    }?;
    match &stages {
        Stages::Whole(signed) => signed.apply_to(&mut headers),
        Stages::Chunked(signed) => signed.apply_to(&mut headers),
    }
    .map_err(Failure::sign)?;
    Ok(Signed { headers, stages })
}
