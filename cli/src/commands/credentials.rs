use std::process::ExitCode;

use crate::args::CredentialsArgs;
use crate::failure::Failure;

pub fn run(_args: &CredentialsArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this version doesn't have this subcommand yet"))
}
