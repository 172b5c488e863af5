use clap::{Args, ValueEnum};

use super::{CredentialArgs, TransportArgs};

/// Show which credentials are used, their source and their expiry
///
/// The secret is printed only with --format process, env or json.
#[derive(Args, Debug)]
#[command(after_long_help = HELP)]
pub struct CredentialsArgs {
    /// What is printed
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = CredentialsFormat::Text)]
    pub format: CredentialsFormat,

    #[command(flatten)]
    pub credentials: CredentialArgs,

    #[command(flatten)]
    pub transport: TransportArgs,
}

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum CredentialsFormat {
    /// A report for people, without the secret
    Text,
    /// The secret and all else, as the JSON that AWS's tools read from a `credential_process`
    Process,
    /// The secret and all else, as commands for a POSIX shell
    Env,
    /// The secret and all else, with the source and what was tried, as JSON
    Json,
}

const HELP: &str = "\
Examples:
  Which credentials would be used, and why:
    countersign credentials
  Roles, IAM Identity Center or `aws login` for a tool that reads only the environment:
    eval \"$(countersign credentials --profile dev --format env)\"
  The same for every AWS SDK, in ~/.aws/config:
    [profile dev-for-old-tools]
    credential_process = countersign credentials --profile dev --format process

Exit codes:
  0 there are credentials   1 there are none, or their source fails   2 wrong usage   23 the output can't be written";
