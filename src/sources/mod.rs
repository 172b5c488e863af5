//! Where credentials come from: the environment, profiles, roles, IAM Identity Center, `aws login`, commands, containers
//! and instances, in the order of AWS's SDKs.

mod ask;
mod attempts;
mod cache;
mod chain;
mod container;
mod context;
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
mod driver;
mod endpoint;
mod environment;
mod error;
mod exchange;
mod imds;
mod io;
mod login;
mod order;
mod process;
mod profile;
mod refreshes;
mod refusal;
mod report;
mod resolver;
mod sso;
mod sts;
mod token_file;

pub use ask::{Answer, Ask, AskError, AskErrorKind, CommandAsk, CommandOutput, HttpAsk};
pub use cache::{CachedCredentials, CredentialCache, FollowingSigner};
pub use environment::Environment;
pub use error::{ResolveError, SourceError};
pub use profile::{
    AssumeRole, BaseSource, Locations, NamedSource, ProfileChain, ProfileError, ProfileWarning, Profiles, Section,
    SsoProfile,
};
pub use report::{Outcome, Report, SourceKind};
pub use resolver::{Pending, Progress, Resolved, Resolver};
