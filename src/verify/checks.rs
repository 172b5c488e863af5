//! The checks of [`Verifier`], one function each, numbered as its documentation numbers them.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use zeroize::Zeroizing;

use super::body::SignedBody;
use super::error::{Computed, VerifyError};
use super::scope_parts::ScopeParts;
use super::unverified::UnverifiedRequest;
use super::verifier::{Echo, Verifier};
use crate::hash::{hex_of, sha256};
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::{Location, X_AMZ_EXPIRES};
use crate::sigv4::canonical_request::{CanonicalRequest, SignedHeaderList};
use crate::sigv4::payload::{PayloadLine, UNSIGNED_PAYLOAD};
use crate::sigv4::rules::UnsignedPayload;
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::signing_key::{KeyStanding, VerifyingKey};
use crate::sigv4::sigv4a::covers;
use crate::sigv4::string_to_sign::StringToSign;
use crate::sigv4::timestamp::Timestamp;
use crate::text::inline::Inline;
use crate::text::wiped::Wiped;
use crate::text::{any_pair, compare_ignoring_case, excerpt, starts_with_ignoring_case};

/// How far ahead of the verifier a presigned URL may be dated: clocks of clients run fast, and S3 allows them as much.
pub(crate) const PRESIGN_AHEAD: Duration = Duration::from_secs(15 * 60);

/// How many headers an error names.
pub(crate) const MOST_NAMED: usize = 16;

/// What the body has to be, and the lines that may be written for it in the canonical request.
pub(super) type Body<'p> = (SignedBody, [Option<PayloadLine<'p>>; 2]);

impl Verifier {
    /// 4, the second half.
    pub(super) fn check_algorithm(&self, presented: &UnverifiedRequest<'_>) -> Result<(), VerifyError> {
        match presented.scope().algorithm() {
            Algorithm::EcdsaP256Sha256 if !self.sigv4a => {
                Err(VerifyError::UnsupportedAlgorithm { algorithm: Algorithm::EcdsaP256Sha256.name().into() })
            }
            _ => Ok(()),
        }
    }

    /// 9.
    pub(super) fn check_mechanism(&self, presented: &UnverifiedRequest<'_>) -> Result<(), VerifyError> {
        match presented.foreign_authorization && !self.ignore_foreign_authorization {
            true => Err(VerifyError::BothMechanisms),
            false => Ok(()),
        }
    }

    /// 10. Routers go by the authority, and the signature by `Host`: they have to be one.
    pub(super) fn check_hosts(&self, presented: &UnverifiedRequest<'_>) -> Result<(), VerifyError> {
        let Some(authority) = presented.request.authority() else { return Ok(()) };
        let Some(host) = presented.request.headers.values("host").next() else { return Ok(()) };
        let host = host.trim_ascii();
        if presented.request.is_same_host(host, authority) {
            return Ok(());
        }
        Err(VerifyError::HostsDiffer { host: excerpt(host), authority: excerpt(authority.as_bytes()) })
    }

    /// 11. Lists the headers that are named as signed, as they arrived, in order; the host that it will be is set later.
    pub(super) fn check_coverage<'p>(
        &self,
        presented: &'p UnverifiedRequest<'_>,
        headers: &mut SignedHeaderList<'p>,
    ) -> Result<(), VerifyError> {
        let mut names: Inline<&str, 16> = Inline::new();
        presented.signed_headers().for_each(|name| names.push(name));
        let is_named =
            |name: &str| names.as_slice().binary_search_by(|probe| compare_ignoring_case(probe, name)).is_ok();
        let mut unsigned = Vec::new();
        if is_named("host") {
            headers.push("host", b"");
        } else {
            unsigned.push(String::from("host"));
        }
        for (name, value) in presented.request.headers.iter() {
            if name.eq_ignore_ascii_case("host") {
                continue;
            } else if is_named(name) {
                headers.push(name, value);
            } else if self.has_to_be_signed(name) && unsigned.len() < MOST_NAMED {
                unsigned.push(name.to_ascii_lowercase());
            }
        }
        if !unsigned.is_empty() {
            return Err(VerifyError::HeadersNotSigned { names: unsigned });
        }
        headers.sort();
        Ok(())
    }

    fn has_to_be_signed(&self, name: &str) -> bool {
        // Not `x-amzn-trace-id`, which load balancers write on the way.
        let exempt = name.eq_ignore_ascii_case("x-amz-content-sha256")
            || self.unsigned.iter().any(|unsigned| unsigned.eq_ignore_ascii_case(name))
            || !self.rules.sign_session_token && name.eq_ignore_ascii_case(self.rules.session_token.header());
        starts_with_ignoring_case(name, "x-amz-") && !exempt
            || self.required.iter().any(|required| required.eq_ignore_ascii_case(name))
    }

    /// 14. One value could be split at its comma into two lines without any change of what is signed.
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

    /// 15. Anyone who can send `/admin/../bob` with the signature of `/bob` chooses the route of a router that doesn't
    ///     normalise.
    pub(super) fn check_path(&self, presented: &UnverifiedRequest<'_>) -> Result<(), VerifyError> {
        let (path, _) = presented.request.path_and_query();
        if self.rules.normalize_path && !self.accept_dot_segments && has_dot_segments(path) {
            return Err(VerifyError::DotSegments { path: excerpt(path) });
        }
        Ok(())
    }

    /// 16.
    pub(super) fn check_time(&self, presented: &UnverifiedRequest<'_>, now: Timestamp) -> Result<(), VerifyError> {
        let signed = presented.timestamp;
        let ahead = signed.unix_seconds() - now.unix_seconds();
        let exceeds = |seconds: i64, limit: Duration| u64::try_from(seconds).is_ok_and(|n| n > limit.as_secs());
        let lifetime = if presented.is_presigned() { self.lifetime(presented)? } else { None };
        let allowed = if lifetime.is_some() { PRESIGN_AHEAD } else { self.rules.max_skew };
        if exceeds(ahead, allowed) {
            return Err(VerifyError::NotYetCurrent { location: presented.claims.location, signed, now, allowed });
        }
        match lifetime {
            Some(lifetime) if exceeds(-ahead, lifetime) => Err(VerifyError::PresignExpired { signed, now, lifetime }),
            None if exceeds(-ahead, allowed) => Err(VerifyError::Expired { signed, now, allowed }),
            _ => Ok(()),
        }
    }

    /// How long a presigned URL is valid; `None` where the rules let it do without `X-Amz-Expires`.
    fn lifetime(&self, presented: &UnverifiedRequest<'_>) -> Result<Option<Duration>, VerifyError> {
        let limit = self.limits.max_presign;
        match presented.expires {
            Some(seconds) if seconds == 0 || seconds > limit.as_secs() => {
                Err(VerifyError::ExpiresOutOfRange { seconds, limit })
            }
            Some(seconds) => Ok(Some(Duration::from_secs(seconds))),
            None if self.rules.presign_expires => {
                Err(VerifyError::MissingParameters { location: Location::Query, names: alloc::vec![X_AMZ_EXPIRES] })
            }
            None => Ok(None),
        }
    }

    /// The one scope that it accepts for a signature made then.
    pub(crate) fn scope<'s>(&'s self, algorithm: Algorithm, signed: &'s Timestamp) -> Scope<'s> {
        let region = match algorithm {
            Algorithm::HmacSha256 => &self.region,
            Algorithm::EcdsaP256Sha256 => "",
        };
        Scope::unchecked(algorithm, signed.date(), region, &self.service)
    }

    /// 17.
    pub(super) fn check_scope(&self, presented: &UnverifiedRequest<'_>) -> Result<(), VerifyError> {
        let got = presented.scope();
        let expected = self.scope(got.algorithm(), &presented.timestamp);
        let terminator = presented.claims.terminator();
        if got == expected && terminator == TERMINATOR {
            return self.check_region_set(presented);
        }
        Err(VerifyError::WrongScope {
            location: presented.claims.location,
            got: ScopeParts::of(&got, terminator),
            expected: ScopeParts::of(&expected, TERMINATOR),
            signed: presented.timestamp,
        })
    }

    fn check_region_set(&self, presented: &UnverifiedRequest<'_>) -> Result<(), VerifyError> {
        match presented.region_set() {
            Some(region_set) if !covers(region_set, &self.region) => {
                let got = excerpt(region_set.as_bytes());
                Err(VerifyError::WrongRegionSet { got, region: self.region.clone() })
            }
            _ => Ok(()),
        }
    }

    /// 18.
    pub(super) fn check_payload<'p>(&self, presented: &'p UnverifiedRequest<'_>) -> Result<Body<'p>, VerifyError> {
        let rules = &self.rules;
        let unsigned = PayloadLine::Text(UNSIGNED_PAYLOAD);
        let presign_unsigned = presented.is_presigned() && rules.presign_unsigned_payload;
        match presented.content_sha256() {
            Some((text, signed)) if self.accepts_body(presented, signed) => {
                if let (SignedBody::Streaming(streaming), Some(_)) = (signed, presented.body_sha256) {
                    // The chunks are what is signed: a body that was handed over would stay unchecked.
                    return Err(VerifyError::BodyIsStreamed { streaming });
                }
                // AWS's own presigner signs UNSIGNED-PAYLOAD beside a pinned hash; `proven_body` looks at what pins it.
                Ok((signed, [Some(PayloadLine::Text(text)), presign_unsigned.then_some(unsigned)]))
            }
            Some((text, _)) => Err(VerifyError::InvalidContentSha256 { got: text.into() }),
            None if presign_unsigned => Ok((SignedBody::Unsigned, [Some(unsigned), None])),
            None if rules.content_sha256_header && !presented.is_presigned() => Err(VerifyError::MissingContentSha256),
            None => {
                // Taking it for empty would leave a body that did arrive unchecked.
                let hash = presented.body_sha256.ok_or(VerifyError::BodyNeeded)?;
                Ok((SignedBody::Sha256(hash), [Some(PayloadLine::Sha256(hex_of(hash))), None]))
            }
        }
    }

    /// Whether the rules accept what is said of the body.
    fn accepts_body(&self, presented: &UnverifiedRequest<'_>, signed: SignedBody) -> bool {
        let rules = &self.rules;
        match signed {
            SignedBody::Sha256(_) => rules.unsigned_payload != UnsignedPayload::Always,
            SignedBody::Unsigned => {
                presented.is_presigned() && rules.presign_unsigned_payload
                    || rules.unsigned_payload != UnsignedPayload::Refused
            }
            SignedBody::Streaming(streaming) => {
                rules.streaming_payload
                    && !presented.is_presigned()
                    && streaming.is_for(presented.scope().algorithm())
                    && !(signed.is_unsigned() && rules.unsigned_payload == UnsignedPayload::Refused)
            }
        }
    }

    /// 20. Whether the signature is right for one of the hosts and one of the payload lines; if not, what was computed for
    ///     the first of them, where that is to be said.
    pub(super) fn compare<'p>(
        &'p self,
        presented: &'p UnverifiedRequest<'_>,
        headers: &mut SignedHeaderList<'p>,
        lines: [Option<PayloadLine<'_>>; 2],
        key: &VerifyingKey<'_>,
        hosts: Hosts<'p>,
    ) -> (Option<Match<'p>>, Option<Box<Computed>>) {
        let buffer = presented.new_buffer();
        let mut candidates = Candidates { verifier: self, presented, key, buffer, computed: None };
        let mut try_host = |host: &'p str| {
            let line = candidates.matching_line(host.as_bytes(), headers, lines)?;
            Some(Match { host, line })
        };
        let found = match hosts {
            Hosts::Own(host) => try_host(host),
            Hosts::External(hosts) => hosts.iter().find_map(|host| try_host(host)),
        };
        (found, candidates.computed)
    }

    fn computed(&self, canonical_request: &[u8], string_to_sign: &StringToSign<'_>) -> Option<Box<Computed>> {
        let canonical_request = CanonicalRequest::from_bytes(canonical_request);
        let canonical_request = match self.echo {
            Echo::Nothing => return None,
            Echo::Redacted => canonical_request.redacted().to_string(),
            // One allocation of the right length: one that grows leaves a session token behind.
            Echo::Raw => String::from_utf8_lossy(canonical_request.as_bytes()).into_owned(),
        };
        let canonical_request = Zeroizing::new(canonical_request);
        Some(Box::new(Computed { canonical_request, string_to_sign: string_to_sign.to_string() }))
    }
}

/// The hosts that a signature may be for.
#[derive(Clone, Copy)]
pub(super) enum Hosts<'p> {
    /// The one that arrived.
    Own(&'p str),
    /// Those that clients know this server by.
    External(&'p [String]),
}

/// What the signature turned out to be of.
pub(super) struct Match<'p> {
    pub(super) host: &'p str,
    /// Which of the payload lines.
    line: usize,
}

/// The canonical requests that may have been signed, one after the other in one buffer.
struct Candidates<'c> {
    verifier: &'c Verifier,
    presented: &'c UnverifiedRequest<'c>,
    key: &'c VerifyingKey<'c>,
    buffer: Wiped<Vec<u8>>,
    /// Of the first.
    computed: Option<Box<Computed>>,
}

impl Candidates<'_> {
    fn matching_line<'p>(
        &mut self,
        host: &'p [u8],
        headers: &mut SignedHeaderList<'p>,
        lines: [Option<PayloadLine<'_>>; 2],
    ) -> Option<usize> {
        headers.set("host", host);
        let UnverifiedRequest { timestamp, claims, .. } = self.presented;
        lines.into_iter().flatten().position(|payload| {
            let parts = self.presented.canonical_parts(&self.verifier.rules, headers, payload);
            self.buffer.clear();
            parts.assemble(&mut self.buffer, 0);
            let string_to_sign = StringToSign::of_hash(*timestamp, claims.scope(), sha256(&self.buffer));
            let matches = self.key.verify(&string_to_sign, claims.signature());
            if !matches && self.computed.is_none() {
                self.computed = self.verifier.computed(&self.buffer, &string_to_sign);
            }
            matches
        })
    }
}

/// 12. The headers are those that arrived among the signed ones, in order.
pub(super) fn check_presence(
    presented: &UnverifiedRequest<'_>,
    headers: &SignedHeaderList<'_>,
) -> Result<(), VerifyError> {
    let mut arrived = headers.names();
    for name in presented.signed_headers() {
        if !arrived.next().is_some_and(|arrived| arrived.eq_ignore_ascii_case(name)) {
            return Err(VerifyError::SignedHeaderAbsent { name: excerpt(name.as_bytes()) });
        }
    }
    Ok(())
}

/// 13. The next hop removes what `Connection` names.
pub(super) fn check_hops(presented: &UnverifiedRequest<'_>) -> Result<(), VerifyError> {
    for option in presented.request.headers.connection_options() {
        if presented.signed_headers().any(|name| option.eq_ignore_ascii_case(name.as_bytes())) {
            return Err(VerifyError::HopByHopHeader { name: excerpt(option).to_ascii_lowercase() });
        }
    }
    Ok(())
}

/// Whether a segment is `.` or `..`, as it is on the wire: `%2e%2e` is a name.
fn has_dot_segments(path: &[u8]) -> bool {
    any_pair(path, |one, next| (one == b'/') & (next == b'.'))
        && path.split(|byte| *byte == b'/').any(|segment| matches!(segment, b"." | b".."))
}

/// 19. Whether the key is one to accept; asked after the work of comparing a signature.
pub(crate) fn check_standing(standing: KeyStanding, access_key_id: &str, now: Timestamp) -> Result<(), VerifyError> {
    let access_key_id = || excerpt(access_key_id.as_bytes());
    match standing {
        KeyStanding::UnknownAccessKey => Err(VerifyError::UnknownAccessKey { access_key_id: access_key_id() }),
        KeyStanding::InvalidSessionToken => Err(VerifyError::InvalidSessionToken { access_key_id: access_key_id() }),
        KeyStanding::ExpiresAt(expiry) if expiry <= now => {
            Err(VerifyError::ExpiredSessionToken { access_key_id: access_key_id(), expiry })
        }
        KeyStanding::Good | KeyStanding::ExpiresAt(_) => Ok(()),
    }
}

/// What the signature proves of the body. A hash beside a signed UNSIGNED-PAYLOAD holds only if it is signed itself, by
/// its parameter or its header: any other was added by the sender of the moment.
pub(super) fn proven_body(presented: &UnverifiedRequest<'_>, body: SignedBody, found: &Match<'_>) -> SignedBody {
    match found.line {
        0 => body,
        _ if presented.claims.pins_content_sha256() => body,
        _ if presented.signed_headers().any(|name| name == "x-amz-content-sha256") => body,
        _ => SignedBody::Unsigned,
    }
}

/// 21.
pub(super) fn check_body(presented: &UnverifiedRequest<'_>, body: SignedBody) -> Result<(), VerifyError> {
    match (&presented.body_sha256, body) {
        (Some(body_sha256), SignedBody::Sha256(_)) => body.check(body_sha256),
        _ => Ok(()),
    }
}
