//! How AWS words refusals: one set of texts, written by the verifier and read by explain.

mod format;
#[cfg(feature = "explain")]
pub(crate) mod read;
mod write;

pub use format::Dialect;
pub use write::Refusal;
