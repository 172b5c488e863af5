//! The cache files in which the AWS CLI keeps the sessions of a user.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt::Write;

use super::context::Context;
use super::environment::Environment;
use super::error::SourceError;
use super::refreshes::NotRefreshed;
use super::report::{Outcome, SourceKind};
use crate::hash::sha256;
use crate::json::read::{Json, parse};
use crate::sigv4::timestamp::Timestamp;

/// A session is refreshed when it ends within this time.
pub(super) const REFRESH_BEFORE_SECONDS: i64 = 5 * 60;

/// The login that a session came from.
pub(super) struct Login {
    /// For messages: `the token of SSO session corp`.
    what: String,
    /// `aws sso login --profile dev`.
    command: String,
    kind: SourceKind,
}

/// A cache file.
pub(super) struct TokenFile {
    pub(super) path: String,
    pub(super) json: Json,
    /// The hash of the file as it was read.
    hash: [u8; 32],
}

impl Login {
    /// `command` is `aws sso login` or `aws login`.
    pub(super) fn new(environment: &Environment, kind: SourceKind, what: String, command: &str, profile: &str) -> Self {
        Self { what, command: format!("{command} --profile {}", quoted(environment, profile)), kind }
    }

    pub(super) fn command(&self) -> &str {
        &self.command
    }

    /// Ends with what is wrong: `… is missing: PATH does not exist`.
    pub(super) fn needed(&self, problem: &str) -> SourceError {
        SourceError::LoginNeeded { problem: format!("{} {problem}", self.what), command: self.command.clone() }
    }

    /// The session has expired and could not be refreshed.
    pub(super) fn expired(&self, expired_at: Timestamp, reason: NotRefreshed) -> SourceError {
        match reason {
            NotRefreshed::NeedsLogin(reason) => {
                self.needed(&format!("expired at {} and can't be refreshed: {reason}", expired_at.extended()))
            }
            NotRefreshed::Error(error) => error,
        }
    }

    /// The session was not refreshed, which is not an error yet.
    pub(super) fn warn_of_end(&self, context: &Context, expires_at: Timestamp, reason: &NotRefreshed) {
        let expires_at = expires_at.extended();
        self.warn(context, format!("{} expires at {expires_at} and was not refreshed: {reason}", self.what));
    }

    fn warn(&self, context: &Context, text: String) {
        context.io.report(self.kind, Outcome::Warning(text));
    }
}

impl TokenFile {
    /// Reads a cache file.
    ///
    /// # Errors
    /// [`SourceError::LoginNeeded`] if it doesn't exist or is damaged.
    pub(super) async fn read(context: &Context, path: String, login: &Login) -> Result<Self, SourceError> {
        let contents = context.io.read_file(&path).await;
        let contents = contents.map_err(|error| SourceError::Unreadable { path: path.clone(), error })?;
        let missing = || login.needed(&format!("is missing: {path} does not exist"));
        let contents = contents.ok_or_else(missing)?;
        let hash = sha256(&contents);
        let contents = context.refreshes.unsaved(&path, hash).unwrap_or(contents);
        match parse(&contents) {
            Some(json @ Json::Object(_)) => Ok(Self { path, json, hash }),
            _ => Err(login.needed(&format!("can't be used: {path} is not a JSON object"))),
        }
    }

    /// A member that is a text with something in it.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        text(&self.json, name)
    }

    /// A member that a refresh needs.
    pub(super) fn needed(&self, name: &str) -> Result<&str, NotRefreshed> {
        self.text(name).ok_or_else(|| NotRefreshed::NeedsLogin(format!("{} has no {name}", self.path)))
    }

    /// The file lacks a member, or has one of another form.
    pub(super) fn damaged(&self, login: &Login, name: &str) -> SourceError {
        login.needed(&format!("can't be used: {} has no valid {name}", self.path))
    }

    /// Why a refresh failed less than 30 seconds ago.
    pub(super) fn recent_failure(&self, context: &Context) -> Result<(), NotRefreshed> {
        context.refreshes.recent_failure(&self.path, self.hash, context.now()).map_or(Ok(()), Err)
    }

    /// Writes the refreshed session, with all members that were not changed. If that fails, there is a warning that
    /// ends with `consequence`, and the session is kept in memory.
    pub(super) async fn save(&self, context: &Context, login: &Login, consequence: &str) {
        let contents = self.json.to_bytes();
        match context.io.write_file(&self.path, contents.clone()).await {
            Ok(()) => context.refreshes.saved(&self.path),
            Err(error) => {
                context.refreshes.not_saved(&self.path, self.hash, contents);
                let Login { what, .. } = login;
                login.warn(
                    context,
                    format!("{what} was refreshed, but {} can't be written: {error}{consequence}", self.path),
                );
            }
        }
    }

    /// A refresh failed. Another program may have refreshed the session at the same time, which makes the refresh token
    /// invalid that was just sent: then its result is used. Else the failure is remembered.
    pub(super) async fn after_failure(
        self,
        context: &Context,
        login: &Login,
        reason: NotRefreshed,
    ) -> Result<Self, NotRefreshed> {
        if matches!(reason, NotRefreshed::NeedsLogin(_))
            && let Ok(read) = Self::read(context, self.path.clone(), login).await
            && read.hash != self.hash
        {
            return Ok(read);
        }
        context.refreshes.failed(&self.path, self.hash, context.now(), reason.clone());
        Err(reason)
    }
}

/// The name of a cache file: a hash in hexadecimal.
pub(super) fn file_name(hash: &[u8]) -> String {
    let mut name = String::new();
    for byte in hash {
        let _ = write!(name, "{byte:02x}");
    }
    name + ".json"
}

/// A member that is a text with something in it.
pub(super) fn text<'j>(json: &'j Json, name: &str) -> Option<&'j str> {
    json.member(name).and_then(Json::text).filter(|text| !text.is_empty())
}

/// When something ends that is valid for `expiresIn` seconds.
pub(super) fn end(json: &Json, from: Timestamp) -> Option<Timestamp> {
    match json.member("expiresIn") {
        Some(Json::Whole(seconds)) => Some(from.saturating_add(i64::try_from(*seconds).unwrap_or(i64::MAX))),
        _ => None,
    }
}

/// A profile as an argument of a command that the user can copy.
fn quoted(environment: &Environment, profile: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/.@:+".contains(&byte);
    if !profile.is_empty() && profile.bytes().all(is_plain) {
        return profile.to_owned();
    }
    if environment.is_windows() {
        return format!("\"{profile}\"");
    }
    shlex::try_quote(profile)
        .map_or_else(|_| format!("'{}'", profile.replace(['\0', '\''], "")), |quoted| quoted.into_owned())
}
