use std::process::ExitCode;

use crate::args::SignArgs;
use crate::failure::Failure;

pub fn run(_args: &SignArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this version doesn't have this subcommand yet"))
}
