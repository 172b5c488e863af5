//! The configuration files: profiles, SSO sessions, services.

mod chain;
mod error;
mod locations;
mod parse;

pub use chain::{AssumeRole, BaseSource, NamedSource, ProfileChain, SsoProfile};
pub use error::ProfileError;
pub use locations::Locations;
pub use parse::{Profiles, Section};
