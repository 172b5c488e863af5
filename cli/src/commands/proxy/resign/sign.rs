//! Signs a request again, with its body in the mode of the client.

use countersign::event_stream::EventSigner;
use countersign::streaming::{Checksum, Chunked, EncodedBody};
use countersign::{
    Identity, Payload, Rules, ScopeError, SessionTokenName, Signature, SignedPayload, Signer, StreamingPayload,
    Timestamp, VerifiedHead,
};
use http::request::Parts;
use http_body_util::BodyExt;

use crate::serve::AnswerBody;

/// A request to sign.
pub struct Unsigned<'r> {
    pub parts: Parts,
    pub verified: &'r VerifiedHead<'static>,
    /// The region to sign for, if it isn't that of the client.
    pub region: &'r Option<String>,
}

/// A request to send.
pub struct Outgoing {
    pub parts: Parts,
    pub body: AnswerBody,
    pub signature: Signature,
}

/// Why a verified request isn't signed.
#[derive(Debug)]
pub enum NotSigned {
    Unsupported(String),
    Failed(String),
}

/// Signs a request whose body is verified while it is read. In a chunked body, each chunk is signed anew.
pub fn signed(unsigned: Unsigned<'_>, body: AnswerBody, identity: &Identity) -> Result<Outgoing, NotSigned> {
    let signer = unsigned.signer(identity).map_err(failed)?;
    let Unsigned { mut parts, verified, .. } = unsigned;
    let payload = match verified.payload() {
        SignedPayload::Streaming(mode) => return chunked(&signer, parts, verified, mode, body),
        SignedPayload::Sha256(hash) => Payload::Sha256(hash),
        SignedPayload::Unsigned => Payload::Unsigned,
        _ => return Err(NotSigned::Unsupported("the payload is of a kind that can't be signed again".into())),
    };
    let signed = signer.sign(&parts, payload, Timestamp::now()).map_err(failed)?;
    signed.apply_to(&mut parts.headers).map_err(failed)?;
    Ok(Outgoing { signature: signed.signature(), parts, body })
}

/// Signs a request of our own. The body isn't covered, as that of a form isn't.
pub fn unsigned_body(
    mut parts: Parts,
    body: AnswerBody,
    (region, service): (&str, &str),
    identity: &Identity,
) -> Result<Outgoing, NotSigned> {
    let signer = Signer::new(identity.clone(), region, service).map_err(failed)?;
    let signed = signer.sign(&parts, Payload::Unsigned, Timestamp::now()).map_err(failed)?;
    signed.apply_to(&mut parts.headers).map_err(failed)?;
    Ok(Outgoing { signature: signed.signature(), parts, body })
}

fn chunked(
    signer: &Signer,
    mut parts: Parts,
    verified: &VerifiedHead<'static>,
    mode: StreamingPayload,
    body: AnswerBody,
) -> Result<Outgoing, NotSigned> {
    let described = described(verified, mode)?;
    let signed = signer.sign_chunked(&parts, &described, Timestamp::now()).map_err(failed)?;
    signed.apply_to(&mut parts.headers).map_err(failed)?;
    let body = EncodedBody::new(&signed, body).boxed_unsync();
    Ok(Outgoing { signature: signed.signed().signature(), parts, body })
}

/// The body in chunks of our own. The decoder has verified each checksum in the trailer when the encoder computes it again,
/// so that it is the same.
fn described(verified: &VerifiedHead<'_>, mode: StreamingPayload) -> Result<Chunked, NotSigned> {
    let length = verified.header("x-amz-decoded-content-length").and_then(|value| {
        let text = std::str::from_utf8(value.trim_ascii()).ok()?;
        text.parse().ok()
    });
    let length = length.ok_or_else(|| NotSigned::Failed("the decoded length is not known".into()))?;
    let (chunked, has_trailer) = match mode {
        StreamingPayload::Signed | StreamingPayload::EcdsaSigned => (Chunked::signed(length), false),
        StreamingPayload::SignedTrailer | StreamingPayload::EcdsaSignedTrailer => (Chunked::signed(length), true),
        StreamingPayload::UnsignedTrailer => (Chunked::unsigned(length), true),
        _ => return Err(NotSigned::Unsupported(format!("{} can't be signed again here", mode.as_str()))),
    };
    if !has_trailer {
        return Ok(chunked);
    }
    let names = verified.headers().filter(|(name, _)| name.eq_ignore_ascii_case("x-amz-trailer"));
    let names = names.map(|(_, value)| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>().join(",");
    names.split(',').try_fold(chunked, |chunked, name| {
        let checksum = Checksum::from_header_name(name.trim());
        let only = "of the trailers, only checksums can be signed again";
        checksum.map(|checksum| chunked.with_checksum(checksum)).ok_or_else(|| NotSigned::Unsupported(only.into()))
    })
}

impl Unsigned<'_> {
    /// Signs an event stream, and returns the signer of its messages.
    pub fn events(mut self, identity: &Identity) -> Result<(Parts, Signature, EventSigner), NotSigned> {
        let signer = self.signer(identity).map_err(failed)?;
        let (signed, events) = signer.sign_events(&self.parts, Timestamp::now()).map_err(failed)?;
        signed.apply_to(&mut self.parts.headers).map_err(failed)?;
        Ok((self.parts, signed.signature(), events))
    }

    /// For the scope of the client, and the headers that it signed: those that are left of them.
    fn signer(&self, identity: &Identity) -> Result<Signer, ScopeError> {
        let scope = self.verified.scope();
        let service = scope.service();
        let signer = match (self.verified.region_set(), self.region.as_deref()) {
            (Some(set), None) => Signer::sigv4a(identity.clone(), set, service)?,
            (Some(_), Some(region)) => Signer::sigv4a(identity.clone(), region, service)?,
            (None, region) => Signer::new(identity.clone(), region.unwrap_or(scope.region()), service)?,
        };
        let mut rules = Rules::for_service(service);
        // That of CreateSession, which gives no credentials here.
        rules.session_token = SessionTokenName::SecurityToken;
        Ok(signer.with_rules(rules).also_sign(self.verified.signed_headers()))
    }
}

/// Errors of signing contain no secret.
fn failed(error: impl std::fmt::Display) -> NotSigned {
    NotSigned::Failed(error.to_string())
}
