//! The configuration files: profiles, SSO sessions, services.

mod chain;
mod error;
mod header;
mod lines;
mod locations;
mod parse;
mod sso;

pub use chain::{AssumeRole, BaseSource, NamedSource, ProfileChain};
pub use error::{ProfileError, ProfileWarning};
pub use locations::Locations;
pub(in crate::sources) use locations::needs_home;
pub use parse::{Profiles, Section};
pub use sso::SsoProfile;
