//! Direction 2: verifies that a request was signed with the key of its access key id.

mod body;
mod checks;
mod error;
mod refusal;
mod scope_parts;
#[cfg(feature = "sigv4a")]
mod sigv4a;
mod unverified;
mod verified;
mod verifier;

pub use body::BodyCheck;
pub(crate) use checks::{MOST_NAMED, PRESIGN_AHEAD, check_standing};
pub use error::{Computed, VerifyError};
pub(crate) use refusal::wrong_scope;
pub use scope_parts::ScopeParts;
pub use unverified::UnverifiedRequest;
pub use verified::VerifiedRequest;
pub use verifier::Verifier;
