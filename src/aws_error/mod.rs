//! AWS's wording of refusals: one set of texts, which the verifier writes and `explain` reads.

#[cfg(any(feature = "explain", feature = "post-policy"))]
pub(crate) mod form;
mod format;
#[cfg(feature = "explain")]
pub(crate) mod read;
pub(crate) mod text;
mod write;

pub use format::ErrorFormat;
pub use write::Refusal;
