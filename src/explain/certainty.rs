use core::fmt;

/// How certain a finding is. Findings are in this order.
///
/// ```
/// use countersign::explain::Certainty;
///
/// assert!(Certainty::Observed < Certainty::Likely && Certainty::Likely < Certainty::Possible);
/// assert_eq!(Certainty::Possible.name(), "possible");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Certainty {
    /// The response states it, or it is a difference between two texts.
    Observed,
    /// It is inferred, and nothing else is as probable.
    Likely,
    /// It is inferred, and one of several possible causes.
    Possible,
}

impl Certainty {
    /// Returns the machine name, which is stable: `observed`, `likely`, `possible`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }

    /// What precedes a finding in a list.
    pub(super) const fn prefix(self) -> &'static str {
        match self {
            Self::Observed => "",
            Self::Likely => "likely: ",
            Self::Possible => "possibly: ",
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
