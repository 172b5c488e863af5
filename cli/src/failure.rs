//! What makes the command fail, and its exit code.

use std::fmt;
use std::process::ExitCode;

/// Why the command fails. The exit codes are curl's where curl has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request can't be signed: no credentials, no region, refused input.
    Sign,
    /// The arguments, or the URL.
    Usage,
    Resolve,
    Connect,
    /// `--fail`: the status is 400 or higher.
    Status,
    /// The output can't be written.
    Write,
    /// A file, or standard input, can't be read.
    Read,
    Timeout,
    Tls,
    TooManyRedirects,
    /// The connection broke while sending or receiving.
    Transfer,
    Certificate,
}

impl Kind {
    pub fn code(self) -> u8 {
        match self {
            Self::Sign => 1,
            Self::Usage => 2,
            Self::Resolve => 6,
            Self::Connect => 7,
            Self::Status => 22,
            Self::Write => 23,
            Self::Read => 26,
            Self::Timeout => 28,
            Self::Tls => 35,
            Self::TooManyRedirects => 47,
            Self::Transfer => 56,
            Self::Certificate => 60,
        }
    }

    pub fn exit_code(self) -> ExitCode {
        ExitCode::from(self.code())
    }
}

/// An error that ends the command. The message says what to do, and contains no secret.
#[derive(Clone, Debug)]
pub struct Failure {
    kind: Kind,
    message: String,
}

impl Failure {
    pub fn new(kind: Kind, message: impl fmt::Display) -> Self {
        Self { kind, message: message.to_string() }
    }

    pub fn usage(message: impl fmt::Display) -> Self {
        Self::new(Kind::Usage, message)
    }

    pub fn sign(message: impl fmt::Display) -> Self {
        Self::new(Kind::Sign, message)
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn exit_code(&self) -> ExitCode {
        self.kind.exit_code()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}
