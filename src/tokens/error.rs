use alloc::string::String;

use crate::sign::SignError;

/// The reason a token can't be created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The request can't be signed, for example because the credentials have expired or the lifetime is out of range.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// A value is empty.
    #[error("the {field} is empty")]
    Empty {
        /// Which value.
        field: &'static str,
    },
    /// A value begins with a scheme, as URLs do.
    #[error("the {field} {got:?} is a URL; give only the name, without the scheme, port and path")]
    Scheme {
        /// Which value.
        field: &'static str,
        /// The value, shortened if it is long.
        got: String,
    },
    /// The host includes a port.
    #[error("the host {got:?} includes a port; give only the host name")]
    PortInHost {
        /// The host, shortened if it is long.
        got: String,
    },
    /// The host is not a host name, or is an IPv6 address without brackets.
    #[error(
        "{got:?} is not a host name; give a name of letters, digits, '-', '_' and '.', or an IPv6 address in brackets"
    )]
    Host {
        /// The host, shortened if it is long.
        got: String,
    },
    /// The port is 0.
    #[error("port 0 is invalid; give the port of the database, e.g. 5432 or 3306")]
    Port,
    /// The region is not the name of an AWS region.
    #[error("{got:?} is not a region; give the AWS region code, e.g. us-east-1")]
    Region {
        /// The region, shortened if it is long.
        got: String,
    },
    /// The endpoint of a cache or cluster was given instead of its name.
    #[error("{got:?} is an endpoint; give only the name of the {field}, e.g. my-{field}")]
    Endpoint {
        /// `cache` or `cluster`.
        field: &'static str,
        /// The value, shortened if it is long.
        got: String,
    },
    /// A name contains characters that are not allowed.
    #[error("the {field} {got:?} may contain only {takes}")]
    Name {
        /// Which value.
        field: &'static str,
        /// The value, shortened if it is long.
        got: String,
        /// The characters it may contain.
        takes: &'static str,
    },
    /// The credentials are temporary, and the service takes no session token.
    #[error("SES has no SMTP password for temporary credentials; use the access key of an IAM user")]
    Temporary,
    /// The path is not that of a CodeCommit repository.
    #[error("{got:?} is not the path of a repository; give it as git does, i.e. v1/repos/NAME")]
    RepositoryPath {
        /// The path, shortened if it is long.
        got: String,
    },
}
