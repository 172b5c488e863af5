//! Where the configuration files are.

use alloc::string::String;

use crate::sources::environment::Environment;

/// The paths of the configuration files and of the caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    /// The home directory, if the environment says it.
    home: Option<String>,
    config: String,
    credentials: String,
}

impl Locations {
    /// Finds the paths: `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/config`, `~/.aws/credentials`.
    pub fn of(_environment: &Environment) -> Self {
        Self { home: None, config: String::new(), credentials: String::new() }
    }

    /// The path of the config file.
    pub fn config(&self) -> &str {
        &self.config
    }

    /// The path of the credentials file.
    pub fn credentials(&self) -> &str {
        &self.credentials
    }

    /// A path in the home directory: `in_home(&[".aws", "sso", "cache", "x.json"])`.
    pub(in crate::sources) fn in_home(&self, _names: &[&str]) -> String {
        String::new()
    }
}
