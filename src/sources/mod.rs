//! Finds credentials where AWS's tools keep them, in the order of AWS's SDKs.
//!
//! | | source | configured by |
//! |---|---|---|
//! | 1 | environment | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` |
//! | 2 | profile | `AWS_PROFILE`, else `default`, in `~/.aws/config` and `~/.aws/credentials`: static keys, chains of roles, `credential_source`, web identity, IAM Identity Center (SSO), `aws login`, `credential_process` |
//! | 3 | web identity | `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ROLE_ARN`, `AWS_ROLE_SESSION_NAME` |
//! | 4 | container | `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` or `AWS_CONTAINER_CREDENTIALS_FULL_URI` (ECS, EKS Pod Identity) |
//! | 5 | instance | the instance metadata service of EC2, version 2 only |
//!
//! The first source that is configured decides. If it fails, the error names it, and no other source is tried. With
//! [`Resolver::with_profile`], only that profile is used. [`Resolved::report`] and [`ResolveError::report`] list what was
//! tried and why the rest was skipped.
//!
//! [`Resolver::resolve`] reads files and runs commands; requests are sent by a closure, with any HTTP client. Without it,
//! [`Resolver::start`] does no I/O at all: it asks for one thing at a time ([`Ask`]) and is given the answer, and the
//! current time with it. That is how to run it without a file system, or to test it.
//!
//! Programs that run for longer than credentials live keep them in a [`CredentialCache`]. The profile parser can be used
//! by itself: [`Profiles::parse`].
//!
//! AWS: [Standardized credential providers](https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html),
//! [shared config and credentials files](https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html)

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
