use std::process::ExitCode;

use crate::args::VerifyArgs;
use crate::failure::Failure;

pub fn run(_args: &VerifyArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this version doesn't have this subcommand yet"))
}
