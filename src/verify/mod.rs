//! Direction 2: is this request signed by whom it says?

mod answer;
mod body;
mod error;
mod presented;
mod verified;
mod verifier;

pub use answer::Dialect;
pub use body::BodyCheck;
pub use error::{Computed, VerifyError};
pub use presented::Presented;
pub use verified::Verified;
pub use verifier::Verifier;
#[cfg(feature = "post-policy")]
pub(crate) use verifier::{MOST_NAMED, PRESIGN_AHEAD, check_standing};
