//! Environment variables, given as a map.

use alloc::collections::BTreeMap;
use alloc::string::String;
use core::fmt;

use zeroize::Zeroizing;

/// Environment variables, and whether paths are written as on Windows. `Debug` shows only names.
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, Zeroizing<String>>,
    is_windows: bool,
}

impl Environment {
    /// Creates an environment with these variables, for any platform but Windows.
    pub fn new<N: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let variables =
            variables.into_iter().map(|(name, value)| (name.into(), Zeroizing::new(value.into()))).collect();
        Self { variables, is_windows: false }
    }

    /// Reads the environment of this process. Only variables that are Unicode are read.
    pub fn of_process() -> Self {
        let unicode = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let mut environment = Self::new(std::env::vars_os().filter_map(unicode));
        environment.is_windows = cfg!(windows);
        environment
    }

    /// Writes paths as on Windows, whatever this program runs on.
    pub fn for_windows(mut self) -> Self {
        self.is_windows = true;
        self
    }

    pub(super) fn is_windows(&self) -> bool {
        self.is_windows
    }

    /// Returns a variable. A blank one counts as not set, as in AWS's SDKs.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// Returns a variable exactly as it is set, unless it is blank.
    pub(super) fn verbatim(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.as_str()).filter(|value| !value.trim().is_empty())
    }

    /// Whether a variable is set to a blank value, which is a common mistake.
    pub(super) fn is_blank(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(|value| value.trim().is_empty())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("variables", &self.variables.keys()).finish_non_exhaustive()
    }
}
