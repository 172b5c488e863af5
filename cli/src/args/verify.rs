use clap::Args;

use super::CredentialArgs;

/// Verify a request
#[derive(Args, Debug)]
pub struct VerifyArgs {
    #[command(flatten)]
    pub credentials: CredentialArgs,
}
