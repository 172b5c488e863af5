//! What the sources share during one resolution.

use alloc::format;
use alloc::string::String;
use std::sync::Mutex;

use zeroize::Zeroizing;

use super::environment::Environment;
use super::error::SourceError;
use super::io::Io;
use super::profile::{Locations, Profiles, Section};
use super::refreshes::Refreshes;
use crate::sigv4::credentials::Credentials;
use crate::sigv4::timestamp::Timestamp;

/// What the sources share during one resolution.
pub(super) struct Context {
    pub(super) environment: Environment,
    pub(super) locations: Locations,
    /// The configuration files.
    pub(super) profiles: Profiles,
    /// The profile that was chosen, or `default`.
    pub(super) profile_name: String,
    /// The region that the program was given.
    pub(super) region: Option<String>,
    pub(super) io: Io,
    /// The URL of the instance metadata service that the program was given.
    pub(super) imds_endpoint: Option<String>,
    /// Whether the instance metadata service is asked by IPv6, if the program says it.
    pub(super) imds_ipv6: Option<bool>,
    /// The session token of the instance metadata service, for further requests of this resolution.
    pub(super) imds_token: Mutex<Option<Zeroizing<String>>>,
    /// What the resolver remembers of earlier resolutions.
    pub(super) refreshes: Refreshes,
}

/// Credentials that a source gave.
pub(super) struct Found {
    pub(super) credentials: Credentials,
    pub(super) account_id: Option<String>,
}

/// A setting, and where it stands.
pub(super) struct Setting<'a> {
    pub(super) value: &'a str,
    /// For errors: `AWS_REGION`, or `region of profile dev`.
    pub(super) place: String,
}

impl Context {
    pub(super) fn now(&self) -> Timestamp {
        self.io.now()
    }

    /// The profile that was chosen, if it exists.
    pub(super) fn profile(&self) -> Option<&Section> {
        self.profiles.profile(&self.profile_name)
    }

    /// A variable or else a key of the chosen profile.
    pub(super) fn setting(&self, variable: &str, key: &str) -> Option<Setting<'_>> {
        if let Some(value) = self.environment.get(variable) {
            return Some(Setting { value, place: variable.into() });
        }
        let value = self.profile()?.get(key).filter(|value| !value.is_empty())?;
        Some(Setting { value, place: format!("{key} of profile {}", self.profile_name) })
    }

    /// The region: given, from the environment, or from the chosen profile.
    pub(super) fn region(&self) -> Option<&str> {
        self.region.as_deref().or_else(|| self.environment.get("AWS_REGION")).or_else(|| {
            let setting = self.setting("AWS_DEFAULT_REGION", "region")?;
            Some(setting.value)
        })
    }

    /// Credentials of values that a source read, with their expiration.
    ///
    /// # Errors
    /// A value can't be part of credentials, or they have expired.
    pub(super) fn credentials(
        &self,
        origin: &str,
        (access_key_id, secret, token): (&str, &str, Option<&str>),
        expires_at: Option<Timestamp>,
        server_time: Option<Timestamp>,
    ) -> Result<Credentials, SourceError> {
        let invalid = |error| SourceError::Invalid { place: origin.into(), error };
        let mut credentials = Credentials::new(access_key_id, secret).map_err(invalid)?;
        if let Some(token) = token {
            credentials = credentials.with_session_token(token).map_err(invalid)?;
        }
        let Some(expires_at) = expires_at else { return Ok(credentials) };
        let now = self.now();
        if expires_at.unix_seconds() <= now.unix_seconds() {
            return Err(SourceError::Expired { origin: origin.into(), expires_at, now, server_time });
        }
        Ok(credentials.with_expires_at(expires_at))
    }
}
