use alloc::string::String;
use core::fmt;

use super::cause::Cause;

/// A cause, the evidence for it, and the fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub(super) cause: Cause,
    pub(super) evidence: String,
}

impl Finding {
    pub(super) fn new(cause: Cause, evidence: impl Into<String>) -> Self {
        Self { cause, evidence: evidence.into() }
    }

    /// Returns the cause.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns the evidence: the message of the response, or the line that differs.
    pub fn evidence(&self) -> &str {
        &self.evidence
    }

    /// Returns the fix, in a sentence or two.
    pub fn fix(&self) -> &'static str {
        self.cause.fix()
    }

    pub(super) fn print(&self, f: &mut fmt::Formatter<'_>, with_evidence: bool) -> fmt::Result {
        write!(f, "{}", self.cause)?;
        if with_evidence {
            write!(f, "\n   evidence: {}", self.evidence)?;
        }
        write!(f, "\n   fix:      {}", self.fix())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, true)
    }
}
