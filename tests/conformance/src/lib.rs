//! Runs files of test vectors through the public API, and reports for each file how many cases passed. The format of a
//! case is described in `test-vectors/README.md`.
//!
//! ```text
//! cargo run --release --example conformance -- test-vectors/*.jsonl
//! cargo run --release --example conformance -- --credentials FOLDER…
//! ```
//!
//! The second form runs recorded resolutions of credentials, see [`credentials`].

pub mod cases;
#[cfg(feature = "credentials")]
pub mod credentials;

use std::fmt;
use std::path::Path;
use std::process::ExitCode;

use cases::{Case, Difference, Outcome};

/// The program, with the names of the files as arguments.
pub fn run(files: impl IntoIterator<Item = String>) -> ExitCode {
    let mut files = files.into_iter().peekable();
    if files.peek().is_none() {
        eprintln!("usage: conformance FILE.jsonl…\n       conformance --credentials FOLDER…");
        return ExitCode::from(2);
    }
    let is_credentials = files.next_if_eq("--credentials").is_some();
    let mut all_passed = true;
    for file in files {
        let counts = if is_credentials { of_credentials(&file) } else { of_vectors(&file) };
        let name = Path::new(&file).file_stem().unwrap_or_default().to_string_lossy();
        println!("{name}: {counts}");
        all_passed &= counts.failed == 0;
    }
    if all_passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn of_vectors(file: &str) -> Counts {
    match std::fs::read_to_string(file) {
        Ok(text) => Counts::of(&text, |line, difference| println!("{file}:{line}: {difference}")),
        Err(error) => {
            println!("{file}: {error}");
            Counts { failed: 1, ..Counts::default() }
        }
    }
}

#[cfg(feature = "credentials")]
fn of_credentials(path: &str) -> Counts {
    credentials::run(Path::new(path), |case, failure| println!("{path}: {case}: {failure}"))
}

#[cfg(not(feature = "credentials"))]
fn of_credentials(_: &str) -> Counts {
    Counts { skipped: 1, ..Counts::default() }
}

/// How many cases of a file ended in which way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub passed: usize,
    pub failed: usize,
    /// Cases of a kind that this build has no code for.
    pub skipped: usize,
}

impl Counts {
    /// Runs the cases of a file, one a line. Empty lines are ignored; each failure is reported with the number of its line.
    pub fn of(text: &str, mut failed: impl FnMut(usize, &Difference)) -> Self {
        let mut counts = Self::default();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match Case::read(line).and_then(|case| case.run()) {
                Ok(Outcome::Passed) => counts.passed += 1,
                Ok(Outcome::Skipped) => counts.skipped += 1,
                Err(difference) => {
                    counts.failed += 1;
                    failed(index + 1, &difference);
                }
            }
        }
        counts
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}
