use clap::Args;

use super::CredentialArgs;

/// Print a connection token
#[derive(Args, Debug)]
pub struct TokenArgs {
    #[command(flatten)]
    pub credentials: CredentialArgs,
}
