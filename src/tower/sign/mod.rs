//! Signs the requests of a client.

mod layer;
mod request;
mod service;
mod source;

pub use layer::{PayloadPolicy, SignLayer};
pub use request::SignLayerError;
pub use service::SignService;
pub use source::IdentitySource;
