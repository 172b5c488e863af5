//! A body in chunks, in both directions: seed, each chunk, trailer, and the bytes on the wire.

use base64ct::{Base64, Encoding};
use countersign::streaming::{Checksum, Chunked as Upload};
use countersign::{Scope, Signature, SigningKey, StringToSign, Verifier};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::plain::{Context, Expect as SeedExpect, Plain};
use super::wire::Wire;
use super::{Difference, Remark, Remarks, Request, from_base64, same};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chunked {
    id: String,
    #[serde(flatten)]
    _remarks: Remarks,
    #[serde(default, rename = "reason")]
    _reason: Remark,
    /// None where the case is of a trailer alone.
    request: Option<Request>,
    context: Context,
    chunks: Chunks,
    expect: Expect,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Chunks {
    Signed(Body),
    SignedTrailer(Body),
    UnsignedTrailer(Body),
    TrailerOnly { previous_signature: String, trailer: Vec<(String, String)> },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    chunk_size: usize,
    payload: Payload,
    payload_sha256: String,
    trailer: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum Payload {
    Inline {
        #[serde(rename = "b64", deserialize_with = "from_base64")]
        bytes: Vec<u8>,
    },
    Repeat {
        byte: u8,
        len: usize,
    },
    Lcg {
        seed: u32,
        len: usize,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    canonical_request: Option<String>,
    string_to_sign: Option<String>,
    signature: Option<String>,
    signed_headers: Option<String>,
    authorization: Option<String>,
    #[serde(default)]
    chunk_string_to_sign: Vec<String>,
    #[serde(default)]
    chunk_signatures: Vec<String>,
    trailer_block_b64: Option<String>,
    trailer_string_to_sign: Option<String>,
    trailer_signature: Option<String>,
    body_len: Option<u64>,
    body_sha256: Option<String>,
    body_b64: Option<String>,
}

impl Payload {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Inline { bytes } => bytes.clone(),
            Self::Repeat { byte, len } => vec![*byte; *len],
            Self::Lcg { seed, len } => {
                let mut x = *seed;
                let next = || {
                    x = x.wrapping_mul(1_103_515_245).wrapping_add(12_345) & 0x7fff_ffff;
                    (x >> 16) as u8
                };
                std::iter::repeat_with(next).take(*len).collect()
            }
        }
    }
}

/// Where this case is in its chain.
struct Stage<'a> {
    case: &'a Chunked,
    key: SigningKey,
    scope: Scope<'a>,
    previous: Signature,
}

impl Chunked {
    pub fn run(&self) -> Result<(), Box<Difference>> {
        match (&self.chunks, &self.request) {
            (Chunks::TrailerOnly { previous_signature, trailer }, None) => {
                let previous = self.signature("chunks.previous_signature", previous_signature)?;
                self.stage(previous)?.trailer(trailer)
            }
            (Chunks::Signed(body), Some(request)) => self.run_body(request, body, true, false),
            (Chunks::SignedTrailer(body), Some(request)) => self.run_body(request, body, true, true),
            (Chunks::UnsignedTrailer(body), Some(request)) => self.run_body(request, body, false, true),
            _ => Err(self.difference("request", "one unless the case is of a trailer alone", "")),
        }
    }

    fn run_body(&self, request: &Request, body: &Body, signed: bool, trailer: bool) -> Result<(), Box<Difference>> {
        let (id, expect) = (&self.id, &self.expect);
        let data = body.payload.bytes();
        same(id, "payload", &body.payload_sha256, &hex::encode(Sha256::digest(&data)))?;
        let seed = self.seed(request);
        seed.run()?;

        let mut stage = self.stage(self.signature("expect.signature", &seed.expect.signature)?)?;
        if signed {
            stage.chunks(&data, body.chunk_size)?;
        } else if !expect.chunk_signatures.is_empty() || !expect.chunk_string_to_sign.is_empty() {
            return Err(self.difference("chunk_signatures", "none, of unsigned chunks", ""));
        }
        match (signed && trailer, &expect.trailer_signature) {
            (true, _) => stage.trailer(&body.trailer)?,
            (false, None) => {}
            (false, Some(given)) => return Err(self.difference("trailer_signature", "none", given)),
        }
        self.run_wire(&seed, body, &data, signed)
    }

    /// What the upload puts on the wire, and what a server makes of it.
    fn run_wire(&self, seed: &Plain, body: &Body, data: &[u8], signed: bool) -> Result<(), Box<Difference>> {
        let (id, expect) = (&self.id, &self.expect);
        let length = data.len() as u64;
        let upload = if signed { Upload::signed(length) } else { Upload::unsigned(length) };
        let upload = body.trailer.iter().fold(upload.with_chunk_size(body.chunk_size), |upload, (name, value)| {
            match Checksum::from_header_name(name) {
                Some(checksum) => upload.with_checksum(checksum),
                None => upload.with_trailer(name, value.len()),
            }
        });
        let failed = |stage: &str, error: String| self.difference(stage, "success", &error);
        let mut wire = Wire::of(&seed.request);
        let now = seed.now()?;
        let signer = seed.signer()?;
        let signed_upload = wire
            .with_view(|request| signer.sign_chunked(request, &upload, now))
            .map_err(|error| failed("signing the upload", error.to_string()))?;
        let of_upload = signed_upload.signed().canonical_request().raw().to_string();
        same(id, "canonical request of the upload", &seed.expect.canonical_request, &of_upload)?;
        let (mut encoder, mut framed) = (signed_upload.encoder(), Vec::new());
        let encoded = encoder.push(data, |piece| framed.extend_from_slice(piece)).and_then(|()| {
            let mut given = body.trailer.iter().filter(|(name, _)| Checksum::from_header_name(name).is_none());
            given.try_for_each(|(name, value)| encoder.set_trailer(name, value))?;
            encoder.finish(|piece| framed.extend_from_slice(piece))
        });
        encoded.map_err(|error| failed("framing", error.to_string()))?;

        if let Some(expected) = &expect.body_b64 {
            let expected =
                Base64::decode_vec(expected).map_err(|error| failed("expect.body_b64", error.to_string()))?;
            same(id, "body", &expected.escape_ascii().to_string(), &framed.escape_ascii().to_string())?;
        }
        same(id, "body length", &expect.body_len.unwrap_or_default().to_string(), &framed.len().to_string())?;
        same(id, "announced length", &framed.len().to_string(), &signed_upload.content_length().to_string())?;
        let sha256 = hex::encode(Sha256::digest(&framed));
        same(id, "body hash", expect.body_sha256.as_deref().unwrap_or_default(), &sha256)?;

        for (name, value) in signed_upload.headers() {
            wire.set_header(name, value.as_bytes());
        }
        let verifier = Verifier::new(&seed.context.region, &seed.context.service).unwrap().with_rules(seed.rules()?);
        let known = [seed.credentials()?];
        let decode = |framed: &[u8]| wire.decode(&verifier, &known, now, framed);
        let (received, trailers) = decode(&framed).map_err(|error| failed("decoding", error.to_string()))?;
        if received != data {
            return Err(failed("decoding", "other data".into()));
        }
        let proven = |trailers: &[(String, Vec<u8>)]| -> Vec<(String, Vec<u8>)> {
            let is_proven = |name: &str| signed || Checksum::from_header_name(name).is_some();
            let trimmed = |(name, value): &(String, Vec<u8>)| (name.clone(), value.trim_ascii().to_vec());
            trailers.iter().filter(|(name, _)| is_proven(name)).map(trimmed).collect()
        };
        let sent: Vec<_> =
            body.trailer.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())).collect();
        if proven(&trailers) != proven(&sent) {
            return Err(failed("decoding", format!("other trailers: {trailers:?}")));
        }
        // One byte of the framed body: all of them, or some of a long one.
        for position in (0..framed.len()).step_by(1 + framed.len() / 512) {
            let mut changed = framed.clone();
            changed[position] ^= 1;
            let same_meaning = |(received, trailers): (Vec<u8>, Vec<(String, Vec<u8>)>)| {
                received == data && proven(&trailers) == proven(&sent)
            };
            if decode(&changed).is_ok_and(|decoded| !same_meaning(decoded)) {
                return Err(self.difference(&format!("decoding after a change at {position}"), "refused", "accepted"));
            }
        }
        Ok(())
    }

    /// The request that the chain begins with, as a case of its own.
    fn seed(&self, request: &Request) -> Plain {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let expect = SeedExpect {
            canonical_request: text(&self.expect.canonical_request),
            string_to_sign: text(&self.expect.string_to_sign),
            signature: text(&self.expect.signature),
            signed_headers: text(&self.expect.signed_headers),
            authorization: self.expect.authorization.clone(),
            query: None,
        };
        Plain::new(&self.id, request.clone(), self.context.clone(), expect)
    }

    fn stage(&self, previous: Signature) -> Result<Stage<'_>, Box<Difference>> {
        let context = &self.context;
        let scope = Scope::new(context.timestamp.get(..8).unwrap_or_default(), &context.region, &context.service)
            .map_err(|error| self.difference("context", "a scope", &error.to_string()))?;
        let key = SigningKey::derive(&context.credentials(&self.id)?, &scope);
        Ok(Stage { case: self, key, scope, previous })
    }

    fn signature(&self, field: &str, hex: &str) -> Result<Signature, Box<Difference>> {
        Signature::from_hex(hex).ok_or_else(|| self.difference(field, "64 digits", hex))
    }

    fn difference(&self, stage: &str, expected: &str, got: &str) -> Box<Difference> {
        Difference::new(&self.id, stage, expected, got)
    }
}

impl Stage<'_> {
    fn chunks(&mut self, data: &[u8], chunk_size: usize) -> Result<(), Box<Difference>> {
        let expect = &self.case.expect;
        let chunks: Vec<&[u8]> = data.chunks(chunk_size).chain([&[][..]]).collect();
        let (texts, signatures) = (expect.chunk_string_to_sign.len(), expect.chunk_signatures.len());
        if texts != chunks.len() || signatures != chunks.len() {
            let expected = format!("{} chunks", chunks.len());
            return Err(self.case.difference("expect", &expected, &format!("{texts} and {signatures}")));
        }
        let now = self.case.context.timestamp(&self.case.id)?;
        for (index, chunk) in chunks.iter().enumerate() {
            let string_to_sign = StringToSign::of_chunk(now, self.scope, &self.previous, chunk);
            let (text, signature) = (&expect.chunk_string_to_sign[index], &expect.chunk_signatures[index]);
            self.link(&format!("chunk {index}"), &string_to_sign, text, signature)?;
        }
        Ok(())
    }

    fn trailer(&mut self, trailers: &[(String, String)]) -> Result<(), Box<Difference>> {
        let (case, expect) = (self.case, &self.case.expect);
        let now = case.context.timestamp(&case.id)?;
        let pairs = trailers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
        let string_to_sign = StringToSign::of_trailer(now, self.scope, &self.previous, pairs);
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        if let Some(block) = &expect.trailer_block_b64 {
            let block = Base64::decode_vec(block)
                .map_err(|error| case.difference("expect.trailer_block_b64", "base64", &error.to_string()))?;
            let hash = hex::encode(Sha256::digest(&block));
            let line = string_to_sign.to_string();
            same(&case.id, "hash of the trailer", &hash, line.rsplit('\n').next().unwrap_or_default())?;
        }
        let (expected, signature) = (text(&expect.trailer_string_to_sign), text(&expect.trailer_signature));
        self.link("trailer", &string_to_sign, &expected, &signature)
    }

    fn link(
        &mut self,
        what: &str,
        string_to_sign: &StringToSign<'_>,
        text: &str,
        signature: &str,
    ) -> Result<(), Box<Difference>> {
        let id = &self.case.id;
        same(id, &format!("string to sign of {what}"), text, &string_to_sign.to_string())?;
        let signed = self.key.sign(string_to_sign);
        same(id, &format!("signature of {what}"), signature, &signed.to_hex())?;
        self.previous = signed;
        Ok(())
    }
}
