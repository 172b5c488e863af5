use alloc::string::String;
use core::fmt;

use super::cause::Cause;
use super::certainty::Certainty;

/// A cause, how certain it is, the evidence for it, and the fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub(super) cause: Cause,
    pub(super) certainty: Certainty,
    pub(super) evidence: String,
}

impl Finding {
    /// What was observed.
    pub(super) fn new(cause: Cause, evidence: impl Into<String>) -> Self {
        Self { cause, certainty: Certainty::Observed, evidence: evidence.into() }
    }

    pub(super) fn with_certainty(self, certainty: Certainty) -> Self {
        Self { certainty, ..self }
    }

    /// Returns the cause.
    pub fn cause(&self) -> &Cause {
        &self.cause
    }

    /// Returns how certain it is.
    pub fn certainty(&self) -> Certainty {
        self.certainty
    }

    /// Returns the evidence: the message of the response, or the line that differs.
    pub fn evidence(&self) -> &str {
        &self.evidence
    }

    /// Returns the fix, in a sentence or two.
    pub fn fix(&self) -> &'static str {
        self.cause.fix()
    }

    /// Returns the page of AWS's documentation about it, if there is one.
    pub fn link(&self) -> Option<&'static str> {
        self.cause.link()
    }

    pub(super) fn print(&self, f: &mut fmt::Formatter<'_>, with_evidence: bool) -> fmt::Result {
        write!(f, "{}{}", self.certainty.prefix(), self.cause)?;
        if with_evidence {
            write!(f, "\n   evidence: {}", self.evidence)?;
        }
        write!(f, "\n   fix:      {}", self.fix())?;
        match self.link() {
            Some(link) => write!(f, "\n   see:      {link}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.print(f, true)
    }
}
