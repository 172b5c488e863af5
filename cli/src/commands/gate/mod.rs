//! `countersign gate`

use std::process::ExitCode;

use crate::args::GateArgs;
use crate::failure::Failure;

pub fn run(args: &GateArgs) -> Result<ExitCode, Failure> {
    let _ = args;
    Err(Failure::usage("not built yet"))
}
