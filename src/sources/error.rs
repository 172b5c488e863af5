//! Why no credentials were found.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use super::ask::AskError;
use super::profile::ProfileError;
use super::report::{Report, SourceKind};
use crate::sigv4::credentials::CredentialsError;
use crate::sigv4::timestamp::Timestamp;

/// Why a resolution failed, with everything that was tried before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveError(Box<Failure>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    error: SourceError,
    source: Option<SourceKind>,
    report: Report,
}

impl ResolveError {
    pub(super) fn new(error: SourceError, source: Option<SourceKind>, report: Report) -> Self {
        Self(Box::new(Failure { error, source, report }))
    }

    /// Creates an error for credentials that a program loads itself. The message must not hold secrets.
    pub fn of_program(message: impl Into<String>) -> Self {
        let error = SourceError::Program { message: message.into() };
        Self::new(error, Some(SourceKind::Program), Report::default())
    }

    /// Returns what went wrong.
    pub fn error(&self) -> &SourceError {
        &self.0.error
    }

    /// Returns the source that is configured and failed, or `None` if no source is configured.
    pub fn kind(&self) -> Option<SourceKind> {
        self.0.source
    }

    /// Returns what was tried, in order.
    pub fn report(&self) -> &Report {
        &self.0.report
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.source {
            Some(source) => write!(f, "{source}: {}", self.0.error),
            None => self.0.error.fmt(f),
        }
    }
}

impl core::error::Error for ResolveError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.0.error)
    }
}

/// What went wrong at a source. No variant holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Nothing is configured.
    #[error(
        "no credentials are configured; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add a profile to {config}"
    )]
    NotConfigured {
        /// The path of the configuration file.
        config: String,
    },
    /// Of two values that belong together, one is missing.
    #[error("{set} is set, {missing} is not{}; set both or neither", if *.blank { " (it is blank)" } else { "" })]
    Incomplete {
        /// The one that is set.
        set: String,
        /// The one that is missing.
        missing: String,
        /// Whether the missing one is set to a blank value.
        blank: bool,
    },
    /// A value can't be part of credentials.
    #[error("{place}: {error}")]
    Invalid {
        /// Where it was read.
        place: String,
        /// What is wrong with it.
        error: CredentialsError,
    },
    /// The configuration files are malformed, or a profile is.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// A setting has a value that it can't have.
    #[error("{place} is {value:?}; it has to be {expected}")]
    Setting {
        /// The variable, or the key with its profile.
        place: String,
        /// Its value, which is not secret.
        value: String,
        /// What it may be.
        expected: String,
    },
    /// A file could not be read.
    #[error("{path} can't be read: {error}")]
    Unreadable {
        /// The path.
        path: String,
        /// Why.
        error: AskError,
    },
    /// A file that is needed doesn't exist or doesn't hold what it should.
    #[error("{path} {problem}")]
    File {
        /// The path.
        path: String,
        /// What is wrong: `does not exist`, `holds a line feed`.
        problem: String,
    },
    /// A request got no response.
    #[error("no answer from {url}: {error}{}", what_to_do(.hint))]
    NoResponse {
        /// The URL without its query.
        url: String,
        /// Why.
        error: AskError,
        /// What to do, if that is known.
        hint: Option<&'static str>,
    },
    /// A request was refused.
    #[error("{url} answered {status}{}{}", detail(.code), detail(.message))]
    Refused {
        /// The URL without its query.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The error code, if there is one.
        code: Option<String>,
        /// The message, if there is one, without secrets.
        message: Option<String>,
    },
    /// A response or the output of a command isn't what it should be.
    #[error("{origin} gave an answer that can't be used: {problem}")]
    Unusable {
        /// The URL without its query, or the name of the command.
        origin: String,
        /// What is missing or malformed.
        problem: String,
    },
    /// The user has to log in again.
    #[error("{problem}; run `{command}`")]
    LoginNeeded {
        /// Why.
        problem: String,
        /// The command to run.
        command: String,
    },
    /// A command could not be run or failed.
    #[error("{program} {problem}")]
    Command {
        /// The program without its arguments.
        program: String,
        /// What went wrong.
        problem: String,
    },
    /// Credentials had already expired when they arrived.
    #[error("the credentials from {origin} expired at {expires_at}, and it is {now} by this machine's clock{}", clock(*.server_time, *.now))]
    Expired {
        /// Where they came from.
        origin: String,
        /// When they expired.
        expires_at: Timestamp,
        /// The time of this machine.
        now: Timestamp,
        /// The time of the server that gave them, if it says so.
        server_time: Option<Timestamp>,
    },
    /// The code of an MFA device is needed.
    #[error("the code of the MFA device {serial} is needed: {error}")]
    Mfa {
        /// The device.
        serial: String,
        /// Why there is no code.
        error: AskError,
    },
    /// A request could not be signed, e.g. since the credentials for it have expired meanwhile.
    #[error("the request to {url} can't be signed: {problem}")]
    Unsigned {
        /// The URL without its query.
        url: String,
        /// Why.
        problem: String,
    },
    /// The program could not load credentials itself.
    #[error("{message}")]
    Program {
        /// Why.
        message: String,
    },
    /// Credentials expire before the time until which they are needed, even just after a refresh.
    #[error(
        "the credentials expire at {expires_at}, but are needed until {until}; request a shorter time, or configure \
         longer sessions (duration_seconds of the profile)"
    )]
    TooShort {
        /// When they expire.
        expires_at: Timestamp,
        /// Until when they are needed.
        until: Timestamp,
    },
}

fn what_to_do(hint: &Option<&'static str>) -> String {
    hint.map_or_else(String::new, |hint| alloc::format!("; {hint}"))
}

fn detail(detail: &Option<String>) -> String {
    detail.as_ref().map_or_else(String::new, |detail| alloc::format!(": {detail}"))
}

pub(super) fn clock(server_time: Option<Timestamp>, now: Timestamp) -> String {
    let Some(server_time) = server_time else { return "; check the clock".into() };
    let difference = now.unix_seconds() - server_time.unix_seconds();
    match difference {
        301.. => alloc::format!("; the clock is {} minutes ahead of the server's", difference / 60),
        ..=-301 => alloc::format!("; the clock is {} minutes behind the server's", -difference / 60),
        _ => String::new(),
    }
}
