//! The query in the canonical request.

use alloc::vec::Vec;

use super::deviation::Deviation;
use super::stage::{Stage, Text, encoded, joined, lower_case_escapes, merged, replaced, unescaped, written};
use crate::sigv4::authorization::is_presign_parameter;
use crate::sigv4::rules::SessionTokenName;
use crate::text::percent::{decoded, query_decoded};
use crate::text::{compare_ignoring_case, split, split_once};

/// A parameter as it was sent.
struct Pair<'a> {
    raw_name: &'a [u8],
    raw_value: &'a [u8],
    /// Encoded as it has to be.
    name: Text,
    has_equals: bool,
    is_token: bool,
    /// Part of what is signed.
    is_signed: bool,
}

/// In which order the parameters are written.
#[derive(Clone, Copy, Default, PartialEq)]
enum Order {
    #[default]
    Right,
    /// By names and values as they are encoded right, however they are written.
    RightlyEncoded,
    AsSent,
    BeforeEncoding,
    /// `name=value`
    AsText,
    ByNameAlone,
    IgnoringCase,
}

/// How a name or a value is written.
#[derive(Clone, Copy, Default, PartialEq)]
enum Encoding {
    #[default]
    Right,
    SpaceAsPlus,
    /// Only where it was sent so.
    PlusCopied,
    PlusAsPlus,
    LowerCase,
    LeftRaw(&'static [u8]),
    Tilde,
    Twice,
    DecodedTwice,
    Not,
    AsSent,
}

/// Which parameters are written, and which with a `=`.
#[derive(Clone, Copy, Default, PartialEq)]
enum Kept {
    #[default]
    Right,
    /// A session token that has to be signed isn't, or the reverse.
    OtherToken,
    WithoutEmpty,
    FirstOfName,
    LastOfName,
    PresigningAlone,
    WithoutEquals,
    WithoutEqualsAsSent,
}

#[derive(Clone, Copy, Default)]
struct Options {
    order: Order,
    encoding: Encoding,
    kept: Kept,
}

impl Options {
    fn and(self, other: Self) -> Option<Self> {
        Some(Self {
            order: merged(self.order, other.order)?,
            encoding: merged(self.encoding, other.encoding)?,
            kept: merged(self.kept, other.kept)?,
        })
    }
}

const ORDERS: [(Deviation, Order); 5] = [
    (Deviation::QueryNotSorted, Order::AsSent),
    (Deviation::QuerySortedAsText, Order::AsText),
    (Deviation::QuerySortedBeforeEncoding, Order::BeforeEncoding),
    (Deviation::QueryValuesNotSorted, Order::ByNameAlone),
    (Deviation::QuerySortedIgnoringCase, Order::IgnoringCase),
];

const ENCODINGS: [(Deviation, Encoding); 15] = [
    (Deviation::SpaceAsPlus, Encoding::SpaceAsPlus),
    (Deviation::SpaceAsPlus, Encoding::PlusCopied),
    (Deviation::PlusAsPlus, Encoding::PlusAsPlus),
    (Deviation::LowerCaseEscapes, Encoding::LowerCase),
    (Deviation::QueryEncodedTwice, Encoding::Twice),
    (Deviation::QueryNotEncoded, Encoding::Not),
    (Deviation::QueryAsSent, Encoding::AsSent),
    (Deviation::ReservedNotEncoded, Encoding::LeftRaw(b"!'()*")),
    (Deviation::ReservedNotEncoded, Encoding::LeftRaw(b"!$'()*,;:@/?")),
    (Deviation::ReservedNotEncoded, Encoding::LeftRaw(b"/")),
    (Deviation::ReservedNotEncoded, Encoding::LeftRaw(b"*")),
    (Deviation::ReservedNotEncoded, Encoding::LeftRaw(b"+")),
    (Deviation::ReservedNotEncoded, Encoding::LeftRaw(b";")),
    (Deviation::TildeEncoded, Encoding::Tilde),
    (Deviation::QueryDecodedTwice, Encoding::DecodedTwice),
];

const KEPT: [(Deviation, Kept); 6] = [
    (Deviation::EqualsSignMissing, Kept::WithoutEqualsAsSent),
    (Deviation::EqualsSignMissing, Kept::WithoutEquals),
    (Deviation::EmptyParameterLeftOut, Kept::WithoutEmpty),
    (Deviation::RepeatedParameterLeftOut, Kept::FirstOfName),
    (Deviation::RepeatedParameterLeftOut, Kept::LastOfName),
    (Deviation::QueryLeftOut, Kept::PresigningAlone),
];

/// `left_out` names the parameters that are no part of what is signed; `with_pairs` adds what takes two deviations.
pub(super) fn stage(wire: &[u8], left_out: &[&str], right: &[u8], with_pairs: bool) -> Stage {
    let mut stage = Stage::new(right);
    let pairs: Vec<Pair<'_>> =
        split(wire, b'&').filter(|piece| !piece.is_empty()).filter_map(|piece| read(piece, left_out)).collect();
    let singles = singles(&pairs);
    for (deviation, options) in &singles {
        stage.add(deviation.clone(), write(&pairs, *options));
        // The order may be that of the names and values as they are encoded right.
        if options.encoding != Encoding::Right {
            stage.add(deviation.clone(), write(&pairs, Options { order: Order::RightlyEncoded, ..*options }));
        }
    }
    if !right.is_empty() {
        stage.add(Deviation::QueryLeftOut, Text::default());
        stage.add(Deviation::QueryAsSent, joined(&[wire]));
    }
    for (index, (one, options)) in singles.iter().enumerate().filter(|_| with_pairs) {
        for (other, others) in singles.iter().skip(index + 1) {
            if let Some(both) = options.and(*others) {
                stage.add_pair(one, other, write(&pairs, both));
            }
        }
    }
    stage
}

fn singles(pairs: &[Pair<'_>]) -> Vec<(Deviation, Options)> {
    let mut singles = Vec::new();
    if let Some(token) = pairs.iter().find(|pair| pair.is_token) {
        let deviation = if token.is_signed { Deviation::TokenNotSigned } else { Deviation::TokenSigned };
        singles.push((deviation, Options { kept: Kept::OtherToken, ..Options::default() }));
    }
    singles.extend(ORDERS.map(|(deviation, order)| (deviation, Options { order, ..Options::default() })));
    singles.extend(ENCODINGS.map(|(deviation, encoding)| (deviation, Options { encoding, ..Options::default() })));
    singles.extend(KEPT.map(|(deviation, kept)| (deviation, Options { kept, ..Options::default() })));
    singles
}

/// `None` for the signature, which nobody signs.
fn read<'a>(piece: &'a [u8], left_out: &[&str]) -> Option<Pair<'a>> {
    let (raw_name, raw_value) = split_once(piece, b'=').unwrap_or((piece, b""));
    let name = encoded(&query_decoded(raw_name));
    let is = |own: &str| *name == *own.as_bytes();
    let is_token = SessionTokenName::ALL.into_iter().any(|token| is(token.query()));
    let is_signed = !left_out.iter().any(|own| is(own));
    (is_signed || is_token).then_some(Pair {
        raw_name,
        raw_value,
        has_equals: piece.contains(&b'='),
        is_token,
        is_signed,
        name,
    })
}

/// A pair on its way into the text.
struct Written<'p, 'a> {
    pair: &'p Pair<'a>,
    name: Text,
    value: Text,
}

fn write(pairs: &[Pair<'_>], options: Options) -> Text {
    let kept = pairs.iter().enumerate().filter(|(index, pair)| is_kept(pairs, *index, pair, options.kept));
    let mut all: Vec<Written<'_, '_>> = kept
        .map(|(_, pair)| Written {
            pair,
            name: write_part(pair.raw_name, options.encoding),
            value: write_part(pair.raw_value, options.encoding),
        })
        .collect();
    sort(&mut all, options.order);
    let capacity = all.iter().map(|pair| pair.name.len() + pair.value.len() + 2).sum();
    written(capacity, |out| {
        for (index, Written { pair, name, value }) in all.iter().enumerate() {
            if index > 0 {
                out.push(b'&');
            }
            out.extend_from_slice(name);
            let without = match options.kept {
                Kept::WithoutEquals => value.is_empty(),
                Kept::WithoutEqualsAsSent => !pair.has_equals,
                _ => false,
            };
            if !without {
                out.push(b'=');
            }
            out.extend_from_slice(value);
        }
    })
}

fn is_kept(pairs: &[Pair<'_>], index: usize, pair: &Pair<'_>, kept: Kept) -> bool {
    let mut others = pairs.iter().enumerate().filter(|(_, other)| other.name == pair.name).map(|(other, _)| other);
    let is_signed = pair.is_signed != (pair.is_token && kept == Kept::OtherToken);
    is_signed
        && match kept {
            Kept::WithoutEmpty => !pair.raw_value.is_empty(),
            Kept::FirstOfName => others.next() == Some(index),
            Kept::LastOfName => others.next_back() == Some(index),
            Kept::PresigningAlone => is_presign_parameter(&pair.name),
            Kept::Right | Kept::OtherToken | Kept::WithoutEquals | Kept::WithoutEqualsAsSent => true,
        }
}

fn write_part(raw: &[u8], encoding: Encoding) -> Text {
    let plain = Text::from(query_decoded(raw).into_owned());
    let right = encoded(&plain);
    match encoding {
        Encoding::Right => right,
        Encoding::SpaceAsPlus => replaced(&right, b"%20", b"+"),
        Encoding::PlusCopied => plus_copied(raw),
        Encoding::PlusAsPlus => encoded(&decoded(raw)),
        Encoding::LowerCase => lower_case_escapes(&right),
        Encoding::LeftRaw(characters) => unescaped(&right, characters),
        Encoding::Tilde => replaced(&right, b"~", b"%7E"),
        Encoding::Twice => encoded(&right),
        Encoding::DecodedTwice => encoded(&query_decoded(&plain)),
        Encoding::Not => plain,
        Encoding::AsSent => joined(&[raw]),
    }
}

fn plus_copied(raw: &[u8]) -> Text {
    written(3 * raw.len(), |out| {
        for (index, piece) in raw.split(|byte| *byte == b'+').enumerate() {
            if index > 0 {
                out.push(b'+');
            }
            out.extend_from_slice(&encoded(&decoded(piece)));
        }
    })
}

fn sort(all: &mut [Written<'_, '_>], order: Order) {
    let plain = |raw: &[u8]| Text::from(query_decoded(raw).into_owned());
    match order {
        Order::AsSent => {}
        Order::Right => all.sort_by(|a, b| (&*a.name, &*a.value).cmp(&(&*b.name, &*b.value))),
        Order::RightlyEncoded => {
            all.sort_by_cached_key(|one| (one.pair.name.clone(), encoded(&plain(one.pair.raw_value))))
        }
        Order::BeforeEncoding => all.sort_by_cached_key(|one| (plain(one.pair.raw_name), plain(one.pair.raw_value))),
        Order::AsText => all.sort_by_cached_key(|one| joined(&[&one.name, b"=", &one.value])),
        Order::ByNameAlone => all.sort_by(|a, b| a.name.cmp(&b.name)),
        Order::IgnoringCase => {
            let text = |one: &Written<'_, '_>| alloc::string::String::from_utf8_lossy(&one.name).into_owned();
            all.sort_by(|a, b| compare_ignoring_case(&text(a), &text(b)).then_with(|| a.value.cmp(&b.value)));
        }
    }
}
