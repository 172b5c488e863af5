//! Verifies the requests of a server.

mod body;
mod layer;
mod request;
mod service;
mod verified;

pub use body::VerifiedBody;
pub use layer::{Caller, VerifyLayer};
pub use service::VerifyService;
pub use verified::Verified;
