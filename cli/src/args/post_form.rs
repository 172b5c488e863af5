use clap::Args;

use super::CredentialArgs;

/// Print the fields of a form for S3 browser uploads
#[derive(Args, Debug)]
pub struct PostFormArgs {
    #[command(flatten)]
    pub credentials: CredentialArgs,
}
