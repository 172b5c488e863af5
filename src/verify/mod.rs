//! Direction 2: is this request signed by whom it says?

mod body;
mod error;
mod refusal;
mod scope_parts;
mod unverified;
mod verified;
mod verifier;

pub use body::BodyCheck;
pub use error::{Computed, VerifyError};
#[cfg(feature = "post-policy")]
pub(crate) use refusal::wrong_scope;
pub use scope_parts::ScopeParts;
pub use unverified::Presented;
pub use verified::Verified;
pub use verifier::Verifier;
#[cfg(feature = "post-policy")]
pub(crate) use verifier::{MOST_NAMED, PRESIGN_AHEAD, check_standing};
