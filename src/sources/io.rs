//! The inner side of a resolution: sources ask with `await`, and whoever drives the resolution answers.
//!
//! A source is an `async` function, so that it reads from top to bottom, but there is no runtime: an await stops the
//! function until [`Pending::answer`](super::Pending::answer) continues it.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::poll_fn;
use core::task::Poll;
use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use super::ask::{Answer, Ask, AskError, AskErrorKind, CommandAsk, CommandOutput, HttpAsk};
use super::profile::needs_home;
use super::report::{Outcome, Report, SourceKind};
use crate::sigv4::timestamp::Timestamp;

#[derive(Clone)]
pub(super) struct Io(Arc<Mutex<Slot>>);

pub(super) struct Slot {
    pub(super) now: Timestamp,
    pub(super) ask: Option<Ask>,
    pub(super) answer: Option<Answer>,
    pub(super) report: Report,
}

impl Io {
    pub(super) fn new(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Slot { now, ask: None, answer: None, report: Report::new() })))
    }

    pub(super) fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The time that came with the latest answer.
    pub(super) fn now(&self) -> Timestamp {
        self.slot().now
    }

    /// Adds a line to the report.
    pub(super) fn report(&self, source: SourceKind, outcome: Outcome) {
        self.slot().report.push(source, outcome);
    }

    async fn ask(&self, ask: Ask) -> Result<Answer, AskError> {
        self.slot().ask = Some(ask);
        let answer = poll_fn(|_| self.slot().answer.take().map_or(Poll::Pending, Poll::Ready)).await;
        match answer {
            Answer::Failed(error) => Err(error),
            answer => Ok(answer),
        }
    }

    /// Returns the contents of a file, or `None` if it doesn't exist.
    pub(super) async fn read_file(&self, path: &str) -> Result<Option<Zeroizing<Vec<u8>>>, AskError> {
        known(path)?;
        match self.ask(Ask::ReadFile { path: path.into() }).await? {
            Answer::File(Some(contents)) if contents.len() > Ask::MAX_FILE_BYTES => Err(too_large(Ask::MAX_FILE_BYTES)),
            Answer::File(contents) => Ok(contents),
            _ => Err(mismatched()),
        }
    }

    pub(super) async fn write_file(&self, path: &str, contents: Zeroizing<Vec<u8>>) -> Result<(), AskError> {
        known(path)?;
        self.done(Ask::WriteFile { path: path.into(), contents }).await
    }

    pub(super) async fn send(
        &self,
        request: http::Request<Vec<u8>>,
        timeout: Duration,
        allow_proxy: bool,
    ) -> Result<http::Response<Zeroizing<Vec<u8>>>, AskError> {
        match self.ask(Ask::Send(Box::new(HttpAsk { request, timeout, allow_proxy }))).await? {
            Answer::Response(response) if response.body().len() > Ask::MAX_RESPONSE_BYTES => {
                Err(too_large(Ask::MAX_RESPONSE_BYTES))
            }
            Answer::Response(response) => Ok(response.map(Zeroizing::new)),
            _ => Err(mismatched()),
        }
    }

    pub(super) async fn run(&self, command: CommandAsk) -> Result<CommandOutput, AskError> {
        match self.ask(Ask::Run(command)).await? {
            Answer::Output(output) if output.stdout.len() > Ask::MAX_OUTPUT_BYTES => {
                Err(too_large(Ask::MAX_OUTPUT_BYTES))
            }
            Answer::Output(output) => Ok(output),
            _ => Err(mismatched()),
        }
    }

    pub(super) async fn mfa_code(&self, serial: &str) -> Result<Zeroizing<String>, AskError> {
        match self.ask(Ask::MfaCode { serial: serial.into() }).await? {
            Answer::MfaCode(code) => Ok(Zeroizing::new(code)),
            _ => Err(mismatched()),
        }
    }

    pub(super) async fn wait(&self, duration: Duration) -> Result<(), AskError> {
        self.done(Ask::Wait(duration)).await
    }

    async fn done(&self, ask: Ask) -> Result<(), AskError> {
        match self.ask(ask).await? {
            Answer::Done => Ok(()),
            _ => Err(mismatched()),
        }
    }
}

/// Refuses paths whose home directory isn't known, rather than to use a directory named `~`.
fn known(path: &str) -> Result<(), AskError> {
    if needs_home(path) {
        return Err(AskError::new(AskErrorKind::Other, "~ can't be replaced; set HOME, or write the whole path"));
    }
    Ok(())
}

fn too_large(limit: usize) -> AskError {
    AskError::new(AskErrorKind::TooLarge, alloc::format!("it is larger than {} KiB", limit >> 10))
}

fn mismatched() -> AskError {
    AskError::new(AskErrorKind::Other, "the answer belongs to another question")
}
