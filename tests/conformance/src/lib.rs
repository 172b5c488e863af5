//! Runs files of test vectors through the public API, and reports for each file how many cases passed. The format of a
//! case is described in `test-vectors/README.md`.
//!
//! ```text
//! cargo run --release --example conformance -- test-vectors/*.jsonl
//! ```

pub mod cases;

use std::path::Path;
use std::process::ExitCode;

use cases::Case;

/// The program, with the names of the files as arguments.
pub fn run(files: impl IntoIterator<Item = String>) -> ExitCode {
    let mut files = files.into_iter().peekable();
    if files.peek().is_none() {
        eprintln!("usage: conformance FILE.jsonl…");
        return ExitCode::from(2);
    }
    let mut all_passed = true;
    for file in files {
        let (mut passed, mut failed) = (0, 0);
        match std::fs::read_to_string(&file) {
            Ok(text) => {
                for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                    match Case::read(line).and_then(|case| case.run()) {
                        Ok(()) => passed += 1,
                        Err(difference) => {
                            failed += 1;
                            println!("{file}:{}: {difference}", number + 1);
                        }
                    }
                }
            }
            Err(error) => {
                failed += 1;
                println!("{file}: {error}");
            }
        }
        let name = Path::new(&file).file_stem().unwrap_or_default().to_string_lossy();
        // It is built with every feature, so that there is nothing to skip.
        println!("{name}: {passed} passed, {failed} failed, 0 skipped");
        all_passed &= failed == 0;
    }
    if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
