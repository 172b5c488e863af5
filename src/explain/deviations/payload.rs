//! The method and the payload line: the first and the last line of the canonical request.

use super::deviation::Deviation;
use super::stage::{Stage, Text, joined};
use crate::hash::{EMPTY_SHA256_HEX, hex_of, sha256};
use crate::sigv4::payload::UNSIGNED_PAYLOAD;

/// The longest body that is tried in place of its hash.
const LONGEST_BODY: usize = 65_536;

pub(super) fn method_stage(method: &str) -> Stage {
    let mut stage = Stage::new(method.as_bytes());
    for other in [method.to_ascii_lowercase(), method.to_ascii_uppercase()] {
        stage.add(Deviation::MethodCase, Text::from(other.into_bytes()));
    }
    stage
}

pub(super) fn stage(right: &[u8], body: Option<&[u8]>) -> Stage {
    let mut stage = Stage::new(right);
    let hex = |bytes: &[u8]| joined(&[&hex_of(sha256(bytes))]);
    if let Some(body) = body {
        stage.add(Deviation::PayloadHashed, hex(body));
    }
    stage.add(Deviation::EmptyPayloadHashed, joined(&[EMPTY_SHA256_HEX]));
    stage.add(Deviation::PayloadUnsigned, joined(&[UNSIGNED_PAYLOAD.as_bytes()]));
    stage.add(Deviation::PayloadLineEmpty, Text::default());
    if right.len() == 64 {
        stage.add(Deviation::PayloadHashUpperCase, Text::from(right.to_ascii_uppercase()));
        stage.add(Deviation::PayloadHashedTwice, hex(right));
    }
    stage.add(Deviation::CanonicalRequestLineFeed, joined(&[right, b"\n"]));
    if let Some(body) = body.filter(|body| !body.is_empty() && body.len() <= LONGEST_BODY) {
        stage.add(Deviation::PayloadNotHashed, joined(&[body]));
        stage.add(Deviation::BodyLineFeedAdded, hex(&joined(&[body, b"\n"])));
        for end in [b"\n".as_slice(), b"\r\n"] {
            if let Some(cut) = body.strip_suffix(end) {
                stage.add(Deviation::BodyLineFeedRemoved, hex(cut));
            }
        }
    }
    stage
}
