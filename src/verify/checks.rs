//! The checks of [`Verifier`], one function each, with the numbers used in its documentation.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::error::VerifyError;
use super::presented::Presented;
use super::scope_parts::ScopeParts;
use super::verifier::Verifier;
use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization::{Claims, Location, X_AMZ_EXPIRES};
use crate::sigv4::canonical_request::{SignedHeaderList, pairs};
use crate::sigv4::rules::{Rules, SessionTokenName};
use crate::sigv4::scope::{Scope, TERMINATOR};
use crate::sigv4::sigv4a::covers;
use crate::sigv4::timestamp::Timestamp;
use crate::text::percent::query_decoded;
use crate::text::{any_pair, excerpt, is_name, starts_with_ignoring_case};

/// How far in the future a presigned URL may be dated. Client clocks can run fast; S3 allows the same.
pub(crate) const PRESIGN_AHEAD: Duration = Duration::from_secs(15 * 60);

/// The maximum number of headers that an error lists.
pub(crate) const MOST_NAMED: usize = 16;

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
            Some(accepted) if presented.timestamp.date_bytes() == date && claims.has_terminator() => {
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

/// Returns `true` if a segment, as sent, is `.` or `..`. `%2e%2e` is an ordinary name.
fn has_dot_segments(path: &[u8]) -> bool {
    any_pair(path, |one, next| (one == b'/') & (next == b'.'))
        && path.split(|byte| *byte == b'/').any(|segment| matches!(segment, b"." | b".."))
}
