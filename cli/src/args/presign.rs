use clap::Args;

use super::CredentialArgs;

/// Print a presigned URL
#[derive(Args, Debug)]
pub struct PresignArgs {
    #[command(flatten)]
    pub credentials: CredentialArgs,
}
