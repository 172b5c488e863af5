//! What a profile says of IAM Identity Center.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::chain::{BaseSource, invalid};
use super::error::{ProfileError, shown};
use super::parse::{Profiles, Section};

/// What a profile says of IAM Identity Center.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SsoProfile {
    /// The profile.
    pub profile: String,
    /// `sso_session`, or `None` for the legacy form.
    pub session: Option<String>,
    /// `sso_start_url`.
    pub start_url: String,
    /// `sso_region`.
    pub region: String,
    /// `sso_account_id`.
    pub account_id: String,
    /// `sso_role_name`.
    pub role_name: String,
}

const KEYS: [&str; 5] = ["sso_session", "sso_account_id", "sso_role_name", "sso_start_url", "sso_region"];

impl Profiles {
    /// What a profile says of IAM Identity Center, if it says anything.
    pub(super) fn sso(&self, section: &Section) -> Result<Option<BaseSource>, ProfileError> {
        if KEYS.iter().all(|key| section.filled(key).is_none()) {
            return Ok(None);
        }
        let session = section.filled("sso_session");
        let (place, holder) = match session {
            Some(name) => (format!("[sso-session {}]", shown(name)), self.session(section, name)?),
            None => ("the profile".into(), section),
        };
        let required = ["sso_start_url", "sso_region"];
        let [Some(start_url), Some(region)] = required.map(|key| holder.filled(key).map(String::from)) else {
            return Err(missing(section, holder, &required, &place));
        };
        let (profile, session) = (section.name().into(), session.map(String::from));
        let role = ["sso_account_id", "sso_role_name"];
        match role.map(|key| section.filled(key).map(String::from)) {
            [Some(account_id), Some(role_name)] => {
                Ok(Some(BaseSource::Sso(SsoProfile { profile, session, start_url, region, account_id, role_name })))
            }
            [None, None] => Ok(Some(BaseSource::SsoToken { profile, session, start_url, region })),
            _ => Err(missing(section, section, &role, "the profile")),
        }
    }

    /// The session that a profile names. The profile must not repeat what is the session's: AWS's tools differ in
    /// which of two values counts.
    fn session(&self, section: &Section, name: &str) -> Result<&Section, ProfileError> {
        if let Some(key) = ["sso_start_url", "sso_region"].into_iter().find(|key| section.filled(key).is_some()) {
            let name = shown(name);
            let problem = format!("{key} belongs to [sso-session {name}]; remove it from the profile, or sso_session");
            return Err(invalid(section, problem));
        }
        self.sso_session(name).ok_or_else(|| {
            let name = shown(name);
            let problem = format!(
                "sso_session is {name}, and the config file has no [sso-session {name}]; add it, or run `aws configure \
                 sso`"
            );
            invalid(section, problem)
        })
    }
}

fn missing(section: &Section, holder: &Section, keys: &[&str], place: &str) -> ProfileError {
    let missing: Vec<&str> = keys.iter().copied().filter(|key| holder.filled(key).is_none()).collect();
    let missing = missing.join(" and ");
    invalid(section, format!("IAM Identity Center needs {missing}; add it to {place}, or run `aws configure sso`"))
}
