//! Check 21: the signature is compared with those of the candidates.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::checked::Checked;
use super::error::{Computed, VerifyError};
use super::payload::Body;
use super::presented::Presented;
use super::verifier::{Echo, Verifier};
use crate::hash::sha256;
use crate::sigv4::canonical_request::CanonicalRequest;
use crate::sigv4::scope::Scope;
use crate::sigv4::signing_key::AnyKey;
use crate::sigv4::string_to_sign::StringToSign;
use crate::text::wiped::Wiped;

impl<'a> Checked<'a> {
    /// 21. Returns the host and payload line that the signature matches. The error has what was computed for the first
    ///     candidate, if the verifier echoes it.
    pub(super) fn compare(
        &self,
        start: Wiped<Vec<u8>>,
        body: &Body<'_>,
        key: &AnyKey,
    ) -> Result<Match<'a>, VerifyError> {
        let mut candidates = Candidates { request: self, key, buffer: start, is_first: true, computed: None };
        let mut try_host = |host: &'a [u8]| {
            let line = candidates.matching_line(host, body)?;
            Some(Match { host, line })
        };
        let found = match self.hosts {
            Hosts::Own(host) => try_host(host),
            Hosts::External(hosts) => hosts.iter().find_map(|host| try_host(host.as_bytes())),
        };
        found.ok_or(VerifyError::SignatureMismatch { computed: candidates.computed })
    }
}

impl Verifier {
    fn computed(&self, canonical_request: &[u8], string_to_sign: &StringToSign<'_>) -> Option<Box<Computed>> {
        let canonical_request = CanonicalRequest::from_bytes(canonical_request);
        let canonical_request = match self.echo {
            Echo::Nothing => return None,
            Echo::Redacted => canonical_request.redacted().to_string(),
            // A single allocation of the right size: a growing one would leave a session token behind in freed memory.
            Echo::Raw => String::from_utf8_lossy(canonical_request.as_bytes()).into_owned(),
        };
        let canonical_request = Zeroizing::new(canonical_request);
        Some(Box::new(Computed { canonical_request, string_to_sign: string_to_sign.to_string() }))
    }
}

/// The hosts that the signature is compared with.
#[derive(Clone, Copy)]
pub(super) enum Hosts<'p> {
    /// The host of the request.
    Own(&'p [u8]),
    /// The hosts by which clients know this server; there is at least one.
    External(&'p [String]),
}

impl<'p> Hosts<'p> {
    /// Returns the host of the first candidate.
    pub(super) fn first(self) -> &'p [u8] {
        match self {
            Self::Own(host) => host,
            Self::External(hosts) => hosts.first().map_or(b"", String::as_bytes),
        }
    }
}

/// The host and payload line that the signature matches.
pub(super) struct Match<'p> {
    pub(super) host: &'p [u8],
    /// The index of the payload line.
    pub(super) line: usize,
}

/// Builds the candidate canonical requests one after another in the same buffer.
struct Candidates<'c> {
    request: &'c Checked<'c>,
    key: &'c AnyKey,
    buffer: Wiped<Vec<u8>>,
    is_first: bool,
    /// For the first candidate.
    computed: Option<Box<Computed>>,
}

impl Candidates<'_> {
    fn matching_line(&mut self, host: &[u8], body: &Body<'_>) -> Option<usize> {
        let Checked { verifier, presented, .. } = self.request;
        let Presented { timestamp, claims, .. } = presented;
        body.lines().position(|line| {
            if core::mem::take(&mut self.is_first) {
                self.buffer.reserve(line.len());
                self.buffer.extend_from_slice(line);
            } else {
                replace_host_and_payload(&mut self.buffer, host, line);
            }
            // Equal to that of the claims, as check 18 found.
            let (region, service) = self.request.scope;
            let scope = Scope::at(claims.algorithm(), timestamp, region, service).with_after_date(claims.after_date());
            let string_to_sign = StringToSign::of_hash(*timestamp, scope, sha256(&self.buffer));
            let matches = self.key.verify(&string_to_sign, claims.signature());
            if !matches && self.computed.is_none() {
                self.computed = verifier.computed(&self.buffer, &string_to_sign);
            }
            matches
        })
    }
}

/// Turns a canonical request into that of another host and payload. The work of writing it anew for each of them would be
/// at the disposal of anyone.
fn replace_host_and_payload(canonical_request: &mut Wiped<Vec<u8>>, host: &[u8], payload: &[u8]) {
    const HOST: &[u8] = b"\nhost:";
    canonical_request.reserve(host.len() + payload.len());
    let end = canonical_request.iter().rposition(|byte| *byte == b'\n').map_or(0, |position| position + 1);
    canonical_request.truncate(end);
    canonical_request.extend_from_slice(payload);
    // Method, path and query have no line feed, and only one header has that name.
    let Some(start) = canonical_request.windows(HOST.len()).position(|window| window == HOST) else { return };
    let start = start + HOST.len();
    let rest = canonical_request.get(start..).unwrap_or_default();
    let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    canonical_request.splice(start..start + length, host.iter().copied());
}
