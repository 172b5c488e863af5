use std::process::ExitCode;

use crate::args::PresignArgs;
use crate::failure::Failure;

pub fn run(_args: &PresignArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this version doesn't have this subcommand yet"))
}
