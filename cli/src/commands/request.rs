use std::process::ExitCode;

use crate::args::RequestArgs;
use crate::failure::Failure;

pub fn run(_args: &RequestArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this version doesn't have this subcommand yet"))
}
