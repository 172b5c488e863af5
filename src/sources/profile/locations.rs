//! Where the configuration files are.

use alloc::string::String;

use crate::sources::environment::Environment;

/// The paths of the configuration files and of the caches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locations {
    /// The home directory, if the environment says it.
    home: Option<String>,
    is_windows: bool,
    config: String,
    credentials: String,
}

impl Locations {
    /// Finds the paths: `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE`, else `~/.aws/config`, `~/.aws/credentials`.
    ///
    /// The home directory is `HOME`; on Windows, if that isn't set, `USERPROFILE`, then `HOMEDRIVE` with `HOMEPATH`.
    /// Without a home directory, `~` stays in the paths, and [`Resolver`](crate::sources::Resolver) neither reads nor
    /// writes such files: they would be in a directory named `~` of the working directory, which may be another user's.
    pub fn of(environment: &Environment) -> Self {
        let is_windows = environment.is_windows();
        let (config, credentials) = (String::new(), String::new());
        let mut locations = Self { home: home(environment), is_windows, config, credentials };
        let path = |variable: &str, name: &str| match environment.get(variable) {
            Some(path) => locations.expand(path),
            None => locations.in_home(&[".aws", name]),
        };
        let (config, credentials) =
            (path("AWS_CONFIG_FILE", "config"), path("AWS_SHARED_CREDENTIALS_FILE", "credentials"));
        (locations.config, locations.credentials) = (config, credentials);
        locations
    }

    /// The path of the config file.
    pub fn config(&self) -> &str {
        &self.config
    }

    /// The path of the credentials file.
    pub fn credentials(&self) -> &str {
        &self.credentials
    }

    /// Replaces `~` at the start of a path with the home directory, if that is known. A name that only begins with
    /// `~`, e.g. `~user`, stays as it is.
    pub fn expand(&self, path: &str) -> String {
        let Some(rest) = below_home(path, self.is_windows) else { return path.into() };
        let names: alloc::vec::Vec<&str> =
            rest.split(['/', self.separator()]).filter(|name| !name.is_empty()).collect();
        self.in_home(&names)
    }

    /// A path in the home directory: `in_home(&[".aws", "sso", "cache", "x.json"])`.
    pub(in crate::sources) fn in_home(&self, names: &[&str]) -> String {
        let home = self.home.as_deref().unwrap_or("~");
        let mut path =
            String::from(if self.is_windows { home.trim_end_matches(['/', '\\']) } else { home.trim_end_matches('/') });
        for name in names {
            path.push(self.separator());
            path.push_str(name);
        }
        if path.is_empty() { home.into() } else { path }
    }

    fn separator(&self) -> char {
        if self.is_windows { '\\' } else { '/' }
    }
}

/// The part of a path after `~`, if it begins with that.
fn below_home(path: &str, is_windows: bool) -> Option<&str> {
    let is_separator = |c| c == '/' || is_windows && c == '\\';
    path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with(is_separator))
}

/// Whether a path is in a home directory that isn't known.
pub(in crate::sources) fn needs_home(path: &str) -> bool {
    below_home(path, true).is_some()
}

fn home(environment: &Environment) -> Option<String> {
    if let Some(home) = environment.get("HOME") {
        return Some(home.into());
    }
    if !environment.is_windows() {
        return None;
    }
    if let Some(home) = environment.get("USERPROFILE") {
        return Some(home.into());
    }
    let mut home = String::from(environment.get("HOMEDRIVE")?);
    home.push_str(environment.get("HOMEPATH")?);
    Some(home)
}
