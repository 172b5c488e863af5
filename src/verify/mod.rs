//! Verification: checks that a request was signed with the key that belongs to its access key id.

mod body;
mod checked;
mod checks;
mod compare;
mod error;
mod in_query;
mod key;
mod number;
mod payload;
mod presented;
mod received;
mod refusal;
mod scope_parts;
#[cfg(feature = "sigv4a")]
mod sigv4a;
mod unverified;
mod verified;
mod verifier;

pub use body::{BodyCheck, SignedPayload};
pub(crate) use checks::{MOST_NAMED, PRESIGN_AHEAD};
pub use error::{Computed, VerifyError};
pub(crate) use key::Found;
pub use key::VerifyingKey;
pub(crate) use presented::Presented;
pub(crate) use refusal::wrong_scope;
pub use scope_parts::ScopeParts;
pub use unverified::{UnverifiedRequest, UnverifiedWithBody};
pub use verified::{VerifiedHead, VerifiedRequest};
pub use verifier::Verifier;
