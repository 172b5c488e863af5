//! The string to sign and the key: time, scope, secret, and what is done with them.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::deviation::Deviation;
use super::places::{regions, services};
use super::stage::{Text, encoded, joined, replaced};
use crate::hash::{hex_of, hmac_into, keyed};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::signature::Signature;
use crate::sigv4::timestamp::Timestamp;

/// Everything that a canonical request is signed with.
#[derive(Clone)]
pub(super) struct Signing<'a> {
    timestamp: Cow<'a, str>,
    /// Date, region and service in the string to sign.
    scope: [Cow<'a, str>; 3],
    /// The same, as the key is derived for them.
    key: [Cow<'a, str>; 3],
    /// `AWS4` and the secret.
    aws4_secret: &'a [u8],
    derivation: Derivation,
    form: Form,
}

#[derive(Clone, Copy, PartialEq)]
enum Derivation {
    Right,
    WithoutAws4,
    /// Each step is keyed with the digits of the one before.
    InHex,
    WithoutTerminator,
    None,
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Right,
    UpperCase,
    LineFeed,
    CrLf,
}

/// A deviation of signing, and what it sets.
pub(super) struct SigningChange {
    pub(super) deviation: Deviation,
    /// Combined with others.
    pub(super) is_common: bool,
    set: Set,
}

enum Set {
    Time { timestamp: Option<String>, scope: Option<String>, key: Option<String> },
    Region { scope: Option<String>, key: Option<String> },
    Service { scope: Option<String>, key: Option<String> },
    Swapped,
    Secret(Text),
    Derivation(Derivation),
    Form(Form),
}

impl SigningChange {
    /// Whether both set the same part.
    pub(super) fn is_beside(&self, other: &Self) -> bool {
        self.part() != other.part()
    }

    fn part(&self) -> u8 {
        match self.set {
            Set::Time { .. } => 0,
            Set::Region { .. } => 1,
            Set::Service { .. } | Set::Swapped => 2,
            Set::Secret(_) => 3,
            Set::Derivation(_) => 4,
            Set::Form(_) => 5,
        }
    }

    pub(super) fn apply<'c>(&'c self, signing: &mut Signing<'c>) {
        let put = |to: &mut Cow<'c, str>, from: &'c Option<String>| {
            if let Some(text) = from {
                *to = Cow::Borrowed(text);
            }
        };
        let ([date, region, service], [key_date, key_region, key_service]) = (&mut signing.scope, &mut signing.key);
        match &self.set {
            Set::Time { timestamp, scope, key } => {
                put(&mut signing.timestamp, timestamp);
                put(date, scope);
                put(key_date, key);
            }
            Set::Region { scope, key } => {
                put(region, scope);
                put(key_region, key);
            }
            Set::Service { scope, key } => {
                put(service, scope);
                put(key_service, key);
            }
            Set::Swapped => {
                core::mem::swap(region, service);
                core::mem::swap(key_region, key_service);
            }
            Set::Secret(secret) => signing.aws4_secret = secret,
            Set::Derivation(derivation) => signing.derivation = *derivation,
            Set::Form(form) => signing.form = *form,
        }
    }
}

impl<'a> Signing<'a> {
    /// As it has to be.
    pub(super) fn right(timestamp: &'a Timestamp, scope: &Scope<'a>, aws4_secret: &'a [u8]) -> Self {
        let parts = [scope.date(), scope.region(), scope.service()].map(Cow::Borrowed);
        Self {
            timestamp: Cow::Borrowed(timestamp.as_str()),
            scope: parts.clone(),
            key: parts,
            aws4_secret,
            derivation: Derivation::Right,
            form: Form::Right,
        }
    }

    /// With the key derived once for many texts.
    pub(super) fn keyed(&self) -> Keyed {
        self.with_key(self.derive())
    }

    /// The same, with the key of another signing if it is the same.
    pub(super) fn keyed_as(&self, other: &Self, keyed: &Keyed) -> Keyed {
        let key = |signing: &Self| (signing.derivation, signing.key.clone());
        let is_same = self.aws4_secret == other.aws4_secret && key(self) == key(other);
        self.with_key(if is_same { keyed.key.clone() } else { self.derive() })
    }

    fn with_key(&self, key: Hmac<Sha256>) -> Keyed {
        let [date, region, service] = &self.scope;
        let line_end = if self.form == Form::CrLf { "\r\n" } else { "\n" };
        let start =
            [Algorithm::HmacSha256.name(), &self.timestamp, &format!("{date}/{region}/{service}/{TERMINATOR}"), ""]
                .join(line_end);
        Keyed { key, start, form: self.form }
    }

    fn derive(&self) -> Hmac<Sha256> {
        let [date, region, service] = &self.key;
        let mut steps: Vec<&str> = [&**date, region, service, TERMINATOR].into();
        let bare = self.aws4_secret.strip_prefix(b"AWS4").unwrap_or_default();
        let mut key = joined(&[self.aws4_secret]);
        match self.derivation {
            Derivation::WithoutAws4 => key = joined(&[bare]),
            Derivation::WithoutTerminator => steps.truncate(3),
            Derivation::None => steps.clear(),
            Derivation::Right | Derivation::InHex => {}
        }
        let mut bytes = Zeroizing::new([0; 32]);
        for step in &steps {
            hmac_into(&mut bytes, &key, &[step.as_bytes()]);
            key = match self.derivation {
                Derivation::InHex => joined(&[&hex_of(*bytes)]),
                _ => joined(&[bytes.as_slice()]),
            };
        }
        keyed(&key)
    }
}

/// A key, and the string to sign up to the hash.
pub(super) struct Keyed {
    key: Hmac<Sha256>,
    start: String,
    form: Form,
}

impl Keyed {
    pub(super) fn signs(&self, hash: [u8; 32], presented: &Signature) -> bool {
        let mut hex = hex_of(hash);
        if self.form == Form::UpperCase {
            hex.make_ascii_uppercase();
        }
        self.signs_text(&hex, presented)
    }

    /// With a text in place of the hash.
    pub(super) fn signs_text(&self, last: &[u8], presented: &Signature) -> bool {
        let end: &[u8] = if self.form == Form::LineFeed { b"\n" } else { b"" };
        let mut mac = self.key.clone();
        [self.start.as_bytes(), last, end].iter().for_each(|piece| mac.update(piece));
        Signature::from_bytes(mac.finalize().into_bytes().into()).matches(presented)
    }
}

/// All changes of signing, the common ones first.
pub(super) fn changes(timestamp: &Timestamp, scope: &Scope<'_>, aws4_secret: &[u8], host: &str) -> Vec<SigningChange> {
    let mut changes = secrets(aws4_secret);
    changes.extend(days(scope.date(), timestamp));
    changes.extend(local_times(timestamp, scope.date()));
    for (region, is_common) in regions(scope.region(), host) {
        changes.extend(places(Deviation::OtherRegion { region: region.clone() }, is_common, &region, |scope, key| {
            Set::Region { scope, key }
        }));
    }
    for (service, is_common) in services(scope.service(), host) {
        changes.extend(places(
            Deviation::OtherService { service: service.clone() },
            is_common,
            &service,
            |scope, key| Set::Service { scope, key },
        ));
    }
    let others = [
        (Deviation::RegionAndServiceSwapped, Set::Swapped),
        (Deviation::SecretWithoutPrefix, Set::Derivation(Derivation::WithoutAws4)),
        (Deviation::KeyInHex, Set::Derivation(Derivation::InHex)),
        (Deviation::KeyWithoutTerminator, Set::Derivation(Derivation::WithoutTerminator)),
        (Deviation::KeyNotDerived, Set::Derivation(Derivation::None)),
        (Deviation::HashUpperCase, Set::Form(Form::UpperCase)),
        (Deviation::StringToSignLineFeed, Set::Form(Form::LineFeed)),
        (Deviation::CrLf, Set::Form(Form::CrLf)),
    ];
    let of = |(deviation, set)| SigningChange { deviation, is_common: true, set };
    changes.extend(others.map(of));
    changes
}

fn places(
    deviation: Deviation,
    is_common: bool,
    name: &str,
    set: impl Fn(Option<String>, Option<String>) -> Set,
) -> [SigningChange; 3] {
    let name = || Some(name.to_string());
    [(name(), name()), (None, name()), (name(), None)].map(|(scope, key)| SigningChange {
        deviation: deviation.clone(),
        is_common,
        set: set(scope, key),
    })
}

fn secrets(aws4_secret: &[u8]) -> Vec<SigningChange> {
    let bare = aws4_secret.strip_prefix(b"AWS4").unwrap_or_default();
    let around = |before: &[u8], after: &[u8]| joined(&[b"AWS4", before, bare, after]);
    let instead = |secret: &[u8]| joined(&[b"AWS4", secret]);
    [
        (Deviation::SecretWithLineFeed, around(b"", b"\n")),
        (Deviation::SecretWithLineFeed, around(b"", b"\r\n")),
        (Deviation::SecretWithLineFeed, around(b"", b"\r")),
        (Deviation::SecretWithSpace, around(b"", b" ")),
        (Deviation::SecretWithSpace, around(b" ", b"")),
        (Deviation::SecretWithSpace, around(b" ", b" ")),
        (Deviation::SecretWithSpace, around(b"", b"\t")),
        (Deviation::SecretInQuotes, around(b"\"", b"\"")),
        (Deviation::SecretInQuotes, around(b"'", b"'")),
        (Deviation::SecretEncoded, instead(&encoded(bare))),
        (Deviation::SecretEncoded, instead(&replaced(bare, b"+", b" "))),
        (Deviation::SecretMissing, instead(b"")),
        (Deviation::SecretMissing, instead(b"undefined")),
        (Deviation::SecretMissing, instead(b"null")),
        (Deviation::SecretMissing, instead(b"None")),
    ]
    .into_iter()
    .filter(|(_, secret)| **secret != *aws4_secret)
    .map(|(deviation, secret)| SigningChange { deviation, is_common: true, set: Set::Secret(secret) })
    .collect()
}

/// Keys and scopes of other days, and times that were written in another form or read twice.
fn days(date: &str, timestamp: &Timestamp) -> Vec<SigningChange> {
    let mut changes = Vec::new();
    let midnight = format!("{date}T000000Z").parse::<Timestamp>().ok();
    for days in (-7..=7_i32).filter(|days| *days != 0) {
        let Some(other) = midnight.map(|midnight| midnight.saturating_add(i64::from(days) * DAY)) else { continue };
        let other = || Some(other.date().to_string());
        let is_common = days == -1;
        let key = Set::Time { timestamp: None, scope: None, key: other() };
        let scope = Set::Time { timestamp: None, scope: other(), key: None };
        let both = Set::Time { timestamp: None, scope: other(), key: other() };
        changes.push(SigningChange { deviation: Deviation::KeyOfAnotherDay { days }, is_common, set: key });
        changes.push(SigningChange { deviation: Deviation::ScopeOfAnotherDay { days }, is_common, set: both });
        changes.push(SigningChange { deviation: Deviation::ScopeOfAnotherDay { days }, is_common: false, set: scope });
    }
    for seconds in (-5..=5_i32).filter(|seconds| *seconds != 0) {
        let other = Some(timestamp.saturating_add(seconds.into()).to_string());
        let set = Set::Time { timestamp: other, scope: None, key: None };
        changes.push(SigningChange { deviation: Deviation::TimeReadTwice { seconds }, is_common: false, set });
    }
    let seconds = timestamp.unix_seconds().to_string();
    for other in [timestamp.extended(), imf_fixdate(timestamp), date.to_string(), seconds] {
        let set = Set::Time { timestamp: Some(other), scope: None, key: None };
        changes.push(SigningChange { deviation: Deviation::TimeFormat, is_common: false, set });
    }
    changes
}

const DAY: i64 = 86_400;

/// Times of the string to sign that are up to 14 hours from the time that was sent, in steps of a quarter of an hour.
fn local_times(timestamp: &Timestamp, date: &str) -> Vec<SigningChange> {
    let mut changes = Vec::new();
    for offset_minutes in (-14 * 60..=14 * 60_i32).step_by(15).filter(|minutes| *minutes != 0) {
        let local = timestamp.saturating_add(60 * i64::from(offset_minutes));
        let is_common = offset_minutes % 60 == 0;
        let deviation = Deviation::LocalTime { offset_minutes };
        let mut add = |scope: bool, key: bool, is_common: bool| {
            let other = |is: bool| is.then(|| local.date().to_string());
            let set = Set::Time { timestamp: Some(local.to_string()), scope: other(scope), key: other(key) };
            changes.push(SigningChange { deviation: deviation.clone(), is_common, set });
        };
        add(false, false, is_common);
        if local.date() != date {
            add(true, true, is_common);
            add(false, true, false);
            add(true, false, false);
        }
    }
    changes
}

/// `Sun, 30 Aug 2015 12:36:00 GMT`
fn imf_fixdate(timestamp: &Timestamp) -> String {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let text = timestamp.as_str();
    let part = |range: core::ops::Range<usize>| text.get(range).unwrap_or_default();
    let weekday = usize::try_from(timestamp.unix_seconds().div_euclid(DAY).rem_euclid(7)).unwrap_or_default();
    let month = part(4..6).parse::<usize>().unwrap_or_default().saturating_sub(1);
    let named = |names: &[&'static str], index: usize| names.get(index).copied().unwrap_or_default();
    format!(
        "{}, {} {} {} {}:{}:{} GMT",
        named(&WEEKDAYS, weekday),
        part(6..8),
        named(&MONTHS, month),
        part(0..4),
        part(9..11),
        part(11..13),
        part(13..15),
    )
}
