//! Which deviations are tried, and in which order.

use alloc::vec::Vec;

use sha2::{Digest, Sha256};

use super::deviation::Deviation;
use super::headers::{self, Header};
use super::signing::{self, Signing, SigningChange};
use super::stage::{Change, Stage};
use super::{Diagnosis, path, payload, query};
use crate::hash::sha256;
use crate::sigv4::canonical_request::{CanonicalRequest, Parts};
use crate::sigv4::credentials::Credentials;
use crate::sigv4::signature::Signature;
use crate::sigv4::signing_key::SigningKey;
use crate::sigv4::string_to_sign::StringToSign;
use crate::verify::Presented;

/// The longest canonical request for which two deviations are tried.
const LARGE: usize = 4096;

/// What is known of the request.
pub(super) struct Known<'s, 'r> {
    pub(super) presented: &'s Presented<'r>,
    pub(super) credentials: &'s Credentials,
    pub(super) parts: &'s Parts<'s>,
    pub(super) signed: &'s [Header<'r>],
    /// Headers that arrived besides the signed ones.
    pub(super) unsigned: &'s [Header<'r>],
    pub(super) body: Option<&'s [u8]>,
    /// The canonical request as it has to be.
    pub(super) canonical: &'s [u8],
}

/// The search for what was signed.
pub(super) struct Search<'s, 'r> {
    known: Known<'s, 'r>,
    /// Method, path, query, headers and payload.
    stages: Vec<Stage>,
    /// The hash of what each single deviation produces.
    hashes: Vec<(Vec<Deviation>, Vec<Deviation>, [u8; 32])>,
    tried: usize,
}

pub(super) fn found(deviations: impl Into<Vec<Deviation>>) -> Diagnosis {
    Diagnosis::Deviates { deviations: deviations.into(), equivalent: Vec::new() }
}

impl<'s, 'r> Search<'s, 'r> {
    pub(super) fn new(known: Known<'s, 'r>) -> Self {
        Self { known, stages: Vec::new(), hashes: Vec::new(), tried: 0 }
    }

    /// How many texts and keys were tried.
    pub(super) fn tried(&self) -> usize {
        self.tried
    }

    fn presented_signature(&self) -> &'s Signature {
        self.known.presented.claims.signature()
    }

    pub(super) fn is_right(&self) -> bool {
        let scope = self.known.presented.claims.scope();
        let request = CanonicalRequest::from_bytes(self.known.canonical);
        let string_to_sign = StringToSign::new(self.known.presented.timestamp, scope, &request);
        SigningKey::derive(self.known.credentials, &scope).sign(&string_to_sign).matches(self.presented_signature())
    }

    /// Works out what deviating signers write in place of each part of the canonical request.
    fn add_stages(&mut self, with_pairs: bool) {
        let Known { parts, signed, unsigned, body, canonical, .. } = self.known;
        let mut rest = canonical;
        let mut next_line = || {
            let (line, after) = crate::text::split_once(rest, b'\n').unwrap_or((rest, b""));
            rest = after;
            line
        };
        let (_, right_path, right_query) = (next_line(), next_line(), next_line());
        let payload_line = parts.payload.as_bytes();
        let right_headers = rest.get(..rest.len().saturating_sub(payload_line.len() + 1)).unwrap_or_default();
        self.stages = [
            payload::method_stage(parts.method),
            path::stage(parts.path, parts.rules, right_path, with_pairs),
            query::stage(parts.query, parts.left_out, right_query, with_pairs),
            headers::stage(signed, unsigned, right_headers, with_pairs),
            payload::stage(payload_line, body),
        ]
        .into();
    }

    /// Finds the deviations that produce the signature: one if possible, else two.
    pub(super) fn run(&mut self, host: &str) -> Option<Diagnosis> {
        let scope = self.known.presented.claims.scope();
        let (timestamp, secret) = (self.known.presented.timestamp, self.known.credentials.aws4_secret());
        let right = Signing::right(&timestamp, &scope, secret);
        let changes = signing::changes(&timestamp, &scope, secret, host);
        self.add_stages(false);
        self.single_texts(&right).or_else(|| self.single_signings(&right, &changes)).or_else(|| {
            if self.known.canonical.len() > LARGE {
                return None;
            }
            self.add_stages(true);
            self.pairs_of_texts(&right)
                .or_else(|| self.pairs_of_both(&right, &changes))
                .or_else(|| self.pairs_of_signings(&right, &changes))
        })
    }

    /// The hash of the canonical request with these texts in place of the right ones.
    fn hash(&self, changed: &[(usize, &Change)]) -> [u8; 32] {
        let mut hash = Sha256::new();
        for (index, stage) in self.stages.iter().enumerate() {
            if index > 0 {
                hash.update(b"\n");
            }
            let change = changed.iter().find(|(at, _)| *at == index).map(|(_, change)| &change.text);
            hash.update(&**change.unwrap_or(&stage.right));
        }
        hash.finalize().into()
    }

    fn single_texts(&mut self, right: &Signing<'_>) -> Option<Diagnosis> {
        let mut hashes = Vec::new();
        for (index, stage) in self.stages.iter().enumerate() {
            for change in stage.singles() {
                let hash = self.hash(&[(index, change)]);
                hashes.push((change.deviations.clone(), change.equivalent.clone(), hash));
            }
        }
        // A deviation of path and query alike.
        for (one, other, hash) in self.hashed_pairs(|one, other| one.shared_with(other).is_some()) {
            hashes.push((one.shared_with(other).cloned().into_iter().collect(), Vec::new(), hash));
        }
        let crlf = sha256(&headers::with_crlf(self.known.canonical));
        hashes.push(([Deviation::CrLf].into(), Vec::new(), crlf));
        self.tried += hashes.len();
        self.hashes = hashes;
        let keyed = right.keyed();
        let signs = |hash| keyed.signs(hash, self.presented_signature());
        let (deviations, equivalent, _) = self.hashes.iter().find(|(_, _, hash)| signs(*hash))?;
        Some(Diagnosis::Deviates { deviations: deviations.clone(), equivalent: equivalent.clone() })
    }

    /// Single deviations of two parts of the canonical request.
    fn hashed_pairs(
        &self,
        is_wanted: impl Fn(&Change, &Change) -> bool,
    ) -> impl Iterator<Item = (&Change, &Change, [u8; 32])> {
        let stages = || self.stages.iter().enumerate();
        let pairs = stages().flat_map(move |(at, stage)| {
            let others = stages().skip(at + 1);
            others.flat_map(move |(other_at, other)| {
                stage.singles().flat_map(move |one| other.singles().map(move |other| ((at, one), (other_at, other))))
            })
        });
        pairs.filter(move |((_, one), (_, other))| is_wanted(one, other)).map(|(one, other)| {
            let hash = self.hash(&[one, other]);
            (one.1, other.1, hash)
        })
    }

    fn single_signings(&mut self, right: &Signing<'_>, changes: &[SigningChange]) -> Option<Diagnosis> {
        let hash = sha256(self.known.canonical);
        self.tried += changes.len() + 1;
        let keyed = right.keyed();
        for change in changes {
            let mut signing = right.clone();
            change.apply(&mut signing);
            if signing.keyed_as(right, &keyed).signs(hash, self.presented_signature()) {
                return Some(found([change.deviation.clone()]));
            }
        }
        let is_bare = keyed.signs_text(self.known.canonical, self.presented_signature());
        is_bare.then(|| found([Deviation::CanonicalRequestNotHashed]))
    }

    fn pairs_of_texts(&mut self, right: &Signing<'_>) -> Option<Diagnosis> {
        let keyed = right.keyed();
        let mut tried = 0;
        let mut signs = |hash| {
            tried += 1;
            keyed.signs(hash, self.presented_signature())
        };
        let within = self.stages.iter().enumerate().flat_map(|(index, stage)| {
            let pairs = stage.changes.iter().filter(|change| change.deviations.len() == 2);
            pairs.map(move |change| (index, change))
        });
        let mut result = None;
        for (index, change) in within {
            if signs(self.hash(&[(index, change)])) {
                result = Some(found(change.deviations.clone()));
                break;
            }
        }
        let result = result.or_else(|| {
            let mut pairs = self.hashed_pairs(|one, other| one.shared_with(other).is_none());
            let (one, other, _) = pairs.find(|(_, _, hash)| signs(*hash))?;
            Some(found([one.deviations.as_slice(), &other.deviations].concat()))
        });
        self.tried += tried;
        result
    }

    /// A deviation of the canonical request, and one of signing it.
    fn pairs_of_both(&mut self, right: &Signing<'_>, changes: &[SigningChange]) -> Option<Diagnosis> {
        for change in changes.iter().filter(|change| change.is_common) {
            let mut signing = right.clone();
            change.apply(&mut signing);
            let keyed = signing.keyed();
            self.tried += self.hashes.len();
            let signs = |hash| keyed.signs(hash, self.presented_signature());
            if let Some((deviations, ..)) = self.hashes.iter().find(|(_, _, hash)| signs(*hash)) {
                let mut both = deviations.clone();
                if !both.contains(&change.deviation) {
                    both.push(change.deviation.clone());
                }
                return Some(found(both));
            }
        }
        None
    }

    fn pairs_of_signings(&mut self, right: &Signing<'_>, changes: &[SigningChange]) -> Option<Diagnosis> {
        let hash = sha256(self.known.canonical);
        let common: Vec<&SigningChange> = changes.iter().filter(|change| change.is_common).collect();
        for (index, one) in common.iter().enumerate() {
            for other in common.iter().skip(index + 1).filter(|other| one.is_beside(other)) {
                let mut signing = right.clone();
                one.apply(&mut signing);
                other.apply(&mut signing);
                self.tried += 1;
                if signing.keyed().signs(hash, self.presented_signature()) {
                    return Some(found([one.deviation.clone(), other.deviation.clone()]));
                }
            }
        }
        None
    }
}
