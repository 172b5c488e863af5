//! The program of this package, which is also the example `conformance` of countersign.

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_conformance::run(std::env::args().skip(1))
}
