//! Runs test vectors, from this repository or your own, through the public API. The package in `tests/conformance`
//! reads, runs and compares the cases.
//!
//! ```text
//! cargo run --release --example conformance -- test-vectors/*.jsonl
//! cargo run --release --example conformance -- --credentials tests/recorded/*
//! ```

use std::process::ExitCode;

fn main() -> ExitCode {
    countersign_conformance::run(std::env::args().skip(1))
}
