use std::process::ExitCode;

use crate::args::TokenArgs;
use crate::failure::Failure;

pub fn run(_args: &TokenArgs) -> Result<ExitCode, Failure> {
    Err(Failure::usage("this version doesn't have this subcommand yet"))
}
