use alloc::string::String;

use crate::sign::SignError;

/// Why a token could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// Expired credentials, a lifetime out of range, or what else keeps a request from being signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A value is empty.
    #[error("the {field} is empty")]
    Empty {
        /// Which value.
        field: &'static str,
    },
    /// A value begins with a scheme, as URLs do.
    #[error("the {field} {got:?} is a URL; give the bare name, without what stands before and behind it")]
    Scheme {
        /// Which value.
        field: &'static str,
        /// The value, shortened if it is long.
        got: String,
    },
    /// The host includes a port.
    #[error("the host {got:?} holds a port; give the bare name")]
    PortInHost {
        /// The host, shortened if it is long.
        got: String,
    },
    /// Not a host name, or an IPv6 address without brackets.
    #[error(
        "{got:?} is not a host name: give a name of letters, digits, '-', '_' and '.', or an IPv6 address in brackets"
    )]
    Host {
        /// The host, shortened if it is long.
        got: String,
    },
    /// Port 0.
    #[error("no server listens on port 0; give the port that the database has, e.g. 5432 or 3306")]
    Port,
    /// Not the name of a region.
    #[error("{got:?} is not a region; give it as AWS writes it, e.g. us-east-1")]
    Region {
        /// The region, shortened if it is long.
        got: String,
    },
    /// The endpoint of a cache or cluster instead of its name.
    #[error("{got:?} is an endpoint; what is signed is the name of the {field} alone, e.g. my-{field}")]
    Endpoint {
        /// `cache` or `cluster`.
        field: &'static str,
        /// The value, shortened if it is long.
        got: String,
    },
    /// A name with characters that it can't have.
    #[error("the {field} {got:?} may hold only {takes}")]
    Name {
        /// Which value.
        field: &'static str,
        /// The value, shortened if it is long.
        got: String,
        /// What it may hold.
        takes: &'static str,
    },
    /// Not the path of a repository.
    #[error("{got:?} is not the path of a repository; give it as git does: v1/repos/NAME")]
    RepositoryPath {
        /// The path, shortened if it is long.
        got: String,
    },
}
