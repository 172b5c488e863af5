//! Runs files of test vectors, of this repository or of your own, through the public API. The cases are read, run and
//! compared by the package in `tests/conformance`.
//!
//! ```text
//! cargo run --release --example conformance -- test-vectors/*.jsonl
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_conformance::run(std::env::args().skip(1))
}
