use std::process::ExitCode;

use crate::args::ExplainArgs;
use crate::failure::Failure;

pub fn run(_args: &ExplainArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this version doesn't have this subcommand yet"))
}
