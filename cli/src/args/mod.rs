//! What can be typed: one file per subcommand, and the groups of flags that they share.

pub mod credentials;
mod explain;
pub mod gate;
pub mod post_form;
mod presign;
pub mod proxy;
mod request;
pub mod resign;
pub mod serve;
mod shell;
pub mod sign;
pub mod time;
pub mod token;
mod verify;

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, Parser, Subcommand};

pub use credentials::CredentialsArgs;
pub use explain::ExplainArgs;
pub use gate::GateArgs;
pub use post_form::PostFormArgs;
pub use presign::PresignArgs;
pub use proxy::ProxyArgs;
pub use request::{BodyArgs, PayloadMode, RequestArgs};
pub use shell::{CompletionsArgs, ManArgs};
pub use sign::SignArgs;
pub use token::TokenArgs;
pub use verify::{Scheme, VerifyArgs};

/// Signs, sends, presigns and verifies AWS requests (SigV4 and SigV4A), and explains why they were refused.
#[derive(Debug, Parser)]
#[command(name = "countersign", version, after_help = ENVIRONMENT)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const ENVIRONMENT: &str = "\
Environment:
  AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE,
  AWS_REGION           and all others that the AWS CLI reads for credentials
  COUNTERSIGN_SERVICE  the service, if neither a flag nor the host names it
  AWS_CA_BUNDLE, SSL_CERT_FILE
                       certificates to trust, instead of the system's
  NO_COLOR             no colours

Examples:
  countersign request https://abc.execute-api.us-east-1.amazonaws.com/dev/list
  countersign presign --expires 1h https://bucket.s3.amazonaws.com/report.pdf
  curl -sv https://abc.execute-api.us-east-1.amazonaws.com/dev/list 2>&1 |
    countersign explain
  countersign help request    shows all flags, with examples";

#[derive(Debug, Subcommand)]
pub enum Command {
    Request(Box<RequestArgs>),
    Sign(Box<SignArgs>),
    Presign(Box<PresignArgs>),
    PostForm(Box<PostFormArgs>),
    Token(Box<TokenArgs>),
    Explain(Box<ExplainArgs>),
    Verify(Box<VerifyArgs>),
    Gate(Box<GateArgs>),
    Proxy(Box<ProxyArgs>),
    Credentials(Box<CredentialsArgs>),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Parses the arguments. What is printed about a wrong one contains no value, as it could be a secret.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(arguments).map_err(|mut error| {
        for kind in [ContextKind::InvalidArg, ContextKind::InvalidValue] {
            if let Some(ContextValue::String(value)) = error.get(kind)
                && !value.starts_with('-')
                && !value.starts_with('<')
            {
                error.insert(kind, ContextValue::String("(not shown)".into()));
            }
        }
        error
    })
}

/// A value that is not printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self(value)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// The flags that say which credentials to sign with.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Credentials")]
pub struct CredentialArgs {
    /// The profile in the configuration files [default: AWS_PROFILE, or the profile `default`]
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,

    /// Read the credentials from standard input: `ID:SECRET` or `ID:SECRET:TOKEN`, the JSON of a `credential_process`,
    /// or `AWS_…=…` lines
    #[arg(long, alias = "credentials_stdin", conflicts_with_all = ["profile", "user", "access_key"])]
    pub credentials_stdin: bool,

    /// Access key id and secret. Other users of the machine can see arguments; prefer a profile, the environment or
    /// --credentials-stdin
    #[arg(short, long, value_name = "ID:SECRET", conflicts_with_all = ["profile", "access_key"])]
    pub user: Option<Secret>,

    /// Access key id
    #[arg(long, alias = "access_key", value_name = "ID", requires = "secret_key", conflicts_with = "profile")]
    pub access_key: Option<String>,

    /// Secret access key. The warning of --user applies
    #[arg(long, alias = "secret_key", value_name = "SECRET", requires = "access_key")]
    pub secret_key: Option<Secret>,

    /// Session token of temporary credentials, with --user or --access-key
    #[arg(long, aliases = ["session_token", "security-token", "security_token"], value_name = "TOKEN")]
    pub session_token: Option<Secret>,
}

/// The flags that say what to sign for.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Region and service")]
pub struct ScopeArgs {
    /// The region [default: from the host, the environment or the profile]. `*` or a list (`us-east-1,us-west-*`) signs
    /// with SigV4A
    #[arg(long, value_name = "REGION")]
    pub region: Option<String>,

    /// The service as in the signature, such as execute-api, s3 or es [default: from the host]
    #[arg(long, value_name = "SERVICE")]
    pub service: Option<String>,

    /// Region and service as curl's flag names them
    #[arg(long, alias = "aws_sigv4", value_name = "aws:amz:REGION:SERVICE")]
    pub aws_sigv4: Option<String>,
}

impl CredentialArgs {
    /// Returns `true` if the credentials themselves are given, so that AWS's sources are not asked.
    pub fn are_given(&self) -> bool {
        self.credentials_stdin || self.user.is_some() || self.access_key.is_some() || self.session_token.is_some()
    }
}

/// The flags of the connection.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Connection")]
pub struct TransportArgs {
    /// Accept any certificate
    #[arg(short = 'k', long)]
    pub insecure: bool,

    /// Trust only the certificates in this PEM file
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<std::path::PathBuf>,

    /// Time to resolve the host and connect, in seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, default_value = "30")]
    pub connect_timeout: Duration,

    /// Time for everything, in seconds [default: no limit]
    #[arg(short = 'm', long, value_name = "SECONDS", value_parser = seconds)]
    pub max_time: Option<Duration>,

    /// Don't use HTTP/2
    #[arg(long = "http1.1")]
    pub http1: bool,
}

fn seconds(value: &str) -> Result<Duration, String> {
    let seconds = value.parse::<f64>().map_err(|_| "not a number of seconds".to_owned())?;
    if seconds <= 0.0 {
        return Err("must be more than 0".into());
    }
    Duration::try_from_secs_f64(seconds).map_err(|_| "too long".into())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    /// Two flags with the same name, or a flag that conflicts with one that doesn't exist.
    #[test]
    fn flags_are_consistent() {
        super::Cli::command().debug_assert();
    }

    #[test]
    fn help_lists_each_subcommand_on_a_line_and_fits_80_columns() {
        let mut command = super::Cli::command().term_width(80);
        let help = command.render_long_help().to_string();
        for subcommand in command.get_subcommands() {
            let about = subcommand.get_about().expect("a summary").to_string();
            let line = help.lines().find(|line| line.split_whitespace().next() == Some(subcommand.get_name()));
            assert!(line.is_some_and(|line| line.ends_with(&about)), "{}: {about}", subcommand.get_name());
        }
        let (request, proxy) = (super::request::HELP, super::proxy::HELP);
        for line in super::ENVIRONMENT.lines().chain(request.lines()).chain(proxy.lines()) {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn the_method_has_two_names() {
        for subcommand in ["request", "sign", "presign"] {
            for flag in ["-X", "--request", "--method"] {
                let arguments = ["countersign", subcommand, "https://example.com/", flag, "PUT"];
                let parsed = super::parse(arguments.map(Into::into)).expect("arguments");
                assert!(format!("{parsed:?}").contains("\"PUT\""), "{arguments:?}");
            }
        }
    }
}
