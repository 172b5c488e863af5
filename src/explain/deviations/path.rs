//! The path in the canonical request.

use super::deviation::Deviation;
use super::stage::{Stage, Text, encoded, joined, lower_case_escapes, replaced, shown, unescaped, written};
use crate::sigv4::canonical_request::path_of;
use crate::sigv4::rules::Rules;
use crate::text::percent::{decoded, write_encoded_but_slash, write_path_decoded_then_encoded};

/// What signers leave unescaped: `encodeURIComponent`, the sets of URL libraries, and single characters.
const LEFT_RAW: [&[u8]; 7] = [b"!'()*", b"!$&'()*+,;=:@", b"*", b"+", b"@", b":", b"="];

/// `with_pairs` adds what takes two deviations.
pub(super) fn stage(wire: &[u8], rules: &Rules, right: &[u8], with_pairs: bool) -> Stage {
    let mut stage = Stage::new(right);
    let normal = if rules.normalize_path { normalized(wire) } else { rooted(wire) };
    let shapes = shapes(wire, &normal, rules);
    for (deviation, path) in &shapes {
        stage.add(deviation.clone(), Text::from(path_of(path, &unchanging(rules))));
    }
    if right == b"/" {
        stage.add(Deviation::PathEmpty, Text::default());
    }
    for (deviation, text) in encodings(&normal, right, rules) {
        stage.add(deviation, text);
    }
    stage.add(Deviation::PathAsSent, joined(&[wire]));
    for (shape, path) in shapes.iter().filter(|_| with_pairs) {
        let shaped = path_of(path, &unchanging(rules));
        for (encoding, text) in encodings(path, &shaped, rules) {
            stage.add_pair(shape, &encoding, text);
        }
    }
    stage
}

/// The rules, for a path that is normalised already or is not to be.
fn unchanging(rules: &Rules) -> Rules {
    Rules { normalize_path: false, ..*rules }
}

/// A wire path without dot segments and empty segments, not encoded again.
fn normalized(wire: &[u8]) -> Text {
    let rules = Rules { normalize_path: true, double_encode_path: true, ..Rules::GENERIC };
    Text::from(decoded(&path_of(wire, &rules)))
}

fn rooted(wire: &[u8]) -> Text {
    if wire.starts_with(b"/") { joined(&[wire]) } else { joined(&[b"/", wire]) }
}

/// Other segments than the right ones, not encoded again.
fn shapes(wire: &[u8], normal: &[u8], rules: &Rules) -> alloc::vec::Vec<(Deviation, Text)> {
    let mut slashes = rooted(wire);
    while slashes.windows(2).any(|pair| pair == b"//") {
        slashes = replaced(&slashes, b"//", b"/");
    }
    let mut shapes = alloc::vec::Vec::new();
    let other = if rules.normalize_path { Deviation::PathNotNormalized } else { Deviation::PathNormalized };
    let whole = if rules.normalize_path { rooted(wire) } else { normalized(wire) };
    shapes.push((other.clone(), whole));
    shapes.push((other, slashes));
    match normal.strip_suffix(b"/") {
        Some([]) => {}
        Some(cut) => shapes.push((Deviation::TrailingSlashRemoved, joined(&[cut]))),
        None => shapes.push((Deviation::TrailingSlashAdded, joined(&[normal, b"/"]))),
    }
    let second = normal.iter().skip(1).position(|byte| *byte == b'/').map(|position| position + 1);
    if let Some((prefix, rest)) = second.and_then(|position| normal.split_at_checked(position)) {
        shapes.push((Deviation::PathPrefixRemoved { prefix: shown(prefix) }, joined(&[rest])));
    }
    shapes
}

/// The same segments in other encodings than `right`.
fn encodings(path: &[u8], right: &[u8], rules: &Rules) -> alloc::vec::Vec<(Deviation, Text)> {
    let by_segment = encoded_by_segment(path);
    let whole = written(3 * path.len(), |out| write_path_decoded_then_encoded(out, path));
    let not_encoded = Text::from(decoded(path));
    let again = |text: &[u8]| written(3 * text.len(), |out| write_encoded_but_slash(out, text));
    let mut texts = alloc::vec![];
    if rules.double_encode_path {
        texts.push((Deviation::PathEncodedOnce, by_segment));
        texts.push((Deviation::PathEncodedOnce, whole));
        texts.push((Deviation::PathEncodedThreeTimes, again(right)));
        let slashes = replaced(&replaced(path, b"%2F", b"/"), b"%2f", b"/");
        texts.push((Deviation::EncodedSlashDecoded, again(&slashes)));
    } else {
        texts.push((Deviation::PathEncodedTwice, again(right)));
        texts.push((Deviation::PathEncodedTwice, again(path)));
        texts.push((Deviation::EncodedSlashKept, by_segment));
        let spaced = replaced(path, b"+", b" ");
        texts.push((
            Deviation::PathPlusAsSpace,
            written(3 * path.len(), |out| write_path_decoded_then_encoded(out, &spaced)),
        ));
    }
    texts.push((Deviation::PathNotEncoded, not_encoded));
    texts.push((Deviation::PathAsSent, joined(&[path])));
    texts.push((Deviation::SpaceAsPlus, replaced(right, b"%20", b"+")));
    texts.push((Deviation::SpaceAsPlus, replaced(right, b"%2520", b"+")));
    texts.push((Deviation::LowerCaseEscapes, lower_case_escapes(right)));
    texts.extend(LEFT_RAW.map(|raw| (Deviation::ReservedNotEncoded, unescaped(right, raw))));
    texts.push((Deviation::TildeEncoded, replaced(right, b"~", b"%7E")));
    texts.push((Deviation::PathSlashesEncoded, encoded(path)));
    texts.push((Deviation::PathSlashesEncoded, encoded(&decoded(path))));
    texts
}

/// Decodes and encodes each segment: a slash that arrives encoded stays encoded.
fn encoded_by_segment(path: &[u8]) -> Text {
    written(3 * path.len(), |out| {
        for (index, segment) in path.split(|byte| *byte == b'/').enumerate() {
            if index > 0 {
                out.push(b'/');
            }
            out.extend_from_slice(&encoded(&decoded(segment)));
        }
    })
}
