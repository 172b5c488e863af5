//! Verifies the requests of a server.

mod body;
mod caller;
mod layer;
mod reason;
mod request;
mod service;
mod verified;

pub use body::VerifiedBody;
pub use caller::{Caller, CallerKey};
pub use layer::VerifyLayer;
pub use reason::RefusalReason;
pub use service::VerifyService;
pub use verified::Verified;
