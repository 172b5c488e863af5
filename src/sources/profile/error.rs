//! What is wrong with a configuration file or a profile.

use alloc::string::String;
use core::fmt;

use crate::text::excerpt;

/// What is wrong with a configuration file or a profile. No variant holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// A line can't be read.
    #[error("{path}:{line}: {problem}")]
    Syntax {
        /// The path of the file.
        path: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
    },
    /// A profile was chosen, or another profile names it, and it doesn't exist.
    #[error("profile {} does not exist{}; {hint}", shown(.profile), by(.named_by))]
    NoProfile {
        /// The profile.
        profile: String,
        /// What names it: `AWS_PROFILE`, `source_profile of profile dev`.
        named_by: Option<String>,
        /// The section that was probably meant for it, or the profiles that exist.
        hint: String,
    },
    /// The profile has no keys that lead to credentials, e.g. only a region.
    #[error("profile {} has no credentials", shown(.profile))]
    NoCredentials {
        /// The profile.
        profile: String,
    },
    /// The keys of a profile don't fit together.
    #[error("profile {}: {problem}", shown(.profile))]
    Profile {
        /// The profile.
        profile: String,
        /// What is wrong: `role_arn is set, source_profile base has no keys`.
        problem: String,
    },
}

fn by(named_by: &Option<String>) -> String {
    named_by.as_ref().map_or_else(String::new, |named_by| alloc::format!(" ({} names it)", shown(named_by)))
}

/// A name, safe to print.
pub(super) fn shown(name: &str) -> String {
    excerpt(name.as_bytes())
}

/// What is probably a mistake in a configuration file, though the file can be read. It never holds a value.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProfileWarning {
    /// The path of the file.
    pub path: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it, and how to fix it.
    pub problem: String,
    /// The name of the section, if the whole section is ignored.
    pub(super) section: Option<String>,
}

/// Prints `PATH:LINE: PROBLEM`.
impl fmt::Display for ProfileWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.problem)
    }
}
