use std::process::ExitCode;

use crate::args::PostFormArgs;
use crate::failure::Failure;

pub fn run(_args: &PostFormArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this version doesn't have this subcommand yet"))
}
