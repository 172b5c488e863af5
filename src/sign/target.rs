//! Where signatures are valid: a region and a service or, for SigV4A, a region set and a service.

use alloc::string::{String, ToString};
use alloc::sync::Arc;

use crate::sigv4::algorithm::Algorithm;
use crate::sigv4::authorization;
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
    printed: Printed,
}

/// The text that all signatures share, which is formatted once.
#[derive(Clone)]
struct Printed {
    /// What follows the date in a formatted scope. The keys that are kept for it share it.
    after_date: Arc<str>,
    /// The same, percent-encoded for a query.
    encoded_after_date: String,
    /// The start of an `Authorization` header, up to the date.
    header_start: String,
    /// The start of a presigned query, up to the date.
    query_start: String,
}

impl Printed {
    fn new(scope: &Scope<'_>, credentials: &Credentials) -> Self {
        let after_date: Arc<str> = Arc::from(scope.to_string().strip_prefix(scope.date()).unwrap_or_default());
        let (algorithm, access_key_id) = (scope.algorithm(), credentials.access_key_id());
        Self {
            encoded_after_date: encode_segment(&*after_date),
            after_date,
            header_start: authorization::header_start(algorithm, access_key_id),
            query_start: authorization::query_start(algorithm, access_key_id),
        }
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
    pub(super) fn new(region: String, service: String, credentials: &Credentials) -> Result<Self, ScopeError> {
        let printed = Printed::new(&Scope::new("00000000", &region, &service)?, credentials);
        Ok(Self { service, regions: Regions::One(region), printed })
    }

    pub(super) fn region_set(
        region_set: String,
        service: String,
        credentials: &Credentials,
    ) -> Result<Self, ScopeError> {
        if !is_region_set(&region_set) {
            return Err(ScopeError::RegionSet { got: excerpt(region_set.as_bytes()) });
        }
        let printed = Printed::new(&Scope::checked_without_region("00000000", &service)?, credentials);
        Ok(Self { service, regions: Regions::Set { region_set, key: derive_pair(credentials) }, printed })
    }

    /// Returns the same target for other credentials.
    pub(super) fn for_credentials(self, credentials: &Credentials) -> Self {
        let (algorithm, region) = self.algorithm_and_region();
        let printed = Printed::new(&Scope::unchecked(algorithm, "00000000", region, &self.service), credentials);
        let regions = match self.regions {
            Regions::Set { region_set, .. } => Regions::Set { region_set, key: derive_pair(credentials) },
            Regions::One(region) => Regions::One(region),
        };
        Self { regions, printed, ..self }
    }

    /// Returns the scope of a signature made now.
    pub(super) fn scope<'s>(&'s self, now: &'s Timestamp) -> Scope<'s> {
        let (algorithm, region) = self.algorithm_and_region();
        Scope::at(algorithm, now, region, &self.service).with_after_date(Some(self.printed.after_date.as_bytes()))
    }

    /// Returns what follows the date in the scope.
    pub(super) fn after_date(&self) -> &Arc<str> {
        &self.printed.after_date
    }

    fn algorithm_and_region(&self) -> (Algorithm, &str) {
        match &self.regions {
            Regions::One(region) => (Algorithm::HmacSha256, region),
            Regions::Set { .. } => (Algorithm::EcdsaP256Sha256, ""),
        }
    }

    /// Returns what follows the date in the scope, percent-encoded.
    pub(super) fn encoded_after_date(&self) -> &str {
        &self.printed.encoded_after_date
    }

    /// Returns the start of an `Authorization` header, up to the date.
    pub(super) fn header_start(&self) -> &str {
        &self.printed.header_start
    }

    /// Returns the start of a presigned query, up to the date.
    pub(super) fn query_start(&self) -> &str {
        &self.printed.query_start
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
