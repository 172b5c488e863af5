//! The checks of the payload line and of the body.

use super::body::SignedPayload;
use super::compare::Match;
use super::error::VerifyError;
use super::presented::Presented;
use crate::hash::hex_of;
use crate::sigv4::payload::{PayloadLine, UNSIGNED_PAYLOAD};
use crate::sigv4::rules::{Rules, UnsignedPayload};

/// What the body has to be, and the candidates for the payload line of the canonical request.
pub(super) struct Body<'p> {
    pub(super) payload: SignedPayload,
    line: PayloadLine<'p>,
    /// `UNSIGNED-PAYLOAD` may have been signed instead.
    or_unsigned: bool,
}

impl<'p> Body<'p> {
    fn new(payload: SignedPayload, line: PayloadLine<'p>) -> Self {
        Self { payload, line, or_unsigned: false }
    }

    /// Returns the candidates for the payload line.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let unsigned = self.or_unsigned.then_some(UNSIGNED_PAYLOAD.as_bytes());
        [Some(self.line.as_bytes()), unsigned].into_iter().flatten()
    }
}

/// 19, as far as the body is not needed.
#[derive(Clone, Copy)]
pub(super) enum PayloadMode {
    /// The payload hash is given by `x-amz-content-sha256`.
    Sent {
        /// AWS's own presigner signs UNSIGNED-PAYLOAD even if the hash is pinned; `proven_payload` decides whether the
        /// pinned hash is signed.
        or_unsigned: bool,
    },
    /// A presigned URL without a payload hash.
    Unsigned,
    /// The request gives no payload hash, and the hash of the body is signed.
    OfBody,
}

impl PayloadMode {
    pub(super) fn check(presented: &Presented<'_>, rules: &Rules) -> Result<Self, VerifyError> {
        let or_unsigned = presented.is_presigned() && rules.presign_unsigned_payload;
        match presented.content_sha256() {
            Some((_, payload)) if accepts(presented, rules, payload) => Ok(Self::Sent { or_unsigned }),
            Some((text, _)) => Err(VerifyError::InvalidContentSha256 { got: text.into() }),
            None if or_unsigned => Ok(Self::Unsigned),
            None if rules.content_sha256_header && !presented.is_presigned() => Err(VerifyError::MissingContentSha256),
            None => Ok(Self::OfBody),
        }
    }

    /// `body_sha256` is the hash of a body that was passed in.
    pub(super) fn body<'p>(
        self,
        presented: &'p Presented<'_>,
        body_sha256: Option<[u8; 32]>,
    ) -> Result<Body<'p>, VerifyError> {
        match (self, body_sha256) {
            (Self::Sent { or_unsigned }, _) => match (presented.content_sha256(), body_sha256) {
                // Chunks are verified one at a time: a body passed in here would stay unchecked.
                (Some((_, SignedPayload::Streaming(streaming))), Some(_)) => {
                    Err(VerifyError::BodyIsStreamed { streaming })
                }
                (Some((text, payload)), _) => Ok(Body { payload, line: PayloadLine::Text(text), or_unsigned }),
                (None, _) => Err(VerifyError::MissingContentSha256),
            },
            (Self::Unsigned, _) => Ok(Body::new(SignedPayload::Unsigned, PayloadLine::Text(UNSIGNED_PAYLOAD))),
            (Self::OfBody, Some(hash)) => Ok(Body::new(SignedPayload::Sha256(hash), PayloadLine::Sha256(hex_of(hash)))),
            // Assuming an empty body would leave an actual body unchecked.
            (Self::OfBody, None) => Err(VerifyError::BodyNeeded),
        }
    }
}

/// Returns `true` if the rules accept this payload hash.
fn accepts(presented: &Presented<'_>, rules: &Rules, payload: SignedPayload) -> bool {
    match payload {
        SignedPayload::Sha256(_) => rules.unsigned_payload != UnsignedPayload::Always,
        SignedPayload::Unsigned => {
            presented.is_presigned() && rules.presign_unsigned_payload
                || rules.unsigned_payload != UnsignedPayload::Refused
        }
        SignedPayload::Streaming(streaming) => {
            rules.streaming_payload
                && !presented.is_presigned()
                && streaming.is_for(presented.claims.algorithm())
                && !(payload.is_unsigned() && rules.unsigned_payload == UnsignedPayload::Refused)
        }
    }
}

/// What the signature proves about the body. If UNSIGNED-PAYLOAD was signed, a hash given with it counts only if its
/// query parameter or header is signed; otherwise anyone could have added it in transit.
pub(super) fn proven_payload(presented: &Presented<'_>, payload: SignedPayload, found: &Match<'_>) -> SignedPayload {
    let claims = &presented.claims;
    match found.line {
        0 => payload,
        _ if claims.pins_content_sha256() => payload,
        _ if claims.signed_header_names().any(|name| name == "x-amz-content-sha256") => payload,
        _ => SignedPayload::Unsigned,
    }
}

impl PayloadMode {
    /// 22. A hash that was not sent is that of the body.
    pub(super) fn check_body(self, payload: SignedPayload, body_sha256: Option<[u8; 32]>) -> Result<(), VerifyError> {
        match (self, body_sha256, payload) {
            (Self::Sent { .. }, Some(body_sha256), SignedPayload::Sha256(_)) => payload.check(&body_sha256),
            _ => Ok(()),
        }
    }
}
