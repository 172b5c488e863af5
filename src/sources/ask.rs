//! What a resolution asks for, and the answers.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use zeroize::Zeroizing;

/// Something that a [`Resolver`](super::Resolver) needs from outside. Each variant says which [`Answer`] belongs to it.
///
/// `Debug` shows neither bodies, nor queries, nor file contents, nor the arguments of a command, which may hold secrets.
#[non_exhaustive]
pub enum Ask {
    /// Read a whole file: [`Answer::File`]. Refuse files larger than [`Ask::MAX_FILE_BYTES`] with
    /// [`AskErrorKind::TooLarge`].
    ReadFile {
        /// The path, with `~` replaced.
        path: String,
    },
    /// Write a cache file: [`Answer::Done`]. Create it with mode 0600, and replace an existing file in one step (write
    /// a new file beside it, then rename), so that other programs never read half of it.
    WriteFile {
        /// The path, with `~` replaced. The directory exists.
        path: String,
        /// The contents, which are secret.
        contents: Zeroizing<Vec<u8>>,
    },
    /// Send a request: [`Answer::Response`]. Don't follow redirects.
    Send(Box<HttpAsk>),
    /// Run a command and wait until it ends: [`Answer::Output`]. Its standard input is empty. Kill it at the timeout
    /// ([`AskErrorKind::TimedOut`]), and when it prints more than [`Ask::MAX_OUTPUT_BYTES`] to standard output
    /// ([`AskErrorKind::TooLarge`]).
    Run(CommandAsk),
    /// Ask the user for the code of an MFA device: [`Answer::MfaCode`].
    MfaCode {
        /// The serial number or ARN of the device.
        serial: String,
    },
    /// Wait before the next attempt: [`Answer::Done`].
    Wait(Duration),
}

impl Ask {
    /// The largest file that is read, in bytes.
    pub const MAX_FILE_BYTES: usize = 1 << 20;
    /// The most that a command may print, in bytes.
    pub const MAX_OUTPUT_BYTES: usize = 64 << 10;
    /// The largest body of a response, in bytes.
    pub const MAX_RESPONSE_BYTES: usize = 256 << 10;
}

/// A request to send.
#[derive(Clone)]
pub struct HttpAsk {
    /// The request, with an absolute URI. `Host` and `Content-Length` are left to the client.
    pub request: http::Request<Vec<u8>>,
    /// The longest time until the whole response is there.
    pub timeout: Duration,
    /// Whether a configured HTTP proxy may be used. Credentials of containers and instances must not go through one.
    pub allow_proxy: bool,
}

/// A command to run, without a shell.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandAsk {
    /// The program.
    pub program: String,
    /// Its arguments, which may be secret.
    pub arguments: Vec<String>,
    /// Variables to set for it, besides those of this process.
    pub variables: Vec<(String, String)>,
    /// The longest time until it ends.
    pub timeout: Duration,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReadFile { path } => f.debug_struct("ReadFile").field("path", path).finish(),
            Self::WriteFile { path, .. } => f.debug_struct("WriteFile").field("path", path).finish_non_exhaustive(),
            Self::Send(ask) => f.debug_tuple("Send").field(ask).finish(),
            Self::Run(ask) => f.debug_tuple("Run").field(ask).finish(),
            Self::MfaCode { serial } => f.debug_struct("MfaCode").field("serial", serial).finish(),
            Self::Wait(duration) => f.debug_tuple("Wait").field(duration).finish(),
        }
    }
}

impl fmt::Debug for HttpAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uri = alloc::format!("{}", self.request.uri());
        f.debug_struct("HttpAsk")
            .field("method", self.request.method())
            .field("uri", &uri.split('?').next().unwrap_or_default())
            .field("timeout", &self.timeout)
            .field("allow_proxy", &self.allow_proxy)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CommandAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandAsk")
            .field("program", &super::process::shown(&self.program))
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// The answer to an [`Ask`].
#[non_exhaustive]
pub enum Answer {
    /// The contents of the file, or `None` if it doesn't exist.
    File(Option<Zeroizing<Vec<u8>>>),
    /// The response, whatever its status.
    Response(http::Response<Vec<u8>>),
    /// The command ended.
    Output(CommandOutput),
    /// The code that the user entered.
    MfaCode(String),
    /// The file is written, or the time is over.
    Done,
    /// It could not be done.
    Failed(AskError),
}

/// What a command printed.
pub struct CommandOutput {
    /// Whether its exit status was 0.
    pub success: bool,
    /// The exit code, if it wasn't ended by a signal.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Zeroizing<Vec<u8>>,
    /// The first kilobytes of standard error, which become part of the error message when the command fails.
    pub stderr: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(contents) => f.debug_tuple("File").field(&contents.as_ref().map(|bytes| bytes.len())).finish(),
            Self::Response(response) => f.debug_tuple("Response").field(&response.status()).finish(),
            Self::Output(output) => f.debug_tuple("Output").field(output).finish(),
            Self::MfaCode(_) => f.write_str("MfaCode"),
            Self::Done => f.write_str("Done"),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
        }
    }
}

impl fmt::Debug for CommandOutput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommandOutput").field("code", &self.code).finish_non_exhaustive()
    }
}

/// Why something that a resolution asked for could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AskError {
    kind: AskErrorKind,
    message: String,
}

/// What went wrong, as far as a resolution has to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AskErrorKind {
    /// There was a connection, or the command was running, and the time was over.
    TimedOut,
    /// No connection could be made: refused, unreachable, unknown host, or no answer in time.
    NotConnected,
    /// The file, the response or the output is larger than its limit.
    TooLarge,
    /// The program that resolves credentials does not do this, e.g. it can't ask for an MFA code.
    Unsupported,
    /// Anything else.
    Other,
}

impl AskError {
    /// Creates an error. The message must not hold secrets.
    pub fn new(kind: AskErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What went wrong.
    pub fn kind(&self) -> AskErrorKind {
        self.kind
    }
}

impl From<std::io::Error> for AskError {
    fn from(error: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let kind = match error.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => AskErrorKind::TimedOut,
            ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable => {
                AskErrorKind::NotConnected
            }
            ErrorKind::FileTooLarge => AskErrorKind::TooLarge,
            ErrorKind::Unsupported => AskErrorKind::Unsupported,
            _ => AskErrorKind::Other,
        };
        Self::new(kind, alloc::format!("{error}"))
    }
}
