//! The plan of a profile: where its chain of roles begins, and which roles are assumed then.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::error::{ProfileError, shown};
use super::parse::{Profiles, Section};
use super::sso::SsoProfile;
use crate::sigv4::credentials::Credentials;

/// What a profile asks for: credentials of a source, and roles to assume with them, one after the other.
#[derive(Debug, Clone)]
pub struct ProfileChain {
    /// Where the first credentials come from.
    pub base: BaseSource,
    /// The roles to assume, in order.
    pub roles: Vec<AssumeRole>,
}

/// Where the first credentials of a chain come from. Each names the profile that asks for it. `Debug` doesn't show the
/// command of a process.
#[derive(Clone)]
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
        /// `region` of the profile: whose STS is asked.
        region: Option<String>,
    },
    /// IAM Identity Center.
    Sso(SsoProfile),
    /// IAM Identity Center without `sso_account_id` and `sso_role_name`: enough for a bearer token, which some services
    /// take, but not for credentials.
    SsoToken {
        /// The profile.
        profile: String,
        /// `sso_session`, or `None` for the legacy form.
        session: Option<String>,
        /// `sso_start_url`.
        start_url: String,
        /// `sso_region`.
        region: String,
    },
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
        command: Zeroizing<String>,
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

/// Each role is a request, and takes part of the time of the session before it.
const MAX_ROLES: usize = 32;

const KEYS: [&str; 2] = ["aws_access_key_id", "aws_secret_access_key"];

/// With whose credentials a role is assumed.
enum RoleSource<'a> {
    Profile(&'a str),
    /// What else the same profile says.
    Itself,
}

impl Profiles {
    /// Returns what a profile asks for, without any I/O.
    ///
    /// A profile with `role_arn` needs the credentials of another one (`source_profile`, which may be the profile
    /// itself) or of a source (`credential_source`), unless it has `web_identity_token_file`. Static keys of a source
    /// profile come before its `role_arn`. Otherwise the first of these is used: `credential_source`,
    /// `web_identity_token_file`, the `sso_…` keys, `login_session`, `credential_process`, static keys. A blank value
    /// counts as missing.
    ///
    /// # Errors
    /// - [`ProfileError::NoProfile`]: the profile doesn't exist, or one that it names as its source.
    /// - [`ProfileError::NoCredentials`]: the profile exists, and has nothing that leads to credentials.
    /// - [`ProfileError::Profile`]: its keys don't fit together, a key is missing or malformed, its sources form a
    ///   cycle, or there are more than 32 roles.
    pub fn chain(&self, profile: &str) -> Result<ProfileChain, ProfileError> {
        let mut section = self.profile(profile).ok_or_else(|| self.no_profile(profile, None))?;
        let (mut visited, mut roles) = (Vec::new(), Vec::new());
        let base = loop {
            visited.push(section.name());
            if !roles.is_empty() && KEYS.iter().all(|key| section.filled(key).is_some()) {
                break static_keys(section)?;
            }
            let Some(role) = role(section)? else { break self.base(section)? };
            if roles.len() == MAX_ROLES {
                return Err(invalid(section, format!("the chain has more than {MAX_ROLES} roles; shorten it")));
            }
            roles.push(role);
            match role_source(section)? {
                RoleSource::Itself => break self.base(section)?,
                RoleSource::Profile(name) => section = self.source(section, name, &visited)?,
            }
        };
        let base = base.ok_or_else(|| without_keys(&visited, roles.len()))?;
        roles.reverse();
        Ok(ProfileChain { base, roles })
    }

    /// The profile that another one names.
    fn source(&self, section: &Section, name: &str, visited: &[&str]) -> Result<&Section, ProfileError> {
        if visited.contains(&name) {
            let names: Vec<String> = visited.iter().chain([&name]).map(|name| shown(name)).collect();
            let problem = format!("source_profile forms a cycle: {}", names.join(" -> "));
            return Err(invalid(section, problem));
        }
        let named_by = || format!("source_profile of profile {}", section.name());
        self.profile(name).ok_or_else(|| self.no_profile(name, Some(named_by())))
    }

    fn base(&self, section: &Section) -> Result<Option<BaseSource>, ProfileError> {
        let profile = String::from(section.name());
        if let Some(source) = section.filled("credential_source") {
            let source = NamedSource::of(source).ok_or_else(|| unknown_source(section, source))?;
            return Ok(Some(BaseSource::Named { profile, source }));
        }
        if let Some(token_file) = section.filled("web_identity_token_file") {
            return web_identity(section, token_file).map(Some);
        }
        if let Some(sso) = self.sso(section)? {
            return Ok(Some(sso));
        }
        if let Some(session) = section.filled("login_session") {
            return Ok(Some(BaseSource::Login { profile, session: session.into() }));
        }
        if let Some(command) = section.filled("credential_process") {
            let command = Zeroizing::new(command.into());
            return Ok(Some(BaseSource::Process { profile, command, account_id: account_id(section) }));
        }
        let keys = static_keys(section)?;
        if keys.is_none() && section.filled("source_profile").is_some() && section.filled("role_arn").is_none() {
            return Err(invalid(section, "source_profile is set, role_arn is not; set both or neither"));
        }
        Ok(keys)
    }

    fn no_profile(&self, profile: &str, named_by: Option<String>) -> ProfileError {
        let ignored = self.warnings().iter().find(|warning| warning.section.as_deref() == Some(profile));
        let names: Vec<String> = self.profiles().take(10).map(|section| shown(section.name())).collect();
        let hint = match (ignored, names.join(", ")) {
            (Some(warning), _) => format!("{warning}"),
            (None, names) if names.is_empty() => "the configuration files have no profiles".into(),
            (None, names) if self.profiles().nth(10).is_some() => format!("the first profiles are {names}"),
            (None, names) => format!("the profiles are {names}"),
        };
        ProfileError::NoProfile { profile: profile.into(), named_by, hint }
    }
}

pub(super) fn invalid(section: &Section, problem: impl Into<String>) -> ProfileError {
    ProfileError::Profile { profile: section.name().into(), problem: problem.into() }
}

/// The error of a chain whose base has nothing that leads to credentials.
fn without_keys(visited: &[&str], roles: usize) -> ProfileError {
    let add = "add aws_access_key_id and aws_secret_access_key to it, or another source of credentials";
    match *visited {
        [.., profile, source] if roles < visited.len() => {
            let problem = format!("role_arn is set, source_profile {} has no keys; {add}", shown(source));
            ProfileError::Profile { profile: profile.into(), problem }
        }
        [.., profile] if roles > 0 => {
            let problem = format!("role_arn is set, source_profile is the profile itself and it has no keys; {add}");
            ProfileError::Profile { profile: profile.into(), problem }
        }
        _ => ProfileError::NoCredentials { profile: visited.concat() },
    }
}

/// The role that a profile asks for with the credentials of another step.
fn role(section: &Section) -> Result<Option<AssumeRole>, ProfileError> {
    let text = |key| section.filled(key).map(String::from);
    let (Some(role_arn), None) = (role_arn(section)?, section.filled("web_identity_token_file")) else {
        return Ok(None);
    };
    Ok(Some(AssumeRole {
        profile: section.name().into(),
        role_arn,
        session_name: text("role_session_name"),
        external_id: text("external_id"),
        duration_seconds: duration(section)?,
        mfa_serial: text("mfa_serial"),
        region: text("region"),
    }))
}

fn role_arn(section: &Section) -> Result<Option<String>, ProfileError> {
    let Some(role_arn) = section.filled("role_arn") else { return Ok(None) };
    if role_arn.contains(char::is_whitespace) {
        let problem = "role_arn contains white space; look for a comment after it or an indented line below it";
        return Err(invalid(section, problem));
    }
    Ok(Some(role_arn.into()))
}

fn duration(section: &Section) -> Result<Option<u32>, ProfileError> {
    let Some(text) = section.filled("duration_seconds") else { return Ok(None) };
    let seconds = crate::text::is_digits(text).then(|| text.parse().ok()).flatten();
    match seconds {
        Some(seconds @ 900..=43_200) => Ok(Some(seconds)),
        _ => {
            let problem = format!("duration_seconds is {}; it has to be a whole number from 900 to 43200", shown(text));
            Err(invalid(section, problem))
        }
    }
}

fn role_source(section: &Section) -> Result<RoleSource<'_>, ProfileError> {
    match (section.filled("source_profile"), section.filled("credential_source")) {
        (Some(_), Some(_)) => {
            Err(invalid(section, "source_profile and credential_source are both set; remove one of them"))
        }
        (Some(source), None) if source == section.name() => Ok(RoleSource::Itself),
        (Some(source), None) => Ok(RoleSource::Profile(source)),
        (None, Some(_)) => Ok(RoleSource::Itself),
        (None, None) => Err(invalid(
            section,
            "role_arn is set without credentials to assume it with; add source_profile, credential_source or \
             web_identity_token_file",
        )),
    }
}

impl NamedSource {
    const ALL: [(&str, Self); 3] = [
        ("Environment", Self::Environment),
        ("EcsContainer", Self::EcsContainer),
        ("Ec2InstanceMetadata", Self::Ec2InstanceMetadata),
    ];

    /// Returns the source of that name, whose case doesn't matter.
    fn of(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, source)| *source)
    }

    /// Returns the name, e.g. `Ec2InstanceMetadata`.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, source)| *source == self).map_or("", |(name, _)| name)
    }
}

fn unknown_source(section: &Section, source: &str) -> ProfileError {
    let names = NamedSource::ALL.map(|(name, _)| name).join(", ");
    invalid(section, format!("credential_source is {}; it has to be one of {names}", shown(source)))
}

fn web_identity(section: &Section, token_file: &str) -> Result<BaseSource, ProfileError> {
    let role_arn = role_arn(section)?
        .ok_or_else(|| invalid(section, "web_identity_token_file is set, role_arn is not; set both or neither"))?;
    Ok(BaseSource::WebIdentity {
        profile: section.name().into(),
        token_file: token_file.into(),
        role_arn,
        session_name: section.filled("role_session_name").map(String::from),
        region: section.region().map(String::from),
    })
}

fn account_id(section: &Section) -> Option<String> {
    section.filled("aws_account_id").map(String::from)
}

fn static_keys(section: &Section) -> Result<Option<BaseSource>, ProfileError> {
    let token = section.filled("aws_session_token");
    let (id, secret) = match KEYS.map(|key| section.filled(key)) {
        [Some(id), Some(secret)] => (id, secret),
        [None, None] if token.is_none() => return Ok(None),
        keys => return Err(partial(section, keys.map(|key| key.is_some()))),
    };
    let credentials = Credentials::new(id, secret).and_then(|credentials| match token {
        Some(token) => credentials.with_session_token(token),
        None => Ok(credentials),
    });
    let credentials = credentials.map_err(|error| invalid(section, format!("{error}")))?;
    Ok(Some(BaseSource::StaticKeys { profile: section.name().into(), credentials, account_id: account_id(section) }))
}

fn partial(section: &Section, are_set: [bool; 2]) -> ProfileError {
    let [id, secret] = KEYS;
    let (set, missing) = match are_set {
        [true, _] => (id, secret),
        [false, true] => (secret, id),
        [false, false] => {
            let problem = format!("aws_session_token is set, {id} and {secret} are not; set all three or none");
            return invalid(section, problem);
        }
    };
    let blank = if section.get(missing).is_some() { " (it is blank)" } else { "" };
    invalid(section, format!("{set} is set, {missing} is not{blank}; set both or neither"))
}

impl fmt::Debug for BaseSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, profile) = match self {
            Self::StaticKeys { profile, credentials, .. } => {
                return f
                    .debug_struct("StaticKeys")
                    .field("profile", profile)
                    .field("credentials", credentials)
                    .finish_non_exhaustive();
            }
            Self::Named { profile, source } => {
                return f.debug_struct("Named").field("profile", profile).field("source", source).finish();
            }
            Self::Sso(sso) => return f.debug_tuple("Sso").field(sso).finish(),
            Self::WebIdentity { profile, .. } => ("WebIdentity", profile),
            Self::SsoToken { profile, .. } => ("SsoToken", profile),
            Self::Login { profile, .. } => ("Login", profile),
            Self::Process { profile, .. } => ("Process", profile),
        };
        f.debug_struct(name).field("profile", profile).finish_non_exhaustive()
    }
}
