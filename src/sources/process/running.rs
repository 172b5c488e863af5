//! The profiles whose commands are running: this process may itself have been started by one of them.
//!
//! A command that asks for the credentials of its own profile, such as `countersign credentials --profile dev` in profile
//! `dev`, would start itself until the machine has no processes left. Each command is therefore told for which profiles
//! commands are running, in a variable that its own commands inherit.

use alloc::format;
use alloc::string::{String, ToString};

use crate::sources::context::Context;

const VARIABLE: &str = "COUNTERSIGN_RUNNING_PROFILES";

/// Returns the variable for the command of this profile.
///
/// # Errors
/// The command of this profile is already running.
pub(super) fn variable(context: &Context, profile: &str) -> Result<(String, String), String> {
    let running = context.environment.get(VARIABLE).unwrap_or_default();
    // A command may use other configuration files, in which the same name means another profile.
    let own = [context.locations.config(), context.locations.credentials(), profile].join("\t");
    if running.lines().any(|line| line == own) {
        return Err(format!(
            "was started for profile {profile} and needs the credentials of the same profile, which never ends; let the \
             command use a profile without this credential_process"
        ));
    }
    let all = if running.is_empty() { own } else { [running, &own].join("\n") };
    Ok((VARIABLE.to_string(), all))
}
