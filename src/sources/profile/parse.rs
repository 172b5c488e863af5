//! The contents of the configuration files.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

use super::error::{ProfileError, ProfileWarning};
use super::lines::{File, Reader};

/// The profiles, SSO sessions and services of the two configuration files. `Debug` shows only names.
#[derive(Clone, Default)]
pub struct Profiles {
    pub(super) profiles: BTreeMap<String, Section>,
    pub(super) sso_sessions: BTreeMap<String, Section>,
    pub(super) services: BTreeMap<String, Section>,
    pub(super) warnings: Vec<ProfileWarning>,
}

/// A profile, an SSO session, or a section of services. `Debug` shows only the names of its keys.
#[derive(Clone, Default)]
pub struct Section {
    name: String,
    values: BTreeMap<String, Zeroizing<String>>,
}

impl Profiles {
    /// Parses both files. Each is given with its path, which is only for errors, and with its text, which is empty if
    /// the file doesn't exist. A byte order mark at the start of a text is skipped.
    ///
    /// Sections with the same name are merged: the last value of a key wins, and a value in the credentials file wins
    /// over one in the config file. Profiles of the credentials file whose names contain spaces are read if the config
    /// file has a profile of that name, as the AWS CLI writes them.
    ///
    /// ```
    /// use countersign::sources::Profiles;
    ///
    /// let config = "[profile dev]\nregion = eu-west-1\ns3 =\n  addressing_style = path\n";
    /// let credentials = "[dev]\naws_access_key_id = AKIDEXAMPLE\n";
    /// let profiles = Profiles::parse(("config", config), ("credentials", credentials))?;
    /// let dev = profiles.profile("dev").unwrap();
    /// assert_eq!(dev.region(), Some("eu-west-1"));
    /// assert_eq!(dev.get("aws_access_key_id"), Some("AKIDEXAMPLE"));
    /// assert_eq!(dev.get_nested("s3", "addressing_style"), Some("path"));
    ///
    /// let error = Profiles::parse(("config", "[default]\nregion: eu-west-1\n"), ("credentials", "")).unwrap_err();
    /// assert_eq!(error.to_string(), "config:2: this line has no =; write key = value");
    /// # Ok::<(), countersign::sources::ProfileError>(())
    /// ```
    ///
    /// # Errors
    /// [`ProfileError::Syntax`] with path, line and reason: a key before the first section, a line without `=`, an
    /// empty key, a section without `]`, or an indented line that continues no value.
    pub fn parse(config: (&str, &str), credentials: (&str, &str)) -> Result<Self, ProfileError> {
        let mut profiles = Self::default();
        for (file, (path, text)) in [(File::Config, config), (File::Credentials, credentials)] {
            let text = text.strip_prefix('\u{feff}').unwrap_or(text);
            Reader::new(path, file, &mut profiles).read(text)?;
        }
        Ok(profiles)
    }

    /// Returns a profile.
    pub fn profile(&self, name: &str) -> Option<&Section> {
        self.profiles.get(name)
    }

    /// Returns an SSO session.
    pub fn sso_session(&self, name: &str) -> Option<&Section> {
        self.sso_sessions.get(name)
    }

    /// Returns a section of services.
    pub fn services(&self, name: &str) -> Option<&Section> {
        self.services.get(name)
    }

    /// Returns all profiles, sorted by name.
    pub fn profiles(&self) -> impl Iterator<Item = &Section> {
        self.profiles.values()
    }

    /// Returns all SSO sessions, sorted by name.
    pub fn sso_sessions(&self) -> impl Iterator<Item = &Section> {
        self.sso_sessions.values()
    }

    /// Returns all sections of services, sorted by name.
    pub fn all_services(&self) -> impl Iterator<Item = &Section> {
        self.services.values()
    }

    /// Returns what is probably a mistake in the files, though they can be read: sections and keys that are ignored,
    /// and comments that become part of a value or that other tools take for part of it. At most
    /// [`Profiles::MAX_WARNINGS`] are kept.
    pub fn warnings(&self) -> &[ProfileWarning] {
        &self.warnings
    }

    /// The number of warnings that are kept.
    pub const MAX_WARNINGS: usize = 100;
}

impl Section {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.into(), values: BTreeMap::new() }
    }

    /// Returns the name of the section, without its kind.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the value of a key, which is written in lower case. A value that is continued on further lines has a
    /// line feed before each of them, and a value of nested keys begins with one: see [`Section::get_nested`].
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(|value| value.as_str())
    }

    /// Returns the value of a nested key, e.g. of `addressing_style` in `s3`:
    ///
    /// ```text
    /// s3 =
    ///   addressing_style = path
    /// ```
    ///
    /// The case of `nested` doesn't matter. If the key appears more than once, the last one counts.
    pub fn get_nested(&self, key: &str, nested: &str) -> Option<&str> {
        let lines = self.get(key)?.strip_prefix('\n')?.split('\n');
        let mut pairs = lines.filter_map(|line| line.split_once('='));
        pairs.rfind(|(name, _)| name.trim().eq_ignore_ascii_case(nested)).map(|(_, value)| value.trim())
    }

    /// Returns the keys, in lower case and sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.values.keys().map(String::as_str)
    }

    /// Returns the region of the section, unless it is blank.
    pub fn region(&self) -> Option<&str> {
        self.filled("region")
    }

    /// The value of a key without white space around it, unless it is blank.
    pub(in crate::sources) fn filled(&self, key: &str) -> Option<&str> {
        self.get(key).map(str::trim).filter(|value| !value.is_empty())
    }

    pub(super) fn set(&mut self, key: String, value: &str) {
        self.values.insert(key, Zeroizing::new(value.into()));
    }

    /// Adds a line to a value.
    pub(super) fn continue_value(&mut self, key: &str, line: &str) {
        let Some(value) = self.values.get_mut(key) else { return };
        let length = value.len() + 1 + line.len();
        if length > value.capacity() {
            // A `String` that grows leaves a copy of a secret behind.
            let mut grown = Zeroizing::new(String::with_capacity(length * 2));
            grown.push_str(value);
            *value = grown;
        }
        value.push('\n');
        value.push_str(line);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.values.extend(other.values);
    }
}

impl fmt::Debug for Profiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profiles")
            .field("profiles", &self.profiles.keys())
            .field("sso_sessions", &self.sso_sessions.keys())
            .field("services", &self.services.keys())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section").field("name", &self.name).field("keys", &self.values.keys()).finish_non_exhaustive()
    }
}
