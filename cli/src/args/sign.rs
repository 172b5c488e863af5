use clap::Args;

use super::CredentialArgs;

/// Sign a request and print the headers
#[derive(Args, Debug)]
pub struct SignArgs {
    #[command(flatten)]
    pub credentials: CredentialArgs,
}
