//! Drives a resolution with the files, commands and clock of this machine. Only requests are left to the caller.

mod background;
mod command;
mod files;

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use background::in_background;

use zeroize::Zeroizing;

use super::ask::{Answer, Ask, AskError, AskErrorKind, CommandAsk, HttpAsk};
use super::error::ResolveError;
use super::resolver::{Progress, Resolved, Resolver};
use crate::sigv4::timestamp::Timestamp;

impl Resolver {
    /// Finds credentials with the files, commands and clock of this machine. `send` sends a request and returns the
    /// response, of any status; it has to keep to [`HttpAsk::timeout`] and [`HttpAsk::allow_proxy`], and must not follow
    /// redirects. It is not called if the credentials are in the environment or a file.
    ///
    /// `examples/credentials.rs` shows `send` for ureq.
    ///
    /// ```
    /// use countersign::sources::{AskError, AskErrorKind, Environment, HttpAsk, Resolver, SourceKind};
    ///
    /// let offline = |_: HttpAsk| Err::<http::Response<Vec<u8>>, _>(AskError::new(AskErrorKind::NotConnected, "offline"));
    /// let environment = Environment::new([("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")]);
    /// let resolved = Resolver::new(environment).resolve(offline)?;
    /// assert_eq!(resolved.credentials.access_key_id(), "AKIDEXAMPLE");
    /// assert_eq!(resolved.source, SourceKind::Environment);
    /// # Ok::<(), countersign::sources::ResolveError>(())
    /// ```
    ///
    /// # Errors
    /// Returns a [`ResolveError`] that names the source and says what to do.
    pub fn resolve<B, E>(
        &self,
        mut send: impl FnMut(HttpAsk) -> Result<http::Response<B>, E>,
    ) -> Result<Resolved, ResolveError>
    where
        B: Into<Vec<u8>>,
        E: Into<AskError>,
    {
        let mut progress = self.start(Timestamp::now());
        loop {
            let pending = match progress {
                Progress::Ask(pending) => pending,
                Progress::Done(result) => return *result,
            };
            let answer = match pending.ask() {
                Ask::Send(ask) => response(send((**ask).clone())),
                Ask::MfaCode { serial } => self.mfa_code(serial),
                ask => Local::of(ask).map_or_else(unsupported, Local::answer),
            };
            progress = pending.answer(answer, Timestamp::now());
        }
    }

    /// Does the same as [`Resolver::resolve`] with a `send` that returns a future, on any runtime. Files, commands, pauses
    /// and the question for an MFA code run on a thread of their own, so that no task is blocked. If the future is dropped,
    /// a command that is running goes on until its timeout.
    ///
    /// `tests/peers/examples/` in the repository shows `send` for reqwest and hyper.
    ///
    /// # Errors
    /// The same as for [`Resolver::resolve`].
    pub async fn resolve_async<B, E, F>(&self, mut send: impl FnMut(HttpAsk) -> F) -> Result<Resolved, ResolveError>
    where
        B: Into<Vec<u8>>,
        E: Into<AskError>,
        F: Future<Output = Result<http::Response<B>, E>>,
    {
        let mut progress = self.start(Timestamp::now());
        loop {
            let pending = match progress {
                Progress::Ask(pending) => pending,
                Progress::Done(result) => return *result,
            };
            let answer = match pending.ask() {
                Ask::Send(ask) => {
                    let sent = send((**ask).clone());
                    response(sent.await)
                }
                Ask::MfaCode { serial } => {
                    let (resolver, serial) = (self.clone(), serial.clone());
                    in_background(move || resolver.mfa_code(&serial)).await
                }
                ask => match Local::of(ask) {
                    Some(local) => in_background(move || local.answer()).await,
                    None => unsupported(),
                },
            };
            progress = pending.answer(answer, Timestamp::now());
        }
    }

    fn mfa_code(&self, serial: &str) -> Answer {
        match &self.0.mfa_code {
            Some(mfa_code) => mfa_code(serial).map_or_else(Answer::Failed, Answer::MfaCode),
            None => Answer::Failed(AskError::new(
                AskErrorKind::Unsupported,
                "this program doesn't ask for codes (Resolver::with_mfa_code)",
            )),
        }
    }
}

fn response<B: Into<Vec<u8>>, E: Into<AskError>>(sent: Result<http::Response<B>, E>) -> Answer {
    match sent {
        Ok(response) => Answer::Response(response.map(Into::into)),
        Err(error) => Answer::Failed(error.into()),
    }
}

fn unsupported() -> Answer {
    Answer::Failed(AskError::new(AskErrorKind::Unsupported, "this is not supported here"))
}

/// What this machine does itself. It owns what it needs, so that it can run on another thread.
enum Local {
    Read { path: String },
    Write { path: String, contents: Zeroizing<Vec<u8>> },
    Run(CommandAsk),
    Wait(Duration),
}

impl Local {
    fn of(ask: &Ask) -> Option<Self> {
        match ask {
            Ask::ReadFile { path } => Some(Self::Read { path: path.clone() }),
            Ask::WriteFile { path, contents } => Some(Self::Write { path: path.clone(), contents: contents.clone() }),
            Ask::Run(command) => Some(Self::Run(command.clone())),
            Ask::Wait(duration) => Some(Self::Wait(*duration)),
            Ask::Send(_) | Ask::MfaCode { .. } => None,
        }
    }

    fn answer(self) -> Answer {
        let answer = match self {
            Self::Read { path } => files::read(&path).map(Answer::File),
            Self::Write { path, contents } => files::write(&path, &contents).map(|()| Answer::Done),
            Self::Run(command) => command::run(&command).map(Answer::Output),
            Self::Wait(duration) => {
                std::thread::sleep(duration);
                Ok(Answer::Done)
            }
        };
        answer.unwrap_or_else(Answer::Failed)
    }
}
