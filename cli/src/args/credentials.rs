use clap::Args;

use super::CredentialArgs;

/// Show where the credentials come from
#[derive(Args, Debug)]
pub struct CredentialsArgs {
    #[command(flatten)]
    pub credentials: CredentialArgs,
}
