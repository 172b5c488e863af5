//! What is wrong with a configuration file or a profile.

use alloc::string::String;

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
    #[error("profile {profile} does not exist{}", by(.named_by))]
    NoProfile {
        /// The profile.
        profile: String,
        /// What names it: `AWS_PROFILE`, `source_profile of profile dev`.
        named_by: Option<String>,
    },
    /// The profile has no keys that lead to credentials, e.g. only a region.
    #[error("profile {profile} has no credentials")]
    NoCredentials {
        /// The profile.
        profile: String,
    },
    /// The keys of a profile don't fit together.
    #[error("profile {profile}: {problem}")]
    Profile {
        /// The profile.
        profile: String,
        /// What is wrong: `role_arn is set, source_profile base has no keys`.
        problem: String,
    },
}

fn by(named_by: &Option<String>) -> String {
    named_by.as_ref().map_or_else(String::new, |named_by| alloc::format!(" ({named_by} names it)"))
}
