//! What a resolution tried, in order.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

/// Where credentials come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SourceKind {
    /// What the program itself was given or loads.
    Program,
    /// `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    Environment,
    /// A profile of the configuration files, as a whole.
    Profile,
    /// Static keys in a profile.
    StaticKeys,
    /// STS `AssumeRole`.
    AssumeRole,
    /// STS `AssumeRoleWithWebIdentity`.
    WebIdentity,
    /// IAM Identity Center (SSO).
    Sso,
    /// A session of `aws login`.
    Login,
    /// `credential_process`.
    Process,
    /// The endpoint of a container: ECS, EKS Pod Identity, Greengrass.
    Container,
    /// The instance metadata service of EC2, version 2.
    InstanceMetadata,
}

impl SourceKind {
    /// A name for programs, which stays the same: `instance_metadata`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Environment => "environment",
            Self::Profile => "profile",
            Self::StaticKeys => "static_keys",
            Self::AssumeRole => "assume_role",
            Self::WebIdentity => "web_identity",
            Self::Sso => "sso",
            Self::Login => "login",
            Self::Process => "process",
            Self::Container => "container",
            Self::InstanceMetadata => "instance_metadata",
        }
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Program => "program",
            Self::Environment => "environment",
            Self::Profile => "profile",
            Self::StaticKeys => "static keys",
            Self::AssumeRole => "role",
            Self::WebIdentity => "web identity",
            Self::Sso => "IAM Identity Center",
            Self::Login => "aws login",
            Self::Process => "credential_process",
            Self::Container => "container",
            Self::InstanceMetadata => "instance metadata",
        })
    }
}

/// What became of a source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// It isn't configured; the reason says what is missing.
    Skipped(String),
    /// Something that is worth knowing, though it isn't an error, e.g. that a cache file could not be written.
    Warning(String),
    /// It gave credentials, which the next step used; the text says which, without secrets.
    Used(String),
    /// It is configured and failed.
    Failed(String),
}

/// What was tried, in order. `Display` prints a line for each source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report(Vec<(SourceKind, Outcome)>);

impl Report {
    pub(super) fn new() -> Self {
        Self::default()
    }

    pub(super) fn push(&mut self, source: SourceKind, outcome: Outcome) {
        self.0.push((source, outcome));
    }

    /// Each source with its outcome, in the order in which they were tried.
    pub fn entries(&self) -> impl Iterator<Item = (SourceKind, &Outcome)> {
        self.0.iter().map(|(source, outcome)| (*source, outcome))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (source, outcome)) in self.0.iter().enumerate() {
            let line = if index > 0 { "\n" } else { "" };
            match outcome {
                Outcome::Skipped(reason) => write!(f, "{line}{source}: skipped, {reason}")?,
                Outcome::Warning(text) => write!(f, "{line}{source}: warning, {text}")?,
                Outcome::Used(text) => write!(f, "{line}{source}: {text}")?,
                Outcome::Failed(error) => write!(f, "{line}{source}: failed, {error}")?,
            }
        }
        Ok(())
    }
}
