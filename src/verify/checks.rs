//! The checks of [`Verifier`], one function each, with the numbers used in its documentation.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use zeroize::Zeroizing;

use super::body::SignedPayload;
use super::error::{Computed, VerifyError};
use super::presented::Presented;
use super::scope_parts::ScopeParts;
use super::unverified::UnverifiedRequest;
use super::verifier::{Echo, Verifier};
use crate::hash::{hex_of, sha256};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::{Claims, Location, X_AMZ_EXPIRES};
use crate::sigv4::canonical_request::{CanonicalRequest, SignedHeaderList, pairs};
use crate::sigv4::payload::{PayloadLine, UNSIGNED_PAYLOAD};
use crate::sigv4::rules::{Rules, SessionTokenName, UnsignedPayload};
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::signing_key::AnyKey;
use crate::sigv4::sigv4a::covers;
use crate::sigv4::string_to_sign::StringToSign;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::query_decoded;
use crate::text::wiped::Wiped;
use crate::text::{any_pair, excerpt, is_name, starts_with_ignoring_case};

/// How far in the future a presigned URL may be dated. Client clocks can run fast; S3 allows the same.
pub(crate) const PRESIGN_AHEAD: Duration = Duration::from_secs(15 * 60);

/// The maximum number of headers that an error lists.
pub(crate) const MOST_NAMED: usize = 16;

/// What the body has to be, and the candidates for the payload line of the canonical request.
pub(super) type Body<'p> = (SignedPayload, [Option<PayloadLine<'p>>; 2]);

impl Verifier {
    /// 4, whether the verifier accepts SigV4A.
    pub(super) fn check_algorithm(&self, presented: &Presented<'_>) -> Result<(), VerifyError> {
        match presented.claims.algorithm() {
            Algorithm::EcdsaP256Sha256 if !self.sigv4a => {
                Err(VerifyError::UnsupportedAlgorithm { algorithm: Algorithm::EcdsaP256Sha256.name().into() })
            }
            _ => Ok(()),
        }
    }

    /// 9.
    pub(super) fn check_mechanism(&self, presented: &Presented<'_>) -> Result<(), VerifyError> {
        match presented.foreign_authorization && !self.ignore_foreign_authorization {
            true => Err(VerifyError::BothMechanisms),
            false => Ok(()),
        }
    }

    /// 10. Routers use the authority, but the signature covers `Host`: they have to be the same.
    pub(super) fn check_hosts(&self, presented: &Presented<'_>) -> Result<(), VerifyError> {
        let Some(authority) = presented.request.authority() else { return Ok(()) };
        let Some(host) = presented.host_header else { return Ok(()) };
        if presented.request.is_same_host(host, authority) {
            return Ok(());
        }
        Err(VerifyError::HostsDiffer { host: excerpt(host), authority: excerpt(authority.as_bytes()) })
    }

    /// 11. Collects the signed headers as they arrived, sorted by name, and `host`.
    pub(super) fn check_coverage<'a>(
        &self,
        presented: &Presented<'a>,
        rules: &Rules,
        host: &'a [u8],
        headers: &mut SignedHeaderList<'a>,
    ) -> Result<(), VerifyError> {
        let claims = &presented.claims;
        let mut unsigned = Vec::new();
        match claims.place_of(b"host") {
            Some(place) => headers.push_at(place, "host", host),
            None => unsigned.push(String::from("host")),
        }
        for (name, value) in presented.request.headers.iter() {
            if is_name(name, "host") {
                continue;
            } else if let Some(place) = claims.place_of(name.as_bytes()) {
                headers.push_at(place, name, value);
            } else if self.has_to_be_signed(name, rules) && unsigned.len() < MOST_NAMED {
                unsigned.push(excerpt(name.as_bytes()).to_ascii_lowercase());
            }
        }
        if !unsigned.is_empty() {
            return Err(VerifyError::HeadersNotSigned { names: unsigned });
        }
        headers.sort_by_place();
        Ok(())
    }

    fn has_to_be_signed(&self, name: &str, rules: &Rules) -> bool {
        // `x-amzn-trace-id`, which load balancers add, does not have this prefix.
        let exempt = name.eq_ignore_ascii_case("x-amz-content-sha256")
            || self.unsigned.iter().any(|unsigned| unsigned.eq_ignore_ascii_case(name)) && !is_claim(name)
            || !rules.sign_session_token && name.eq_ignore_ascii_case(rules.session_token.header());
        starts_with_ignoring_case(name, "x-amz-") && !exempt
            || self.required.iter().any(|required| required.eq_ignore_ascii_case(name))
    }

    /// 14. A value could be split at its comma into two lines without changing the signed text.
    pub(super) fn check_repeats(&self, headers: &SignedHeaderList<'_>) -> Result<(), VerifyError> {
        if self.accept_repeated_headers {
            return Ok(());
        }
        let has_one_value = |name: &str| {
            starts_with_ignoring_case(name, "x-amz-") && !starts_with_ignoring_case(name, "x-amz-meta-")
                || ["content-type", "content-md5", "range"].iter().any(|single| name.eq_ignore_ascii_case(single))
        };
        match headers.repeated().find(|name| has_one_value(name)) {
            Some(name) => Err(VerifyError::RepeatedHeader { name: excerpt(name.as_bytes()).to_ascii_lowercase() }),
            None => Ok(()),
        }
    }

    /// 15. A sender could turn a signed `/bob` into `/admin/../bob`, which a router that does not normalize paths
    ///     routes differently.
    pub(super) fn check_path(&self, presented: &Presented<'_>, rules: &Rules) -> Result<(), VerifyError> {
        let (path, _) = presented.request.path_and_query();
        if rules.normalize_path && !self.accept_dot_segments && has_dot_segments(path) {
            return Err(VerifyError::DotSegments { path: excerpt(path) });
        }
        Ok(())
    }

    /// 16. `a=1&a=2` and `a=2&a=1` have the same signature, but an application that reads only the first `a` sees
    ///     different values.
    pub(super) fn check_parameters(&self, presented: &Presented<'_>) -> Result<(), VerifyError> {
        if !self.refuse_repeated_parameters {
            return Ok(());
        }
        let (_, query) = presented.request.path_and_query();
        let mut names: Vec<_> = pairs(query).map(|(name, _)| query_decoded(name)).collect();
        names.sort_unstable();
        match names.windows(2).find_map(|pair| pair.first().filter(|one| Some(*one) == pair.last())) {
            Some(name) => Err(VerifyError::RepeatedParameter { name: excerpt(name) }),
            None => Ok(()),
        }
    }

    /// 17.
    pub(super) fn check_time(
        &self,
        presented: &Presented<'_>,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<(), VerifyError> {
        let signed = presented.timestamp;
        let ahead = signed.unix_seconds() - now.unix_seconds();
        let exceeds = |seconds: i64, limit: Duration| u64::try_from(seconds).is_ok_and(|n| n > limit.as_secs());
        let lifetime = if presented.is_presigned() { self.lifetime(presented, rules)? } else { None };
        let allowed = if lifetime.is_some() { PRESIGN_AHEAD } else { rules.max_skew };
        if exceeds(ahead, allowed) {
            return Err(VerifyError::NotYetCurrent { location: presented.claims.location, signed, now, allowed });
        }
        match lifetime {
            Some(expires_in) if exceeds(-ahead, expires_in) => {
                Err(VerifyError::PresignExpired { signed, now, expires_in })
            }
            None if exceeds(-ahead, allowed) => Err(VerifyError::Expired { signed, now, allowed }),
            _ => Ok(()),
        }
    }

    /// How long a presigned URL is valid; `None` if it has no `X-Amz-Expires` and the rules don't require one.
    fn lifetime(&self, presented: &Presented<'_>, rules: &Rules) -> Result<Option<Duration>, VerifyError> {
        let limit = self.limits.max_presign;
        match presented.expires_in {
            Some(seconds) if seconds == 0 || seconds > limit.as_secs() => {
                Err(VerifyError::ExpiresOutOfRange { seconds, limit })
            }
            Some(seconds) => Ok(Some(Duration::from_secs(seconds))),
            None if rules.presign_expires => {
                Err(VerifyError::MissingParameters { location: Location::Query, names: alloc::vec![X_AMZ_EXPIRES] })
            }
            None => Ok(None),
        }
    }

    /// The scope expected for this claimed one: each part equals the claimed one if it is accepted, and is the default
    /// otherwise.
    pub(crate) fn expected_scope<'s>(&'s self, got: &Scope<'_>, signed: &'s Timestamp) -> Scope<'s> {
        self.expected_scope_among(self.services.iter(), got, signed)
    }

    /// The same for a form: if any of the services accepts forms, only those do. Otherwise a key derived for another service
    /// of a gateway could sign uploads.
    pub(crate) fn expected_scope_of_form<'s>(&'s self, got: &Scope<'_>, signed: &'s Timestamp) -> Scope<'s> {
        let any = self.services.iter().any(|(_, rules)| rules.post_policy);
        self.expected_scope_among(self.services.iter().filter(|(_, rules)| rules.post_policy || !any), got, signed)
    }

    fn expected_scope_among<'s>(
        &'s self,
        services: impl Iterator<Item = &'s (String, Rules)> + Clone,
        got: &Scope<'_>,
        signed: &'s Timestamp,
    ) -> Scope<'s> {
        let region = match got.algorithm() {
            Algorithm::HmacSha256 => like(self.regions.iter().map(String::as_str), got.region()),
            Algorithm::EcdsaP256Sha256 => "",
        };
        let service = like(services.map(|(service, _)| service.as_str()), got.service());
        Scope::unchecked(got.algorithm(), signed.date(), region, service)
    }

    /// 18. `service` is the service of this verifier that the scope names. Returns it with the region.
    pub(super) fn check_scope<'v>(
        &'v self,
        presented: &Presented<'_>,
        service: Option<&'v str>,
    ) -> Result<(&'v str, &'v str), VerifyError> {
        let claims = &presented.claims;
        let [date, region, _] = claims.scope_parts();
        let region = match claims.algorithm() {
            Algorithm::HmacSha256 => self.regions.iter().map(String::as_str).find(|own| own.as_bytes() == region),
            Algorithm::EcdsaP256Sha256 => Some(""),
        };
        match region.zip(service) {
            Some(accepted) if presented.timestamp.as_bytes().get(..8) == Some(date) && claims.has_terminator() => {
                self.check_region_set(claims)?;
                Ok(accepted)
            }
            _ => Err(self.wrong_scope(presented)),
        }
    }

    #[cold]
    fn wrong_scope(&self, presented: &Presented<'_>) -> VerifyError {
        let claims = &presented.claims;
        let got = claims.scope();
        let expected = self.expected_scope(&got, &presented.timestamp);
        VerifyError::WrongScope {
            location: claims.location,
            got: ScopeParts::of(&got, claims.terminator()),
            expected: ScopeParts::of(&expected, TERMINATOR),
            signed: presented.timestamp,
        }
    }

    fn check_region_set(&self, claims: &Claims<'_>) -> Result<(), VerifyError> {
        match claims.region_set() {
            Some(region_set) if !self.regions.iter().any(|region| covers(region_set, region)) => {
                let got = excerpt(region_set.as_bytes());
                Err(VerifyError::WrongRegionSet { got, regions: self.regions.clone() })
            }
            _ => Ok(()),
        }
    }

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

impl<'a> UnverifiedRequest<'a> {
    /// 21. Returns the host and payload line that the signature matches. If there is no match and the verifier echoes
    ///     what it computed, also returns that for the first candidate.
    pub(super) fn compare(
        &self,
        start: Wiped<Vec<u8>>,
        lines: [Option<PayloadLine<'_>>; 2],
        key: &AnyKey,
    ) -> (Option<Match<'a>>, Option<Box<Computed>>) {
        let mut candidates = Candidates { request: self, key, buffer: start, is_first: true, computed: None };
        let mut try_host = |host: &'a [u8]| {
            let line = candidates.matching_line(host, &lines)?;
            Some(Match { host, line })
        };
        let found = match self.hosts {
            Hosts::Own(host) => try_host(host),
            Hosts::External(hosts) => hosts.iter().find_map(|host| try_host(host.as_bytes())),
        };
        (found, candidates.computed)
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

/// Returns `true` for headers that the verifier itself reads: if they were unsigned, what it reports would not be proven.
fn is_claim(name: &str) -> bool {
    SessionTokenName::of_header(name).is_some()
        || name.eq_ignore_ascii_case("x-amz-region-set")
        || name.eq_ignore_ascii_case("x-amz-date")
}

/// The accepted value that equals the given one, or else the first accepted value.
fn like<'s>(mut accepted: impl Iterator<Item = &'s str> + Clone, got: &str) -> &'s str {
    let same = accepted.clone().find(|one| *one == got);
    same.or_else(|| accepted.next()).unwrap_or_default()
}

/// The host and payload line that the signature matches.
pub(super) struct Match<'p> {
    pub(super) host: &'p [u8],
    /// The index of the payload line.
    line: usize,
}

/// Builds the candidate canonical requests one after another in the same buffer.
struct Candidates<'c> {
    request: &'c UnverifiedRequest<'c>,
    key: &'c AnyKey,
    buffer: Wiped<Vec<u8>>,
    is_first: bool,
    /// For the first candidate.
    computed: Option<Box<Computed>>,
}

impl Candidates<'_> {
    fn matching_line(&mut self, host: &[u8], lines: &[Option<PayloadLine<'_>>; 2]) -> Option<usize> {
        let UnverifiedRequest { verifier, presented, .. } = self.request;
        let Presented { timestamp, claims, .. } = presented;
        lines.iter().flatten().position(|payload| {
            if core::mem::take(&mut self.is_first) {
                self.buffer.reserve(payload.as_bytes().len());
                self.buffer.extend_from_slice(payload.as_bytes());
            } else {
                replace_host_and_payload(&mut self.buffer, host, payload.as_bytes());
            }
            // Equal to that of the claims, as check 18 found.
            let (region, service) = self.request.scope;
            let scope = Scope::unchecked(claims.algorithm(), timestamp.date(), region, service);
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

/// 13. The next hop removes the headers that `Connection` lists.
pub(super) fn check_hops(presented: &Presented<'_>) -> Result<(), VerifyError> {
    if !presented.has_connection {
        return Ok(());
    }
    let is_signed = |option: &&[u8]| presented.claims.place_of(option).is_some();
    match presented.request.headers.connection_options().find(is_signed) {
        Some(option) => Err(VerifyError::HopByHopHeader { name: excerpt(option).to_ascii_lowercase() }),
        None => Ok(()),
    }
}

/// Returns `true` if a segment, as sent, is `.` or `..`. `%2e%2e` is an ordinary name.
fn has_dot_segments(path: &[u8]) -> bool {
    any_pair(path, |one, next| (one == b'/') & (next == b'.'))
        && path.split(|byte| *byte == b'/').any(|segment| matches!(segment, b"." | b".."))
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

    /// What the body has to be, and the candidates for the payload line.
    pub(super) fn lines<'p>(
        self,
        presented: &'p Presented<'_>,
        body_sha256: Option<[u8; 32]>,
    ) -> Result<Body<'p>, VerifyError> {
        let unsigned = PayloadLine::Text(UNSIGNED_PAYLOAD);
        match (self, body_sha256) {
            (Self::Sent { or_unsigned }, _) => match (presented.content_sha256(), body_sha256) {
                // Chunks are verified one at a time: a body passed in here would stay unchecked.
                (Some((_, SignedPayload::Streaming(streaming))), Some(_)) => {
                    Err(VerifyError::BodyIsStreamed { streaming })
                }
                (Some((text, payload)), _) => {
                    Ok((payload, [Some(PayloadLine::Text(text)), or_unsigned.then_some(unsigned)]))
                }
                (None, _) => Err(VerifyError::MissingContentSha256),
            },
            (Self::Unsigned, _) => Ok((SignedPayload::Unsigned, [Some(unsigned), None])),
            (Self::OfBody, Some(hash)) => {
                Ok((SignedPayload::Sha256(hash), [Some(PayloadLine::Sha256(hex_of(hash))), None]))
            }
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

/// 22.
pub(super) fn check_body(payload: SignedPayload, body_sha256: Option<[u8; 32]>) -> Result<(), VerifyError> {
    match (body_sha256, payload) {
        (Some(body_sha256), SignedPayload::Sha256(_)) => payload.check(&body_sha256),
        _ => Ok(()),
    }
}
