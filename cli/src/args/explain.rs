use clap::Args;

use super::CredentialArgs;

/// Explain why a request was refused
#[derive(Args, Debug)]
pub struct ExplainArgs {
    #[command(flatten)]
    pub credentials: CredentialArgs,
}
