//! Verifies the requests of a server.

mod layer;
mod request;
mod service;
mod verified;

pub use layer::{Caller, VerifyLayer};
pub use service::VerifyService;
pub use verified::Verified;
