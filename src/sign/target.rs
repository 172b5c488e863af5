//! Where signatures are valid: a region and a service or, for SigV4A, a region set and a service.

use alloc::string::{String, ToString};

use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::scope::{Scope, ScopeError};
use crate::sigv4::signing_key::SigningKey;
use crate::sigv4::sigv4a::is_region_set;
use crate::sigv4::timestamp::Timestamp;
use crate::text::excerpt;
use crate::text::percent::encode_segment;

/// Validated on construction, so that every scope derived from it is well-formed.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) service: String,
    regions: Regions,
    after_date: AfterDate,
}

/// What follows the date in a formatted scope. All signatures share it, so it is formatted once.
#[derive(Clone)]
struct AfterDate {
    text: String,
    /// The same, percent-encoded for a query.
    encoded: String,
}

impl AfterDate {
    fn of(scope: &Scope<'_>) -> Self {
        let text = String::from(scope.to_string().strip_prefix(scope.date()).unwrap_or_default());
        Self { encoded: encode_segment(&text), text }
    }
}

#[derive(Clone)]
enum Regions {
    One(String),
    Set {
        region_set: String,
        /// Valid for all dates and services; it belongs to the credentials.
        key: SigningKey,
    },
}

impl Target {
    pub(super) fn new(region: String, service: String) -> Result<Self, ScopeError> {
        let after_date = AfterDate::of(&Scope::new("00000000", &region, &service)?);
        Ok(Self { service, regions: Regions::One(region), after_date })
    }

    pub(super) fn region_set(
        region_set: String,
        service: String,
        credentials: &Credentials,
    ) -> Result<Self, ScopeError> {
        if !is_region_set(&region_set) {
            return Err(ScopeError::RegionSet { got: excerpt(region_set.as_bytes()) });
        }
        let after_date = AfterDate::of(&Scope::checked_without_region("00000000", &service)?);
        Ok(Self { service, regions: Regions::Set { region_set, key: derive_pair(credentials) }, after_date })
    }

    /// Returns the same target for other credentials.
    pub(super) fn for_credentials(self, credentials: &Credentials) -> Self {
        let regions = match self.regions {
            Regions::Set { region_set, .. } => Regions::Set { region_set, key: derive_pair(credentials) },
            Regions::One(region) => Regions::One(region),
        };
        Self { regions, ..self }
    }

    /// Returns the scope of a signature made now.
    pub(super) fn scope<'s>(&'s self, now: &'s Timestamp) -> Scope<'s> {
        let (algorithm, region) = match &self.regions {
            Regions::One(region) => (Algorithm::HmacSha256, region.as_str()),
            Regions::Set { .. } => (Algorithm::EcdsaP256Sha256, ""),
        };
        Scope::unchecked(algorithm, now.date(), region, &self.service).with_after_date(&self.after_date.text)
    }

    /// Returns what follows the date in the scope, percent-encoded.
    pub(super) fn encoded_after_date(&self) -> &str {
        &self.after_date.encoded
    }

    /// Returns the region set of SigV4A.
    pub(super) fn set(&self) -> Option<&str> {
        match &self.regions {
            Regions::Set { region_set, .. } => Some(region_set),
            Regions::One(_) => None,
        }
    }

    /// Returns the key of SigV4A, which is the same for every scope.
    pub(super) fn key(&self) -> Option<&SigningKey> {
        match &self.regions {
            Regions::Set { key, .. } => Some(key),
            Regions::One(_) => None,
        }
    }

    /// Returns the region or the region set.
    pub(super) fn regions(&self) -> &str {
        match &self.regions {
            Regions::One(region) => region,
            Regions::Set { region_set, .. } => region_set,
        }
    }
}

fn derive_pair(credentials: &Credentials) -> SigningKey {
    SigningKey::derive_pair(credentials.access_key_id(), credentials.aws4_secret())
}
